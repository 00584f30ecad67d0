/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Content-Disposition as clients write it: one row is one value, and what is read of it, as
 * "type name filename" with a "|" behind each; "-" for none, NULL when it is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "http/disposition.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct disposition_case {
	const char *value, *read;
};

/* clang-format off */
static const struct disposition_case form_cases[] = {
#define BAD NULL
	{ "form-data", "form-data|-|-|" },
	{ "form-data; name=\"a\"", "form-data|a|-|" },
	{ "Form-Data;NAME=a;FileName=b.txt", "Form-Data|a|b.txt|" },
	{ "form-data ; name=\"a\" ;; filename=\"\" ; ", "form-data|a||" },
	{ "form-data; x=y; name=\"a;b=\"", "form-data|a;b=|-|" },
	/* Chromium, Firefox and Safari, by the HTML standard. */
	{ "form-data; name=\"f\"; filename=\"a%22b.txt\"", "form-data|f|a\"b.txt|" },
	{ "form-data; name=\"a%0D%0Ab\"", "form-data|a\r\nb|-|" },
	{ "form-data; name=\"a%0d%0ab\"", "form-data|a\r\nb|-|" },
	{ "form-data; name=\"f\"; filename=\"100%25%2e%00%.txt\"", "form-data|f|100%25%2e%00%.txt|" },
	{ "form-data; name=\"f\"; filename=\"\xc3\xa4.txt\"", "form-data|f|\xc3\xa4.txt|" },
	{ "form-data; name=\"f\"; filename=\"\xe4.txt\"", "form-data|f|\xe4.txt|" },
	{ "form-data; name=\"f\"; filename=\"dir/a.txt\"", "form-data|f|dir/a.txt|" },
	/* curl before 7.81, and with --form-escape. */
	{ "form-data; name=\"f\"; filename=\"a\\\"b\\\\c.txt\"", "form-data|f|a\"b\\c.txt|" },
	/* Internet Explorer. */
	{ "form-data; name=\"f\"; filename=\"C:\\dir\\new.txt\"", "form-data|f|C:\\dir\\new.txt|" },
	{ "form-data; name=\"f\"; filename=\"C:\\\\dir\\\\new.txt\"", "form-data|f|C:\\dir\\new.txt|" },
	/* RFC 8187. */
	{ "form-data; name=\"f\"; filename*=UTF-8''%c3%a4%20b.txt", "form-data|f|\xc3\xa4 b.txt|" },
	{ "form-data; name=\"f\"; filename=\"x\"; filename*=utf-8'de'y", "form-data|f|y|" },
	{ "form-data; name=\"f\"; filename*=utf-8''y; filename=\"x\"", "form-data|f|y|" },
	{ "form-data; filename*=iso-8859-1'en'%A3%20rates%ff", "form-data|-|\xc2\xa3 rates\xc3\xbf|" },
	{ "form-data; filename*=utf-8''", "form-data|-||" },
	{ "form-data; filename*=utf-8''a%0", BAD }, { "form-data; filename*=utf-8''%", BAD },
	{ "form-data; filename*=utf-8''%zz", BAD }, { "form-data; filename*=utf-8''\xc3\xa4", BAD },
	{ "form-data; filename*=a.txt", BAD }, { "form-data; filename*=utf-8'a.txt", BAD },
	{ "form-data; filename*=koi8-r''%c3", BAD }, { "form-data; filename*=\"utf-8''a\"", BAD },
	/* What one program reads this way and another that way. */
	{ "form-data; name=a; name=b", BAD }, { "form-data; name=a; filename=b; FILENAME=c", BAD },
	{ "form-data; filename*=utf-8''a; filename*=utf-8''b", BAD },
	{ "form-data; name=\"a", BAD }, { "form-data; name=\"a\\\"", BAD }, { "form-data; name=\"a\"b", BAD },
	{ "form-data; name", BAD }, { "form-data; name=", BAD }, { "form-data; =a", BAD },
	{ "form-data; name =a", BAD }, { "form-data; name= a", BAD }, { "form-data; name=a b", BAD },
	{ "form-data; name=a\"b\"", BAD }, { "form-data name=a", BAD }, { "form data; name=a", BAD },
	{ "", BAD }, { "; name=a", BAD }, { "form-data; na\xc3me=a", BAD },
	{ "form-data; name=\"a\x01\"", BAD }, { "form-data; name=\"\\\x7f\"", BAD }, { "form-data; name=\x01", BAD },
};

/* Outside of forms a '%' is a '%'. */
static const struct disposition_case field_cases[] = {
	{ "inline; filename=\"a%22b.txt\"", "inline|-|a%22b.txt|" },
	{ "attachment; filename=\"a\\\"b.txt\"", "attachment|-|a\"b.txt|" },
	{ "inline; filename*=UTF-8''%e2%82%ac.txt", "inline|-|\xe2\x82\xac.txt|" },
	{ "inline; filename*=UTF-8''a%00%2f..", "inline|-|a" },
#undef BAD
};
/* clang-format on */

static void
note(struct buf *out, struct slice s)
{
	buf_add_slice(out, s.ptr != NULL ? s : SLICE("-"));
	buf_add_char(out, '|');
}

static void
check(const struct disposition_case *c, bool form)
{
	size_t len = strlen(c->value);
	char *text = malloc(len + (len == 0));
	struct disposition d;
	struct buf out;
	int rc;

	assert_non_null(text);
	memcpy(text, c->value, len);
	buf_init(&out);
	rc = disposition_parse(text, len, form, &d);
	if (rc == 0) {
		note(&out, d.type);
		note(&out, d.name);
		note(&out, d.filename);
	}
	buf_add_char(&out, '\0');
	if ((rc == 0) != (c->read != NULL) || (rc == 0 && strcmp(out.ptr, c->read) != 0))
		fail_msg("'%s': %d '%s'", c->value, rc, out.ptr);
	buf_fini(&out);
	free(text);
}

static void
parts_of_forms_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(form_cases); i++)
		check(&form_cases[i], true);
}

static void
fields_are_read_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(field_cases); i++)
		check(&field_cases[i], false);
}

static void
what_is_written_is_read(void **state)
{
	static const char *const names[] = { "a.txt", "a \"b\".txt", "\xc3\xa4.txt",
					     "%41",   "a\\b",        "a;b=c'd*" };
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct slice value =
			disposition_attachment(&arena, slice_from_str(names[i]));
		char *text = arena_strdup(&arena, value);
		struct disposition d;

		assert_int_equal(disposition_parse(text, value.len, false, &d), 0);
		assert_true(slice_eq(d.filename, slice_from_str(names[i])));
	}
	arena_fini(&arena);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_forms_are_read_or_refused),
		cmocka_unit_test(fields_are_read_as_they_are),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
