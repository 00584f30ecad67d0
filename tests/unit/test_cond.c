/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Conditional requests: one row of the table is one request to one representation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rows.h"
#include "http/cond.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LINES_MAX 4
#define NOW 1750000000
#define MODIFIED 784111777

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

#define IM HTTP_FIELD_IF_MATCH
#define INM HTTP_FIELD_IF_NONE_MATCH
#define IMS HTTP_FIELD_IF_MODIFIED_SINCE
#define IUS HTTP_FIELD_IF_UNMODIFIED_SINCE

enum target {
	STRONG,  /* exists, "x", MODIFIED */
	WEAK,    /* exists, W/"x", MODIFIED */
	NO_DATE, /* exists, "x" */
	NO_TAG,  /* exists, MODIFIED */
	NONE     /* does not exist */
};

struct cond_case {
	const char *name;
	enum http_method method;
	enum target target;
	struct {
		enum http_field_id id;
		const char *value;
	} lines[LINES_MAX];
	enum cond_verdict verdict;
};

/* clang-format off */
static const struct cond_case cases[] = {
#define OK COND_PROCEED
#define NM COND_NOT_MODIFIED
#define PF COND_PRECONDITION_FAILED
#define ROW(name, method, target, verdict, ...) \
	{ name, HTTP_##method, target, { __VA_ARGS__ }, verdict }
	ROW("no_condition_proceeds", GET, STRONG, OK, { 0, NULL }),
	/* If-None-Match */
	ROW("same_tag_is_not_modified", GET, STRONG, NM, { INM, "\"x\"" }),
	ROW("same_tag_with_head_is_not_modified", HEAD, STRONG, NM, { INM, "\"x\"" }),
	ROW("other_tag_proceeds", GET, STRONG, OK, { INM, "\"y\"" }),
	ROW("tag_prefix_proceeds", GET, STRONG, OK, { INM, "\"xx\", \"\"" }),
	ROW("tags_are_case_sensitive", GET, STRONG, OK, { INM, "\"X\"" }),
	ROW("weak_tag_matches_strong_one", GET, STRONG, NM, { INM, "W/\"x\"" }),
	ROW("strong_tag_matches_weak_one", GET, WEAK, NM, { INM, "\"x\"" }),
	ROW("tag_in_a_list_matches", GET, STRONG, NM, { INM, "\"a\",W/\"b\" ,\t\"x\"" }),
	ROW("comma_inside_of_a_tag_is_no_separator", GET, STRONG, OK,
	    { INM, "\"a,\", \",x,\"" }),
	ROW("empty_elements_pass", GET, STRONG, NM, { INM, ", ,\"x\",," }),
	ROW("several_lines_are_one_list", GET, STRONG, NM, { INM, "\"a\"" },
	    { INM, "\"x\"" }),
	ROW("star_is_not_modified", GET, STRONG, NM, { INM, "*" }),
	ROW("star_proceeds_when_nothing_is_there", GET, NONE, OK, { INM, "*" }),
	ROW("star_fails_put_on_something", PUT, STRONG, PF, { INM, "*" }),
	ROW("star_lets_put_create", PUT, NONE, OK, { INM, "*" }),
	ROW("same_tag_fails_put", PUT, STRONG, PF, { INM, "\"x\"" }),
	ROW("same_tag_fails_post", POST, STRONG, PF, { INM, "\"x\"" }),
	ROW("empty_list_matches_nothing", GET, STRONG, OK, { INM, "" }),
	ROW("tag_without_quotes_matches_nothing", GET, STRONG, OK, { INM, "x" }),
	ROW("tag_without_end_matches_nothing", GET, STRONG, OK, { INM, "\"x" }),
	ROW("lower_case_weak_mark_matches_nothing", GET, STRONG, OK, { INM, "w/\"x\"" }),
	ROW("weak_mark_alone_matches_nothing", GET, STRONG, OK, { INM, "W/" }),
	ROW("space_in_a_tag_matches_nothing", GET, STRONG, OK, { INM, "\"x\", \"a b\"" }),
	ROW("missing_comma_matches_nothing", GET, STRONG, OK, { INM, "\"x\" \"y\"" }),
	ROW("error_after_a_match_matches_nothing", GET, STRONG, OK, { INM, "\"x\"y" }),
	ROW("error_in_another_line_matches_nothing", GET, STRONG, OK, { INM, "\"x\"" },
	    { INM, "y" }),
	ROW("star_in_a_list_matches_nothing", GET, STRONG, OK, { INM, "*, \"x\"" }),
	ROW("two_stars_match_nothing", GET, STRONG, OK, { INM, "*" }, { INM, "*" }),
	ROW("nothing_matches_a_missing_tag", GET, NO_TAG, OK, { INM, "\"\"" }),
	/* If-Modified-Since */
	ROW("same_date_is_not_modified", GET, STRONG, NM, { IMS, SAME }),
	ROW("later_date_is_not_modified", GET, STRONG, NM, { IMS, AFTER }),
	ROW("earlier_date_proceeds", GET, STRONG, OK, { IMS, BEFORE }),
	ROW("other_date_forms_count", GET, STRONG, NM,
	    { IMS, "Sunday, 06-Nov-94 08:49:37 GMT" }),
	ROW("bad_date_is_ignored", GET, STRONG, OK, { IMS, "yesterday" }),
	ROW("two_dates_are_ignored", GET, STRONG, OK, { IMS, SAME }, { IMS, SAME }),
	ROW("date_with_parameter_is_ignored", GET, STRONG, OK, { IMS, SAME "; length=1" }),
	ROW("modified_since_is_ignored_with_post", POST, STRONG, OK, { IMS, SAME }),
	ROW("modified_since_is_ignored_without_a_date", GET, NO_DATE, OK, { IMS, SAME }),
	ROW("modified_since_is_ignored_when_nothing_is_there", GET, NONE, OK,
	    { IMS, SAME }),
	ROW("none_match_hides_modified_since", GET, STRONG, OK, { INM, "\"y\"" },
	    { IMS, SAME }),
	ROW("malformed_none_match_hides_modified_since", GET, STRONG, OK, { INM, "y" },
	    { IMS, SAME }),
	/* If-Match */
	ROW("match_proceeds", PUT, STRONG, OK, { IM, "\"x\"" }),
	ROW("match_in_a_list_proceeds", PUT, STRONG, OK, { IM, "\"a\", \"x\"" }),
	ROW("no_match_fails", PUT, STRONG, PF, { IM, "\"y\"" }),
	ROW("no_match_fails_get", GET, STRONG, PF, { IM, "\"y\"" }),
	ROW("weak_tag_does_not_match_strongly", PUT, STRONG, PF, { IM, "W/\"x\"" }),
	ROW("strong_tag_does_not_match_a_weak_one", PUT, WEAK, PF, { IM, "\"x\"" }),
	ROW("weak_tags_do_not_match_strongly", PUT, WEAK, PF, { IM, "W/\"x\"" }),
	ROW("match_star_proceeds_on_something", PUT, WEAK, OK, { IM, "*" }),
	ROW("match_star_fails_on_nothing", PUT, NONE, PF, { IM, "*" }),
	ROW("match_fails_on_nothing", DELETE, NONE, PF, { IM, "\"x\"" }),
	ROW("malformed_match_fails", PUT, STRONG, PF, { IM, "x" }),
	ROW("match_then_none_match", GET, STRONG, NM, { IM, "\"x\"" }, { INM, "\"x\"" }),
	ROW("match_then_modified_since", GET, STRONG, NM, { IM, "\"x\"" }, { IMS, SAME }),
	/* If-Unmodified-Since */
	ROW("unmodified_since_same_date_proceeds", PUT, STRONG, OK, { IUS, SAME }),
	ROW("unmodified_since_earlier_date_fails", PUT, STRONG, PF, { IUS, BEFORE }),
	ROW("unmodified_since_fails_get", GET, STRONG, PF, { IUS, BEFORE }),
	ROW("unmodified_since_bad_date_is_ignored", PUT, STRONG, OK, { IUS, "0" }),
	ROW("unmodified_since_without_a_date_is_ignored", PUT, NO_DATE, OK,
	    { IUS, BEFORE }),
	ROW("match_hides_unmodified_since", PUT, STRONG, OK, { IM, "\"x\"" },
	    { IUS, BEFORE }),
	ROW("unmodified_since_then_none_match", GET, STRONG, NM, { IUS, SAME },
	    { INM, "\"x\"" }),
	/* Other methods */
	ROW("options_ignores_conditions", OPTIONS, STRONG, OK, { IM, "\"y\"" }),
	ROW("trace_ignores_conditions", TRACE, STRONG, OK, { INM, "\"x\"" }),
};
/* clang-format on */

static void
run_case(void **state)
{
	const struct cond_case *c = *state;
	struct cond_validators v = {
		.exists = c->target != NONE,
		.etag = SLICE_LIT("\"x\""),
		.modified = MODIFIED,
		.has_modified = c->target != NONE && c->target != NO_DATE,
	};
	struct http_field fields[LINES_MAX + 1] = {
		{ SLICE_LIT("host"), SLICE_LIT("\"x\""), HTTP_FIELD_HOST, false },
	};
	struct http_head head = { .method = c->method, .fields = fields };

	if (c->target == WEAK)
		v.etag = SLICE("W/\"x\"");
	else if (c->target == NO_TAG || c->target == NONE)
		v.etag = SLICE("");
	for (size_t n = 0; n < LINES_MAX && c->lines[n].value != NULL; n++) {
		fields[n + 1].id = c->lines[n].id;
		fields[n + 1].name = http_field_name(c->lines[n].id);
		fields[n + 1].value = slice_from_str(c->lines[n].value);
		head.field_count = n + 2;
	}
	assert_int_equal(cond_evaluate(&head, &v, NOW), c->verdict);
}

int
main(void)
{
	static struct CMUnitTest tests[COUNT(cases)];

	for (size_t i = 0; i < COUNT(cases); i++)
		tests[i] = row_test(cases[i].name, run_case, &cases[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
