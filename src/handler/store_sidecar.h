/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_sidecar: what is kept with a file whose file system has no extended attributes, or no
 * room for one: a small file in the staging directory, "digest-DEVICE-INODE", so that it is found
 * from the open file alone, whatever its name is now. It has two lines, the text and the path of
 * the file from the upload directory on, by which the sweep finds out that the file is gone. It
 * is only ever replaced whole; who believes it compares what is in it with the file.
 *
 * `dirfd` is the upload directory. Functions that return int: 0 or -errno.
 */
#ifndef WEBSRV_HANDLER_STORE_SIDECAR_H
#define WEBSRV_HANDLER_STORE_SIDECAR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/slice.h"
#include "handler/store.h"

#define SIDECAR_TEXT_MAX 320
#define SIDECAR_MAX (SIDECAR_TEXT_MAX + STORE_DEPTH_MAX * (UPLOAD_NAME_MAX + 1) + 2)

struct sidecar {
	char bytes[SIDECAR_MAX];
	struct slice text; /* of the first line */
	const char *path;
};

/* For a file with that device and inode. `staging` is the directory that it is written to. */
int sidecar_write(int staging, const struct stat *st, struct slice text, const char *path)
	__attribute__((warn_unused_result));

/* -ENOENT: there is none; -EINVAL: it is not whole. Slices point into *out. */
int sidecar_read(int dirfd, const struct stat *st, struct sidecar *out)
	__attribute__((warn_unused_result));

/* A descriptor to sync, or -errno. */
int sidecar_open(int dirfd, const struct stat *st) __attribute__((warn_unused_result));

/* If there is one. */
void sidecar_remove(int dirfd, const struct stat *st);

/* Is the text true of the file, which is a regular one? */
typedef bool (*sidecar_is_true_fn)(struct slice text, const struct stat *st);

/* Removes those whose file is gone or another one, unless they are younger than `grace`
 * seconds at `now` (seconds since 1970). Waits for the disk: not for the loop. */
int sidecar_sweep(int staging, int64_t now, int64_t grace, sidecar_is_true_fn is_true);

#endif
