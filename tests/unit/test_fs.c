/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file system, confined: what lies outside of a directory is out of reach under every
 * policy that says so, and a file that is being written is nowhere until it is published.
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
#include <sys/syscall.h>
#include <unistd.h>

#include "temp_dir.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/fs_walk.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* outside/secret and root/..., made anew for every test. */
struct place {
	char dir[TREE_PATH_MAX];
	int outer, root;
	int lowest; /* the first free descriptor: tells a leak */
};

static void
write_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, text, strlen(text)), 0);
	close(fd);
}

static void
link_to(struct place *p, const char *to, const char *name)
{
	char target[512];

	/* '@' at the front stands for the absolute name of the place. */
	snprintf(target, sizeof(target), "%s%s", to[0] == '@' ? p->dir : "",
		 to[0] == '@' ? to + 1 : to);
	assert_int_equal(symlinkat(target, p->root, name), 0);
}

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char root[300];

	assert_non_null(p);
	p->outer = tree_open(p->dir);
	assert_int_equal(mkdirat(p->outer, "root", 0755), 0);
	assert_int_equal(mkdirat(p->outer, "root/sub", 0755), 0);
	assert_int_equal(mkdirat(p->outer, "outside", 0755), 0);
	write_file(p->outer, "outside/secret", "secret");
	write_file(p->outer, "root/file", "file");
	write_file(p->outer, "root/sub/deep", "deep");
	snprintf(root, sizeof(root), "%s/root", p->dir);
	p->root = fs_open_dir(root);
	assert_true(p->root >= 0);
	p->lowest = lowest_fd();
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	assert_int_equal(lowest_fd(), p->lowest);
	close(p->root);
	close(p->outer);
	assert_int_equal(remove_tree(p->dir), 0);
	free(p);
	return 0;
}

/* --- opening --- */

/* 0 when the path was opened, else -errno; without openat2 it must be the same. */
static int
try_open(const struct place *p, const char *path, enum fs_symlinks policy)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	int fd = fs_open_beneath(p->root, path, O_RDONLY, policy);
	int rc = fd < 0 ? fd : 0;

	close(fd);
	if (policy == FS_SYMLINKS_FOLLOW)
		return rc;
	fd = fs_walk_open(p->root, path, flags, policy);
	close(fd);
	if ((fd < 0 ? fd : 0) != rc)
		fail_msg("'%s' under policy %d: %d, walked %d", path, (int)policy, rc,
			 fd);
	return rc;
}

struct open_case {
	const char *path;
	int inside, refuse, follow; /* what each policy says */
};

static void
check_opens(const struct place *p, const struct open_case *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct open_case *r = &rows[i];
		int inside = try_open(p, r->path, FS_SYMLINKS_INSIDE);
		int refuse = try_open(p, r->path, FS_SYMLINKS_REFUSE);
		int follow = try_open(p, r->path, FS_SYMLINKS_FOLLOW);

		if (inside != r->inside || refuse != r->refuse || follow != r->follow)
			fail_msg("'%s': %d %d %d", r->path, inside, refuse, follow);
	}
}

static void
plain_names_are_opened_under_every_policy(void **state)
{
	static const struct open_case rows[] = {
		{ "file", 0, 0, 0 },
		{ "sub/deep", 0, 0, 0 },
		{ "sub", 0, 0, 0 },
		{ "sub/", 0, 0, 0 },
		{ "", 0, 0, 0 },
		{ "none", -ENOENT, -ENOENT, -ENOENT },
		{ "none/deep", -ENOENT, -ENOENT, -ENOENT },
		{ "file/deep", -ENOTDIR, -ENOTDIR, -ENOTDIR },
		{ "file/", -ENOTDIR, -ENOTDIR, -ENOTDIR },
		{ "sub/../file", 0, 0, -EXDEV },
	};

	check_opens(*state, rows, COUNT(rows));
}

static void
dot_dot_never_leaves(void **state)
{
	static const char *const paths[] = { "..", "../outside/secret",
					     "sub/../../outside", "sub/../../root/file",
					     "../../../../../../../../etc/passwd" };
	static const enum fs_symlinks policies[] = { FS_SYMLINKS_INSIDE,
						     FS_SYMLINKS_REFUSE,
						     FS_SYMLINKS_FOLLOW };

	for (size_t i = 0; i < COUNT(paths); i++) {
		for (size_t k = 0; k < COUNT(policies); k++) {
			int rc = try_open(*state, paths[i], policies[k]);

			if (rc != -EXDEV)
				fail_msg("'%s' under policy %zu: %d", paths[i], k, rc);
		}
	}
}

