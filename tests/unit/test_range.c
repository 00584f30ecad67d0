/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Byte ranges, If-Range and Content-Range: one row of a table is one request for one
 * representation.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "range_request.h"
#include "rows.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- one request, one answer --- */

struct find_case {
	const char *name;
	uint64_t size;
	struct line lines[LINES_MAX];
	const char *answer;
};

/* clang-format off */
static const struct find_case find_cases[] = {
#define ROW(name, size, value, answer) { name, size, { { RANGE, value } }, answer }
	{ "no_range_is_the_whole", 1000, { { 0, NULL } }, "whole" },
	/* One range */
	ROW("first_byte", 1000, "bytes=0-0", "0-0"),
	ROW("last_byte", 1000, "bytes=999-999", "999-999"),
	ROW("within", 1000, "bytes=500-599", "500-599"),
	ROW("all_of_it_is_partial_all_the_same", 1000, "bytes=0-999", "0-999"),
	ROW("open_end", 1000, "bytes=990-", "990-999"),
	ROW("open_end_from_the_start", 1000, "bytes=0-", "0-999"),
	ROW("end_beyond_the_end_is_clamped", 1000, "bytes=990-1000", "990-999"),
	ROW("end_far_beyond_the_end_is_clamped", 1000, "bytes=0-18446744073709551615",
	    "0-999"),
	ROW("begin_at_the_end_is_unsatisfiable", 1000, "bytes=1000-", "416"),
	ROW("begin_beyond_the_end_is_unsatisfiable", 1000, "bytes=1001-2000", "416"),
	ROW("suffix", 1000, "bytes=-10", "990-999"),
	ROW("suffix_of_one", 1000, "bytes=-1", "999-999"),
	ROW("suffix_as_long_as_the_file_is_all", 1000, "bytes=-1000", "0-999"),
	ROW("suffix_longer_than_the_file_is_all", 1000, "bytes=-1001", "0-999"),
	ROW("suffix_of_nothing_is_unsatisfiable", 1000, "bytes=-0", "416"),
	ROW("suffix_of_many_zeros_is_unsatisfiable", 1000, "bytes=-000", "416"),
	ROW("file_of_one_byte", 1, "bytes=0-0", "0-0"),
	/* Nothing there */
	ROW("begin_in_an_empty_file_is_unsatisfiable", 0, "bytes=0-", "416"),
	ROW("byte_of_an_empty_file_is_unsatisfiable", 0, "bytes=0-0", "416"),
	ROW("zero_suffix_of_an_empty_file_is_unsatisfiable", 0, "bytes=-0", "416"),
	ROW("suffix_of_an_empty_file_is_the_whole", 0, "bytes=-1", "whole"),
	ROW("suffix_beside_others_of_an_empty_file_is_the_whole", 0, "bytes=0-,-5,7-8",
	    "whole"),
	ROW("syntax_error_on_an_empty_file_is_ignored", 0, "bytes=1-0", "whole"),
	/* Numbers */
	ROW("leading_zeros_are_digits", 1000, "bytes=000000000000000000000000000010-0011",
	    "10-11"),
	ROW("end_of_20_digits_beyond_64_bits", 1000, "bytes=0-18446744073709551616", "0-999"),
	ROW("end_of_40_digits", 1000, "bytes=5-9999999999999999999999999999999999999999",
	    "5-999"),
	ROW("begin_of_40_digits_is_unsatisfiable", 1000,
	    "bytes=9999999999999999999999999999999999999999-", "416"),
	ROW("begin_beyond_64_bits_does_not_wrap", 1000,
	    "bytes=18446744073709551616-18446744073709551617", "416"),
	ROW("begin_beyond_64_bits_wraps_to_no_small_one", 1000,
	    "bytes=18446744073709551621-", "416"),
	ROW("suffix_of_40_digits_is_all", 1000,
	    "bytes=-9999999999999999999999999999999999999999", "0-999"),
	ROW("suffix_of_63_bits_is_all", 1000, "bytes=-9223372036854775808", "0-999"),
	ROW("suffixes_whose_sum_overflows", 1000,
	    "bytes=-9223372036854775608,-9223372036854775808", "0-999"),
	ROW("suffix_of_64_bits_is_all", 1000, "bytes=-18446744073709551615", "0-999"),
	ROW("long_end_before_a_longer_begin_is_a_syntax_error", 1000,
	    "bytes=99999999999999999999999-99999999999999999999998", "whole"),
	ROW("long_end_after_a_long_begin_is_none", 1000,
	    "bytes=99999999999999999999998-99999999999999999999999", "416"),
	ROW("long_end_like_a_long_begin_with_zeros_is_none", 1000,
	    "bytes=0099999999999999999999999-99999999999999999999999", "416"),
	ROW("short_end_before_a_long_begin_is_a_syntax_error", 1000,
	    "bytes=99999999999999999999999-1", "whole"),
	/* Sizes at the edge */
	ROW("largest_size_all", UINT64_MAX, "bytes=0-", "0-18446744073709551614"),
	ROW("largest_size_last_byte", UINT64_MAX, "bytes=-1",
	    "18446744073709551614-18446744073709551614"),
	ROW("largest_size_clamps", UINT64_MAX,
	    "bytes=18446744073709551614-18446744073709551615",
	    "18446744073709551614-18446744073709551614"),
	ROW("largest_size_ends", UINT64_MAX, "bytes=18446744073709551615-", "416"),
	ROW("largest_size_ends_beyond_64_bits_too", UINT64_MAX,
	    "bytes=18446744073709551616-", "416"),
	ROW("largest_size_halves_are_made_one", UINT64_MAX,
	    "bytes=9223372036854775808-,0-9223372036854775807", "0-18446744073709551614"),
	ROW("largest_size_with_a_hole", UINT64_MAX,
	    "bytes=0-9223372036854775806,9223372036854775808-",
	    "0-9223372036854775806 9223372036854775808-18446744073709551614"),
	ROW("largest_size_whole_suffix", UINT64_MAX, "bytes=-18446744073709551615",
	    "0-18446744073709551614"),
	ROW("largest_size_suffix_beyond", UINT64_MAX, "bytes=-18446744073709551616",
	    "0-18446744073709551614"),
	ROW("second_largest_size", UINT64_MAX - 1, "bytes=18446744073709551613-",
	    "18446744073709551613-18446744073709551613"),
	ROW("size_of_63_bits", (uint64_t)INT64_MAX + 1, "bytes=-2",
	    "9223372036854775806-9223372036854775807"),
	/* Several ranges */
	ROW("two_apart", 1000, "bytes=0-9,20-29", "0-9 20-29"),
	ROW("order_of_the_request_is_kept", 1000, "bytes=20-29,0-9,40-49",
	    "20-29 0-9 40-49"),
	ROW("one_byte_between_keeps_them_apart", 1000, "bytes=0-9,11-19", "0-9 11-19"),
	ROW("touching_are_made_one", 1000, "bytes=0-9,10-19", "0-19"),
	ROW("touching_from_behind_are_made_one", 1000, "bytes=10-19,0-9", "0-19"),
	ROW("overlapping_are_made_one", 1000, "bytes=0-9,5-14", "0-14"),
	ROW("overlapping_from_behind_are_made_one", 1000, "bytes=5-14,0-9", "0-14"),
	ROW("overlapping_by_one_byte", 1000, "bytes=0-9,9-14", "0-14"),
	ROW("contained_vanishes", 1000, "bytes=0-99,10-19", "0-99"),
	ROW("container_swallows", 1000, "bytes=10-19,0-99", "0-99"),
	ROW("equal_ones_are_one", 1000, "bytes=1-2,1-2,1-2,1-2", "1-2"),
	ROW("a_bridge_makes_three_one", 1000, "bytes=0-9,20-29,10-19", "0-29"),
	ROW("a_bridge_has_the_first_place", 1000, "bytes=40-49,0-9,60-69,20-29,5-25",
	    "40-49 0-29 60-69"),
	ROW("a_bridge_between_others_has_the_first_place", 1000,
	    "bytes=0-1,90-99,10-11,50-59,70-79,55-95", "0-1 50-99 10-11"),
	ROW("a_wide_one_swallows_all_but_the_first", 1000,
	    "bytes=900-999,0-1,4-5,8-9,12-13,0-20", "900-999 0-20"),
	ROW("suffix_touches", 1000, "bytes=0-989,-10", "0-999"),
	ROW("suffix_and_first", 1000, "bytes=-10,0-0", "990-999 0-0"),
	ROW("two_suffixes_are_made_one", 1000, "bytes=-10,-20", "980-999"),
	ROW("open_ends_are_made_one", 1000, "bytes=5-,0-", "0-999"),
	ROW("what_begins_beyond_is_left_out", 1000, "bytes=0-9,1000-1009,20-29",
	    "0-9 20-29"),
	ROW("zero_suffix_is_left_out", 1000, "bytes=-0,5-6", "5-6"),
	ROW("all_beyond_is_unsatisfiable", 1000, "bytes=1000-,-0,2000-2001", "416"),
	ROW("clamped_ones_meet", 10, "bytes=8-100,9-", "8-9"),
	ROW("sixteen_are_taken", 1000,
	    "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,"
	    "26-26,28-28,30-30",
	    "0-0 2-2 4-4 6-6 8-8 10-10 12-12 14-14 16-16 18-18 20-20 22-22 24-24 26-26 "
	    "28-28 30-30"),
	ROW("seventeen_are_ignored", 1000,
	    "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,"
	    "26-26,28-28,30-30,32-32", "whole"),
	ROW("seventeen_that_would_be_one_are_ignored", 1000,
	    "bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-", "whole"),
	ROW("sixteen_and_one_beyond_are_ignored", 1000,
	    "bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,1000-", "whole"),
	ROW("seventeen_beyond_are_ignored", 0,
	    "bytes=9-,9-,9-,9-,9-,9-,9-,9-,9-,9-,9-,9-,9-,9-,9-,9-,9-", "whole"),
	ROW("empty_elements_do_not_count", 1000,
	    "bytes=,,,,,,,,,,,,,,,,,,,,,,,,,,,,,0-1,,,,,,,,,,,,,,,,,,,,4-5", "0-1 4-5"),
	/* Blanks and empty elements */
	ROW("blanks_around_commas", 1000, "bytes=0-1 ,\t4-5\t , 8-9", "0-1 4-5 8-9"),
	ROW("blank_before_the_first", 1000, "bytes= 0-1", "0-1"),
	ROW("empty_elements", 1000, "bytes=,0-1,,4-5,", "0-1 4-5"),
	ROW("blank_elements", 1000, "bytes= , \t,0-1, ,\t", "0-1"),
	ROW("blank_within_is_ignored", 1000, "bytes=0 -1", "whole"),
	ROW("blank_before_the_end_is_ignored", 1000, "bytes=0- 1", "whole"),
	ROW("blank_in_a_suffix_is_ignored", 1000, "bytes=- 1", "whole"),
	ROW("blank_instead_of_a_comma_is_ignored", 1000, "bytes=0-1 4-5", "whole"),
	ROW("only_empty_elements_are_ignored", 1000, "bytes=,", "whole"),
	ROW("only_blank_elements_are_ignored", 1000, "bytes= ,\t, ", "whole"),
	/* Unit */
	ROW("unit_in_capitals", 1000, "BYTES=0-1", "0-1"),
	ROW("unit_in_any_case", 1000, "Bytes=0-1", "0-1"),
	ROW("nothing_behind_the_unit_is_ignored", 1000, "bytes=", "whole"),
	ROW("unit_alone_is_ignored", 1000, "bytes", "whole"),
	ROW("empty_field_is_ignored", 1000, "", "whole"),
	ROW("equals_alone_is_ignored", 1000, "=", "whole"),
	ROW("missing_unit_is_ignored", 1000, "=0-1", "whole"),
	ROW("set_alone_is_ignored", 1000, "0-1", "whole"),
	ROW("other_unit_is_ignored", 1000, "items=0-1", "whole"),
	ROW("shorter_unit_is_ignored", 1000, "byte=0-1", "whole"),
	ROW("longer_unit_is_ignored", 1000, "bytess=0-1", "whole"),
	ROW("unit_none_is_ignored", 1000, "none", "whole"),
	ROW("blanks_around_equals_are_ignored", 1000, "bytes = 0-1", "whole"),
	ROW("blank_before_equals_is_ignored", 1000, "bytes =0-1", "whole"),
	ROW("colon_is_ignored", 1000, "bytes:0-1", "whole"),
	ROW("form_of_content_range_is_ignored", 1000, "bytes 0-1/1000", "whole"),
	/* Syntax */
	ROW("end_before_begin_is_ignored", 1000, "bytes=5-4", "whole"),
	ROW("end_before_begin_beyond_the_end_is_ignored", 1000, "bytes=2000-1999", "whole"),
	ROW("end_before_begin_spoils_the_others", 1000, "bytes=0-1,5-4", "whole"),
	ROW("zeros_do_not_put_the_end_before_the_begin", 1000, "bytes=0005-5", "5-5"),
	ROW("zeros_alone_do_not_put_the_end_before_the_begin", 1000, "bytes=00-0", "0-0"),
	ROW("zeros_do_not_put_the_end_behind_the_begin", 1000, "bytes=5-0004", "whole"),
	ROW("number_alone_is_ignored", 1000, "bytes=5", "whole"),
	ROW("dash_alone_is_ignored", 1000, "bytes=-", "whole"),
	ROW("two_dashes_are_ignored", 1000, "bytes=--", "whole"),
	ROW("negative_suffix_is_ignored", 1000, "bytes=--1", "whole"),
	ROW("negative_end_is_ignored", 1000, "bytes=0--1", "whole"),
	ROW("negative_begin_is_a_suffix_with_a_tail_and_ignored", 1000, "bytes=-1-2",
	    "whole"),
	ROW("three_numbers_are_ignored", 1000, "bytes=0-1-2", "whole"),
	ROW("plus_is_ignored", 1000, "bytes=+0-1", "whole"),
	ROW("plus_in_the_end_is_ignored", 1000, "bytes=0-+1", "whole"),
	ROW("plus_in_a_suffix_is_ignored", 1000, "bytes=-+1", "whole"),
	ROW("hex_is_ignored", 1000, "bytes=0x0-0x1", "whole"),
	ROW("fraction_is_ignored", 1000, "bytes=0.0-1", "whole"),
	ROW("exponent_is_ignored", 1000, "bytes=0-1e2", "whole"),
	ROW("letters_are_ignored", 1000, "bytes=a-b", "whole"),
	ROW("star_is_ignored", 1000, "bytes=*", "whole"),
	ROW("quotes_are_ignored", 1000, "bytes=\"0-1\"", "whole"),
	ROW("semicolon_is_ignored", 1000, "bytes=0-1;4-5", "whole"),
	ROW("second_unit_is_ignored", 1000, "bytes=0-1,bytes=4-5", "whole"),
	ROW("second_equals_is_ignored", 1000, "bytes==0-1", "whole"),
	ROW("digits_of_other_scripts_are_ignored", 1000, "bytes=\xd9\xa0-\xd9\xa1", "whole"),
	ROW("long_digits_and_a_letter_are_ignored", 1000,
	    "bytes=0-99999999999999999999999999x", "whole"),
	ROW("error_in_the_last_spoils_the_others", 1000, "bytes=0-1,4-5,x", "whole"),
	ROW("error_in_the_first_spoils_the_others", 1000, "bytes=x,4-5", "whole"),
	ROW("error_beside_unsatisfiable_is_ignored", 1000, "bytes=1000-,x", "whole"),
	/* Lines */
	{ "two_lines_are_ignored", 1000, { { RANGE, "bytes=0-1" }, { RANGE, "bytes=4-5" } },
	  "whole" },
	{ "two_equal_lines_are_ignored", 1000,
	  { { RANGE, "bytes=0-1" }, { RANGE, "bytes=0-1" } }, "whole" },
	{ "an_empty_second_line_counts", 1000, { { RANGE, "bytes=0-1" }, { RANGE, "" } },
	  "whole" },
	{ "if_range_is_somebody_elses_work", 1000,
	  { { IF_RANGE, "\"x\"" }, { RANGE, "bytes=0-1" } }, "0-1" },
#undef ROW
};
/* clang-format on */

