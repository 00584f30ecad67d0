/* SPDX-License-Identifier: BSD-2-Clause
 *
 * secretfile: the directory is locked meanwhile, so that of two who change the file at a time
 * neither loses his line.
 */
#include "app/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "core/auth_file.h"

#define NEW_MODE 0600

/* Both parts are allocated. */
struct place {
	char *directory, *name;
	int dirfd; /* locked */
};

/* Through links: the file behind them is replaced, not the link. One that leads to no file would
 * be replaced. */
static char *
resolve(const char *path)
{
	char *real = realpath(path, NULL);
	struct stat st;

	if (real != NULL || errno != ENOENT)
		return real;
	if (lstat(path, &st) == 0) {
		errno = ENOENT;
		return NULL;
	}
	return strdup(path);
}

static int
open_place(struct place *p, const char *path)
{
	char *real = resolve(path), *copy = NULL;
	int rc = -ENOMEM;

	*p = (struct place){ .dirfd = -1 };
	if (real == NULL)
		return -errno;
	copy = strdup(real);
	if (copy != NULL) {
		p->name = strdup(basename(real));
		p->directory = strdup(dirname(copy));
	}
	if (p->name != NULL && p->directory != NULL) {
		p->dirfd = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = p->dirfd < 0 || flock(p->dirfd, LOCK_EX) < 0 ? -errno : 0;
	}
	free(copy);
	free(real);
	return rc;
}

static void
close_place(struct place *p)
{
	if (p->dirfd >= 0)
		close(p->dirfd);
	free(p->directory);
	free(p->name);
}

/* Of no file: no bytes, and a mode of 0. */
static int
read_old(const struct place *p, struct buf *text, struct stat *st)
{
	int rc;

	*st = (struct stat){ 0 };
	rc = fs_read_regular(p->dirfd, p->name, AUTH_FILE_MAX, text, st);
	return rc == -ENOENT ? 0 : rc;
}

static bool
is_line_of(struct slice line, struct slice name)
{
	return line.len > name.len && line.ptr[name.len] == ':' &&
	       slice_starts_with(line, name);
}

static void
add_line(struct buf *out, struct slice name, struct slice secret)
{
	if (secret.len == 0)
		return;
	buf_add_slice(out, name);
	buf_add_char(out, ':');
	buf_add_slice(out, secret);
	buf_add_char(out, '\n');
}

static bool
is_token(struct slice secret)
{
	return slice_starts_with(secret, SLICE("sha256:"));
}

/* Whether a line has a secret of the other kind: a server refuses such a file as a whole. */
static bool
has_other_kind(struct slice text, struct slice secret)
{
	while (secret.len > 0 && text.len > 0) {
		size_t len = slice_find(text, '\n');
		struct slice line = slice_make(text.ptr, len);
		size_t colon = slice_find(line, ':');

		if (colon < line.len && line.ptr[0] != '#' &&
		    is_token(slice_from(line, colon + 1)) != is_token(secret))
			return true;
		text = slice_from(text, len + 1);
	}
	return false;
}

/* The new text; whether the name was in the old one. */
static bool
rewrite(struct slice old, struct slice name, struct slice secret, struct buf *out)
{
	bool found = false;

	while (old.len > 0) {
		size_t len = slice_find(old, '\n');
		struct slice line = slice_make(old.ptr, len);

		if (!is_line_of(line, name)) {
			buf_add_slice(out, line);
			buf_add_char(out, '\n');
		} else if (!found) {
			found = true;
			add_line(out, name, secret);
		}
		old = slice_from(old, len + 1);
	}
	if (!found)
		add_line(out, name, secret);
	return found;
}

/* Owner and mode of a file that was there are kept before it gets its name. */
static int
write_new(const struct place *p, struct slice text, const struct stat *old)
{
	struct fs_temp temp;
	int rc = fs_temp_open(&temp, p->dirfd, NEW_MODE);

	if (rc == 0)
		rc = fs_write_full(temp.fd, text.ptr, text.len);
	if (rc == 0 && old->st_mode != 0 &&
	    (fchown(temp.fd, old->st_uid, old->st_gid) < 0 ||
	     fchmod(temp.fd, old->st_mode & 07777) < 0))
		rc = -errno;
	if (rc == 0 && fsync(temp.fd) < 0)
		rc = -errno;
	if (rc == 0)
		rc = fs_temp_publish(&temp, temp.dirfd, p->name, true, NULL);
	if (rc == 0 && fsync(p->dirfd) < 0)
		rc = -errno;
	fs_temp_discard(&temp);
	return rc;
}

int
secretfile_set(const char *path, struct slice name, struct slice secret, bool *existed)
{
	struct place p;
	struct stat st;
	struct buf old, new;
	int rc = open_place(&p, path);

	buf_init(&old);
	buf_init(&new);
	*existed = false;
	if (rc == 0)
		rc = read_old(&p, &old, &st);
	if (rc == 0 && has_other_kind(buf_slice(&old), secret))
		rc = -EMEDIUMTYPE;
	if (rc == 0) {
		*existed = rewrite(buf_slice(&old), name, secret, &new);
		if (new.failed)
			rc = -ENOMEM;
		else if (secret.len == 0 && !*existed)
			rc = st.st_mode == 0 ? -ENOENT : -ENODATA;
		else
			rc = write_new(&p, buf_slice(&new), &st);
	}
	buf_fini(&old);
	buf_fini(&new);
	close_place(&p);
	return rc;
}
