/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dictionaries and items of structured fields: one row is one field line, and what is read of it, as
 * "key kind text" with a "|" behind each member; NULL when it is malformed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/buf.h"
#include "http/sfdict.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct dict_case {
	const char *line, *members;
};

/* clang-format off */
static const struct dict_case cases[] = {
#define BAD NULL
	{ "", "" }, { " ", "" }, { "\t", "" },
	/* Members and what is between them. */
	{ "a=1", "a 1 1|" }, { " a=1 ", "a 1 1|" }, { "a=1,b=2", "a 1 1|b 1 2|" },
	{ "a=1 \t, \t b=2", "a 1 1|b 1 2|" }, { "a=1,a=2", "a 1 1|a 1 2|" },
	{ ",", BAD }, { "a=1,", BAD }, { "a=1, \t", BAD }, { ",a=1", BAD }, { "a=1,,b=2", BAD },
	{ "a=1 b=2", BAD }, { "a=1;b=2 c", BAD }, { "a =1", BAD }, { "a= 1", BAD }, { "a=", BAD },
	{ "a=,b=1", BAD }, { "=1", BAD }, { "a=1=", BAD }, { "a=1\n,b=2", BAD },
	/* Keys. */
	{ "*", "* ? 1|" }, { "*a=1", "*a 1 1|" }, { "a_-.*9=1", "a_-.*9 1 1|" },
	{ "A=1", BAD }, { "aB=1", BAD }, { "1a=1", BAD }, { "-a=1", BAD }, { "_a=1", BAD },
	{ "\xc3\xa4=1", BAD }, { "a\xc3=1", BAD }, { "a/b=1", BAD }, { "\"a\"=1", BAD },
	/* A key alone is true. */
	{ "a", "a ? 1|" }, { "a,b=?0", "a ? 1|b ? 0|" }, { "a=?1", "a ? 1|" }, { "a;x=1", "a ? 1|" },
	{ "a=?", BAD }, { "a=?2", BAD }, { "a=?true", BAD }, { "a=?01", BAD },
	/* Numbers. */
	{ "a=0", "a 1 0|" }, { "a=-0", "a 1 0|" }, { "a=007", "a 1 7|" }, { "a=-10", "a 1 -10|" },
	{ "a=999999999999999", "a 1 999999999999999|" }, { "a=-999999999999999", "a 1 -999999999999999|" },
	{ "a=1.5", "a . 1.5|" }, { "a=-0.125", "a . -0.125|" }, { "a=123456789012.125", "a . 123456789012.125|" },
	{ "a=1000000000000000", BAD }, { "a=9999999999999999999999999999", BAD }, { "a=-", BAD },
	{ "a=--1", BAD }, { "a=+1", BAD }, { "a=1.", BAD }, { "a=.5", BAD }, { "a=1.1234", BAD },
	{ "a=1234567890123.1", BAD }, { "a=1.5.5", BAD }, { "a=-.5", BAD }, { "a=0x1", BAD }, { "a=1e3", BAD },
	/* Strings. */
	{ "a=\"\"", "a \" |" }, { "a=\"x, y=1;\"", "a \" x, y=1;|" }, { "a=\"\\\"\\\\\"", "a \" \\\"\\\\|" },
	{ "a=\"", BAD }, { "a=\"x", BAD }, { "a=\"\\", BAD }, { "a=\"\\\"", BAD }, { "a=\"\\n\"", BAD },
	{ "a=\"\t\"", BAD }, { "a=\"\x7f\"", BAD }, { "a=\"\xc3\xa4\"", BAD }, { "a=\"x\"y", BAD }, { "a='x'", BAD },
	/* Tokens. */
	{ "a=b", "a t b|" }, { "a=*", "a t *|" }, { "a=A/b:c!#$%&'*+-.^_`|~9", "a t A/b:c!#$%&'*+-.^_`|~9|" },
	{ "a=b,c", "a t b|c ? 1|" }, { "a=/b", BAD }, { "a=!b", BAD }, { "a=b@c", BAD }, { "a=b\"c\"", BAD },
	/* Byte sequences: their padding is judged by who decodes them. */
	{ "a=::", "a : |" }, { "a=:Zm8=:", "a : Zm8=|" }, { "a=:+/Az09==:", "a : +/Az09==|" },
	{ "a=:", BAD }, { "a=:Zm8=", BAD }, { "a=:Zm 8=:", BAD }, { "a=:Zm-_:", BAD }, { "a=:Zm8=::", BAD },
	{ "a=:\xc3:", BAD }, { "a=Zm8=", BAD },
	/* Inner lists. */
	{ "a=()", "a ( ()|" }, { "a=( )", "a ( ( )|" }, { "a=(1)", "a ( (1)|" }, { "a=( 1  b \"c)\" );p=1", "a ( ( 1  b \"c)\" )|" },
	{ "a=(1;p;q=:Zg==: 2)", "a ( (1;p;q=:Zg==: 2)|" }, { "a=(1), b", "a ( (1)|b ? 1|" },
	{ "a=(", BAD }, { "a=(1", BAD }, { "a=(1 ", BAD }, { "a=(1,2)", BAD }, { "a=(1 ,2)", BAD }, { "a=(1\t2)", BAD },
	{ "a=(1;)", BAD }, { "a=((1))", BAD }, { "a=(\"a\"\"b\")", BAD }, { "a=)", BAD }, { "a=(1))", BAD }, { "(1)", BAD },
	/* Parameters. */
	{ "a=1;p", "a 1 1|" }, { "a=1;p=2;  q=\";,\",b", "a 1 1|b ? 1|" }, { "a=1;*=?0", "a 1 1|" },
	{ "a=1;", BAD }, { "a=1; ", BAD }, { "a=1;;p", BAD }, { "a=1 ;p", BAD }, { "a=1;\tp", BAD }, { "a=1;P=1", BAD },
	{ "a=1;p=", BAD }, { "a=1;p= 1", BAD }, { "a=1;p=(1)", BAD }, { "a=1;p=\"", BAD },
	/* Dates and display strings: RFC 9651. */
	{ "a=@1659578233", "a @ 1659578233|" }, { "a=@-1", "a @ -1|" }, { "a=?1;at=@1", "a ? 1|" },
	{ "a=@", BAD }, { "a=@1.5", BAD }, { "a=@@1", BAD }, { "a=@x", BAD }, { "a=@1000000000000000", BAD },
	{ "a=%\"\"", "a % |" }, { "a=%\"f%c3%bc \\ 50%25\"", "a % f%c3%bc \\ 50%25|" }, { "a=(%\"x\" @1)", "a ( (%\"x\" @1)|" },
	{ "a=%", BAD }, { "a=%x", BAD }, { "a=%\"", BAD }, { "a=%\"x", BAD }, { "a=%\"%C3%BC\"", BAD },
	{ "a=%\"%c3\"", BAD }, { "a=%\"%ff%ff%ff%ff\"", BAD }, { "a=%\"%c3xyz\"", BAD }, { "a=%\"%c3x\"", BAD }, { "a=%\"%c3%c3\"", BAD }, { "a=%\"%ff\"", BAD }, { "a=%\"%c\"", BAD },
	{ "a=%\"%\"", BAD }, { "a=%\"%zz\"", BAD }, { "a=%\"%6z\"", BAD }, { "a=%\"\xc3\xbc\"", BAD }, { "a=%\"\t\"", BAD }, { "a=%\"%ed%a0%80\"", BAD },
#undef BAD
};
/* clang-format on */

