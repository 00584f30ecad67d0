/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a good configuration to a struct with everything filled in: defaults, inherited
 * values, absolute paths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/load.h"
#include "http/names.h"

#define SERVER(s) "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], " s "}]}"
#define ROUTE(s) SERVER("\"routes\": [" s "]")

/* Frees itself from what is of no use: a config, or the test fails with the errors. */
static struct config *
load(const char *text)
{
	struct buf errors;
	struct config *c;

	buf_init(&errors);
	c = conf_load_text(slice_from_str(text), "etc/websrv.json", "/etc/websrv",
			   &errors);
	buf_add_char(&errors, '\0');
	if (c == NULL)
		fail_msg("%s", errors.ptr);
	buf_fini(&errors);
	return c;
}

static void
missing_sections_have_their_defaults(void **state)
{
	struct config *c = load("{\"servers\": [{\"listen\": [\"127.0.0.1:80\"]}]}");

	(void)state;
	assert_string_equal(c->file, "etc/websrv.json");
	assert_null(c->user);
	assert_null(c->group);
	assert_null(c->pid_file);
	assert_int_equal(c->workers, sysconf(_SC_NPROCESSORS_ONLN));
	assert_int_equal(c->backend, CONF_BACKEND_AUTO);
	assert_int_equal(c->logs.error.target, CONF_LOG_STDERR);
	assert_int_equal(c->logs.error.level, CONF_LOG_INFO);
	assert_false(c->logs.access.enabled);
	assert_int_equal(c->limits.connections, 10000);
	assert_int_equal(c->limits.connections_per_address, 0);
	assert_false(c->limits.requests_per_address.enabled);
	assert_int_equal(c->limits.header_size, 32768);
	assert_int_equal(c->limits.header_count, 100);
	assert_int_equal(c->limits.uri_size, 8192);
	assert_int_equal(c->limits.body_size, 1048576);
	assert_int_equal(c->limits.ranges, 16);
	assert_int_equal(c->limits.requests_per_connection, 0);
	assert_int_equal(c->timeouts.header_ms, 10000);
	assert_int_equal(c->timeouts.body_idle_ms, 30000);
	assert_int_equal(c->timeouts.body_min_rate, 500);
	assert_int_equal(c->timeouts.write_idle_ms, 60000);
	assert_int_equal(c->timeouts.idle_ms, 65000);
	assert_int_equal(c->timeouts.shutdown_ms, 30000);
	assert_int_equal(c->cache.entries, 10000);
	assert_int_equal(c->cache.memory, 64 << 20);
	assert_int_equal(c->cache.file_size, 65536);
	assert_int_equal(c->cache.revalidate_ms, 1000);
	assert_int_equal(c->mime_types.count, 0);
	assert_int_equal(c->server_count, 1);
	assert_int_equal(c->servers[0].route_count, 0);
	conf_free(c);
}

static void
top_level_values_are_taken_over(void **state)
{
	struct config *c =
		load("{\"$schema\": \"x\", \"user\": \"www\", \"group\": \"web\", "
		     "\"workers\": 3,"
		     " \"event_backend\": \"poll\", \"pid_file\": \"run/pid\","
		     " \"logs\": {\"error\": {\"to\": \"syslog\", \"level\": \"debug\"},"
		     "  \"access\": {\"to\": \"access.log\", \"format\": \"json\"}},"
		     " \"cache\": {\"entries\": 0, \"revalidate\": 0.25},"
		     " \"mime_types\": {\".WASM\": \"application/wasm\"},"
		     " \"servers\": [{\"listen\": [\"127.0.0.1:80\"]}]}");

	(void)state;
	assert_string_equal(c->user, "www");
	assert_string_equal(c->group, "web");
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->backend, CONF_BACKEND_POLL);
	assert_string_equal(c->pid_file, "/etc/websrv/run/pid");
	assert_int_equal(c->pid_file_place.line, 1);
	assert_string_equal(c->pid_file_place.pointer, "/pid_file");
	assert_string_equal(c->pid_file_place.file, "etc/websrv.json");
	assert_int_equal(c->logs.error.target, CONF_LOG_SYSLOG);
	assert_int_equal(c->logs.error.level, CONF_LOG_DEBUG);
	assert_true(c->logs.access.enabled);
	assert_int_equal(c->logs.access.target, CONF_LOG_FILE);
	assert_string_equal(c->logs.access.path, "/etc/websrv/access.log");
	assert_int_equal(c->logs.access.format, CONF_ACCESS_JSON);
	assert_string_equal(c->logs.access.place.pointer, "/logs/access/to");
	assert_int_equal(c->cache.entries, 0);
	assert_int_equal(c->cache.revalidate_ms, 250);
	assert_int_equal(c->mime_types.count, 1);
	assert_string_equal(c->mime_types.items[0].name, ".wasm");
	assert_string_equal(c->mime_types.items[0].value, "application/wasm");
	conf_free(c);
}

