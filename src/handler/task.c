/* SPDX-License-Identifier: BSD-2-Clause
 *
 * task: a job of the pool that knows who waits for it, until he forgets it.
 */
#include "handler/task.h"

#include <errno.h>
#include <stdlib.h>

#include "base/pool.h"
#include "core/exchange.h"

struct task {
	struct pool_job job;
	struct exchange *ex; /* NULL: forgotten */
	task_run_fn run;
	void (*release)(void *arg);
	void *arg;
	int rc;
	bool finished;
};

static void
free_task(struct task *t)
{
	t->release(t->arg);
	free(t);
}

static void
run_job(struct pool_job *job)
{
	struct task *t = (struct task *)job;

	t->rc = t->run(t->arg);
}

static void
on_done(struct pool_job *job, bool ran)
{
	struct task *t = (struct task *)job;

	if (t->ex == NULL) {
		free_task(t);
		return;
	}
	/* Without a run only when the pool ends: the exchange is told that it failed. */
	if (!ran)
		t->rc = -ECANCELED;
	t->finished = true;
	/* A door that has answered already, as to a body that is too long, takes no turn: its
	 * close() will find it. */
	if (t->ex->state != EXCHANGE_RESPONDING)
		exchange_later(t->ex);
}

int
task_start(struct task **task, struct exchange *ex, struct pool *pool, task_run_fn run,
	   void *arg, void (*release)(void *arg))
{
	struct task *t = calloc(1, sizeof(*t));

	*task = NULL;
	if (t == NULL) {
		release(arg);
		return -ENOMEM;
	}
	*t = (struct task){ .job = { .run = run_job, .done = on_done },
			    .ex = ex,
			    .run = run,
			    .release = release,
			    .arg = arg };
	*task = t;
	/* The body has arrived whole: waiting here is better than losing it. */
	if (pool == NULL || pool_submit(pool, &t->job) < 0) {
		run_job(&t->job);
		on_done(&t->job, true);
	}
	return 0;
}

void
task_send(struct pool *pool, task_run_fn run, void *arg, void (*release)(void *arg))
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		release(arg);
		return;
	}
	*t = (struct task){ .job = { .run = run_job, .done = on_done },
			    .run = run,
			    .release = release,
			    .arg = arg };
	if (pool == NULL || pool_submit(pool, &t->job) < 0) {
		run_job(&t->job);
		free_task(t);
	}
}

bool
task_take(struct task **task, int *rc)
{
	struct task *t = *task;

	if (t == NULL || !t->finished)
		return false;
	*rc = t->rc;
	*task = NULL;
	free_task(t);
	return true;
}

void
task_forget(struct task **task)
{
	struct task *t = *task;

	*task = NULL;
	if (t == NULL)
		return;
	if (t->finished)
		free_task(t);
	else
		t->ex = NULL;
}
