/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Uploads on their way to the disk: what stands against a name, and that a file is there
 * whole or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temp_dir.h"
#include "base/clock.h"
#include "handler/etag.h"
#include "handler/store.h"

/* --- a store in a directory of its own --- */

struct place {
	char dir[TREE_PATH_MAX];
	struct conf_upload conf;
	struct log log;
	int sink; /* what was logged */
	struct store store;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	tree_make(p->dir);
	p->sink = memfd_create("log", MFD_CLOEXEC);
	assert_true(p->sink >= 0);
	p->log = (struct log){ p->sink, LOG_LEVEL_DEBUG };
	p->conf = (struct conf_upload){ .directory = p->dir,
					.mode = 0604,
					.max_size = 1 << 20 };
	assert_int_equal(store_open(&p->store, &p->conf, &p->log), 0);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	store_close(&p->store);
	assert_int_equal(p->store.dirfd, -1);
	store_close(&p->store); /* a second time does nothing */
	close(p->sink);
	remove_tree(p->dir);
	free(p);
	return 0;
}

static size_t
count_entries(const struct place *p)
{
	return tree_count(p->store.dirfd, ".", STORE_STAGING);
}

static void
assert_file(const struct place *p, const char *name, const char *text)
{
	tree_assert_file(p->store.dirfd, name, text);
}

static bool
was_logged(const struct place *p, const char *text)
{
	char buf[4096] = "";
	ssize_t n = fs_pread_full(p->sink, buf, sizeof(buf) - 1, 0);

	assert_true(n >= 0);
	assert_int_equal(ftruncate(p->sink, 0), 0);
	lseek(p->sink, 0, SEEK_SET);
	return *text != '\0' ? strstr(buf, text) != NULL : n == 0;
}

/* The head of a PUT with at most one field. */
static struct http_head
put_head(struct http_field *f, enum http_field_id id, const char *value)
{
	*f = (struct http_field){ http_field_name(id), slice_from_str(value), id, false };
	return (struct http_head){ .method = HTTP_PUT,
				   .fields = f,
				   .field_count = value != NULL };
}

static int
check_name(struct place *p, const char *name, enum http_field_id id, const char *value)
{
	struct http_field f;
	struct http_head head = put_head(&f, id, value);

	return store_check_name(&p->store, name, &head);
}

static int
publish(struct place *p, struct store_file *t, const char *name, enum http_field_id id,
	const char *value, bool *replaced)
{
	struct store_result result;
	struct http_field f;
	struct http_head head = put_head(&f, id, value);
	int status = store_publish(&p->store, t, name, &head, &result);

	if (replaced != NULL)
		*replaced = result.replaced;
	return status;
}

/* Publishes a file in two pieces; the status. */
static int
store_text(struct place *p, const char *name, const char *text, bool *replaced)
{
	size_t half = strlen(text) / 2;
	struct store_file t;
	int status;

	assert_int_equal(store_begin(&p->store, &t), 0);
	assert_int_equal(store_append(&p->store, &t, slice_make(text, half)), 0);
	assert_int_equal(store_append(&p->store, &t, slice_make(NULL, 0)), 0);
	assert_int_equal(store_append(&p->store, &t, slice_from_str(text + half)), 0);
	status = publish(p, &t, name, HTTP_FIELD_OTHER, NULL, replaced);
	store_discard(&t);
	return status;
}

