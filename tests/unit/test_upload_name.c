/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of files that arrive: rows 4, 11 and 15 of what has gone wrong elsewhere. Each name is
 * judged in an allocation of exactly its size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/utf8.h"
#include "http/upload_name.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define NAME_255 FIFTY FIFTY FIFTY FIFTY FIFTY "01234"

struct name_case {
	struct slice name;
	enum upload_name_error error;
};

/* clang-format off */
static const struct name_case names[] = {
#define GOOD(s) { SLICE_LIT(s), UPLOAD_NAME_OK }
#define BAD(e, s) { SLICE_LIT(s), UPLOAD_NAME_##e }
	GOOD("a"), GOOD("a.txt"), GOOD("a b"), GOOD("a.b.c"), GOOD("a..b"), GOOD("-rf"),
	GOOD("~"), GOOD("%2e"), GOOD("a*?\"<>|"), GOOD("$(x)`;&"), GOOD("\xc3\xa4.txt"),
	GOOD("\xf0\x9f\x98\x80"), GOOD(NAME_255), GOOD("\xef\xbf\xbd"), GOOD("a\xc2\xa0" "b"),
	BAD(EMPTY, ""), BAD(LENGTH, NAME_255 "5"),
	/* What could leave the directory, hide in it, or mean a stream or drive. */
	BAD(START, "."), BAD(START, ".."), BAD(START, ".htaccess"), BAD(START, ".websrv-0123456789abcdef"),
	BAD(SEPARATOR, "a/b"), BAD(SEPARATOR, "/a"), BAD(SEPARATOR, "a/"), BAD(SEPARATOR, "..\\a"),
	BAD(SEPARATOR, "a\\b"), BAD(SEPARATOR, "a:b"), BAD(SEPARATOR, "c:"), BAD(SEPARATOR, "a::$DATA"),
	BAD(SEPARATOR, "../../etc/passwd"),
	/* What a directory listing or log would show as something else. */
	BAD(CONTROL, "a\nb"), BAD(CONTROL, "a\r"), BAD(CONTROL, "a\tb"), BAD(CONTROL, "\x01"),
	BAD(CONTROL, "\x1f"), BAD(CONTROL, "a\0b"), BAD(CONTROL, "\0"), BAD(CONTROL, "a\x7f"),
	BAD(CONTROL, "\x1b[2J"), BAD(CONTROL, "a\xc2\x80"), BAD(CONTROL, "a\xc2\x9f"), BAD(CONTROL, "\xc2\x85"),
	/* Names that Windows would cut. */
	BAD(FINISH, "a."), BAD(FINISH, "a.."), BAD(FINISH, "a "), BAD(FINISH, "a. "), BAD(FINISH, "a ."),
	BAD(START, " "), BAD(START, " a"),
	/* Not UTF-8: a lone byte, overlong, surrogate, cut short, beyond the last. */
	BAD(UTF8, "a\xff"), BAD(UTF8, "\xc0\xaf"), BAD(UTF8, "\xed\xa0\x80"), BAD(UTF8, "\xc3"),
	BAD(UTF8, "\xf4\x90\x80\x80"),
	/* DOS devices, in any case, with any extension. */
	BAD(DEVICE, "con"), BAD(DEVICE, "CON"), BAD(DEVICE, "Con.txt"), BAD(DEVICE, "nul.tar.gz"),
	BAD(DEVICE, "aux"), BAD(DEVICE, "prn"), BAD(DEVICE, "com1"), BAD(DEVICE, "COM9.x"),
	BAD(DEVICE, "lpt1"), BAD(DEVICE, "Lpt5.log"), BAD(DEVICE, "con .txt"), BAD(DEVICE, "CONIN$"),
	BAD(DEVICE, "conout$.x"), BAD(DEVICE, "com\xc2\xb9"), BAD(DEVICE, "LPT\xc2\xb2.txt"),
	BAD(DEVICE, "com\xc2\xb3.a.b"),
	GOOD("console"), GOOD("com"), GOOD("com0"), GOOD("com10"), GOOD("lpt"), GOOD("xcon"),
	GOOD("a.con"), GOOD("con_"), GOOD("auxiliary.txt"), GOOD("comx"), GOOD("com\xc2\xba"), GOOD("con(2)"),
	GOOD("com 1"), GOOD("com\xc2\xb9\xc2\xb9"),
	/* Text that is not what it looks like. */
	BAD(INVISIBLE, "invoice\xe2\x80\xae" "fdp.exe"), BAD(INVISIBLE, "\xe2\x80\xaa" "a"), BAD(INVISIBLE, "a\xe2\x81\xa6" "b"),
	BAD(INVISIBLE, "a\xe2\x81\xa9"), BAD(INVISIBLE, "a\xe2\x80\x8b"), BAD(INVISIBLE, "a\xe2\x80\x8e"),
	BAD(INVISIBLE, "a\xe2\x80\x8f"), BAD(INVISIBLE, "\xef\xbb\xbf" "a"), BAD(INVISIBLE, "a\xe2\x81\xa0"),
	BAD(INVISIBLE, "a\xe2\x80\xa8"), BAD(INVISIBLE, "a\xd8\x9c"), BAD(INVISIBLE, "a\xee\x80\x80"),
	BAD(INVISIBLE, "\xef\xa3\xbf"), BAD(INVISIBLE, "a\xef\xb7\x90"), BAD(INVISIBLE, "a\xef\xbf\xbe"),
	BAD(INVISIBLE, "a\xef\xbf\xbf"), BAD(INVISIBLE, "a\xf0\x9f\xbf\xbe"), BAD(INVISIBLE, "a\xf3\xb0\x80\x80"),
	BAD(INVISIBLE, "a\xf4\x8f\xbf\xbf"), BAD(INVISIBLE, "a\xf3\xa0\x81\xa7"), BAD(INVISIBLE, "a\xef\xbf\xb9"),
	/* A family, and a Persian word that is written with a non-joiner. */
	GOOD("\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7.png"),
	GOOD("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85.txt"),
	GOOD("\xd7\x90.txt"), GOOD("\xe6\x96\x87\xe4\xbb\xb6.pdf"), GOOD("e\xcc\x81.txt"),
#undef GOOD
#undef BAD
};
/* clang-format on */

