/* SPDX-License-Identifier: BSD-2-Clause
 *
 * utf8: is it? RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
 */
#ifndef WEBSRV_BASE_UTF8_H
#define WEBSRV_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Bytes of the character at the start of `s`, 1 to 4; 0 when none is there. */
size_t utf8_len(struct slice s);
bool utf8_is_valid(struct slice s);

#endif
