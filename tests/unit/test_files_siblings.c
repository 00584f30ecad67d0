/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that somebody compressed before: which sibling is sent to whom, which are not to be
 * trusted, and that it is a representation of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

static const char config_text[] =
	"{\"cache\": {\"revalidate\": \"0s\", \"file_size\": 1000},"
	" \"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"headers\": {\"X-Content-Type-Options\": null},"
	" \"error_pages\": {\"404\": \"/e/404.html\"},"
	" \"routes\": ["
	"  {\"path\": \"/gz/*\", \"files\": {\"root\": \"root\","
	"   \"precompressed\": [\"gzip\", \"br\"]}},"
	"  {\"path\": \"/off/*\", \"files\": {\"root\": \"root\","
	"   \"precompressed\": []}},"
	"  {\"path\": \"/dl/*\", \"files\": {\"root\": \"root\"}, \"download\": true},"
	"  {\"path\": \"/app/*\", \"files\": {\"root\": \"root\","
	"   \"fallback\": \"/one.txt\"}},"
	"  {\"path\": \"/*\", \"files\": {\"root\": \"root\","
	"   \"precompressed\": [\"br\", \"zstd\", \"gzip\"]}}]}]}";

/* Later than what they were made of. */
#define LATER (OLD + 10)
#define LATER_DATE "Sun, 06 Nov 1994 08:49:47 GMT"

static void
put_sibling(const char *name, const char *text)
{
	put(name, text);
	tree_set_mtime(rig.dirfd, name, LATER, 0);
}

static const char *const plain[][2] = {
	{ "root/x.txt", "plain x" },         { "root/one.txt", "plain one" },
	{ "root/none.txt", "plain none" },   { "root/index.html", "plain index" },
	{ "root/dir.txt", "plain dir" },     { "root/fifo.txt", "plain fifo" },
	{ "root/out.txt", "plain out" },     { "root/in.txt", "plain in" },
	{ "root/empty.txt", "plain empty" }, { "root/mixed.txt", "plain mixed" },
	{ "root/e/404.html", "nothing" },    { "root/changing.txt", "plain changing" },
};
static const char *const siblings[][2] = {
	{ "root/x.txt.gz", "gzip x" },
	{ "root/x.txt.br", "br x" },
	{ "root/x.txt.zst", "zstd x" },
	{ "root/one.txt.gz", "gzip one" },
	{ "root/empty.txt.gz", "" },
	{ "root/index.html.gz", "gzip index" },
	{ "root/mixed.txt.gz", "gzip mixed" },
	{ "root/mixed.txt.br", "" },
	{ "root/e/404.html.gz", "gzip nothing" },
	{ "secret.gz", "gzip secret" },
	{ "root/dir.txt.gz/x", "x" },
};

static void
make_files(void)
{
	for (size_t i = 0; i < COUNT(plain); i++)
		put(plain[i][0], plain[i][1]);
	for (size_t i = 0; i < COUNT(siblings); i++)
		put_sibling(siblings[i][0], siblings[i][1]);
	assert_int_equal(mkfifoat(rig.dirfd, "root/fifo.txt.gz", 0644), 0);
	assert_int_equal(symlinkat("../secret.gz", rig.dirfd, "root/out.txt.gz"), 0);
	assert_int_equal(symlinkat("one.txt.gz", rig.dirfd, "root/in.txt.gz"), 0);
	put_pattern("root/big.bin", 5000);
	put_pattern("root/big.bin.gz", 3000);
}

#define IN(s) "Content-Encoding: " s "\n"
#define VARY "Vary: Accept-Encoding\n"

