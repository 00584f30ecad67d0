/* SPDX-License-Identifier: BSD-2-Clause
 *
 * temp_dir: a directory of a test's own: made, looked at, and removed with all that is left in
 * it. Links are removed, never followed. Included once by a test program.
 */
#ifndef WEBSRV_TESTS_TEMP_DIR_H
#define WEBSRV_TESTS_TEMP_DIR_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

#define TREE_PATH_MAX 256

/* Makes the directory and puts its name into `dir`. */
static inline void
tree_make(char dir[TREE_PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, TREE_PATH_MAX, "%s/websrv-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
}

/* The same: a descriptor. */
static inline int
tree_open(char dir[TREE_PATH_MAX])
{
	int fd;

	tree_make(dir);
	fd = fs_open_dir(dir);
	assert_true(fd >= 0);
	return fd;
}

/* The first free descriptor: tells a leak. */
static inline int
lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

/* How many names a directory has; `but` is not counted (NULL: all are). */
static inline size_t
tree_count(int dirfd, const char *name, const char *but)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	size_t n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += but == NULL || strcmp(e->d_name, but) != 0;
	closedir(d);
	return n - 2; /* "." and ".." */
}

/* The file is there, and holds this and no more. */
static inline void
tree_assert_file(int dirfd, const char *name, const char *text)
{
	char found[256] = "";
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_msg("no %s", name);
	assert_true(strlen(text) < sizeof(found) - 1);
	assert_int_equal(fs_pread_full(fd, found, sizeof(found) - 1, 0), strlen(text));
	close(fd);
	assert_string_equal(found, text);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* 0, or -1 with errno. */
static inline int
remove_tree(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