static void
run_find(void **state)
{
	const struct find_case *c = *state;
	struct request r;
	char text[TEXT_MAX];

	request_init(&r, c->lines);
	find(&r.head, c->size, 16, text);
	assert_string_equal(text, c->answer);
}

static void
range_is_for_get_alone(void **state)
{
	const struct line lines[LINES_MAX] = { { RANGE, "bytes=0-1" } };
	struct request r;
	char text[TEXT_MAX];

	(void)state;
	request_init(&r, lines);
	for (int m = 0; m <= HTTP_METHOD_UNKNOWN; m++) {
		r.head.method = (enum http_method)m;
		find(&r.head, 1000, 16, text);
		assert_string_equal(text, m == HTTP_GET ? "0-1" : "whole");
	}
}

/* --- how many there may be --- */

/* "bytes=" and `count` times `spec`, for the caller to free. */
static char *
repeat(const char *spec, size_t count)
{
	char *s = malloc(7 + count * (strlen(spec) + 1)), *p = s;

	assert_non_null(s);
	p = stpcpy(p, "bytes=");
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			*p++ = ',';
		p = stpcpy(p, spec);
	}
	return s;
}

static void
check_repeated(const char *spec, size_t count, size_t max, const char *answer)
{
	char *value = repeat(spec, count), text[TEXT_MAX];
	const struct line lines[LINES_MAX] = { { RANGE, value } };
	struct request r;

	request_init(&r, lines);
	find(&r.head, 1000, max, text);
	assert_string_equal(text, answer);
	free(value);
}