static void
whole_numbers_may_be_written_in_any_way_of_json(void **state)
{
	struct config *c =
		load("{\"workers\": 3.0, \"limits\": {\"connections\": 1e3, "
		     "\"body_size\": 250e-1}, \"servers\": [{\"listen\": "
		     "[\"127.0.0.1:80\"], \"redirects\": {\"/a\": {\"to\": \"/b\", "
		     "\"status\": 301.0}}}]}");

	(void)state;
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->limits.connections, 1000);
	assert_int_equal(c->servers[0].limits.body_size, 25);
	assert_int_equal(c->servers[0].redirects[0].status, 301);
	conf_free(c);
}

static void
cache_control_of_a_route_stands_for_the_field_of_the_server(void **state)
{
	struct config *c = load(
		SERVER("\"headers\": {\"Cache-Control\": \"no-cache\", \"X-A\": \"1\", "
		       "\"X-Content-Type-Options\": null}, \"routes\": ["
		       " {\"path\": \"/a\", \"status\": \"health\", \"cache_control\": "
		       "\"no-store\"},"
		       " {\"path\": \"/b\", \"status\": \"health\", \"cache_control\": "
		       "\"no-store\","
		       "  \"headers\": {\"cache-control\": null}},"
		       " {\"path\": \"/c\", \"status\": \"health\"}]"));
	const struct conf_route *r = c->servers[0].routes;

	(void)state;
	assert_int_equal(r[0].headers.count, 1);
	assert_string_equal(r[0].headers.items[0].name, "X-A");
	assert_int_equal(r[1].headers.count, 1);
	assert_int_equal(r[2].headers.count, 2);
	conf_free(c);
}

static void
access_log_null_is_off(void **state)
{
	struct config *c = load("{\"logs\": {\"access\": null},"
				" \"servers\": [{\"listen\": [\"127.0.0.1:80\"]}]}");

	(void)state;
	assert_false(c->logs.access.enabled);
	conf_free(c);
}

static void
addresses_of_every_kind_are_read(void **state)
{
	static const struct {
		enum conf_family family;
		const char *host;
		uint16_t port;
		uint32_t backlog;
		const char *text;
	} expected[] = {
		{ CONF_INET, "0.0.0.0", 8080, 4096, "0.0.0.0:8080" },
		{ CONF_INET6, "::1", 0, 4096, "[0:0::1]:0" },
		{ CONF_UNIX, "/run/s", 0, 4096, "unix:/run/s" },
		{ CONF_UNIX, "/etc/websrv/s", 0, 600, "unix:./s" },
	};
	struct config *c = load(
		"{\"servers\": [{\"listen\": [\"0.0.0.0:8080\", \"[0:0::1]:0\","
		" \"unix:/run/s\", {\"address\": \"unix:./s\", \"backlog\": 600}]}]}");
	const struct conf_server *s = &c->servers[0];

	(void)state;
	assert_int_equal(s->listen_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(s->listens[i].family, expected[i].family);
		assert_string_equal(s->listens[i].host, expected[i].host);
		assert_int_equal(s->listens[i].port, expected[i].port);
		assert_int_equal(s->listens[i].backlog, expected[i].backlog);
		assert_string_equal(s->listens[i].text, expected[i].text);
	}
	assert_string_equal(s->listens[3].place.pointer, "/servers/0/listen/3");
	conf_free(c);
}

