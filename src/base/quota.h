/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quota: how many bytes some directories hold, and how many more are promised to uploads, in
 * memory shared by the process tree. No locks: what is promised is added before it is looked
 * at, so of two workers at least one sees the other. Each worker's promises are a sum of its
 * own, which is cleared when it dies. Pure: who looks into the directory is the caller.
 *
 * Whoever counts looks at a directory that changes meanwhile. What is added meanwhile counts
 * whether it was seen or not, so for a while, until the next count, more may seem to be there
 * than is.
 */
#ifndef WEBSRV_BASE_QUOTA_H
#define WEBSRV_BASE_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quota;

/* For worker 0 to workers - 1 and directory 0 to directories - 1; stays shared across fork.
 * NULL when there is no memory. */
struct quota *quota_new(size_t workers, size_t directories, uint64_t now_ms)
	__attribute__((warn_unused_result));
void quota_free(struct quota *q); /* NULL is fine */

/* The worker is gone, with its promises, and with the count that it had begun. */
void quota_forget(struct quota *q, size_t worker);

/* When it was made. */
uint64_t quota_since(const struct quota *q);

/* --- one directory --- */

/* Of one worker, to one directory; borrows the quota. */
struct quota_view {
	struct quota *quota; /* NULL: nothing is counted */
	size_t directory, worker;
};

/* What is in it, and what is promised. */
uint64_t quota_used(const struct quota_view *v);

/* Promises `bytes` to an upload of this worker, unless more than `max` would be used then. */
bool quota_promise(const struct quota_view *v, uint64_t bytes, uint64_t max);
/* A promise ends: `kept` of the `promised` bytes are in the directory now. */
void quota_settle(const struct quota_view *v, uint64_t promised, uint64_t kept);

/* Bytes are there that were not promised. False: more than `max` would be used; then they
 * are not counted. */
bool quota_add(const struct quota_view *v, uint64_t bytes, uint64_t max);
/* Bytes are gone. `mark` is of quota_mark() before they went: who counted meanwhile may have
 * missed them, and then they are not taken away twice. */
uint64_t quota_mark(const struct quota_view *v);
void quota_remove(const struct quota_view *v, uint64_t mark, uint64_t bytes);

/* --- counting --- */

/* Has anybody counted yet? Before that quota_used() says nothing. */
bool quota_is_counted(const struct quota_view *v);
/* Is somebody counting? */
bool quota_is_counting(const struct quota_view *v);
/* Is it time to count: never done, or older than `age_ms`, and than ten times what it took?
 * Then no other worker counts until the call of quota_end_count(); *begun is for that. */
bool quota_begin_count(const struct quota_view *v, uint64_t now_ms, uint64_t age_ms,
		       uint64_t *begun);
/* `bytes` were found since, in `took_ms`; or, not `ok`, it could not be done. From any thread. */
void quota_end_count(const struct quota_view *v, uint64_t begun, bool ok, uint64_t bytes,
		     uint64_t now_ms, uint64_t took_ms);

#endif
