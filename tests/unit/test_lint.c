/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is found wrong with redirects and routes, word by word, and what looks like it and is
 * fine; and that large tables take neither long nor quadratic time.
 */
#include "lint_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/regex.h"

#define ROWS 100000
#define PATIENCE_MS                                                                      \
	8000 /* with sanitizers on a busy machine; a quadratic walk takes hours */

static const char end[] = "{\"path\":\"/end/*\",\"respond\":{}}";

/* One server; the rows stand in line 2, the routes in line 3. */
static void
finds(const char *rows, const char *routes, const char *expected)
{
	struct lint_rig r;
	char *text;

	assert_true(
		asprintf(&text,
			 "{\"servers\":[{\"listen\":[\"127.0.0.1:81\"],\"names\":["
			 "\"a.example\"],\"redirects\":\n{%s},\"routes\":[\n%s%s%s]}]}",
			 rows, routes, *routes != '\0' ? ",\n" : "", end) > 0);
	lint_rig_open(&r, text, "/", lint_redirects);
	assert_string_equal(r.text.ptr, expected);
	lint_rig_close(&r);
	free(text);
}

#define NEVER "leads into redirects that never end: "
#define ELSEWHERE "; let one of them lead elsewhere\n"

static void
a_row_that_leads_to_itself(void **state)
{
	(void)state;
	finds("\"/a\":\"/a\"", "",
	      "t:2:2: /servers/0/redirects/~1a: \"/a\" leads to itself, and a request "
	      "for "
	      "it never ends; write another target, or remove it\n");
	finds("\"/a%62\":\"/x/../ab?q#f\"", "",
	      "t:2:2: /servers/0/redirects/~1a%62: \"/ab\" leads to itself, and a "
	      "request "
	      "for it never ends; write another target, or remove it\n");
	finds("\"/a\":\"/end/a\"", "", "");
	finds("\"/a\":\"/end//a\"", "", "");
}

static void
rows_that_lead_to_each_other(void **state)
{
	(void)state;
	finds("\"/a\":\"/b\",\n\"/b\":\"/a\"", "",
	      "t:2:2: /servers/0/redirects/~1a: \"/a\" " NEVER
	      "/a -> /b -> /a" ELSEWHERE);
	finds("\"/a\":\"/b\",\n\"/b\":\"/end/\"", "",
	      "t:2:2: /servers/0/redirects/~1a: warning: \"/a\" leads to /b, which leads "
	      "to /end/: write \"/end/\"\n");
}

static void
a_row_that_joins_a_loop_names_it(void **state)
{
	(void)state;
	finds("\"/j\":\"/a\",\n\"/a\":\"/a\"", "",
	      "t:2:2: /servers/0/redirects/~1j: \"/j\" leads into the redirects of "
	      "\"/a\" "
	      "at t:3:1, which never end\n"
	      "t:3:1: /servers/0/redirects/~1a: \"/a\" leads to itself, and a request "
	      "for "
	      "it never ends; write another target, or remove it\n");
}

static void
a_chain_says_where_it_ends(void **state)
{
	(void)state;
	finds("\"/a\":\"/b\",\n\"/b\":\"/c\",\n\"/c\":\"https://x.example/\"", "",
	      "t:2:2: /servers/0/redirects/~1a: warning: \"/a\" leads to /b, which leads "
	      "to /c and on, 3 redirects in all: write \"https://x.example/\"\n"
	      "t:3:1: /servers/0/redirects/~1b: warning: \"/b\" leads to /c, which leads "
	      "to https://x.example/: write \"https://x.example/\"\n");
}

static void
a_chain_through_a_query_cannot_say_what_to_write(void **state)
{
	(void)state;
	finds("\"/a\":\"/b?x=1\",\n\"/b\":\"/end/\"", "",
	      "t:2:2: /servers/0/redirects/~1a: warning: \"/a\" leads to /b?x=1, which "
	      "leads to /end/: name the end at once\n");
}

static void
a_prefix_without_its_slash_is_a_further_redirect(void **state)
{
	(void)state;
	finds("\"/a\":\"/end\"", "",
	      "t:2:2: /servers/0/redirects/~1a: warning: \"/a\" leads to /end, which "
	      "leads "
	      "to /end/: write \"/end/\"\n");
}