static void
unix_path_of_107_bytes_is_taken(void **state)
{
	char text[300], path[108];
	struct config *c;

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	snprintf(text, sizeof(text), "{\"servers\": [{\"listen\": [\"unix:%s\"]}]}",
		 path);
	c = load(text);
	assert_string_equal(c->servers[0].listens[0].host, path);
	conf_free(c);
}

static void
names_are_lower_case_and_may_be_addresses(void **state)
{
	struct config *c = load(SERVER("\"names\": [\"Example.ORG\", \"*.example.org\","
				       " \"127.0.0.1\", \"[::1]\", \"a_b-c\"]"));
	const struct conf_strings *names = &c->servers[0].names;

	(void)state;
	assert_int_equal(names->count, 5);
	assert_string_equal(names->items[0], "example.org");
	assert_string_equal(names->items[1], "*.example.org");
	assert_string_equal(names->items[3], "[::1]");
	conf_free(c);
}

static void
same_address_in_two_servers_is_normal(void **state)
{
	struct config *c = load("{\"servers\": ["
				"{\"listen\": [\"127.0.0.1:80\"]},"
				"{\"listen\": [\"127.0.0.1:80\"], \"names\": [\"a\"]},"
				"{\"listen\": [\"127.0.0.1:80\", \"127.0.0.1:81\"]},"
				"{\"listen\": [\"127.0.0.1:81\"], \"names\": [\"a\"]}]}");

	(void)state;
	assert_int_equal(c->server_count, 4);
	conf_free(c);
}

static void
limits_and_timeouts_are_inherited_whatever_the_order(void **state)
{
	struct config *c =
		load("{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
		     " \"routes\": ["
		     "  {\"path\": \"/a\", \"status\": \"health\", \"limits\": "
		     "{\"body_size\": 7, \"ranges\": 0}},"
		     "  {\"path\": \"/b\", \"status\": \"health\"}],"
		     " \"timeouts\": {\"idle\": \"5s\"},"
		     " \"limits\": {\"uri_size\": \"1K\", \"ranges\": 64}},"
		     " {\"listen\": [\"127.0.0.1:81\"]}],"
		     " \"timeouts\": {\"header\": \"3s\"},"
		     " \"limits\": {\"body_size\": \"2M\", \"connections\": 5}}");
	const struct conf_server *s = c->servers;

	(void)state;
	assert_int_equal(s[0].limits.body_size, 2 << 20);
	assert_int_equal(s[0].limits.connections, 5);
	assert_int_equal(s[0].limits.uri_size, 1024);
	assert_int_equal(s[0].timeouts.idle_ms, 5000);
	assert_int_equal(s[0].timeouts.header_ms, 3000);
	assert_int_equal(s[0].routes[0].limits.body_size, 7);
	assert_int_equal(s[0].routes[0].limits.ranges, 0);
	assert_int_equal(s[0].routes[0].limits.uri_size, 1024);
	assert_int_equal(s[0].routes[1].limits.ranges, 64);
	assert_int_equal(s[1].limits.ranges, 16);
	assert_int_equal(s[0].routes[1].limits.body_size, 2 << 20);
	assert_int_equal(s[1].limits.uri_size, 8192);
	assert_int_equal(s[1].timeouts.idle_ms, 65000);
	conf_free(c);
}

