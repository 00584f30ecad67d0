/* SPDX-License-Identifier: BSD-2-Clause
 *
 * task: what a handler has to wait for on the disk (fsync) is done by a helper thread, and the
 * exchange gets a turn when it is done. The helper works on what it was given, never on the
 * exchange, which may end before.
 */
#ifndef WEBSRV_HANDLER_TASK_H
#define WEBSRV_HANDLER_TASK_H

#include <stdbool.h>

struct exchange;
struct pool;
struct task;

/* Runs in a helper: 0 or -errno. It may touch nothing but `arg`. */
typedef int (*task_run_fn)(void *arg);

/*
 * `arg` belongs to the task from here on; `release` frees it in the loop's thread, when the task
 * is taken or forgotten and the helper is done with it. With a pool: 0, *task is set, and
 * work() of the handler is called when the result can be taken. Without one, or when none of
 * its helpers can take it, it has run when this returns, and work() is called likewise.
 * -ENOMEM: nothing has begun, and `arg` is released.
 */
int task_start(struct task **task, struct exchange *ex, struct pool *pool,
	       task_run_fn run, void *arg, void (*release)(void *arg))
	__attribute__((warn_unused_result));

/* The same for what nobody waits for: it runs once, or not at all when the server ends. */
void task_send(struct pool *pool, task_run_fn run, void *arg, void (*release)(void *arg));

/* Is its result there? Then *rc is set, `arg` is released and *task is NULL. */
bool task_take(struct task **task, int *rc);

/* Nobody waits for it any more; NULL is fine. It may still run. */
void task_forget(struct task **task);

#endif
