/* SPDX-License-Identifier: BSD-2-Clause
 *
 * filecache: open files as immutable versions. A version is what one fstat saw: its fields,
 * and its bytes (small files) or a descriptor. An answer holds a reference to one version, so
 * it never mixes two. Small files are kept, least recently used out first, and checked against
 * the file system again after cache.revalidate.
 */
#ifndef WEBSRV_HANDLER_FILECACHE_H
#define WEBSRV_HANDLER_FILECACHE_H

#include <stdint.h>

#include "base/fs.h"
#include "base/slice.h"
#include "conf/config.h"
#include "http/message.h"

struct filecache;

enum file_field {
	FILE_FIELD_ETAG,
	FILE_FIELD_LAST_MODIFIED,
	FILE_FIELD_CONTENT_TYPE,
	FILE_FIELD_COUNT
};

struct file_version {
	uint64_t size;
	int64_t modified;                           /* Unix seconds */
	const char *bytes;                          /* the whole file, or NULL: use fd */
	int fd;                                     /* -1 when bytes are there */
	struct http_field fields[FILE_FIELD_COUNT]; /* ready to send */
	/* the rest is filecache.c's */
	struct file_id *id;
	uint32_t refs;
};

/* Where a lookup begins: one per files route. */
struct file_root {
	int dirfd;
	enum fs_symlinks symlinks;
	/* Media type with its parameters for a file name, on the heap; NULL: no memory. */
	char *(*type_of)(const struct file_root *root, struct slice name);
};

struct filecache *filecache_new(const struct conf_cache *conf);
void filecache_free(struct filecache *fc);

/*
 * A reference to the present version of a regular file; `path` is relative to the root and
 * NUL-terminated. 0 with *out set; 1 when it is a directory; -errno, -ENOENT also for anything
 * that is neither.
 */
int filecache_open(struct filecache *fc, const struct file_root *root, const char *path,
		   struct file_version **out) __attribute__((warn_unused_result));

void file_version_unref(struct file_version *v);

/* Forgets the entries of a root that goes away. */
void filecache_forget_root(struct filecache *fc, const struct file_root *root);

#endif
