/* SPDX-License-Identifier: BSD-2-Clause
 *
 * date: HTTP dates, RFC 9110 section 5.6.7, locale-free.
 */
#ifndef WEBSRV_HTTP_DATE_H
#define WEBSRV_HTTP_DATE_H

#include <stdint.h>

#include "base/slice.h"

#define HTTP_DATE_LEN 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Writes HTTP_DATE_LEN bytes, no NUL. Years outside 0 to 9999 are clamped. */
void http_date_format(int64_t unix_seconds, char out[HTTP_DATE_LEN]);

/* IMF-fixdate, RFC 850 (two-digit years as the RFC says, relative to `now`) and asctime
 * forms. 0, or -1 for anything else. */
int http_date_parse(struct slice s, int64_t now, int64_t *unix_seconds);

#endif