static void
more_than_max_ranges_are_ignored(void **state)
{
	(void)state;
	for (size_t max = 1; max <= RANGES_MAX; max++) {
		check_repeated("0-", max, max, "0-999");
		check_repeated("0-", max + 1, max, "whole");
		check_repeated("5-5", max, max, "5-5");
		check_repeated("1000-", max, max, "416");
		check_repeated("1000-", max + 1, max, "whole");
	}
}

static void
thousand_ranges_are_ignored(void **state)
{
	(void)state;
	check_repeated("0-", 1000, 16, "whole");
	check_repeated("0-", 1000, RANGES_MAX, "whole");
	check_repeated("-1", 1000, 1, "whole");
	check_repeated("5000-", 100000, 16, "whole");
}

static void
max_of_zero_ignores_every_range(void **state)
{
	(void)state;
	check_repeated("0-", 1, 0, "whole");
	check_repeated("1000-", 1, 0, "whole");
}

static void
thousands_of_empty_elements_are_passed_over(void **state)
{
	(void)state;
	check_repeated(" ", 100000, 1, "whole");
	check_repeated(",", 100000, 1, "whole");
}

/* As many as fit, each a byte apart, backwards: the room is used to the last. */
static void
as_many_ranges_as_there_is_room_for_come_out(void **state)
{
	char value[TEXT_MAX] = "bytes=", answer[TEXT_MAX] = "", text[TEXT_MAX];
	const struct line lines[LINES_MAX] = { { RANGE, value } };
	size_t v = strlen(value), a = 0;
	struct request r;

	(void)state;
	for (int i = RANGES_MAX - 1; i >= 0; i--) {
		v += (size_t)sprintf(value + v, "%d-%d,", 2 * i, 2 * i);
		a += (size_t)sprintf(answer + a, "%s%d-%d", a != 0 ? " " : "", 2 * i,
				     2 * i);
	}
	request_init(&r, lines);
	find(&r.head, 1000, RANGES_MAX, text);
	assert_string_equal(text, answer);
	find(&r.head, 1000, RANGES_MAX - 1, text);
	assert_string_equal(text, "whole");
}

