/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sizes and durations as people write them, and the nearest word to a misspelt one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "conf/suggest.h"
#include "conf/value.h"

struct value_case {
	const char *text;
	int rc;
	uint64_t value;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
check(const struct value_case *cases, size_t count,
      int (*parse)(struct slice, uint64_t *))
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 4711;
		int rc = parse(slice_from_str(cases[i].text), &value);

		if (rc != cases[i].rc || value != (rc == 0 ? cases[i].value : 4711))
			fail_msg("\"%s\": %d, %ju", cases[i].text, rc, (uintmax_t)value);
	}
}

static void
sizes_are_bytes_or_powers_of_1024(void **state)
{
	static const struct value_case cases[] = {
		{ "0", 0, 0 },
		{ "500", 0, 500 },
		{ "1K", 0, 1024 },
		{ "10M", 0, 10485760 },
		{ "2G", 0, 2147483648 },
		{ "1T", 0, UINT64_C(1) << 40 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "16777215T", 0, UINT64_C(16777215) << 40 },
	};

	(void)state;
	check(cases, COUNT(cases), value_size);
}

static void
bad_sizes_are_told_from_great_ones(void **state)
{
	static const struct value_case cases[] = {
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "10k", -EINVAL, 0 },
		{ "10KB", -EINVAL, 0 },
		{ "10 M", -EINVAL, 0 },
		{ " 10", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "16777216T", -ERANGE, 0 },
	};

	(void)state;
	check(cases, COUNT(cases), value_size);
}

static void
durations_are_seconds_or_have_a_unit(void **state)
{
	static const struct value_case cases[] = {
		{ "500ms", 0, 500 },
		{ "1", 0, 1000 },
		{ "10s", 0, 10000 },
		{ "2m", 0, 120000 },
		{ "1h", 0, 3600000 },
		{ "1d", 0, 86400000 },
		{ "0", 0, 0 },
		{ "", -EINVAL, 0 },
		{ "ms", -EINVAL, 0 },
		{ "1M", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1w", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "18446744073709551615s", -ERANGE, 0 },
	};

	(void)state;
	check(cases, COUNT(cases), value_duration);
}

static void
seconds_with_a_fraction_are_rounded_to_milliseconds(void **state)
{
	uint64_t ms;

	(void)state;
	assert_int_equal(value_duration_seconds(0.5, &ms), 0);
	assert_int_equal(ms, 500);
	assert_int_equal(value_duration_seconds(1.0006, &ms), 0);
	assert_int_equal(ms, 1001);
	assert_int_equal(value_duration_seconds(-0.1, &ms), -ERANGE);
	assert_int_equal(value_duration_seconds(1e300, &ms), -ERANGE);
}

static void
values_are_written_back_in_the_greatest_exact_unit(void **state)
{
	char out[VALUE_TEXT];

	(void)state;
	assert_string_equal(value_format_size(0, out), "0");
	assert_string_equal(value_format_size(1000, out), "1000");
	assert_string_equal(value_format_size(16 << 20, out), "16M");
	assert_string_equal(value_format_size(UINT64_MAX, out), "18446744073709551615");
	assert_string_equal(value_format_duration(1, out), "1ms");
	assert_string_equal(value_format_duration(90000, out), "90s");
	assert_string_equal(value_format_duration(86400000, out), "1d");
}

static void
what_is_written_back_is_read_as_the_same(void **state)
{
	char out[VALUE_TEXT];
	uint64_t back;

	(void)state;
	for (uint64_t v = 1; v < UINT64_C(1) << 62; v = v * 3 + 1) {
		assert_int_equal(
			value_size(slice_from_str(value_format_size(v, out)), &back), 0);
		assert_int_equal(back, v);
		assert_int_equal(
			value_duration(slice_from_str(value_format_duration(v, out)),
				       &back),
			0);
		assert_int_equal(back, v);
	}
}

static void
distance_counts_edits_and_swaps(void **state)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} cases[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "abc", "abc", 0 },
		{ "abc", "ABC", 0 },
		{ "redirct", "redirect", 1 },
		{ "atuo", "auto", 1 },
		{ "kitten", "sitting", 3 },
		{ "ca", "abc", 3 },
		{ "listne", "listen", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice a = slice_from_str(cases[i].a),
			     b = slice_from_str(cases[i].b);

		assert_int_equal(suggest_distance(a, b), cases[i].distance);
		assert_int_equal(suggest_distance(b, a), cases[i].distance);
	}
}

static void
only_a_near_word_is_suggested(void **state)
{
	static const char *const words[] = { "user", "group", "workers", "servers" };
	char endless[100];

	(void)state;
	assert_string_equal(suggest_nearest(SLICE("worker"), words, 4), "workers");
	assert_string_equal(suggest_nearest(SLICE("usr"), words, 4), "user");
	assert_string_equal(suggest_nearest(SLICE("srevers"), words, 4), "servers");
	assert_null(suggest_nearest(SLICE("sandbox"), words, 4));
	assert_string_equal(suggest_nearest(SLICE("Serv"), words, 4), "servers");
	assert_null(suggest_nearest(SLICE(""), words, 4));
	assert_null(suggest_nearest(SLICE("user"), words, 0));
	memset(endless, 'a', sizeof(endless));
	assert_null(suggest_nearest(slice_make(endless, sizeof(endless)), words, 4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_bytes_or_powers_of_1024),
		cmocka_unit_test(bad_sizes_are_told_from_great_ones),
		cmocka_unit_test(durations_are_seconds_or_have_a_unit),
		cmocka_unit_test(seconds_with_a_fraction_are_rounded_to_milliseconds),
		cmocka_unit_test(values_are_written_back_in_the_greatest_exact_unit),
		cmocka_unit_test(what_is_written_back_is_read_as_the_same),
		cmocka_unit_test(distance_counts_edits_and_swaps),
		cmocka_unit_test(only_a_near_word_is_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