static void
file_appears_whole_with_its_mode(void **state)
{
	struct place *p = *state;
	mode_t old = umask(077);
	bool replaced = true;
	struct store_file t;
	struct stat st;

	assert_int_equal(store_begin(&p->store, &t), 0);
	umask(old);
	assert_int_equal(store_append(&p->store, &t, SLICE("abc")), 0);
	assert_int_equal(faccessat(p->store.dirfd, "a.txt", F_OK, 0), -1);
	assert_int_equal(store_append(&p->store, &t, SLICE("def")), 0);
	assert_int_equal(publish(p, &t, "a.txt", HTTP_FIELD_OTHER, NULL, &replaced), 0);
	store_discard(&t);
	assert_false(replaced);
	assert_file(p, "a.txt", "abcdef");
	assert_int_equal(fstatat(p->store.dirfd, "a.txt", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_int_equal(count_entries(p), 1);
	assert_true(was_logged(p, ""));
}

static void
file_that_is_given_up_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct store_file t;

	assert_int_equal(store_begin(&p->store, &t), 0);
	assert_int_equal(store_append(&p->store, &t, SLICE("abc")), 0);
	store_discard(&t);
	assert_int_equal(count_entries(p), 0);
}

static void
taken_name_is_a_conflict_unless_replacing(void **state)
{
	struct place *p = *state;
	bool replaced;

	assert_int_equal(store_text(p, "a", "first", &replaced), 0);
	assert_int_equal(check_name(p, "a", HTTP_FIELD_OTHER, NULL), 409);
	assert_int_equal(check_name(p, "b", HTTP_FIELD_OTHER, NULL), 0);
	/* Somebody was faster between the check and the end of the body. */
	assert_int_equal(store_text(p, "a", "second", &replaced), 409);
	assert_file(p, "a", "first");
	assert_true(was_logged(p, "")); /* the client's doing is not logged */

	p->conf.conflict = CONF_CONFLICT_REPLACE;
	assert_int_equal(check_name(p, "a", HTTP_FIELD_OTHER, NULL), 0);
	assert_int_equal(store_text(p, "a", "third", &replaced), 0);
	assert_true(replaced);
	assert_file(p, "a", "third");
	assert_int_equal(store_text(p, "b", "new", &replaced), 0);
	assert_false(replaced);
	assert_int_equal(count_entries(p), 2);
}

static void
only_files_are_ever_replaced(void **state)
{
	struct place *p = *state;
	bool replaced;

	p->conf.conflict = CONF_CONFLICT_REPLACE;
	assert_int_equal(mkdirat(p->store.dirfd, "dir", 0755), 0);
	assert_int_equal(symlinkat("target", p->store.dirfd, "link"), 0);
	assert_int_equal(mkfifoat(p->store.dirfd, "fifo", 0644), 0);
	assert_int_equal(check_name(p, "dir", HTTP_FIELD_OTHER, NULL), 409);
	assert_int_equal(check_name(p, "link", HTTP_FIELD_OTHER, NULL), 409);
	assert_int_equal(check_name(p, "fifo", HTTP_FIELD_OTHER, NULL), 409);
	assert_int_equal(store_text(p, "dir", "x", &replaced), 409);
	assert_int_equal(count_entries(p), 3);
}

static void
preconditions_stand_before_conflicts(void **state)
{
	/* Long ago: the tag of a young file is weak, and matches no If-Match. */
	static const struct timespec times[2] = { { 784111777, 1 }, { 784111777, 5 } };
	struct place *p = *state;
	char etag[ETAG_MAX];
	struct slice tag;
	struct stat st;

	assert_int_equal(store_text(p, "a", "first", NULL), 0);
	assert_int_equal(utimensat(p->store.dirfd, "a", times, 0), 0);
	assert_int_equal(fstatat(p->store.dirfd, "a", &st, 0), 0);
	tag = etag_format(&st, clock_unix(), NULL, etag);
	assert_int_equal(etag[tag.len], '\0');

	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_NONE_MATCH, "*"), 412);
	assert_int_equal(check_name(p, "b", HTTP_FIELD_IF_NONE_MATCH, "*"), 0);
	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_MATCH, "\"other\""), 412);
	assert_int_equal(check_name(p, "b", HTTP_FIELD_IF_MATCH, "*"), 412);
	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_MATCH, etag), 409);
	p->conf.conflict = CONF_CONFLICT_REPLACE;
	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_MATCH, etag), 0);
	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_NONE_MATCH, etag), 412);
	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_UNMODIFIED_SINCE,
				    "Sun, 06 Nov 1994 08:49:36 GMT"),
			 412);
	assert_int_equal(store_text(p, "a", "second", NULL), 0);
	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_MATCH, etag), 412);
}

