/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "auth": what is loaded, and what is said about mistakes.
 */
#include "conf_errors.h"

#include "base/password.h"
#include "http/names.h"

#define WITH(s) ROUTE("{\"path\": \"/*\", \"respond\": {},\n\"auth\": " s "}")
#define BASIC "\"basic\": {\"users\": \"u\"}"
#define BEARER "\"bearer\": {\"tokens\": \"/t\"}"
#define AT(column, item) "t.json:3:" column ": /servers/0/routes/0/auth" item ": "

static const struct conf_auth *
auth_of(const struct config *c)
{
	return &c->servers[0].routes[0].auth;
}

static void
auth_is_loaded_with_its_defaults(void **state)
{
	struct config *c = good(WITH("{" BEARER "}"));

	(void)state;
	assert_true(auth_of(c)->enabled);
	assert_true(auth_of(c)->bearer.enabled);
	assert_false(auth_of(c)->basic.enabled);
	assert_string_equal(auth_of(c)->bearer.tokens, "/t");
	assert_string_equal(auth_of(c)->bearer.realm, "websrv");
	assert_int_equal(auth_of(c)->methods, 0);
	conf_free(c);
}

static void
both_schemes_stand_beside_each_other(void **state)
{
	struct config *c;

	(void)state;
	if (!password_is_built_in())
		skip();
	c = good(WITH("{" BASIC ", " BEARER ", \"for\": [\"PUT\", \"OPTIONS\"]}"));
	assert_string_equal(auth_of(c)->basic.users, "/etc/u");
	assert_int_equal(auth_of(c)->basic.users_place.line, 3);
	assert_true(auth_of(c)->bearer.enabled);
	assert_int_equal(auth_of(c)->methods,
			 HTTP_BIT(HTTP_PUT) | HTTP_BIT(HTTP_OPTIONS));
	conf_free(c);
}

static void
without_it_there_is_none(void **state)
{
	struct config *c = good(ROUTE("{\"path\": \"/*\", \"respond\": {}}"));

	(void)state;
	assert_false(auth_of(c)->enabled);
	conf_free(c);
}

static void
mistakes_are_told_with_what_is_right(void **state)
{
	static const struct error_case cases[] = {
		{ "auth_of_nobody", WITH("{}"),
		  AT("9", "") "nobody would be let in; add \"basic\", \"bearer\" or "
			      "both\n" },
		{ "auth_without_users", WITH("{\"basic\": {}}"),
		  AT("19",
		     "/basic") "\"users\" is missing; add it: file of lines USER:HASH; "
			       "\"websrvctl passwd\" writes it\n" },
		{ "auth_with_an_empty_name_of_a_file",
		  WITH("{\"bearer\": {\"tokens\": \"\"}}"),
		  AT("31",
		     "/bearer/tokens") "\"\" is empty; write a value, it is needed\n" },
		{ "auth_with_an_empty_realm",
		  WITH("{\"bearer\": {\"tokens\": \"t\", \"realm\": \"\"}}"),
		  AT("45", "/bearer/realm") "\"\" is empty; write a value or leave the "
					    "key out\n" },
		{ "auth_with_a_realm_of_two_lines",
		  WITH("{\"bearer\": {\"tokens\": \"t\", \"realm\": \"a\\nb\"}}"),
		  AT("45",
		     "/bearer/realm") "\"a\\u000ab\" has a control character; write it "
				      "on one line\n" },
		{ "auth_for_no_method", WITH("{" BEARER ", \"for\": []}"),
		  AT("45", "/for") "\"for\" is empty; write at least one\n" },
		{ "auth_for_a_method_that_is_not_served",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"/\"},\n\"auth\": "
			"{" BEARER ", \"for\": [\"GET\", \"PUT\"]}}"),
		  AT("53",
		     "/for/1") "PUT is not served by this route; write some of GET, "
			       "HEAD, OPTIONS\n" },
		{ "auth_for_head_alone", WITH("{" BEARER ", \"for\": [\"HEAD\"]}"),
		  AT("45",
		     "/for") "has \"HEAD\" without \"GET\", which tells the same and "
			     "more; write \"GET\", which is both\n" },
	};

	(void)state;
	if (!password_is_built_in())
		skip();
	CHECK(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth_is_loaded_with_its_defaults),
		cmocka_unit_test(both_schemes_stand_beside_each_other),
		cmocka_unit_test(without_it_there_is_none),
		cmocka_unit_test(mistakes_are_told_with_what_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