static void
absolute_path_is_not_beneath(void **state)
{
	struct place *p = *state;
	char path[300];

	snprintf(path, sizeof(path), "%s/outside/secret", p->dir);
	assert_int_equal(try_open(p, path, FS_SYMLINKS_INSIDE), -EXDEV);
	assert_int_equal(try_open(p, path, FS_SYMLINKS_REFUSE), -EXDEV);
}

static void
symlinks_are_treated_as_the_policy_says(void **state)
{
	static const struct open_case rows[] = {
		{ "to-file", 0, -ELOOP, 0 },
		{ "to-sub/deep", 0, -ELOOP, 0 },
		{ "sub/up", 0, -ELOOP, 0 },
		{ "sub/./up", 0, -ELOOP, 0 },
		{ "to-outside", -EXDEV, -ELOOP, 0 },
		{ "out/secret", -EXDEV, -ELOOP, 0 },
		{ "out-and-in", -EXDEV, -ELOOP, 0 },
		{ "sub/too-far", -EXDEV, -ELOOP, -ENOENT }, /* not root/file */
		{ "absolute-outside", -EXDEV, -ELOOP, 0 },
		/* An absolute link starts at "/", so it leaves even if it comes back. */
		{ "absolute-inside", -EXDEV, -ELOOP, 0 },
		{ "chain", -EXDEV, -ELOOP, 0 },
		{ "nowhere", -ENOENT, -ELOOP, -ENOENT },
		{ "itself", -ELOOP, -ELOOP, -ELOOP },
	};
	struct place *p = *state;

	link_to(p, "file", "to-file");
	link_to(p, "sub", "to-sub");
	link_to(p, "../file", "sub/up");
	link_to(p, "../outside/secret", "to-outside");
	link_to(p, "../outside", "out");
	link_to(p, "../root/file", "out-and-in");
	link_to(p, "../../file", "sub/too-far");
	link_to(p, "@/outside/secret", "absolute-outside");
	link_to(p, "@/root/file", "absolute-inside");
	link_to(p, "out/secret", "chain");
	link_to(p, "not-there", "nowhere");
	link_to(p, "itself", "itself");
	check_opens(p, rows, COUNT(rows));
}

static void
magic_links_are_never_followed(void **state)
{
	struct place *p = *state;
	char fd_link[64];

	if (access("/proc/self/fd", X_OK) < 0) {
		print_message("skipped: no /proc\n");
		skip();
	}
	snprintf(fd_link, sizeof(fd_link), "/proc/self/fd/%d", p->outer);
	link_to(p, fd_link, "door");
	link_to(p, "/proc/self/root", "top");
	assert_int_equal(try_open(p, "door/outside/secret", FS_SYMLINKS_INSIDE), -EXDEV);
	assert_int_equal(try_open(p, "door/outside/secret", FS_SYMLINKS_REFUSE), -ELOOP);
	assert_int_equal(try_open(p, "door/outside/secret", FS_SYMLINKS_FOLLOW), -ELOOP);
	assert_int_equal(try_open(p, "door", FS_SYMLINKS_FOLLOW), -ELOOP);
	assert_int_equal(try_open(p, "top/proc", FS_SYMLINKS_FOLLOW), -ELOOP);
}

static void
fifo_does_not_hang(void **state)
{
	struct place *p = *state;
	struct stat st;
	int fd;

	assert_int_equal(mkfifoat(p->root, "fifo", 0644), 0);
	alarm(300); /* a hang ends the test instead of standing still */
	fd = fs_open_beneath(p->root, "fifo", O_RDONLY, FS_SYMLINKS_INSIDE);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(fd);
	assert_int_equal(fs_open_beneath(p->root, "fifo", O_WRONLY, FS_SYMLINKS_INSIDE),
			 -ENXIO);
	alarm(0);
}

static void
whole_file_is_read_up_to_its_limit(void **state)
{
	struct place *p = *state;
	struct buf out;
	struct stat st;

	buf_init(&out);
	write_file(p->root, "ten", "0123456789");
	write_file(p->root, "none", "");
	assert_int_equal(fs_read_regular(p->root, "ten", 10, &out, &st), 0);
	assert_int_equal(st.st_size, 10);
	assert_int_equal(out.len, 10);
	assert_string_equal(out.ptr, "0123456789");
	/* Appended: what was there does not count. */
	assert_int_equal(fs_read_regular(p->root, "ten", 10, &out, NULL), 0);
	assert_string_equal(out.ptr, "01234567890123456789");
	assert_int_equal(fs_read_regular(p->root, "ten", 9, &out, NULL), -EFBIG);
	buf_fini(&out);
	assert_int_equal(fs_read_regular(p->root, "none", 0, &out, NULL), 0);
	assert_int_equal(out.len, 0);
	assert_string_equal(out.ptr, "");
	buf_fini(&out);
}