static void
a_rate_of_requests_is_inherited_taken_anew_or_taken_away(void **state)
{
	struct config *c = load(
		"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"]},"
		"  {\"listen\": [\"127.0.0.1:81\"], \"limits\":"
		"   {\"requests_per_address\": {\"rate\": 7}}},"
		"  {\"listen\": [\"127.0.0.1:82\"], \"limits\":"
		"   {\"requests_per_address\": null}}],"
		" \"limits\": {\"connections_per_address\": 9, \"requests_per_address\":"
		"  {\"burst\": 40, \"per\": \"5s\", \"rate\": 20}}}");
	const struct conf_request_rate *r;

	(void)state;
	assert_int_equal(c->servers[0].limits.connections_per_address, 9);
	r = &c->servers[0].limits.requests_per_address;
	assert_true(r->enabled);
	assert_int_equal(r->rate, 20);
	assert_int_equal(r->per_ms, 5000);
	assert_int_equal(r->burst, 40);
	r = &c->servers[1].limits.requests_per_address;
	assert_true(r->enabled);
	assert_int_equal(r->rate, 7);
	assert_int_equal(r->per_ms, 1000);
	assert_int_equal(r->burst, 7);
	assert_false(c->servers[2].limits.requests_per_address.enabled);
	conf_free(c);
}

static void
headers_of_a_route_lie_over_those_of_the_server(void **state)
{
	struct config *c = load(SERVER(
		"\"routes\": ["
		" {\"path\": \"/a\", \"status\": \"health\","
		"  \"headers\": {\"x-b\": null, \"X-C\": \"new\", \"X-D\": \"4\"}},"
		" {\"path\": \"/b\", \"status\": \"health\"}],"
		"\"headers\": {\"X-A\": \"1\", \"X-B\": \"2\", \"x-c\": \"3\","
		" \"X-Content-Type-Options\": null}"));
	const struct conf_pairs *h = &c->servers[0].routes[0].headers;

	(void)state;
	assert_int_equal(h->count, 3);
	assert_string_equal(h->items[0].name, "X-A");
	assert_string_equal(h->items[0].value, "1");
	assert_string_equal(h->items[1].name, "X-C");
	assert_string_equal(h->items[1].value, "new");
	assert_string_equal(h->items[2].name, "X-D");
	assert_int_equal(c->servers[0].routes[1].headers.count, 3);
	assert_int_equal(c->servers[0].headers.count, 3);
	conf_free(c);
}

static void
files_have_defaults_and_an_absolute_root(void **state)
{
	struct config *c =
		load(ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"www\"}},"
			   "{\"path\": \"/a/*\", \"files\": {\"root\": \"/srv\","
			   " \"index\": [], \"symlinks\": \"follow\","
			   " \"hidden\": true, \"charset\": \"\"}}"));
	const struct conf_route *r = c->servers[0].routes;

	(void)state;
	assert_int_equal(r[0].actions, CONF_ACTION_FILES);
	assert_true(r[0].is_prefix);
	assert_string_equal(r[0].files.root, "/etc/websrv/www");
	assert_string_equal(r[0].files.root_place.pointer,
			    "/servers/0/routes/0/files/root");
	assert_int_equal(r[0].files.index.count, 1);
	assert_string_equal(r[0].files.index.items[0], "index.html");
	assert_int_equal(r[0].files.symlinks, CONF_SYMLINKS_INSIDE);
	assert_false(r[0].files.hidden);
	assert_string_equal(r[0].files.charset, "utf-8");
	assert_string_equal(r[0].files.default_type, "application/octet-stream");
	assert_int_equal(r[0].methods, 0);
	assert_string_equal(r[1].files.root, "/srv");
	assert_int_equal(r[1].files.index.count, 0);
	assert_int_equal(r[1].files.symlinks, CONF_SYMLINKS_FOLLOW);
	assert_true(r[1].files.hidden);
	assert_string_equal(r[1].files.charset, "");
	conf_free(c);
}

