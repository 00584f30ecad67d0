/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables of redirects in files of their own: what is read, and where errors are said to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "conf/load.h"
#include "http/template.h"

#define CONFIG                                                                           \
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"redirects\": \"t.map\"}]}"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct dir {
	char path[64];
	char file[80];
};

static int
setup(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	strcpy(d->path, "/tmp/websrv-table-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	snprintf(d->file, sizeof(d->file), "%s/t.map", d->path);
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct dir *d = *state;

	unlink(d->file);
	assert_int_equal(rmdir(d->path), 0);
	free(d);
	return 0;
}

static void
write_table(const struct dir *d, const char *text, size_t len)
{
	FILE *f = fopen(d->file, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static struct config *
load(const struct dir *d, struct buf *errors)
{
	buf_init(errors);
	return conf_load_text(slice_from_str(CONFIG), "c.json", d->path, errors);
}

static struct config *
load_good(const struct dir *d, const char *text)
{
	struct buf errors;
	struct config *c;

	write_table(d, text, strlen(text));
	c = load(d, &errors);
	if (c == NULL)
		fail_msg("%.*s", (int)errors.len, errors.ptr);
	buf_fini(&errors);
	return c;
}

static void
check_row(const struct config *c, size_t i, const char *from, const char *to, int status)
{
	const struct conf_redirect_row *row = &c->servers[0].redirects[i];

	assert_true(i < c->servers[0].redirect_count);
	assert_string_equal(row->from, from);
	assert_string_equal(row->to, to);
	assert_int_equal(row->status, status);
}

static void
lines_are_rows(void **state)
{
	struct config *c = load_good(
		*state, "# a comment\n"
			"\n"
			"/a /b\n"
			"\t/a%20b//c/../d\t https://h.example/x#y  308 # why\r\n"
			"   \t\n"
			"  # another\n"
			"//q /q 307\n"
			"/last /end");

	assert_int_equal(c->servers[0].redirect_count, 4);
	check_row(c, 0, "/a", "/b", 302);
	check_row(c, 1, "/a b/d", "https://h.example/x#y", 308);
	check_row(c, 2, "/q", "/q", 307);
	check_row(c, 3, "/last", "/end", 302);
	conf_free(c);
}

static void
json_with_comments_is_rows_too(void **state)
{
	struct config *c =
		load_good(*state, " // moved\n/* in 2020 */ {\"/a%20b\": \"/c\", // one\n"
				  "\"/d\": {\"to\": \"/e\", \"status\": 301}}\n");

	assert_int_equal(c->servers[0].redirect_count, 2);
	check_row(c, 0, "/a b", "/c", 302);
	check_row(c, 1, "/d", "/e", 301);
	conf_free(c);
}

static void
a_table_may_be_empty(void **state)
{
	static const char *const texts[] = { "", "\n\n# nothing\n", "{}", "#", "\r\n" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct config *c = load_good(*state, texts[i]);

		assert_int_equal(c->servers[0].redirect_count, 0);
		conf_free(c);
	}
}

struct table_error {
	const char *text;
	const char *wrong; /* behind "DIR/t.map:" */
};

static const struct table_error table_errors[] = {
	{ "/a\n",
	  "1:1: \"/a\" has no target; write \"FROM TO\" or \"FROM TO STATUS\"\n" },
	{ "\n  /a # /b\n",
	  "2:3: \"/a\" has no target; write \"FROM TO\" or \"FROM TO STATUS\"\n" },
	{ "/a /b 302 /c /d\n", "1:11: \"/c\" is too much for a row; write \"FROM TO\" or "
			       "\"FROM TO STATUS\"\n" },
	{ "/a\t/b  303x\n",
	  "1:8: \"303x\" is not a status of a redirect; write 301, 302, "
	  "303, 307 or 308\n" },
	{ "/a /b 304\n",
	  "1:7: \"304\" is not a status of a redirect; write 301, 302, 303, "
	  "307 or 308\n" },
	{ "/ok /b\na /b\n", "2:1: \"a\" is not a path of a URL; begin it with \"/\"\n" },
	{ "/a?x /b\n",
	  "1:1: \"/a?x\" has a query or fragment, which is not part of a path; "
	  "remove it, or write \"%3F\", \"%23\"\n" },
	{ "/a //evil.example\n", "1:4: \"//evil.example\" begins with \"//\", which is a "
				 "host; write one \"/\" or \"https://\"\n" },
	{ "/a /b/*\n",
	  "1:4: \"/b/*\" has a \"*\", which has nothing to take; write \"%2A\"\n" },
	{ "/a https://${host}/\n", "1:4: \"https://${host}/\" has a \"${...}\", which a "
				   "table does not fill in; write "
				   "a route with \"redirect\"\n" },
	{ "/a\t/b\x01\n", "1:4: \"/b\\u0001\" has a control character; remove it\n" },
	{ "Redirect 301 /a /b\n",
	  "1:1: \"Redirect\" is not a path; begin the row with one: "
	  "\"FROM TO\" or \"FROM TO STATUS\"\n" },
	{ "/ab /b\n/c /d\n /a%62 /x\n", "3:2: \"/a%62\" is the same path as that of line "
					"1 once it is decoded; remove one\n" },
	{ "{\"/a\": \"/b\",\n \"b\": \"/c\"}",
	  "2:2: /b: \"b\" is not a path of a URL; begin it with \"/\"\n" },
	{ "{\"/a\": 5}", "1:8: /~1a: this is a number; write an object or a string\n" },
};

static void
errors_have_positions_in_the_file(void **state)
{
	const struct dir *d = *state;

	for (size_t i = 0; i < COUNT(table_errors); i++) {
		const struct table_error *e = &table_errors[i];
		struct buf errors;
		char want[512];

		write_table(d, e->text, strlen(e->text));
		assert_null(load(d, &errors));
		buf_add_char(&errors, '\0');
		snprintf(want, sizeof(want), "%s:%s", d->file, e->wrong);
		assert_string_equal(errors.ptr, want);
		buf_fini(&errors);
	}
}

static void
assert_one_error(const struct dir *d, const char *begins, const char *has)
{
	struct buf errors;

	assert_null(load(d, &errors));
	buf_add_char(&errors, '\0');
	assert_int_equal(strncmp(errors.ptr, begins, strlen(begins)), 0);
	assert_non_null(strstr(errors.ptr, has));
	assert_ptr_equal(strchr(errors.ptr, '\n') + 1, errors.ptr + errors.len - 1);
	buf_fini(&errors);
}

static void
broken_json_and_duplicates_are_errors_of_the_file(void **state)
{
	static const char same[] = "{\"/a%62\": \"/x\",\n \"/ab\": \"/y\"}";
	static const char twice[] = "{\"/a\": \"/x\",\n \"/a\": \"/y\"}";
	static const char broken[] = "{\"/a\": \"/x\",\n";
	const struct dir *d = *state;
	char begins[128];

	snprintf(begins, sizeof(begins), "%s:2:2: ", d->file);
	write_table(d, same, strlen(same));
	assert_one_error(d, begins, ":1:2 once it is decoded");
	write_table(d, twice, strlen(twice));
	assert_one_error(d, begins, "duplicate key");
	write_table(d, broken, strlen(broken));
	assert_one_error(d, d->file, "syntax: ");
}

static void
what_is_no_file_is_an_error_of_the_configuration(void **state)
{
	const struct dir *d = *state;

	assert_one_error(d, "c.json:1:56: /servers/0/redirects: \"t.map\" cannot be read",
			 "");
	assert_int_equal(mkfifo(d->file, 0600), 0);
	assert_one_error(
		d, "c.json:1:56: /servers/0/redirects: \"t.map\" is no regular file", "");
}

static void
a_target_has_at_most_64k(void **state)
{
	const struct dir *d = *state;
	struct buf text, errors;

	buf_init(&text);
	buf_add_str(&text, "/a /");
	for (size_t i = 1; i < TEMPLATE_OUT_MAX; i++)
		buf_add_char(&text, 'x');
	buf_add_char(&text, '\0');
	conf_free(load_good(d, text.ptr));
	text.ptr[text.len - 1] = 'x';
	write_table(d, text.ptr, text.len);
	assert_null(load(d, &errors));
	buf_add_char(&errors, '\0');
	assert_non_null(strstr(errors.ptr, "t.map:1:4: \"/xxx"));
	assert_non_null(strstr(errors.ptr, "has more than 64K, which is too long for a "
					   "redirect; write a shorter one\n"));
	buf_fini(&errors);
	buf_fini(&text);
}

static void
of_many_errors_a_hundred_are_told(void **state)
{
	const struct dir *d = *state;
	struct buf text, errors;
	size_t lines = 0;

	buf_init(&text);
	for (size_t i = 0; i < 1000; i++)
		buf_printf(&text, "/%zu\n", i);
	write_table(d, text.ptr, text.len);
	assert_null(load(d, &errors));
	for (size_t i = 0; i < errors.len; i++)
		lines += errors.ptr[i] == '\n';
	assert_int_equal(lines, 101);
	buf_add_char(&errors, '\0');
	assert_non_null(strstr(errors.ptr, "t.map:100:1: "));
	assert_non_null(strstr(errors.ptr, "t.map: 900 more errors\n"));
	buf_fini(&errors);
	buf_fini(&text);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(lines_are_rows),
		CASE(json_with_comments_is_rows_too),
		CASE(a_table_may_be_empty),
		CASE(errors_have_positions_in_the_file),
		CASE(broken_json_and_duplicates_are_errors_of_the_file),
		CASE(what_is_no_file_is_an_error_of_the_configuration),
		CASE(a_target_has_at_most_64k),
		CASE(of_many_errors_a_hundred_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
