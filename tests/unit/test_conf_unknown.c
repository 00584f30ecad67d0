/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys that a section does not have: where they would be right, what they are called here,
 * or which one is near.
 */
#include "conf_errors.h"

#define FILES(s) ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\",\n" s "}}")

static void
key_of_an_enclosing_object_is_sent_there(void **state)
{
	static const struct error_case cases[] = {
		{ "route", FILES("\"download\": true"),
		  "t.json:3:1: /servers/0/routes/0/files/download: unknown key here; "
		  "\"download\" belongs to the route: /servers/0/routes/0/download\n" },
		{ "nearest_of_several", FILES("\"limits\": {}"),
		  "t.json:3:1: /servers/0/routes/0/files/limits: unknown key here; "
		  "\"limits\" belongs to the route: /servers/0/routes/0/limits\n" },
		{ "server", ROUTE("{\"path\": \"/\", \"respond\": {}, \"names\": []}"),
		  "t.json:2:30: /servers/0/routes/0/names: unknown key here; \"names\" "
		  "belongs to the server: /servers/0/names\n" },
		{ "top", SERVER("\"user\": \"x\""),
		  "t.json:2:1: /servers/0/user: unknown key here; \"user\" belongs to "
		  "the top of the file: /user\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
key_of_an_object_beneath_is_sent_there(void **state)
{
	static const struct error_case cases[] = {
		{ "action", ROUTE("{\"path\": \"/\", \"respond\": {}, \"root\": \"x\"}"),
		  "t.json:2:30: /servers/0/routes/0/root: unknown key here; \"root\" "
		  "belongs to \"files\": /servers/0/routes/0/files/root\n" },
		{ "server", TOP("\"routes\": []"),
		  "t.json:2:1: /routes: unknown key here; \"routes\" belongs to the "
		  "server: /servers/0/routes\n" },
		{ "over_several_levels", SERVER("\"index\": []"),
		  "t.json:2:1: /servers/0/index: unknown key here; \"index\" belongs to "
		  "\"files\": /servers/0/routes/0/files/index\n" },
		{ "of_a_later_version", SERVER("\"tls\": true"),
		  "t.json:2:1: /servers/0/tls: unknown key here; \"tls\" belongs to "
		  "\"listen\": /servers/0/listen/0/tls (not in this version yet)\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
key_of_a_neighbour_is_sent_there_but_not_far_away(void **state)
{
	static const struct error_case cases[] = {
		{ "neighbour", TOP("\"limits\": {\"idle\": 1}"),
		  "t.json:2:12: /limits/idle: unknown key here; \"idle\" belongs to "
		  "\"timeouts\": /timeouts/idle\n" },
		{ "neighbour_and_misspelt",
		  ROUTE("{\"path\": \"/\", \"respond\": {}, \"header\": {}}"),
		  "t.json:2:30: /servers/0/routes/0/header: unknown key here; \"header\" "
		  "belongs to \"timeouts\": /servers/0/timeouts/header; or did you mean "
		  "\"headers\"?\n" },
		{ "far_away", FILES("\"compress\": {\"level\": 5}"),
		  "t.json:3:14: /servers/0/routes/0/files/compress/level: unknown key; "
		  "write one of \"encodings\", \"types\", \"min_size\"\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
words_of_other_servers_are_known(void **state)
{
	static const struct error_case cases[] = {
		{ "here", SERVER("\"server_name\": []"),
		  "t.json:2:1: /servers/0/server_name: unknown key; here it is "
		  "\"names\"\n" },
		{ "elsewhere", SERVER("\"document_root\": \"x\""),
		  "t.json:2:1: /servers/0/document_root: unknown key; here it is "
		  "\"root\", which belongs to \"files\": "
		  "/servers/0/routes/0/files/root\n" },
		{ "first_what_it_means_here",
		  ROUTE("{\"path\": \"/\", \"redirect\": {\"location\": \"/a\"}}"),
		  "t.json:2:28: /servers/0/routes/0/redirect/location: unknown key; here "
		  "it is \"to\"\n" },
		{ "in_another_case", SERVER("\"Autoindex\": true"),
		  "t.json:2:1: /servers/0/Autoindex: unknown key; here it is "
		  "\"listing\", which belongs to \"files\": "
		  "/servers/0/routes/0/files/listing\n" },
	};

	(void)state;
	CHECK(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_of_an_enclosing_object_is_sent_there),
		cmocka_unit_test(key_of_an_object_beneath_is_sent_there),
		cmocka_unit_test(key_of_a_neighbour_is_sent_there_but_not_far_away),
		cmocka_unit_test(words_of_other_servers_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
