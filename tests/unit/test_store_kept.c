/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is kept with a file where it can have no attributes: written beside it, found from the open
 * file, believed while it is true, and removed when nobody needs it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "temp_dir.h"
#include "core/uploads.h"
#include "handler/store.h"
#include "handler/store_kept.h"
#include "handler/store_sidecar.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SOON 3000 /* seconds; what is younger than an hour is left alone */
#define LATER 4000

static int attribute_error; /* what keeping an attribute says */

int __wrap_fs_set_attribute(int fd, const char *name, const void *value, size_t len);
ssize_t __wrap_fs_get_attribute(int fd, const char *name, void *buf, size_t size);

int
__wrap_fs_set_attribute(int fd, const char *name, const void *value, size_t len)
{
	(void)fd;
	(void)name;
	(void)value;
	(void)len;
	return attribute_error;
}

ssize_t
__wrap_fs_get_attribute(int fd, const char *name, void *buf, size_t size)
{
	(void)fd;
	(void)name;
	(void)buf;
	(void)size;
	return -ENOTSUP;
}

struct place {
	char dir[TREE_PATH_MAX];
	struct conf_upload conf;
	struct log log;
	struct store store;
	struct upload_dir item;
	struct upload_dirs dirs;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	attribute_error = -ENOTSUP;
	tree_make(p->dir);
	p->log = (struct log){ -1, LOG_LEVEL_ERROR };
	p->conf = (struct conf_upload){ .directory = p->dir,
					.mode = 0600,
					.max_size = 1 << 20,
					.create_directories = true };
	assert_int_equal(store_open(&p->store, &p->conf, &p->log), 0);
	p->item.fd = p->store.dirfd;
	p->dirs = (struct upload_dirs){ &p->item, 1 };
	p->store.uploads = &p->dirs;
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	store_close(&p->store);
	remove_tree(p->dir);
	free(p);
	return 0;
}

/* --- files with a digest --- */

static struct digest_set
some_digest(unsigned char byte)
{
	struct digest_set set = { .present = DIGEST_BIT(DIGEST_SHA_256) };

	memset(set.value[DIGEST_SHA_256], byte, DIGEST_SIZE_MAX);
	return set;
}

/* Publishes as the doors do; the status. What became of the name is in *result. */
static int
store_as(struct place *p, const char *path, unsigned char byte,
	 struct store_result *result)
{
	const char *slash = strrchr(path, '/');
	struct http_head head = { .method = HTTP_PUT };
	struct store_file f;
	int status;

	assert_int_equal(store_begin(&p->store, &f), 0);
	assert_int_equal(store_append(&p->store, &f, SLICE("text")), 0);
	f.digest = some_digest(byte);
	store_kept_save(&p->store, &f, path, slash != NULL ? slash + 1 : path);
	status = store_publish(&p->store, &f, path, &head, result);
	if (status != 0)
		store_kept_forget(&p->store, &f);
	store_discard(&f);
	return status;
}

static void
store_file(struct place *p, const char *path, unsigned char byte)
{
	struct store_result result;

	assert_int_equal(store_as(p, path, byte, &result), 0);
}

/* The first byte of the digest that is kept; -1: none is. */
static int
kept_byte(const struct place *p, const char *path)
{
	int fd = openat(p->store.dirfd, path, O_RDONLY | O_CLOEXEC);
	struct digest_set set;
	struct stat st;
	bool kept;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	kept = store_kept_load(fd, &st, &p->dirs, &set);
	close(fd);
	assert_int_equal(set.present, kept ? DIGEST_BIT(DIGEST_SHA_256) : 0);
	return kept ? set.value[DIGEST_SHA_256][0] : -1;
}

/* In the staging directory; `last` is the name of one of them. */
static size_t
count_sidecars(const struct place *p, char last[300])
{
	char path[300];
	DIR *d;
	size_t n = 0;

	snprintf(path, sizeof(path), "%.255s/%s", p->dir, STORE_STAGING);
	d = opendir(path);
	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		n++;
		if (last != NULL)
			snprintf(last, 300, "%s/%s", STORE_STAGING, e->d_name);
	}
	closedir(d);
	return n;
}

static void
sweep(struct place *p, int64_t ahead)
{
	store_kept_sweep(store_staging(&p->store), (int64_t)time(NULL) + ahead);
}

