/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers from digits and back, up to both edges.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/number.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct number_row {
	const char *text;
	uint64_t max, value;
	int rc;
};

/* What is refused leaves the result alone. */
static void
check_rows(int (*parse)(struct slice text, uint64_t max, uint64_t *out),
	   const struct number_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t out = 42;

		assert_int_equal(parse(slice_from_str(rows[i].text), rows[i].max, &out),
				 rows[i].rc);
		assert_int_equal(out, rows[i].rc == 0 ? rows[i].value : 42);
	}
}

static void
decimal_digits_are_a_number(void **state)
{
	static const struct number_row rows[] = {
		{ "0", 0, 0, 0 },
		{ "1", 0, 0, -ERANGE },
		{ "000", 0, 0, 0 },
		{ "0000000000000000000000000000007", 7, 7, 0 },
		{ "8", 7, 0, -ERANGE },
		{ "255", 255, 255, 0 },
		{ "256", 255, 0, -ERANGE },
		{ "9223372036854775807", INT64_MAX, INT64_MAX, 0 },
		{ "9223372036854775808", INT64_MAX, 0, -ERANGE },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX, 0 },
		{ "18446744073709551616", UINT64_MAX, 0, -ERANGE },
		{ "18446744073709551617", UINT64_MAX, 0, -ERANGE },
		{ "99999999999999999999999999999999", UINT64_MAX, 0, -ERANGE },
		{ "", 10, 0, -EINVAL },
		{ "+1", 10, 0, -EINVAL },
		{ "-1", 10, 0, -EINVAL },
		{ " 1", 10, 0, -EINVAL },
		{ "1 ", 10, 0, -EINVAL },
		{ "0x1", 10, 0, -EINVAL },
		{ "1a", 10, 0, -EINVAL },
		{ "99999999999999999999999999999999x", 10, 0, -EINVAL },
		{ "1\xd9\xa1", 10, 0, -EINVAL },
	};

	(void)state;
	check_rows(number_dec, rows, COUNT(rows));
}

static void
hex_digits_are_a_number(void **state)
{
	static const struct number_row rows[] = {
		{ "0", 0, 0, 0 },
		{ "aF", 255, 0xaf, 0 },
		{ "7fffffffffffffff", INT64_MAX, INT64_MAX, 0 },
		{ "8000000000000000", INT64_MAX, 0, -ERANGE },
		{ "ffffffffffffffff", UINT64_MAX, UINT64_MAX, 0 },
		{ "10000000000000000", UINT64_MAX, 0, -ERANGE },
		{ "00000000000000000f", 15, 15, 0 },
		{ "", 10, 0, -EINVAL },
		{ "0x5", 10, 0, -EINVAL },
		{ "5_0", 100, 0, -EINVAL },
		{ "g", 100, 0, -EINVAL },
		{ "-1", 100, 0, -EINVAL },
	};

	(void)state;
	check_rows(number_hex, rows, COUNT(rows));
}

static void
every_power_of_two_comes_back(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift <= 64; shift++) {
		uint64_t v = shift < 64 ? (uint64_t)1 << shift : 0;

		for (int step = -1; step <= 1; step++) {
			uint64_t want = v + (uint64_t)(int64_t)step, got = 0;
			char out[20], text[24];
			size_t n = number_format(want, out);

			snprintf(text, sizeof(text), "%llu", (unsigned long long)want);
			assert_int_equal(n, strlen(text));
			assert_memory_equal(out, text, n);
			assert_int_equal(number_dec(slice_make(out, n), UINT64_MAX, &got),
					 0);
			assert_int_equal(got, want);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal_digits_are_a_number),
		cmocka_unit_test(hex_digits_are_a_number),
		cmocka_unit_test(every_power_of_two_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
