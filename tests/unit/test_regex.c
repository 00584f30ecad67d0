/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Regular expressions: what they match, which groups they give, and that a pattern which
 * goes astray is given up. Skipped in a build without PCRE2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/regex.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GROUPS 4

static struct regex *
compile(const char *pattern)
{
	char message[REGEX_MESSAGE_SIZE];
	size_t offset;
	struct regex *re = regex_new(slice_from_str(pattern), message, &offset);

	if (re == NULL)
		fail_msg("%s: %s", pattern, message);
	return re;
}

static int
match(const char *pattern, struct slice subject, struct slice groups[GROUPS])
{
	struct regex *re = compile(pattern);
	struct regex_scratch *scratch = regex_scratch_new(GROUPS);
	int rc;

	assert_non_null(scratch);
	assert_true(regex_group_count(re) <= GROUPS);
	rc = regex_match(re, scratch, subject, groups);
	regex_scratch_free(scratch);
	regex_free(re);
	return rc;
}

struct match_case {
	const char *pattern, *subject;
	int matches;
	const char *group; /* the first */
};

static const struct match_case matches[] = {
	{ "^/user/([0-9]+)$", "/user/17", 1, "17" },
	{ "^/user/([0-9]+)$", "/user/", 0, NULL },
	{ "^/user/([0-9]+)$", "/user/17\n", 0, NULL }, /* the very end */
	{ "(b+)", "/abbc", 1, "bb" },
	{ "^/(x)?y$", "/y", 1, "" },
	{ "^/(.*)$", "/", 1, "" },
	{ "^/(\xc3.)$", "/\xc3\xa4", 1, "\xc3\xa4" }, /* bytes */
	{ "^/(.)$", "/\xc3\xa4", 0, NULL },
	{ "^(.)$", "\xff", 1, "\xff" },
	{ "(?i)^/(A)$", "/a", 1, "a" },
};

static void
bytes_are_matched_up_to_the_very_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++) {
		const struct match_case *m = &matches[i];
		struct slice groups[GROUPS];

		assert_int_equal(match(m->pattern, slice_from_str(m->subject), groups),
				 m->matches);
		if (m->matches)
			assert_true(slice_eq(groups[1], slice_from_str(m->group)));
	}
}

static void
groups_have_numbers_and_names(void **state)
{
	struct regex *re = compile("^/(?<id>[0-9]+)/(x)");

	(void)state;
	assert_int_equal(regex_group_count(re), 3);
	assert_int_equal(regex_group(re, SLICE("id")), 1);
	assert_int_equal(regex_group(re, SLICE("1")), 1);
	assert_int_equal(regex_group(re, SLICE("2")), 2);
	assert_int_equal(regex_group(re, SLICE("0")), 0);
	assert_int_equal(regex_group(re, SLICE("3")), -1);
	assert_int_equal(regex_group(re, SLICE("")), -1);
	assert_int_equal(regex_group(re, SLICE("i")), -1);
	assert_int_equal(regex_group(re, SLICE("99999999999999999999")), -1);
	regex_free(re);
}

static void
what_is_wrong_is_said_with_its_offset(void **state)
{
	static const struct {
		const char *pattern;
		size_t offset;
	} wrong[] = { { "^/(a", 4 }, { "a**b(", 2 }, { "[z-a]", 3 } };
	char message[REGEX_MESSAGE_SIZE];
	size_t offset;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		message[0] = '\0';
		assert_null(
			regex_new(slice_from_str(wrong[i].pattern), message, &offset));
		assert_int_equal(offset, wrong[i].offset);
		assert_true(strlen(message) > 5);
	}
	assert_null(regex_new(SLICE("(*UTF)a"), message, &offset));
}

static void
patterns_that_go_astray_are_given_up_soon(void **state)
{
	static const char *const patterns[] = { "^/(a+)+$", "^/(a|aa)+$", "^/(a|a?)+$",
						"(?:.|a)*?!!" };
	size_t len = (size_t)64 << 10;
	char *text = malloc(len);
	struct slice groups[GROUPS];

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	text[0] = '/';
	text[len - 1] = '!';
	for (size_t i = 0; i < COUNT(patterns); i++) {
		clock_t before = clock();

		assert_int_equal(match(patterns[i], slice_make(text, len), groups),
				 -E2BIG);
		assert_true(clock() - before < CLOCKS_PER_SEC);
	}
	free(text);
}

/* PCRE2 counts steps anew at every start: many starts must not add up. */
static void
starts_that_are_each_just_cheap_enough_do_not_add_up(void **state)
{
	size_t len = (size_t)64 << 10;
	char *text = malloc(len);
	struct slice groups[GROUPS];

	(void)state;
	assert_non_null(text);
	for (size_t step = 4; step < 20; step++) {
		clock_t before = clock();

		memset(text, 'a', len);
		for (size_t i = 0; i < len; i += step)
			text[i] = '/';
		text[len - 2] = '/';
		text[len - 1] = 'b';
		assert_true(match("((?:a|a)+)+b", slice_make(text, len), groups) <= 0);
		assert_true(clock() - before < CLOCKS_PER_SEC);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_matched_up_to_the_very_end),
		cmocka_unit_test(groups_have_numbers_and_names),
		cmocka_unit_test(what_is_wrong_is_said_with_its_offset),
		cmocka_unit_test(patterns_that_go_astray_are_given_up_soon),
		cmocka_unit_test(starts_that_are_each_just_cheap_enough_do_not_add_up),
	};

	if (!regex_is_built_in())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
