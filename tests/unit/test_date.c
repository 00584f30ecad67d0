/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HTTP dates in their three forms, checked against gmtime_r() over many days.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "http/date.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW 1750000000 /* 2025-06-15 */

static int
parse(const char *text, int64_t now, int64_t *out)
{
	size_t len = strlen(text);
	char *copy = malloc(len != 0 ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	rc = http_date_parse(slice_make(copy, len), now, out);
	free(copy);
	return rc;
}

static void
is_date(const char *text, int64_t now, int64_t want)
{
	int64_t got = -1;

	assert_int_equal(parse(text, now, &got), 0);
	assert_int_equal(got, want);
}

static void
formats_as_imf_fixdate(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ 253402300800, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ -62167219200, "Sat, 01 Jan 0000 00:00:00 GMT" },
		{ -62167219201, "Sat, 01 Jan 0000 00:00:00 GMT" },
		{ INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[HTTP_DATE_LEN];

		http_date_format(rows[i].seconds, out);
		assert_memory_equal(out, rows[i].text, HTTP_DATE_LEN);
	}
}

static void
agrees_with_the_c_library_and_reads_back_what_it_wrote(void **state)
{
	(void)state;
	/* A prime step of some days and odd seconds walks through all parts. */
	for (int64_t t = -62167219200; t <= 253402300799; t += 86400 * 11 + 7919) {
		char out[HTTP_DATE_LEN], want[64];
		int64_t back = 0;
		struct tm tm;
		time_t when = (time_t)t;

		if (when != t)
			continue; /* the library's has 32 bits here */
		assert_non_null(gmtime_r(&when, &tm));
		strftime(want, sizeof(want), "%a, %d %b ", &tm);
		http_date_format(t, out);
		assert_memory_equal(out, want, 12);
		assert_int_equal(atoi(out + 12), tm.tm_year + 1900);
		strftime(want, sizeof(want), " %H:%M:%S GMT", &tm);
		assert_memory_equal(out + 16, want, 13);
		assert_int_equal(
			http_date_parse(slice_make(out, sizeof(out)), NOW, &back), 0);
		assert_int_equal(back, t);
	}
}

static void
reads_the_three_forms(void **state)
{
	(void)state;
	is_date("Sun, 06 Nov 1994 08:49:37 GMT", NOW, 784111777);
	is_date("Sunday, 06-Nov-94 08:49:37 GMT", NOW, 784111777);
	is_date("Wednesday, 09-Nov-94 08:49:37 GMT", NOW, 784370977);
	is_date("Sun Nov  6 08:49:37 1994", NOW, 784111777);
	is_date("Sun Nov 13 08:49:37 1994", NOW, 784716577);
	is_date("Thu, 30 Jun 1994 23:59:60 GMT", NOW, 773020800);
}

static void
two_digit_year_is_at_most_fifty_years_ahead(void **state)
{
	(void)state;
	is_date("Saturday, 01-Jan-00 00:00:00 GMT", NOW, 946684800);
	is_date("Tuesday, 01-Jan-75 00:00:00 GMT", NOW, 3313526400); /* 2075 */
	is_date("Thursday, 01-Jan-76 00:00:00 GMT", NOW, 189302400); /* 1976 */
	is_date("Friday, 01-Jan-99 00:00:00 GMT", NOW, 915148800);
	is_date("Saturday, 01-Jan-00 00:00:00 GMT", 4070908800, 4102444800); /* 2100 */
	is_date("Monday, 01-Jan-00 00:00:00 GMT", INT64_MAX, 250246627200);
	is_date("Saturday, 01-Jan-00 00:00:00 GMT", INT64_MIN, -62167219200);
}

static void
refuses_everything_else(void **state)
{
	static const char *const rows[] = {
		"",
		"0",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun,  6 Nov 1994 08:49:37 GMT",
		"sun, 06 Nov 1994 08:49:37 GMT",
		"Sxn, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Nox 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Wed, 29 Feb 1995 08:49:37 GMT",
		"Mon, 29 Feb 2100 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 23:60:00 GMT",
		"Sun, 06 Nov 1994 23:59:61 GMT",
		"Sun, +6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov -994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT",
		"Sunda, 06-Nov-94 08:49:37 GMT",
		"Sundays, 06-Nov-94 08:49:37 GMT",
		", 06-Nov-94 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sunday, 06 Nov 94 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 UTC",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov   08:49:37 1994 ",
		"Sun Nov 06 08:49:37 94",
		"Sun Nov 6  08:49:37 1994",
		"Sun Nox  6 08:49:37 1994",
		"1994-11-06T08:49:37Z",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t out = 42;

		if (parse(rows[i], NOW, &out) != -1)
			print_error("accepted '%s'\n", rows[i]);
		assert_int_equal(parse(rows[i], NOW, &out), -1);
		assert_int_equal(out, 42);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_imf_fixdate),
		cmocka_unit_test(agrees_with_the_c_library_and_reads_back_what_it_wrote),
		cmocka_unit_test(reads_the_three_forms),
		cmocka_unit_test(two_digit_year_is_at_most_fifty_years_ahead),
		cmocka_unit_test(refuses_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
