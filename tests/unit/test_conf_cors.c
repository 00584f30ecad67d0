/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "cors", "server_header", and the headers that a server has by default: what is loaded,
 * and what is said about mistakes.
 */
#include "conf_errors.h"

#define CORS(s) ROUTE("{\"path\": \"/*\", \"respond\": {},\n\"cors\": " s "}")

static const struct conf_cors *
cors_of(const struct config *c)
{
	return &c->servers[0].routes[0].cors;
}

static void
cors_is_off_unless_it_is_there(void **state)
{
	static const char *const texts[] = {
		ROUTE("{\"path\": \"/*\", \"respond\": {}}"),
		CORS("false"),
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct config *c = good(texts[i]);

		assert_false(cors_of(c)->enabled);
		assert_int_equal(cors_of(c)->origins.count, 0);
		conf_free(c);
	}
}

static void
cors_true_is_every_origin(void **state)
{
	static const char *const texts[] = { CORS("true"), CORS("{}"), CORS("[\"*\"]") };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct config *c = good(texts[i]);
		const struct conf_cors *cors = cors_of(c);

		assert_true(cors->enabled);
		assert_strings(&cors->origins, "*");
		assert_int_equal(cors->methods.count, 0);
		assert_int_equal(cors->headers.count, 0);
		assert_int_equal(cors->expose.count, 0);
		assert_false(cors->credentials);
		assert_int_equal(cors->max_age_ms, 600000);
		conf_free(c);
	}
}

static void
cors_as_an_array_is_its_origins(void **state)
{
	struct config *c = good(CORS("[\"https://a.example\", \"http://localhost:3000\","
				     " \"http://[::1]:8080\", \"http://127.0.0.1\","
				     " \"chrome-extension://abcdef\"]"));

	(void)state;
	assert_true(cors_of(c)->enabled);
	assert_strings(&cors_of(c)->origins,
		       "https://a.example http://localhost:3000 http://[::1]:8080 "
		       "http://127.0.0.1 chrome-extension://abcdef");
	conf_free(c);
}

static void
cors_as_an_object_says_it_all(void **state)
{
	struct config *c =
		good(CORS("{\"origins\": [\"https://a.example\"], \"methods\": [\"GET\","
			  " \"PUT\"], \"headers\": [\"X-A\", \"Content-Type\"],"
			  " \"expose\": [\"ETag\"], \"credentials\": true,"
			  " \"max_age\": \"1h\"}"));
	const struct conf_cors *cors = cors_of(c);

	(void)state;
	assert_true(cors->enabled);
	assert_strings(&cors->origins, "https://a.example");
	assert_strings(&cors->methods, "GET PUT");
	assert_strings(&cors->headers, "X-A Content-Type");
	assert_strings(&cors->expose, "ETag");
	assert_true(cors->credentials);
	assert_int_equal(cors->max_age_ms, 3600000);
	conf_free(c);
}