/* What was right when the body began may be wrong when it is whole. */
static void
preconditions_are_asked_again_at_the_end(void **state)
{
	struct place *p = *state;
	bool replaced;
	struct store_file t;

	p->conf.conflict = CONF_CONFLICT_REPLACE;
	assert_int_equal(check_name(p, "a", HTTP_FIELD_IF_NONE_MATCH, "*"), 0);
	assert_int_equal(store_begin(&p->store, &t), 0);
	assert_int_equal(store_append(&p->store, &t, SLICE("mine")), 0);
	assert_int_equal(store_text(p, "a", "another's", NULL), 0);
	assert_int_equal(publish(p, &t, "a", HTTP_FIELD_IF_NONE_MATCH, "*", NULL), 412);
	assert_int_equal(publish(p, &t, "a", HTTP_FIELD_IF_MATCH, "\"x\"", NULL), 412);
	assert_file(p, "a", "another's");
	/* None of its tags is the file's: RFC 9110 section 13.1.2 lets it pass. */
	assert_int_equal(
		publish(p, &t, "a", HTTP_FIELD_IF_NONE_MATCH, "\"x\"", &replaced), 0);
	store_discard(&t);
	assert_true(replaced);
	assert_file(p, "a", "mine");
	assert_int_equal(count_entries(p), 1);
}

static void
full_disk_is_507_and_logged(void **state)
{
	struct place *p = *state;
	struct store_file t = { .temp = { .dirfd = p->store.dirfd } };

	t.temp.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (t.temp.fd < 0) {
		print_message("skipped: no /dev/full\n");
		skip();
	}
	assert_int_equal(store_append(&p->store, &t, SLICE("abc")), 507);
	assert_true(was_logged(p, "No space left on device"));
	store_discard(&t);
}

