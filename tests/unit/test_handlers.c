/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests and answers without a socket: a transport that only takes notes drives the real
 * handlers on a site that was built from a configuration and a directory of files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"
#include "handler/store.h"

#define HOSTILE "%0d%0aSet-Cookie:%20a=1%0d%0a%0d%0a%22%3c%5c%ff"
#define ENCODED "%0D%0ASet-Cookie:%20a=1%0D%0A%0D%0A%22%3C%5C%FF"

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"limits\": {\"uri_size\": 300, \"header_size\": 400, \"header_count\": 5},"
	" \"headers\": {\"X-Server\": \"s\", \"X-Gone\": \"g\","
	"  \"X-Content-Type-Options\": null},"
	" \"error_pages\": {\"404\": \"/e/404.html\", \"4xx\": \"/e/4xx.html\","
	"  \"405\": \"/e/none.html\", \"412\": \"/e/\", \"413\": \"/drop/x\","
	"  \"414\": \"/say\", \"431\": \"/healthz\"},"
	" \"redirects\": {\"/home\": \"/\","
	"  \"/old\": {\"to\": \"/new?x=1\", \"status\": 301}},"
	" \"routes\": ["
	"  {\"path\": \"/healthz\", \"status\": \"health\"},"
	"  {\"path\": \"/say\", \"respond\": {\"status\": 203, \"body\": \"hi\"},"
	"   \"headers\": {\"X-Server\": \"r\", \"X-Gone\": null, \"X-Route\": \"1\","
	"    \"content-type\": \"text/x\"}},"
	"  {\"path\": \"/off/*\", \"respond\": {\"status\": 503}},"
	"  {\"path\": \"/r/*\", \"redirect\": {\"to\": \"https://a.example/x/*?y\"}},"
	"  {\"path\": \"/drop-query\", \"redirect\": {\"to\": \"/to\", \"status\": 308,"
	"   \"query\": \"drop\"}},"
	"  {\"path\": \"/part\", \"redirect\": {\"to\": \"/to#part\"}},"
	"  {\"path\": \"/drop/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false,"
	"   \"max_size\": 20}},"
	"  {\"path\": \"/*\", \"files\": {\"root\": \"root\"}}]}]}";

static const char *const files[][2] = {
	{ "root/a.txt", "hello\n" },
	{ "root/index.html", "<p>home" },
	{ "root/sub/b", "b" },
	{ "root/.secret", "no" },
	{ "root/sub/.git", "no" },
	{ "root/.well-known/x", "yes" },
	{ "root/e/404.html", "nothing" },
	{ "root/e/4xx.html", "your fault" },
	{ "root/g h\xc3\xa4/index.html", "g" },
	{ "secret", "no" },
};

/* --- setting up --- */

static void
make_files(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		put(files[i][0], files[i][1]);
	assert_int_equal(mkdirat(rig.dirfd, "drop", 0755), 0);
	assert_int_equal(symlinkat("../secret", rig.dirfd, "root/out"), 0);
	assert_int_equal(mkfifoat(rig.dirfd, "root/fifo", 0644), 0);
}

/* --- one request --- */

#define TO(s) "Location: " s "\n"
#define LONG_50 "/23456789/23456789/23456789/23456789/23456789"

