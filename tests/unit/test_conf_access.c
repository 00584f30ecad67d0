/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "allow", "deny" and the status pages: what is loaded, and what is said about mistakes.
 */
#include "conf_errors.h"

#define WITH(s) ROUTE("{\"path\": \"/*\", \"respond\": {},\n" s "}")
#define AT(column, item) "t.json:3:" column ": /servers/0/routes/0/" item ": "

static void
lists_are_kept_in_one_form(void **state)
{
	struct config *c = good(
		WITH("\"allow\": [\"10.0.0.0/8\", \"192.0.2.7/32\", \"unix\","
		     " \"2001:DB8:0::/32\", \"0:0::1\"], \"deny\": [\"fe80::/10\"]"));
	const struct conf_route *r = &c->servers[0].routes[0];

	(void)state;
	assert_strings(&r->allow, "10.0.0.0/8 192.0.2.7 unix 2001:db8::/32 ::1");
	assert_strings(&r->deny, "fe80::/10");
	conf_free(c);
}

static void
without_lists_there_are_none(void **state)
{
	struct config *c = good(WITH("\"methods\": [\"GET\"]"));
	const struct conf_route *r = &c->servers[0].routes[0];

	(void)state;
	assert_int_equal(r->allow.count, 0);
	assert_int_equal(r->deny.count, 0);
	conf_free(c);
}

static void
status_pages_have_names(void **state)
{
	static const char *const texts[] = {
		ROUTE("{\"path\": \"/\", \"status\": \"health\"}"),
		ROUTE("{\"path\": \"/\", \"status\": \"metrics\"}"),
		ROUTE("{\"path\": \"/\", \"status\": \"page\"}"),
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct config *c = good(texts[i]);

		assert_int_equal(c->servers[0].routes[0].status, i);
		assert_int_equal(c->servers[0].routes[0].actions, CONF_ACTION_STATUS);
		conf_free(c);
	}
}

static void
blocks_that_are_wrong_are_told_with_what_is_right(void **state)
{
	static const struct error_case cases[] = {
		{ "allow_of_a_name", WITH("\"allow\": [\"localhost\"]"),
		  AT("11",
		     "allow/0") "\"localhost\" is no numeric address, and names are "
				"not resolved; write one such as \"192.0.2.7\", "
				"\"10.0.0.0/8\" or \"2001:db8::/32\", or "
				"\"unix\"\n" },
		{ "allow_of_everything", WITH("\"allow\": [\"*\"]"),
		  AT("11", "allow/0") "\"*\" is no address; write \"0.0.0.0/0\", "
				      "\"::/0\" and \"unix\" for all\n" },
		{ "allow_with_brackets", WITH("\"allow\": [\"[::1]\"]"),
		  AT("11", "allow/0") "\"[::1]\" has brackets; write \"::1\", or "
				      "\"2001:db8::/32\"\n" },
		{ "allow_of_one_unix_socket", WITH("\"allow\": [\"unix:/run/x\"]"),
		  AT("11", "allow/0") "\"unix:/run/x\" has a path; write \"unix\" for "
				      "all unix sockets\n" },
		{ "deny_with_a_long_prefix", WITH("\"deny\": [\"::1\", \"10.0.0.0/33\"]"),
		  AT("17", "deny/1") "\"10.0.0.0/33\" has a bad prefix length; write a "
				     "number from 0 to 32 behind the \"/\"\n" },
		{ "deny_with_a_long_prefix_of_ipv6", WITH("\"deny\": [\"::/129\"]"),
		  AT("10", "deny/0") "\"::/129\" has a bad prefix length; write a number "
				     "from 0 to 128 behind the \"/\"\n" },
		{ "deny_with_a_netmask", WITH("\"deny\": [\"10.0.0.0/255.0.0.0\"]"),
		  AT("10", "deny/0") "\"10.0.0.0/255.0.0.0\" has a bad prefix length; "
				     "write a number from 0 to 32 behind the \"/\"\n" },
		{ "deny_with_host_bits", WITH("\"deny\": [\"10.0.0.1/8\"]"),
		  AT("10", "deny/0") "\"10.0.0.1/8\" has bits set behind its prefix; "
				     "write \"10.0.0.0/8\", or \"10.0.0.1\" for this "
				     "address alone\n" },
		{ "deny_of_mapped_addresses", WITH("\"deny\": [\"::ffff:10.0.0.0/104\"]"),
		  AT("10", "deny/0") "\"::ffff:10.0.0.0/104\" is IPv4 in the form of "
				     "IPv6; write \"10.0.0.0/8\"\n" },
		{ "deny_of_a_number", WITH("\"deny\": [\"::1\", 10]"),
		  AT("17", "deny/1") "this is a number; write a string\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
lists_that_cannot_be_meant_are_errors(void **state)
{
	static const struct error_case cases[] = {
		{ "allow_of_nobody", WITH("\"allow\": []"),
		  AT("10", "allow") "\"allow\" is empty; write at least one\n" },
		{ "deny_of_nobody", WITH("\"deny\": []"),
		  AT("9", "deny") "\"deny\" is empty; write at least one\n" },
		{ "allow_as_a_word", WITH("\"allow\": \"::1\""),
		  AT("10", "allow") "this is a string; write an array of strings\n" },
		{ "allow_twice", WITH("\"allow\": [\"::1\", \"unix\", \"0::0:1/128\"]"),
		  AT("26", "allow/2") "\"::1\" is there twice; remove one\n" },
		{ "unix_twice", WITH("\"deny\": [\"unix\", \"unix\"]"),
		  AT("18", "deny/1") "\"unix\" is there twice; remove one\n" },
		{ "allow_that_is_denied",
		  WITH("\"allow\": [\"10.1.0.0/16\", \"11.0.0.0/8\", \"unix\"],"
		       " \"deny\": [\"10.0.0.0/8\", \"11.1.0.0/16\", \"unix\"]"),
		  AT("11", "allow/0") "\"10.1.0.0/16\" is in \"deny\" as \"10.0.0.0/8\", "
				      "which is looked at first; remove one of them\n" AT(
					      "40", "allow/2") "\"unix\" is in \"deny\" "
							       "as \"unix\", which is "
							       "looked at first; remove "
							       "one of them\n" },
		{ "alow", WITH("\"alow\": [\"::1\"]"),
		  AT("1", "alow") "unknown key; did you mean \"allow\"?\n" },
	};

	(void)state;
	CHECK(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_kept_in_one_form),
		cmocka_unit_test(without_lists_there_are_none),
		cmocka_unit_test(status_pages_have_names),
		cmocka_unit_test(blocks_that_are_wrong_are_told_with_what_is_right),
		cmocka_unit_test(lists_that_cannot_be_meant_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
