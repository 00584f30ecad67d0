/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_quota: "quota" of a store. What its directory holds is counted by a helper thread, a
 * little at a time, since others want the helpers, too: at the start, again every few minutes
 * while uploads come, and soon after one was refused; in between it is kept up by all workers
 * together (base/quota.h). The store calls most of this itself; the doors need store_promise()
 * and store_count_bytes(), see store.h.
 */
#ifndef WEBSRV_HANDLER_STORE_QUOTA_H
#define WEBSRV_HANDLER_STORE_QUOTA_H

#include "handler/store.h"

struct pool;
struct quota;

/* What all workers count together of a directory: its bytes, or its unfinished uploads
 * (store_unfinished.h). */
enum store_quota_kind { STORE_QUOTA_BYTES, STORE_QUOTA_UNFINISHED };

/* How many directories have a limit of that kind, at most; which of them `directory` is, as it is
 * written; SIZE_MAX when it is none. A route without a limit may write to one that has. */
size_t store_quota_count(const struct config *conf, enum store_quota_kind kind);
size_t store_quota_find(const struct config *conf, const char *directory,
			enum store_quota_kind kind);

/* From now on the store counts. Without a pool who asks waits for the counting. */
void store_quota_share(struct store *s, const struct quota_view *view, struct pool *pool);

/* Counts, when it is time. 0, or 503 when nobody has counted yet. */
int store_quota_ready(struct store *s);
/* The same, and waits a little for who counts, so that the first uploads need not. */
void store_quota_await(struct store *s);
/* Waits until it is counted; not when nobody counts, and not long after the start. */
void store_quota_wait(const struct quota_view *view);

/* --- of the store --- */

/* 0, or 507: more than the quota would be used by `more` bytes. */
int store_quota_check(struct store *s, uint64_t more);
/* The same for the file's first `size` bytes, which are promised to it. */
int store_quota_grow(struct store *s, struct store_file *f, uint64_t size);
/* The file has a name, or is gone: its promise ends. */
void store_quota_settle(struct store_file *f, bool published);
/* Before and after a file of the directory is removed. */
uint64_t store_quota_mark(const struct store *s);
void store_quota_remove(struct store *s, uint64_t mark, uint64_t bytes);

#endif
