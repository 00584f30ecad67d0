/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Snapshots of real directories: what is in them, how far one turn goes, who shares one, and
 * what happens when memory or the directory ends.
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

#include "list_names.h"
#include "temp_dir.h"
#include "base/buf.h"
#include "handler/dirscan.h"
#include "handler/file_version.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MANY 20000
#define PLENTY ((size_t)64 * 1024 * 1024)
#define TURNS_MAX 1000000

static struct rig {
	char dir[TREE_PATH_MAX];
	int dirfd;
	struct file_root root;
	struct dirscans all;
} rig;

static void
make_file(const char *name, size_t size)
{
	int fd = openat(rig.dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static void
make_many(void)
{
	char name[64];

	assert_int_equal(mkdirat(rig.dirfd, "root/many", 0755), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "root/many/%05d-%05d", i * 7 % MANY, i);
		assert_int_equal(mknodat(rig.dirfd, name, S_IFREG | 0644, 0), 0);
	}
}

static int
setup(void **state)
{
	int fd;

	(void)state;
	rig.dirfd = tree_open(rig.dir);
	assert_int_equal(chmod(rig.dir, 0755), 0);
	assert_int_equal(mkdirat(rig.dirfd, "root", 0755), 0);
	assert_int_equal(mkdirat(rig.dirfd, "root/a", 0755), 0);
	assert_int_equal(mkdirat(rig.dirfd, "root/a/sub", 0755), 0);
	make_file("secret", 1);
	make_file("root/top", 5);
	make_file("root/a/file", 3);
	make_file("root/a/.dot", 3);
	assert_int_equal(symlinkat("../top", rig.dirfd, "root/a/in"), 0);
	assert_int_equal(symlinkat("..", rig.dirfd, "root/a/in-dir"), 0);
	assert_int_equal(symlinkat("../../secret", rig.dirfd, "root/a/out"), 0);
	assert_int_equal(symlinkat("/dev/null", rig.dirfd, "root/a/out-device"), 0);
	assert_int_equal(symlinkat("nowhere", rig.dirfd, "root/a/gone"), 0);
	assert_int_equal(symlinkat("loop", rig.dirfd, "root/a/loop"), 0);
	assert_int_equal(symlinkat("fifo", rig.dirfd, "root/a/to-fifo"), 0);
	assert_int_equal(mkfifoat(rig.dirfd, "root/a/fifo", 0644), 0);
	assert_int_equal(mknodat(rig.dirfd, "root/a/socket", S_IFSOCK | 0644, 0), 0);
	make_many();
	fd = openat(rig.dirfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	rig.root = (struct file_root){ .dirfd = fd, .symlinks = FS_SYMLINKS_INSIDE };
	return fd >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	close(rig.root.dirfd);
	close(rig.dirfd);
	return remove_tree(rig.dir);
}

static int
begin(void **state)
{
	(void)state;
	dirscans_init(&rig.all, PLENTY);
	rig.root.symlinks = FS_SYMLINKS_INSIDE;
	return 0;
}

/* Every byte and descriptor is back. */
static int
end(void **state)
{
	static int lowest = -1;

	(void)state;
	dirscans_forget_root(&rig.all, &rig.root);
	assert_int_equal(rig.all.budget.used, 0);
	dirscans_fini(&rig.all);
	if (lowest < 0)
		lowest = lowest_fd();
	assert_int_equal(lowest_fd(), lowest);
	return 0;
}

static struct dirscan *
get(const char *path, uint32_t revalidate_ms)
{
	struct dirscan_key key = { .root = &rig.root, .path = path };
	struct dirscan *s = NULL;

	assert_int_equal(dirscan_get(&rig.all, &key, revalidate_ms, &s), 0);
	assert_non_null(s);
	return s;
}

/* Until it is complete or has failed; *turns that it took. */
static int
finish(struct dirscan *s, const void *who, unsigned *turns)
{
	unsigned n = 0;
	int rc;

	do {
		rc = dirscan_advance(s, who);
		assert_true(++n < TURNS_MAX);
	} while (rc == 0);
	if (turns != NULL)
		*turns = n;
	return rc;
}

static void
assert_lists(const char *path, bool hidden, const char *names)
{
	struct dirscan_key key = { .root = &rig.root, .path = path, .hidden = hidden };
	struct dirscan *s = NULL;
	struct buf b;

	buf_init(&b);
	assert_int_equal(dirscan_get(&rig.all, &key, 0, &s), 0);
	assert_int_equal(finish(s, &b, NULL), 1);
	join_names(dirscan_list(s), &b);
	assert_string_equal(b.ptr, names);
	dirscan_unref(s, &b);
	buf_fini(&b);
}

static void
links_are_listed_while_they_stay_inside(void **state)
{
	(void)state;
	assert_lists("a/", false, "in-dir/ sub/ file in");
	assert_lists("", false, "a/ many/ top");
	assert_lists("a/in-dir/a/sub/", false, "");
}

static void
no_link_is_listed_when_links_are_refused(void **state)
{
	(void)state;
	rig.root.symlinks = FS_SYMLINKS_REFUSE;
	assert_lists("a/", false, "sub/ file");
}

static void
links_that_lead_outside_are_listed_when_links_are_followed(void **state)
{
	(void)state;
	rig.root.symlinks = FS_SYMLINKS_FOLLOW;
	assert_lists("a/", false, "in-dir/ sub/ file in out");
}

static void
dot_files_are_listed_on_demand(void **state)
{
	(void)state;
	assert_lists("a/", true, "in-dir/ sub/ .dot file in");
}

static void
entries_have_size_and_time_of_what_links_lead_to(void **state)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = 1234567890 } };
	const struct dirlist *l;
	struct dirscan *s;

	(void)state;
	assert_int_equal(utimensat(rig.dirfd, "root/top", times, 0), 0);
	s = get("a/", 0);
	assert_int_equal(finish(s, &s, NULL), 1);
	l = dirscan_list(s);
	assert_int_equal(dirlist_at(l, 3)->size, 5);
	assert_int_equal(dirlist_at(l, 3)->modified, 1234567890);
	assert_int_equal(l->dirs, 2);
	assert_int_equal(l->files, 2);
	assert_int_equal(l->bytes, 3 + 5);
	assert_int_equal(dirlist_at(l, 0)->size, 0);
	dirscan_unref(s, &s);
}

