/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs_usage: depth first, with the directories that are open on a stack.
 */
#include "base/fs_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
enter(struct fs_usage *u, int dirfd, const char *name)
{
	int fd, rc;

	if (u->depth == FS_USAGE_DEPTH)
		return -ENAMETOOLONG;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	u->open[u->depth] = fdopendir(fd);
	if (u->open[u->depth] == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	u->depth++;
	return 0;
}

static void
look_at(struct fs_usage *u, const char *name)
{
	int fd = dirfd(u->open[u->depth - 1]);
	struct stat st;
	int rc;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISREG(st.st_mode)) {
		u->bytes += (uint64_t)st.st_size;
		u->files++;
	} else if (S_ISDIR(st.st_mode)) {
		rc = enter(u, fd, name);
		u->skipped += rc < 0 && rc != -ENOENT;
	}
}

int
fs_usage_init(struct fs_usage *u, int dirfd)
{
	*u = (struct fs_usage){ 0 };
	return enter(u, dirfd, ".");
}

bool
fs_usage_step(struct fs_usage *u)
{
	struct dirent *e;

	if (u->depth == 0)
		return false;
	errno = 0;
	e = readdir(u->open[u->depth - 1]);
	if (e == NULL) {
		u->skipped += errno != 0;
		closedir(u->open[--u->depth]);
	} else if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
		look_at(u, e->d_name);
	}
	return u->depth > 0;
}

void
fs_usage_fini(struct fs_usage *u)
{
	while (u->depth > 0)
		closedir(u->open[--u->depth]);
}