static void
files_and_upload_may_share_a_route(void **state)
{
	struct config *c = load(ROUTE(
		"{\"path\": \"/d/*\", \"files\": {\"root\": \"d\"}, \"upload\":"
		" {\"directory\": \"d\", \"max_size\": \"3G\", \"conflict\": "
		"\"replace\"},"
		" \"methods\": [\"GET\", \"PUT\"], \"cache_control\": \"no-store\"}"));
	const struct conf_route *r = c->servers[0].routes;

	(void)state;
	assert_int_equal(r->actions, CONF_ACTION_FILES | CONF_ACTION_UPLOAD);
	assert_string_equal(r->upload.directory, "/etc/websrv/d");
	assert_int_equal(r->upload.max_size, UINT64_C(3) << 30);
	assert_int_equal(r->upload.conflict, CONF_CONFLICT_REPLACE);
	assert_int_equal(r->upload.mode, 0640);
	assert_int_equal(r->methods, HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_PUT));
	assert_string_equal(r->cache_control, "no-store");
	conf_free(c);
}

static void
redirect_and_respond_have_defaults(void **state)
{
	struct config *c = load(ROUTE(
		"{\"path\": \"/b/*\", \"redirect\": {\"to\": \"https://b.example/*\"}},"
		"{\"path\": \"/c\", \"redirect\": {\"to\": \"/d\", \"status\": 308,"
		" \"query\": \"drop\"}},"
		"{\"path\": \"/e\", \"respond\": {}},"
		"{\"path\": \"/f\", \"respond\": {\"status\": 410, \"body\": \"gone\"}},"
		"{\"path\": \"/g\", \"status\": \"health\"}"));
	const struct conf_route *r = c->servers[0].routes;

	(void)state;
	assert_string_equal(r[0].redirect.to, "https://b.example/*");
	assert_int_equal(r[0].redirect.status, 302);
	assert_true(r[0].redirect.keep_query);
	assert_int_equal(r[1].redirect.status, 308);
	assert_false(r[1].redirect.keep_query);
	assert_false(r[1].is_prefix);
	assert_int_equal(r[2].respond.status, 200);
	assert_string_equal(r[2].respond.body, "");
	assert_string_equal(r[2].respond.content_type, "text/plain; charset=utf-8");
	assert_int_equal(r[3].respond.status, 410);
	assert_string_equal(r[3].respond.body, "gone");
	assert_int_equal(r[4].actions, CONF_ACTION_STATUS);
	assert_int_equal(r[4].status, CONF_STATUS_HEALTH);
	assert_string_equal(r[4].place.pointer, "/servers/0/routes/4");
	conf_free(c);
}

static void
redirect_rows_are_decoded_and_made_canonical(void **state)
{
	struct config *c =
		load(SERVER("\"redirects\": {\"/a%20b//c/../d\": \"/new\","
			    " \"/x\": {\"to\": \"http://h/\", \"status\": 308}}"));
	const struct conf_redirect_row *row = c->servers[0].redirects;

	(void)state;
	assert_int_equal(c->servers[0].redirect_count, 2);
	assert_string_equal(row[0].from, "/a b/d");
	assert_string_equal(row[0].to, "/new");
	assert_int_equal(row[0].status, 302);
	assert_int_equal(row[0].line, 1);
	assert_int_equal(row[1].column - row[0].column,
			 strlen("\"/a%20b//c/../d\": \"/new\", "));
	assert_string_equal(row[1].to, "http://h/");
	assert_int_equal(row[1].status, 308);
	conf_free(c);
}

static void
hundred_thousand_redirects_load_in_no_time(void **state)
{
	struct config *c;
	struct buf text;
	clock_t start;

	(void)state;
	buf_init(&text);
	buf_add_str(&text,
		    "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"redirects\": {");
	for (int i = 0; i < 100000; i++)
		buf_printf(&text, "%s\"/old/%d.html\": \"/new/%d\"", i ? "," : "", i, i);
	buf_add_str(&text, "}}]}");
	buf_add_char(&text, '\0');
	start = clock();
	c = load(text.ptr);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* slack for sanitizers */
	assert_int_equal(c->servers[0].redirect_count, 100000);
	assert_string_equal(c->servers[0].redirects[99999].to, "/new/99999");
	conf_free(c);
	buf_fini(&text);
}