/* --- If-Range --- */

#define NOW 1750000000
#define MODIFIED 784111777

enum target {
	STRONG,     /* "x", MODIFIED */
	WEAK,       /* W/"x", MODIFIED */
	NO_DATE,    /* "x" */
	NO_TAG,     /* MODIFIED */
	NEITHER,    /* exists, that is all */
	NOT_THERE,  /* nothing exists */
	SECOND_AGO, /* MODIFIED is a second before now */
	THIS_SECOND,
	IN_FUTURE
};

struct if_case {
	const char *name;
	enum target target;
	struct line lines[LINES_MAX];
	bool honoured;
};

#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"

/* clang-format off */
static const struct if_case if_cases[] = {
#define ROW(name, target, value, honoured) \
	{ "if_range_" name, target, { { IF_RANGE, value } }, honoured }
	{ "no_if_range_honours", STRONG, { { 0, NULL } }, true },
	{ "no_if_range_honours_also_where_nothing_is", NOT_THERE, { { 0, NULL } }, true },
	{ "no_if_range_beside_other_conditions_honours", STRONG,
	  { { HTTP_FIELD_IF_MATCH, "\"y\"" } }, true },
	/* Tags */
	ROW("same_tag_honours", STRONG, "\"x\"", true),
	ROW("same_tag_without_a_date_honours", NO_DATE, "\"x\"", true),
	ROW("same_tag_of_this_second_honours", THIS_SECOND, "\"x\"", true),
	ROW("other_tag_does_not", STRONG, "\"y\"", false),
	ROW("tag_in_other_case_does_not", STRONG, "\"X\"", false),
	ROW("longer_tag_does_not", STRONG, "\"xx\"", false),
	ROW("empty_tag_does_not", STRONG, "\"\"", false),
	ROW("weak_tag_does_not", STRONG, "W/\"x\"", false),
	ROW("weak_tag_for_weak_does_not", WEAK, "W/\"x\"", false),
	ROW("strong_tag_for_weak_does_not", WEAK, "\"x\"", false),
	ROW("tag_for_none_does_not", NO_TAG, "\"x\"", false),
	ROW("empty_tag_for_none_does_not", NO_TAG, "\"\"", false),
	ROW("tag_where_nothing_is_does_not", NOT_THERE, "\"x\"", false),
	ROW("list_of_tags_does_not", STRONG, "\"x\", \"y\"", false),
	ROW("list_of_one_tag_does_not", STRONG, "\"x\",", false),
	ROW("list_of_the_same_tag_does_not", STRONG, "\"x\",\"x\"", false),
	ROW("star_does_not", STRONG, "*", false),
	ROW("tag_without_quotes_does_not", STRONG, "x", false),
	ROW("tag_without_end_does_not", STRONG, "\"x", false),
	ROW("quote_alone_does_not", STRONG, "\"", false),
	ROW("quote_alone_for_none_does_not", NO_TAG, "\"", false),
	ROW("lower_case_weak_mark_does_not", WEAK, "w/\"x\"", false),
	/* Dates */
	ROW("same_date_honours", STRONG, SAME, true),
	ROW("same_date_of_a_weak_tag_honours", WEAK, SAME, true),
	ROW("same_date_without_a_tag_honours", NO_TAG, SAME, true),
	ROW("same_date_in_the_form_of_rfc_850_honours", STRONG,
	    "Sunday, 06-Nov-94 08:49:37 GMT", true),
	ROW("same_date_in_the_form_of_asctime_honours", STRONG, "Sun Nov  6 08:49:37 1994",
	    true),
	ROW("earlier_date_does_not", STRONG, "Sun, 06 Nov 1994 08:49:36 GMT", false),
	ROW("later_date_does_not", STRONG, "Sun, 06 Nov 1994 08:49:38 GMT", false),
	ROW("date_without_one_does_not", NO_DATE, SAME, false),
	ROW("date_without_any_does_not", NEITHER, SAME, false),
	ROW("date_where_nothing_is_does_not", NOT_THERE, SAME, false),
	ROW("epoch_without_a_date_does_not", NO_DATE, "Thu, 01 Jan 1970 00:00:00 GMT", false),
	ROW("date_of_a_second_ago_honours", SECOND_AGO, SAME, true),
	ROW("date_of_this_second_does_not", THIS_SECOND, SAME, false),
	ROW("date_in_the_future_does_not", IN_FUTURE, SAME, false),
	ROW("list_of_dates_does_not", STRONG, SAME ", " SAME, false),
	ROW("quoted_date_does_not", STRONG, "\"" SAME "\"", false),
	ROW("date_and_tag_does_not", STRONG, SAME ", \"x\"", false),
	/* Anything else */
	ROW("empty_does_not", STRONG, "", false),
	ROW("empty_for_neither_does_not", NEITHER, "", false),
	ROW("number_does_not", STRONG, "784111777", false),
	ROW("date_of_no_day_does_not", STRONG, "Sun, 31 Feb 1994 08:49:37 GMT", false),
	ROW("date_of_another_zone_does_not", STRONG, "Sun, 06 Nov 1994 08:49:37 CET", false),
	ROW("bytes_above_127_do_not", STRONG, "\xff\xfe", false),
	{ "if_range_twice_does_not", STRONG,
	  { { IF_RANGE, "\"x\"" }, { IF_RANGE, "\"x\"" } }, false },
	{ "if_range_twice_with_an_empty_one_does_not", STRONG,
	  { { IF_RANGE, "" }, { IF_RANGE, "\"x\"" } }, false },
#undef ROW
};
/* clang-format on */