static void
note(struct buf *out, const struct sf_member *m)
{
	static const char kinds[] = {
		[SF_INTEGER] = '1', [SF_DECIMAL] = '.', [SF_STRING] = '"',
		[SF_TOKEN] = 't',   [SF_BYTES] = ':',   [SF_BOOLEAN] = '?',
		[SF_LIST] = '(',    [SF_DATE] = '@',    [SF_DISPLAY] = '%',
	};

	buf_printf(out, "%.*s %c ", SLICE_ARG(m->key), kinds[m->kind]);
	if (m->kind == SF_INTEGER || m->kind == SF_BOOLEAN || m->kind == SF_DATE)
		buf_printf(out, "%lld|", (long long)m->number);
	else
		buf_printf(out, "%.*s|", SLICE_ARG(m->text));
}

/* From an allocation of exactly its size. */
static enum sf_result
read_line(const char *line, struct buf *out)
{
	size_t len = strlen(line);
	char *exact = malloc(len + (len == 0));
	struct slice rest = slice_make(exact, len);
	enum sf_result result;
	struct sf_member m;

	assert_non_null(exact);
	memcpy(exact, line, len);
	out->len = 0;
	while ((result = sf_dict_next(&rest, &m)) == SF_MEMBER)
		note(out, &m);
	buf_add_char(out, '\0');
	free(exact);
	return result;
}

static void
lines_are_read_or_refused(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct dict_case *c = &cases[i];
		enum sf_result result = read_line(c->line, &out);

		if (result != (c->members != NULL ? SF_END : SF_BAD) ||
		    (c->members != NULL && strcmp(out.ptr, c->members) != 0))
			fail_msg("'%s': %d '%s'", c->line, (int)result, out.ptr);
	}
	buf_fini(&out);
}

static void
nul_is_no_end(void **state)
{
	struct slice rest = SLICE("a=1\0,b=2");
	struct sf_member m;

	(void)state;
	assert_int_equal(sf_dict_next(&rest, &m), SF_BAD);
}

/* As "kind text", NULL when it is none. */
static const struct dict_case items[] = {
	{ "1", " 1 1|" },
	{ " 1 ", " 1 1|" },
	{ "-0", " 1 0|" },
	{ "?1", " ? 1|" },
	{ "?0;a;b=\"x\"; c=@1", " ? 0|" },
	{ "999999999999999", " 1 999999999999999|" },
	{ "1.0", " . 1.0|" },
	{ "\"x\"", " \" x|" },
	{ "x", " t x|" },
	{ ":eA==:", " : eA==|" },
	{ "@7", " @ 7|" },
	{ "", NULL },
	{ " ", NULL },
	{ "\t1", NULL },
	{ "1\t", NULL },
	{ "1,", NULL },
	{ "1, 1", NULL },
	{ "?1, ?1", NULL },
	{ "1 2", NULL },
	{ "1;", NULL },
	{ "?2", NULL },
	{ "?", NULL },
	{ "a=1", NULL },
	{ "(1)", NULL },
	{ "1000000000000000", NULL },
};

static void
items_are_read_or_refused(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out);
	for (size_t i = 0; i < COUNT(items); i++) {
		struct sf_member m;
		bool good = sf_item_parse(slice_from_str(items[i].line), &m);

		out.len = 0;
		if (good)
			note(&out, &m);
		buf_add_char(&out, '\0');
		if (good != (items[i].members != NULL) ||
		    (good && strcmp(out.ptr, items[i].members) != 0))
			fail_msg("'%s': '%s'", items[i].line, out.ptr);
	}
	buf_fini(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_or_refused),
		cmocka_unit_test(nul_is_no_end),
		cmocka_unit_test(items_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
