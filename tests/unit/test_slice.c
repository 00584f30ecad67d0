/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Borrowed text, and which of it is UTF-8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/slice.h"
#include "base/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
slices_compare_by_bytes(void **state)
{
	struct slice none = slice_make(NULL, 0);

	(void)state;
	assert_true(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
	assert_false(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	assert_false(slice_eq(SLICE("a"), SLICE("ab")));
	assert_true(slice_eq(none, SLICE("")));
	assert_true(slice_eq_nocase(SLICE("Host"), SLICE("hOST")));
	assert_false(slice_eq_nocase(SLICE("Host"), SLICE("Hos")));
	assert_true(slice_eq_nocase(none, SLICE("")));
	assert_int_equal(slice_from_str(NULL).len, 0);
	assert_int_equal(slice_from_str("abc").len, 3);
}

static void
slices_are_searched_within_their_length(void **state)
{
	struct slice s = SLICE("abc");

	(void)state;
	assert_true(slice_starts_with(s, SLICE("ab")));
	assert_true(slice_starts_with(s, SLICE("")));
	assert_true(slice_starts_with(s, slice_make(NULL, 0)));
	assert_false(slice_starts_with(s, SLICE("abcd")));
	assert_false(slice_starts_with(slice_make(s.ptr, 1), SLICE("ab")));
	assert_true(slice_ends_with(s, SLICE("bc")));
	assert_true(slice_ends_with(s, SLICE("")));
	assert_false(slice_ends_with(s, SLICE("xabc")));
	assert_false(slice_ends_with(slice_make(s.ptr, 2), SLICE("bc")));
	assert_int_equal(slice_find(s, 'c'), 2);
	assert_int_equal(slice_find(slice_make(s.ptr, 2), 'c'), 2);
	assert_int_equal(slice_find(s, 'x'), 3);
	assert_int_equal(slice_find(slice_make(NULL, 0), 'x'), 0);
	assert_int_equal(slice_count(SLICE("/a//b"), '/'), 3);
	assert_int_equal(slice_count(slice_make("/a//b", 3), '/'), 2);
	assert_int_equal(slice_count(slice_make(NULL, 0), '/'), 0);
}

static void
rest_of_a_slice_never_passes_its_end(void **state)
{
	struct slice s = SLICE("abc");

	(void)state;
	assert_true(slice_eq(slice_from(s, 1), SLICE("bc")));
	assert_int_equal(slice_from(s, 3).len, 0);
	assert_int_equal(slice_from(s, 4).len, 0);
	assert_ptr_equal(slice_from(s, SIZE_MAX).ptr, s.ptr + 3);
}

static void
trimming_takes_spaces_and_tabs_only(void **state)
{
	(void)state;
	assert_true(slice_eq(slice_trim(SLICE(" \t a b\t ")), SLICE("a b")));
	assert_true(slice_eq(slice_trim(SLICE("\ra\n")), SLICE("\ra\n")));
	assert_int_equal(slice_trim(SLICE(" \t ")).len, 0);
	assert_int_equal(slice_trim(slice_make(NULL, 0)).len, 0);
}

static void
well_formed_utf8_passes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(utf8_len(slice_from_str(rows[i].text)), rows[i].len);
		assert_true(utf8_is_valid(slice_from_str(rows[i].text)));
	}
	assert_int_equal(utf8_len(SLICE("\0")), 1);
	assert_int_equal(utf8_len(SLICE("")), 0);
	assert_true(utf8_is_valid(slice_make(NULL, 0)));
	assert_true(utf8_is_valid(SLICE("a\xc3\xa4\0\xf0\x9f\x98\x80z")));
}

static void
ill_formed_utf8_is_told(void **state)
{
	static const char *const rows[] = {
		"\x80", /* a continuation alone */
		"\xbf",
		"\xc0\x80", /* overlong */
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", /* surrogates */
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80", /* beyond U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xff",
		"\xc3", /* cut short */
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xc3z",
		"\xe2\x82z",
		"\xf0\x9f\x98z",
		"\xe2z\x82",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i]);
		char *text = malloc(len); /* no NUL behind, as a sanitizer wants it */

		assert_non_null(text);
		memcpy(text, rows[i], len);
		assert_int_equal(utf8_len(slice_make(text, len)), 0);
		assert_false(utf8_is_valid(slice_make(text, len)));
		free(text);
	}
	assert_false(utf8_is_valid(SLICE("good\xc3")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_compare_by_bytes),
		cmocka_unit_test(slices_are_searched_within_their_length),
		cmocka_unit_test(rest_of_a_slice_never_passes_its_end),
		cmocka_unit_test(trimming_takes_spaces_and_tabs_only),
		cmocka_unit_test(well_formed_utf8_passes),
		cmocka_unit_test(ill_formed_utf8_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
