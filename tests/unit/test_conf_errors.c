/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said about a configuration that is wrong, word for word: syntax, keys, types.
 */
#include "conf_errors.h"

static void
text_that_is_no_json_is_told_where_and_why(void **state)
{
	static const struct error_case cases[] = {
		{ "empty_text", "",
		  "t.json:1:1: syntax: '[' or '{' expected near end of file; there is "
		  "no configuration in it, begin with \"{\"\n" },
		{ "trailing_comma_in_object", "{\"servers\": [],}",
		  "t.json:1:16: syntax: string or '}' expected near '}'; remove the "
		  "comma before \"}\"\n" },
		{ "trailing_comma_in_array", "{\"servers\": [1,]}",
		  "t.json:1:16: syntax: unexpected token near ']'; remove the comma "
		  "before \"]\"\n" },
		{ "missing_comma", "{\"user\": \"a\"\n \"group\": \"b\"}",
		  "t.json:2:2: syntax: '}' expected near '\"group\"'; write a comma "
		  "before it, or close what is open\n" },
		{ "unquoted_key", "{user: \"a\"}",
		  "t.json:1:2: syntax: string or '}' expected near 'user'; write a key "
		  "in double quotes\n" },
		{ "single_quotes", "{'user': 'a'}",
		  "t.json:1:2: syntax: string or '}' expected near '''; write strings in "
		  "double quotes\n" },
		{ "missing_colon", "{\"user\" \"a\"}",
		  "t.json:1:9: syntax: ':' expected near '\"a\"'; write a colon and a "
		  "value after a key\n" },
		{ "unclosed_string", "{\"user\": \"a\n}",
		  "t.json:1:10: syntax: unexpected newline near '\"a'; close the string "
		  "on its line, or write \\n in it\n" },
		{ "text_ends_early", "{\"servers\": [",
		  "t.json:1:14: syntax: ']' expected near end of file; the text ends too "
		  "early, close what is open\n" },
		{ "string_never_ends", "{\"user\": \"a",
		  "t.json:1:10: syntax: premature end of input near '\"a'; close the "
		  "string with a double quote\n" },
		{ "two_values", "{} {}",
		  "t.json:1:4: syntax: end of file expected near '{'; a configuration is "
		  "one object, remove what follows\n" },
		{ "unclosed_comment_has_its_begin_as_position",
		  "{\n  /* abc\n \"user\": 1}",
		  "t.json:2:3: syntax: this comment is never closed; end it with "
		  "\"*/\"\n" },
		{ "half_a_comment_mark", "{ \"user\": /x }",
		  "t.json:1:11: syntax: invalid token near '/'; write comments as // or "
		  "/* */\n" },
		{ "nul_escape_is_refused", "{\"user\": \"a\\u0000\"}",
		  "t.json:1:10: syntax: \\u0000 in a string; remove it, no value may "
		  "have a NUL\n" },
		{ "not_utf8", "{\"user\": \"\xff\"}",
		  "t.json:1:10: syntax: unable to decode byte 0xff near '\"'; save the "
		  "file as UTF-8\n" },
		{ "byte_order_mark", "\xef\xbb\xbf{}",
		  "t.json:1:1: syntax: the file begins with a byte order mark; save it "
		  "as UTF-8 without one\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
keys_are_known_and_there_once(void **state)
{
	static const struct error_case cases[] = {
		{ "comment_before_an_error_keeps_its_column",
		  "{/* \xc3\xa9 */ \"usr\": \"a\", \"servers\": [{\"listen\": "
		  "[\"127.0.0.1:1\"]}]}",
		  "t.json:1:11: /usr: unknown key; did you mean \"user\"?\n" },
		{ "array_at_the_top", "[]",
		  "t.json:1:1: this is an array; write an object\n" },
		{ "missing_servers", "\n {}",
		  "t.json:2:2: \"servers\" is missing; add it: what is served, and "
		  "where\n" },
		{ "no_servers", "{\"servers\": []}",
		  "t.json:1:13: /servers: \"servers\" is empty; write at least one\n" },
		{ "unknown_key_with_a_near_one", TOP("\"worker\": 1"),
		  "t.json:2:1: /worker: unknown key; did you mean \"workers\"?\n" },
		{ "unknown_key_without_a_near_one", TOP("\"limits\": {\"zzzzzz\": 1}"),
		  "t.json:2:12: /limits/zzzzzz: unknown key; write one of "
		  "\"connections\", \"connections_per_address\", "
		  "\"requests_per_address\", \"header_size\", \"header_count\", "
		  "\"uri_size\", "
		  "\"body_size\", \"ranges\", \"requests_per_connection\"\n" },
		{ "unknown_key_in_the_wrong_case", TOP("\"Workers\": 1"),
		  "t.json:2:1: /Workers: unknown key; did you mean \"workers\"?\n" },
		{ "duplicate_key", TOP("\"user\": \"a\", \"user\": \"b\""),
		  "t.json:2:14: /user: duplicate key; t.json:2:1 has it already, remove "
		  "one\n" },
		{ "duplicate_key_with_an_escape",
		  TOP("\"user\": \"a\", \"\\u0075ser\": \"b\""),
		  "t.json:2:14: /user: duplicate key; t.json:2:1 has it already, remove "
		  "one\n" },
		{ "pointer_is_escaped", TOP("\"a/b~c\": 1"),
		  "t.json:2:1: /a~1b~0c: unknown key; write one of \"$schema\", "
		  "\"include\", \"user\", \"group\", \"workers\", \"event_backend\", "
		  "\"sandbox\", \"pid_file\", \"control_socket\", "
		  "\"logs\", \"limits\", \"timeouts\", \"cache\", "
		  "\"server_header\", \"mime_types\", \"servers\"\n" },
		{ "control_character_in_a_key_is_shown", TOP("\"a\\u000ab\": 1"),
		  "t.json:2:1: /a\\u000ab: unknown key; write one of \"$schema\", "
		  "\"include\", \"user\", \"group\", \"workers\", \"event_backend\", "
		  "\"sandbox\", \"pid_file\", \"control_socket\", "
		  "\"logs\", \"limits\", \"timeouts\", \"cache\", "
		  "\"server_header\", \"mime_types\", \"servers\"\n" },
		{ "later_key", TOP("\"sandbox\": true"),
		  "t.json:2:12: /sandbox: this version cannot do that yet; leave it out "
		  "or write false\n" },
		{ "later_key_that_is_a_path", TOP("\"control_socket\": false"),
		  "t.json:2:19: /control_socket: this version cannot do that yet; leave "
		  "it out or write null\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
values_have_the_type_and_range_of_their_key(void **state)
{
	static const struct error_case cases[] = {
		{ "group_without_user", TOP("\"group\": \"web\""),
		  "t.json:2:10: /group: a group without a user would leave root in "
		  "charge; name the \"user\" too\n" },
		{ "workers_of_wrong_type", TOP("\"workers\": [4]"),
		  "t.json:2:12: /workers: this is an array; write a whole number from 1 "
		  "to 1024, or \"auto\"\n" },
		{ "workers_zero", TOP("\"workers\": 0"),
		  "t.json:2:12: /workers: 0 is too small; write a whole number from 1 to "
		  "1024, or \"auto\"\n" },
		{ "workers_negative", TOP("\"workers\": -1"),
		  "t.json:2:12: /workers: -1 is too small; write a whole number from 1 "
		  "to 1024, or \"auto\"\n" },
		{ "workers_misspelt", TOP("\"workers\": \"atuo\""),
		  "t.json:2:12: /workers: \"atuo\" is not understood; write a whole "
		  "number from 1 to 1024, or \"auto\"\n" },
		{ "workers_with_a_fraction", TOP("\"workers\": 1.5"),
		  "t.json:2:12: /workers: this is a number with a fraction; write a "
		  "whole number from 1 to 1024, or \"auto\"\n" },
		{ "kqueue_is_explained", TOP("\"event_backend\": \"kqueue\""),
		  "t.json:2:18: /event_backend: \"kqueue\" is not available on this "
		  "system; write one of \"auto\", \"epoll\", \"poll\", \"select\"\n" },
		{ "event_backend_misspelt", TOP("\"event_backend\": \"epol\""),
		  "t.json:2:18: /event_backend: \"epol\" is not known here; did you mean "
		  "\"epoll\"?\n" },
		{ "event_backend_unknown", TOP("\"event_backend\": \"io_uring\""),
		  "t.json:2:18: /event_backend: \"io_uring\" is not known here; write "
		  "one of \"auto\", \"epoll\", \"poll\", \"select\"\n" },
		{ "empty_user", TOP("\"user\": \"\""),
		  "t.json:2:9: /user: \"\" is empty; write a value or leave the key "
		  "out\n" },
		{ "null_user", TOP("\"user\": null"),
		  "t.json:2:9: /user: this is null; write a string, or leave it out\n" },
		{ "size_with_a_bad_unit", TOP("\"limits\": {\"body_size\": \"10m\"}"),
		  "t.json:2:25: /limits/body_size: \"10m\" is not understood; write a "
		  "size from 0 to 1024T: bytes, or a string such as \"10M\"\n" },
		{ "size_of_wrong_type", TOP("\"limits\": {\"body_size\": true}"),
		  "t.json:2:25: /limits/body_size: this is true; write a size from 0 to "
		  "1024T: bytes, or a string such as \"10M\"\n" },
		{ "size_too_big", TOP("\"limits\": {\"header_size\": \"1G\"}"),
		  "t.json:2:27: /limits/header_size: \"1G\" is too big; write a size "
		  "from 128 to 16M: bytes, or a string such as \"10M\"\n" },
		{ "size_that_overflows",
		  TOP("\"limits\": {\"body_size\": \"99999999999T\"}"),
		  "t.json:2:25: /limits/body_size: \"99999999999T\" is out of range; "
		  "write a size from 0 to 1024T: bytes, or a string such as \"10M\"\n" },
		{ "size_too_small", TOP("\"limits\": {\"uri_size\": 1}"),
		  "t.json:2:24: /limits/uri_size: 1 is too small; write a size from 16 "
		  "to 1M: bytes, or a string such as \"10M\"\n" },
		{ "duration_with_a_bad_unit", TOP("\"timeouts\": {\"header\": \"10 s\"}"),
		  "t.json:2:24: /timeouts/header: \"10 s\" is not understood; write a "
		  "duration from 1ms to 24d: seconds, or a string such as \"500ms\" or "
		  "\"2m\"\n" },
		{ "duration_zero", TOP("\"timeouts\": {\"header\": 0}"),
		  "t.json:2:24: /timeouts/header: 0 is too small; write a duration from "
		  "1ms to 24d: seconds, or a string such as \"500ms\" or \"2m\"\n" },
		{ "duration_negative_fraction", TOP("\"timeouts\": {\"header\": -0.5}"),
		  "t.json:2:24: /timeouts/header: -0.5 is out of range; write a duration "
		  "from 1ms to 24d: seconds, or a string such as \"500ms\" or \"2m\"\n" },
		{ "duration_too_long", TOP("\"timeouts\": {\"idle\": \"25d\"}"),
		  "t.json:2:22: /timeouts/idle: \"25d\" is too big; write a duration "
		  "from 1ms to 24d: seconds, or a string such as \"500ms\" or \"2m\"\n" },
		{ "bool_as_a_string",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"/x\", \"hidden\": "
			"\"yes\"}}"),
		  "t.json:2:50: /servers/0/routes/0/files/hidden: this is a string; "
		  "write true or false\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
logs_and_media_types_are_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "logs_access_false", TOP("\"logs\": {\"access\": false}"),
		  "t.json:2:20: /logs/access: this is false; write an object "
		  "with \"to\" in it, or null\n" },
		{ "logs_to_missing", TOP("\"logs\": {\"access\": {}}"),
		  "t.json:2:20: /logs/access: \"to\" is missing; add it: \"stderr\" or a "
		  "path\n" },
		{ "access_log_to_syslog",
		  TOP("\"logs\": {\"access\": {\"to\": \"syslog\"}}"),
		  "t.json:2:27: /logs/access/to: \"syslog\" is not known here; write "
		  "\"stderr\" or a path with a \"/\"\n" },
		{ "log_target_misspelt",
		  TOP("\"logs\": {\"error\": {\"to\": \"sterr\"}}"),
		  "t.json:2:26: /logs/error/to: \"sterr\" is not known here; did you "
		  "mean \"stderr\"?\n" },
		{ "log_target_stdout", TOP("\"logs\": {\"error\": {\"to\": \"stdout\"}}"),
		  "t.json:2:26: /logs/error/to: \"stdout\" is not known here; write "
		  "\"stderr\", \"syslog\" or a path with a \"/\"\n" },
		{ "log_level_unknown",
		  TOP("\"logs\": {\"error\": {\"level\": \"notice\"}}"),
		  "t.json:2:29: /logs/error/level: \"notice\" is not known here; write "
		  "one of \"error\", \"warning\", \"info\", \"debug\"\n" },
		{ "mime_type_without_a_dot",
		  TOP("\"mime_types\": {\"html\": \"text/html\"}"),
		  "t.json:2:16: /mime_types/html: \"html\" is not a file extension; "
		  "begin it with \".\", such as \".html\"\n" },
		{ "mime_type_without_a_slash",
		  TOP("\"mime_types\": {\".html\": \"text\"}"),
		  "t.json:2:25: /mime_types/.html: \"text\" is not a media type; write "
		  "type/subtype, such as \"text/html\"\n" },
		{ "mime_type_twice_in_other_case",
		  TOP("\"mime_types\": {\".a\": \"text/html\", \".A\": \"text/css\"}"),
		  "t.json:2:35: /mime_types/.A: the same name in another case stands at "
		  "t.json:2:16; remove one\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
ten_mistakes_give_ten_messages_in_the_order_of_the_file(void **state)
{
	static const char text[] =
		"{\n"
		"\x09// ten mistakes, each of another kind\n"
		"\x09\"wrokers\": 4,\n"
		"\x09\"event_backend\": \"kqueue\",\n"
		"\x09\"user\": \"a\", \"user\": \"b\",\n"
		"\x09\"limits\": { \"body_size\": \"10 MB\" },\n"
		"\x09\"timeouts\": { \"idle\": true },\n"
		"\x09\"servers\": [\n"
		"\x09\x09{\n"
		"\x09\x09\x09\"listen\": [\"localhost:8080\"],\n"
		"\x09\x09\x09\"headers\": { \"Connection\": \"close\" },\n"
		"\x09\x09\x09\"redirects\": { \"/a\": \"b\" },\n"
		"\x09\x09\x09\"routes\": [\n"
		"\x09\x09\x09\x09{ \"path\": \"/docs*\", \"files\": { \"root\": \"/srv\" "
		"} },\n"
		"\x09\x09\x09\x09{ \"path\": \"/x\" } /* no action */\n"
		"\x09\x09\x09]\n"
		"\x09\x09}\n"
		"\x09]\n"
		"}\n";
	static const char expected[] =
		"t.json:3:2: /wrokers: unknown key; did you mean \"workers\"?\n"
		"t.json:4:19: /event_backend: \"kqueue\" is not available on this "
		"system; write one of \"auto\", \"epoll\", \"poll\", \"select\"\n"
		"t.json:5:15: /user: duplicate key; t.json:5:2 has it already, remove "
		"one\n"
		"t.json:6:27: /limits/body_size: \"10 MB\" is not understood; write a "
		"size from 0 to 1024T: bytes, or a string such as \"10M\"\n"
		"t.json:7:24: /timeouts/idle: this is true; write a duration from 1ms to "
		"24d: seconds, or a string such as \"500ms\" or \"2m\"\n"
		"t.json:10:15: /servers/0/listen/0: \"localhost:8080\" has no numeric "
		"address, and names are not resolved; write \"127.0.0.1:8080\"\n"
		"t.json:11:17: /servers/0/headers/Connection: \"Connection\" is a header "
		"that the server sets itself; remove it\n"
		"t.json:12:25: /servers/0/redirects/~1a: \"b\" is neither a path nor a "
		"URL; begin it with \"/\", \"http://\" or \"https://\"\n"
		"t.json:14:15: /servers/0/routes/0/path: \"/docs*\" has a \"*\" that is "
		"not the whole last segment; write \"/*\" at the end\n"
		"t.json:15:5: /servers/0/routes/1: no action; add one of \"files\", "
		"\"upload\", \"redirect\", \"respond\", \"status\"\n";
	char *errors = errors_of(SLICE(text));

	(void)state;
	assert_non_null(errors);
	assert_string_equal(errors, expected);
	free(errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_is_no_json_is_told_where_and_why),
		cmocka_unit_test(keys_are_known_and_there_once),
		cmocka_unit_test(values_have_the_type_and_range_of_their_key),
		cmocka_unit_test(logs_and_media_types_are_checked),
		cmocka_unit_test(ten_mistakes_give_ten_messages_in_the_order_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
