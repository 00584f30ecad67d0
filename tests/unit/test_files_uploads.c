/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that lie in an upload directory, whichever way a root lies to it: with which fields they
 * are answered, which others are left alone, and what is never served. Letters tell the guards of
 * an answer: N nosniff, S sandbox, A attachment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"
#include "core/uploads.h"
#include "handler/staging.h"
#include "http/coding.h"

static const char config_text[] =
	"{\"cache\": {\"revalidate\": \"0s\", \"file_size\": 1000},"
	" \"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"headers\": {\"X-Content-Type-Options\": null},"
	" \"error_pages\": {\"416\": \"/drop/416.html\"},"
	" \"routes\": ["
	"  {\"path\": \"/put/*\", \"upload\": {\"directory\": \"up\"}},"
	"  {\"path\": \"/drop/*\", \"files\": {\"root\": \"root/drop\","
	"   \"compress\": {\"encodings\": [\"gzip\"], \"min_size\": 10}},"
	"   \"upload\": {\"directory\": \"root/drop\"}},"
	"  {\"path\": \"/inside/*\", \"files\": {\"root\": \"up/pub\"}},"
	"  {\"path\": \"/apart/*\", \"files\": {\"root\": \"apart\"}},"
	"  {\"path\": \"/follow/*\", \"files\": {\"root\": \"apart\","
	"   \"symlinks\": \"follow\"}},"
	"  {\"path\": \"/dl/*\", \"files\": {\"root\": \"root\"}, \"download\": true},"
	"  {\"path\": \"/app/*\", \"files\": {\"root\": \"root\","
	"   \"fallback\": \"/drop/x.html\"}},"
	"  {\"path\": \"/stray/*\", \"files\": {\"root\": \"root\","
	"   \"fallback\": \"/.websrv-uploads/part.txt\", \"hidden\": true}},"
	"  {\"path\": \"/hidden/*\", \"files\": {\"root\": \"root\", \"hidden\": true,"
	"   \"listing\": true, \"index\": []}},"
	"  {\"path\": \"/alone/*\", \"files\": {\"root\": \"apart\", \"hidden\": true,"
	"   \"listing\": true, \"index\": [],"
	"   \"fallback\": \"/.Websrv-Uploads/part.txt\"}},"
	"  {\"path\": \"/csp/*\", \"files\": {\"root\": \"root\"},"
	"   \"headers\": {\"content-security-policy\": \"script-src 'none'\"}},"
	"  {\"path\": \"/inline/*\", \"files\": {\"root\": \"root\"},"
	"   \"headers\": {\"Content-Disposition\": \"inline\"}},"
	"  {\"path\": \"/html/*\", \"files\": {\"root\": \"root\"},"
	"   \"headers\": {\"Content-Type\": \"text/html\"}},"
	"  {\"path\": \"/*\", \"files\": {\"root\": \"root\"}}]}]}";

static const char *const all[][2] = {
	{ "root/x.html", "site" },
	{ "root/drop/x.html", "uploaded" },
	{ "root/drop/x.txt", "plain words, plain words, plain words" },
	{ "root/drop/p.png", "png" },
	{ "root/drop/s.svg", "<svg/>" },
	{ "root/drop/none", "none" },
	{ "root/drop/index.html", "index" },
	{ "root/drop/416.html", "uploaded page" },
	{ "root/drop/.websrv-uploads/part.txt", "part" },
	{ "root/.websrv-uploads/part.txt", "part" },
	{ "root/.other/part.txt", "other" },
	{ "up/x.html", "uploaded" },
	{ "up/pub/x.html", "uploaded" },
	{ "apart/x.html", "site" },
	{ "apart/.Websrv-Uploads/part.txt", "part" },
	{ "dropped/x.html", "site" },
};

static void
make_files(void)
{
	for (size_t i = 0; i < COUNT(all); i++)
		put(all[i][0], all[i][1]);
	put("root/drop/z.html", "plain");
	put("root/drop/z.html.gz", "gzip z");
	tree_set_mtime(rig.dirfd, "root/drop/z.html.gz", OLD + 10, 0);
	put("root/z.html", "plain");
	assert_int_equal(symlinkat("drop/z.html.gz", rig.dirfd, "root/z.html.gz"), 0);
	put("root/drop/y.html", "plain");
	put("root/own.gz", "gzip y");
	tree_set_mtime(rig.dirfd, "root/own.gz", OLD + 10, 0);
	assert_int_equal(symlinkat("../own.gz", rig.dirfd, "root/drop/y.html.gz"), 0);
	put_pattern("root/drop/big.html", 5000);
	assert_int_equal(symlinkat("drop", rig.dirfd, "root/link"), 0);
	assert_int_equal(symlinkat("drop/x.html", rig.dirfd, "root/l.html"), 0);
	assert_int_equal(symlinkat("drop/.websrv-uploads", rig.dirfd, "root/door"), 0);
	assert_int_equal(symlinkat("../up", rig.dirfd, "apart/up"), 0);
	assert_int_equal(symlinkat("../dropped", rig.dirfd, "apart/dropped"), 0);
}

