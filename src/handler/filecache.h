/* SPDX-License-Identifier: BSD-2-Clause
 *
 * filecache: what names beneath the roots led to a moment ago: versions of files, directories,
 * and nothing at all. Bounded by entries, bytes and descriptors; the least recently used goes
 * first; each is checked against the file system again after cache.revalidate, and at once when
 * some worker has stored an upload.
 */
#ifndef WEBSRV_HANDLER_FILECACHE_H
#define WEBSRV_HANDLER_FILECACHE_H

#include <stdint.h>

#include "base/counters.h"
#include "conf/config.h"
#include "handler/file_version.h"

struct filecache;

/* `fds` is how many descriptors may be kept. `workers` counter blocks tell of uploads; NULL:
 * nobody uploads. Borrowed. NULL: no memory, or no random bytes. */
struct filecache *filecache_new(const struct conf_cache *conf, uint32_t fds,
				const struct counter_block *counters, size_t workers);
void filecache_free(struct filecache *fc);

/*
 * A reference to the present version of a regular file; `path` is relative to the root and
 * NUL-terminated. 0 with *out set; 1 when it is a directory; -errno, -ENOENT also for anything
 * that is neither.
 */
int filecache_open(struct filecache *fc, const struct file_root *root, const char *path,
		   struct file_version **out) __attribute__((warn_unused_result));

/* Keeps an encoded form beside its version while that is kept; takes a reference of its own.
 * It may be refused, for lack of room. */
void filecache_keep_coded(struct filecache *fc, struct file_version *v, enum coding c,
			  struct file_version *coded);

/* How many uploads all workers have stored so far. */
uint64_t filecache_uploads(const struct filecache *fc);

/* Forgets the entries of a root that goes away. */
void filecache_forget_root(struct filecache *fc, const struct file_root *root);

#endif
