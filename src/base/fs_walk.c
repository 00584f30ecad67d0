/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs_walk: down from the directory, one component at a time. What lies before `at` in the
 * path holds no link, so ".." there just takes the last component away; the kernel never sees a
 * ".." or an absolute name, whatever is swapped under us meanwhile.
 */
#include "base/fs_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel */

enum step { STEP_DONE, STEP_AGAIN };

struct walk {
	char path[PATH_MAX]; /* what is left to resolve, from the top */
	int links;           /* followed so far */
	enum fs_symlinks symlinks;
};

/* path[at..end) is replaced by `with`; the walk begins again. */
static int
rewrite(struct walk *w, size_t at, size_t end, const char *with)
{
	char whole[2 * PATH_MAX];
	int n = snprintf(whole, sizeof(whole), "%.*s%s%s", (int)at, w->path, with,
			 w->path + end);

	if (n < 0 || (size_t)n >= sizeof(w->path))
		return -ENAMETOOLONG;
	memcpy(w->path, whole, (size_t)n + 1);
	return 0;
}

static int
go_up(struct walk *w, size_t at, size_t end)
{
	size_t before = at;

	while (before > 0 && w->path[before - 1] == '/')
		before--;
	if (before == 0)
		return -EXDEV;
	while (before > 0 && w->path[before - 1] != '/')
		before--;
	return rewrite(w, before, end, "");
}

/* The component could not be opened: is it a link, and may it be followed? */
static int
follow(struct walk *w, int dirfd, const char *name, size_t at, size_t end, int error)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

	if (n < 0)
		return error;
	target[n] = '\0';
	if (w->symlinks == FS_SYMLINKS_REFUSE || ++w->links > LINKS_MAX)
		return -ELOOP;
	if (target[0] == '/')
		return -EXDEV;
	return rewrite(w, at, end, target);
}

/* Opens as much of the path as can be: the descriptor with STEP_DONE, or -errno; with
 * STEP_AGAIN and 0 the path was rewritten. */
static int
descend(struct walk *w, int dirfd, int flags, enum step *step)
{
	int parent = dirfd, fd = -1, rc = 0;
	size_t at = 0;

	*step = STEP_DONE;
	do {
		char name[NAME_MAX + 1];
		size_t end, next;

		at += strspn(w->path + at, "/");
		end = at + strcspn(w->path + at, "/");
		next = end + strspn(w->path + end, "/");
		if (end - at > NAME_MAX) {
			rc = -ENAMETOOLONG;
			break;
		}
		memcpy(name, w->path + at, end - at);
		name[end - at] = '\0';
		if (strcmp(name, ".") == 0) {
			rc = rewrite(w, at, next, "");
			if (rc < 0)
				break;
			continue;
		}
		if (strcmp(name, "..") == 0) {
			*step = STEP_AGAIN;
			rc = go_up(w, at, end);
			break;
		}
		/* A slash behind the last component asks for a directory. */
		fd = openat(parent, name[0] != '\0' ? name : ".",
			    w->path[end] == '\0'
				    ? flags | O_NOFOLLOW
				    : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0) {
			*step = STEP_AGAIN;
			rc = follow(w, parent, name, at, end, -errno);
			break;
		}
		if (parent != dirfd)
			close(parent);
		parent = fd;
		at = w->path[end] == '\0' ? end : next;
		if (w->path[end] == '\0')
			return fd;
	} while (true);
	if (parent != dirfd)
		close(parent);
	return rc;
}

int
fs_walk_open(int dirfd, const char *path, int flags, enum fs_symlinks symlinks)
{
	struct walk w = { .symlinks = symlinks };
	enum step step = STEP_AGAIN;
	int rc;

	if (symlinks == FS_SYMLINKS_FOLLOW) {
		rc = openat(dirfd, path[0] != '\0' ? path : ".", flags);
		return rc >= 0 ? rc : -errno;
	}
	if (path[0] == '/')
		return -EXDEV;
	rc = rewrite(&w, 0, 0, path);
	while (rc == 0 && step == STEP_AGAIN)
		rc = descend(&w, dirfd, flags, &step);
	return rc;
}