static bool
has(const char *text)
{
	return strstr(rig.t.fields.ptr, text) != NULL;
}

/* Of the last answer. */
static void
assert_guards(const char *target, const char *expected)
{
	char found[4] = "";

	if (has("X-Content-Type-Options: nosniff\n"))
		strcat(found, "N");
	if (has("Content-Security-Policy: sandbox\n"))
		strcat(found, "S");
	if (has("Content-Disposition: attachment"))
		strcat(found, "A");
	if (strcmp(found, expected) != 0)
		fail_msg("%s: '%s', not '%s' in %s", target, found, expected,
			 rig.t.fields.ptr);
}

static void
guarded(const char *target, const char *expected)
{
	prepare(HTTP_GET, target);
	if (run() != 200)
		fail_msg("%s: %d", target, rig.t.ex.status);
	assert_guards(target, expected);
}

static void
asked(enum http_method method, const char *target, enum http_field_id id,
      const char *value, int status, const char *expected)
{
	prepare(method, target);
	with_field(id, value);
	if (run() != status)
		fail_msg("%s: %d", target, rig.t.ex.status);
	assert_guards(target, expected);
}

static void
what_may_hold_a_script_is_saved_and_the_rest_is_shown(void **state)
{
	(void)state;
	guarded("/drop/x.html", "NSA");
	assert_field("Content-Disposition", "attachment; filename=\"x.html\"");
	guarded("/drop/s.svg", "NSA");
	guarded("/drop/none", "NSA");
	guarded("/drop/p.png", "NS");
	guarded("/drop/x.txt", "NS");
}

static void
every_way_to_an_uploaded_file_is_guarded(void **state)
{
	(void)state;
	guarded("/drop/x.html", "NSA");   /* the root is the upload directory */
	guarded("/inside/x.html", "NSA"); /* lies in it */
	guarded("/csp/x.html", "");       /* or holds it, */
	guarded("/x.html", "");
	guarded("/link/x.html", "NSA"); /* with links into it */
	guarded("/l.html", "NSA");
	guarded("/follow/up/x.html", "NSA");
	guarded("/app/no/such", "NSA"); /* as a fallback */
	guarded("/drop/", "NSA");       /* or an index */
	assert_field("Content-Disposition", "attachment; filename=\"index.html\"");
}

static void
files_elsewhere_are_left_alone(void **state)
{
	(void)state;
	guarded("/x.html", "");
	guarded("/apart/x.html", "");
	guarded("/follow/x.html", "");
	guarded("/follow/dropped/x.html", "");
	guarded("/dl/x.html", "A");
}

static void
every_answer_with_the_file_is_guarded(void **state)
{
	char etag[ETAG_ROOM];

	(void)state;
	asked(HTTP_HEAD, "/drop/x.html", HTTP_FIELD_ACCEPT, "*/*", 200, "NSA");
	asked(HTTP_GET, "/drop/x.html", HTTP_FIELD_RANGE, "bytes=1-2", 206, "NSA");
	asked(HTTP_GET, "/drop/x.html", HTTP_FIELD_RANGE, "bytes=1-1,3-3", 206, "NSA");
	asked(HTTP_GET, "/drop/p.png", HTTP_FIELD_RANGE, "bytes=1-1,2-2", 206, "NS");
	asked(HTTP_GET, "/drop/z.html", HTTP_FIELD_ACCEPT_ENCODING, "gzip", 200, "NSA");
	assert_body("gzip z", 6);
	assert_field("Content-Disposition", "attachment; filename=\"z.html\"");
	/* The site's own page, but the bytes that are sent for it are not. */
	asked(HTTP_GET, "/z.html", HTTP_FIELD_ACCEPT_ENCODING, "gzip", 200, "NSA");
	asked(HTTP_GET, "/z.html", HTTP_FIELD_ACCEPT_ENCODING, "", 200, "");
	asked(HTTP_GET, "/link/y.html", HTTP_FIELD_ACCEPT_ENCODING, "gzip", 200, "NSA");
	assert_body("gzip y", 6);
	asked(HTTP_GET, "/drop/big.html", HTTP_FIELD_RANGE, "bytes=4000-", 206, "NSA");
	take_etag(etag);
	asked(HTTP_GET, "/drop/big.html", HTTP_FIELD_IF_NONE_MATCH, etag, 304, "NSA");
}

static void
what_is_encoded_while_serving_is_guarded_too(void **state)
{
	(void)state;
	if (!coding_is_built_in(CODING_GZIP))
		skip();
	for (int i = 0; i < 2; i++) { /* made, and kept */
		asked(HTTP_GET, "/drop/x.txt", HTTP_FIELD_ACCEPT_ENCODING, "gzip", 200,
		      "NS");
		assert_field("Content-Encoding", "gzip");
	}
	asked(HTTP_GET, "/drop/big.html", HTTP_FIELD_ACCEPT_ENCODING, "gzip", 200, "NSA");
}

