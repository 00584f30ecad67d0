/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The closed sets of HTTP: each name finds its number and the other way round.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/names.h"

static void
every_method_finds_itself(void **state)
{
	(void)state;
	for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
		struct slice name = http_method_name((enum http_method)m);

		assert_true(name.len >= 3);
		assert_int_equal(http_method_from(name), m);
	}
}

static void
other_methods_are_unknown(void **state)
{
	static const char *const names[] = { "",       "G",      "GE",       "get",
					     "GeT",    "GETS",   "POS",      "HEAT",
					     "PATCHY", "DELETF", "CONNECTS", "OPTIONZ",
					     "PRI",    "TRAC",   "GE\xc3" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(http_method_from(slice_from_str(names[i])),
				 HTTP_METHOD_UNKNOWN);
	assert_int_equal(http_method_from(SLICE("GE\0")), HTTP_METHOD_UNKNOWN);
	assert_int_equal(http_method_name(HTTP_METHOD_UNKNOWN).len, 0);
}

static void
every_field_finds_itself_in_any_case(void **state)
{
	(void)state;
	for (unsigned id = 1; id < HTTP_FIELD_COUNT; id++) {
		struct slice name = http_field_name((enum http_field_id)id);
		char upper[40];

		assert_in_range(name.len, 1, sizeof(upper));
		assert_int_equal(http_field_from(name), id);
		for (size_t i = 0; i < name.len; i++)
			upper[i] = (char)toupper((unsigned char)name.ptr[i]);
		assert_int_equal(http_field_from(slice_make(upper, name.len)), id);
		upper[name.len / 2] = '~';
		assert_int_equal(http_field_from(slice_make(upper, name.len)),
				 HTTP_FIELD_OTHER);
	}
}

static void
other_fields_are_other(void **state)
{
	static const char *const names[] = {
		"",
		"x",
		"hos",
		"hosts",
		"h0st",
		"content-lengt",
		"content_length",
		"transfer-encodin\xe7",
		"cookie",
		"a-name-that-is-longer-than-any-of-ours",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(http_field_from(slice_from_str(names[i])),
				 HTTP_FIELD_OTHER);
	assert_int_equal(http_field_name(HTTP_FIELD_OTHER).len, 0);
	assert_int_equal(http_field_name(HTTP_FIELD_COUNT).len, 0);
}

static void
status_has_its_reason_or_none(void **state)
{
	(void)state;
	assert_string_equal(http_status_reason(100), "Continue");
	assert_string_equal(http_status_reason(104), "Upload Resumption Supported");
	assert_string_equal(http_status_reason(404), "Not Found");
	assert_string_equal(http_status_reason(507), "Insufficient Storage");
	assert_string_equal(http_status_reason(299), "");
	assert_string_equal(http_status_reason(0), "");
	assert_string_equal(http_status_reason(-1), "");
	assert_string_equal(http_status_reason(600), "");
	assert_string_equal(http_status_reason(INT32_MAX), "");
	assert_string_equal(http_status_reason(INT32_MIN), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_finds_itself),
		cmocka_unit_test(other_methods_are_unknown),
		cmocka_unit_test(every_field_finds_itself_in_any_case),
		cmocka_unit_test(other_fields_are_other),
		cmocka_unit_test(status_has_its_reason_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