static int
try_get(const char *path)
{
	struct dirscan_key key = { .root = &rig.root, .path = path };
	struct dirscan *s = NULL;
	int rc = dirscan_get(&rig.all, &key, 0, &s);

	if (rc == 0)
		dirscan_unref(s, &key);
	assert_int_equal(rig.all.budget.used, 0);
	return rc;
}

static void
what_is_no_directory_is_told(void **state)
{
	(void)state;
	assert_int_equal(try_get("none/"), -ENOENT);
	assert_int_equal(try_get("top/"), -ENOTDIR);
	assert_int_equal(try_get("../"), -EXDEV);
	assert_int_equal(mkdirat(rig.dirfd, "root/closed", 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(try_get("closed/"), -EACCES);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(unlinkat(rig.dirfd, "root/closed", AT_REMOVEDIR), 0);
}

/* --- turns and sharing --- */

/* That many at least: of entries that are read, and of moves in the merge sort. */
#define TURNS_MIN (MANY / DIRSCAN_STEP_ENTRIES + MANY / 8192 * 15)

static void
turns_are_bounded_and_their_memory_too(void **state)
{
	struct dirscan *s = get("many/", 0);
	const struct dirlist *l;
	unsigned turns;

	(void)state;
	assert_int_equal(finish(s, &s, &turns), 1);
	assert_true(turns >= TURNS_MIN);
	l = dirscan_list(s);
	assert_int_equal(l->count, MANY);
	assert_true(l->charged < (size_t)MANY * 80);
	for (size_t i = 1; i < l->count; i++)
		assert_true(memcmp(dirlist_at(l, i - 1)->name, dirlist_at(l, i)->name,
				   11) < 0);
	dirscan_unref(s, &s);
}

static void
many_waiters_drive_a_snapshot_no_faster(void **state)
{
	struct dirscan *s[5];
	unsigned turns = 0;
	int rc = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(s); i++) {
		s[i] = get("many/", 0);
		assert_ptr_equal(s[i], s[0]);
	}
	for (; rc == 0; turns++) {
		assert_true(turns < TURNS_MAX);
		for (size_t i = 0; i < COUNT(s); i++)
			rc = dirscan_advance(s[i], &s[i]);
	}
	assert_int_equal(rc, 1);
	assert_true(turns >= TURNS_MIN);
	for (size_t i = 0; i < COUNT(s); i++)
		dirscan_unref(s[i], &s[i]);
	assert_int_equal(rig.all.budget.used, 0);
}

static void
who_waits_takes_over_from_a_driver_that_leaves(void **state)
{
	struct dirscan *a = get("many/", 0), *b = get("many/", 0);

	(void)state;
	assert_int_equal(dirscan_advance(a, &a), 0);
	assert_int_equal(dirscan_advance(b, &b), 0);
	dirscan_unref(a, &a);
	assert_int_equal(finish(b, &b, NULL), 1);
	assert_int_equal(dirscan_list(b)->count, MANY);
	dirscan_unref(b, &b);
}

static void
snapshot_that_nobody_waits_for_goes_at_once(void **state)
{
	struct dirscan *s = get("many/", 1000);

	(void)state;
	assert_int_equal(dirscan_advance(s, &s), 0);
	assert_true(rig.all.budget.used > 0);
	dirscan_unref(s, &s);
	assert_int_equal(rig.all.budget.used, 0);
}

static void
other_requests_have_other_snapshots(void **state)
{
	struct file_root root = rig.root;
	const struct dirscan_key keys[] = {
		{ &rig.root, "a/", false, DIRLIST_BY_NAME, false, 0 },
		{ &rig.root, "", false, DIRLIST_BY_NAME, false, 0 },
		{ &rig.root, "a/", true, DIRLIST_BY_NAME, false, 0 },
		{ &rig.root, "a/", false, DIRLIST_BY_SIZE, false, 0 },
		{ &rig.root, "a/", false, DIRLIST_BY_NAME, true, 0 },
		{ &rig.root, "a/", false, DIRLIST_BY_NAME, false, 1 },
		{ &root, "a/", false, DIRLIST_BY_NAME, false, 0 },
	};
	struct dirscan *s[COUNT(keys)];

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_int_equal(dirscan_get(&rig.all, &keys[i], 0, &s[i]), 0);
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(s[i], s[j]);
	}
	for (size_t i = 0; i < COUNT(keys); i++)
		dirscan_unref(s[i], NULL);
}