static void
run_if_range(void **state)
{
	const struct if_case *c = *state;
	struct cond_validators v = {
		.exists = c->target != NOT_THERE,
		.etag = SLICE_LIT("\"x\""),
		.modified = MODIFIED,
		.has_modified = true,
	};
	int64_t now = NOW;
	struct request r;

	if (c->target == WEAK)
		v.etag = SLICE("W/\"x\"");
	else if (c->target == NO_TAG || c->target == NEITHER)
		v.etag = SLICE("");
	if (c->target == NO_DATE || c->target == NEITHER) {
		v.has_modified = false;
		v.modified = 0;
	} else if (c->target == SECOND_AGO) {
		now = MODIFIED + 1;
	} else if (c->target == THIS_SECOND) {
		now = MODIFIED;
	} else if (c->target == IN_FUTURE) {
		now = MODIFIED - 100;
	}
	request_init(&r, c->lines);
	assert_int_equal(range_if_range(&r.head, &v, now), c->honoured);
}

/* --- Content-Range --- */

static void
content_range_is_written(void **state)
{
	static const struct {
		struct http_range range;
		uint64_t size;
		const char *text;
	} rows[] = {
		{ { 0, 1 }, 1, "bytes 0-0/1" },
		{ { 0, 100 }, 1000, "bytes 0-99/1000" },
		{ { 999, 1 }, 1000, "bytes 999-999/1000" },
		{ { UINT64_MAX - 1, 1 },
		  UINT64_MAX,
		  "bytes "
		  "18446744073709551614-18446744073709551614/18446744073709551615" },
		{ { 0, UINT64_MAX },
		  UINT64_MAX,
		  "bytes 0-18446744073709551614/18446744073709551615" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[RANGE_CONTENT_MAX];
		struct slice s = range_content(&rows[i].range, rows[i].size, out);

		assert_ptr_equal(s.ptr, out);
		assert_int_equal(s.len, strlen(rows[i].text));
		assert_memory_equal(s.ptr, rows[i].text, s.len);
	}
}

static void
content_range_of_416_has_the_size(void **state)
{
	static const struct {
		uint64_t size;
		const char *text;
	} rows[] = {
		{ 0, "bytes */0" },
		{ 1000, "bytes */1000" },
		{ UINT64_MAX, "bytes */18446744073709551615" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[RANGE_CONTENT_MAX];
		struct slice s = range_content_unsatisfiable(rows[i].size, out);

		assert_ptr_equal(s.ptr, out);
		assert_int_equal(s.len, strlen(rows[i].text));
		assert_memory_equal(s.ptr, rows[i].text, s.len);
	}
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(range_is_for_get_alone),
	cmocka_unit_test(more_than_max_ranges_are_ignored),
	cmocka_unit_test(thousand_ranges_are_ignored),
	cmocka_unit_test(max_of_zero_ignores_every_range),
	cmocka_unit_test(thousands_of_empty_elements_are_passed_over),
	cmocka_unit_test(as_many_ranges_as_there_is_room_for_come_out),
	cmocka_unit_test(content_range_is_written),
	cmocka_unit_test(content_range_of_416_has_the_size),
};

int
main(void)
{
	static struct CMUnitTest
		tests[COUNT(find_cases) + COUNT(if_cases) + COUNT(plain_tests)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(find_cases); i++)
		tests[n++] = row_test(find_cases[i].name, run_find, &find_cases[i]);
	for (size_t i = 0; i < COUNT(if_cases); i++)
		tests[n++] = row_test(if_cases[i].name, run_if_range, &if_cases[i]);
	for (size_t i = 0; i < COUNT(plain_tests); i++)
		tests[n++] = plain_tests[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