static void
comments_and_positions_live_together(void **state)
{
	struct config *c = load("// first\n{ /* two\nlines */ \"servers\": [ // here\n"
				"\t{ \"listen\": [\"127.0.0.1:80\"] } ] }");

	(void)state;
	assert_int_equal(c->servers[0].place.line, 4);
	assert_int_equal(c->servers[0].place.column, 2);
	conf_free(c);
}

static void
relative_paths_of_a_file_are_seen_from_its_directory(void **state)
{
	char dir[] = "/tmp/websrv-conf-XXXXXX", path[64], expected[64];
	struct buf errors;
	struct config *c;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/websrv.json", dir);
	snprintf(expected, sizeof(expected), "%s/www", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"./www\"}}"), f);
	fclose(f);
	buf_init(&errors);
	c = conf_load_file(path, &errors);
	assert_non_null(c);
	assert_string_equal(c->file, path);
	assert_string_equal(c->servers[0].routes[0].files.root, expected);
	conf_free(c);
	buf_fini(&errors);
	unlink(path);
	rmdir(dir);
}

static void
file_that_is_not_there_is_one_line(void **state)
{
	struct buf errors;

	(void)state;
	buf_init(&errors);
	assert_null(conf_load_file("/nonexistent/websrv.json", &errors));
	buf_add_char(&errors, '\0');
	assert_string_equal(errors.ptr,
			    "/nonexistent/websrv.json: the file cannot be read (No such "
			    "file or directory); name a readable one with -c\n");
	buf_fini(&errors);
}

static void
directory_without_a_config_is_served_on_localhost(void **state)
{
	struct buf errors;
	struct config *c;
	char cwd[PATH_MAX], expected[PATH_MAX + 16];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(expected, sizeof(expected), "%s/some dir", cwd);
	buf_init(&errors);
	c = conf_for_directory(NULL, "some dir", &errors);
	assert_non_null(c);
	assert_null(c->file);
	assert_int_equal(c->workers, 1);
	assert_string_equal(c->servers[0].listens[0].host, "127.0.0.1");
	assert_int_equal(c->servers[0].listens[0].port, 8080);
	assert_int_equal(c->servers[0].route_count, 1);
	assert_string_equal(c->servers[0].routes[0].path, "/*");
	assert_int_equal(c->servers[0].routes[0].actions, CONF_ACTION_FILES);
	assert_string_equal(c->servers[0].routes[0].files.root, expected);
	conf_report(&errors, &c->servers[0].routes[0].files.root_place,
		    "cannot be opened");
	buf_add_char(&errors, '\0');
	assert_string_equal(errors.ptr, "DIR: cannot be opened\n");
	conf_free(c);
	buf_fini(&errors);
}

static void
directory_may_have_any_bytes_in_its_name(void **state)
{
	struct buf errors;
	struct config *c;

	(void)state;
	buf_init(&errors);
	c = conf_for_directory("[::1]:9000", "/srv/\xff\"\n", &errors);
	assert_non_null(c);
	assert_string_equal(c->servers[0].routes[0].files.root, "/srv/\xff\"\n");
	assert_int_equal(c->servers[0].listens[0].port, 9000);
	conf_free(c);
	buf_fini(&errors);
}

static void
bad_address_of_a_directory_is_called_l(void **state)
{
	static const char *const cases[][2] = {
		{ "localhost:80",
		  "-l: \"localhost:80\" has no numeric address, and names "
		  "are not resolved; write \"127.0.0.1:80\"\n" },
		{ "9000", "-l: \"9000\" has no address; write \"127.0.0.1:9000\", or "
			  "\"0.0.0.0:9000\" for all interfaces\n" },
		{ "\xff", "-l: is not UTF-8; write an address such as "
			  "\"127.0.0.1:8080\"\n" },
	};
	struct buf errors;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&errors);
		assert_null(conf_for_directory(cases[i][0], ".", &errors));
		buf_add_char(&errors, '\0');
		assert_string_equal(errors.ptr, cases[i][1]);
		buf_fini(&errors);
	}
}

