/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Comments become spaces, and everything is where it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "conf/comments.h"
#include "conf/locate.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
comments_are_blanked_outside_strings_only(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "{} // x", "{}     " },
		{ "{} // x\n{}", "{}     \n{}" },
		{ "a/*b*/c", "a     c" },
		{ "/* a\nb */c", "    \n    c" },
		{ "/**/c", "    c" },
		{ "/***/c", "     c" },
		{ "/*/*/c", "     c" },
		{ "\"// no\"", "\"// no\"" },
		{ "\"/* no */\"", "\"/* no */\"" },
		{ "\"\\\"// no\" // yes", "\"\\\"// no\"       " },
		{ "\"\\\\\" // yes", "\"\\\\\"       " },
		{ "\"open // x\n// y\n", "\"open // x\n    \n" },
		{ "// \" \n\"/**/\"", "     \n\"/**/\"" },
		{ "/* \" */\"/**/\"", "       \"/**/\"" },
		{ "a / b", "a / b" },
		{ "/", "/" },
		{ "//", "  " },
		{ "\"\\", "\"\\" },
		{ "// a /* b\n1", "         \n1" },
	};
	char text[64];
	size_t where;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		strcpy(text, cases[i].in);
		assert_int_equal(comments_blank(text, strlen(text), &where), 0);
		assert_string_equal(text, cases[i].out);
	}
}

static void
comment_that_is_never_closed_is_told_by_its_begin(void **state)
{
	static const struct {
		const char *in;
		size_t where;
	} cases[] = {
		{ "/*", 0 },
		{ "/*/", 0 },
		{ "{} /* *", 3 },
		{ "/* */ /* \n", 6 },
	};
	char text[64];
	size_t where;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		strcpy(text, cases[i].in);
		assert_true(comments_blank(text, strlen(text), &where) < 0);
		assert_int_equal(where, cases[i].where);
	}
}

/* "POINTER KEYLINE:KEYCOLUMN LINE:COLUMN" of every node, in the order of the text. */
static void
describe(const struct locate_node *n, struct buf *out)
{
	locate_pointer(n, out);
	if (n->key.ptr != NULL)
		buf_printf(out, " %u:%u", n->key_pos.line, n->key_pos.column);
	buf_printf(out, " %u:%u%s\n", n->pos.line, n->pos.column,
		   n->earlier != NULL ? " again" : "");
	for (n = n->first; n != NULL; n = n->next)
		describe(n, out);
}

static void
assert_tree(const char *text, const char *expected)
{
	struct arena arena;
	struct locate_node *root;
	struct buf out;

	arena_init(&arena, SIZE_MAX);
	buf_init(&out);
	root = locate_build(slice_from_str(text), &arena);
	assert_non_null(root);
	describe(root, &out);
	buf_add_char(&out, '\0');
	assert_string_equal(out.ptr, expected);
	buf_fini(&out);
	arena_fini(&arena);
}

static void
every_value_has_the_place_of_its_first_byte(void **state)
{
	(void)state;
	assert_tree("5", " 1:1\n");
	assert_tree("  \n {}", " 2:2\n");
	assert_tree("{\"a\": 1,\n \"b\" : [true, {\"c\":null}, \"x\"]}",
		    " 1:1\n"
		    "/a 1:2 1:7\n"
		    "/b 2:2 2:8\n"
		    "/b/0 2:9\n"
		    "/b/1 2:15\n"
		    "/b/1/c 2:16 2:20\n"
		    "/b/2 2:27\n");
	assert_tree("{\"a\":{\"b\":{}},\r\n\"c\":[]}", " 1:1\n"
						       "/a 1:2 1:6\n"
						       "/a/b 1:7 1:11\n"
						       "/c 2:1 2:5\n");
}

static void
columns_count_bytes(void **state)
{
	(void)state;
	assert_tree("{\"\xc3\xa9\":1}", " 1:1\n/\xc3\xa9 1:2 1:7\n");
}

static void
keys_are_decoded_and_pointers_escaped(void **state)
{
	(void)state;
	assert_tree("{\"a/b\":1}", " 1:1\n/a~1b 1:2 1:8\n");
	assert_tree("{\"~\":1}", " 1:1\n/~0 1:2 1:6\n");
	assert_tree("{\"\":1}", " 1:1\n/ 1:2 1:5\n");
	assert_tree("{\"\\u0041\\n\\\"\\\\\\/\":1}", " 1:1\n/A\n\"\\~1 1:2 1:19\n");
	assert_tree("{\"\\u00e9\\u20ac\\ud83d\\ude00\":1}",
		    " 1:1\n/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 1:2 1:29\n");
}

static void
strings_may_hold_brackets_and_quotes(void **state)
{
	(void)state;
	assert_tree("[\"]\", \"\\\"]\", \"\\\\\", {}]", " 1:1\n"
							"/0 1:2\n"
							"/1 1:7\n"
							"/2 1:14\n"
							"/3 1:20\n");
}