static void
only_a_regular_file_is_read_whole(void **state)
{
	struct place *p = *state;
	struct buf out;

	buf_init(&out);
	assert_int_equal(mkfifoat(p->root, "fifo", 0644), 0);
	alarm(300); /* a hang ends the test instead of standing still */
	assert_int_equal(fs_read_regular(p->root, "fifo", 10, &out, NULL), -EINVAL);
	assert_int_equal(fs_read_regular(p->root, ".", 10, &out, NULL), -EINVAL);
	assert_int_equal(fs_read_regular(AT_FDCWD, "/dev/zero", 10, &out, NULL), -EINVAL);
	assert_int_equal(fs_read_regular(p->root, "nobody", 10, &out, NULL), -ENOENT);
	alarm(0);
	buf_fini(&out);
}

static void
descriptors_are_not_inherited_and_do_not_block(void **state)
{
	struct place *p = *state;
	int fd = fs_open_beneath(p->root, "file", O_RDONLY, FS_SYMLINKS_INSIDE);
	int path = fs_open_beneath(p->root, "", O_PATH | O_DIRECTORY, FS_SYMLINKS_FOLLOW);

	assert_true(fd >= 0 && path >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(path, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(p->root, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fs_open_dir("/dev/null"), -ENOTDIR);
	assert_int_equal(fs_open_dir("/none/of/this"), -ENOENT);
	close(fd);
	close(path);
}

static void
reading_stops_at_the_end_of_the_file(void **state)
{
	struct place *p = *state;
	int fd = fs_open_beneath(p->root, "file", O_RDONLY, FS_SYMLINKS_INSIDE);
	int dir = fs_open_beneath(p->root, "sub", O_RDONLY, FS_SYMLINKS_INSIDE);
	char buf[16] = "";

	assert_true(fd >= 0 && dir >= 0);
	assert_int_equal(fs_pread_full(fd, buf, 2, 1), 2);
	assert_memory_equal(buf, "il", 3);
	assert_int_equal(fs_pread_full(fd, buf, sizeof(buf), 1), 3);
	assert_int_equal(fs_pread_full(fd, buf, sizeof(buf), 4), 0);
	assert_int_equal(fs_pread_full(fd, buf, sizeof(buf), 400), 0);
	assert_int_equal(fs_pread_full(dir, buf, sizeof(buf), 0), -EISDIR);
	close(dir);
	close(fd);
	assert_int_equal(fs_pread_full(-1, buf, 1, 0), -EBADF);
}

static void
writing_to_a_full_device_says_so(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0) {
		print_message("skipped: no /dev/full\n");
		skip();
	}
	assert_int_equal(fs_write_full(fd, "", 0), 0);
	assert_int_equal(fs_write_full(fd, "abc", 3), -ENOSPC);
	close(fd);
}

static void
take_name(void *ctx, const char *name)
{
	if (strcmp(name, "file") == 0 || strcmp(name, "sub") == 0)
		++*(unsigned *)ctx;
	else if (name[0] != '.')
		fail_msg("%s", name);
}

static void
every_name_of_a_directory_is_looked_at(void **state)
{
	const struct place *p = *state;
	unsigned names = 0;
	int file;

	for (unsigned i = 1; i <= 2; i++) { /* from the beginning each time */
		assert_int_equal(fs_each_name(p->root, take_name, &names), 0);
		assert_int_equal(names, 2 * i);
	}
	file = openat(p->root, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fs_each_name(file, take_name, &names), -ENOTDIR);
	close(file);
}

/* --- new files --- */

/*
 * Stands in for libc's: a file system that has no O_TMPFILE is hard to come by, and what
 * the server does on one must not go untested.
 */
static bool no_tmpfile;

int
openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE
		       ? va_arg(ap, mode_t)
		       : 0;
	va_end(ap);
	if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

static void
begin(struct fs_temp *t, int dirfd, bool named, const char *text)
{
	no_tmpfile = named;
	assert_int_equal(fs_temp_open(t, dirfd, 0640), 0);
	no_tmpfile = false;
	if (named)
		assert_true(t->name[0] == '.');
	assert_int_equal(fs_write_full(t->fd, text, strlen(text)), 0);
}

/* Everything that can happen to a temporary file, in an empty directory. */
static void
check_temp(int dirfd, bool named)
{
	size_t before = tree_count(dirfd, ".", NULL);
	bool replaced = true;
	struct fs_temp t;

	begin(&t, dirfd, named, "dropped");
	assert_int_equal(faccessat(dirfd, "new", F_OK, 0), -1);
	fs_temp_discard(&t);
	assert_int_equal(t.fd, -1);
	fs_temp_discard(&t); /* a second time does nothing */
	assert_int_equal(tree_count(dirfd, ".", NULL), before);

	begin(&t, dirfd, named, "one");
	assert_int_equal(fs_temp_publish(&t, dirfd, "new", false, &replaced), 0);
	assert_false(replaced);
	fs_temp_discard(&t);
	tree_assert_file(dirfd, "new", "one");

	begin(&t, dirfd, named, "two");
	assert_int_equal(fs_temp_publish(&t, dirfd, "new", false, &replaced), -EEXIST);
	tree_assert_file(dirfd, "new", "one");
	assert_int_equal(fs_temp_publish(&t, dirfd, "other", false, NULL), 0);
	fs_temp_discard(&t);
	tree_assert_file(dirfd, "other", "two");

	begin(&t, dirfd, named, "three");
	assert_int_equal(fs_temp_publish(&t, dirfd, "new", true, &replaced), 0);
	assert_true(replaced);
	fs_temp_discard(&t);
	tree_assert_file(dirfd, "new", "three");

	begin(&t, dirfd, named, "four");
	assert_int_equal(fs_temp_publish(&t, dirfd, "four", true, &replaced), 0);
	assert_false(replaced);
	fs_temp_discard(&t);
	tree_assert_file(dirfd, "four", "four");
	assert_int_equal(tree_count(dirfd, ".", NULL), before + 3);

	begin(&t, dirfd, named, "five");
	assert_int_equal(fs_temp_exchange(&t, dirfd, "none"), -ENOENT);
	assert_int_equal(fs_temp_exchange(&t, dirfd, "four"), 0);
	tree_assert_file(dirfd, "four", "five");
	tree_assert_file(dirfd, t.name, "four");
	assert_int_equal(fs_temp_exchange(&t, dirfd, "four"), 0);
	tree_assert_file(dirfd, "four", "four");
	assert_int_equal(mkdirat(dirfd, "folder", 0755), 0);
	assert_int_equal(fs_temp_exchange(&t, dirfd, "folder"), -EISDIR);
	assert_int_equal(unlinkat(dirfd, "folder", AT_REMOVEDIR), 0);
	assert_int_equal(fs_temp_exchange(&t, dirfd, "four"), 0);
	fs_temp_discard(&t);
	tree_assert_file(dirfd, "four", "five");
	assert_int_equal(tree_count(dirfd, ".", NULL), before + 3);
}

static void
temp_file_is_nowhere_until_published(void **state)
{
	struct place *p = *state;

	check_temp(p->root, false);
}

static void
temp_file_is_hidden_where_there_is_no_tmpfile(void **state)
{
	struct place *p = *state;

	check_temp(p->root, true);
}

static void
directory_cannot_be_replaced_and_nothing_stays(void **state)
{
	struct place *p = *state;
	size_t before = tree_count(p->root, ".", NULL);
	struct fs_temp t;

	for (int named = 0; named <= 1; named++) {
		begin(&t, p->root, named != 0, "x");
		assert_int_equal(fs_temp_publish(&t, p->root, "sub", true, NULL),
				 -EISDIR);
		assert_int_equal(fs_temp_publish(&t, p->root, "sub", false, NULL),
				 -EEXIST);
		assert_int_equal(fs_temp_publish(&t, p->root, "none/x", true, NULL),
				 -ENOENT);
		fs_temp_discard(&t);
		assert_int_equal(tree_count(p->root, ".", NULL), before);
	}
	tree_assert_file(p->root, "sub/deep", "deep");
	begin(&t, p->root, false, "x"); /* after a refusal another name may be tried */
	assert_int_equal(fs_temp_publish(&t, p->root, "sub", true, NULL), -EISDIR);
	assert_int_equal(fs_temp_publish(&t, p->root, "free", false, NULL), 0);
	fs_temp_discard(&t);
	tree_assert_file(p->root, "free", "x");
	assert_int_equal(tree_count(p->root, ".", NULL), before + 1);
}

static void
symlink_is_replaced_not_followed(void **state)
{
	struct place *p = *state;
	struct fs_temp t;
	struct stat st;

	link_to(p, "../outside/secret", "link");
	begin(&t, p->root, false, "mine");
	assert_int_equal(fs_temp_publish(&t, p->root, "link", false, NULL), -EEXIST);
	assert_int_equal(fs_temp_publish(&t, p->root, "link", true, NULL), 0);
	fs_temp_discard(&t);
	assert_int_equal(fstatat(p->root, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	tree_assert_file(p->outer, "outside/secret", "secret");
}

static void
mode_is_what_was_asked_for_whatever_the_umask(void **state)
{
	struct place *p = *state;
	mode_t old = umask(077);
	struct fs_temp t;
	struct stat st;

	assert_int_equal(fs_temp_open(&t, p->root, 0664), 0);
	umask(old);
	assert_true((fcntl(t.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fs_temp_publish(&t, t.dirfd, "new", false, NULL), 0);
	fs_temp_discard(&t);
	assert_int_equal(fstatat(p->root, "new", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
}

static void
reader_of_the_replaced_file_keeps_it(void **state)
{
	struct place *p = *state;
	int fd = fs_open_beneath(p->root, "file", O_RDONLY, FS_SYMLINKS_INSIDE);
	struct fs_temp t;
	char buf[8] = "";

	begin(&t, p->root, false, "newer");
	assert_int_equal(fs_temp_publish(&t, t.dirfd, "file", true, NULL), 0);
	fs_temp_discard(&t);
	assert_int_equal(fs_pread_full(fd, buf, sizeof(buf), 0), 4);
	assert_string_equal(buf, "file");
	tree_assert_file(p->root, "file", "newer");
	close(fd);
}

static void
temp_in_no_directory_fails_and_can_be_discarded(void **state)
{
	struct fs_temp t;

	(void)state;
	assert_int_equal(fs_temp_open(&t, -1, 0644), -EBADF);
	assert_int_equal(t.fd, -1);
	fs_temp_discard(&t);
}

/* A real one: WEBSRV_TEST_DIR may name a directory of, say, a FAT or FUSE mount. */
static void
file_system_without_tmpfile_serves_as_well(void **state)
{
	const char *dirs[] = { getenv("WEBSRV_TEST_DIR"), "/var/tmp", "/dev/shm", "." };

	(void)state;
	for (size_t i = 0; i < COUNT(dirs); i++) {
		struct fs_temp t;
		char path[256];
		bool lacks;
		int fd;

		snprintf(path, sizeof(path), "%s/websrv-fs-XXXXXX",
			 dirs[i] != NULL ? dirs[i] : "/none");
		if (mkdtemp(path) == NULL)
			continue;
		fd = fs_open_dir(path);
		assert_true(fd >= 0);
		lacks = fs_temp_open(&t, fd, 0600) == 0 && t.name[0] != '\0';
		fs_temp_discard(&t);
		if (lacks)
			check_temp(fd, false);
		close(fd);
		remove_tree(path);
		if (lacks)
			return;
	}
	print_message("skipped: O_TMPFILE is supported wherever it was tried\n");
	skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_names_are_opened_under_every_policy),
		TEST(dot_dot_never_leaves),
		TEST(absolute_path_is_not_beneath),
		TEST(symlinks_are_treated_as_the_policy_says),
		TEST(magic_links_are_never_followed),
		TEST(fifo_does_not_hang),
		TEST(whole_file_is_read_up_to_its_limit),
		TEST(only_a_regular_file_is_read_whole),
		TEST(descriptors_are_not_inherited_and_do_not_block),
		TEST(reading_stops_at_the_end_of_the_file),
		TEST(writing_to_a_full_device_says_so),
		TEST(every_name_of_a_directory_is_looked_at),
		TEST(temp_file_is_nowhere_until_published),
		TEST(temp_file_is_hidden_where_there_is_no_tmpfile),
		TEST(directory_cannot_be_replaced_and_nothing_stays),
		TEST(symlink_is_replaced_not_followed),
		TEST(mode_is_what_was_asked_for_whatever_the_umask),
		TEST(reader_of_the_replaced_file_keeps_it),
		TEST(temp_in_no_directory_fails_and_can_be_discarded),
		TEST(file_system_without_tmpfile_serves_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
