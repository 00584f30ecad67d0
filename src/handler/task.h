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

/* May a request begin that will have tasks? Else so many jobs wait for the disk that it had better
 * come again later. Who was let in is not refused any more: his tasks wait for their turn,
 * so that no body is lost that has arrived. */
bool task_is_welcome(struct pool *pool);

/*
 * `arg` belongs to the task from here on; `release` frees it in the loop's thread, when the task
 * is taken or forgotten and the helper is done with it. With a pool: 0, *task is set, and
 * work() of the handler is called when the result can be taken; it never runs in the loop's
 * thread. Without one, as where a request is only explained, it has run when this returns, and
 * work() is called likewise. -errno: there is no memory, or no helper: nothing has begun, and
 * `arg` is released.
 */
int task_start(struct task **task, struct exchange *ex, struct pool *pool,
	       task_run_fn run, void *arg, void (*release)(void *arg))
	__attribute__((warn_unused_result));

/* The same for what nobody waits for: it runs once; or not at all, when too many others wait or
 * the server ends: then it is only released. */
void task_send(struct pool *pool, task_run_fn run, void *arg, void (*release)(void *arg));

/* Is its result there? Then *rc is set, `arg` is released and *task is NULL. */
bool task_take(struct task **task, int *rc);

/* Nobody waits for it any more; NULL is fine. It may still run. */
void task_forget(struct task **task);

#endif
