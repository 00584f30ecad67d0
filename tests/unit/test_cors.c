/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cross-origin resource sharing: requests through a transport that takes notes, and the
 * fields that a browser would go by; the rules are those of the Fetch standard.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "made_site.h"
#include "transport.h"
#include "rows.h"
#include "core/cors.h"

#define A "https://a.example"
#define B "http://b.example:8080"
#define PREFLIGHT_VARY "Access-Control-Request-Method, Access-Control-Request-Headers\n"

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"headers\": {\"X-Content-Type-Options\": null, \"Cache-Control\": "
	"\"no-store\"},"
	" \"routes\": ["
	"  {\"path\": \"/open/*\", \"respond\": {}, \"cors\": true},"
	"  {\"path\": \"/some\", \"respond\": {}, \"cors\": [\"" A "\", \"" B "\"]},"
	"  {\"path\": \"/full/*\", \"respond\": {}, \"methods\": [\"GET\", \"PUT\"],"
	"   \"headers\": {\"Vary\": \"X-A\"}, \"cache_control\": \"max-age=5\","
	"   \"cors\": {\"origins\": [\"" A "\"], \"methods\": [\"PUT\"],"
	"    \"headers\": [\"X-A\", \"Content-Type\"], \"expose\": [\"ETag\", \"X-B\"],"
	"    \"credentials\": true, \"max_age\": \"90500ms\"}},"
	"  {\"path\": \"/stars\", \"respond\": {}, \"methods\": [\"GET\"],"
	"   \"cors\": {\"headers\": [\"*\", \"Authorization\"], \"expose\": [\"*\"],"
	"    \"max_age\": 0}},"
	"  {\"path\": \"/closed\", \"respond\": {}}]}]}";

static struct rig {
	struct transport t;
	int refusal; /* what the handler answers; 0: 200 */
	unsigned opens;
	struct made_site made;
} rig;

/* --- the handler --- */

static int
answer_open(struct exchange *ex)
{
	rig.opens++;
	if (rig.refusal >= 400)
		return rig.refusal;
	assert_int_equal(exchange_add_field(ex, HTTP_FIELD_VARY, SLICE("Accept")), 0);
	exchange_respond(ex, rig.refusal != 0 ? rig.refusal : 200);
	return 0;
}

static const struct handler_ops answer = {
	.action = CONF_ACTION_RESPOND,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_PUT),
	.open = answer_open,
};
/* One that takes OPTIONS itself. */
static const struct handler_ops taker = {
	.action = CONF_ACTION_RESPOND,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_OPTIONS),
	.open = answer_open,
};

static int
page_open(struct exchange *ex)
{
	exchange_respond(ex, ex->error_status);
	return 0;
}

static const struct handler_ops page = { .open = page_open };

/* --- setting up --- */

/* With that handler instead. */
static void
remake_site(const struct handler_ops *handler)
{
	const struct handler_ops *const kinds[] = { handler, NULL };
	struct handler_env env = { .conf = rig.made.conf, .counters = rig.made.counters };

	site_free(rig.made.site);
	rig.made.site = make_site(&env, kinds, &page);
}

static int
setup(void **state)
{
	static const struct handler_ops *const kinds[] = { &answer, NULL };

	(void)state;
	made_site_open(&rig.made, config_text, "/", (struct handler_env){ 0 }, kinds,
		       &page);
	transport_init(&rig.t, (size_t)64 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	transport_fini(&rig.t);
	made_site_close(&rig.made);
	return 0;
}

struct ask {
	enum http_method method;
	const char *path, *origin, *wants, *with; /* NULL: no such field */
};

static void
add(enum http_field_id id, const char *value)
{
	if (value != NULL)
		transport_with_field(&rig.t, id, value);
}

/* Sends the request; its status, and its fields in rig.t.fields. */
static int
run(const struct ask *ask)
{
	rig.opens = 0;
	transport_prepare(&rig.t, rig.made.site, ask->method, ask->path);
	add(HTTP_FIELD_ORIGIN, ask->origin);
	add(HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD, ask->wants);
	add(HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS, ask->with);
	transport_begin(&rig.t);
	return transport_finish(&rig.t);
}

/* What a case expects: the lines of "cors" and "Vary", all of them, in order. */
static const char *
cors_lines(void)
{
	static char text[2000];
	char *p = rig.t.fields.ptr, *end;

	text[0] = '\0';
	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		if (strncasecmp(p, "Access-Control-", 15) == 0 ||
		    strncasecmp(p, "Vary:", 5) == 0)
			strncat(text, p, (size_t)(end + 1 - p));
	}
	return text;
}

