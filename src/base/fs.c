/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs: thin, checked wrappers of openat2, O_TMPFILE, linkat and renameat2.
 */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs_walk.h"

#define EAGAIN_TRIES 8
#define READ_STEP ((size_t)1 << 16)

/* Links may lead anywhere under this policy; the name itself may not. */
static bool
leaves_by_name(const char *path)
{
	if (path[0] == '/')
		return true;
	for (const char *p = path; p != NULL; p = strchr(p, '/')) {
		p += *p == '/';
		if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
			return true;
	}
	return false;
}

int
fs_open_beneath(int dirfd, const char *path, int flags, enum fs_symlinks symlinks)
{
	/* openat2 is strict: O_PATH goes with nothing that concerns input and output. */
	int extra = (flags & O_PATH) != 0 ? O_CLOEXEC : O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | extra),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	if (symlinks == FS_SYMLINKS_FOLLOW && leaves_by_name(path))
		return -EXDEV;
	if (symlinks == FS_SYMLINKS_REFUSE)
		how.resolve |= RESOLVE_NO_SYMLINKS;
	else if (symlinks == FS_SYMLINKS_FOLLOW)
		how.resolve = RESOLVE_NO_MAGICLINKS;
	/* With RESOLVE_BENEATH the kernel answers EAGAIN when a rename ran alongside. */
	for (int i = 0; i < EAGAIN_TRIES; i++) {
		fd = syscall(SYS_openat2, dirfd, path[0] != '\0' ? path : ".", &how,
			     sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	if (fd >= 0)
		return (int)fd;
	/* An old kernel, or a container or valgrind that does not let the call through. */
	if (errno == ENOSYS || errno == EPERM)
		return fs_walk_open(dirfd, path, flags | extra, symlinks);
	return -errno;
}

int
fs_open_dir(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : -errno;
}

static int
open_one_dir(int dirfd, const char *name, bool create, mode_t mode)
{
	int flags = O_PATH | O_DIRECTORY;
	int fd = fs_open_beneath(dirfd, name, flags, FS_SYMLINKS_REFUSE);

	if (fd != -ENOENT || !create)
		return fd;
	/* Somebody else may be faster: then it is there all the same. */
	if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return fs_open_beneath(dirfd, name, flags, FS_SYMLINKS_REFUSE);
}

int
fs_open_dirs(int dirfd, const char *path, bool create, mode_t mode)
{
	int fd = fs_open_beneath(dirfd, "", O_PATH | O_DIRECTORY, FS_SYMLINKS_REFUSE);

	while (fd >= 0 && *path != '\0') {
		char name[NAME_MAX + 1];
		size_t len = strcspn(path, "/");
		int parent = fd;

		if (len > NAME_MAX) {
			close(parent);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		fd = open_one_dir(parent, name, create, mode);
		close(parent);
		path += len + (path[len] == '/');
	}
	return fd;
}

int
fs_path_of(int fd, char out[PATH_MAX])
{
	char proc[48];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, out, PATH_MAX);
	if (n < 0)
		return -errno;
	if (n == PATH_MAX)
		return -ENAMETOOLONG;
	out[n] = '\0';
	return 0;
}

const char *
fs_path_beneath(const char *path, const char *dir)
{
	size_t len = strcmp(dir, "/") == 0 ? 0 : strlen(dir);

	if (strncmp(path, dir, len) != 0 || (path[len] != '\0' && path[len] != '/'))
		return NULL;
	return path[len] == '/' ? path + len + 1 : path + len;
}

ssize_t
fs_pread_full(int fd, void *buf, size_t len, off_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n =
			pread(fd, (char *)buf + done, len - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int
fs_read_all(int fd, size_t max, struct buf *out)
{
	size_t start = out->len;
	ssize_t n = 1;

	while (n != 0) {
		int rc = buf_reserve(out, READ_STEP);

		if (rc < 0)
			return rc;
		/* One byte is for the NUL. */
		n = read(fd, out->ptr + out->len, out->cap - out->len - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			out->len += (size_t)n;
		if (out->len - start > max)
			return -EFBIG;
	}
	out->ptr[out->len] = '\0';
	return 0;
}

int
fs_read_regular(int dirfd, const char *path, size_t max, struct buf *out, struct stat *st)
{
	/* O_NONBLOCK: a FIFO would wait for somebody to write. */
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat own;
	int rc;

	if (fd < 0)
		return -errno;
	if (st == NULL)
		st = &own;
	if (fstat(fd, st) < 0)
		rc = -errno;
	else
		rc = S_ISREG(st->st_mode) ? fs_read_all(fd, max, out) : -EINVAL;
	close(fd);
	return rc;
}

int
fs_write_full(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fs_pwrite_full(int fd, const void *data, size_t len, off_t offset)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

const char *
fs_last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

int
fs_each_name(int dirfd, void (*look)(void *ctx, const char *name), void *ctx)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int rc;

	if (dir == NULL) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (errno = 0, (e = readdir(dir)) != NULL)
		look(ctx, e->d_name);
	rc = -errno;
	closedir(dir);
	return rc;
}

int
fs_sync_dir(int dirfd)
{
	/* A descriptor that is only a path (O_PATH) cannot be synced itself. */
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : -errno;

	if (fd >= 0)
		close(fd);
	return rc;
}

int
fs_move_new(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	int rc = renameat2(from_dirfd, from, to_dirfd, to, RENAME_NOREPLACE) == 0
			 ? 0
			 : -errno;

	if (rc != -EINVAL && rc != -ENOSYS)
		return rc;
	/* A file system without RENAME_NOREPLACE: link refuses an existing name too. */
	rc = linkat(from_dirfd, from, to_dirfd, to, 0) == 0 ? 0 : -errno;
	if (rc == 0)
		unlinkat(from_dirfd, from, 0);
	return rc;
}

ssize_t
fs_get_attribute(int fd, const char *name, void *buf, size_t size)
{
	ssize_t n = fgetxattr(fd, name, buf, size);

	return n >= 0 ? n : -errno;
}

int
fs_set_attribute(int fd, const char *name, const void *value, size_t len)
{
	return fsetxattr(fd, name, value, len, 0) == 0 ? 0 : -errno;
}

static int
random_name(char name[FS_TEMP_NAME_MAX])
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return -EIO;
	snprintf(name, FS_TEMP_NAME_MAX, FS_TEMP_PREFIX "%016llx", (unsigned long long)r);
	return 0;
}

static int
open_named(struct fs_temp *t, mode_t mode)
{
	int rc = random_name(t->name);

	if (rc == 0) {
		t->fd = openat(t->dirfd, t->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			       mode);
		rc = t->fd >= 0 ? 0 : -errno;
	}
	if (rc < 0)
		t->name[0] = '\0';
	return rc;
}

/* The umask must not take away what the configuration promises. */
static int
set_mode(struct fs_temp *t, mode_t mode)
{
	int rc = fchmod(t->fd, mode) < 0 ? -errno : 0;

	if (rc < 0)
		fs_temp_discard(t);
	return rc;
}

int
fs_temp_open_nameless(struct fs_temp *t, int dirfd, mode_t mode)
{
	*t = (struct fs_temp){ .fd = -1, .dirfd = dirfd };
	t->fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	if (t->fd < 0)
		return errno == EISDIR || errno == EINVAL ? -EOPNOTSUPP : -errno;
	return set_mode(t, mode);
}

int
fs_temp_open(struct fs_temp *t, int dirfd, mode_t mode)
{
	int rc = fs_temp_open_nameless(t, dirfd, mode);

	if (rc != -EOPNOTSUPP)
		return rc;
	rc = open_named(t, mode);
	return rc == 0 ? set_mode(t, mode) : rc;
}

static int
link_temp(const struct fs_temp *t, int dirfd, const char *name)
{
	char proc[48];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", t->fd);
	return linkat(AT_FDCWD, proc, dirfd, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

static int
publish_new(struct fs_temp *t, int dirfd, const char *name)
{
	return t->name[0] == '\0' ? link_temp(t, dirfd, name)
				  : fs_move_new(t->dirfd, t->name, dirfd, name);
}

const char *
fs_temp_reserve(struct fs_temp *t)
{
	if (t->name[0] != '\0')
		return t->name;
	if (t->reserved[0] == '\0' && random_name(t->reserved) < 0)
		return NULL;
	return t->reserved;
}

/* One that nobody knows, for who has none yet. */
static int
give_name(struct fs_temp *t)
{
	const char *name = fs_temp_reserve(t);
	int rc = 0;

	if (name == NULL)
		return -EIO;
	if (name == t->reserved)
		rc = link_temp(t, t->dirfd, name);
	if (rc == 0 && name == t->reserved)
		memcpy(t->name, t->reserved, sizeof(t->name));
	return rc;
}

static int
publish_over(struct fs_temp *t, int dirfd, const char *name)
{
	int rc = give_name(t);

	if (rc == 0 && renameat(t->dirfd, t->name, dirfd, name) < 0)
		rc = -errno;
	return rc;
}

static bool
is_same_file(int fd, int dirfd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
fs_temp_publish(struct fs_temp *t, int dirfd, const char *name, bool replace,
		bool *replaced)
{
	int rc = publish_new(t, dirfd, name);
	bool over = rc == -EEXIST && replace;

	/* A crash between link and unlink left both names: it is published. */
	if (rc == -EEXIST && t->name[0] != '\0' && is_same_file(t->fd, dirfd, name)) {
		unlinkat(t->dirfd, t->name, 0);
		over = false;
		rc = 0;
	}

	if (over)
		rc = publish_over(t, dirfd, name);
	if (rc == 0)
		t->name[0] = '\0';
	if (replaced != NULL)
		*replaced = over;
	return rc;
}

static int
exchange(const struct fs_temp *t, int dirfd, const char *name)
{
	return renameat2(t->dirfd, t->name, dirfd, name, RENAME_EXCHANGE) == 0 ? 0
									       : -errno;
}

int
fs_temp_exchange(struct fs_temp *t, int dirfd, const char *name)
{
	struct stat st;
	int rc = give_name(t);

	if (rc == 0)
		rc = exchange(t, dirfd, name);
	/* Any kind of thing can change places, also what nobody meant to replace. */
	if (rc == 0 && (fstatat(t->dirfd, t->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode))) {
		(void)exchange(t, dirfd, name);
		rc = -EISDIR;
	}
	return rc;
}

void
fs_temp_discard(struct fs_temp *t)
{
	if (t->name[0] != '\0')
		unlinkat(t->dirfd, t->name, 0);
	t->name[0] = '\0';
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}