/* clang-format off */
static const struct answer_case cases[] = {
	/* Files. */
	{ "file_is_served", HTTP_GET, "/a.txt", PLAIN, 200, "Content-Type: text/plain; charset=utf-8\n", "Location", "hello\n" },
	{ "file_has_an_etag", HTTP_GET, "/a.txt?q", PLAIN, 200, "ETag: \"", "Allow", "hello\n" },
	{ "head_is_like_get_to_a_handler", HTTP_HEAD, "/a.txt", PLAIN, 200, "Last-Modified: ", NULL, "hello\n" },
	{ "encoded_name_is_decoded", HTTP_GET, "/%61.t%78t", PLAIN, 200, NULL, NULL, "hello\n" },
	{ "directory_is_its_index", HTTP_GET, "/", PLAIN, 200, "Content-Type: text/html; charset=utf-8\n", NULL, "<p>home" },
	{ "directory_without_index_is_404", HTTP_GET, "/sub/", PLAIN, 404, NULL, NULL, "nothing" },
	{ "directory_without_slash_is_redirected", HTTP_GET, "/sub", PLAIN, 308, TO("/sub/"), NULL, "" },
	{ "directory_redirect_encodes_and_keeps_the_query", HTTP_GET, "/g%20h%c3%a4?a=b", PLAIN, 308, TO("/g%20h%C3%A4/?a=b"), NULL, "" },
	{ "same_etag_is_304_without_type", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "*"), 304, "ETag: \"", "Content-Type", "" },
	{ "other_etag_is_412", HTTP_GET, "/a.txt", WITH(IF_MATCH, "\"x\""), 412, NULL, "ETag", "412 Precondition Failed" },
	{ "condition_on_a_missing_file_is_404", HTTP_GET, "/none", WITH(IF_MATCH, "\"x\""), 404, NULL, "ETag", "nothing" },
	{ "hidden_file_is_404", HTTP_GET, "/.secret", PLAIN, 404, NULL, NULL, "nothing" },
	{ "hidden_file_in_a_directory_is_404", HTTP_GET, "/sub/.git", PLAIN, 404, NULL, NULL, "nothing" },
	{ "well_known_is_not_hidden", HTTP_GET, "/.well-known/x", PLAIN, 200, NULL, NULL, "yes" },
	{ "link_out_of_the_root_is_404", HTTP_GET, "/out", PLAIN, 404, NULL, NULL, "nothing" },
	{ "fifo_is_404", HTTP_GET, "/fifo", PLAIN, 404, NULL, NULL, "nothing" },
	{ "file_as_a_directory_is_404", HTTP_GET, "/a.txt/", PLAIN, 404, NULL, NULL, "nothing" },
	/* Error pages. */
	{ "missing_file_has_the_configured_page", HTTP_GET, "/none", PLAIN, 404, "Content-Type: text/html", "ETag", "nothing" },
	{ "etag_of_the_request_does_not_concern_the_page", HTTP_GET, "/none", WITH(IF_NONE_MATCH, "*"), 404, NULL, "ETag", "nothing" },
	{ "bad_path_has_the_page_of_its_class", HTTP_GET, "/a%00", PLAIN, 400, NULL, NULL, "your fault" },
	{ "path_above_the_root_is_400", HTTP_GET, "/../a", PLAIN, 400, NULL, NULL, "your fault" },
	{ "page_that_is_missing_gives_way_to_the_built_in_one", HTTP_POST, "/a.txt", PLAIN, 405, "Content-Type: text/plain", NULL, "405 Method Not Allowed" },
	{ "built_in_page_is_html_for_browsers", HTTP_POST, "/a.txt", WITH(ACCEPT, "text/html,*/*"), 405, "Content-Type: text/html", NULL, "<!doctype html>" },
	/* Methods. */
	{ "other_method_is_405_with_allow", HTTP_DELETE, "/a.txt", PLAIN, 405, "Allow: GET, HEAD, OPTIONS\n", NULL, "405" },
	{ "get_of_an_upload_is_405_with_allow", HTTP_GET, "/drop/x", PLAIN, 405, "Allow: POST, PUT, OPTIONS\n", NULL, "405" },
	{ "options_tells_the_methods", HTTP_OPTIONS, "/a.txt", PLAIN, 204, "Allow: GET, HEAD, OPTIONS\n", NULL, "" },
	{ "options_of_the_server_tells_all", HTTP_OPTIONS, "*", PLAIN, 204, "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\n", NULL, "" },
	{ "trace_is_405", HTTP_TRACE, "/a.txt", PLAIN, 405, "Allow: GET, HEAD, OPTIONS\n", NULL, "405" },
	/* Redirects. */
	{ "row_redirects", HTTP_GET, "/home", PLAIN, 302, TO("/"), NULL, "" },
	{ "row_joins_the_query", HTTP_POST, "/old?b=2", PLAIN, 301, TO("/new?x=1&b=2"), NULL, "" },
	{ "prefix_without_slash_adds_it", HTTP_GET, "/off?q=1", PLAIN, 308, TO("/off/?q=1"), NULL, "" },
	{ "star_takes_the_rest", HTTP_GET, "/r/b/c", PLAIN, 302, TO("https://a.example/x/b/c?y"), NULL, "" },
	{ "star_may_be_empty", HTTP_GET, "/r/?q", PLAIN, 302, TO("https://a.example/x/?y&q"), NULL, "" },
	{ "hostile_capture_is_encoded", HTTP_GET, "/r/" HOSTILE, PLAIN, 302, TO("https://a.example/x/" ENCODED "?y"), NULL, "" },
	{ "captured_question_mark_and_hash_are_encoded", HTTP_GET, "/r/%3fa%23b%25c", PLAIN, 302, TO("https://a.example/x/%3Fa%23b%25c?y"), NULL, "" },
	{ "captured_slashes_do_not_make_a_host", HTTP_GET, "/r//evil.example//", PLAIN, 302, TO("https://a.example/x/evil.example/?y"), NULL, "" },
	{ "hostile_query_is_encoded", HTTP_GET, "/home?a\r\nX: \xff%0d?", PLAIN, 302, TO("/?a%0D%0AX:%20%FF%0d?"), NULL, "" },
	{ "query_can_be_dropped", HTTP_GET, "/drop-query?a=b", PLAIN, 308, TO("/to"), NULL, "" },
	{ "query_goes_before_the_fragment", HTTP_GET, "/part?a=b", PLAIN, 302, TO("/to?a=b#part"), NULL, "" },
	/* Fixed answers and their fields. */
	{ "respond_answers", HTTP_POST, "/say", PLAIN, 203, "X-Route: 1\n", NULL, "hi" },
	{ "field_of_the_route_overrides_the_handler", HTTP_GET, "/say", PLAIN, 203, "content-type: text/x\n", "Content-Type", "hi" },
	{ "field_of_the_route_overrides_the_server", HTTP_GET, "/say", PLAIN, 203, "X-Server: r\n", "X-Server: s", "hi" },
	{ "null_removes_a_field_of_the_server", HTTP_GET, "/say", PLAIN, 203, NULL, "X-Gone", "hi" },
	{ "fields_of_the_server_are_everywhere", HTTP_GET, "/a.txt", PLAIN, 200, "X-Server: s\nX-Gone: g\n", NULL, NULL },
	{ "fields_of_the_server_are_on_errors_too", HTTP_GET, "/a%00", PLAIN, 400, "X-Server: s\nX-Gone: g\n", NULL, NULL },
	{ "empty_answer_has_no_type", HTTP_GET, "/off/x", PLAIN, 503, NULL, "Content-Type", "" },
	{ "health_is_ok_and_not_cached", HTTP_GET, "/healthz", PLAIN, 200, "Cache-Control: no-store\n", NULL, "ok\n" },
	/* Limits of the server. */
	{ "long_target_is_414_with_a_fixed_answer_as_its_page", HTTP_GET, LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50, PLAIN, 414, "Content-Type: text/plain", "X-Route", "hi" },
	{ "large_head_is_431_and_health_is_no_page", HTTP_GET, LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50, WITH(REFERER, LONG_50 LONG_50 LONG_50), 431, NULL, NULL, "431 Request Header" },
	/* Uploads that are refused before they come. */
	{ "put_beneath_a_name_is_409", HTTP_PUT, "/drop/a/b", PLAIN, 409, NULL, NULL, "your fault" },
	{ "put_of_a_bad_name_is_400", HTTP_PUT, "/drop/.a", PLAIN, 400, NULL, NULL, "your fault" },
	{ "put_without_a_name_is_400", HTTP_PUT, "/drop/", PLAIN, 400, NULL, NULL, "your fault" },
	{ "put_of_a_part_is_400", HTTP_PUT, "/drop/x", WITH(CONTENT_RANGE, "bytes 0-1/5"), 400, NULL, NULL, "your fault" },
	{ "put_on_condition_of_a_missing_file_is_412", HTTP_PUT, "/drop/x", WITH(IF_MATCH, "*"), 412, NULL, NULL, "412" },
};
/* clang-format on */

