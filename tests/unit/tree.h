/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tree: a temporary directory and files in it that are made, changed and aged. Files are old
 * unless said otherwise: what was written within the last seconds is served with more care.
 * Included once by a test program.
 */
#ifndef WEBSRV_TESTS_TREE_H
#define WEBSRV_TESTS_TREE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "temp_dir.h"
#include "base/fs.h"

/* When an old file was changed, and as a field says it. */
#define OLD 784111777
#define OLD_DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static inline void
tree_set_mtime(int dirfd, const char *name, int64_t seconds, long nanoseconds)
{
	struct timespec times[2] = { { .tv_sec = seconds, .tv_nsec = nanoseconds },
				     { .tv_sec = seconds, .tv_nsec = nanoseconds } };

	assert_int_equal(utimensat(dirfd, name, times, 0), 0);
}

static inline void
tree_make_parents(int dirfd, const char *name)
{
	char path[TREE_PATH_MAX];

	for (const char *p = strchr(name, '/'); p != NULL; p = strchr(p + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(p - name), name);
		if (mkdirat(dirfd, path, 0755) < 0)
			assert_int_equal(errno, EEXIST);
	}
}

/* An old file under a new inode, with the directories that lead to it. */
static inline void
tree_put(int dirfd, const char *name, const char *bytes, size_t len)
{
	int fd;

	tree_make_parents(dirfd, name);
	fd = openat(dirfd, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, bytes, len), 0);
	close(fd);
	tree_set_mtime(dirfd, "new", OLD, 0);
	assert_int_equal(renameat(dirfd, "new", dirfd, name), 0);
}

/* `len` times `c`, written into the file that is there, from `offset` or at its end. What it
 * was is now young. */
#define TREE_AT_END (-1)
static inline void
tree_write(int dirfd, const char *name, off_t offset, char c, size_t len)
{
	char *bytes = malloc(len + 1);
	int fd = openat(dirfd, name,
			O_WRONLY | O_CLOEXEC | (offset == TREE_AT_END ? O_APPEND : 0));

	assert_true(fd >= 0);
	assert_non_null(bytes);
	memset(bytes, c, len);
	if (offset != TREE_AT_END)
		assert_int_equal(lseek(fd, offset, SEEK_SET), offset);
	assert_int_equal(fs_write_full(fd, bytes, len), 0);
	close(fd);
	free(bytes);
}

static inline void
tree_truncate(int dirfd, const char *name, off_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, len), 0);
	close(fd);
}

/* Bytes that are alike nowhere, so that those from elsewhere in a file are others; on the
 * heap. */
static inline char *
make_pattern(size_t len)
{
	char *bytes = malloc(len + 1);
	uint32_t x = 2463534242;

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (char)(x >> 8);
	}
	bytes[len] = '\0';
	return bytes;
}

#endif
