/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Resumable uploads for HTTP: one row is a head of up to four fields, and what is read of it,
 * as "o1 l2 c? v8 p": a letter without a number is a field that is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "http/rufh.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FIELDS_MAX 4

struct head_case {
	const char *fields[FIELDS_MAX]; /* "Name: value" */
	const char *read;
};

/* clang-format off */
static const struct head_case cases[] = {
	{ { "Host: a" }, "o l c v0 " },
	{ { "Upload-Offset: 7", "Upload-Complete: ?0", "Content-Type: application/partial-upload" }, "o7 l c0 v0 p" },
	{ { "Upload-Complete: ?1", "Upload-Length: 100", "Upload-Draft-Interop-Version: 8" }, "o l100 c1 v8 " },
	{ { "Upload-Draft-Interop-Version: 3" }, "o l c v3 " },
	{ { "Upload-Complete: ?1;why=\"x\";at=@1" }, "o l c1 v0 " },
	{ { "Upload-Offset: 5;a", "Upload-Length: 0" }, "o5 l0 c v0 " },
	{ { "Upload-Offset: 999999999999999" }, "o999999999999999 l c v0 " },
	{ { "Content-Type: Application/Partial-Upload ; x=y" }, "o l c v0 p" },
	{ { "Content-Type: application/partial-uploads" }, "o l c v0 " },
	{ { "Content-Type: text/plain; a=application/partial-upload" }, "o l c v0 " },
	/* What is malformed is not there, and the rest is. */
	{ { "Upload-Offset: 1000000000000000", "Upload-Length: 3" }, "o l3 c v0 " },
	{ { "Upload-Offset: -1" }, "o l c v0 " }, { { "Upload-Offset: 1.0" }, "o l c v0 " },
	{ { "Upload-Offset: \"1\"" }, "o l c v0 " }, { { "Upload-Offset: 1, 1" }, "o l c v0 " },
	{ { "Upload-Offset: 1 1" }, "o l c v0 " }, { { "Upload-Offset:" }, "o l c v0 " },
	{ { "Upload-Offset: ?1" }, "o l c v0 " }, { { "Upload-Offset: @1" }, "o l c v0 " },
	{ { "Upload-Offset: 1;" }, "o l c v0 " }, { { "Upload-Offset: +1" }, "o l c v0 " },
	{ { "Upload-Offset: 1", "Upload-Offset: 1" }, "o l c v0 " },
	{ { "Upload-Length: 1", "Upload-Length: 2" }, "o l c v0 " },
	{ { "Upload-Complete: 1" }, "o l c v0 " }, { { "Upload-Complete: true" }, "o l c v0 " },
	{ { "Upload-Complete: ?2" }, "o l c v0 " }, { { "Upload-Complete: ?1, ?1" }, "o l c v0 " },
	{ { "Upload-Complete: ?1", "Upload-Complete: ?0" }, "o l c v0 " },
	{ { "Upload-Complete: ?1;A=1" }, "o l c v0 " }, { { "Upload-Complete: ?1 x" }, "o l c v0 " },
	{ { "Upload-Draft-Interop-Version: 8.0" }, "o l c v0 " }, { { "Upload-Draft-Interop-Version: -8" }, "o l c v0 " },
};
/* clang-format on */

static void
note_number(char **at, char letter, bool has, uint64_t n)
{
	*at += has ? sprintf(*at, "%c%" PRIu64 " ", letter, n)
		   : sprintf(*at, "%c ", letter);
}

static void
fields_are_read_or_are_not_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_field fields[FIELDS_MAX];
		struct http_head head = { .fields = fields };
		char text[128], *at = text;
		struct rufh_request r;

		for (size_t f = 0; f < FIELDS_MAX && cases[i].fields[f] != NULL; f++) {
			struct slice line = slice_from_str(cases[i].fields[f]);
			size_t n = slice_find(line, ':');

			fields[f] = (struct http_field){
				.value = slice_trim(slice_from(line, n + 1)),
				.id = http_field_from(slice_make(line.ptr, n)),
			};
			head.field_count++;
		}
		rufh_read(&head, &r);
		note_number(&at, 'o', r.has_offset, r.offset);
		note_number(&at, 'l', r.has_length, r.length);
		note_number(&at, 'c', r.has_complete, r.complete);
		note_number(&at, 'v', true, r.interop);
		strcpy(at, r.partial ? "p" : "");
		if (strcmp(text, cases[i].read) != 0)
			fail_msg("row %zu: '%s' is not '%s'", i, text, cases[i].read);
	}
}

static void
versions_8_and_9_are_spoken(void **state)
{
	(void)state;
	for (uint64_t v = 0; v < 20; v++)
		assert_int_equal(rufh_is_spoken(v), v == 8 || v == 9);
}

static void
limits_are_a_dictionary(void **state)
{
	struct rufh_limits l = { 0 };
	char out[RUFH_LIMITS_TEXT_MAX];
	struct slice text;

	(void)state;
	assert_true(slice_eq(rufh_format_limits(&l, out), SLICE("min-size=0")));
	l.present = RUFH_LIMIT_BIT(RUFH_MAX_SIZE) | RUFH_LIMIT_BIT(RUFH_MAX_AGE);
	l.of[RUFH_MAX_SIZE] = 1024;
	l.of[RUFH_MAX_AGE] = 3600;
	l.of[RUFH_MIN_SIZE] = 5;
	assert_true(slice_eq(rufh_format_limits(&l, out),
			     SLICE("max-size=1024, max-age=3600")));
	l.present = ~0u;
	for (size_t i = 0; i < RUFH_LIMIT_COUNT; i++)
		l.of[i] = UINT64_MAX - i;
	text = rufh_format_limits(&l, out);
	assert_true(slice_eq(
		text, SLICE("max-size=999999999999999, min-size=999999999999999, "
			    "max-append-size=999999999999999, "
			    "min-append-size=999999999999999, max-age=999999999999999")));
	assert_true(text.len <= RUFH_LIMITS_TEXT_MAX);
}

static void
assert_problem(enum rufh_problem p, int status, const struct rufh_offsets *offsets,
	       const char *json)
{
	struct buf out;

	buf_init(&out);
	rufh_add_problem(&out, p, status, offsets);
	buf_add_char(&out, '\0');
	assert_string_equal(out.ptr, json);
	buf_fini(&out);
}

#define TYPES "https://iana.org/assignments/http-problem-types#"

static void
problems_are_those_of_the_draft(void **state)
{
	const struct rufh_offsets offsets = { UINT64_MAX, 7 };

	(void)state;
	assert_problem(RUFH_MISMATCHING_OFFSET, 409, &offsets,
		       "{\"type\":\"" TYPES "mismatching-upload-offset\","
		       "\"title\":\"The upload stands at another offset.\","
		       "\"status\":409,\"expected-offset\":18446744073709551615,"
		       "\"provided-offset\":7}");
	assert_problem(RUFH_COMPLETED, 400, NULL,
		       "{\"type\":\"" TYPES "completed-upload\","
		       "\"title\":\"The upload is complete already.\",\"status\":400}");
	assert_problem(RUFH_INCONSISTENT_LENGTH, 400, NULL,
		       "{\"type\":\"" TYPES "inconsistent-upload-length\","
		       "\"title\":\"The upload was said to have another length.\","
		       "\"status\":400}");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_or_are_not_there),
		cmocka_unit_test(versions_8_and_9_are_spoken),
		cmocka_unit_test(limits_are_a_dictionary),
		cmocka_unit_test(problems_are_those_of_the_draft),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