static char *
copy_exactly(struct slice s)
{
	char *exact = malloc(s.len + (s.len == 0));

	assert_non_null(exact);
	memcpy(exact, s.ptr, s.len);
	return exact;
}

static void
names_are_told_good_from_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct slice n = names[i].name;
		char *exact = copy_exactly(n);
		enum upload_name_error e = upload_name_check(slice_make(exact, n.len), 0);

		if (e != names[i].error)
			fail_msg("name '%.*s': %d", SLICE_ARG(n), (int)e);
		free(exact);
	}
}

static void
every_reason_but_good_is_a_sentence(void **state)
{
	(void)state;
	assert_string_equal(upload_name_sentence(UPLOAD_NAME_OK), "");
	for (unsigned e = 1; e < UPLOAD_NAME_ERROR_COUNT; e++) {
		struct slice s =
			slice_from_str(upload_name_sentence((enum upload_name_error)e));

		assert_true(s.len > 10 && s.ptr[s.len - 1] == '.');
	}
	assert_string_equal(upload_name_sentence(UPLOAD_NAME_ERROR_COUNT), "");
}

static void
reserve_shortens_what_fits(void **state)
{
	struct slice name = SLICE(NAME_255);

	(void)state;
	assert_int_equal(upload_name_check(name, 1), UPLOAD_NAME_LENGTH);
	name.len = 254;
	assert_int_equal(upload_name_check(name, 1), UPLOAD_NAME_OK);
	name.len = 127;
	assert_int_equal(upload_name_check(name, UPLOAD_NAME_RESERVE_MAX),
			 UPLOAD_NAME_OK);
	name.len = 128;
	assert_int_equal(upload_name_check(name, UPLOAD_NAME_RESERVE_MAX),
			 UPLOAD_NAME_LENGTH);
}