static void
a_target_that_nothing_answers(void **state)
{
	(void)state;
	finds("\"/a\":\"/b\"", "",
	      "t:2:2: /servers/0/redirects/~1a: warning: \"/a\" leads to /b, where no "
	      "route "
	      "answers: 404; write another target, or add a route\n");
	finds("\"/a\":\"/b\"", "{\"path\":\"/b\",\"respond\":{}}", "");
	finds("", "{\"path\":\"/p/*\",\"redirect\":{\"to\":\"/q/*\"}}",
	      "t:3:1: /servers/0/routes/0: warning: \"/p/any\" leads to /q/any, where no "
	      "route answers: 404; write another target, or add a route\n");
	/* It may be asked for what is there. */
	finds("",
	      "{\"path\":\"/p/*\",\"redirect\":{\"to\":\"/q/*\"}},"
	      "{\"path\":\"/q/x\",\"respond\":{}}",
	      "");
}

static void
a_row_that_ends_as_in_other_tables(void **state)
{
	(void)state;
	finds("\"/a,\":\"/end/\",\n\"/b\":\"/end/;\",\n\"/c,d\":\"/end/?a;b\"", "",
	      "t:2:2: /servers/0/redirects/~1a,: warning: \"/a,\" ends in \",\", which "
	      "is part of it here: write nothing but blanks between and behind them\n"
	      "t:3:1: /servers/0/redirects/~1b: warning: \"/end/;\" ends in \";\", which "
	      "is part of it here: write nothing but blanks between and behind them\n");
}

static void
a_prefix_that_grows(void **state)
{
	(void)state;
	finds("", "{\"path\":\"/a/*\",\"redirect\":{\"to\":\"/a/b/*\"}}",
	      "t:3:1: /servers/0/routes/0: \"/a/*\" " NEVER
	      "/a/any -> /a/b/any -> /a/b/b/any -> /a/b/b/b/any -> ..." ELSEWHERE);
	/* What leads there is not told again. */
	finds("\"/r\":\"/a/r\"", "{\"path\":\"/a/*\",\"redirect\":{\"to\":\"/a/b/*\"}}",
	      "t:3:1: /servers/0/routes/0: \"/a/*\" " NEVER
	      "/a/any -> /a/b/any -> /a/b/b/any -> /a/b/b/b/any -> ..." ELSEWHERE);
	/* A longer prefix ends it. */
	finds("",
	      "{\"path\":\"/a/*\",\"redirect\":{\"to\":\"/a/b/*\"}},"
	      "{\"path\":\"/a/b/*\",\"respond\":{}}",
	      "");
}

static void
prefixes_that_lead_to_each_other(void **state)
{
	(void)state;
	finds("",
	      "{\"path\":\"/a/*\",\"redirect\":{\"to\":\"/b/*\"}},"
	      "{\"path\":\"/b/*\",\"redirect\":{\"to\":\"/a/*\"}}",
	      "t:3:1: /servers/0/routes/0: \"/a/*\" " NEVER "/b/any -> /a/any -> "
	      "/b/any" ELSEWHERE);
}

static void
a_row_and_a_prefix_that_lead_to_each_other(void **state)
{
	(void)state;
	finds("\"/end/x\":\"/a/x\"",
	      "{\"path\":\"/a/*\",\"redirect\":{\"to\":\"/end/*\"}}",
	      "t:2:2: /servers/0/redirects/~1end~1x: \"/end/x\" " NEVER
	      "/end/x -> /a/x -> /end/x" ELSEWHERE);
}

static void
an_exact_route_that_leads_to_itself(void **state)
{
	(void)state;
	finds("", "{\"path\":\"/a\",\"redirect\":{\"to\":\"${path}?x\"}}",
	      "t:3:1: /servers/0/routes/0: \"/a\" leads to itself, and a request for it "
	      "never ends; write another target, or remove it\n");
	/* A GET is not redirected. */
	finds("", "{\"path\":\"/a\",\"redirect\":{\"to\":\"/a\"},\"methods\":[\"POST\"]}",
	      "");
}

static void
an_url_of_the_server_itself_is_followed(void **state)
{
	static const char loop[] =
		"t:2:2: /servers/0/redirects/~1a: \"/a\" leads to itself, "
		"and a request for it never ends; write another target, or "
		"remove it\n";

	(void)state;
	finds("\"/a\":\"http://a.example:81/a\"", "", loop);
	finds("\"/a\":\"http://127.0.0.1:81/a\"", "",
	      "t:2:2: /servers/0/redirects/~1a: \"/a\" " NEVER "/a -> /a" ELSEWHERE);
	finds("\"/a\":\"http://A.example.:81/a\"", "", loop);
	/* Another port, scheme or host may be anybody's. */
	finds("\"/a\":\"http://a.example/a\"", "", "");
	finds("\"/a\":\"https://a.example:81/a\"", "", "");
	finds("\"/a\":\"http://b.example:81/a\"", "", "");
}

