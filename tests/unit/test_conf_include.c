/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "include": what several files say together, and where it is said that they are wrong.
 */
#include "conf_errors.h"
#include "tree.h"

struct include_dir {
	char dir[TREE_PATH_MAX];
	int fd;
};

static int
setup(void **state)
{
	struct include_dir *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	alarm(300); /* a FIFO that hangs must not stand still */
	d->fd = tree_open(d->dir);
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct include_dir *d = *state;

	close(d->fd);
	assert_int_equal(remove_tree(d->dir), 0);
	free(d);
	return 0;
}

static void
put(const struct include_dir *d, const char *name, const char *text)
{
	tree_put(d->fd, name, text, strlen(text));
}

static struct config *
load_main(const struct include_dir *d, struct buf *errors)
{
	char path[TREE_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/main.json", d->dir);
	buf_init(errors);
	return conf_load_file(path, errors);
}

static struct config *
good_main(const struct include_dir *d)
{
	struct buf errors;
	struct config *c = load_main(d, &errors);

	if (c == NULL)
		fail_msg("%.*s", (int)errors.len, errors.ptr);
	buf_fini(&errors);
	return c;
}

/* All that is said, with "D" for the directory. */
static void
assert_errors(const struct include_dir *d, const char *expected)
{
	struct buf errors, shown;
	struct config *c = load_main(d, &errors);
	size_t n = strlen(d->dir);

	assert_null(c);
	buf_init(&shown);
	for (size_t i = 0; i < errors.len; i++) {
		if (slice_starts_with(slice_from(buf_slice(&errors), i),
				      slice_make(d->dir, n))) {
			buf_add_char(&shown, 'D');
			i += n - 1;
		} else {
			buf_add_char(&shown, errors.ptr[i]);
		}
	}
	buf_add_char(&shown, '\0');
	assert_false(shown.failed);
	assert_string_equal(shown.ptr, expected);
	buf_fini(&shown);
	buf_fini(&errors);
}

#define A_SERVER(port) "{\"listen\": [\"127.0.0.1:" port "\"]}"

static void
arrays_append_in_the_order_of_names_and_objects_merge(void **state)
{
	const struct include_dir *d = *state;
	struct config *c;

	put(d, "main.json",
	    "{\"$schema\": \"a\", \"include\": [\"conf.d/*.json\"],"
	    " \"limits\": {\"ranges\": 3}, \"servers\": [" A_SERVER("1") "]}");
	put(d, "conf.d/b.json", "{\"servers\": [" A_SERVER("3") ", " A_SERVER("4") "]}");
	put(d, "conf.d/a.json",
	    "// first\n{\"$schema\": \"b\", \"limits\": {\"header_count\": 7},"
	    " \"servers\": [" A_SERVER("2") "], \"workers\": 5}");
	put(d, "conf.d/.hidden.json", "{");
	put(d, "conf.d/c.json.off", "{");
	c = good_main(d);
	assert_int_equal(c->server_count, 4);
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(c->servers[i].listens[0].port, i + 1);
	assert_int_equal(c->limits.ranges, 3);
	assert_int_equal(c->limits.header_count, 7);
	assert_int_equal(c->servers[0].limits.header_count, 7);
	assert_int_equal(c->workers, 5);
	conf_free(c);
}

static void
relative_paths_are_those_of_their_file(void **state)
{
	const struct include_dir *d = *state;
	char expected[3][TREE_PATH_MAX + 32];
	struct config *c;

	put(d, "main.json", "{\"include\": [\"sub/a.json\"], \"pid_file\": \"p\"}");
	put(d, "sub/a.json",
	    "{\"logs\": {\"error\": {\"to\": \"./e.log\"}}, \"servers\": [{\"listen\":"
	    " [\"unix:s\"], \"routes\": [{\"path\": \"/*\", \"files\": {\"root\":"
	    " \"www\"}}]}]}");
	c = good_main(d);
	snprintf(expected[0], sizeof(expected[0]), "%s/p", d->dir);
	snprintf(expected[1], sizeof(expected[1]), "%s/sub/e.log", d->dir);
	snprintf(expected[2], sizeof(expected[2]), "%s/sub/www", d->dir);
	assert_string_equal(c->pid_file, expected[0]);
	assert_string_equal(c->logs.error.path, expected[1]);
	assert_string_equal(c->servers[0].routes[0].files.root, expected[2]);
	snprintf(expected[2], sizeof(expected[2]), "%s/sub/s", d->dir);
	assert_string_equal(c->servers[0].listens[0].host, expected[2]);
	snprintf(expected[2], sizeof(expected[2]), "%s/sub/a.json", d->dir);
	assert_string_equal(c->servers[0].place.file, expected[2]);
	conf_free(c);
}

static void
directory_with_wildcards_in_its_name_is_just_a_name(void **state)
{
	struct include_dir inner = *(struct include_dir *)*state;
	struct config *c;

	put(&inner, "[x]*/main.json", "{\"include\": [\"*.inc\"]}");
	put(&inner, "[x]*/a.inc", "{\"servers\": [" A_SERVER("1") "]}");
	strcat(inner.dir, "/[x]*");
	c = good_main(&inner);
	conf_free(c);
}

static void
errors_are_positioned_in_their_file(void **state)
{
	const struct include_dir *d = *state;

	put(d, "main.json",
	    "{\"include\": [\"*.inc\"], \"limits\": {},\n\"workers\": 0,\n\"servers\": "
	    "[" A_SERVER("1") "]}");
	put(d, "a.inc",
	    "{\"servers\": [\n{\"lisen\": [], \"listen\": [\"127.0.0.1:2\"]},\n" A_SERVER(
		    "1") "]}");
	put(d, "b.inc", "{\"wrokers\": 1, \"limits\": {\"ranges\": 1, \"ranges\": 2}}");
	assert_errors(
		d,
		"D/main.json:2:12: /workers: 0 is too small; write a whole number from "
		"1 to 1024, or \"auto\"\n"
		"D/a.inc:2:2: /servers/0/lisen: unknown key; did you mean \"listen\"?\n"
		"D/a.inc:3:1: /servers/1: this server is never asked: it has no names, "
		"and 127.0.0.1:1 is that of another server at D/main.json:3:25; add "
		"\"names\"\n"
		"D/b.inc:1:2: /wrokers: unknown key; did you mean \"workers\"?\n"
		"D/b.inc:1:40: /limits/ranges: duplicate key; D/b.inc:1:27 has it "
		"already, remove one\n");
}

static void
scalar_that_is_set_twice_names_both_places(void **state)
{
	const struct include_dir *d = *state;

	put(d, "main.json",
	    "{\"include\": [\"*.inc\"], \"workers\": 1, \"logs\": {\"access\": null},"
	    " \"servers\": [" A_SERVER("1") "]}");
	put(d, "a.inc",
	    "{\"workers\": 1,\n\"logs\": {\"access\": {\"to\": \"stderr\"}}}");
	put(d, "b.inc", "{\"limits\": {\"ranges\": 1}}");
	put(d, "c.inc", "{\"limits\": {\"ranges\": 1}, \"servers\": {}}");
	assert_errors(
		d, "D/a.inc:1:2: /workers: is set already, at D/main.json:1:24; remove "
		   "one\n"
		   "D/a.inc:2:10: /logs/access: is set already, at D/main.json:1:47; "
		   "remove one\n"
		   "D/c.inc:1:13: /limits/ranges: is set already, at D/b.inc:1:13; "
		   "remove one\n"
		   "D/c.inc:1:27: /servers: is set already, at D/main.json:1:64; remove "
		   "one\n");
}

static void
files_that_cannot_be_merged_hide_no_other_and_nothing_is_missing(void **state)
{
	const struct include_dir *d = *state;

	put(d, "main.json",
	    "{\"include\": [\"a.inc\", 5, \"\", \"b.inc\", \"*.inc\","
	    " \"dir\"]}");
	put(d, "a.inc", "{\"workers\": }");
	put(d, "b.inc", "[]");
	put(d, "c.inc", "{\"a\": 1, \"a\": 2}");
	put(d, "dir/x", "");
	assert_errors(d,
		      "D/a.inc:1:13: syntax: unexpected token near '}'; write JSON, with "
		      "// or /* */ comments\n"
		      "D/main.json:1:23: /include/1: this is a number; write a string\n"
		      "D/main.json:1:26: /include/2: \"\" is empty; write a pattern such "
		      "as \"conf.d/*.json\"\n"
		      "D/main.json:1:39: /include/4: \"D/a.inc\" is included twice; name "
		      "it once\n"
		      "D/main.json:1:39: /include/4: \"D/b.inc\" is included twice; name "
		      "it once\n"
		      "D/main.json:1:48: /include/5: \"D/dir\" is no regular file; name "
		      "one, or those of a directory as in \"conf.d/*.json\"\n"
		      "D/b.inc:1:1: this is an array; write an object\n"
		      "D/c.inc:1:10: /a: duplicate key; D/c.inc:1:2 has it already, "
		      "remove one\n");
}

/* Which of many it is stands at the end. */
static void
long_name_of_a_file_is_not_cut_in_messages(void **state)
{
#define LONG "a-name-of-many-words-which-is-longer-than-any-value-that-is-shown-of-a-key"
	const struct include_dir *d = *state;

	put(d, "main.json", "{\"include\": [\"" LONG ".inc\", \"" LONG "*\"]}");
	put(d, LONG ".inc", "{\"workers\": 1, \"servers\": [" A_SERVER("1") "]}");
	assert_errors(d, "D/main.json:1:96: /include/1: \"D/" LONG
			 ".inc\" is included twice; name it once\n");
#undef LONG
}

static void
no_file_for_a_name_is_an_error_and_for_a_pattern_is_none(void **state)
{
	const struct include_dir *d = *state;
	struct config *c;

	put(d, "main.json",
	    "{\"include\": [\"[a-c]\", \"?\"],"
	    " \"servers\": [" A_SERVER("1") "]}");
	c = good_main(d);
	conf_free(c);
	put(d, "main.json", "{\"include\": [\"none.json\"]}");
	assert_errors(d,
		      "D/main.json:1:14: /include/0: \"none.json\" is not there; write "
		      "the name of a file, or a pattern such as \"conf.d/*.json\"\n");
}

static void
include_within_an_include_is_refused(void **state)
{
	const struct include_dir *d = *state;

	put(d, "main.json", "{\"include\": [\"a.inc\"]}");
	put(d, "a.inc", "{\"include\": []}");
	assert_errors(d,
		      "D/a.inc:1:2: /include: an included file includes no others; name "
		      "them in the \"include\" of D/main.json\n");
}

static void
more_than_a_thousand_files_are_refused(void **state)
{
	const struct include_dir *d = *state;
	struct config *c;
	char name[32];

	put(d, "main.json",
	    "{\"include\": [\"*.inc\"], \"servers\": [" A_SERVER("1") "]}");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%d.inc", i);
		put(d, name, "{}");
	}
	c = good_main(d);
	conf_free(c);
	put(d, "1000.inc", "{}");
	assert_errors(d, "D/main.json:1:14: /include/0: there are more than 1000 files; "
			 "put some of them together\n");
}

