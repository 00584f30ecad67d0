/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers to requests for directories: their fields, formats, orders and entity-tags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "listing_rig.h"
#include "rows.h"

/* --- answers --- */

#define HTML_TYPE "Content-Type: text/html; charset=utf-8\n"
#define JSON_TYPE "Content-Type: application/json\n"
#define CSP                                                                              \
	"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "       \
	"base-uri 'none'; form-action 'none'\n"

/* clang-format off */
static const struct answer_case {
	const char *name, *target, *accept;
	int status;
	const char *field, *no_field, *body, *no_body;
} cases[] = {
	{ "listing_is_html", "/few/", NULL, 200, HTML_TYPE, "Last-Modified", "./a%3Cb%3E.txt\"><bdi>a&lt;b&gt;.txt<", "<b>" },
	{ "listing_has_a_policy", "/few/", "*/*", 200, CSP, NULL, NULL, NULL },
	{ "listing_is_not_sniffed", "/few/", NULL, 200, "X-Content-Type-Options: nosniff\n", NULL, NULL, NULL },
	{ "listing_varies_by_accept", "/few/", NULL, 200, "Vary: Accept\n", NULL, NULL, NULL },
	{ "listing_is_revalidated", "/few/", NULL, 200, "Cache-Control: no-cache\n", NULL, NULL, NULL },
	{ "configured_fields_lie_over_it", "/pub/x/few/", NULL, 200, "Cache-Control: max-age=9\n", "no-cache", NULL, NULL },
	{ "etag_is_weak", "/few/", NULL, 200, "ETag: W/\"", NULL, NULL, NULL },
	{ "json_for_who_prefers_it", "/few/", "application/json", 200, JSON_TYPE, "Content-Security-Policy", "[\n{\"name\": \"sub\", \"href\": \"./sub/\"", NULL },
	{ "json_by_weight", "/few/", "text/html;q=0.5, application/json", 200, JSON_TYPE, NULL, NULL, NULL },
	{ "html_for_browsers", "/few/", "text/html,application/xml;q=0.9,*/*;q=0.8", 200, HTML_TYPE, NULL, NULL, NULL },
	{ "html_when_nothing_matches", "/few/", "image/png", 200, HTML_TYPE, NULL, NULL, NULL },
	{ "dot_files_are_hidden_at_the_root_too", "/", NULL, 200, NULL, NULL, "./few/\"", "well-known" },
	{ "dot_files_are_hidden", "/few/", NULL, 200, NULL, NULL, NULL, "secret" },
	{ "root_of_the_route_has_no_way_up", "/pub/x/", NULL, 200, NULL, NULL, "<bdi>/pub/x/</bdi></span>", "href=\"../" },
	{ "directory_beneath_has_a_way_up", "/pub/x/few/", NULL, 200, NULL, NULL, "href=\"../\"><bdi>/pub/x/</bdi></a>", NULL },
	{ "missing_directory_is_404_and_no_listing_its_page", "/none/", NULL, 404, "Content-Type: text/plain", "ETag", "404 Not Found", NULL },
	{ "file_is_no_directory", "/few/Z/", NULL, 404, NULL, NULL, NULL, NULL },
	{ "query_orders_by_size", "/few/?sort=size", "application/json", 200, "sa\"\n", NULL, "\"size\": 7, \"modified\": \"2001-09-09T01:46:40Z\"},\n{\"name\": \"a<b>", NULL },
	{ "query_orders_downwards", "/few/?order=desc&sort=name", "application/json", 200, "nd\"\n", NULL, "\"./Z\", \"type\": \"file\", \"size\": 7, ", NULL },
	{ "query_orders_by_date", "/few/?sort=date&order=asc", "application/json", 200, "da\"\n", NULL, "01:46:40Z\"},\n{\"name\": \"a<b>", NULL },
	{ "unknown_order_is_the_usual_one", "/few/?sort=Size&order=down&sort&=&&x=sort=size", "application/json", 200, "na\"\n", NULL, "},\n{\"name\": \"Z\"", NULL },
};
/* clang-format on */

