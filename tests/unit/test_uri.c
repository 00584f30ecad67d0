/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Paths and hosts of requests: rows 1, 2, 3, 5 and 10 of the security notes as far as
 * they are decided by bytes alone. Every input is a copy of exact size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rows.h"
#include "http/uri.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct path_case {
	const char *name;
	struct slice in;
	const char *out; /* NULL: 400 */
};

/* clang-format off */
static const struct path_case cases[] = {
#define PATH(name, in, out) { name, SLICE_LIT(in), out }
	PATH("root_is_itself", "/", "/"),
	PATH("plain_path_is_itself", "/a/b.html", "/a/b.html"),
	PATH("trailing_slash_is_kept", "/a/", "/a/"),
	PATH("escapes_are_decoded", "/%61%20%C3%A4", "/a \xc3\xa4"),
	PATH("escapes_of_either_case_are_decoded", "/%4a%4A", "/JJ"),
	PATH("decoding_happens_once", "/%2541", "/%41"),
	PATH("double_encoded_dots_stay_text", "/%252e%252e/x", "/%2e%2e/x"),
	PATH("double_encoded_slash_stays_text", "/a%252fb", "/a%2fb"),
	PATH("escaped_question_mark_is_text", "/a%3Fb", "/a?b"),
	PATH("escaped_percent_is_text", "/100%25", "/100%"),
	PATH("slashes_are_collapsed", "//a///b//", "/a/b/"),
	PATH("only_slashes_are_the_root", "////", "/"),
	PATH("foreign_host_after_slashes_is_a_folder", "//evil.com/dir", "/evil.com/dir"),
	PATH("backslash_is_an_ordinary_byte", "/\\evil.com", "/\\evil.com"),
	PATH("dot_is_dropped", "/a/./b", "/a/b"),
	PATH("final_dot_keeps_the_slash", "/a/.", "/a/"),
	PATH("dot_dot_goes_up", "/a/../b", "/b"),
	PATH("final_dot_dot_keeps_the_slash", "/a/b/..", "/a/"),
	PATH("dot_dot_to_the_root_is_the_root", "/a/..", "/"),
	PATH("dot_dot_after_double_slash_leaves_the_folder", "/a//../b", "/b"),
	PATH("encoded_dots_go_up", "/a/b/%2e%2E/c", "/a/c"),
	PATH("half_encoded_dots_go_up", "/a/.%2e/c", "/c"),
	PATH("three_dots_are_a_name", "/.../a", "/.../a"),
	PATH("names_beginning_with_dots_stay", "/..a/.b/a../b.", "/..a/.b/a../b."),
	PATH("browsers_raw_bytes_pass", "/\"<>[]^`{|}\x80\xff", "/\"<>[]^`{|}\x80\xff"),
	PATH("encoded_newline_is_text", "/a%0Ab", "/a\nb"),

	PATH("empty_path_is_refused", "", NULL),
	PATH("path_without_slash_is_refused", "a", NULL),
	PATH("asterisk_is_refused", "*", NULL),
	PATH("above_the_root_is_refused", "/..", NULL),
	PATH("above_the_root_with_more_is_refused", "/../etc/passwd", NULL),
	PATH("above_the_root_after_a_folder_is_refused", "/a/../../b", NULL),
	PATH("above_the_root_after_slashes_is_refused", "//../b", NULL),
	PATH("above_the_root_after_a_dot_is_refused", "/./../b", NULL),
	PATH("encoded_above_the_root_is_refused", "/%2e%2e/%2e%2e/etc/passwd", NULL),
	PATH("encoded_slash_is_refused", "/public/..%2fadmin/x", NULL),
	PATH("encoded_upper_case_slash_is_refused", "/a%2Fb", NULL),
	PATH("encoded_nul_is_refused", "/x.txt%00.jpg", NULL),
	PATH("escape_without_digits_is_refused", "/a%", NULL),
	PATH("escape_with_one_digit_is_refused", "/a%4", NULL),
	PATH("escape_cut_by_a_slash_is_refused", "/a%4/1", NULL),
	PATH("escape_with_other_letters_is_refused", "/a%4g", NULL),
	PATH("escape_with_sign_is_refused", "/a%+4", NULL),
	PATH("unicode_escape_is_refused", "/a%u002f", NULL),
	PATH("raw_nul_is_refused", "/a\0b", NULL),
	PATH("raw_space_is_refused", "/a b", NULL),
	PATH("raw_control_byte_is_refused", "/a\x1b", NULL),
	PATH("raw_del_is_refused", "/a\x7f", NULL),
	PATH("raw_newline_is_refused", "/a\n", NULL),
	PATH("raw_fragment_mark_is_refused", "/a#b", NULL),
	PATH("raw_question_mark_is_refused", "/a?b", NULL),
};
/* clang-format on */