static void
duplicate_keys_are_marked_however_they_are_written(void **state)
{
	(void)state;
	assert_tree("{\"a\":1,\"b\":2,\"\\u0061\":3}", " 1:1\n"
						       "/a 1:2 1:6\n"
						       "/b 1:8 1:12\n"
						       "/a 1:14 1:23 again\n");
	assert_tree("{\"a\":{\"a\":1},\"b\":{\"a\":1}}", " 1:1\n"
							 "/a 1:2 1:6\n"
							 "/a/a 1:7 1:11\n"
							 "/b 1:14 1:18\n"
							 "/b/a 1:19 1:23\n");
}

static void
member_is_the_last_of_its_name(void **state)
{
	struct arena arena;
	struct locate_node *root;

	(void)state;
	arena_init(&arena, SIZE_MAX);
	root = locate_build(SLICE("{\"a\":1,\"b\":[],\"a\":3}"), &arena);
	assert_int_equal(locate_member(root, "a")->pos.column, 19);
	assert_ptr_equal(locate_member(root, "a")->earlier, root->first);
	assert_null(locate_member(root, "c"));
	assert_null(locate_member(root->first->next, "a"));
	assert_null(locate_member(NULL, "a"));
	arena_fini(&arena);
}

/* Many members: sorted, not compared pair by pair. */
static void
hundred_thousand_keys_are_checked_in_no_time(void **state)
{
	struct arena arena;
	struct locate_node *root;
	struct buf text;
	size_t again = 0;
	clock_t start;

	(void)state;
	arena_init(&arena, SIZE_MAX);
	buf_init(&text);
	buf_add_char(&text, '{');
	for (int i = 0; i < 100000; i++)
		buf_printf(&text, "\"key-%d\":0,", i % 99990);
	buf_add_str(&text, "\"last\":0}");
	start = clock();
	root = locate_build(buf_slice(&text), &arena);
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
	assert_non_null(root);
	assert_int_equal(root->count, 100001);
	for (const struct locate_node *n = root->first; n != NULL; n = n->next)
		again += n->earlier != NULL && slice_eq(n->earlier->key, n->key) &&
			 n->index > n->earlier->index;
	assert_int_equal(again, 10);
	buf_fini(&text);
	arena_fini(&arena);
}

static void
deep_nesting_is_no_recursion(void **state)
{
	struct arena arena;
	struct buf text;

	(void)state;
	arena_init(&arena, SIZE_MAX);
	buf_init(&text);
	for (int i = 0; i < 200000; i++)
		buf_add_char(&text, '[');
	assert_non_null(locate_build(buf_slice(&text), &arena));
	buf_fini(&text);
	arena_fini(&arena);
}

/* The parser has the first say, yet nothing here may depend on that. */
static void
text_that_is_no_json_does_no_harm(void **state)
{
	static const char *const cases[] = {
		"",         "}",  "]]]",   "{\"a", "{\"a\\",
		"{\"\\u12", "\"", "{1:2}", "[}{]", "{\"\\ud800\\u0\"",
		":::",      ",",  "{\"a\""
	};
	struct arena arena;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i]);
		char *exact = malloc(len + (len == 0));

		assert_non_null(exact);
		memcpy(exact, cases[i], len);
		arena_init(&arena, SIZE_MAX);
		(void)!locate_build(slice_make(exact, len), &arena);
		arena_fini(&arena);
		free(exact);
	}
}

static void
exhausted_arena_gives_no_tree(void **state)
{
	struct slice text = SLICE("{\"a\":[1,2,3],\"b\":{\"c\":1}}");
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	assert_null(locate_build(text, &arena));
	arena_fini(&arena);
}

static void
offset_gives_line_and_column(void **state)
{
	struct locate_pos pos = locate_offset(SLICE("ab\nc\n"), 3);

	(void)state;
	assert_int_equal(pos.line, 2);
	assert_int_equal(pos.column, 1);
	pos = locate_offset(SLICE("ab\nc\n"), 99);
	assert_int_equal(pos.line, 3);
	assert_int_equal(pos.column, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_are_blanked_outside_strings_only),
		cmocka_unit_test(comment_that_is_never_closed_is_told_by_its_begin),
		cmocka_unit_test(every_value_has_the_place_of_its_first_byte),
		cmocka_unit_test(columns_count_bytes),
		cmocka_unit_test(keys_are_decoded_and_pointers_escaped),
		cmocka_unit_test(strings_may_hold_brackets_and_quotes),
		cmocka_unit_test(duplicate_keys_are_marked_however_they_are_written),
		cmocka_unit_test(member_is_the_last_of_its_name),
		cmocka_unit_test(hundred_thousand_keys_are_checked_in_no_time),
		cmocka_unit_test(deep_nesting_is_no_recursion),
		cmocka_unit_test(text_that_is_no_json_does_no_harm),
		cmocka_unit_test(exhausted_arena_gives_no_tree),
		cmocka_unit_test(offset_gives_line_and_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