struct cors_case {
	const char *name;
	struct ask ask;
	int status;
	const char *expected;
};

#define FULL                                                                             \
	"Vary: X-A\nVary: Origin\nAccess-Control-Allow-Origin: " A                       \
	"\nAccess-Control-Allow-Credentials: true\n"                                     \
	"Access-Control-Expose-Headers: ETag, X-B\n"
#define SOME_PREFLIGHT                                                                   \
	"Vary: Origin, " PREFLIGHT_VARY "Access-Control-Allow-Origin: " B                \
	"\nAccess-Control-Allow-Methods: GET, PUT\nAccess-Control-Max-Age: 600\n"

/* clang-format off */
static const struct cors_case answers[] = {
	{ "route_without_cors_says_nothing", { HTTP_GET, "/closed", A, NULL, NULL }, 200,
	  "Vary: Accept\n" },
	{ "every_origin_is_a_star", { HTTP_GET, "/open/x", A, NULL, NULL }, 200,
	  "Vary: Accept\nAccess-Control-Allow-Origin: *\n" },
	{ "every_origin_is_a_star_without_origin_too", { HTTP_GET, "/open/x", NULL, NULL, NULL }, 200,
	  "Vary: Accept\nAccess-Control-Allow-Origin: *\n" },
	{ "origin_in_the_list_is_repeated", { HTTP_GET, "/some", A, NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\nAccess-Control-Allow-Origin: " A "\n" },
	{ "second_origin_in_the_list_is_repeated", { HTTP_GET, "/some", B, NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\nAccess-Control-Allow-Origin: " B "\n" },
	{ "origin_not_in_the_list_gets_vary_alone", { HTTP_GET, "/some", "https://c.example", NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "no_origin_gets_vary_alone", { HTTP_GET, "/some", NULL, NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "origin_in_another_case_is_another", { HTTP_GET, "/some", "https://A.example", NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "beginning_of_an_origin_is_another", { HTTP_GET, "/some", "https://a.exampl", NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "origin_with_more_behind_is_another", { HTTP_GET, "/some", A ".evil.example", NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "origin_null_is_not_in_the_list", { HTTP_GET, "/some", "null", NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "star_as_origin_is_not_in_the_list", { HTTP_GET, "/some", "*", NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "empty_origin_is_not_in_the_list", { HTTP_GET, "/some", "", NULL, NULL }, 200,
	  "Vary: Accept\nVary: Origin\n" },
	{ "credentials_and_exposed_fields_go_with_the_answer", { HTTP_GET, "/full/x", A, NULL, NULL }, 200, "Vary: Accept\n" FULL },
	{ "credentials_are_not_for_other_origins", { HTTP_GET, "/full/x", B, NULL, NULL }, 200,
	  "Vary: Accept\nVary: X-A\nVary: Origin\n" },
	{ "all_fields_are_exposed_by_a_star", { HTTP_GET, "/stars", NULL, NULL, NULL }, 200,
	  "Vary: Accept\nAccess-Control-Allow-Origin: *\nAccess-Control-Expose-Headers: *\n" },
	{ "method_that_is_not_taken_is_405_with_cors", { HTTP_DELETE, "/full/x", A, NULL, NULL }, 405, FULL },
	{ "redirect_to_the_slash_has_cors", { HTTP_GET, "/full", A, NULL, NULL }, 308, FULL },
	{ "error_before_the_route_has_none", { HTTP_GET, "/full/%00", A, NULL, NULL }, 400, "" },
	{ "path_without_a_route_has_none", { HTTP_GET, "/nowhere", A, NULL, NULL }, 404, "" },

	{ "preflight_of_every_origin_is_a_star", { HTTP_OPTIONS, "/open/x", A, "PUT", NULL }, 204,
	  "Vary: " PREFLIGHT_VARY "Access-Control-Allow-Origin: *\n"
	  "Access-Control-Allow-Methods: GET, PUT\nAccess-Control-Max-Age: 600\n" },
	{ "preflight_of_an_origin_in_the_list", { HTTP_OPTIONS, "/some", B, "PUT", "x-a" }, 204, SOME_PREFLIGHT },
	{ "preflight_of_another_origin", { HTTP_OPTIONS, "/some", "https://c.example", "PUT", NULL }, 204,
	  "Vary: Origin, " PREFLIGHT_VARY },
	{ "preflight_for_a_method_that_is_not_taken", { HTTP_OPTIONS, "/some", A, "DELETE", NULL }, 204,
	  "Vary: Origin, " PREFLIGHT_VARY },
	{ "preflight_for_a_method_that_pages_may_not_use", { HTTP_OPTIONS, "/full/x", A, "GET", NULL }, 204,
	  "Vary: X-A\nVary: Origin, " PREFLIGHT_VARY },
	{ "preflight_for_a_method_in_lower_case", { HTTP_OPTIONS, "/some", A, "put", NULL }, 204,
	  "Vary: Origin, " PREFLIGHT_VARY },
	{ "preflight_for_an_unknown_method", { HTTP_OPTIONS, "/open/x", A, "FROB", NULL }, 204,
	  "Vary: " PREFLIGHT_VARY },
	{ "preflight_says_all_that_is_configured", { HTTP_OPTIONS, "/full/x", A, "PUT", "x-a" }, 204,
	  "Vary: X-A\nVary: Origin, " PREFLIGHT_VARY "Access-Control-Allow-Origin: " A
	  "\nAccess-Control-Allow-Credentials: true\nAccess-Control-Allow-Methods: PUT\n"
	  "Access-Control-Allow-Headers: X-A, Content-Type\nAccess-Control-Max-Age: 90\n" },
	{ "preflight_allows_all_fields_by_a_star", { HTTP_OPTIONS, "/stars", A, "GET", "x-a" }, 204,
	  "Vary: " PREFLIGHT_VARY "Access-Control-Allow-Origin: *\n"
	  "Access-Control-Allow-Methods: GET\nAccess-Control-Allow-Headers: *, Authorization\n"
	  "Access-Control-Max-Age: 0\n" },
	{ "preflight_of_a_bare_prefix_is_not_redirected", { HTTP_OPTIONS, "/full", B, "PUT", NULL }, 204,
	  "Vary: X-A\nVary: Origin, " PREFLIGHT_VARY },
	{ "preflight_of_a_route_without_cors", { HTTP_OPTIONS, "/closed", A, "PUT", NULL }, 204, "" },
	{ "options_without_origin_is_no_preflight", { HTTP_OPTIONS, "/some", NULL, "PUT", NULL }, 204,
	  "Vary: Origin\n" },
	{ "options_without_method_is_no_preflight", { HTTP_OPTIONS, "/some", A, NULL, NULL }, 204,
	  "Vary: Origin\nAccess-Control-Allow-Origin: " A "\n" },
	{ "get_with_a_method_is_no_preflight", { HTTP_GET, "/open/x", A, "PUT", NULL }, 200,
	  "Vary: Accept\nAccess-Control-Allow-Origin: *\n" },
};
/* clang-format on */

static void
run_case(void **state)
{
	const struct cors_case *c = *state;

	rig.refusal = 0;
	assert_int_equal(run(&c->ask), c->status);
	assert_string_equal(cors_lines(), c->expected);
}

static void
errors_and_304_of_the_route_have_the_fields(void **state)
{
	static const int statuses[] = { 304, 400, 404, 412, 416, 500, 503 };
	const struct ask ask = { HTTP_GET, "/some", A, NULL, NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		rig.refusal = statuses[i];
		assert_int_equal(run(&ask), statuses[i]);
		assert_non_null(strstr(rig.t.fields.ptr,
				       "Vary: Origin\nAccess-Control-Allow-Origin: " A
				       "\n"));
	}
	rig.refusal = 0;
}

static void
preflight_has_allow_and_asks_no_handler(void **state)
{
	const struct ask ask = { HTTP_OPTIONS, "/some", B, "PUT", NULL };

	(void)state;
	assert_int_equal(run(&ask), 204);
	assert_non_null(strstr(rig.t.fields.ptr, "Allow: GET, PUT, OPTIONS\n"));
	assert_int_equal(rig.opens, 0);
}

static void
preflight_wins_over_a_handler_that_takes_options(void **state)
{
	const struct ask preflight = { HTTP_OPTIONS, "/open/x", A, "GET", NULL };
	const struct ask plain = { HTTP_OPTIONS, "/open/x", A, NULL, NULL };

	(void)state;
	remake_site(&taker);
	assert_int_equal(run(&preflight), 204);
	assert_int_equal(rig.opens, 0);
	assert_int_equal(run(&plain), 200);
	assert_int_equal(rig.opens, 1);
	remake_site(&answer);
}

/* The text that goes out is the configuration's: what came is never sent back. */
static void
assert_own_text(void *ctx, const struct http_field *f)
{
	assert_ptr_not_equal(f->value.ptr, ctx);
}

static void
origin_of_the_request_is_not_sent_back_itself(void **state)
{
	char copy[] = A;
	const struct ask ask = { HTTP_GET, "/some", copy, NULL, NULL };

	(void)state;
	assert_int_equal(run(&ask), 200);
	assert_non_null(strstr(rig.t.fields.ptr, "Access-Control-Allow-Origin: " A "\n"));
	exchange_each_field(&rig.t.ex, assert_own_text, copy);
}

static void
server_line_follows_the_configuration(void **state)
{
	static const struct {
		const char *text, *begin;
	} rows[] = {
		{ "\"server_header\": \"websrv\"", "Server: websrv\r\n" },
		{ "\"server_header\": \"full\"", "Server: websrv/" },
		{ "\"server_header\": null", NULL },
	};
	const struct handler_ops *const kinds[] = { NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct made_site made;
		struct slice line;
		char text[200];

		snprintf(text, sizeof(text),
			 "{%s, \"servers\": [{\"listen\": [\"127.0.0.1:80\"]}]}",
			 rows[i].text);
		made_site_open(&made, text, "/", (struct handler_env){ 0 }, kinds, &page);
		line = made.site->vhosts[0].server_line;
		if (rows[i].begin == NULL) {
			assert_int_equal(line.len, 0);
		} else {
			assert_true(
				slice_starts_with(line, slice_from_str(rows[i].begin)));
			assert_true(slice_ends_with(line, SLICE("\r\n")));
		}
		made_site_close(&made);
	}
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(errors_and_304_of_the_route_have_the_fields),
		cmocka_unit_test(preflight_has_allow_and_asks_no_handler),
		cmocka_unit_test(preflight_wins_over_a_handler_that_takes_options),
		cmocka_unit_test(origin_of_the_request_is_not_sent_back_itself),
		cmocka_unit_test(server_line_follows_the_configuration),
	};
	static struct CMUnitTest tests[COUNT(answers) + COUNT(others)];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < COUNT(answers); i++)
		tests[COUNT(others) + i] =
			row_test(answers[i].name, run_case, &answers[i]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
