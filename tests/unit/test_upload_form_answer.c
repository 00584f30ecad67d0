/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a form is answered with: JSON, a page, or a redirect; and 403 for pages of other sites.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "form_rig.h"

/* --- answers --- */

static void
programs_get_json(void **state)
{
	static const char *const accepts[] = { NULL, "*/*", "application/json",
					       "image/png" };

	(void)state;
	for (size_t i = 0; i < COUNT(accepts); i++) {
		prepare_form("/after/");
		if (accepts[i] != NULL)
			with_field(HTTP_FIELD_ACCEPT, accepts[i]);
		assert_int_equal(send_prepared(FILE_OF("\xc3\xa4<") END,
					       sizeof(FILE_OF("\xc3\xa4<") END) - 1),
				 201);
		assert_field("Content-Type", "application/json");
		assert_field("Location", "/after/%C3%A4%3C");
		assert_string_equal(
			rig.t.body.ptr,
			"{\"files\": [\n{\"name\": \"\\u00e4<\", \"location\": "
			"\"/after/%C3%A4%3C\", \"size\": 0}\n]}\n");
		assert_int_equal(take_files(), 1);
	}
	assert_int_equal(send_form("/in", FILE_OF("a") END), 201);
	assert_string_equal(rig.t.body.ptr,
			    "{\"files\": [\n{\"name\": \"a\", \"size\": 0}\n]}\n");
	assert_field("Location", NULL);
	assert_int_equal(take_files(), 1);
}

#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

static int
send_as_browser(const char *target, const char *body)
{
	prepare_form(target);
	with_field(HTTP_FIELD_ACCEPT, BROWSER);
	return send_prepared(body, strlen(body));
}

static void
browsers_get_a_page(void **state)
{
	(void)state;
	assert_int_equal(send_as_browser("/over/", FILE_OF("<b>&") "1" END), 201);
	assert_field("Content-Type", "text/html; charset=utf-8");
	assert_non_null(
		strstr(answered("Content-Security-Policy").ptr, "default-src 'none'"));
	assert_non_null(strstr(rig.t.body.ptr, "<h1>1 file is stored</h1>"));
	assert_non_null(strstr(rig.t.body.ptr,
			       "<a href=\"/over/%3Cb%3E&amp;\"><bdi>&lt;b&gt;&amp;</bdi>"
			       "</a><span>1&nbsp;B</span>"));
	assert_int_equal(take_files(), 1);
	/* What cannot be read has no link; where the page to upload with is there is one to it. */
	assert_null(strstr(rig.t.body.ptr, "Upload more"));
	assert_int_equal(send_as_browser("/other/", FILE_OF("a") "1" END), 201);
	assert_non_null(strstr(rig.t.body.ptr, "<li><bdi>a</bdi>"));
	assert_non_null(
		strstr(rig.t.body.ptr, "<a href=\"/other/\">Upload more files</a>"));
	assert_int_equal(take_files(), 1);
}

static void
browsers_are_sent_on(void **state)
{
	(void)state;
	assert_int_equal(send_as_browser("/after/?x=1", form), 303);
	assert_field("Location", "/thanks.html#there");
	assert_both();
	assert_int_equal(send_as_browser("/after/", FIELD(a) END), 400);
}

/* --- other sites --- */

static void
pages_of_other_sites_are_refused(void **state)
{
	static const struct {
		const char *target, *origin, *site;
		int status;
		const char *authorization;
	} cases[] = {
		{ "/drop/", NULL, NULL, 201, NULL },
		{ "/drop/", "http://a.example", NULL, 201, NULL },
		{ "/drop/", "https://A.example", NULL, 201, NULL },
		{ "/drop/", "http://b.example", NULL, 403, NULL },
		{ "/drop/", "http://a.example:81", NULL, 403, NULL },
		{ "/drop/", "http://a.example.b.example", NULL, 403, NULL },
		{ "/drop/", "ftp://a.example", NULL, 403, NULL },
		{ "/drop/", "a.example", NULL, 403, NULL },
		{ "/drop/", "null", NULL, 403, NULL },
		{ "/drop/", "", NULL, 403, NULL },
		/* Behind a proxy that does not pass Host on. */
		{ "/drop/", "https://public.example", "same-origin", 201, NULL },
		{ "/drop/", NULL, "none", 201, NULL },
		{ "/drop/", "http://a.example", "cross-site", 403, NULL },
		{ "/drop/", NULL, "same-site", 403, NULL },
		{ "/cors/", "https://b.example", NULL, 403, NULL },
		{ "/cors/", "https://a.example", "cross-site", 201, NULL },
		{ "/cors-put/", "https://a.example", "cross-site", 403, NULL },
		/* A password that the browser remembers is not for every page. */
		{ "/cors/", "https://a.example", "cross-site", 403, "Basic YTpi" },
		{ "/cors/", "https://a.example", "cross-site", 201, "Bearer b" },
		{ "/cors-user/", "https://a.example", "cross-site", 201, "basic YTpi" },
		{ "/drop/", "http://a.example", NULL, 201, "Basic YTpi" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int raw = 0; raw < 2; raw++) {
			int status;

			prepare_form(cases[i].target);
			if (raw)
				rig.t.request[0].value = SLICE("text/plain");
			if (cases[i].origin != NULL)
				with_field(HTTP_FIELD_ORIGIN, cases[i].origin);
			if (cases[i].authorization != NULL)
				with_field(HTTP_FIELD_AUTHORIZATION,
					   cases[i].authorization);
			if (cases[i].site != NULL) {
				with_field(HTTP_FIELD_OTHER, cases[i].site);
				rig.t.request[rig.t.ex.head.field_count - 1].name =
					SLICE("sec-fetch-site");
			}
			status = raw ? send_prepared("x", 1)
				     : send_prepared(FILE_OF("a") END,
						     sizeof(FILE_OF("a") END) - 1);
			if (status != cases[i].status)
				fail_msg("case %zu, raw %d: %d", i, raw, status);
			assert_int_equal(take_files(), status == 201);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_get_json),
		cmocka_unit_test(browsers_get_a_page),
		cmocka_unit_test(browsers_are_sent_on),
		cmocka_unit_test(pages_of_other_sites_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
