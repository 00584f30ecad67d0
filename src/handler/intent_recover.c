/* SPDX-License-Identifier: BSD-2-Clause
 *
 * intent_recover: what a crash left of requests with several files is taken back. Each step is
 * decided by what is there, never by what should be: so it may be cut off itself, and done again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handler/intent.h"
#include "handler/store.h"
#include "http/upload_name.h"

struct undo {
	int dir, staging; /* the directory, and the one in it */
	dev_t device;
	struct intent_result *out;
};

enum whose { NOBODYS, OURS, ANOTHERS };

/* Of enum whose, or -errno. A number is given to another file when the first one is gone; its
 * size and time are not. What somebody has changed since is his. */
static int
look(const struct undo *u, int dirfd, const char *name, const struct intent_file *f)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? NOBODYS : -errno;
	return S_ISREG(st.st_mode) && st.st_dev == u->device && st.st_ino == f->inode &&
			       (uint64_t)st.st_size == f->size &&
			       st.st_mtim.tv_sec == f->mtime.tv_sec &&
			       st.st_mtim.tv_nsec == f->mtime.tv_nsec
		       ? OURS
		       : ANOTHERS;
}

/* Which of the names that it may have got it has: OURS and the name, or another result. */
static int
find_name(const struct undo *u, int dirfd, const struct intent_file *f,
	  char name[UPLOAD_NAME_MAX + 1])
{
	const char *first = fs_last_name(f->path);
	int whose;

	snprintf(name, UPLOAD_NAME_MAX + 1, "%s", first);
	whose = look(u, dirfd, name, f);
	/* One before may have gone since. */
	for (unsigned n = 2;
	     f->renames && whose >= 0 && whose != OURS && n < STORE_RENAME_TRIES; n++) {
		char other[UPLOAD_NAME_MAX];
		struct slice next =
			upload_name_number(slice_from_str(first), n, 0, other);

		memcpy(name, next.ptr, next.len);
		name[next.len] = '\0';
		whose = look(u, dirfd, name, f);
	}
	return whose;
}

/* --- one file --- */

static int
result_of(int rc)
{
	return rc == 0 || errno == ENOENT ? 0 : -errno;
}

/* It has a name: what it replaced has it again, or nothing. */
static int
undo_name(const struct undo *u, int dirfd, const char *name, bool replaced,
	  const struct intent_file *f)
{
	struct stat old;

	/* The old one is gone, and none at all would be worse. */
	if (!replaced && f->replaces != 0)
		return 0;
	u->out->names++;
	u->out->gone += f->size;
	if (!replaced)
		return result_of(unlinkat(dirfd, name, 0));
	if (fstatat(u->staging, f->temp, &old, AT_SYMLINK_NOFOLLOW) == 0)
		u->out->back += (uint64_t)old.st_size;
	return result_of(renameat2(u->staging, f->temp, dirfd, name, RENAME_EXCHANGE));
}

/* What it replaced waits here, and nothing has the name: somebody took away what had it. Of two
 * files that are wanted none must be lost. */
static int
put_back(const struct undo *u, int dirfd, const struct intent_file *f)
{
	int rc = fs_move_new(u->staging, f->temp, dirfd, fs_last_name(f->path));

	return rc == -EEXIST ? 0 : rc;
}

static int
undo_in(const struct undo *u, int dirfd, const struct intent_file *f)
{
	char name[UPLOAD_NAME_MAX + 1];
	int hidden = look(u, u->staging, f->temp, f);
	int named = hidden >= 0 ? find_name(u, dirfd, f, name) : hidden;
	int rc = 0;

	if (named < 0)
		return named;
	if (named == OURS)
		rc = undo_name(u, dirfd, name, hidden == ANOTHERS, f);
	else if (hidden == ANOTHERS)
		rc = put_back(u, dirfd, f);
	if (rc == 0)
		rc = result_of(unlinkat(u->staging, f->temp, 0));
	/* The directory itself is synced once, for all. */
	return rc == 0 && strchr(f->path, '/') != NULL ? fs_sync_dir(dirfd) : rc;
}