static size_t
count_now(uint32_t revalidate_ms)
{
	struct dirscan *s = get("a/sub/", revalidate_ms);
	size_t count;

	assert_int_equal(finish(s, &s, NULL), 1);
	count = dirscan_list(s)->count;
	dirscan_unref(s, &s);
	return count;
}

static void
complete_snapshot_serves_only_while_it_is_fresh(void **state)
{
	(void)state;
	assert_int_equal(count_now(60000), 0);
	make_file("root/a/sub/new", 1);
	assert_int_equal(count_now(60000), 0);
	assert_int_equal(count_now(0), 1);
	dirscans_forget_root(&rig.all, &rig.root);
	assert_int_equal(rig.all.budget.used, 0);
	assert_int_equal(count_now(1), 1);
	assert_int_equal(unlinkat(rig.dirfd, "root/a/sub/new", 0), 0);
	usleep(50000); /* the clock of the server is coarse */
	assert_int_equal(count_now(1), 0);
}

static void
few_snapshots_are_kept(void **state)
{
	static const char *const paths[] = {
		"", "a/", "a/sub/", "a/in-dir/", "a/in-dir/a/", "a/in-dir/a/sub/"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct dirscan *s = get(paths[i], 60000);

		assert_int_equal(finish(s, &s, NULL), 1);
		dirscan_unref(s, &s);
		assert_int_equal(rig.all.kept_count,
				 i < DIRSCAN_KEPT_MAX ? i + 1 : DIRSCAN_KEPT_MAX);
	}
}

/* --- when something ends --- */

static void
too_large_a_directory_is_told_to_all_who_wait(void **state)
{
	struct dirscan *a, *b;

	(void)state;
	rig.all.budget.max = (size_t)200 * 1024;
	a = get("many/", 0);
	b = get("many/", 0);
	assert_int_equal(dirscan_advance(b, &b), 0);
	assert_int_equal(dirscan_advance(a, &a), 0);
	assert_int_equal(finish(b, &b, NULL), -ENOBUFS);
	assert_int_equal(dirscan_advance(a, &a), -ENOBUFS);
	dirscan_unref(b, &b);
	/* The next one does not get the failed one. */
	b = get("many/", 0);
	assert_ptr_not_equal(a, b);
	dirscan_unref(a, &a);
	dirscan_unref(b, &b);
	assert_int_equal(rig.all.budget.used, 0);
}

