/* SPDX-License-Identifier: BSD-2-Clause
 *
 * comments: JSON has no comments, a configuration needs them. Those of C and C++ that
 * stand outside strings are overwritten with spaces; newlines stay, so that every byte
 * keeps its offset, line and column.
 */
#ifndef WEBSRV_CONF_COMMENTS_H
#define WEBSRV_CONF_COMMENTS_H

#include <stddef.h>

/* Blanks the comments of text[0..len) in place. 0, or -EINVAL with *where set to the
 * offset of a comment that is never closed. */
int comments_blank(char *text, size_t len, size_t *where);

#endif