static void
answers_of_our_own_are_not_guarded(void **state)
{
	(void)state;
	asked(HTTP_GET, "/drop/x.html", HTTP_FIELD_IF_MATCH, "\"no\"", 412, "");
	asked(HTTP_GET, "/drop/none.html", HTTP_FIELD_ACCEPT, "*/*", 404, "");
}

static void
a_page_for_errors_that_was_uploaded_is_shown_in_the_sandbox(void **state)
{
	(void)state;
	asked(HTTP_GET, "/drop/x.html", HTTP_FIELD_RANGE, "bytes=99-", 416, "NS");
	assert_string_equal(rig.t.body.ptr, "uploaded page");
	assert_field("Content-Range", "bytes */8");
}

static void
what_the_route_says_wins(void **state)
{
	(void)state;
	guarded("/dl/drop/x.html", "NSA");
	guarded("/dl/drop/p.png", "NSA");
	guarded("/csp/drop/x.html", "NA");
	assert_field("Content-Security-Policy", "script-src 'none'");
	guarded("/inline/drop/x.html", "NS");
	assert_field("Content-Disposition", "inline");
	guarded("/html/drop/p.png", "NSA"); /* it is what it is sent as */
	guarded("/html/x.html", "");
}

static void
answers_not_found(const char *target)
{
	prepare(HTTP_GET, target);
	if (run() != 404)
		fail_msg("%s: %d", target, rig.t.ex.status);
}

static void
unfinished_uploads_are_never_served(void **state)
{
	static const char *const never[] = {
		"/drop/.websrv-uploads/part.txt",
		"/.websrv-uploads/part.txt",
		"/hidden/.websrv-uploads/part.txt",
		"/hidden/drop/.websrv-uploads/part.txt",
		"/hidden/.websrv-uploads",
		"/hidden/.websrv-uploads/",
		"/hidden/.websrv-uploads/none",
		"/hidden/door/part.txt",
		"/hidden/door/",
		"/door/part.txt",
		"/alone/.websrv-uploads/part.txt",
		"/alone/.Websrv-Uploads/part.txt",
		"/alone/.Websrv-Uploads/",
		"/alone/no/such",
		"/stray/no/such",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(never); i++)
		answers_not_found(never[i]);
	guarded("/hidden/.other/part.txt", "");
	prepare(HTTP_GET, "/hidden/");
	assert_int_equal(run(), 200);
	assert_non_null(strstr(rig.t.body.ptr, ".other"));
	assert_null(strstr(rig.t.body.ptr, ".websrv"));
	prepare(HTTP_GET, "/alone/");
	assert_int_equal(run(), 200);
	assert_null(strcasestr(rig.t.body.ptr, ".websrv"));
}

static void
a_directory_that_is_renamed_stays_what_it_is(void **state)
{
	(void)state;
	guarded("/drop/x.html", "NSA");
	assert_int_equal(renameat(rig.dirfd, "root", rig.dirfd, "moved"), 0);
	put("moved/drop/new.html", "uploaded");
	guarded("/drop/new.html", "NSA");
	guarded("/link/new.html", "NSA");
	guarded("/x.html", "");
	assert_int_equal(renameat(rig.dirfd, "moved/drop", rig.dirfd, "moved/gone"), 0);
	guarded("/dl/gone/p.png", "NSA");
	guarded("/html/gone/new.html", "NSA");
}

static void
names_of_the_staging_directory_are_found_as_segments(void **state)
{
	static const char *const with[] = { ".websrv-uploads", "a/.websrv-uploads",
					    ".websrv-uploads/a", "a/.WEBSRV-uploads/b",
					    "/.websrv-uploads/" };
	static const char *const without[] = { "",
					       "/",
					       "a",
					       ".websrv-uploads2",
					       "a.websrv-uploads",
					       "a/websrv-uploads/b",
					       ".websrv/-uploads" };

	(void)state;
	for (size_t i = 0; i < COUNT(with); i++)
		assert_int_equal(staging_find(slice_from_str(with[i])).len, 15);
	for (size_t i = 0; i < COUNT(without); i++)
		assert_int_equal(staging_find(slice_from_str(without[i])).len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_hold_a_script_is_saved_and_the_rest_is_shown),
		cmocka_unit_test(every_way_to_an_uploaded_file_is_guarded),
		cmocka_unit_test(files_elsewhere_are_left_alone),
		cmocka_unit_test(every_answer_with_the_file_is_guarded),
		cmocka_unit_test(what_is_encoded_while_serving_is_guarded_too),
		cmocka_unit_test(answers_of_our_own_are_not_guarded),
		cmocka_unit_test(
			a_page_for_errors_that_was_uploaded_is_shown_in_the_sandbox),
		cmocka_unit_test(what_the_route_says_wins),
		cmocka_unit_test(unfinished_uploads_are_never_served),
		cmocka_unit_test(names_of_the_staging_directory_are_found_as_segments),
		cmocka_unit_test(a_directory_that_is_renamed_stays_what_it_is),
	};

	return run_with_rig(tests, config_text, make_files);
}