/* Not one of the characters is judged by its neighbours. */
static void
every_character_is_judged_as_utf_8(void **state)
{
	(void)state;
	for (uint32_t c = 1; c < 0x110000; c++) {
		char s[6] = { 'a' };
		size_t n = 1;
		bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
		bool joiner = c == 0x200c || c == 0x200d;
		enum upload_name_error e;

		if (c < 0x80) {
			s[n++] = (char)c;
		} else if (c < 0x800) {
			s[n++] = (char)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			s[n++] = (char)(0xe0 | c >> 12);
			s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		} else {
			s[n++] = (char)(0xf0 | c >> 18);
			s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
			s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		}
		if (c >= 0x80)
			s[n++] = (char)(0x80 | (c & 0x3f));
		s[n++] = 'b';
		e = upload_name_check(slice_make(s, n), 0);
		assert_int_equal(e == UPLOAD_NAME_CONTROL, control);
		assert_int_equal(e == UPLOAD_NAME_UTF8, c >= 0xd800 && c < 0xe000);
		assert_int_equal(e == UPLOAD_NAME_SEPARATOR,
				 c == '/' || c == '\\' || c == ':');
		if (joiner || (c >= 0x20 && c < 0x7f && e != UPLOAD_NAME_SEPARATOR))
			assert_int_equal(e, UPLOAD_NAME_OK);
		if ((c & 0xfffe) == 0xfffe || (c >= 0x202a && c <= 0x202e))
			assert_int_equal(e, UPLOAD_NAME_INVISIBLE);
	}
}

static void
path_is_good_when_each_name_is(void **state)
{
	static const struct name_case paths[] = {
		{ SLICE_LIT("a"), UPLOAD_NAME_OK },
		{ SLICE_LIT("a/b/c.txt"), UPLOAD_NAME_OK },
		{ SLICE_LIT("a/b/c/d"), UPLOAD_NAME_DEPTH },
		{ SLICE_LIT(""), UPLOAD_NAME_EMPTY },
		{ SLICE_LIT("/a"), UPLOAD_NAME_EMPTY },
		{ SLICE_LIT("a/"), UPLOAD_NAME_EMPTY },
		{ SLICE_LIT("a//b"), UPLOAD_NAME_EMPTY },
		{ SLICE_LIT("a/../b"), UPLOAD_NAME_START },
		{ SLICE_LIT("a/./b"), UPLOAD_NAME_START },
		{ SLICE_LIT("a/nul/b"), UPLOAD_NAME_DEVICE },
		{ SLICE_LIT("a /b"), UPLOAD_NAME_FINISH },
		{ SLICE_LIT("a\\b/c"), UPLOAD_NAME_SEPARATOR },
		{ SLICE_LIT("\xc3/\xa4"), UPLOAD_NAME_UTF8 },
		{ SLICE_LIT("a/" NAME_255), UPLOAD_NAME_OK },
		{ SLICE_LIT("a/" NAME_255 "5"), UPLOAD_NAME_LENGTH },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct slice p = paths[i].name;
		char *exact = copy_exactly(p);

		if (upload_name_check_path(slice_make(exact, p.len), 3, 0) !=
		    paths[i].error)
			fail_msg("path '%.*s'", SLICE_ARG(p));
		free(exact);
	}
	assert_int_equal(upload_name_check_path(SLICE("a"), 0, 0), UPLOAD_NAME_DEPTH);
}

static void
type_is_the_end_of_a_name_in_any_case(void **state)
{
	static const struct slice types[] = { SLICE_LIT(".jpg"), SLICE_LIT(".Tar.gz") };

	(void)state;
	assert_true(upload_name_has_type(SLICE("a.jpg"), types, 2));
	assert_true(upload_name_has_type(SLICE("a.JPG"), types, 2));
	assert_true(upload_name_has_type(SLICE("a.tar.GZ"), types, 2));
	assert_true(upload_name_has_type(SLICE("a.exe.jpg"), types, 2));
	assert_false(upload_name_has_type(SLICE("a.gz"), types, 2));
	assert_false(upload_name_has_type(SLICE("a.jpg.exe"), types, 2));
	assert_false(upload_name_has_type(SLICE(".jpg"), types, 2));
	assert_false(upload_name_has_type(SLICE("jpg"), types, 2));
	assert_false(upload_name_has_type(SLICE(""), types, 2));
	assert_false(upload_name_has_type(SLICE("a.jpg"), types, 0));
}