static void
kept_snapshots_make_room(void **state)
{
	static const char *const paths[] = { "a/sub/", "a/", "a/in-dir/" };
	struct dirscan *s = get("", 0);
	size_t need = rig.all.budget.used, kept;

	(void)state;
	dirscan_unref(s, NULL);
	for (size_t i = 0; i < COUNT(paths); i++) {
		s = get(paths[i], 60000);
		assert_int_equal(finish(s, &s, NULL), 1);
		dirscan_unref(s, &s);
	}
	kept = rig.all.budget.used;
	assert_int_equal(rig.all.kept_count, COUNT(paths));
	/* Room to begin with, none for the first entry. */
	rig.all.budget.max = need + kept;
	s = get("", 0);
	assert_int_equal(rig.all.kept_count, COUNT(paths));
	assert_int_equal(finish(s, &s, NULL), 1);
	assert_true(rig.all.kept_count < COUNT(paths));
	dirscan_unref(s, &s);
	/* None to begin with. */
	rig.all.budget.max = need + rig.all.budget.used - 1;
	s = get("", 0);
	assert_true(rig.all.kept_count < COUNT(paths) - 1);
	dirscan_unref(s, NULL);
}

static void
every_bound_of_memory_is_kept(void **state)
{
	(void)state;
	for (size_t max = 0; max < 24000; max += 64) {
		struct dirscan_key key = { .root = &rig.root, .path = "a/" };
		struct dirscan *s;
		int rc;

		dirscans_init(&rig.all, max);
		rc = dirscan_get(&rig.all, &key, 0, &s);
		if (rc == 0) {
			assert_true(rig.all.budget.used <= max);
			rc = finish(s, &s, NULL);
			assert_true(rig.all.budget.used <= max);
			dirscan_unref(s, &s);
		}
		assert_true(rc == 1 || rc == -ENOBUFS);
		assert_int_equal(rig.all.budget.used, 0);
	}
}

static void
error_of_reading_is_told(void **state)
{
	int fd = lowest_fd(), other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct dirscan *s;

	(void)state;
	close(other);
	s = get("many/", 0);
	assert_int_equal(dirscan_advance(s, &s), 0);
	/* The descriptor of the scan becomes one that getdents64 does not take. */
	other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(other, fd), fd);
	close(other);
	assert_int_equal(finish(s, &s, NULL), -ENOTDIR);
	dirscan_unref(s, &s);
}

static void
what_vanishes_meanwhile_is_left_out(void **state)
{
	struct dirscan *s;
	char name[64];

	(void)state;
	assert_int_equal(mkdirat(rig.dirfd, "root/going", 0755), 0);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "root/going/%d", i);
		make_file(name, 1);
	}
	s = get("going/", 0);
	assert_int_equal(dirscan_advance(s, &s), 0);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "root/going/%d", i);
		assert_int_equal(unlinkat(rig.dirfd, name, 0), 0);
	}
	assert_int_equal(unlinkat(rig.dirfd, "root/going", AT_REMOVEDIR), 0);
	assert_int_equal(finish(s, &s, NULL), 1);
	assert_true(dirscan_list(s)->count <= DIRSCAN_STEP_ENTRIES);
	dirscan_unref(s, &s);
}

#define scan_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scan_test(links_are_listed_while_they_stay_inside),
		scan_test(no_link_is_listed_when_links_are_refused),
		scan_test(links_that_lead_outside_are_listed_when_links_are_followed),
		scan_test(dot_files_are_listed_on_demand),
		scan_test(entries_have_size_and_time_of_what_links_lead_to),
		scan_test(what_is_no_directory_is_told),
		scan_test(turns_are_bounded_and_their_memory_too),
		scan_test(many_waiters_drive_a_snapshot_no_faster),
		scan_test(who_waits_takes_over_from_a_driver_that_leaves),
		scan_test(snapshot_that_nobody_waits_for_goes_at_once),
		scan_test(other_requests_have_other_snapshots),
		scan_test(complete_snapshot_serves_only_while_it_is_fresh),
		scan_test(few_snapshots_are_kept),
		scan_test(too_large_a_directory_is_told_to_all_who_wait),
		scan_test(kept_snapshots_make_room),
		scan_test(every_bound_of_memory_is_kept),
		scan_test(error_of_reading_is_told),
		scan_test(what_vanishes_meanwhile_is_left_out),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, setup, teardown);
}
