/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of ranges share: a request head made of a few field lines, and the ranges
 * that are found in it as text.
 */
#ifndef WEBSRV_TESTS_RANGE_REQUEST_H
#define WEBSRV_TESTS_RANGE_REQUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http/range.h"

#define LINES_MAX 3
#define RANGES_MAX 64
#define TEXT_MAX 2048

#define RANGE HTTP_FIELD_RANGE
#define IF_RANGE HTTP_FIELD_IF_RANGE

struct line {
	enum http_field_id id;
	const char *value;
};

/* A head with a field before and one behind those of the test. */
struct request {
	struct http_field fields[LINES_MAX + 2];
	struct http_head head;
};

static inline void
request_init(struct request *r, const struct line lines[LINES_MAX])
{
	size_t n = 0;

	r->fields[n++] = (struct http_field){ SLICE_LIT("host"), SLICE_LIT("bytes=0-0"),
					      HTTP_FIELD_HOST, false };
	for (size_t i = 0; i < LINES_MAX && lines[i].value != NULL; i++) {
		r->fields[n++] = (struct http_field){ http_field_name(lines[i].id),
						      slice_from_str(lines[i].value),
						      lines[i].id, false };
	}
	r->fields[n++] =
		(struct http_field){ SLICE_LIT("x-range"), SLICE_LIT("bytes=1-1"),
				     HTTP_FIELD_OTHER, false };
	r->head = (struct http_head){ .method = HTTP_GET,
				      .fields = r->fields,
				      .field_count = n };
}

/* The answer as text: "whole", "416", or the ranges: "0-4 7-7". Checks what always holds. */
static inline void
find(const struct http_head *head, uint64_t size, size_t max, char text[TEXT_MAX])
{
	struct http_range out[RANGES_MAX + 1];
	size_t count = 99, n = 0;
	enum range_verdict verdict;

	memset(out, 0xa5, sizeof(out));
	verdict = range_find(head, size, out, max, &count);
	for (size_t i = max * sizeof(out[0]); i < sizeof(out); i++)
		assert_int_equal(((unsigned char *)out)[i], 0xa5);
	if (verdict != RANGE_PARTIAL) {
		assert_int_equal(count, 0);
		strcpy(text, verdict == RANGE_WHOLE ? "whole" : "416");
		return;
	}
	assert_in_range(count, 1, max);
	for (size_t i = 0; i < count; i++) {
		assert_true(out[i].length >= 1 && out[i].length <= size);
		assert_true(out[i].offset <= size - out[i].length);
		n += (size_t)snprintf(text + n, TEXT_MAX - n, "%s%ju-%ju",
				      i != 0 ? " " : "", (uintmax_t)out[i].offset,
				      (uintmax_t)(out[i].offset + out[i].length - 1));
	}
}

#endif