static void
write_text(const struct place *p, const char *path, const char *text, int flags)
{
	int fd = openat(p->store.dirfd, path, O_WRONLY | O_CLOEXEC | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, text, strlen(text)), 0);
	close(fd);
}

/* --- kept --- */

static void
any_failure_of_the_attribute_is_made_up_for_beside_the_file(void **state)
{
	static const int errors[] = { -ENOTSUP, -ENOSPC, -E2BIG, -EDQUOT, -EPERM };
	struct place *p = *state;

	for (size_t i = 0; i < COUNT(errors); i++) {
		char name[] = "a0";

		name[1] = (char)('0' + i);
		attribute_error = errors[i];
		store_file(p, name, (unsigned char)(i + 1));
		assert_int_equal(kept_byte(p, name), i + 1);
	}
	assert_int_equal(count_sidecars(p, NULL), COUNT(errors));
	attribute_error = 0;
	store_file(p, "b", 9);
	assert_int_equal(count_sidecars(p, NULL), COUNT(errors));
}

static void
it_is_found_under_whatever_name_the_file_has(void **state)
{
	struct place *p = *state;

	store_file(p, "dir/a", 7);
	assert_int_equal(renameat(p->store.dirfd, "dir/a", p->store.dirfd, "b"), 0);
	assert_int_equal(kept_byte(p, "b"), 7);
}

static void
it_is_not_believed_when_the_file_is_another_one(void **state)
{
	struct place *p = *state;
	const struct timespec times[2] = { { 1, 1 }, { 1, 1 } };

	store_file(p, "a", 7);
	store_file(p, "b", 8);
	store_file(p, "c", 9);
	write_text(p, "a", "x", O_APPEND);
	assert_int_equal(kept_byte(p, "a"), -1);
	assert_int_equal(utimensat(p->store.dirfd, "b", times, 0), 0);
	assert_int_equal(kept_byte(p, "b"), -1);
	assert_int_equal(kept_byte(p, "c"), 9);
}

static void
it_is_not_believed_when_the_file_was_written_into_at_once(void **state)
{
	struct place *p = *state;

	/* Many times: now and then a tick of the clock would help. */
	for (int i = 0; i < 50; i++) {
		store_file(p, "a", 7);
		write_text(p, "a", "more", 0); /* of the same size */
		assert_int_equal(kept_byte(p, "a"), -1);
		assert_int_equal(unlinkat(p->store.dirfd, "a", 0), 0);
	}
}

