/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pool: what would keep the event loop waiting (checking a password, fsync) is done by a few
 * helper threads. The loop's thread owns the pool and calls everything here; only run() of a
 * job is called by a helper.
 *
 *   pool_submit -> waiting --helper--> run() -> finished --pool_finish--> done(job, true)
 *                     \______ pool_cancel, pool_free ______/------------> done(job, false)
 *
 * A job belongs to the pool from pool_submit() until done(), which is called exactly once, in
 * the loop's thread, never from within pool_submit() or pool_cancel(), and frees it. Who waits
 * for a job and dies first takes himself out of the job's own fields (only the loop's thread
 * reads those), and may cancel it; he never frees it. run() must touch nothing but its job,
 * and nothing that can be freed before done(): it works on copies.
 *
 * Helpers begin with the first job: after the process has given up its privileges, so that
 * they are bound by whatever binds it. All signals are blocked in them.
 */
#ifndef WEBSRV_BASE_POOL_H
#define WEBSRV_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* The first member of what the caller allocates. */
struct pool_job {
	void (*run)(struct pool_job *);
	/* `ran`: run() was called and has returned; else it never will be. */
	void (*done)(struct pool_job *, bool ran);
	struct pool_job *next; /* the pool's */
};

/* `threads` helpers at most; `waiting_max` jobs may wait for one. NULL with errno. */
struct pool *pool_new(unsigned threads, size_t waiting_max)
	__attribute__((warn_unused_result));
/* Drops what waits, waits for what runs, calls done() of all: as long as one run() takes. */
void pool_free(struct pool *p);

/* 0; -EAGAIN: too many wait already; -ECANCELED: pool_free() has begun; another -errno:
 * there is no helper, and none can be started. After a failure the job is the caller's,
 * untouched. */
int pool_submit(struct pool *p, struct pool_job *job) __attribute__((warn_unused_result));
/* The same for who was let in when pool_is_full() said no: never refused for the number of
 * those that wait. */
int pool_insist(struct pool *p, struct pool_job *job) __attribute__((warn_unused_result));

/* Would pool_submit() say that too many wait? */
bool pool_is_full(struct pool *p);

/* Every helper that there may be has a job: what waits will have to go on waiting. */
bool pool_is_busy(struct pool *p);

/* A job that still waits gives its place to another; one that runs goes on. done() follows in
 * both cases. */
void pool_cancel(struct pool *p, struct pool_job *job);

/* Readable when pool_finish() has something to do. */
int pool_fd(const struct pool *p);
void pool_finish(struct pool *p);

#endif