static void
the_host_of_the_request_is_the_server_itself(void **state)
{
	(void)state;
	finds("",
	      "{\"path\":\"/a/*\",\"redirect\":{\"to\":\"http://${host}:81${path}\"}}",
	      "t:3:1: /servers/0/routes/0: \"/a/*\" " NEVER "/a/any -> /a/any" ELSEWHERE);
	finds("", "{\"path\":\"/a/*\",\"redirect\":{\"to\":\"https://${host}${path}\"}}",
	      "");
}

static void
two_servers_that_lead_to_each_other(void **state)
{
	struct lint_rig r;

	(void)state;
	lint_rig_open(
		&r,
		"{\"servers\":[{\"listen\":[\"127.0.0.1:81\"],\"names\":[\"a.example\"],"
		"\"redirects\":{\"/x\":\"http://b.example:82/y\"},\"routes\":[]},\n"
		"{\"listen\":[\"127.0.0.1:82\"],\"names\":[\"b.example\"],"
		"\"redirects\":{\"/y\":\"http://a.example:81/x\",\"/z\":\"/y\"},"
		"\"routes\":[]}]}",
		"/", lint_redirects);
	assert_string_equal(
		r.text.ptr,
		"t:1:75: /servers/0/redirects/~1x: \"/x\" " NEVER
		"/x -> /y -> /x" ELSEWHERE
		"t:2:92: /servers/1/redirects/~1z: \"/z\" leads into the redirects of "
		"\"/x\" at t:1:75, which never end\n");
	lint_rig_close(&r);
}

static void
expressions_that_feed_themselves(void **state)
{
	(void)state;
	if (!regex_is_built_in())
		skip();
	finds("", "{\"path_regex\":\"^/r/(.*)$\",\"redirect\":{\"to\":\"/r/x${1}\"}}",
	      "t:3:1: /servers/0/routes/0: \"^/r/(.*)$\" " NEVER
	      "/r/x1 -> /r/xx1 -> /r/xxx1 -> /r/xxxx1 -> ..." ELSEWHERE);
	finds("",
	      "{\"path_regex\":\"^/r/([0-9]+)$\",\"redirect\":{\"to\":\"/end/${1}\"}}",
	      "");
	/* It is not known whether it is ever asked for what leads into the loop. */
	finds("\"/x1\":\"/x1\"",
	      "{\"path_regex\":\"^/r/([a-z])$\",\"redirect\":{\"to\":\"/x${1}\"}}",
	      "t:2:2: /servers/0/redirects/~1x1: \"/x1\" leads to itself, and a request "
	      "for it never ends; write another target, or remove it\n");
}

static void
a_route_that_a_row_takes_is_not_followed(void **state)
{
	(void)state;
	finds("\"/a\":\"/end/\"", "{\"path\":\"/a\",\"redirect\":{\"to\":\"/a\"}}", "");
}

/* --- routes --- */

static void
routes_find(const char *routes, const char *expected)
{
	struct lint_rig r;
	char *text;

	assert_true(asprintf(&text,
			     "{\"servers\":[{\"listen\":[\"127.0.0.1:81\"],"
			     "\"redirects\":{\"/row\":\"/x\"},\"routes\":[\n%s]}]}",
			     routes) > 0);
	lint_rig_open(&r, text, "/", lint_routes);
	assert_string_equal(r.text.ptr, expected);
	lint_rig_close(&r);
	free(text);
}

static void
a_route_that_a_row_takes(void **state)
{
	(void)state;
	routes_find("{\"path\":\"/row\",\"respond\":{}}",
		    "t:2:1: /servers/0/routes/0: warning: this route is never asked: "
		    "\"redirects\" has a row for \"/row\", at t:1:53; remove one\n");
	routes_find("{\"path\":\"/row/*\",\"respond\":{}}", "");
}

static void
a_route_that_an_expression_takes(void **state)
{
	(void)state;
	if (!regex_is_built_in())
		skip();
	routes_find(
		"{\"path_regex\":\"^/.*$\",\"respond\":{}},\n"
		"{\"path\":\"/p/*\",\"respond\":{}},{\"path\":\"/p\",\"respond\":{}}",
		"t:3:1: /servers/0/routes/1: warning: this route is never asked: "
		"\"path_regex\" at t:2:1 takes its paths, and is tried first; make it "
		"narrower, or remove one\n");
	routes_find(
		"{\"path_regex\":\"^/a\",\"respond\":{}},\n"
		"{\"path_regex\":\"^/a\",\"respond\":{}}",
		"t:3:1: /servers/0/routes/1: warning: this route is never asked: "
		"\"path_regex\" at t:2:1 takes its paths, and is tried first; write it "
		"behind this one, or remove one\n");
	routes_find("{\"path_regex\":\"^/a\",\"respond\":{}},\n"
		    "{\"path_regex\":\"^/b\",\"respond\":{}},"
		    "{\"path\":\"/a/*\",\"respond\":{}}",
		    "");
}

