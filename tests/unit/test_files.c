/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers of the files handler: conditions and their order, index files and where they are,
 * the page for what is missing, downloads, and what the page of an error keeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"error_pages\": {\"404\": \"/e/404.html\", \"405\": \"/app/none\","
	"  \"412\": \"/dl/412.html\", \"414\": \"/list/sub/\"},"
	" \"limits\": {\"uri_size\": 300},"
	" \"headers\": {\"X-Content-Type-Options\": null},"
	" \"routes\": ["
	"  {\"path\": \"/dl/*\", \"files\": {\"root\": \"dl\"}, \"download\": true},"
	"  {\"path\": \"/app/*\", \"files\": {\"root\": \"app\","
	"   \"fallback\": \"/in/shell page.html\"}},"
	"  {\"path\": \"/lost/*\", \"files\": {\"root\": \"app\","
	"   \"fallback\": \"/none.html\"}},"
	"  {\"path\": \"/to-dir/*\", \"files\": {\"root\": \"app\","
	"   \"fallback\": \"/in\"}},"
	"  {\"path\": \"/list/*\", \"files\": {\"root\": \"root\", \"listing\": true,"
	"   \"fallback\": \"/a.txt\"}},"
	"  {\"path\": \"/no-index/*\", \"files\": {\"root\": \"root\", \"index\": []}},"
	"  {\"path\": \"/one.txt\", \"files\": {\"root\": \"root\"}},"
	"  {\"path\": \"/p/q/*\", \"files\": {\"root\": \"root\"}},"
	"  {\"path\": \"/*\", \"files\": {\"root\": \"root\","
	"   \"index\": [\"none.html\", \"dir.html\", \"first.html\", \"second.html\"]}}"
	"]}]}";

static const char *const files[][2] = {
	{ "root/a.txt", "hello\n" },
	{ "root/one.txt", "one" },
	{ "root/young.txt", "young" },
	{ "root/epoch.txt", "epoch" },
	{ "root/first.html", "first" },
	{ "root/second.html", "second" },
	{ "root/index.html", "index" },
	{ "root/sub/second.html", "sub" },
	{ "root/empty/x", "" },
	{ "root/g h\xc3\xa4/second.html", "g" },
	{ "root/e/404.html", "nothing" },
	{ "app/in/shell page.html", "shell" },
	{ "app/real.txt", "real" },
	{ "app/.hidden", "no" },
	{ "app/dir/x", "x" },
	{ "dl/plain.txt", "plain" },
	{ "dl/index.html", "index" },
	{ "dl/412.html", "changed" },
	{ "dl/\xc3\xa4 \"b.txt", "umlaut" },
};

static void
make_files(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		put(files[i][0], files[i][1]);
	assert_int_equal(mkdirat(rig.dirfd, "root/dir.html", 0755), 0);
	tree_set_mtime(rig.dirfd, "root/young.txt", time(NULL) + 1000, 0);
	tree_set_mtime(rig.dirfd, "root/epoch.txt", 0, 0);
}

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define AT(s) "Content-Location: " s "\n"
#define SAVED(s) "Content-Disposition: attachment; " s "\n"
#define LONG "/23456789/23456789/23456789/23456789/23456789/23456789/23456789/23456789"

