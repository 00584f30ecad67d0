/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The upload page as it stands in the program: whole, small, with nothing from outside, and
 * let by its own policy to run what is in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/base64.h"
#include "handler/upload_page.h"
#include "http/digest_hash.h"

#define SIZE_MAX_OF_PAGE (24 << 10)

static const char *
find(struct slice s, const char *text)
{
	return memmem(s.ptr, s.len, text, strlen(text));
}

static size_t
count(struct slice s, const char *text)
{
	size_t n = 0;
	const char *at;

	while ((at = find(s, text)) != NULL) {
		s = slice_from(s, (size_t)(at - s.ptr) + strlen(text));
		n++;
	}
	return n;
}

static void
the_page_is_whole_and_small(void **state)
{
	struct slice page = upload_page_html();

	(void)state;
	assert_true(slice_starts_with(page, SLICE("<!doctype html>\n")));
	assert_true(slice_ends_with(page, SLICE("</html>\n")));
	assert_true(page.len <= SIZE_MAX_OF_PAGE);
	for (size_t i = 0; i < page.len; i++)
		assert_true(page.ptr[i] == '\n' || page.ptr[i] == '\t' ||
			    (page.ptr[i] >= ' ' && page.ptr[i] <= '~'));
}

static void
nothing_comes_from_outside_and_no_text_becomes_markup(void **state)
{
	static const char *const unwanted[] = { "://",          " src=",
						"url(",         "@import",
						" style=",      " onclick=\"",
						"<link",        "innerHTML",
						"outerHTML",    "eval(",
						"Function(",    "document.write",
						"setTimeout('", "insertAdjacentHTML" };
	struct slice page = upload_page_html();

	(void)state;
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		if (find(page, unwanted[i]) != NULL)
			fail_msg("the page has: %s", unwanted[i]);
	}
}

/* The hash that the policy must name, of what is between the tags of the one element. */
static void
make_source(const char *element, char *out, size_t size)
{
	struct slice page = upload_page_html(), text;
	struct digest_hash *h = digest_hash_new(DIGEST_SHA_256);
	unsigned char digest[32];
	char tag[16], base64[64];
	const char *end;

	assert_non_null(h);
	snprintf(tag, sizeof(tag), "<%s>", element);
	assert_int_equal(count(page, tag), 1);
	text = slice_from(page, (size_t)(find(page, tag) - page.ptr) + strlen(tag));
	snprintf(tag, sizeof(tag), "</%s>", element);
	end = find(text, tag);
	assert_non_null(end);
	digest_hash_add(h, text.ptr, (size_t)(end - text.ptr));
	assert_true(digest_hash_end(h, digest));
	digest_hash_free(h);
	base64[base64_encode(digest, sizeof(digest), base64)] = '\0';
	snprintf(out, size, "%s-src 'sha256-%s';", element, base64);
}

static void
the_policy_names_the_hashes_of_the_script_and_the_style(void **state)
{
	static const char *const elements[] = { "script", "style" };

	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	for (size_t i = 0; i < 2; i++) {
		char source[128];

		make_source(elements[i], source, sizeof(source));
		if (count(upload_page_csp(), source) != 1)
			fail_msg("the policy lacks: %s", source);
	}
}

static void
the_policy_allows_nothing_else(void **state)
{
	struct slice csp = upload_page_csp();

	(void)state;
	assert_true(slice_starts_with(csp, SLICE("default-src 'none'; ")));
	assert_null(find(csp, "unsafe"));
	assert_null(find(csp, "*"));
	assert_null(find(csp, "http"));
	assert_int_equal(count(csp, "'sha256-"), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_whole_and_small),
		cmocka_unit_test(nothing_comes_from_outside_and_no_text_becomes_markup),
		cmocka_unit_test(the_policy_names_the_hashes_of_the_script_and_the_style),
		cmocka_unit_test(the_policy_allows_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
