/* SPDX-License-Identifier: BSD-2-Clause
 *
 * syntax: what to say when a text is not JSON at all. The parser's own message is kept
 * and gets the place where the trouble begins and a hint what to write.
 */
#ifndef WEBSRV_CONF_SYNTAX_H
#define WEBSRV_CONF_SYNTAX_H

#include <jansson.h>
#include <stdbool.h>

#include "base/slice.h"

struct buf;

/* Did the text end where more was expected? */
bool syntax_is_at_end(const json_error_t *error);

/* Appends "NAME:LINE:COLUMN: syntax: MESSAGE; HINT\n". */
void syntax_report(struct slice text, const json_error_t *error, const char *name,
		   struct buf *errors);

#endif
