/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The growing buffer, its sticky failure, and its three languages: HTML, log, JSON.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"

static void
is_text(struct buf *b, const char *text)
{
	if (!slice_eq(buf_slice(b), slice_from_str(text)))
		print_error("'%.*s' is not '%s'\n", (int)b->len, b->ptr, text);
	assert_true(slice_eq(buf_slice(b), slice_from_str(text)));
	assert_false(b->failed);
	buf_fini(b);
}

static void
appended_parts_are_joined(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_add(&b, NULL, 0);
	assert_null(b.ptr);
	buf_add(&b, "abc", 2);
	buf_add_slice(&b, SLICE("c"));
	buf_add_slice(&b, slice_make(NULL, 0));
	buf_add_str(&b, "de");
	buf_add_char(&b, 'f');
	buf_printf(&b, "%d%s", 12, "");
	is_text(&b, "abcdef12");
	assert_null(b.ptr);
}

static void
buffer_grows_over_many_sizes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%04d", i);
	assert_int_equal(b.len, 40000);
	assert_true(b.cap >= b.len);
	assert_memory_equal(b.ptr + 4 * 1234, "12341235", 8);
	assert_int_equal(buf_reserve(&b, 100000), 0);
	assert_true(b.cap - b.len >= 100000);
	assert_memory_equal(b.ptr + 4 * 9999, "9999", 4);
	buf_fini(&b);
}

static void
failure_is_sticky_and_keeps_what_was_there(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_add_str(&b, "kept");
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2), -ENOMEM);
	assert_true(b.failed);
	buf_add_str(&b, "lost");
	buf_add_char(&b, 'x');
	buf_printf(&b, "lost");
	buf_add_html(&b, SLICE("<"));
	buf_add_escaped(&b, SLICE("\n"));
	buf_add_json(&b, SLICE("\n"));
	assert_int_equal(buf_reserve(&b, 0), -ENOMEM);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.ptr, "kept", 4);
	buf_fini(&b);
	assert_false(b.failed);
}

static void
html_has_no_markup_of_its_own(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_add_html(&b, SLICE("<img onerror=\"a('&')\">"));
	is_text(&b, "&lt;img onerror=&quot;a(&#39;&amp;&#39;)&quot;&gt;");
	buf_add_html(&b, SLICE("a\0\x1f\x7f\xc3\xa4"));
	is_text(&b, "a&#xfffd;&#xfffd;&#xfffd;\xc3\xa4");
	buf_add_html(&b, SLICE("\xc2\x85\xff\xc3(\xed\xa0\x80\xe2\x82"));
	is_text(&b, "&#xfffd;&#xfffd;&#xfffd;(&#xfffd;&#xfffd;&#xfffd;&#xfffd;&#xfffd;");
}

static void
html_text_cannot_reorder_what_is_around_it(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_add_html(&b, SLICE("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"));
	is_text(&b, "&#xfffd;&#xfffd;&#xfffd;&#xfffd;&#xfffd;"
		    "&#xfffd;&#xfffd;&#xfffd;&#xfffd;");
	buf_add_html(&b, SLICE("\u00a0\u05d0\u2029\u202f\u2065\u206a\U0001f600"));
	is_text(&b, "\u00a0\u05d0\u2029\u202f\u2065\u206a\U0001f600");
}

static void
log_text_stays_on_its_line(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_add_escaped(&b, SLICE("GET /\x1b]2;x\x07\r\n\0\"\\\x7f\xff~ "));
	is_text(&b, "GET /\\x1b]2;x\\x07\\x0d\\x0a\\x00\\x22\\x5c\\x7f\\xff~ ");
}

static void
json_text_is_always_valid(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_add_json(&b, SLICE("a\"\\/\n\0\x1f\x7f"));
	is_text(&b, "a\\\"\\\\/\\u000a\\u0000\\u001f\\u007f");
	buf_add_json(&b, SLICE("\xc3\xa4\xf0\x9f\x98\x80"));
	is_text(&b, "\\u00e4\\ud83d\\ude00");
	buf_add_json(&b, SLICE("\xc2\x9b"));
	is_text(&b, "\\u009b");
	buf_add_json(&b, SLICE("\xff\xc3(\xed\xa0\x80\xe2\x82"));
	is_text(&b, "\\u00ff\\u00c3(\\u00ed\\u00a0\\u0080\\u00e2\\u0082");
}

static void
sizes_are_told_as_people_read_them(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_add_size(&b, 0);
	is_text(&b, "0&nbsp;B");
	buf_add_size(&b, 999);
	is_text(&b, "999&nbsp;B");
	buf_add_size(&b, 1000);
	is_text(&b, "1.0&nbsp;kB");
	buf_add_size(&b, 999950);
	is_text(&b, "1.0&nbsp;MB");
	buf_add_size(&b, UINT64_MAX);
	is_text(&b, "18.4&nbsp;EB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appended_parts_are_joined),
		cmocka_unit_test(buffer_grows_over_many_sizes),
		cmocka_unit_test(failure_is_sticky_and_keeps_what_was_there),
		cmocka_unit_test(html_has_no_markup_of_its_own),
		cmocka_unit_test(html_text_cannot_reorder_what_is_around_it),
		cmocka_unit_test(log_text_stays_on_its_line),
		cmocka_unit_test(json_text_is_always_valid),
		cmocka_unit_test(sizes_are_told_as_people_read_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
