/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said about servers and routes that are wrong, word for word.
 */
#include "base/regex.h"
#include "conf_errors.h"

static void
addresses_are_numeric_and_there_once(void **state)
{
	static const struct error_case cases[] = {
		{ "listen_missing", "{\"servers\": [{}]}",
		  "t.json:1:14: /servers/0: \"listen\" is missing; add it: addresses, "
		  "such as [\"127.0.0.1:8080\"]\n" },
		{ "listen_empty", "{\"servers\": [{\"listen\": []}]}",
		  "t.json:1:25: /servers/0/listen: \"listen\" is empty; write at least "
		  "one\n" },
		{ "listen_as_a_string", "{\"servers\": [{\"listen\": \"127.0.0.1:80\"}]}",
		  "t.json:1:25: /servers/0/listen: this is a string; write an array of "
		  "strings or objects\n" },
		{ "listen_on_localhost",
		  "{\"servers\": [{\"listen\": [\"localhost:8080\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"localhost:8080\" has no numeric "
		  "address, and names are not resolved; write \"127.0.0.1:8080\"\n" },
		{ "listen_on_a_name",
		  "{\"servers\": [{\"listen\": [\"example.org:80\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"example.org:80\" has no numeric "
		  "address, and names are not resolved; write \"127.0.0.1:80\"\n" },
		{ "listen_on_a_port_alone", "{\"servers\": [{\"listen\": [\"8080\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"8080\" has no address; write "
		  "\"127.0.0.1:8080\", or \"0.0.0.0:8080\" for all interfaces\n" },
		{ "listen_without_a_host", "{\"servers\": [{\"listen\": [\":8080\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \":8080\" has no address; write "
		  "\"0.0.0.0:8080\" for all interfaces, or \"127.0.0.1:8080\"\n" },
		{ "listen_on_a_star", "{\"servers\": [{\"listen\": [\"*:8080\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"*:8080\" has no address; write "
		  "\"0.0.0.0:8080\" for all interfaces, or \"127.0.0.1:8080\"\n" },
		{ "listen_without_a_port",
		  "{\"servers\": [{\"listen\": [\"127.0.0.1\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"127.0.0.1\" has no port; write an "
		  "address and a port, such as \"127.0.0.1:8080\"\n" },
		{ "listen_on_a_port_out_of_range",
		  "{\"servers\": [{\"listen\": [\"127.0.0.1:65536\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"127.0.0.1:65536\" has a bad port; "
		  "write a number from 0 to 65535\n" },
		{ "listen_on_ipv6_without_brackets",
		  "{\"servers\": [{\"listen\": [\"::1:8080\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"::1:8080\" is ambiguous; write an "
		  "IPv6 address in brackets: \"[::1]:8080\"\n" },
		{ "listen_on_brackets_without_a_port",
		  "{\"servers\": [{\"listen\": [\"[::1]\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"[::1]\" has no port; write "
		  "\"[::1]:8080\"\n" },
		{ "listen_on_bad_brackets",
		  "{\"servers\": [{\"listen\": [\"[1.2.3.4]:80\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"[1.2.3.4]:80\" has no IPv6 "
		  "address in its brackets; write one such as \"[::1]:8080\"\n" },
		{ "listen_on_unix_without_a_path",
		  "{\"servers\": [{\"listen\": [\"unix:\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"unix:\" has no path; write "
		  "\"unix:/path/of/socket\"\n" },
		{ "listen_on_a_unix_path_that_is_too_long",
		  "{\"servers\": [{\"listen\": "
		  "[\"unix:/"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]}]}",
		  "t.json:1:26: /servers/0/listen/0: "
		  "\"unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" "
		  "has a path of 108 bytes "
		  "(/"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa); write one of at most 107\n" },
		{ "listen_object_without_an_address",
		  "{\"servers\": [{\"listen\": [{\"backlog\": 5}]}]}",
		  "t.json:1:26: /servers/0/listen/0: \"address\" is missing; add it: "
		  "\"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/path\"\n" },
		{ "listen_backlog_out_of_range",
		  "{\"servers\": [{\"listen\": [{\"address\": \"127.0.0.1:80\", "
		  "\"backlog\": 70000}]}]}",
		  "t.json:1:65: /servers/0/listen/0/backlog: 70000 is too big; write a "
		  "whole number from 1 to 65535\n" },
		{ "listen_twice",
		  "{\"servers\": [{\"listen\": [\"[::1]:80\", \"[0::1]:080\"]}]}",
		  "t.json:1:38: /servers/0/listen/1: [::1]:80 is listed twice in this "
		  "server, first at t.json:1:26; remove one\n" },
		{ "listen_with_two_backlogs",
		  "{\"servers\": [{\"listen\": [{\"address\": \"127.0.0.1:80\", "
		  "\"backlog\": 600}]},\n {\"names\": [\"a\"], \"listen\": "
		  "[\"127.0.0.1:80\"]}]}",
		  "t.json:2:30: /servers/1/listen/0: \"backlog\" is 4096 here and 600 "
		  "for the same address at t.json:1:26; write the same in both\n" },
		{ "listen_with_and_without_interim_answers",
		  "{\"servers\": [{\"listen\": [{\"address\": \"127.0.0.1:80\", "
		  "\"interim_104\": false}]},\n {\"names\": [\"a\"], \"listen\": "
		  "[\"127.0.0.1:80\"]}]}",
		  "t.json:2:30: /servers/1/listen/0: \"interim_104\" is true here and "
		  "false for the same address at t.json:1:26; write the same in both\n" },
		{ "tls_is_for_later",
		  "{\"servers\": [{\"listen\": [{\"address\": \"127.0.0.1:80\", \"tls\": "
		  "true}]}]}",
		  "t.json:1:61: /servers/0/listen/0/tls: this version cannot do that "
		  "yet; "
		  "leave it out or write false\n" },
		{ "server_that_is_never_asked",
		  "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"]},\n {\"listen\": "
		  "[\"127.0.0.1:80\"]}]}",
		  "t.json:2:2: /servers/1: this server is never asked: it has no names, "
		  "and 127.0.0.1:80 is that of another server at t.json:1:26; add "
		  "\"names\"\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
names_are_host_names_and_there_once(void **state)
{
	static const struct error_case cases[] = {
		{ "name_with_a_port", SERVER("\"names\": [\"example.org:80\"]"),
		  "t.json:2:11: /servers/0/names/0: \"example.org:80\" has a port; write "
		  "the name alone, ports stand in \"listen\"\n" },
		{ "name_with_a_star_inside", SERVER("\"names\": [\"www.*.org\"]"),
		  "t.json:2:11: /servers/0/names/0: \"www.*.org\" has a \"*\" that is "
		  "not the whole first label; write \"*.example.org\"\n" },
		{ "name_that_is_a_star", SERVER("\"names\": [\"*\"]"),
		  "t.json:2:11: /servers/0/names/0: \"*\" is no name; the first server "
		  "of an address takes every name that no other has, leave it out\n" },
		{ "name_with_a_space", SERVER("\"names\": [\"a b\"]"),
		  "t.json:2:11: /servers/0/names/0: \"a b\" is not a host name; write "
		  "letters, digits, \"-\" and \".\"\n" },
		{ "name_with_a_dot_at_its_end", SERVER("\"names\": [\"a.b.\"]"),
		  "t.json:2:11: /servers/0/names/0: \"a.b.\" ends in a dot, which is "
		  "dropped from Host, too; write it without\n" },
		{ "name_with_an_empty_label", SERVER("\"names\": [\"a..b\"]"),
		  "t.json:2:11: /servers/0/names/0: \"a..b\" has an empty label; write a "
		  "name such as \"example.org\"\n" },
		{ "name_twice_in_a_server", SERVER("\"names\": [\"a.b\", \"A.B\"]"),
		  "t.json:2:18: /servers/0/names/1: \"a.b\" is listed twice in this "
		  "server, first at t.json:2:11; remove one\n" },
		{ "name_of_two_servers",
		  "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"names\": "
		  "[\"a\"]},\n {\"listen\": [\"127.0.0.1:80\"], \"names\": [\"b\", "
		  "\"A\"]}]}",
		  "t.json:2:46: /servers/1/names/1: \"a\" on 127.0.0.1:80 is the name of "
		  "another server already, at t.json:1:53; remove one\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
pages_and_headers_are_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "error_page_for_a_success",
		  SERVER("\"error_pages\": {\"200\": \"/x\"}"),
		  "t.json:2:17: /servers/0/error_pages/200: \"200\" is not an error "
		  "status; write \"400\" to \"599\", \"4xx\" or \"5xx\"\n" },
		{ "error_page_that_is_no_path",
		  SERVER("\"error_pages\": {\"404\": \"x\"}"),
		  "t.json:2:24: /servers/0/error_pages/404: \"x\" is not a path of a "
		  "URL; begin it with \"/\"\n" },
		{ "header_name_with_a_space", SERVER("\"headers\": {\"X Y\": \"1\"}"),
		  "t.json:2:13: /servers/0/headers/X Y: \"X Y\" is not a header name; "
		  "write letters, digits and \"-\"\n" },
		{ "header_that_frames",
		  SERVER("\"headers\": {\"Content-Length\": \"1\"}"),
		  "t.json:2:13: /servers/0/headers/Content-Length: \"Content-Length\" is "
		  "a header that the server sets itself; remove it\n" },
		{ "header_server", SERVER("\"headers\": {\"Server\": \"1\"}"),
		  "t.json:2:13: /servers/0/headers/Server: \"Server\" is "
		  "a header that the server sets itself; remove it\n" },
		{ "header_value_with_a_line_end",
		  SERVER("\"headers\": {\"X\": \"a\\r\\nY: b\"}"),
		  "t.json:2:18: /servers/0/headers/X: \"a\\u000d\\u000aY: b\" has a "
		  "control character; write it on one line\n" },
		{ "header_twice_in_other_case",
		  SERVER("\"headers\": {\"X-A\": \"1\", \"x-a\": \"2\"}"),
		  "t.json:2:25: /servers/0/headers/x-a: the same name in another case "
		  "stands at t.json:2:13; remove one\n" },
		{ "header_null_in_a_server", SERVER("\"headers\": {\"X-A\": null}"),
		  "t.json:2:13: /servers/0/headers/X-A: the server has no such header to "
		  "remove; remove the line\n" },
		{ "header_null_in_a_server_misspelt",
		  SERVER("\"headers\": {\"X-Content-Type-Option\": null}"),
		  "t.json:2:13: /servers/0/headers/X-Content-Type-Option: the server has "
		  "no such header to remove; did you mean "
		  "\"X-Content-Type-Options\"?\n" },
		{ "header_that_is_a_number", SERVER("\"headers\": {\"X-A\": 1}"),
		  "t.json:2:20: /servers/0/headers/X-A: this is a number; write a string "
		  "or null\n" },
		{ "headers_null", SERVER("\"headers\": null"),
		  "t.json:2:12: /servers/0/headers: this is null; write an object, or "
		  "leave it out\n" },
		{ "header_null_that_removes_nothing",
		  SERVER("\"headers\": {\"X-Frame\": \"1\"}, \"routes\": [\n{\"path\": "
			 "\"/\", \"status\": \"health\", \"headers\": {\"X-Fram\": "
			 "null}}]"),
		  "t.json:3:47: /servers/0/routes/0/headers/X-Fram: the server has no "
		  "such header to remove; did you mean \"X-Frame\"?\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
redirect_rows_are_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "redirects_as_a_number", SERVER("\"redirects\": 5"),
		  "t.json:2:14: /servers/0/redirects: this is a number; write an object "
		  "or the name of a file\n" },
		{ "redirects_file_that_is_not_there",
		  SERVER("\"redirects\": \"websrv-none/file.map\""),
		  "t.json:2:14: /servers/0/redirects: \"websrv-none/file.map\" cannot "
		  "be read (No such file or directory); name a readable file, or write "
		  "an object\n" },
		{ "redirect_row_without_a_slash",
		  SERVER("\"redirects\": {\"old\": \"/new\"}"),
		  "t.json:2:15: /servers/0/redirects/old: \"old\" is not a path of a "
		  "URL; begin it with \"/\"\n" },
		{ "redirect_row_with_a_query",
		  SERVER("\"redirects\": {\"/old?x\": \"/new\"}"),
		  "t.json:2:15: /servers/0/redirects/~1old?x: \"/old?x\" has a query or "
		  "fragment, which is not part of a path; remove it, or write \"%3F\", "
		  "\"%23\"\n" },
		{ "redirect_row_with_a_bad_escape",
		  SERVER("\"redirects\": {\"/%zz\": \"/new\"}"),
		  "t.json:2:15: /servers/0/redirects/~1%zz: \"/%zz\" cannot be the path "
		  "of a request; write no bad percent escapes, no %00 or %2F, no spaces, "
		  "and no \"..\" above the root\n" },
		{ "redirect_row_with_a_star",
		  SERVER("\"redirects\": {\"/a/*\": \"/new\"}"),
		  "t.json:2:15: /servers/0/redirects/~1a~1*: \"/a/*\" ends in \"*\", but "
		  "rows are exact paths; write a route with \"redirect\" for all that is "
		  "beneath one\n" },
		{ "redirect_row_to_a_star", SERVER("\"redirects\": {\"/a\": \"/new/*\"}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"*\" in the target has "
		  "nothing to take; write \"%2A\"\n" },
		{ "redirect_row_to_a_template",
		  SERVER("\"redirects\": {\"/a\": \"https://${host}/\"}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"https://${host}/\" has a "
		  "\"${...}\", which a table does not fill in; write a route with "
		  "\"redirect\"\n" },
		{ "redirect_row_twice_when_decoded",
		  SERVER("\"redirects\": {\"/a%62\": \"/x\",\n \"/ab\": \"/y\"}"),
		  "t.json:3:2: /servers/0/redirects/~1ab: the same path as that of "
		  "t.json:2:15 once it is decoded; remove one\n" },
		{ "redirect_row_to_another_scheme",
		  SERVER("\"redirects\": {\"/a\": \"javascript:alert(1)\"}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"javascript:alert(1)\" is "
		  "neither a path nor a URL; begin it with \"/\", \"http://\" or "
		  "\"https://\"\n" },
		{ "redirect_row_to_two_slashes",
		  SERVER("\"redirects\": {\"/a\": \"//evil.example\"}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"//evil.example\" begins with "
		  "\"//\", which is a host; write one \"/\" or \"https://\"\n" },
		{ "redirect_row_with_a_bad_status",
		  SERVER("\"redirects\": {\"/a\": {\"to\": \"/b\", \"status\": 304}}"),
		  "t.json:2:44: /servers/0/redirects/~1a/status: 304 is not possible "
		  "here; write one of 301, 302, 303, 307, 308\n" },
		{ "redirect_row_without_a_target",
		  SERVER("\"redirects\": {\"/a\": {\"status\": 301}}"),
		  "t.json:2:21: /servers/0/redirects/~1a: \"to\" is missing; add it: a "
		  "path or URL\n" },
		{ "redirect_row_that_is_a_number", SERVER("\"redirects\": {\"/a\": 5}"),
		  "t.json:2:21: /servers/0/redirects/~1a: this is a number; write an "
		  "object or a string\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
keys_stand_where_they_belong(void **state)
{
	static const struct error_case cases[] = {
		{ "connections_in_a_server", SERVER("\"limits\": {\"connections\": 5}"),
		  "t.json:2:12: /servers/0/limits/connections: this key does not stand "
		  "here; it belongs to \"limits\": /limits/connections\n" },
		{ "connections_per_address_in_a_server",
		  SERVER("\"limits\": {\"connections_per_address\": 5}"),
		  "t.json:2:12: /servers/0/limits/connections_per_address: this key does "
		  "not stand here; it belongs to \"limits\": "
		  "/limits/connections_per_address\n" },
		{ "rate_of_requests_is_missing",
		  SERVER("\"limits\": {\"requests_per_address\": {\"burst\": 5}}"),
		  "t.json:2:36: /servers/0/limits/requests_per_address: \"rate\" is "
		  "missing; add it: requests of an address in the time of \"per\"\n" },
		{ "rate_of_requests_is_0",
		  SERVER("\"limits\": {\"requests_per_address\": {\"rate\": 0}}"),
		  "t.json:2:45: /servers/0/limits/requests_per_address/rate: 0 is too "
		  "small; write a whole number from 1 to 100000\n" },
		{ "rate_of_requests_as_a_number",
		  SERVER("\"limits\": {\"requests_per_address\": 20}"),
		  "t.json:2:36: /servers/0/limits/requests_per_address: this is a "
		  "number; write an object with \"rate\" in it, or null\n" },
		{ "rate_of_requests_in_a_route",
		  ROUTE("{\"path\": \"/\", \"status\": \"health\", \"limits\": "
			"{\"requests_per_address\": null}}"),
		  "t.json:2:46: /servers/0/routes/0/limits/requests_per_address: this "
		  "key does not stand here; it belongs to \"limits\": "
		  "/servers/0/limits/requests_per_address\n" },
		{ "ranges_beyond_64", SERVER("\"limits\": {\"ranges\": 65}"),
		  "t.json:2:22: /servers/0/limits/ranges: 65 is too big; write a whole "
		  "number from 0 to 64\n" },
		{ "shutdown_in_a_server", SERVER("\"timeouts\": {\"shutdown\": 5}"),
		  "t.json:2:14: /servers/0/timeouts/shutdown: this key does not stand "
		  "here; it belongs to \"timeouts\": /timeouts/shutdown\n" },
		{ "uri_size_in_a_route",
		  ROUTE("{\"path\": \"/\", \"status\": \"health\", \"limits\": "
			"{\"uri_size\": 5}}"),
		  "t.json:2:46: /servers/0/routes/0/limits/uri_size: this key does not "
		  "stand here; it belongs to \"limits\": "
		  "/servers/0/limits/uri_size\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
routes_have_a_path_and_an_action(void **state)
{
	static const struct error_case cases[] = {
		{ "route_without_a_path", ROUTE("{\"status\": \"health\"}"),
		  "t.json:2:1: /servers/0/routes/0: \"path\" is missing; add it: the "
		  "path that is matched; \"/a/*\" is everything beneath \"/a/\"; or add "
		  "\"path_regex\"\n" },
		{ "route_path_without_a_slash",
		  ROUTE("{\"path\": \"a\", \"status\": \"health\"}"),
		  "t.json:2:10: /servers/0/routes/0/path: \"a\" is not a path of a URL; "
		  "begin it with \"/\"\n" },
		{ "route_path_with_a_star_inside",
		  ROUTE("{\"path\": \"/a/*/b\", \"status\": \"health\"}"),
		  "t.json:2:10: /servers/0/routes/0/path: \"/a/*/b\" has a \"*\" that is "
		  "not the whole last segment; write \"/*\" at the end\n" },
		{ "route_path_with_a_star_in_a_segment",
		  ROUTE("{\"path\": \"/a*\", \"status\": \"health\"}"),
		  "t.json:2:10: /servers/0/routes/0/path: \"/a*\" has a \"*\" that is "
		  "not the whole last segment; write \"/*\" at the end\n" },
		{ "route_path_with_two_slashes",
		  ROUTE("{\"path\": \"/a//b\", \"status\": \"health\"}"),
		  "t.json:2:10: /servers/0/routes/0/path: \"/a//b\" has an empty "
		  "segment; write one \"/\" between segments\n" },
		{ "route_path_with_dots",
		  ROUTE("{\"path\": \"/a/../b\", \"status\": \"health\"}"),
		  "t.json:2:10: /servers/0/routes/0/path: \"/a/../b\" has a \".\" or "
		  "\"..\" segment; write the path that it leads to\n" },
		{ "route_path_twice",
		  ROUTE("{\"path\": \"/a\", \"status\": \"health\"},\n{\"path\": \"/a\", "
			"\"status\": \"health\"}"),
		  "t.json:3:10: /servers/0/routes/1/path: \"/a\" has a route already, at "
		  "t.json:2:1; remove one\n" },
		{ "route_without_an_action", ROUTE("{\"path\": \"/\"}"),
		  "t.json:2:1: /servers/0/routes/0: no action; add one of \"files\", "
		  "\"upload\", \"redirect\", \"respond\", \"status\"\n" },
		{ "route_with_a_misspelt_action",
		  ROUTE("{\"path\": \"/\", \"redirct\": {\"to\": \"/x\"}}"),
		  "t.json:2:15: /servers/0/routes/0/redirct: unknown key; did you mean "
		  "\"redirect\"?\n" },
		{ "route_with_two_actions",
		  ROUTE("{\"path\": \"/\", \"status\": \"health\", \"respond\": {}}"),
		  "t.json:2:35: /servers/0/routes/0/respond: a second action beside "
		  "\"status\"; a route has one, or \"files\" and \"upload\"\n" },
		{ "status_page_unknown", ROUTE("{\"path\": \"/\", \"status\": \"load\"}"),
		  "t.json:2:25: /servers/0/routes/0/status: \"load\" is not known "
		  "here; write one of \"health\", \"metrics\", \"page\"\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
actions_are_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "files_without_a_root", ROUTE("{\"path\": \"/*\", \"files\": {}}"),
		  "t.json:2:25: /servers/0/routes/0/files: \"root\" is missing; add it: "
		  "the directory that is served\n" },
		{ "files_index_with_a_slash",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\", \"index\": "
			"[\"a/b\"]}}"),
		  "t.json:2:49: /servers/0/routes/0/files/index/0: \"a/b\" is not a file "
		  "name; write one without \"/\", such as \"index.html\"\n" },
		{ "files_symlinks_misspelt",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\", \"symlinks\": "
			"\"folow\"}}"),
		  "t.json:2:51: /servers/0/routes/0/files/symlinks: \"folow\" is not "
		  "known here; did you mean \"follow\"?\n" },
		{ "files_default_type_wrong",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\", "
			"\"default_type\": \"text/\"}}"),
		  "t.json:2:55: /servers/0/routes/0/files/default_type: \"text/\" is not "
		  "a media type; write type/subtype, such as \"text/html\"\n" },
		{ "files_charset_wrong",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\", \"charset\": "
			"\"utf 8\"}}"),
		  "t.json:2:50: /servers/0/routes/0/files/charset: \"utf 8\" is not the "
		  "name of a charset; write \"utf-8\", or \"\" for none\n" },
		{ "upload_mode_as_a_number",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"x\", \"mode\": "
			"640}}"),
		  "t.json:2:53: /servers/0/routes/0/upload/mode: this is a number; write "
		  "permission bits as a string of octal digits, such as \"0640\"\n" },
		{ "upload_mode_not_octal",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"x\", \"mode\": "
			"\"0690\"}}"),
		  "t.json:2:53: /servers/0/routes/0/upload/mode: \"0690\" is not an "
		  "octal number; write permission bits as a string of octal digits, such "
		  "as \"0640\"\n" },
		{ "upload_mode_too_big",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"x\", \"mode\": "
			"\"4755\"}}"),
		  "t.json:2:53: /servers/0/routes/0/upload/mode: \"4755\" is not at most "
		  "\"0777\"; write permission bits as a string of octal digits, such as "
		  "\"0640\"\n" },
		{ "upload_type_without_a_dot",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"x\", "
			"\"types\": "
			"[\"jpg\"]}}"),
		  "t.json:2:55: /servers/0/routes/0/upload/types/0: \"jpg\" is not the "
		  "ending of a name; begin it with \".\", such as \".jpg\"\n" },
		{ "upload_after_that_would_be_filled_in",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"x\", "
			"\"after\": \"/${host}\"}}"),
		  "t.json:2:54: /servers/0/routes/0/upload/after: \"/${host}\" has a "
		  "\"${...}\", which is not filled in here; write a path or URL\n" },
		{ "upload_after_that_is_a_host",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"x\", "
			"\"after\": \"//b.example\"}}"),
		  "t.json:2:54: /servers/0/routes/0/upload/after: \"//b.example\" begins "
		  "with \"//\", which is a host; write one \"/\" or \"https://\"\n" },
		{ "redirect_without_a_target",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {}}"),
		  "t.json:2:28: /servers/0/routes/0/redirect: \"to\" is missing; add it: "
		  "a path or URL; \"*\" takes what the \"*\" of \"path\" matched\n" },
		{ "redirect_with_a_star_but_no_prefix",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/b/*\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"*\" has nothing to "
		  "take; end \"path\" in \"/*\", or write \"%2A\"\n" },
		{ "redirect_with_a_star_in_the_host",
		  ROUTE("{\"path\": \"/a/*\", \"redirect\": {\"to\": "
			"\"https://example.org*\"}}"),
		  "t.json:2:37: /servers/0/routes/0/redirect/to: "
		  "\"https://example.org*\" has a \"*\" in its host; write \"/\" before "
		  "it\n" },
		{ "redirect_with_two_stars",
		  ROUTE("{\"path\": \"/a/*\", \"redirect\": {\"to\": \"/*/*\"}}"),
		  "t.json:2:37: /servers/0/routes/0/redirect/to: \"/*/*\" has more than "
		  "one \"*\"; write one, or \"%2A\"\n" },
		{ "redirect_with_a_name_that_is_unknown",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": "
			"\"https://${hots}/\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"${hots}\" is not "
		  "known here; write ${host}, ${path} or ${query}\n" },
		{ "redirect_with_a_name_that_is_not_closed",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/${path\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"${path\" is never "
		  "closed; end it with \"}\", or write \"$$\" for a dollar sign\n" },
		{ "redirect_with_a_dollar_sign",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/b$c\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"$c\" has a \"$\" "
		  "that begins nothing; write \"$$\" for a dollar sign\n" },
		{ "redirect_with_a_query_in_its_host",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": "
			"\"https://a${query}/\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"${query}\" stands in "
		  "the host, which a request must not choose; write \"/\" before it\n" },
		{ "redirect_with_a_space",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/a b\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"/a b\" has a space; "
		  "write \"%20\"\n" },
		{ "redirect_with_a_line_end",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/a\\r\\nX: y\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"/a\\u000d\\u000aX: "
		  "y\" has a control character; remove it\n" },
		{ "redirect_with_a_backslash",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": "
			"\"/\\\\evil.example\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"/\\evil.example\" has "
		  "a backslash, which browsers take for \"/\"; write \"/\" or "
		  "\"%5C\"\n" },
		{ "redirect_with_an_umlaut",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/\xc3\xbc\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"/\xc3\xbc\" is not "
		  "ASCII; percent-encode it\n" },
		{ "redirect_without_a_host",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"https:///x\"}}"),
		  "t.json:2:35: /servers/0/routes/0/redirect/to: \"https:///x\" has no "
		  "valid host; write https://HOST/PATH\n" },
		{ "redirect_query_unknown",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/b\", \"query\": "
			"\"kep\"}}"),
		  "t.json:2:50: /servers/0/routes/0/redirect/query: \"kep\" is not known "
		  "here; did you mean \"keep\"?\n" },
		{ "redirect_status_200",
		  ROUTE("{\"path\": \"/a\", \"redirect\": {\"to\": \"/b\", \"status\": "
			"200}}"),
		  "t.json:2:51: /servers/0/routes/0/redirect/status: 200 is not possible "
		  "here; write one of 301, 302, 303, 307, 308\n" },
		{ "respond_with_an_interim_status",
		  ROUTE("{\"path\": \"/a\", \"respond\": {\"status\": 100}}"),
		  "t.json:2:38: /servers/0/routes/0/respond/status: 100 is too small; "
		  "write a whole number from 200 to 599\n" },
		{ "respond_204_with_a_body",
		  ROUTE("{\"path\": \"/a\", \"respond\": {\"status\": 204, \"body\": "
			"\"x\"}}"),
		  "t.json:2:51: /servers/0/routes/0/respond/body: an answer with status "
		  "204 has no body; remove it, or write another status\n" },
		{ "respond_status_as_a_string",
		  ROUTE("{\"path\": \"/a\", \"respond\": {\"status\": \"200\"}}"),
		  "t.json:2:38: /servers/0/routes/0/respond/status: this is a string; "
		  "write a whole number from 200 to 599\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
methods_are_those_that_the_action_serves(void **state)
{
	static const struct error_case cases[] = {
		{ "methods_empty",
		  ROUTE("{\"path\": \"/a\", \"status\": \"health\", \"methods\": []}"),
		  "t.json:2:47: /servers/0/routes/0/methods: \"methods\" is empty; write "
		  "at least one\n" },
		{ "methods_misspelt",
		  ROUTE("{\"path\": \"/a\", \"status\": \"health\", \"methods\": "
			"[\"GTE\"]}"),
		  "t.json:2:48: /servers/0/routes/0/methods/0: \"GTE\" is not known "
		  "here; did you mean \"GET\"?\n" },
		{ "methods_in_lower_case",
		  ROUTE("{\"path\": \"/a\", \"status\": \"health\", \"methods\": "
			"[\"get\"]}"),
		  "t.json:2:48: /servers/0/routes/0/methods/0: \"get\" is not known "
		  "here; did you mean \"GET\"?\n" },
		{ "methods_twice",
		  ROUTE("{\"path\": \"/a\", \"status\": \"health\", \"methods\": "
			"[\"GET\", \"GET\"]}"),
		  "t.json:2:55: /servers/0/routes/0/methods/1: \"GET\" is there twice; "
		  "remove one\n" },
		{ "methods_that_files_do_not_serve",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\"}, \"methods\": "
			"[\"GET\", \"PUT\"]}"),
		  "t.json:2:59: /servers/0/routes/0/methods/1: PUT is not served by "
		  "\"files\"; write some of GET, HEAD\n" },
		{ "methods_trace",
		  ROUTE("{\"path\": \"/a\", \"respond\": {}, \"methods\": [\"TRACE\"]}"),
		  "t.json:2:43: /servers/0/routes/0/methods/0: \"TRACE\" is never "
		  "served; write one of \"GET\", \"HEAD\", \"POST\", \"PUT\", "
		  "\"DELETE\", \"PATCH\"\n" },
		{ "methods_options",
		  ROUTE("{\"path\": \"/a\", \"respond\": {}, \"methods\": "
			"[\"OPTIONS\"]}"),
		  "t.json:2:43: /servers/0/routes/0/methods/0: \"OPTIONS\" is answered "
		  "by "
		  "every route, and cannot be named; write one of \"GET\", \"HEAD\", "
		  "\"POST\", \"PUT\", \"DELETE\", \"PATCH\"\n" },
		{ "methods_of_a_page_without_its_post",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"y\"}, "
			"\"methods\": [\"GET\"]}"),
		  "t.json:2:58: /servers/0/routes/0/methods/0: GET is not served by "
		  "\"upload\"; write some of POST, PUT, DELETE\n" },
		{ "methods_of_an_upload_without_a_page",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"y\", \"page\": "
			"false}, "
			"\"methods\": [\"GET\", \"POST\"]}"),
		  "t.json:2:73: /servers/0/routes/0/methods/0: GET is not served by "
		  "\"upload\"; write some of POST, PUT, DELETE\n" },
		{ "methods_of_files_and_upload",
		  ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\"}, \"upload\": "
			"{\"directory\": \"y\"}, \"methods\": [\"PATCH\"]}"),
		  "t.json:2:82: /servers/0/routes/0/methods/0: PATCH is not served by "
		  "\"files\" and \"upload\"; write some of GET, HEAD, POST, PUT, "
		  "DELETE\n" },
		{ "cache_control_with_a_line_end",
		  ROUTE("{\"path\": \"/a\", \"status\": \"health\", \"cache_control\": "
			"\"no\\nX\"}"),
		  "t.json:2:53: /servers/0/routes/0/cache_control: \"no\\u000aX\" has a "
		  "control character; write it on one line\n" },
		{ "routes_as_an_object", SERVER("\"routes\": {}"),
		  "t.json:2:11: /servers/0/routes: this is an object; write an array of "
		  "objects\n" },
		{ "long_strings_are_cut",
		  SERVER("\"error_pages\": {\"404\": \""
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
			 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
			 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
			 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
			 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
			 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
			 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
			 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\"}"),
		  "t.json:2:24: /servers/0/error_pages/404: \""
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
		  "\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
		  "\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "...\" is not a path of a URL; begin it with \"/\"\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
expressions_are_checked_where_they_are_built_in(void **state)
{
	static const struct error_case without[] = {
		{ "path_regex_without_pcre2",
		  ROUTE("{\"path_regex\": \"^/a$\", \"status\": \"health\"}"),
		  "t.json:2:16: /servers/0/routes/0/path_regex: regular expressions are "
		  "not built in; run configure with --with-pcre2, or write \"path\"\n" },
	};
	static const struct error_case with[] = {
		{ "path_regex_with_an_open_group",
		  ROUTE("{\"path_regex\": \"^/(a\", \"status\": \"health\"}"),
		  "t.json:2:16: /servers/0/routes/0/path_regex: \"^/(a\" is no regular "
		  "expression: missing closing parenthesis, at byte 5 of it\n" },
		{ "path_regex_beside_a_path",
		  ROUTE("{\"path\": \"/a\", \"path_regex\": \"b\", \"status\": "
			"\"health\"}"),
		  "t.json:2:30: /servers/0/routes/0/path_regex: a second matcher beside "
		  "\"path\"; a route has one, remove the other\n" },
		{ "path_regex_without_the_group_of_a_target",
		  ROUTE("{\"path_regex\": \"^/(?<id>a)$\", \"redirect\": {\"to\": "
			"\"/${id}/${1}/${nam}\"}}"),
		  "t.json:2:50: /servers/0/routes/0/redirect/to: \"${nam}\" is not known "
		  "here; write ${host}, ${path}, ${query}, or the name or number of a "
		  "group "
		  "of \"path_regex\"\n" },
		{ "path_regex_with_a_target_of_a_star",
		  ROUTE("{\"path_regex\": \"^/a\", \"redirect\": {\"to\": \"/b/*\"}}"),
		  "t.json:2:42: /servers/0/routes/0/redirect/to: \"*\" has nothing to "
		  "take; end \"path\" in \"/*\", or write \"%2A\"\n" },
	};

	(void)state;
	if (regex_is_built_in())
		CHECK(with);
	else
		CHECK(without);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_numeric_and_there_once),
		cmocka_unit_test(names_are_host_names_and_there_once),
		cmocka_unit_test(pages_and_headers_are_checked),
		cmocka_unit_test(redirect_rows_are_checked),
		cmocka_unit_test(keys_stand_where_they_belong),
		cmocka_unit_test(routes_have_a_path_and_an_action),
		cmocka_unit_test(actions_are_checked),
		cmocka_unit_test(methods_are_those_that_the_action_serves),
		cmocka_unit_test(expressions_are_checked_where_they_are_built_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
