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

bool
task_is_welcome(struct pool *pool)
{
	return pool == NULL || !pool_is_full(pool);
}

/* With a pool in a helper, or not at all. */
static int
hand_over(struct task *t, struct pool *pool,
	  int (*submit)(struct pool *pool, struct pool_job *job))
{
	int rc = pool != NULL ? submit(pool, &t->job) : 0;

	if (rc < 0) {
		free_task(t);
	} else if (pool == NULL) {
		run_job(&t->job);
		on_done(&t->job, true);
	}
	return rc;
}

int
task_start(struct task **task, struct exchange *ex, struct pool *pool, task_run_fn run,
	   void *arg, void (*release)(void *arg))
{
	struct task *t = calloc(1, sizeof(*t));
	int rc;

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
	rc = hand_over(t, pool, pool_insist);
	if (rc < 0)
		*task = NULL;
	return rc;
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
	(void)hand_over(t, pool, pool_submit);
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
