/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The chunked coding: every body is decoded whole and in pieces of several sizes, each
 * piece in an allocation of exactly its size. Row 7 of the security notes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rows.h"
#include "base/buf.h"
#include "http/chunked.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct chunked_case {
	const char *name;
	struct slice in;
	enum chunked_result end; /* MORE when the body is not whole */
	const char *data;
	size_t left_over; /* bytes behind the body */
};

/* clang-format off */
static const struct chunked_case cases[] = {
#define GOOD(name, in, data) { name, SLICE_LIT(in), CHUNKED_END, data, 0 }
#define BAD(name, in) { name, SLICE_LIT(in), CHUNKED_BAD, NULL, 0 }
#define LAST "0\r\n\r\n"
	GOOD("last_chunk_alone_is_an_empty_body", LAST, ""),
	GOOD("two_chunks_are_joined", "3\r\nabc\r\n2\r\nde\r\n" LAST, "abcde"),
	GOOD("hex_digits_of_either_case_count", "a\r\n0123456789\r\nA\r\n0123456789\r\n"
	     LAST, "01234567890123456789"),
	GOOD("leading_zeros_pass", "000000000000000000000003\r\nabc\r\n000\r\n\r\n", "abc"),
	GOOD("crlf_inside_of_data_is_data", "4\r\n\r\n\r\n\r\n" LAST, "\r\n\r\n"),
	GOOD("extension_is_skipped", "1;a\r\nx\r\n" LAST, "x"),
	GOOD("extension_with_value_is_skipped", "1;a=b;c=d\r\nx\r\n" LAST, "x"),
	GOOD("extension_with_blanks_is_skipped", "1 ;\ta = b ; c\r\nx\r\n" LAST, "x"),
	GOOD("quoted_value_may_hold_anything_visible",
	     "1;a=\";\\\"\\\\ \t\xff=\";b\r\nx\r\n" LAST, "x"),
	GOOD("extension_on_the_last_chunk_is_skipped", "0;a=b\r\n\r\n", ""),
	GOOD("trailers_are_dropped", "0\r\nA: b\r\nContent-Length: 5\r\nX:\r\n\r\n", ""),
	{ "bytes_behind_the_body_are_left", SLICE_LIT(LAST "GET"), CHUNKED_END, "", 3 },
	{ "nothing_wants_more", SLICE_LIT(""), CHUNKED_MORE, "", 0 },
	{ "half_a_chunk_wants_more", SLICE_LIT("5\r\nab"), CHUNKED_MORE, "ab", 0 },
	{ "body_without_end_wants_more", SLICE_LIT("1\r\na\r\n0\r\n"), CHUNKED_MORE, "a", 0 },
	{ "largest_size_passes", SLICE_LIT("7fffffffffffffff\r\na"), CHUNKED_MORE, "a", 0 },
	/* chunk-size */
	BAD("empty_size_is_refused", "\r"),
	BAD("size_prefix_is_refused", "0x"),
	BAD("size_with_underscore_is_refused", "5_"),
	BAD("size_with_plus_is_refused", "+"),
	BAD("size_with_minus_is_refused", "-"),
	BAD("space_before_size_is_refused", " "),
	BAD("size_beyond_63_bits_is_refused", "8000000000000000"),
	BAD("size_of_17_digits_is_refused", "10000000000000000"),
	BAD("letter_beyond_f_is_refused", "g"),
	BAD("nul_in_size_is_refused", "5\0"),
	/* line ends */
	BAD("size_line_ending_in_bare_lf_is_refused", "5\n"),
	BAD("size_line_ending_in_bare_cr_is_refused", "5\ra"),
	BAD("blanks_at_the_end_of_a_size_line_are_refused", "5 \r"),
	BAD("data_longer_than_its_size_is_refused", "1\r\nZZ"),
	BAD("data_ending_in_bare_lf_is_refused", "1\r\nZ\n"),
	BAD("data_ending_in_bare_cr_is_refused", "1\r\nZ\r0"),
	BAD("last_line_of_bare_lf_is_refused", "0\r\n\n"),
	BAD("last_line_of_bare_cr_is_refused", "0\r\n\rX"),
	/* extensions */
	BAD("extension_without_semicolon_is_refused", "1 a"),
	BAD("extension_without_name_is_refused", "1;\r"),
	BAD("extension_with_empty_value_is_refused", "1;a=\r"),
	BAD("extension_with_two_semicolons_is_refused", "1;;"),
	BAD("blanks_after_extension_name_are_refused", "1;a \r"),
	BAD("control_byte_in_extension_is_refused", "1;a\x01"),
	BAD("bare_lf_in_extension_is_refused", "1;a\n"),
	BAD("bare_lf_in_quoted_value_is_refused", "1;a=\"\n"),
	BAD("bare_lf_after_a_backslash_is_refused", "1;a=\"\\\n"),
	BAD("cr_in_quoted_value_is_refused", "1;a=\"\r"),
	BAD("token_after_quoted_value_is_refused", "1;a=\"b\"c"),
	/* trailers */
	BAD("trailer_ending_in_bare_lf_is_refused", "0\r\nA: b\n"),
	BAD("trailer_ending_in_bare_cr_is_refused", "0\r\nA: b\rc"),
	BAD("trailer_without_colon_is_refused", "0\r\nA\r"),
	BAD("trailer_without_name_is_refused", "0\r\n:"),
	BAD("folded_trailer_is_refused", "0\r\nA: b\r\n "),
	BAD("space_before_the_colon_of_a_trailer_is_refused", "0\r\nA "),
	BAD("nul_in_trailer_is_refused", "0\r\nA: \0"),
};
/* clang-format on */