/* clang-format off */
static const struct answer_case cases[] = {
	/* Who gets what. */
	{ "sibling_is_sent_to_who_takes_it", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, IN("gzip"), NULL, "gzip one" },
	{ "sibling_has_the_type_of_its_file", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, "Content-Type: text/plain; charset=utf-8\n", NULL, "gzip one" },
	{ "sibling_varies", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, VARY, NULL, "gzip one" },
	{ "sibling_has_its_own_date", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, "Last-Modified: " LATER_DATE "\n", OLD_DATE, "gzip one" },
	{ "sibling_has_parts", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, "Accept-Ranges: bytes\n", NULL, "gzip one" },
	{ "head_is_of_the_sibling_too", HTTP_HEAD, "/one.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, IN("gzip"), NULL, NULL },
	{ "file_is_sent_to_who_does_not_ask", HTTP_GET, "/one.txt", PLAIN, 200, VARY, "Content-Encoding", "plain one" },
	{ "file_is_sent_to_who_takes_only_another_coding", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "br, zstd"), 200, VARY, "Content-Encoding", "plain one" },
	{ "file_is_sent_to_who_takes_no_coding", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, ""), 200, VARY, "Content-Encoding", "plain one" },
	{ "file_is_sent_to_who_refuses_the_coding", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "gzip;q=0, *;q=0, identity"), 200, VARY, "Content-Encoding", "plain one" },
	{ "file_without_siblings_does_not_vary", HTTP_GET, "/none.txt", WITH(ACCEPT_ENCODING, "gzip, br, zstd"), 200, NULL, "Vary", "plain none" },
	{ "coding_is_found_in_any_case", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "GZip"), 200, IN("gzip"), NULL, "gzip one" },
	{ "old_name_of_gzip_is_gzip", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "x-gzip"), 200, IN("gzip"), NULL, "gzip one" },
	{ "coding_is_found_in_a_second_line", HTTP_GET, "/one.txt", WITH_BOTH(ACCEPT_ENCODING, "br", ACCEPT_ENCODING, "gzip"), 200, IN("gzip"), NULL, "gzip one" },
	/* The order. */
	{ "first_of_the_server_is_sent", HTTP_GET, "/x.txt", WITH(ACCEPT_ENCODING, "gzip, zstd, br"), 200, IN("br"), NULL, "br x" },
	{ "second_of_the_server_is_sent", HTTP_GET, "/x.txt", WITH(ACCEPT_ENCODING, "gzip, zstd"), 200, IN("zstd"), NULL, "zstd x" },
	{ "order_of_the_route_counts", HTTP_GET, "/gz/x.txt", WITH(ACCEPT_ENCODING, "gzip, zstd, br"), 200, IN("gzip"), NULL, "gzip x" },
	{ "coding_that_the_route_leaves_out_is_not_sent", HTTP_GET, "/gz/x.txt", WITH(ACCEPT_ENCODING, "zstd"), 200, VARY, "Content-Encoding", "plain x" },
	{ "route_without_siblings_sends_none", HTTP_GET, "/off/x.txt", WITH(ACCEPT_ENCODING, "gzip, zstd, br"), 200, NULL, "Vary", "plain x" },
	{ "weight_goes_before_the_order", HTTP_GET, "/x.txt", WITH(ACCEPT_ENCODING, "br;q=0.5, gzip;q=0.9, zstd;q=0.899"), 200, IN("gzip"), NULL, "gzip x" },
	{ "star_is_the_first_of_the_server", HTTP_GET, "/x.txt", WITH(ACCEPT_ENCODING, "*"), 200, IN("br"), NULL, "br x" },
	{ "star_is_not_what_was_refused", HTTP_GET, "/x.txt", WITH(ACCEPT_ENCODING, "br;q=0, *"), 200, IN("zstd"), NULL, "zstd x" },
	{ "identity_may_weigh_more", HTTP_GET, "/x.txt", WITH(ACCEPT_ENCODING, "br;q=0.5, identity"), 200, VARY, "Content-Encoding", "plain x" },
	/* Nothing that is acceptable. */
	{ "refused_identity_gets_a_sibling", HTTP_GET, "/x.txt", WITH(ACCEPT_ENCODING, "identity;q=0, gzip;q=0.1"), 200, IN("gzip"), NULL, "gzip x" },
	{ "refused_identity_without_siblings_is_406", HTTP_GET, "/none.txt", WITH(ACCEPT_ENCODING, "identity;q=0"), 406, VARY, "ETag", "406" },
	{ "refused_identity_with_other_siblings_is_406", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "identity;q=0, br"), 406, VARY, "Content-Encoding", "406" },
	{ "refused_star_is_406", HTTP_GET, "/one.txt", WITH(ACCEPT_ENCODING, "*;q=0"), 406, VARY, "Content-Encoding", "406" },
	{ "missing_file_is_404_whatever_is_acceptable", HTTP_GET, "/nothing", WITH(ACCEPT_ENCODING, "*;q=0"), 404, NULL, "Vary", "nothing" },
	/* Siblings that are not to be trusted. */
	{ "empty_sibling_is_not_sent", HTTP_GET, "/empty.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, NULL, "Vary", "plain empty" },
	{ "directory_is_no_sibling", HTTP_GET, "/dir.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, NULL, "Vary", "plain dir" },
	{ "fifo_is_no_sibling", HTTP_GET, "/fifo.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, NULL, "Vary", "plain fifo" },
	{ "link_out_of_the_root_is_no_sibling", HTTP_GET, "/out.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, NULL, "Vary", "plain out" },
	{ "link_within_the_root_is_a_sibling", HTTP_GET, "/in.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, IN("gzip"), NULL, "gzip one" },
	{ "next_sibling_takes_the_place_of_an_empty_one", HTTP_GET, "/mixed.txt", WITH(ACCEPT_ENCODING, "gzip, br"), 200, IN("gzip"), NULL, "gzip mixed" },
	/* Conditions. */
	{ "known_tag_of_the_file_is_304", HTTP_GET, "/one.txt", WITH(IF_NONE_MATCH, "@"), 304, VARY, "Content-Encoding", "" },
	{ "tag_of_the_file_is_not_that_of_the_sibling", HTTP_GET, "/one.txt", WITH_BOTH(IF_NONE_MATCH, "@", ACCEPT_ENCODING, "gzip"), 200, IN("gzip"), NULL, "gzip one" },
	{ "tag_of_the_file_is_not_expected_of_the_sibling", HTTP_GET, "/one.txt", WITH_BOTH(IF_MATCH, "@", ACCEPT_ENCODING, "gzip"), 412, NULL, "Content-Encoding", "412" },
	{ "date_is_that_of_the_sibling", HTTP_GET, "/one.txt", WITH_BOTH(IF_MODIFIED_SINCE, OLD_DATE, ACCEPT_ENCODING, "gzip"), 200, IN("gzip"), NULL, "gzip one" },
	{ "known_date_of_the_sibling_is_304", HTTP_GET, "/one.txt", WITH_BOTH(IF_MODIFIED_SINCE, LATER_DATE, ACCEPT_ENCODING, "gzip"), 304, VARY, "Content-Encoding", "" },
	/* Elsewhere. */
	{ "sibling_of_an_index_is_sent", HTTP_GET, "/", WITH(ACCEPT_ENCODING, "gzip"), 200, "Content-Location: /index.html\n", NULL, "gzip index" },
	{ "sibling_of_a_fallback_is_sent", HTTP_GET, "/app/nothing", WITH(ACCEPT_ENCODING, "gzip"), 200, "Content-Location: /app/one.txt\n", NULL, "gzip one" },
	{ "download_has_the_name_of_the_file", HTTP_GET, "/dl/one.txt", WITH(ACCEPT_ENCODING, "gzip"), 200, "filename=\"one.txt\"\n", NULL, "gzip one" },
	{ "error_page_is_never_a_sibling", HTTP_GET, "/nothing", WITH(ACCEPT_ENCODING, "gzip"), 404, NULL, "Content-Encoding", "nothing" },
	{ "error_page_does_not_vary", HTTP_GET, "/nothing", WITH(ACCEPT_ENCODING, "gzip"), 404, NULL, "Vary", "nothing" },
	{ "sibling_that_is_asked_for_by_name_is_a_file", HTTP_GET, "/one.txt.gz", WITH(ACCEPT_ENCODING, "gzip"), 200, "Content-Type: application/gzip\n", "Content-Encoding", "gzip one" },
};
/* clang-format on */

static int
get(const char *target, const char *codings)
{
	prepare(HTTP_GET, target);
	with_field(HTTP_FIELD_ACCEPT_ENCODING, codings);
	return run();
}

static void
sibling_has_its_own_tag(void **state)
{
	char etag[ETAG_ROOM];

	(void)state;
	prepare(HTTP_GET, "/one.txt.gz");
	run();
	take_etag(etag);
	get("/one.txt", "gzip");
	assert_field("ETag", etag);
	prepare(HTTP_GET, "/one.txt");
	with_field(HTTP_FIELD_ACCEPT_ENCODING, "gzip");
	with_field(HTTP_FIELD_IF_NONE_MATCH, etag);
	assert_int_equal(run(), 304);
	assert_field("ETag", etag);
	assert_field("Vary", "Accept-Encoding");
	prepare(HTTP_GET, "/one.txt");
	with_field(HTTP_FIELD_IF_NONE_MATCH, etag);
	assert_int_equal(run(), 200);
}

static void
parts_are_those_of_the_sibling(void **state)
{
	(void)state;
	prepare(HTTP_GET, "/one.txt");
	with_field(HTTP_FIELD_ACCEPT_ENCODING, "gzip");
	with_field(HTTP_FIELD_RANGE, "bytes=2-5");
	assert_int_equal(run(), 206);
	assert_body("ip o", 4);
	assert_field("Content-Range", "bytes 2-5/8");
	assert_field("Content-Encoding", "gzip");
	assert_field("Content-Type", "text/plain; charset=utf-8");
	assert_field("Vary", "Accept-Encoding");
	prepare(HTTP_GET, "/one.txt");
	with_field(HTTP_FIELD_ACCEPT_ENCODING, "gzip");
	with_field(HTTP_FIELD_RANGE, "bytes=0-0,2-2");
	assert_int_equal(run(), 206);
	assert_field("Content-Encoding", "gzip");
	assert_non_null(strstr(rig.t.body.ptr,
			       "Content-Type: text/plain; charset=utf-8\r\n"
			       "Content-Range: bytes 2-2/8\r\n\r\ni"));
	prepare(HTTP_GET, "/one.txt");
	with_field(HTTP_FIELD_ACCEPT_ENCODING, "gzip");
	with_field(HTTP_FIELD_RANGE, "bytes=8-"); /* the file is longer */
	assert_int_equal(run(), 416);
	assert_field("Content-Range", "bytes */8");
}

static void
big_sibling_goes_straight_from_its_file(void **state)
{
	char *pattern = make_pattern(3000);

	(void)state;
	assert_int_equal(get("/big.bin", "gzip"), 200);
	assert_int_equal(rig.t.kind, BODY_FILE);
	assert_body(pattern, 3000);
	assert_field("Content-Type", "application/octet-stream");
	free(pattern);
}

/* --- siblings that come and go --- */

static void
assert_changing(const char *text)
{
	assert_int_equal(get("/changing.txt", "gzip"), 200);
	assert_string_equal(rig.t.body.ptr, text);
	assert_field("Content-Encoding", *text == 'g' ? "gzip" : NULL);
	assert_field("Vary", *text == 'g' ? "Accept-Encoding" : NULL);
}

static void
sibling_must_not_be_older(void **state)
{
	static const struct {
		int64_t seconds;
		long nanoseconds;
		bool trusted;
	} rows[] = {
		{ OLD - 1, 0, false }, { OLD - 1, 999999999, false },
		{ OLD, 4, false },     { OLD, 5, true },
		{ OLD, 0, true },      { OLD, 6, true },
		{ OLD + 1, 0, true },  { 0, 0, false },
	};

	(void)state;
	put("root/changing.txt", "plain changing");
	tree_set_mtime(rig.dirfd, "root/changing.txt", OLD, 5);
	put("root/changing.txt.gz", "gzip changing");
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_set_mtime(rig.dirfd, "root/changing.txt.gz", rows[i].seconds,
			       rows[i].nanoseconds);
		assert_changing(rows[i].trusted ? "gzip changing" : "plain changing");
	}
	assert_int_equal(unlinkat(rig.dirfd, "root/changing.txt.gz", 0), 0);
}

static void
siblings_come_and_go(void **state)
{
	(void)state;
	put("root/changing.txt", "plain 1");
	assert_changing("plain 1");
	put_sibling("root/changing.txt.gz", "gzip 1");
	assert_changing("gzip 1");
	put_sibling("root/changing.txt.gz", "gzip 1 again");
	assert_changing("gzip 1 again");
	put("root/changing.txt", "plain 2");
	tree_set_mtime(rig.dirfd, "root/changing.txt", LATER + 1, 0);
	assert_changing("plain 2");
	tree_set_mtime(rig.dirfd, "root/changing.txt.gz", LATER + 1, 0);
	assert_changing("gzip 1 again");
	assert_int_equal(unlinkat(rig.dirfd, "root/changing.txt.gz", 0), 0);
	assert_changing("plain 2");
	put_sibling("root/changing.txt.gz", "gzip"); /* of a file that is not there */
	assert_int_equal(unlinkat(rig.dirfd, "root/changing.txt", 0), 0);
	assert_int_equal(get("/changing.txt", "gzip"), 404);
	assert_int_equal(unlinkat(rig.dirfd, "root/changing.txt.gz", 0), 0);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(sibling_has_its_own_tag),
		cmocka_unit_test(parts_are_those_of_the_sibling),
		cmocka_unit_test(big_sibling_goes_straight_from_its_file),
		cmocka_unit_test(sibling_must_not_be_older),
		cmocka_unit_test(siblings_come_and_go),
	};
	static struct CMUnitTest tests[COUNT(cases) + COUNT(others)];

	memcpy(tests, others, sizeof(others));
	add_cases(tests, COUNT(others), cases, COUNT(cases));
	return run_with_rig(tests, config_text, make_files);
}
