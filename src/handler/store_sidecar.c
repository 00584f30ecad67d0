/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_sidecar: write, read, remove, sweep.
 */
#include "handler/store_sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "digest-"
#define NAME_LEN_MAX (sizeof(PREFIX) + 2 * 16 + 1)

struct sidecar_name {
	char s[sizeof(STORE_STAGING "/") + NAME_LEN_MAX];
};

/* Beneath the upload directory, or without `dir` in the staging directory. */
static struct sidecar_name
name_of(const char *dir, const struct stat *st)
{
	struct sidecar_name n;

	snprintf(n.s, sizeof(n.s), "%s" PREFIX "%llx-%llx", dir,
		 (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	return n;
}

/* --- write --- */

int
sidecar_write(int staging, const struct stat *st, struct slice text, const char *path)
{
	char bytes[SIDECAR_MAX];
	struct fs_temp t;
	int n, rc;

	if (slice_find(text, '\n') < text.len || strchr(path, '\n') != NULL)
		return -EINVAL;
	n = snprintf(bytes, sizeof(bytes), "%.*s\n%s\n", SLICE_ARG(text), path);
	if (text.len > SIDECAR_TEXT_MAX || (size_t)n >= sizeof(bytes))
		return -EMSGSIZE;
	rc = fs_temp_open(&t, staging, 0600);
	if (rc == 0)
		rc = fs_write_full(t.fd, bytes, (size_t)n);
	if (rc == 0)
		rc = fs_temp_publish(&t, staging, name_of("", st).s, true, NULL);
	fs_temp_discard(&t);
	return rc;
}

/* --- read --- */

/* Takes the descriptor. The last line has its end, or it is not all of it. */
static int
read_all(int fd, struct sidecar *out)
{
	ssize_t n = fs_pread_full(fd, out->bytes, sizeof(out->bytes), 0);
	struct slice all, path;

	close(fd);
	if (n < 0)
		return (int)n;
	all = slice_make(out->bytes, (size_t)n);
	out->text = slice_make(all.ptr, slice_find(all, '\n'));
	if (out->text.len == all.len)
		return -EINVAL;
	path = slice_from(all, out->text.len + 1);
	if (path.len < 2 || slice_find(path, '\n') != path.len - 1 ||
	    slice_find(path, '\0') < path.len)
		return -EINVAL;
	out->bytes[n - 1] = '\0';
	out->path = path.ptr;
	return 0;
}

int
sidecar_open(int dirfd, const struct stat *st)
{
	return fs_open_beneath(dirfd, name_of(STORE_STAGING "/", st).s, O_RDONLY,
			       FS_SYMLINKS_REFUSE);
}

int
sidecar_read(int dirfd, const struct stat *st, struct sidecar *out)
{
	int fd = sidecar_open(dirfd, st);

	return fd >= 0 ? read_all(fd, out) : fd;
}

void
sidecar_remove(int dirfd, const struct stat *st)
{
	unlinkat(dirfd, name_of(STORE_STAGING "/", st).s, 0);
}

/* --- sweep --- */

struct sweep {
	int staging, dirfd;
	int64_t now, grace;
	sidecar_is_true_fn is_true;
};

static bool
is_needed(const struct sweep *s, const char *name, const struct sidecar *sidecar)
{
	int fd = fs_open_beneath(s->dirfd, sidecar->path, O_PATH, FS_SYMLINKS_REFUSE);
	struct stat st;
	bool needed;

	if (fd < 0) /* where it cannot be told nothing is taken away */
		return fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP && fd != -EXDEV;
	needed = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		 strcmp(name_of("", &st).s, name) == 0 && s->is_true(sidecar->text, &st);
	close(fd);
	return needed;
}

static void
sweep_name(void *ctx, const char *name)
{
	const struct sweep *s = ctx;
	struct sidecar sidecar;
	struct stat st;
	int fd, rc;

	if (!slice_starts_with(slice_from_str(name), SLICE(PREFIX)))
		return;
	/* A young one is that of a file which gets its name just now. */
	if (fstatat(s->staging, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_mtime + s->grace >= s->now)
		return;
	fd = fs_open_beneath(s->staging, name, O_RDONLY, FS_SYMLINKS_REFUSE);
	if (fd < 0)
		return;
	rc = read_all(fd, &sidecar);
	if (rc == -EINVAL || (rc == 0 && !is_needed(s, name, &sidecar)))
		unlinkat(s->staging, name, 0);
}

int
sidecar_sweep(int staging, int64_t now, int64_t grace, sidecar_is_true_fn is_true)
{
	struct sweep s = { staging, -1, now, grace, is_true };
	int rc;

	s.dirfd = openat(staging, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s.dirfd < 0)
		return -errno;
	rc = fs_each_name(staging, sweep_name, &s);
	close(s.dirfd);
	return rc;
}