static void
report_has_the_same_form_as_errors_of_the_loader(void **state)
{
	struct conf_place place = { "a.json", 12, 7, "/servers/0/routes/2/files/root" };
	struct buf out;

	(void)state;
	buf_init(&out);
	conf_report(&out, &place, "\"%s\" cannot be opened (%s)", "/x\ny", "no");
	buf_add_char(&out, '\0');
	assert_string_equal(out.ptr, "a.json:12:7: /servers/0/routes/2/files/root: "
				     "\"/x\\u000ay\" cannot be opened (no)\n");
	buf_fini(&out);
}

static int mallocs_left;

static void *
scarce_malloc(size_t size)
{
	return mallocs_left-- > 0 ? malloc(size) : NULL;
}

/* Some failures look like bad syntax to the parser: it is the message that counts. */
static void
parser_without_memory_is_a_message_and_no_crash(void **state)
{
	struct buf errors;
	struct config *c = NULL;
	size_t clear = 0;

	(void)state;
	json_set_alloc_funcs(scarce_malloc, free);
	for (int n = 0; c == NULL && n < 1000; n++) {
		mallocs_left = n;
		buf_init(&errors);
		c = conf_load_text(SLICE(SERVER("\"names\": [\"a\"]")), "t.json", "/",
				   &errors);
		buf_add_char(&errors, '\0');
		clear += strstr(errors.ptr, "out of memory") != NULL;
		assert_true(c != NULL || strncmp(errors.ptr, "t.json:", 7) == 0);
		buf_fini(&errors);
	}
	json_set_alloc_funcs(malloc, free);
	assert_non_null(c);
	assert_true(clear > 0);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_sections_have_their_defaults),
		cmocka_unit_test(top_level_values_are_taken_over),
		cmocka_unit_test(whole_numbers_may_be_written_in_any_way_of_json),
		cmocka_unit_test(
			cache_control_of_a_route_stands_for_the_field_of_the_server),
		cmocka_unit_test(access_log_null_is_off),
		cmocka_unit_test(addresses_of_every_kind_are_read),
		cmocka_unit_test(unix_path_of_107_bytes_is_taken),
		cmocka_unit_test(names_are_lower_case_and_may_be_addresses),
		cmocka_unit_test(same_address_in_two_servers_is_normal),
		cmocka_unit_test(limits_and_timeouts_are_inherited_whatever_the_order),
		cmocka_unit_test(
			a_rate_of_requests_is_inherited_taken_anew_or_taken_away),
		cmocka_unit_test(headers_of_a_route_lie_over_those_of_the_server),
		cmocka_unit_test(files_have_defaults_and_an_absolute_root),
		cmocka_unit_test(files_and_upload_may_share_a_route),
		cmocka_unit_test(redirect_and_respond_have_defaults),
		cmocka_unit_test(redirect_rows_are_decoded_and_made_canonical),
		cmocka_unit_test(hundred_thousand_redirects_load_in_no_time),
		cmocka_unit_test(comments_and_positions_live_together),
		cmocka_unit_test(relative_paths_of_a_file_are_seen_from_its_directory),
		cmocka_unit_test(file_that_is_not_there_is_one_line),
		cmocka_unit_test(directory_without_a_config_is_served_on_localhost),
		cmocka_unit_test(directory_may_have_any_bytes_in_its_name),
		cmocka_unit_test(bad_address_of_a_directory_is_called_l),
		cmocka_unit_test(report_has_the_same_form_as_errors_of_the_loader),
		cmocka_unit_test(parser_without_memory_is_a_message_and_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
