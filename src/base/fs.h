/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs: the file system, confined. Names that came over the wire are opened beneath a
 * directory descriptor by the kernel (openat2), never by checking a string; new files are
 * written under no name and get their name in one atomic step.
 */
#ifndef WEBSRV_BASE_FS_H
#define WEBSRV_BASE_FS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct buf;

enum fs_symlinks {
	FS_SYMLINKS_INSIDE, /* followed while they stay beneath the directory */
	FS_SYMLINKS_REFUSE, /* -ELOOP */
	FS_SYMLINKS_FOLLOW  /* wherever they lead; the name may hold no ".." */
};

/*
 * Opens `path` (relative, no leading '/', "" is the directory itself) beneath `dirfd`.
 * O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added, so that a FIFO does not hang the caller.
 * The descriptor, or -errno: -EXDEV when the path would leave the directory.
 */
int fs_open_beneath(int dirfd, const char *path, int flags, enum fs_symlinks symlinks)
	__attribute__((warn_unused_result));

/* A directory descriptor for fs_open_beneath(); -errno. */
int fs_open_dir(const char *path) __attribute__((warn_unused_result));

/*
 * The path by which the kernel knows what is open now, whichever links led there: absolute, with
 * " (deleted)" behind it when its name is gone. 0 or -errno: -ENAMETOOLONG, or there is no /proc.
 */
int fs_path_of(int fd, char out[PATH_MAX]) __attribute__((warn_unused_result));

/* What stands behind the last '/' of `path`, in it; the whole when it has none. */
const char *fs_last_name(const char *path);

/* What of `path` is beneath `dir`, without a '/' in front: "" for the directory itself, NULL
 * for what is elsewhere. Both are real paths. */
const char *fs_path_beneath(const char *path, const char *dir);

/* pread until `len` bytes are there: their count (less only at the end of the file), -errno. */
ssize_t fs_pread_full(int fd, void *buf, size_t len, off_t offset)
	__attribute__((warn_unused_result));

/* From where the descriptor stands to the end, appended, with a NUL behind that is not counted.
 * 0 or -errno: -EFBIG when that is more than `max` bytes. What was read stays in `out`. */
int fs_read_all(int fd, size_t max, struct buf *out) __attribute__((warn_unused_result));

/* The same of a file that is opened for it; *st (may be NULL) is what fstat says. -EINVAL: it is
 * no regular file, which may never end, or never begin. */
int fs_read_regular(int dirfd, const char *path, size_t max, struct buf *out,
		    struct stat *st) __attribute__((warn_unused_result));

/* write until all is written: 0 or -errno. */
int fs_write_full(int fd, const void *data, size_t len)
	__attribute__((warn_unused_result));

/*
 * The directory `path` beneath `dirfd`, one segment after the other, never through a link.
 * With `create` what is missing is made with `mode`. A descriptor as of fs_open_dir(), or
 * -errno: -ENOTDIR or -ELOOP when something else has that name.
 */
int fs_open_dirs(int dirfd, const char *path, bool create, mode_t mode)
	__attribute__((warn_unused_result));

/* The same at an offset; the position of the descriptor does not move. */
int fs_pwrite_full(int fd, const void *data, size_t len, off_t offset)
	__attribute__((warn_unused_result));

/* Calls look(ctx, name) for each name in the directory; "." and ".." may be among them. 0, or
 * -errno when not all were read. */
int fs_each_name(int dirfd, void (*look)(void *ctx, const char *name), void *ctx)
	__attribute__((warn_unused_result));

/* Waits until the names in the directory are on disk. 0 or -errno. */
int fs_sync_dir(int dirfd) __attribute__((warn_unused_result));

/* Renames within a file system unless the new name exists: -EEXIST. 0 or -errno. */
int fs_move_new(int from_dirfd, const char *from, int to_dirfd, const char *to)
	__attribute__((warn_unused_result));

/* An extended attribute of an open file: its length, never more than `size`; -ENODATA: it has
 * none of that name; -ENOTSUP: its file system has none at all; -ERANGE: it is longer; -errno. */
ssize_t fs_get_attribute(int fd, const char *name, void *buf, size_t size)
	__attribute__((warn_unused_result));
/* 0 or -errno, as above. */
int fs_set_attribute(int fd, const char *name, const void *value, size_t len);

#define FS_TEMP_PREFIX ".websrv-"
#define FS_TEMP_NAME_MAX 40

/* A file without a name (O_TMPFILE), or with a hidden temporary one where the file system
 * cannot do without. */
struct fs_temp {
	int fd;    /* -1: none */
	int dirfd; /* not owned; where it is as long as it has no name of its own */
	char name[FS_TEMP_NAME_MAX];     /* empty for O_TMPFILE */
	char reserved[FS_TEMP_NAME_MAX]; /* of fs_temp_reserve(), or empty */
};

/* 0 or -errno; `t` is valid for fs_temp_discard() either way. */
int fs_temp_open(struct fs_temp *t, int dirfd, mode_t mode)
	__attribute__((warn_unused_result));
/* The same; -EOPNOTSUPP where the file system cannot do without a name. */
int fs_temp_open_nameless(struct fs_temp *t, int dirfd, mode_t mode)
	__attribute__((warn_unused_result));

/* The hidden name that it has, or will have in `t->dirfd` if a later call needs one; so that it
 * can be written down before. NULL: there are no random numbers. */
const char *fs_temp_reserve(struct fs_temp *t) __attribute__((warn_unused_result));

/*
 * Gives the file its name in `dirfd`, a directory of the same file system, atomically:
 * readers see the old file or the whole new one. Without `replace` an existing name is
 * kept: -EEXIST. *replaced (may be NULL) tells whether a file was replaced. 0 or -errno; on
 * failure the temporary file is still there.
 */
int fs_temp_publish(struct fs_temp *t, int dirfd, const char *name, bool replace,
		    bool *replaced) __attribute__((warn_unused_result));

/* Lets the file change places with the one that has the name in `dirfd`, atomically; that one
 * is what fs_temp_discard() removes then, unless another call puts it back. 0 or -errno: -ENOENT
 * there is none; -EINVAL, -ENOSYS: the file system cannot do that; -EISDIR: it is no file. */
int fs_temp_exchange(struct fs_temp *t, int dirfd, const char *name)
	__attribute__((warn_unused_result));

/* Closes, and removes what was not published. */
void fs_temp_discard(struct fs_temp *t);

#endif