/* clang-format off */
static const struct answer_case cases[] = {
	/* If-None-Match. */
	{ "same_tag_is_304", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "@"), 304, "ETag: \"", "Content-Type", "" },
	{ "answer_of_304_has_the_date", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "@"), 304, "Last-Modified: " OLD_DATE "\n", "Accept-Ranges", "" },
	{ "head_with_the_same_tag_is_304", HTTP_HEAD, "/a.txt", WITH(IF_NONE_MATCH, "@"), 304, "ETag: \"", "Content-Type", "" },
	{ "one_of_several_tags_is_304", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "\"x\", W/\"y\" ,@, \"z\""), 304, NULL, NULL, "" },
	{ "tag_of_a_second_line_is_304", HTTP_GET, "/a.txt", WITH_BOTH(IF_NONE_MATCH, "\"x\"", IF_NONE_MATCH, "@"), 304, NULL, NULL, "" },
	{ "weak_form_of_the_tag_is_304", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "W/@"), 304, "ETag: \"", NULL, "" },
	{ "star_is_304", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "*"), 304, NULL, NULL, "" },
	{ "other_tags_are_200", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "\"x\", W/\"y\""), 200, "ETag: \"", NULL, "hello\n" },
	{ "malformed_list_is_200", HTTP_GET, "/a.txt", WITH(IF_NONE_MATCH, "@ \"x\""), 200, NULL, NULL, "hello\n" },
	{ "weak_tag_of_a_young_file_is_304", HTTP_GET, "/young.txt", WITH(IF_NONE_MATCH, "@"), 304, "ETag: W/\"", NULL, "" },
	{ "weak_tag_of_an_undated_file_is_304", HTTP_GET, "/epoch.txt", WITH(IF_NONE_MATCH, "@"), 304, "ETag: W/\"", NULL, "" },
	/* If-Modified-Since. */
	{ "same_date_is_304", HTTP_GET, "/a.txt", WITH(IF_MODIFIED_SINCE, OLD_DATE), 304, NULL, NULL, "" },
	{ "later_date_is_304", HTTP_GET, "/a.txt", WITH(IF_MODIFIED_SINCE, AFTER), 304, NULL, NULL, "" },
	{ "earlier_date_is_200", HTTP_GET, "/a.txt", WITH(IF_MODIFIED_SINCE, BEFORE), 200, NULL, NULL, "hello\n" },
	{ "bad_date_is_200", HTTP_GET, "/a.txt", WITH(IF_MODIFIED_SINCE, "yesterday"), 200, NULL, NULL, "hello\n" },
	{ "other_tag_outweighs_the_same_date", HTTP_GET, "/a.txt", WITH_BOTH(IF_MODIFIED_SINCE, OLD_DATE, IF_NONE_MATCH, "\"x\""), 200, NULL, NULL, "hello\n" },
	{ "same_tag_outweighs_an_earlier_date", HTTP_GET, "/a.txt", WITH_BOTH(IF_MODIFIED_SINCE, BEFORE, IF_NONE_MATCH, "@"), 304, NULL, NULL, "" },
	/* If-Match and If-Unmodified-Since. */
	{ "expected_tag_is_200", HTTP_GET, "/a.txt", WITH(IF_MATCH, "\"x\", @"), 200, NULL, NULL, "hello\n" },
	{ "any_expected_tag_is_200", HTTP_GET, "/a.txt", WITH(IF_MATCH, "*"), 200, NULL, NULL, "hello\n" },
	{ "unexpected_tag_is_412", HTTP_GET, "/a.txt", WITH(IF_MATCH, "\"x\""), 412, NULL, "ETag", "changed" },
	{ "weak_form_of_the_expected_tag_is_412", HTTP_GET, "/a.txt", WITH(IF_MATCH, "W/@"), 412, NULL, "ETag", "changed" },
	{ "expected_tag_of_a_young_file_is_412", HTTP_GET, "/young.txt", WITH(IF_MATCH, "@"), 412, NULL, "ETag", "changed" },
	{ "same_expected_date_is_200", HTTP_GET, "/a.txt", WITH(IF_UNMODIFIED_SINCE, OLD_DATE), 200, NULL, NULL, "hello\n" },
	{ "earlier_expected_date_is_412", HTTP_GET, "/a.txt", WITH(IF_UNMODIFIED_SINCE, BEFORE), 412, NULL, "Last-Modified", "changed" },
	{ "bad_expected_date_is_200", HTTP_GET, "/a.txt", WITH(IF_UNMODIFIED_SINCE, "tomorrow"), 200, NULL, NULL, "hello\n" },
	{ "expected_tag_outweighs_an_earlier_date", HTTP_GET, "/a.txt", WITH_BOTH(IF_UNMODIFIED_SINCE, BEFORE, IF_MATCH, "@"), 200, NULL, NULL, "hello\n" },
	{ "expected_and_known_tag_is_304", HTTP_GET, "/a.txt", WITH_BOTH(IF_NONE_MATCH, "@", IF_MATCH, "@"), 304, NULL, NULL, "" },
	{ "unexpected_but_known_tag_is_412", HTTP_GET, "/a.txt", WITH_BOTH(IF_NONE_MATCH, "@", IF_MATCH, "\"x\""), 412, NULL, "ETag", "changed" },
	{ "condition_comes_before_the_range", HTTP_GET, "/a.txt", WITH_BOTH(IF_NONE_MATCH, "@", RANGE, "bytes=99-"), 304, NULL, "Content-Range", "" },
	{ "failed_condition_comes_before_the_range", HTTP_GET, "/a.txt", WITH_BOTH(IF_MATCH, "\"x\"", RANGE, "bytes=99-"), 412, NULL, "Content-Range", "changed" },
	/* The fields of a file. */
	{ "file_has_all_its_fields", HTTP_GET, "/a.txt", PLAIN, 200, "Last-Modified: " OLD_DATE "\nContent-Type: text/plain; charset=utf-8\nAccept-Ranges: bytes\n", "Content-Location", "hello\n" },
	{ "file_that_has_one_form_does_not_vary", HTTP_GET, "/a.txt", WITH(ACCEPT_ENCODING, "gzip, br"), 200, NULL, "Vary", "hello\n" },
	{ "young_file_has_a_weak_tag", HTTP_GET, "/young.txt", PLAIN, 200, "ETag: W/\"", NULL, "young" },
	{ "undated_file_has_a_weak_tag", HTTP_GET, "/epoch.txt", PLAIN, 200, "ETag: W/\"", NULL, "epoch" },
	{ "exact_route_is_a_file_of_that_name", HTTP_GET, "/one.txt", PLAIN, 200, NULL, "Content-Location", "one" },
	/* Index files. */
	{ "first_index_that_is_a_file_answers", HTTP_GET, "/", PLAIN, 200, AT("/first.html"), NULL, "first" },
	{ "next_index_is_looked_for_in_each_directory", HTTP_GET, "/sub/", PLAIN, 200, AT("/sub/second.html"), NULL, "sub" },
	{ "place_of_an_index_is_encoded", HTTP_GET, "/g%20h%c3%a4/", PLAIN, 200, AT("/g%20h%C3%A4/second.html"), NULL, "g" },
	{ "place_of_an_index_is_beneath_its_route", HTTP_GET, "/p/q/?x", PLAIN, 200, AT("/p/q/index.html"), NULL, "index" },
	{ "answer_of_304_has_the_place_of_its_index", HTTP_GET, "/", WITH(IF_NONE_MATCH, "@"), 304, AT("/first.html"), NULL, "" },
	{ "index_that_is_asked_for_by_name_is_nowhere_else", HTTP_GET, "/first.html", PLAIN, 200, NULL, "Content-Location", "first" },
	{ "without_index_files_a_directory_is_404", HTTP_GET, "/no-index/", PLAIN, 404, NULL, NULL, "nothing" },
	{ "directory_without_any_of_them_is_404", HTTP_GET, "/empty/", PLAIN, 404, NULL, "Content-Location", "nothing" },
	{ "directory_that_is_not_there_is_404", HTTP_GET, "/none/", PLAIN, 404, NULL, NULL, "nothing" },
	/* The fallback. */
	{ "fallback_answers_for_what_is_missing", HTTP_GET, "/app/some/where", PLAIN, 200, AT("/app/in/shell%20page.html"), NULL, "shell" },
	{ "fallback_has_the_type_of_its_file", HTTP_HEAD, "/app/some.png", PLAIN, 200, "Content-Type: text/html; charset=utf-8\n", NULL, NULL },
	{ "fallback_has_its_own_tag", HTTP_GET, "/app/some/where", WITH(IF_NONE_MATCH, "@"), 304, AT("/app/in/shell%20page.html"), NULL, "" },
	{ "fallback_answers_beneath_a_file", HTTP_GET, "/app/real.txt/x", PLAIN, 200, NULL, NULL, "shell" },
	{ "fallback_answers_for_a_directory_without_index", HTTP_GET, "/app/dir/", PLAIN, 200, NULL, NULL, "shell" },
	{ "fallback_does_not_hide_a_file", HTTP_GET, "/app/real.txt", PLAIN, 200, NULL, "Content-Location", "real" },
	{ "fallback_does_not_hide_a_directory", HTTP_GET, "/app/dir", PLAIN, 308, "Location: /app/dir/\n", NULL, "" },
	{ "fallback_that_is_asked_for_by_name_is_nowhere_else", HTTP_GET, "/app/in/shell%20page.html", PLAIN, 200, NULL, "Content-Location", "shell" },
	{ "fallback_does_not_answer_for_hidden_names", HTTP_GET, "/app/.hidden", PLAIN, 404, NULL, NULL, "nothing" },
	{ "fallback_does_not_answer_for_hidden_names_that_are_missing", HTTP_GET, "/app/x/.none", PLAIN, 404, NULL, NULL, "nothing" },
	{ "fallback_does_not_answer_for_a_missing_error_page", HTTP_POST, "/app/real.txt", PLAIN, 405, NULL, "Content-Location", "405" },
	{ "fallback_that_is_missing_is_404", HTTP_GET, "/lost/x", PLAIN, 404, NULL, "Content-Location", "nothing" },
	{ "fallback_that_is_a_directory_is_404", HTTP_GET, "/to-dir/x", PLAIN, 404, NULL, "Content-Location", "nothing" },
	/* Listings. */
	{ "directory_without_index_is_listed", HTTP_GET, "/list/sub/", PLAIN, 200, "Content-Type: text/html", "Content-Location", NULL },
	{ "directory_with_index_is_not_listed", HTTP_GET, "/list/", PLAIN, 200, AT("/list/index.html"), NULL, "index" },
	{ "fallback_answers_where_nothing_can_be_listed", HTTP_GET, "/list/none/", PLAIN, 200, AT("/list/a.txt"), NULL, "hello\n" },
	{ "listing_is_no_error_page", HTTP_GET, LONG LONG LONG LONG LONG, PLAIN, 414, NULL, NULL, "414" },
	/* Downloads. */
	{ "download_has_its_name", HTTP_GET, "/dl/plain.txt", PLAIN, 200, SAVED("filename=\"plain.txt\""), NULL, "plain" },
	{ "download_of_a_part_has_its_name", HTTP_GET, "/dl/plain.txt", WITH(RANGE, "bytes=1-2"), 206, SAVED("filename=\"plain.txt\""), NULL, "la" },
	{ "download_of_parts_has_its_name", HTTP_GET, "/dl/plain.txt", WITH(RANGE, "bytes=0-0,2-2"), 206, SAVED("filename=\"plain.txt\""), NULL, NULL },
	{ "download_has_any_name", HTTP_GET, "/dl/%c3%a4%20%22b.txt", PLAIN, 200, SAVED("filename=\"__ _b.txt\"; filename*=UTF-8''%C3%A4%20%22b.txt"), NULL, "umlaut" },
	{ "download_of_an_index_has_the_name_of_its_file", HTTP_GET, "/dl/", PLAIN, 200, SAVED("filename=\"index.html\""), NULL, "index" },
	{ "download_that_is_known_is_304", HTTP_GET, "/dl/plain.txt", WITH(IF_NONE_MATCH, "@"), 304, NULL, "Content-Disposition", "" },
	{ "missing_download_is_no_download", HTTP_GET, "/dl/none", PLAIN, 404, NULL, "Content-Disposition", "nothing" },
	{ "error_page_among_downloads_is_no_download", HTTP_GET, "/dl/plain.txt", WITH(IF_MATCH, "\"x\""), 412, "Content-Type: text/html", "Content-Disposition", "changed" },
	{ "other_files_are_no_downloads", HTTP_GET, "/a.txt", PLAIN, 200, NULL, "Content-Disposition", "hello\n" },
};
/* clang-format on */

static void
error_page_has_no_field_but_its_type(void **state)
{
	(void)state;
	prepare(HTTP_GET, "/none/");
	with_field(HTTP_FIELD_RANGE, "bytes=0-0"); /* it is sent whole */
	assert_int_equal(run(), 404);
	assert_string_equal(rig.t.fields.ptr, "Content-Type: text/html; charset=utf-8\n");
	assert_body("nothing", 7);
}

static void
no_answer_leaves_a_descriptor_open(void **state)
{
	int lowest;

	(void)state;
	prepare(HTTP_GET, "/list/sub/");
	run();
	lowest = lowest_fd();
	for (size_t i = 0; i < COUNT(cases); i++) {
		prepare(cases[i].method, cases[i].target);
		if (strlen(cases[i].target) > 300)
			continue;
		run();
	}
	assert_int_equal(lowest_fd(), lowest); /* all of them are small */
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(error_page_has_no_field_but_its_type),
		cmocka_unit_test(no_answer_leaves_a_descriptor_open),
	};
	static struct CMUnitTest tests[COUNT(cases) + COUNT(others)];

	memcpy(tests, others, sizeof(others));
	add_cases(tests, COUNT(others), cases, COUNT(cases));
	return run_with_rig(tests, config_text, make_files);
}