static char *
exact(const void *data, size_t len)
{
	char *p = malloc(len != 0 ? len : 1);

	assert_non_null(p);
	if (len != 0)
		memcpy(p, data, len);
	return p;
}

static int
canonical(struct slice s, char **out, size_t *len)
{
	char *in = exact(s.ptr, s.len);
	int rc;

	*out = malloc(s.len != 0 ? s.len : 1);
	assert_non_null(*out);
	rc = uri_path_canonical(slice_make(in, s.len), *out, len);
	free(in);
	return rc;
}

static void
run_case(void **state)
{
	const struct path_case *c = *state;
	char *out, *encoded, *again;
	size_t len = 0, encoded_len, again_len;

	if (c->out == NULL) {
		assert_int_equal(canonical(c->in, &out, &len), 400);
		assert_in_range(len, 0, c->in.len);
		assert_true(len == 0 || c->in.ptr[len - 1] == '/');
		free(out);
		return;
	}
	assert_int_equal(canonical(c->in, &out, &len), 0);
	assert_int_equal(len, strlen(c->out));
	assert_memory_equal(out, c->out, len);
	/* Encoded and read again it is the same path. */
	encoded = malloc(3 * len);
	assert_non_null(encoded);
	encoded_len = uri_path_encode(slice_make(out, len), encoded);
	assert_int_equal(canonical(slice_make(encoded, encoded_len), &again, &again_len),
			 0);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, out, len);
	free(out);
	free(encoded);
	free(again);
}