static void
run_case(void **state)
{
	const struct answer_case *c = *state;

	begin(NULL);
	prepare(HTTP_GET, c->target);
	if (c->accept != NULL)
		with_field(HTTP_FIELD_ACCEPT, c->accept);
	assert_int_equal(run(65536), c->status);
	has(&rig.t.fields, c->field);
	lacks(&rig.t.fields, c->no_field);
	has(&rig.t.body, c->body);
	lacks(&rig.t.body, c->no_body);
	end(NULL);
}

/* --- conditions --- */

static void
take_etag(char etag[128])
{
	const char *p = strstr(rig.t.fields.ptr, "ETag: ");

	assert_non_null(p);
	p += strlen("ETag: ");
	assert_true(strcspn(p, "\n") < 128);
	snprintf(etag, 128, "%.*s", (int)strcspn(p, "\n"), p);
}

static int
request_unless(const char *target, enum http_field_id id, const char *etag)
{
	prepare(HTTP_GET, target);
	with_field(id, etag);
	return run(65536);
}

static void
same_listing_is_304_without_content(void **state)
{
	char etag[128];

	(void)state;
	assert_int_equal(request("/few/"), 200);
	take_etag(etag);
	assert_int_equal(request_unless("/few/", HTTP_FIELD_IF_NONE_MATCH, etag), 304);
	has(&rig.t.fields, etag);
	has(&rig.t.fields, "Vary: Accept\n");
	has(&rig.t.fields, "Cache-Control: no-cache\n");
	lacks(&rig.t.fields, "\nContent-");
	assert_int_equal(rig.t.body.len, 0);
	assert_int_equal(request_unless("/few/", HTTP_FIELD_IF_MATCH, "\"x\""), 412);
	lacks(&rig.t.fields, "W/");
}

static void
etag_changes_with_any_file_in_the_directory(void **state)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = 1100000000 } };
	char before[128], after[128];

	(void)state;
	write_file("root/few/sub/f", 1);
	assert_int_equal(utimensat(rig.dirfd, "root/few/sub/f", times, 0), 0);
	assert_int_equal(request("/few/sub/"), 200);
	take_etag(before);
	/* It grows: nothing about the directory itself changes. */
	write_file("root/few/sub/f", 2);
	assert_int_equal(utimensat(rig.dirfd, "root/few/sub/f", times, 0), 0);
	assert_int_equal(request_unless("/few/sub/", HTTP_FIELD_IF_NONE_MATCH, before),
			 200);
	take_etag(after);
	assert_string_not_equal(before, after);
	has(&rig.t.body, "\"2 bytes\"");
	assert_int_equal(unlinkat(rig.dirfd, "root/few/sub/f", 0), 0);
}

static void
formats_and_orders_have_etags_of_their_own(void **state)
{
	static const char *const targets[] = { "/few/", "/few/?order=desc",
					       "/few/?sort=size", "/few/?sort=date" };
	char etags[2 * COUNT(targets)][128];

	(void)state;
	for (size_t i = 0; i < COUNT(etags); i++) {
		prepare(HTTP_GET, targets[i / 2]);
		if (i % 2 != 0)
			with_field(HTTP_FIELD_ACCEPT, "application/json");
		assert_int_equal(run(65536), 200);
		take_etag(etags[i]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(etags[i], etags[j]);
	}
}

static void
head_has_the_fields_of_get(void **state)
{
	struct buf fields;

	(void)state;
	buf_init(&fields);
	assert_int_equal(request("/few/"), 200);
	buf_add(&fields, rig.t.fields.ptr, rig.t.fields.len);
	prepare(HTTP_HEAD, "/few/");
	assert_int_equal(run(65536), 200);
	assert_string_equal(rig.t.fields.ptr, fields.ptr);
	buf_fini(&fields);
}

#define TESTS 4

int
main(void)
{
	static struct CMUnitTest tests[TESTS + COUNT(cases)] = {
		list_test(same_listing_is_304_without_content),
		list_test(etag_changes_with_any_file_in_the_directory),
		list_test(formats_and_orders_have_etags_of_their_own),
		list_test(head_has_the_fields_of_get),
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		tests[TESTS + i] = row_test(cases[i].name, run_case, &cases[i]);
	alarm(300);
	return cmocka_run_group_tests(tests, setup, teardown);
}
