/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many bytes a directory holds: hidden and nested ones, links, what is too deep.
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
#include <sys/stat.h>
#include <unistd.h>

#include "temp_dir.h"
#include "base/fs_usage.h"

struct place {
	char dir[TREE_PATH_MAX];
	int fd;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->fd = tree_open(p->dir);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	close(p->fd);
	remove_tree(p->dir);
	free(p);
	return 0;
}

static void
put(const struct place *p, const char *name, off_t size)
{
	int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static struct fs_usage
usage(const struct place *p)
{
	struct fs_usage u;

	assert_int_equal(fs_usage_init(&u, p->fd), 0);
	while (fs_usage_step(&u))
		;
	assert_false(fs_usage_step(&u));
	fs_usage_fini(&u);
	return u;
}

static void
an_empty_directory_holds_nothing(void **state)
{
	struct fs_usage u = usage(*state);

	assert_int_equal(u.bytes, 0);
	assert_int_equal(u.files, 0);
	assert_int_equal(u.skipped, 0);
}

static void
files_count_wherever_they_are(void **state)
{
	const struct place *p = *state;

	put(p, "a", 1);
	put(p, ".hidden", 10);
	assert_int_equal(mkdirat(p->fd, ".websrv-uploads", 0700), 0);
	put(p, ".websrv-uploads/x.part", 100);
	assert_int_equal(mkdirat(p->fd, "d", 0700), 0);
	assert_int_equal(mkdirat(p->fd, "d/e", 0700), 0);
	put(p, "d/e/f", 1000);
	put(p, "sparse", 1 << 30);
	assert_int_equal(usage(p).bytes, 1111 + (1 << 30));
	assert_int_equal(usage(p).files, 5);
	/* A second time begins at the beginning again. */
	assert_int_equal(usage(p).files, 5);
}

static void
links_are_not_followed_and_names_count(void **state)
{
	const struct place *p = *state;

	put(p, "a", 7);
	assert_int_equal(linkat(p->fd, "a", p->fd, "b", 0), 0);
	assert_int_equal(symlinkat("a", p->fd, "link"), 0);
	assert_int_equal(symlinkat("/", p->fd, "root"), 0);
	assert_int_equal(symlinkat(".", p->fd, "round"), 0);
	assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
	assert_int_equal(usage(p).bytes, 14);
	assert_int_equal(usage(p).files, 2);
	assert_int_equal(usage(p).skipped, 0);
}

/* The directory itself is one of them. */
static void
what_is_too_deep_is_skipped_and_told(void **state)
{
	const struct place *p = *state;
	char path[4 * FS_USAGE_DEPTH] = "";
	size_t len = 0;

	for (int i = 1; i <= FS_USAGE_DEPTH; i++) {
		len += (size_t)snprintf(path + len, sizeof(path) - len, "d/");
		assert_int_equal(mkdirat(p->fd, path, 0700), 0);
		snprintf(path + len, sizeof(path) - len, "f");
		put(p, path, 1);
		path[len] = '\0';
	}
	assert_int_equal(usage(p).bytes, FS_USAGE_DEPTH - 1);
	assert_int_equal(usage(p).skipped, 1);
}

static void
what_cannot_be_read_is_told(void **state)
{
	const struct place *p = *state;
	struct fs_usage u;

	put(p, "f", 3);
	assert_int_equal(fs_usage_init(&u, -1), -EBADF);
	assert_false(fs_usage_step(&u));
	fs_usage_fini(&u);
	if (geteuid() == 0)
		return; /* may read everything */
	assert_int_equal(mkdirat(p->fd, "d", 0), 0);
	assert_int_equal(usage(p).bytes, 3);
	assert_int_equal(usage(p).skipped, 1);
	assert_int_equal(unlinkat(p->fd, "d", AT_REMOVEDIR), 0);
}

/* Descriptors do not add up, not even when it ends in the middle. */
static void
nothing_stays_open(void **state)
{
	const struct place *p = *state;
	struct fs_usage u;
	int before, after;

	assert_int_equal(mkdirat(p->fd, "d", 0700), 0);
	before = dup(p->fd);
	close(before);
	for (int i = 0; i < 10; i++)
		(void)usage(p);
	assert_int_equal(fs_usage_init(&u, p->fd), 0);
	for (int i = 0; i < 10 && u.depth < 2; i++)
		assert_true(fs_usage_step(&u));
	assert_int_equal(u.depth, 2);
	fs_usage_fini(&u);
	after = dup(p->fd);
	close(after);
	assert_int_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(an_empty_directory_holds_nothing),
		TEST(files_count_wherever_they_are),
		TEST(links_are_not_followed_and_names_count),
		TEST(what_is_too_deep_is_skipped_and_told),
		TEST(what_cannot_be_read_is_told),
		TEST(nothing_stays_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