static int
open_parent(const struct undo *u, const char *path)
{
	char *dir = strndup(path, (size_t)(fs_last_name(path) - path));
	size_t len = dir != NULL ? strlen(dir) : 0;
	int fd = -ENOMEM;

	if (len > 0)
		dir[len - 1] = '\0';
	if (dir != NULL)
		fd = fs_open_dirs(u->dir, dir, false, 0);
	free(dir);
	return fd;
}

static int
undo_file(const struct undo *u, const struct intent_file *f)
{
	int dirfd, rc;

	if (upload_name_check_path(slice_from_str(f->path), STORE_DEPTH_MAX, 0) !=
	    UPLOAD_NAME_OK)
		return 0; /* no file ever got that name */
	dirfd = open_parent(u, f->path);
	/* With the directory its names are gone. */
	if (dirfd == -ENOENT || dirfd == -ENOTDIR || dirfd == -ELOOP)
		return result_of(unlinkat(u->staging, f->temp, 0));
	if (dirfd < 0)
		return dirfd;
	rc = undo_in(u, dirfd, f);
	close(dirfd);
	return rc;
}

/* --- one intent --- */

static int
undo_all(const struct undo *u, const struct buf *text)
{
	struct slice rest = slice_make(text->ptr, text->len);
	struct intent_file f;
	int rc = 0, more;

	/* Each stands for itself: one that fails stops none. */
	while ((more = intent_read(&rest, &f)) == 1) {
		int one = undo_file(u, &f);

		rc = rc == 0 ? one : rc;
	}
	return rc;
}

/* It is there only when it was written whole; after a loss of power that nothing was promised
 * for it may not be: then there is nothing to be known of it, and it goes. */
static int
undo_held(const struct undo *u, int fd, const char *name)
{
	struct buf text;
	int rc;

	buf_init(&text);
	rc = fs_read_all(fd, INTENT_MAX, &text);
	if (rc == 0 && text.len > 0)
		rc = undo_all(u, &text);
	buf_fini(&text);
	if (rc == 0)
		rc = fs_sync_dir(u->dir);
	if (rc == 0)
		rc = fs_sync_dir(u->staging);
	if (rc == 0)
		rc = result_of(unlinkat(u->staging, name, 0));
	return rc;
}

/* The lock is worth something only while the name still leads to what was locked. */
static bool
hold(const struct undo *u, int fd, const char *name)
{
	struct stat locked, named;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &locked) == 0 &&
	       S_ISREG(locked.st_mode) &&
	       fstatat(u->staging, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

static void
undo_intent(const struct undo *u, const char *name)
{
	/* To be locked over a network it has to be writable. */
	int fd = openat(u->staging, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc = 0;

	if (fd >= 0 && hold(u, fd, name)) {
		rc = undo_held(u, fd, name);
		u->out->undone += rc == 0;
	} else if (fd < 0 && errno != ENOENT) {
		rc = -errno;
	}
	if (rc < 0)
		u->out->error = rc;
	if (fd >= 0)
		close(fd);
}

/* --- all --- */

static void
undo_if_intent(void *ctx, const char *name)
{
	if (slice_ends_with(slice_from_str(name), SLICE(INTENT_ENDING)))
		undo_intent(ctx, name);
}

int
intent_recover(int staging, struct intent_result *out)
{
	struct undo u = { .staging = staging, .out = out };
	struct stat st;
	int rc;

	*out = (struct intent_result){ 0 };
	u.dir = openat(staging, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (u.dir < 0)
		return -errno;
	if (fstat(u.dir, &st) < 0) {
		rc = -errno;
	} else {
		u.device = st.st_dev;
		rc = fs_each_name(staging, undo_if_intent, &u);
	}
	close(u.dir);
	return rc;
}

void
intent_tell(const struct log *log, const char *directory,
	    const struct intent_result *result)
{
	if (result->undone > 0)
		log_warning(log,
			    "upload: %s: a crash cut off %u requests with several files; "
			    "%u names that they had given were taken back",
			    directory, result->undone, result->names);
	if (result->error != 0)
		log_error(log,
			  "upload: %s: what a crash left of a request with several files "
			  "could not be taken back: %s",
			  directory, strerror(-result->error));
}