static void
the_segment_that_is_to_blame_is_told(void **state)
{
	static const struct {
		const char *path;
		size_t at;
	} rows[] = {
		{ "a", 0 },          { "/%zz", 1 },    { "/a/b%2Fc/d", 3 },
		{ "/a/../..", 6 },   { "/a//%00", 4 }, { "/a/%2e%2e/%2e%2e/b", 10 },
		{ "/abc/d?e/f", 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = 99;
		char *out;

		assert_int_equal(canonical(slice_from_str(rows[i].path), &out, &len),
				 400);
		assert_int_equal(len, rows[i].at);
		free(out);
	}
}

static void
encoding_lets_only_path_bytes_through(void **state)
{
	static const char raw[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789-._~/!$&'()*+,;=:@";
	static const char digits[] = "0123456789ABCDEF";

	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c, out[3];
		size_t n = uri_path_encode(slice_make(&byte, 1), out);

		if (c != 0 && strchr(raw, c) != NULL) {
			assert_int_equal(n, 1);
			assert_int_equal(out[0], byte);
		} else {
			assert_int_equal(n, 3);
			assert_int_equal(out[0], '%');
			assert_int_equal(out[1], digits[c / 16]);
			assert_int_equal(out[2], digits[c % 16]);
		}
	}
	assert_int_equal(uri_path_encode(slice_make(NULL, 0), NULL), 0);
}

static void
target_bytes_are_those_that_may_stand_raw(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		assert_int_equal(uri_is_target_byte((unsigned char)c),
				 c > ' ' && c != 0x7f && c != '#');
}

static void
authorities_are_told_from_other_text(void **state)
{
	static const struct {
		struct slice text;
		bool good;
	} rows[] = {
		{ SLICE_LIT("a"), true },
		{ SLICE_LIT("www.example.com"), true },
		{ SLICE_LIT("example.com."), true },
		{ SLICE_LIT("EXAMPLE.com:80"), true },
		{ SLICE_LIT("under_score-~!$&'()*+,;="), true },
		{ SLICE_LIT("a%20b"), true },
		{ SLICE_LIT("127.0.0.1:65535"), true },
		{ SLICE_LIT("a:"), true },
		{ SLICE_LIT("[::1]"), true },
		{ SLICE_LIT("[2001:db8::ffff:192.0.2.1]:8080"), true },
		{ SLICE_LIT(""), false },
		{ SLICE_LIT("."), false },
		{ SLICE_LIT(".:80"), false },
		{ SLICE_LIT(":80"), false },
		{ SLICE_LIT("a:65536"), false },
		{ SLICE_LIT("a:99999999999999999999"), false },
		{ SLICE_LIT("a:8x"), false },
		{ SLICE_LIT("a:-1"), false },
		{ SLICE_LIT("a:80:80"), false },
		{ SLICE_LIT("u@a"), false },
		{ SLICE_LIT("a b"), false },
		{ SLICE_LIT("a\tb"), false },
		{ SLICE_LIT("a/b"), false },
		{ SLICE_LIT("a\\b"), false },
		{ SLICE_LIT("a?b"), false },
		{ SLICE_LIT("a#b"), false },
		{ SLICE_LIT("a\0b"), false },
		{ SLICE_LIT("a\r"), false },
		{ SLICE_LIT("a\xc3\xa4"), false },
		{ SLICE_LIT("a%2"), false },
		{ SLICE_LIT("a%zz"), false },
		{ SLICE_LIT("<a>"), false },
		{ SLICE_LIT("a\"b"), false },
		{ SLICE_LIT("["), false },
		{ SLICE_LIT("[]"), false },
		{ SLICE_LIT("[::1"), false },
		{ SLICE_LIT("::1"), false },
		{ SLICE_LIT("[::1]x"), false },
		{ SLICE_LIT("[::1]80"), false },
		{ SLICE_LIT("[::g]"), false },
		{ SLICE_LIT("[::1%25eth0]"), false },
		{ SLICE_LIT("[::1\0]"), false },
		{ SLICE_LIT("[v1.a]"), false },
		{ SLICE_LIT("[1.2.3.4]"), false },
		{ SLICE_LIT("[1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:11]"),
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = exact(rows[i].text.ptr, rows[i].text.len);
		bool good = uri_is_authority(slice_make(text, rows[i].text.len));

		if (good != rows[i].good)
			print_error("authority '%s'\n", rows[i].text.ptr);
		assert_int_equal(good, rows[i].good);
		free(text);
	}
}

static void
hosts_are_lower_cased_without_port_and_final_dot(void **state)
{
	static const char *const rows[][2] = {
		{ "ADMIN.Example.com", "admin.example.com" },
		{ "a.example.:8080", "a.example" },
		{ "a:", "a" },
		{ "[2001:DB8::1]:80", "[2001:db8::1]" },
		{ "[::1]", "[::1]" },
		{ "", "" },
		{ ".", "" },
		{ "[::1", "[::1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i][0]), n;
		char *text = exact(rows[i][0], len), *out = exact(rows[i][0], len);

		n = uri_host_normalise(slice_make(text, len), out);
		assert_int_equal(n, strlen(rows[i][1]));
		assert_true(slice_eq(slice_make(out, n), slice_from_str(rows[i][1])));
		free(text);
		free(out);
	}
}

int
main(void)
{
	static struct CMUnitTest tests[COUNT(cases) + 5] = {
		cmocka_unit_test(the_segment_that_is_to_blame_is_told),
		cmocka_unit_test(encoding_lets_only_path_bytes_through),
		cmocka_unit_test(target_bytes_are_those_that_may_stand_raw),
		cmocka_unit_test(authorities_are_told_from_other_text),
		cmocka_unit_test(hosts_are_lower_cased_without_port_and_final_dot),
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		tests[COUNT(tests) - COUNT(cases) + i] =
			row_test(cases[i].name, run_case, &cases[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
