/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Content-Disposition: one row is one file name and the field for it. Whatever the name is,
 * the field has no control byte, and neither the quotes nor the field end early.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "http/chars.h"
#include "http/disposition.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LONG_NAME 50000

#define PLAIN(s) "attachment; filename=\"" s "\""
#define BOTH(s, t) PLAIN(s) "; filename*=UTF-8''" t

struct disposition_case {
	struct slice name;
	const char *field;
};

/* clang-format off */
static const struct disposition_case cases[] = {
#define ROW(name, field) { SLICE_LIT(name), field }
	ROW("", "attachment"),
	ROW("a", PLAIN("a")), ROW("report.pdf", PLAIN("report.pdf")), ROW("a b  c", PLAIN("a b  c")),
	ROW(" ", PLAIN(" ")), ROW("a;b=c,d", PLAIN("a;b=c,d")), ROW("a'b", PLAIN("a'b")), ROW("~", PLAIN("~")),
	ROW("filename*=x", PLAIN("filename*=x")), ROW("a/b", PLAIN("a/b")),
	/* What would end the quotes, or be read as an escape. */
	ROW("\"", BOTH("_", "%22")), ROW("a\"; filename=\"b", BOTH("a_; filename=_b", "a%22%3B%20filename%3D%22b")),
	ROW("\\", BOTH("_", "%5C")), ROW("a\\", BOTH("a_", "a%5C")), ROW("\\\"", BOTH("__", "%5C%22")),
	ROW("%", BOTH("_", "%25")), ROW("%22", BOTH("_22", "%2522")), ROW("100%", BOTH("100_", "100%25")),
	ROW("%0d%0a", BOTH("_0d_0a", "%250d%250a")),
	/* What would end the field. */
	ROW("a\r\nX: y", BOTH("a__X: y", "a%0D%0AX%3A%20y")), ROW("\n", BOTH("_", "%0A")), ROW("\r", BOTH("_", "%0D")),
	ROW("a\tb", BOTH("a_b", "a%09b")), ROW("\0", BOTH("_", "%00")), ROW("a\0b", BOTH("a_b", "a%00b")),
	ROW("\x01\x1f\x7f", BOTH("___", "%01%1F%7F")), ROW("\x1b[2J", BOTH("_[2J", "%1B%5B2J")),
	/* All of attr-char stays as it is, and nothing else. */
	ROW("%azAZ09!#$&+-.^_`|~", BOTH("_azAZ09!#$&+-.^_`|~", "%25azAZ09!#$&+-.^_`|~")),
	ROW("% '()*/:;<=>?@[]{}", BOTH("_ '()*/:;<=>?@[]{}", "%25%20%27%28%29%2A%2F%3A%3B%3C%3D%3E%3F%40%5B%5D%7B%7D")),
	/* UTF-8. */
	ROW("\xc3\xa4.txt", BOTH("__.txt", "%C3%A4.txt")), ROW("\xe2\x82\xac rates", BOTH("___ rates", "%E2%82%AC%20rates")),
	ROW("\xf0\x9f\x98\x80", BOTH("____", "%F0%9F%98%80")), ROW("\xc2\x85", BOTH("__", "%C2%85")),
	ROW("a\xe2\x80\xae" "fdp.exe", BOTH("a___fdp.exe", "a%E2%80%AEfdp.exe")),
	/* What is not UTF-8 has no second spelling: a lone byte, overlong, surrogate, cut short. */
	ROW("\xff", PLAIN("_")), ROW("a\xe4.txt", PLAIN("a_.txt")), ROW("\xc0\xaf", PLAIN("__")),
	ROW("\xed\xa0\x80", PLAIN("___")), ROW("\xc3", PLAIN("_")), ROW("\x80", PLAIN("_")),
	ROW("\xf4\x90\x80\x80", PLAIN("____")), ROW("\xc3\xa4\xff", PLAIN("___")), ROW("\"\r\n\xff", PLAIN("____")),
#undef ROW
};
/* clang-format on */

static struct arena arena;