static void
last_name_of_a_path_is_behind_any_slash(void **state)
{
	static const char *const cases[][2] = {
		{ "a.txt", "a.txt" },
		{ "C:\\dir\\a.txt", "a.txt" },
		{ "\\\\server\\share\\a.txt", "a.txt" },
		{ "dir/a.txt", "a.txt" },
		{ "../../etc/passwd", "passwd" },
		{ "a\\b/c\\d", "d" },
		{ "a/", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_true(slice_eq(upload_name_last(slice_from_str(cases[i][0])),
				     slice_from_str(cases[i][1])));
}

static void
another_name_keeps_its_ending(void **state)
{
	static const struct {
		const char *name;
		unsigned n;
		const char *other;
	} cases[] = {
		{ "photo.jpg", 2, "photo (2).jpg" },
		{ "photo.jpg", 4294967295u, "photo (4294967295).jpg" },
		{ "photo", 3, "photo (3)" },
		{ "a.tar.gz", 2, "a (2).tar.gz" },
		{ "a.TAR.xz", 2, "a (2).TAR.xz" },
		{ "a.b.gz", 2, "a.b (2).gz" },
		{ "tar.gz", 2, "tar (2).gz" },
		{ "a.tar", 2, "a (2).tar" },
		{ "photo (2).jpg", 2, "photo (2) (2).jpg" },
		{ "\xc3\xa4.txt", 2, "\xc3\xa4 (2).txt" },
		{ "a." FIFTY, 2, "a." FIFTY " (2)" },
	};
	char out[UPLOAD_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice other = upload_name_number(slice_from_str(cases[i].name),
							cases[i].n, 0, out);

		if (!slice_eq(other, slice_from_str(cases[i].other)))
			fail_msg("'%.*s' is not '%s'", SLICE_ARG(other), cases[i].other);
	}
}

/* Long names of characters of each width: the new ones are good, differ and fit. */
static void
another_name_of_a_good_name_is_good(void **state)
{
	static const struct slice characters[] = { SLICE_LIT("a"), SLICE_LIT("\xc3\xa4"),
						   SLICE_LIT("\xe2\x82\xac"),
						   SLICE_LIT("\xf0\x9f\x98\x80") };
	static const struct slice endings[] = { SLICE_LIT(""), SLICE_LIT(".jpg"),
						SLICE_LIT(".tar.gz"), SLICE_LIT("e .x") };
	static const size_t reserves[] = { 0, 1, 40, UPLOAD_NAME_RESERVE_MAX };
	char name[UPLOAD_NAME_MAX], first[UPLOAD_NAME_MAX], second[UPLOAD_NAME_MAX];

	(void)state;
	for (unsigned round = 0; round < 4 * 4 * 4; round++) {
		struct slice c = characters[round % 4], e = endings[round / 4 % 4];
		size_t reserve = reserves[round / 16], len = 0;

		while (len + c.len + e.len <= UPLOAD_NAME_MAX - reserve) {
			struct slice s, a, b;

			memcpy(name + len, c.ptr, c.len);
			len += c.len;
			memcpy(name + len, e.ptr, e.len);
			s = slice_make(name, len + e.len);
			assert_int_equal(upload_name_check(s, reserve), UPLOAD_NAME_OK);
			a = upload_name_number(s, 2, reserve, first);
			b = upload_name_number(s, 4294967295u, reserve, second);
			assert_int_equal(upload_name_check(a, reserve), UPLOAD_NAME_OK);
			assert_int_equal(upload_name_check(b, reserve), UPLOAD_NAME_OK);
			assert_false(slice_eq(a, b) || slice_eq(a, s) || slice_eq(b, s));
			if (e.len > 0 && e.ptr[0] == '.')
				assert_true(slice_ends_with(a, e) &&
					    slice_ends_with(b, e));
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_told_good_from_bad),
		cmocka_unit_test(every_reason_but_good_is_a_sentence),
		cmocka_unit_test(reserve_shortens_what_fits),
		cmocka_unit_test(every_character_is_judged_as_utf_8),
		cmocka_unit_test(path_is_good_when_each_name_is),
		cmocka_unit_test(type_is_the_end_of_a_name_in_any_case),
		cmocka_unit_test(last_name_of_a_path_is_behind_any_slash),
		cmocka_unit_test(another_name_keeps_its_ending),
		cmocka_unit_test(another_name_of_a_good_name_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