/* Decodes `in` in pieces of `step` bytes; what came out goes to `out`. Returns the bytes
 * taken. */
static size_t
feed(struct slice in, size_t step, struct buf *out, enum chunked_result *end)
{
	struct chunked c;
	size_t taken = 0;

	chunked_init(&c);
	*end = CHUNKED_MORE;
	while (*end == CHUNKED_MORE && taken < in.len) {
		size_t n = step < in.len - taken ? step : in.len - taken;
		char *piece = malloc(n);
		struct slice left = { piece, n }, data;

		assert_non_null(piece);
		memcpy(piece, in.ptr + taken, n);
		while ((*end = chunked_decode(&c, &left, &data)) == CHUNKED_DATA) {
			assert_true(data.len > 0);
			buf_add_slice(out, data);
		}
		if (*end == CHUNKED_MORE)
			assert_int_equal(left.len, 0);
		if (*end == CHUNKED_BAD)
			assert_non_null(c.reason);
		taken += n - left.len;
		free(piece);
	}
	return taken;
}

static void
run_case(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 5, 64, 100000 };
	const struct chunked_case *c = *state;

	for (size_t i = 0; i < COUNT(steps); i++) {
		enum chunked_result end;
		struct buf out;
		size_t taken;

		buf_init(&out);
		taken = feed(c->in, steps[i], &out, &end);
		assert_int_equal(end, c->end);
		if (c->end == CHUNKED_BAD) {
			/* The cases end with the offender, which is not taken. */
			assert_int_equal(taken, c->in.len - 1);
		} else {
			assert_int_equal(taken, c->in.len - c->left_over);
			assert_int_equal(out.len, strlen(c->data));
			assert_true(slice_eq(buf_slice(&out), slice_from_str(c->data)));
		}
		buf_fini(&out);
	}
}

/* Feeds `head` and then `count` times `unit`. */
static enum chunked_result
feed_flood(const char *head, char unit, size_t count)
{
	enum chunked_result end;
	struct buf in, out;

	buf_init(&in);
	buf_init(&out);
	buf_add_str(&in, head);
	for (size_t i = 0; i < count; i++)
		buf_add_char(&in, unit);
	feed(buf_slice(&in), 1000, &out, &end);
	buf_fini(&in);
	buf_fini(&out);
	return end;
}

static void
size_line_and_trailers_are_capped(void **state)
{
	(void)state;
	assert_int_equal(feed_flood("", '0', CHUNKED_LINE_MAX), CHUNKED_MORE);
	assert_int_equal(feed_flood("", '0', CHUNKED_LINE_MAX + 1), CHUNKED_BAD);
	assert_int_equal(feed_flood("1;", 'a', CHUNKED_LINE_MAX - 2), CHUNKED_MORE);
	assert_int_equal(feed_flood("1;", 'a', CHUNKED_LINE_MAX - 1), CHUNKED_BAD);
	assert_int_equal(feed_flood("0\r\n", 'a', CHUNKED_TRAILER_MAX), CHUNKED_MORE);
	assert_int_equal(feed_flood("0\r\n", 'a', CHUNKED_TRAILER_MAX + 1), CHUNKED_BAD);
	assert_int_equal(feed_flood("0\r\na:b\r\nc:", 'd', CHUNKED_TRAILER_MAX - 7),
			 CHUNKED_MORE);
	assert_int_equal(feed_flood("0\r\na:b\r\nc:", 'd', CHUNKED_TRAILER_MAX - 6),
			 CHUNKED_BAD);
}

static void
cap_of_the_size_line_counts_each_line_for_itself(void **state)
{
	struct buf in, out;
	enum chunked_result end;

	(void)state;
	buf_init(&in);
	buf_init(&out);
	for (int i = 0; i < 2000; i++)
		buf_add_str(&in, "1;name=value\r\nx\r\n");
	buf_add_str(&in, "0\r\n\r\n");
	assert_int_equal(feed(buf_slice(&in), 100, &out, &end), in.len);
	assert_int_equal(end, CHUNKED_END);
	assert_int_equal(out.len, 2000);
	buf_fini(&in);
	buf_fini(&out);
}

static void
data_is_handed_out_in_place(void **state)
{
	struct slice in = SLICE("5\r\nhello\r\n"), data;
	const char *at = in.ptr + 3;
	struct chunked c;

	(void)state;
	chunked_init(&c);
	assert_int_equal(chunked_decode(&c, &in, &data), CHUNKED_DATA);
	assert_ptr_equal(data.ptr, at);
	assert_int_equal(data.len, 5);
	assert_int_equal(chunked_decode(&c, &in, &data), CHUNKED_MORE);
}

int
main(void)
{
	static struct CMUnitTest tests[COUNT(cases) + 3] = {
		cmocka_unit_test(size_line_and_trailers_are_capped),
		cmocka_unit_test(cap_of_the_size_line_counts_each_line_for_itself),
		cmocka_unit_test(data_is_handed_out_in_place),
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		tests[COUNT(tests) - COUNT(cases) + i] =
			row_test(cases[i].name, run_case, &cases[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