/* --- uploads --- */

static size_t
count_drops(void)
{
	return tree_count(rig.dirfd, "drop", STORE_STAGING);
}

static void
assert_drop(const char *name, const char *text)
{
	tree_assert_file(rig.dirfd, name, text);
	assert_int_equal(unlinkat(rig.dirfd, name, 0), 0);
}

static void
begin_put(const char *target, enum http_body_kind kind, uint64_t length)
{
	prepare(HTTP_PUT, target);
	rig.t.ex.head.body = kind;
	rig.t.ex.head.content_length = length;
	exchange_begin(&rig.t.ex);
}

/* The next piece; nothing is published before the last. */
static void
piece(const char *text, bool last)
{
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	assert_int_equal(count_drops(), 0);
	exchange_body(&rig.t.ex, slice_from_str(text), last);
}

static void
put_in_pieces_is_published_after_the_last(void **state)
{
	(void)state;
	begin_put("/drop/%61%20b", HTTP_BODY_LENGTH, 6);
	piece("ab", false);
	assert_int_equal(rig.t.credited, 2);
	piece("cd", false);
	piece("", false);
	piece("ef", true);
	assert_int_equal(rig.t.credited, 6);
	assert_int_equal(rig.t.ex.unconsumed, 0);
	assert_int_equal(finish(), 201);
	assert_non_null(strstr(rig.t.fields.ptr, TO("/drop/a%20b")));
	assert_int_equal(count_drops(), 1);
	assert_drop("drop/a b", "abcdef");
}