static void
directories_are_made_only_where_that_is_wanted(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(store_text(p, "a/b/c", "x", NULL), 409);
	assert_int_equal(count_entries(p), 0);
	p->conf.create_directories = true;
	assert_int_equal(check_name(p, "a/b/c", HTTP_FIELD_OTHER, NULL), 0);
	assert_int_equal(check_name(p, "a/b/c", HTTP_FIELD_IF_MATCH, "*"), 412);
	assert_int_equal(count_entries(p), 0); /* asking makes nothing */
	assert_int_equal(store_text(p, "a/b/c", "x", NULL), 0);
	assert_file(p, "a/b/c", "x");
	assert_int_equal(fstatat(p->store.dirfd, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 0705, 0705);
	assert_int_equal(store_text(p, "a/b/c/d", "x", NULL), 409);
	assert_int_equal(symlinkat("/tmp", p->store.dirfd, "link"), 0);
	assert_int_equal(store_text(p, "link/x", "x", NULL), 409);
	assert_true(was_logged(p, ""));
}

static void
another_name_is_found_where_that_is_wanted(void **state)
{
	struct place *p = *state;
	struct http_head head = { .method = HTTP_PUT };
	struct store_result result;
	struct store_file t;

	p->conf.conflict = CONF_CONFLICT_RENAME;
	assert_int_equal(store_text(p, "a.tar.gz", "one", NULL), 0);
	assert_int_equal(store_text(p, "a.tar.gz", "two", NULL), 0);
	assert_int_equal(store_begin(&p->store, &t), 0);
	assert_int_equal(store_publish(&p->store, &t, "a.tar.gz", &head, &result), 0);
	store_discard(&t);
	assert_string_equal(result.name, "a (3).tar.gz");
	assert_false(result.replaced);
	assert_file(p, "a.tar.gz", "one");
	assert_file(p, "a (2).tar.gz", "two");
	/* Who says that nothing may be there means it. */
	assert_int_equal(check_name(p, "a.tar.gz", HTTP_FIELD_IF_NONE_MATCH, "*"), 412);
}

static void
room_is_looked_for_before_and_while_writing(void **state)
{
	struct place *p = *state;
	struct store_file t;

	p->conf.max_size = 10;
	assert_int_equal(store_check_room(&p->store, 0, 10), 0);
	assert_int_equal(store_check_room(&p->store, 0, 11), 413);
	assert_int_equal(store_check_room(&p->store, 5, UINT64_MAX), 413);
	assert_int_equal(store_begin(&p->store, &t), 0);
	assert_int_equal(store_append(&p->store, &t, SLICE("0123456789")), 0);
	assert_int_equal(store_append(&p->store, &t, SLICE("0")), 413);
	store_discard(&t);
	p->conf.reserve = UINT64_MAX / 2;
	assert_int_equal(store_check_room(&p->store, 0, 1), 507);
	assert_true(was_logged(p, "bytes are free"));
}

static void
only_files_are_deleted(void **state)
{
	struct place *p = *state;
	struct http_head head = { .method = HTTP_DELETE };
	struct http_field f;

	assert_int_equal(store_text(p, "a", "x", NULL), 0);
	assert_int_equal(mkdirat(p->store.dirfd, "dir", 0755), 0);
	assert_int_equal(store_delete(&p->store, "dir", &head, false), 409);
	assert_int_equal(store_delete(&p->store, "none", &head, false), 404);
	assert_int_equal(store_delete(&p->store, "none/x", &head, false), 404);
	head = put_head(&f, HTTP_FIELD_IF_MATCH, "\"other\"");
	assert_int_equal(store_delete(&p->store, "a", &head, false), 412);
	head.field_count = 0;
	assert_int_equal(store_delete(&p->store, "a", &head, true), 0);
	assert_int_equal(count_entries(p), 2);
	assert_int_equal(store_delete(&p->store, "a", &head, false), 0);
	assert_int_equal(store_delete(&p->store, "a", &head, false), 404);
	assert_int_equal(count_entries(p), 1);
}

static void
directory_that_went_away_is_our_own_trouble(void **state)
{
	struct place *p = *state;
	struct store_file t;
	int status;

	assert_int_equal(rmdir(p->dir), 0);
	status = store_begin(&p->store, &t);
	/* ext4 answers EPERM where others have ENOENT; never what is the client's fault. */
	assert_true(status == 500 || status == 403);
	assert_int_equal(t.temp.fd, -1);
	assert_true(was_logged(p, p->dir));
	store_discard(&t);
}

static void
directory_that_cannot_be_opened_is_an_error(void **state)
{
	struct place *p = *state;
	struct conf_upload conf = { .directory = "/dev/null" };
	struct store s;

	assert_int_equal(store_open(&s, &conf, &p->log), -ENOTDIR);
	conf.directory = "/none/of/this";
	assert_int_equal(store_open(&s, &conf, &p->log), -ENOENT);
	store_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_appears_whole_with_its_mode),
		TEST(file_that_is_given_up_leaves_nothing),
		TEST(taken_name_is_a_conflict_unless_replacing),
		TEST(only_files_are_ever_replaced),
		TEST(preconditions_stand_before_conflicts),
		TEST(preconditions_are_asked_again_at_the_end),
		TEST(full_disk_is_507_and_logged),
		TEST(directories_are_made_only_where_that_is_wanted),
		TEST(another_name_is_found_where_that_is_wanted),
		TEST(room_is_looked_for_before_and_while_writing),
		TEST(only_files_are_deleted),
		TEST(directory_that_went_away_is_our_own_trouble),
		TEST(directory_that_cannot_be_opened_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