static void
it_is_not_believed_when_it_is_not_whole(void **state)
{
	struct place *p = *state;
	char name[300];
	struct stat st;

	store_file(p, "a", 7);
	assert_int_equal(count_sidecars(p, name), 1);
	assert_int_equal(fstatat(p->store.dirfd, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (off_t size = st.st_size - 1; size >= 0; size--) {
		int fd = openat(p->store.dirfd, name, O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, size), 0);
		close(fd);
		assert_int_equal(kept_byte(p, "a"), -1);
	}
	write_text(p, name, "4 1.000000000 sha-256=:AAAA:\na\n", O_TRUNC);
	assert_int_equal(kept_byte(p, "a"), -1);
}

static void
it_is_not_looked_for_through_a_link(void **state)
{
	struct place *p = *state;
	char name[300];

	store_file(p, "a", 7);
	assert_int_equal(count_sidecars(p, name), 1);
	assert_int_equal(renameat(p->store.dirfd, name, p->store.dirfd, "b"), 0);
	assert_int_equal(symlinkat("../b", p->store.dirfd, name), 0);
	assert_int_equal(kept_byte(p, "a"), -1);
}

/* --- removed --- */

static void
it_goes_with_the_file_that_is_deleted_or_replaced(void **state)
{
	struct http_head head = { .method = HTTP_DELETE };
	struct place *p = *state;
	struct store_result result;

	store_file(p, "a", 7);
	p->conf.conflict = CONF_CONFLICT_REPLACE;
	assert_int_equal(store_as(p, "a", 8, &result), 0);
	assert_true(result.replaced);
	assert_int_equal(kept_byte(p, "a"), 8);
	assert_int_equal(count_sidecars(p, NULL), 1);
	assert_int_equal(store_delete(&p->store, "a", &head, false), 0);
	assert_int_equal(count_sidecars(p, NULL), 0);
}

static void
it_stays_while_the_file_has_another_name(void **state)
{
	struct http_head head = { .method = HTTP_DELETE };
	struct place *p = *state;

	store_file(p, "a", 7);
	assert_int_equal(linkat(p->store.dirfd, "a", p->store.dirfd, "b", 0), 0);
	assert_int_equal(store_delete(&p->store, "a", &head, false), 0);
	assert_int_equal(kept_byte(p, "b"), 7);
}

static void
what_is_refused_its_name_leaves_none(void **state)
{
	struct place *p = *state;
	struct store_result result;

	store_file(p, "a", 7);
	assert_int_equal(store_as(p, "a", 8, &result), 409);
	assert_int_equal(count_sidecars(p, NULL), 1);
	assert_int_equal(kept_byte(p, "a"), 7);
}

static void
what_is_taken_back_takes_it_along(void **state)
{
	struct http_head head = { .method = HTTP_PUT };
	struct place *p = *state;
	struct store_result result;
	struct store_file f;

	assert_int_equal(store_begin(&p->store, &f), 0);
	f.digest = some_digest(7);
	store_kept_save(&p->store, &f, "a", "a");
	assert_int_equal(store_publish(&p->store, &f, "a", &head, &result), 0);
	assert_int_equal(kept_byte(p, "a"), 7);
	store_take_back(&p->store, &f, "a", &result);
	store_discard(&f);
	assert_int_equal(count_sidecars(p, NULL), 0);
}

/* --- the sweep --- */

static void
sweep_leaves_what_is_true(void **state)
{
	struct place *p = *state;
	struct store_result result;

	p->conf.conflict = CONF_CONFLICT_RENAME;
	store_file(p, "dir/a", 7);
	assert_int_equal(store_as(p, "dir/a", 8, &result), 0);
	assert_string_equal(result.name, "a (2)");
	sweep(p, LATER);
	assert_int_equal(kept_byte(p, "dir/a"), 7);
	assert_int_equal(kept_byte(p, "dir/a (2)"), 8);
}

static void
sweep_removes_what_is_gone_changed_or_broken(void **state)
{
	struct place *p = *state;

	store_file(p, "gone", 1);
	store_file(p, "changed", 2);
	store_file(p, "dir/moved", 3);
	assert_int_equal(unlinkat(p->store.dirfd, "gone", 0), 0);
	write_text(p, "changed", "more", O_APPEND);
	assert_int_equal(renameat(p->store.dirfd, "dir", p->store.dirfd, "other"), 0);
	write_text(p, STORE_STAGING "/digest-1-2", "", O_CREAT);
	write_text(p, STORE_STAGING "/digest-x", "a\n../../etc/passwd\n", O_CREAT);
	assert_int_equal(count_sidecars(p, NULL), 5);
	sweep(p, SOON);
	assert_int_equal(count_sidecars(p, NULL), 5);
	sweep(p, LATER);
	assert_int_equal(count_sidecars(p, NULL), 0);
}

static void
sweep_leaves_what_is_not_its_own(void **state)
{
	struct place *p = *state;

	assert_true(store_staging(&p->store) >= 0);
	write_text(p, STORE_STAGING "/sweep.lock", "", O_CREAT);
	assert_int_equal(mkdirat(p->store.dirfd, STORE_STAGING "/digest-1", 0700), 0);
	assert_int_equal(
		symlinkat("/etc/passwd", p->store.dirfd, STORE_STAGING "/digest-2"), 0);
	sweep(p, LATER);
	assert_int_equal(count_sidecars(p, NULL), 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_failure_of_the_attribute_is_made_up_for_beside_the_file),
		TEST(it_is_found_under_whatever_name_the_file_has),
		TEST(it_is_not_believed_when_the_file_is_another_one),
		TEST(it_is_not_believed_when_the_file_was_written_into_at_once),
		TEST(it_is_not_believed_when_it_is_not_whole),
		TEST(it_is_not_looked_for_through_a_link),
		TEST(it_goes_with_the_file_that_is_deleted_or_replaced),
		TEST(it_stays_while_the_file_has_another_name),
		TEST(what_is_refused_its_name_leaves_none),
		TEST(what_is_taken_back_takes_it_along),
		TEST(sweep_leaves_what_is_true),
		TEST(sweep_removes_what_is_gone_changed_or_broken),
		TEST(sweep_leaves_what_is_not_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