static void
empty_put_makes_an_empty_file(void **state)
{
	(void)state;
	begin_put("/drop/empty", HTTP_BODY_NONE, 0);
	piece("", true);
	assert_int_equal(finish(), 201);
	assert_drop("drop/empty", "");
}

static void
put_that_is_cut_short_leaves_nothing(void **state)
{
	int lowest = lowest_fd();

	(void)state;
	begin_put("/drop/x", HTTP_BODY_LENGTH, 6);
	piece("abc", false);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(rig.t.ex.status, 499);
	assert_int_equal(count_drops(), 0);
	begin_put("/drop/x", HTTP_BODY_LENGTH, 6);
	piece("abc", false);
	exchange_refuse(&rig.t.ex, 408); /* the transport lost its patience */
	assert_true(rig.t.ex.close);
	assert_int_equal(count_drops(), 0);
	assert_int_equal(finish(), 408);
	assert_int_equal(lowest_fd(), lowest);
}

static void
put_that_says_it_is_too_large_is_413_at_once(void **state)
{
	(void)state;
	begin_put("/drop/x", HTTP_BODY_LENGTH, 21);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RESPONDING);
	assert_true(rig.t.ex.close);
	assert_int_equal(finish(), 413);
	/* The page configured for it would be an upload, which is no page. */
	assert_non_null(strstr(rig.t.body.ptr, "413 Content Too Large"));
	assert_int_equal(count_drops(), 0);
}

static void
put_that_grows_too_large_is_413_then(void **state)
{
	(void)state;
	begin_put("/drop/x", HTTP_BODY_CHUNKED, 0);
	piece("01234567890123456789", false);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	piece("x", true);
	assert_int_equal(finish(), 413);
	assert_true(rig.t.ex.close);
	assert_int_equal(count_drops(), 0);
}

static void
put_of_the_largest_size_is_taken(void **state)
{
	(void)state;
	begin_put("/drop/x", HTTP_BODY_LENGTH, 20);
	piece("0123456789", false);
	piece("0123456789", true);
	assert_int_equal(finish(), 201);
	assert_drop("drop/x", "01234567890123456789");
}

static void
second_of_two_puts_to_one_name_is_409(void **state)
{
	uint64_t before = counter_sum(rig.counters, 1, COUNTER_FILES_UPLOADED);
	int fd;

	(void)state;
	begin_put("/drop/x", HTTP_BODY_LENGTH, 2);
	piece("a", false);
	fd = openat(rig.dirfd, "drop/x", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_int_equal(fs_write_full(fd, "first", 5), 0);
	close(fd);
	exchange_body(&rig.t.ex, SLICE("b"), true);
	assert_int_equal(finish(), 409);
	assert_null(strstr(rig.t.fields.ptr, "Location"));
	begin_put("/drop/x", HTTP_BODY_LENGTH,
		  2); /* and a third need not send its body */
	assert_int_equal(rig.t.ex.state, EXCHANGE_RESPONDING);
	assert_int_equal(finish(), 409);
	assert_int_equal(count_drops(), 1);
	assert_drop("drop/x", "first");
	assert_int_equal(counter_sum(rig.counters, 1, COUNTER_FILES_UPLOADED), before);
}

#define UPLOADS 7

int
main(void)
{
	static struct CMUnitTest tests[COUNT(cases) + UPLOADS] = {
		cmocka_unit_test(put_in_pieces_is_published_after_the_last),
		cmocka_unit_test(empty_put_makes_an_empty_file),
		cmocka_unit_test(put_that_is_cut_short_leaves_nothing),
		cmocka_unit_test(put_that_says_it_is_too_large_is_413_at_once),
		cmocka_unit_test(put_that_grows_too_large_is_413_then),
		cmocka_unit_test(put_of_the_largest_size_is_taken),
		cmocka_unit_test(second_of_two_puts_to_one_name_is_409),
	};

	add_cases(tests, UPLOADS, cases, COUNT(cases));
	return run_with_rig(tests, config_text, make_files);
}