static void
include_of_the_wrong_type_is_an_error(void **state)
{
	const struct include_dir *d = *state;

	put(d, "main.json", "{\"include\": \"*.inc\", \"servers\": [" A_SERVER("1") "]}");
	assert_errors(d,
		      "D/main.json:1:13: /include: this is a string; write an array of "
		      "strings\n");
}

static void
text_that_is_no_file_includes_nothing(void **state)
{
	char *errors = errors_of(SLICE(TOP("\"include\": [\"/etc/*\"]")));

	(void)state;
	assert_string_equal(errors, "t.json:2:12: /include: only a file can include "
				    "others; remove this key\n");
	free(errors);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(arrays_append_in_the_order_of_names_and_objects_merge),
		T(relative_paths_are_those_of_their_file),
		T(directory_with_wildcards_in_its_name_is_just_a_name),
		T(errors_are_positioned_in_their_file),
		T(scalar_that_is_set_twice_names_both_places),
		T(files_that_cannot_be_merged_hide_no_other_and_nothing_is_missing),
		T(long_name_of_a_file_is_not_cut_in_messages),
		T(no_file_for_a_name_is_an_error_and_for_a_pattern_is_none),
		T(include_within_an_include_is_refused),
		T(more_than_a_thousand_files_are_refused),
		T(include_of_the_wrong_type_is_an_error),
		cmocka_unit_test(text_that_is_no_file_includes_nothing),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