/* From an allocation of exactly its size. */
static struct slice
disposition(struct slice name)
{
	char *exact = malloc(name.len + (name.len == 0));
	struct slice field;

	assert_non_null(exact);
	memcpy(exact, name.ptr, name.len);
	field = disposition_attachment(&arena, slice_make(exact, name.len));
	free(exact);
	assert_non_null(field.ptr);
	return field;
}

/* Printable ASCII, and quotes only around the name; what is behind them begins with ';'. */
static void
assert_is_safe(struct slice field)
{
	size_t quotes = 0;

	for (size_t i = 0; i < field.len; i++) {
		assert_in_range((unsigned char)field.ptr[i], 0x20, 0x7e);
		assert_int_not_equal(field.ptr[i], '\\');
		quotes += field.ptr[i] == '"';
	}
	assert_true(quotes == 0 || quotes == 2);
	if (quotes == 2) {
		size_t first = slice_find(field, '"') + 1;
		size_t second = first + slice_find(slice_from(field, first), '"') + 1;

		assert_true(second == field.len || field.ptr[second] == ';');
	}
}

static void
names_become_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice field = disposition(cases[i].name);

		if (!slice_eq(field, slice_from_str(cases[i].field)))
			fail_msg("'%.*s' is not '%s'", SLICE_ARG(field), cases[i].field);
		assert_is_safe(field);
		arena_reset(&arena);
	}
}

static void
no_byte_of_a_name_is_dangerous(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char name[2] = { (char)a, (char)b };

			assert_is_safe(disposition(slice_make(name, 2)));
			arena_reset(&arena);
		}
	}
}

/* What filename* says is the name again. */
static void
assert_says(struct slice field, struct slice name)
{
	size_t at = field.len;

	while (at > 0 && field.ptr[at - 1] != '\'')
		at--;
	for (size_t i = 0; i < name.len; i++, at++) {
		int c;

		assert_in_range(at, 1, field.len - 1);
		c = (unsigned char)field.ptr[at];
		if (c == '%') {
			c = char_hex(field.ptr[at + 1]) * 16 +
			    char_hex(field.ptr[at + 2]);
			at += 2;
		}
		assert_int_equal(c, (unsigned char)name.ptr[i]);
	}
	assert_int_equal(at, field.len);
}

static void
every_ascii_name_can_be_read_back(void **state)
{
	(void)state;
	for (int c = 0; c < 128; c++) {
		char name[] = { 'a', (char)c, (char)0xc3, (char)0xa4, 'z' };
		struct slice s = slice_make(name, sizeof(name));

		assert_says(disposition(s), s);
		arena_reset(&arena);
	}
}

static void
very_long_names_are_whole(void **state)
{
	static const char *const units[] = { "a",        "\"",   "%",  "\r\n",
					     "\xc3\xa4", "\xff", "a b" };

	(void)state;
	for (size_t u = 0; u < COUNT(units); u++) {
		size_t len = strlen(units[u]);
		char *name = malloc(LONG_NAME * len);
		struct slice field;

		assert_non_null(name);
		for (size_t i = 0; i < LONG_NAME; i++)
			memcpy(name + i * len, units[u], len);
		field = disposition(slice_make(name, LONG_NAME * len));
		assert_is_safe(field);
		assert_true(field.len >= strlen(PLAIN("")) + LONG_NAME * len);
		if (slice_find(field, '\'') < field.len)
			assert_says(field, slice_make(name, LONG_NAME * len));
		free(name);
		arena_reset(&arena);
	}
}

static void
without_memory_there_is_no_field(void **state)
{
	struct arena small;
	char name[1000];

	(void)state;
	memset(name, '"', sizeof(name));
	arena_init(&small, 16);
	assert_null(disposition_attachment(&small, slice_make(name, sizeof(name))).ptr);
	arena_fini(&small);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_fields),
		cmocka_unit_test(no_byte_of_a_name_is_dangerous),
		cmocka_unit_test(every_ascii_name_can_be_read_back),
		cmocka_unit_test(very_long_names_are_whole),
		cmocka_unit_test(without_memory_there_is_no_field),
	};
	int rc;

	arena_init(&arena, 1 << 20);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_fini(&arena);
	return rc;
}
