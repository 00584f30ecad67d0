/* SPDX-License-Identifier: BSD-2-Clause
 *
 * range: byte ranges, RFC 9110 section 14. Pure: the request and the length of the selected
 * representation come in, the ranges to send go out.
 */
#ifndef WEBSRV_HTTP_RANGE_H
#define WEBSRV_HTTP_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "http/cond.h"
#include "http/message.h"

struct http_range {
	uint64_t offset;
	uint64_t length; /* at least 1; offset + length is at most the size */
};

enum range_verdict {
	RANGE_WHOLE,        /* no Range, or one that has to be ignored: answer 200 */
	RANGE_PARTIAL,      /* 206 with the ranges found */
	RANGE_UNSATISFIABLE /* 416 */
};

/*
 * Ignored (section 14.2): a method other than GET, several Range lines, a unit other than
 * bytes, a syntax error, a last position before the first, more than `max` ranges as written
 * (so with a `max` of 0 any). Numbers of any length are taken; what lies beyond the end is
 * clamped, what begins there is left out; nothing left is RANGE_UNSATISFIABLE. The last N
 * bytes (N > 0) of nothing are satisfiable (section 14.1.2), but no 206 can say so:
 * RANGE_WHOLE. Ranges that overlap or touch are made one, in the place of the first of them;
 * otherwise the order is that of the request (section 15.3.7.2).
 * `out` has room for `max`, a small number: the work is the length of the field and the
 * square of `max`. *count is at least 1 with RANGE_PARTIAL, else 0.
 */
enum range_verdict range_find(const struct http_head *head, uint64_t size,
			      struct http_range *out, size_t max, size_t *count);

/*
 * Section 13.1.5: may the Range be honoured? True without If-Range. An entity-tag is compared
 * strongly; a date, in any of its forms, must be exactly Last-Modified, and that must be a
 * strong validator: at least a second older than `now` (section 8.8.2.2). Several lines, bad
 * syntax, or nothing there to compare with: false.
 */
bool range_if_range(const struct http_head *head, const struct cond_validators *v,
		    int64_t now);

#define RANGE_CONTENT_MAX 80
/* "bytes 0-99/1000", in `out`. */
struct slice range_content(const struct http_range *r, uint64_t size,
			   char out[RANGE_CONTENT_MAX]);
/* Of a 416, in `out`: "bytes *" "/" and the size. */
struct slice range_content_unsatisfiable(uint64_t size, char out[RANGE_CONTENT_MAX]);

#endif
