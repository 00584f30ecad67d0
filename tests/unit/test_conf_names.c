/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Host names in the configuration: what is written in Unicode is kept as it goes over the
 * wire, and what cannot be is told. Both kinds of builds, with libidn2 and without, are tested.
 */
#include <stdio.h>

#include "conf_errors.h"
#include "base/idna.h"

#define BUECHER                                                                          \
	"b\xc3\xbc"                                                                      \
	"cher.example"
#define GROSS                                                                            \
	"B\xc3\x9c"                                                                      \
	"CHER.example"

static void
needs_idna(void)
{
	if (!idna_is_built_in())
		skip();
}

static void
assert_name(const char *written, const char *expected)
{
	char text[512];
	struct config *c;

	snprintf(text, sizeof(text), SERVER("\"names\": [\"%s\"]"), written);
	c = good(text);
	assert_int_equal(c->servers[0].names.count, 1);
	assert_string_equal(c->servers[0].names.items[0], expected);
	conf_free(c);
}

static void
names_in_unicode_are_kept_in_ascii(void **state)
{
	(void)state;
	needs_idna();
	assert_name(BUECHER, "xn--bcher-kva.example");
	assert_name("*." BUECHER, "*.xn--bcher-kva.example");
	assert_name(GROSS, "xn--bcher-kva.example");
	/* u and a combining diaeresis */
	assert_name("bu\xcc\x88"
		    "cher.example",
		    "xn--bcher-kva.example");
	/* Not transitional: that would be "strasse". */
	assert_name("stra\xc3\x9f"
		    "e.example",
		    "xn--strae-oqa.example");
	/* The full stop of Japanese. */
	assert_name("\xe6\x97\xa5\xe6\x9c\xac\xe3\x80\x82jp", "xn--wgv71a.jp");
}

static void
names_in_ascii_are_not_touched_but_for_their_case(void **state)
{
	(void)state;
	assert_name("xn--BCHER-kva.Example", "xn--bcher-kva.example");
	assert_name("a_b.example", "a_b.example");
	assert_name("ab--c.example", "ab--c.example");
	assert_name("-", "-");
}

static void
addresses_have_their_shortest_form(void **state)
{
	(void)state;
	assert_name("[::1]", "[::1]");
	assert_name("[0:0:0:0:0:0:0:1]", "[::1]");
	assert_name("[2001:DB8::0:7]", "[2001:db8::7]");
	assert_name("192.0.2.7", "192.0.2.7");
}

static void
hosts_of_targets_in_unicode_are_converted(void **state)
{
	struct config *c;
	const struct conf_server *s;

	(void)state;
	needs_idna();
	c = good(SERVER(
		"\"redirects\": {\"/a\": \"https://" GROSS ":8080/x?y#z\"}, \"routes\": ["
		"{\"path\": \"/*\", \"redirect\": {\"to\": \"http://" BUECHER "/*\"}, "
		"\"cors\": [\"https://" BUECHER "\"]}]"));
	s = &c->servers[0];
	assert_string_equal(s->redirects[0].to,
			    "https://xn--bcher-kva.example:8080/x?y#z");
	assert_string_equal(s->routes[0].redirect.to, "http://xn--bcher-kva.example/*");
	assert_string_equal(s->routes[0].cors.origins.items[0],
			    "https://xn--bcher-kva.example");
	conf_free(c);
}

static void
names_that_cannot_be_are_told(void **state)
{
	static const struct error_case cases[] = {
		{ "symbol", SERVER("\"names\": [\"\xe2\x98\x83.example\"]"),
		  "t.json:2:11: /servers/0/names/0: \"\xe2\x98\x83.example\" cannot be a "
		  "name on the network: string contains a disallowed character; write "
		  "another, or its punycode form (\"xn--...\")\n" },
		{ "space", SERVER("\"names\": [\"b\xc3\xbc cher\"]"),
		  "t.json:2:11: /servers/0/names/0: \"b\xc3\xbc cher\" cannot be a name "
		  "on "
		  "the network: it has other than letters, digits, \"-\" and \".\"; "
		  "write another, or its punycode form (\"xn--...\")\n" },
		{ "port", SERVER("\"names\": [\"" BUECHER ":80\"]"),
		  "t.json:2:11: /servers/0/names/0: \"" BUECHER ":80\" has a port; write "
		  "the name alone, ports stand in \"listen\"\n" },
		{ "same_name_twice",
		  SERVER("\"names\": [\"" BUECHER "\", \"" GROSS "\", "
			 "\"xn--bcher-kva.example\"]"),
		  "t.json:2:30: /servers/0/names/1: \"xn--bcher-kva.example\" is listed "
		  "twice in this server, first at t.json:2:11; remove one\n"
		  "t.json:2:49: /servers/0/names/2: \"xn--bcher-kva.example\" is listed "
		  "twice in this server, first at t.json:2:11; remove one\n" },
		{ "target", SERVER("\"redirects\": {\"/a\": \"https://\xe2\x98\x83/\"}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"https://\xe2\x98\x83/\" has "
		  "a "
		  "host that cannot be a name on the network: string contains a "
		  "disallowed character; write another, or its punycode form "
		  "(\"xn--...\")\n" },
		{ "path_of_a_target",
		  SERVER("\"redirects\": {\"/a\": \"https://\xc3\xbc/\xc3\xbc\"}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"https://\xc3\xbc/\xc3\xbc\" "
		  "is "
		  "not ASCII; percent-encode it\n" },
	};

	(void)state;
	needs_idna();
	CHECK(cases);
}

static void
without_the_library_the_ascii_form_is_asked_for(void **state)
{
	static const struct error_case cases[] = {
		{ "name", SERVER("\"names\": [\"" BUECHER "\"]"),
		  "t.json:2:11: /servers/0/names/0: \"" BUECHER "\" is not ASCII, and "
		  "without libidn2 it is not converted; write its punycode form "
		  "(\"xn--...\")\n" },
		{ "target", SERVER("\"redirects\": {\"/a\": \"https://" BUECHER "\"}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"https://" BUECHER
		  "\" has a host that is not ASCII, and without libidn2 it is not "
		  "converted; write its punycode form (\"xn--...\")\n" },
	};

	(void)state;
	if (idna_is_built_in())
		skip();
	CHECK(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_unicode_are_kept_in_ascii),
		cmocka_unit_test(names_in_ascii_are_not_touched_but_for_their_case),
		cmocka_unit_test(addresses_have_their_shortest_form),
		cmocka_unit_test(hosts_of_targets_in_unicode_are_converted),
		cmocka_unit_test(names_that_cannot_be_are_told),
		cmocka_unit_test(without_the_library_the_ascii_form_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