static void
origins_are_written_as_browsers_send_them(void **state)
{
	static const struct error_case cases[] = {
		{ "origin_with_a_slash", CORS("[\"https://a.example/\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a.example/\" ends "
		  "in \"/\", which is no part of an origin; remove it\n" },
		{ "origin_with_a_path", CORS("[\"https://a.example/b\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a.example/b\" has "
		  "a path, which is no part of an origin; remove it\n" },
		{ "origin_in_upper_case", CORS("[\"https://A.example\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://A.example\" has "
		  "upper-case letters; browsers send lower case, write that\n" },
		{ "origin_without_a_scheme", CORS("[\"a.example\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"a.example\" has no scheme; "
		  "write \"https://\" or \"http://\" before the host\n" },
		{ "origin_with_a_port_and_no_scheme", CORS("[\"localhost:3000\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"localhost:3000\" has no "
		  "scheme; write \"https://\" or \"http://\" before the host\n" },
		{ "origin_null", CORS("[\"null\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"null\" is the origin of "
		  "every sandboxed page and local file, so it would let anyone in; name "
		  "origins, or write \"*\"\n" },
		{ "origin_with_a_star", CORS("[\"https://*.example\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://*.example\" has a "
		  "\"*\" in it, but origins are compared as a whole; name each one, or "
		  "write \"*\" alone for all\n" },
		{ "origin_with_the_port_of_https", CORS("[\"https://a.example:443\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a.example:443\" "
		  "has the port of its scheme, which browsers leave out; remove it\n" },
		{ "origin_with_the_port_of_http", CORS("[\"http://a.example:80\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"http://a.example:80\" has "
		  "the port of its scheme, which browsers leave out; remove it\n" },
		{ "origin_with_an_empty_port", CORS("[\"https://a.example:\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a.example:\" has a "
		  "port that browsers write otherwise; write \":8080\", or no \":\"\n" },
		{ "origin_with_a_zero_before_its_port",
		  CORS("[\"https://a.example:08\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a.example:08\" has "
		  "a port that browsers write otherwise; write \":8080\", or no "
		  "\":\"\n" },
		{ "origin_with_a_port_out_of_range",
		  CORS("[\"https://a.example:65536\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a.example:65536\" "
		  "has no valid host; write an origin such as "
		  "\"https://example.org\"\n" },
		{ "origin_with_a_user", CORS("[\"https://u@a.example\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://u@a.example\" has "
		  "a user, who is no part of an origin; remove it\n" },
		{ "origin_without_a_host", CORS("[\"https://\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://\" has no valid "
		  "host; write an origin such as \"https://example.org\"\n" },
		{ "origin_with_a_space", CORS("[\"https://a b\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a b\" has no valid "
		  "host; write an origin such as \"https://example.org\"\n" },
		{ "origin_with_a_line_end", CORS("[\"https://a\\r\\nX: y\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"https://a\\u000d\\u000aX: "
		  "y\" has upper-case letters; browsers send lower case, write that\n" },
		{ "origin_empty", CORS("[\"\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: \"\" has no scheme; write "
		  "\"https://\" or \"http://\" before the host\n" },
		{ "origin_twice", CORS("[\"https://a.example\", \"https://a.example\"]"),
		  "t.json:3:31: /servers/0/routes/0/cors/1: \"https://a.example\" is "
		  "there twice; remove one\n" },
		{ "origin_beside_a_star", CORS("[\"https://a.example\", \"*\"]"),
		  "t.json:3:31: /servers/0/routes/0/cors/1: \"*\" is every origin "
		  "already; remove the others\n" },
		{ "origin_beside_a_star_in_an_object",
		  CORS("{\"origins\": [\"*\", \"https://a.example\"]}"),
		  "t.json:3:22: /servers/0/routes/0/cors/origins/0: \"*\" is every "
		  "origin already; remove the others\n" },
		{ "no_origin", CORS("[]"),
		  "t.json:3:9: /servers/0/routes/0/cors: \"origins\" is empty; write at "
		  "least one\n" },
		{ "origin_that_is_a_number", CORS("[1, \"*\"]"),
		  "t.json:3:10: /servers/0/routes/0/cors/0: this is a number; write a "
		  "string\n"
		  "t.json:3:13: /servers/0/routes/0/cors/1: \"*\" is every origin "
		  "already; remove the others\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
cors_is_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "cors_as_a_word", CORS("\"*\""),
		  "t.json:3:9: /servers/0/routes/0/cors: this is a string; write true, "
		  "false, an array of origins or an object\n" },
		{ "cors_null", CORS("null"),
		  "t.json:3:9: /servers/0/routes/0/cors: this is null; write true, "
		  "false, an array of origins or an object, or leave it out\n" },
		{ "cors_with_a_misspelt_key", CORS("{\"origin\": [\"*\"]}"),
		  "t.json:3:10: /servers/0/routes/0/cors/origin: unknown key; did you "
		  "mean \"origins\"?\n" },
		{ "credentials_for_every_origin", CORS("{\"credentials\": true}"),
		  "t.json:3:25: /servers/0/routes/0/cors/credentials: browsers give no "
		  "credentials where every origin is allowed; name the \"origins\", or "
		  "write false\n" },
		{ "credentials_with_a_star",
		  CORS("{\"origins\": [\"*\"], \"credentials\": true}"),
		  "t.json:3:43: /servers/0/routes/0/cors/credentials: browsers give no "
		  "credentials where every origin is allowed; name the \"origins\", or "
		  "write false\n" },
		{ "credentials_with_any_header",
		  CORS("{\"origins\": [\"https://a.example\"], \"credentials\": true,\n"
		       "\"headers\": [\"Authorization\", \"*\"]}"),
		  "t.json:4:30: /servers/0/routes/0/cors/headers/1: \"*\" is not "
		  "understood by browsers beside \"credentials\"; name the fields\n" },
		{ "credentials_and_everything_exposed",
		  CORS("{\"origins\": [\"https://a.example\"], \"credentials\": true,\n"
		       "\"expose\": [\"*\"]}"),
		  "t.json:4:12: /servers/0/routes/0/cors/expose/0: \"*\" is not "
		  "understood by browsers beside \"credentials\"; name the fields\n" },
		{ "cors_method_misspelt", CORS("{\"methods\": [\"GTE\"]}"),
		  "t.json:3:22: /servers/0/routes/0/cors/methods/0: \"GTE\" is not known "
		  "here; did you mean \"GET\"?\n" },
		{ "cors_method_that_is_not_served", CORS("{\"methods\": [\"TRACE\"]}"),
		  "t.json:3:22: /servers/0/routes/0/cors/methods/0: \"TRACE\" is never "
		  "served; write one of \"GET\", \"HEAD\", \"POST\", \"PUT\", "
		  "\"DELETE\", \"PATCH\"\n" },
		{ "cors_method_that_the_route_does_not_take",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\"}, \"methods\": "
			"[\"GET\"],\n\"cors\": {\"methods\": [\"GET\", \"HEAD\"]}}"),
		  "t.json:3:29: /servers/0/routes/0/cors/methods/1: HEAD is not served "
		  "by this route; write some of GET\n" },
		{ "cors_method_that_files_do_not_serve",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\"},\n"
			"\"cors\": {\"methods\": [\"PUT\"]}}"),
		  "t.json:3:22: /servers/0/routes/0/cors/methods/0: PUT is not served by "
		  "this route; write some of GET, HEAD\n" },
		{ "cors_no_method", CORS("{\"methods\": []}"),
		  "t.json:3:21: /servers/0/routes/0/cors/methods: \"methods\" is empty; "
		  "write at least one\n" },
		{ "cors_header_that_is_no_name", CORS("{\"headers\": [\"X A\"]}"),
		  "t.json:3:22: /servers/0/routes/0/cors/headers/0: \"X A\" is not the "
		  "name of a field; write letters, digits and \"-\", or \"*\" alone for "
		  "any\n" },
		{ "cors_header_empty", CORS("{\"headers\": [\"\"]}"),
		  "t.json:3:22: /servers/0/routes/0/cors/headers/0: \"\" is not the name "
		  "of a field; write letters, digits and \"-\", or \"*\" alone for "
		  "any\n" },
		{ "cors_header_twice", CORS("{\"expose\": [\"ETag\", \"ETag\"]}"),
		  "t.json:3:29: /servers/0/routes/0/cors/expose/1: \"ETag\" is there "
		  "twice; remove one\n" },
		{ "cors_max_age_too_long", CORS("{\"max_age\": \"25d\"}"),
		  "t.json:3:21: /servers/0/routes/0/cors/max_age: \"25d\" is too big; "
		  "write a duration from 0 to 24d: seconds, or a string such as "
		  "\"500ms\" or \"2m\"\n" },
		{ "cors_header_of_the_route",
		  CORS("true, \"headers\": {\"access-control-allow-origin\": \"*\"}"),
		  "t.json:3:27: /servers/0/routes/0/headers/access-control-allow-origin: "
		  "stands beside \"cors\", which sends this field; remove one of "
		  "them\n" },
		{ "cors_header_of_the_server",
		  SERVER("\"headers\": {\"Access-Control-Max-Age\": \"5\"}, \"routes\": "
			 "[\n{\"path\": \"/\", \"respond\": {}, \"cors\": true}]"),
		  "t.json:3:30: /servers/0/routes/0/cors: the server has the header "
		  "\"Access-Control-Max-Age\" at t.json:2:13, which \"cors\" sends; "
		  "remove it there\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
header_of_the_server_that_a_route_removes_may_stand_beside_cors(void **state)
{
	struct config *c = good(
		SERVER("\"headers\": {\"Access-Control-Allow-Origin\": \"*\"}, "
		       "\"routes\": [{\"path\": \"/\", \"respond\": {}, \"cors\": true,"
		       " \"headers\": {\"Access-Control-Allow-Origin\": null}}]"));

	(void)state;
	assert_true(cors_of(c)->enabled);
	conf_free(c);
}

/* --- server_header --- */

static void
server_header_is_that_of_the_top_unless_the_server_has_one(void **state)
{
	static const struct {
		const char *text;
		enum conf_server_header top, server;
	} rows[] = {
		{ SERVER("\"names\": []"), CONF_SERVER_HEADER_NAME,
		  CONF_SERVER_HEADER_NAME },
		{ TOP("\"server_header\": \"full\""), CONF_SERVER_HEADER_FULL,
		  CONF_SERVER_HEADER_FULL },
		{ TOP("\"server_header\": null"), CONF_SERVER_HEADER_NONE,
		  CONF_SERVER_HEADER_NONE },
		{ SERVER("\"server_header\": null"), CONF_SERVER_HEADER_NAME,
		  CONF_SERVER_HEADER_NONE },
		{ "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
		  " \"server_header\": \"websrv\"}], \"server_header\": null}",
		  CONF_SERVER_HEADER_NONE, CONF_SERVER_HEADER_NAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *c = good(rows[i].text);

		assert_int_equal(c->server_header, rows[i].top);
		assert_int_equal(c->servers[0].server_header, rows[i].server);
		conf_free(c);
	}
}

static void
server_header_is_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "server_header_false", TOP("\"server_header\": false"),
		  "t.json:2:18: /server_header: this is false; write one of \"websrv\", "
		  "\"full\", null\n" },
		{ "server_header_misspelt", TOP("\"server_header\": \"ful\""),
		  "t.json:2:18: /server_header: \"ful\" is not known here; did you mean "
		  "\"full\"?\n" },
		{ "server_header_of_ones_own", SERVER("\"server_header\": \"Apache\""),
		  "t.json:2:18: /servers/0/server_header: \"Apache\" is not known here; "
		  "write one of \"websrv\", \"full\", null\n" },
		{ "server_header_null_in_quotes", TOP("\"server_header\": \"null\""),
		  "t.json:2:18: /server_header: \"null\" is a string; write null without "
		  "quotes\n" },
	};

	(void)state;
	CHECK(cases);
}

/* --- headers --- */

static void
content_types_are_not_guessed_unless_the_server_says_so(void **state)
{
	static const struct {
		const char *text, *value;
		size_t count;
	} rows[] = {
		{ SERVER("\"names\": []"), "nosniff", 1 },
		{ SERVER("\"headers\": {}"), "nosniff", 1 },
		{ SERVER("\"headers\": {\"X-A\": \"1\"}"), "nosniff", 2 },
		{ SERVER("\"headers\": {\"x-content-type-options\": \"x\"}"), "x", 1 },
		{ SERVER("\"headers\": {\"x-content-type-options\": null}"), NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *c = good(rows[i].text);
		const struct conf_pairs *h = &c->servers[0].headers;

		assert_int_equal(h->count, rows[i].count);
		if (rows[i].value != NULL)
			assert_string_equal(h->items[0].value, rows[i].value);
		conf_free(c);
	}
}

static void
route_may_remove_what_its_server_has_by_default(void **state)
{
	struct config *c = good(ROUTE("{\"path\": \"/a\", \"respond\": {}, \"headers\": "
				      "{\"X-Content-Type-Options\": null}},"
				      "{\"path\": \"/b\", \"respond\": {}}"));

	(void)state;
	assert_int_equal(c->servers[0].routes[0].headers.count, 0);
	assert_int_equal(c->servers[0].routes[1].headers.count, 1);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cors_is_off_unless_it_is_there),
		cmocka_unit_test(cors_true_is_every_origin),
		cmocka_unit_test(cors_as_an_array_is_its_origins),
		cmocka_unit_test(cors_as_an_object_says_it_all),
		cmocka_unit_test(origins_are_written_as_browsers_send_them),
		cmocka_unit_test(cors_is_checked),
		cmocka_unit_test(
			header_of_the_server_that_a_route_removes_may_stand_beside_cors),
		cmocka_unit_test(
			server_header_is_that_of_the_top_unless_the_server_has_one),
		cmocka_unit_test(server_header_is_checked),
		cmocka_unit_test(content_types_are_not_guessed_unless_the_server_says_so),
		cmocka_unit_test(route_may_remove_what_its_server_has_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