/* --- large tables --- */

static void
large(void (*line)(struct buf *b, unsigned i), size_t errors, size_t warnings,
      size_t lines)
{
	struct lint_rig r;
	struct buf text;
	uint64_t start;
	size_t n = 0;

	buf_init(&text);
	buf_add_str(&text, "{\"servers\":[{\"listen\":[\"127.0.0.1:81\"],\"routes\":[");
	buf_add_str(&text, end);
	buf_add_str(&text, "],\"redirects\":{\"/end\":\"/end/\"");
	for (unsigned i = 0; i < ROWS; i++)
		line(&text, i);
	buf_add_str(&text, "}}]}");
	buf_add_char(&text, '\0');
	start = clock_mono_ms();
	lint_rig_open(&r, text.ptr, "/", lint_redirects);
	assert_true(clock_mono_ms() - start < PATIENCE_MS);
	assert_int_equal(r.lint.errors, errors);
	assert_int_equal(r.lint.warnings, warnings);
	for (const char *p = r.text.ptr; *p != '\0'; p++)
		n += *p == '\n';
	assert_int_equal(n, lines);
	lint_rig_close(&r);
	buf_fini(&text);
}

static void
chain_line(struct buf *b, unsigned i)
{
	if (i + 1 < ROWS)
		buf_printf(b, ",\"/c/%u\":\"/c/%u\"", i, i + 1);
	else
		buf_printf(b, ",\"/c/%u\":\"/end/\"", i);
}

static void
cycle_line(struct buf *b, unsigned i)
{
	buf_printf(b, ",\"/c/%u\":\"/c/%u\"", i, (i + 1) % ROWS);
}

static void
join_line(struct buf *b, unsigned i)
{
	buf_printf(b, ",\"/c/%u\":\"/c/0\"", i);
}

static void
self_line(struct buf *b, unsigned i)
{
	buf_printf(b, ",\"/c/%u\":\"/c/%u\"", i, i);
}

static void
a_chain_of_100000_rows(void **state)
{
	(void)state;
	large(chain_line, 0, ROWS - 1, LINT_SHOWN_MAX + 1);
}

static void
a_cycle_of_100000_rows_is_one_error(void **state)
{
	(void)state;
	large(cycle_line, 1, 0, 1);
}

static void
rows_that_join_are_shown_20_times_and_counted(void **state)
{
	(void)state;
	large(join_line, ROWS, 0, 1 + LINT_SHOWN_MAX + 1);
}

static void
rows_that_lead_to_themselves_are_shown_20_times_and_counted(void **state)
{
	(void)state;
	large(self_line, ROWS, 0, LINT_SHOWN_MAX + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_that_leads_to_itself),
		cmocka_unit_test(rows_that_lead_to_each_other),
		cmocka_unit_test(a_row_that_joins_a_loop_names_it),
		cmocka_unit_test(a_chain_says_where_it_ends),
		cmocka_unit_test(a_chain_through_a_query_cannot_say_what_to_write),
		cmocka_unit_test(a_prefix_without_its_slash_is_a_further_redirect),
		cmocka_unit_test(a_target_that_nothing_answers),
		cmocka_unit_test(a_row_that_ends_as_in_other_tables),
		cmocka_unit_test(a_prefix_that_grows),
		cmocka_unit_test(prefixes_that_lead_to_each_other),
		cmocka_unit_test(a_row_and_a_prefix_that_lead_to_each_other),
		cmocka_unit_test(an_exact_route_that_leads_to_itself),
		cmocka_unit_test(an_url_of_the_server_itself_is_followed),
		cmocka_unit_test(the_host_of_the_request_is_the_server_itself),
		cmocka_unit_test(two_servers_that_lead_to_each_other),
		cmocka_unit_test(expressions_that_feed_themselves),
		cmocka_unit_test(a_route_that_a_row_takes_is_not_followed),
		cmocka_unit_test(a_route_that_a_row_takes),
		cmocka_unit_test(a_route_that_an_expression_takes),
		cmocka_unit_test(a_chain_of_100000_rows),
		cmocka_unit_test(a_cycle_of_100000_rows_is_one_error),
		cmocka_unit_test(rows_that_join_are_shown_20_times_and_counted),
		cmocka_unit_test(
			rows_that_lead_to_themselves_are_shown_20_times_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
