/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pool: jobs run beside, and end here; each exactly once, whatever happens to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/pool.h"

#define PATIENCE_MS 60000

struct job {
	struct pool_job pool; /* first */
	struct pool *resubmit;
	bool blocks; /* until the gate is open */
	bool was_run;
	pthread_t where;
	bool has_signals; /* unblocked while it ran */
};

static struct {
	_Atomic bool open; /* the gate */
	_Atomic unsigned begun;
	unsigned ran, dropped;
	bool was_elsewhere, had_signals;
} seen;

static void
run(struct pool_job *pool)
{
	struct job *job = (struct job *)pool;
	sigset_t set;

	atomic_fetch_add(&seen.begun, 1);
	while (job->blocks && !atomic_load(&seen.open))
		usleep(1000);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	job->has_signals = !sigismember(&set, SIGTERM) || !sigismember(&set, SIGUSR1);
	job->where = pthread_self();
	job->was_run = true;
}

static void
done(struct pool_job *pool, bool ran)
{
	struct job *job = (struct job *)pool;

	assert_int_equal(ran, job->was_run);
	seen.ran += ran;
	seen.dropped += !ran;
	if (ran && !pthread_equal(job->where, pthread_self()))
		seen.was_elsewhere = true;
	seen.had_signals = seen.had_signals || job->has_signals;
	if (job->resubmit != NULL) {
		struct pool *p = job->resubmit;

		job->resubmit = NULL;
		job->was_run = false;
		assert_int_equal(pool_submit(p, &job->pool), 0);
		return;
	}
	free(job);
}

static struct job *
make_job(bool blocks)
{
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->pool.run = run;
	job->pool.done = done;
	job->blocks = blocks;
	return job;
}

static struct job *
submit(struct pool *p, bool blocks)
{
	struct job *job = make_job(blocks);

	assert_int_equal(pool_submit(p, &job->pool), 0);
	return job;
}

static int
setup(void **state)
{
	(void)state;
	alarm(300);
	seen.ran = seen.dropped = 0;
	seen.was_elsewhere = seen.had_signals = false;
	atomic_store(&seen.open, false);
	atomic_store(&seen.begun, 0);
	return 0;
}

static void
wait_until_begun(unsigned count)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(&seen.begun) < count; i++)
		usleep(1000);
	assert_true(atomic_load(&seen.begun) >= count);
}

/* Lives as the loop does, until so many jobs have ended. */
static void
finish(struct pool *p, unsigned count)
{
	while (seen.ran + seen.dropped < count) {
		struct pollfd polled = { .fd = pool_fd(p), .events = POLLIN };

		assert_int_equal(poll(&polled, 1, PATIENCE_MS), 1);
		pool_finish(p);
	}
	assert_int_equal(seen.ran + seen.dropped, count);
}

static void
pool_without_jobs_starts_nothing(void **state)
{
	struct pool *p = pool_new(2, 4);

	(void)state;
	assert_non_null(p);
	pool_finish(p);
	pool_free(p);
	pool_free(NULL);
}

static void
thousand_jobs_run_elsewhere_and_end_here(void **state)
{
	struct pool *p = pool_new(3, 1000);

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 1000; i++)
		submit(p, false);
	finish(p, 1000);
	assert_int_equal(seen.ran, 1000);
	assert_true(seen.was_elsewhere);
	assert_false(seen.had_signals);
	pool_free(p);
	assert_int_equal(seen.ran, 1000);
}

static void
full_queue_says_so_and_leaves_the_job_alone(void **state)
{
	struct pool *p = pool_new(1, 2);
	struct job *extra = make_job(false);

	(void)state;
	assert_non_null(p);
	submit(p, true);
	wait_until_begun(1);
	submit(p, false);
	submit(p, false);
	assert_true(pool_is_full(p));
	assert_int_equal(pool_submit(p, &extra->pool), -EAGAIN);
	atomic_store(&seen.open, true);
	finish(p, 3);
	assert_false(pool_is_full(p));
	assert_int_equal(pool_submit(p, &extra->pool), 0);
	finish(p, 4);
	pool_free(p);
}

static void
who_insists_waits_in_a_full_queue(void **state)
{
	struct pool *p = pool_new(1, 1);
	struct job *extra[2] = { make_job(false), make_job(false) };

	(void)state;
	assert_non_null(p);
	submit(p, true);
	wait_until_begun(1);
	submit(p, false);
	assert_int_equal(pool_insist(p, &extra[0]->pool), 0);
	assert_int_equal(pool_insist(p, &extra[1]->pool), 0);
	atomic_store(&seen.open, true);
	finish(p, 4);
	assert_int_equal(seen.ran, 4);
	pool_free(p);
}

static void
cancelled_job_makes_room_and_is_told_so(void **state)
{
	struct pool *p = pool_new(1, 2);
	struct job *second;

	(void)state;
	assert_non_null(p);
	submit(p, true);
	wait_until_begun(1);
	submit(p, false);
	second = submit(p, false);
	pool_cancel(p, &second->pool);
	assert_int_equal(seen.dropped, 0); /* never from within */
	submit(p, false);                  /* in its place */
	finish(p, 1);
	assert_int_equal(seen.dropped, 1);
	atomic_store(&seen.open, true);
	finish(p, 4);
	assert_int_equal(seen.ran, 3);
	pool_free(p);
}

static void
pool_is_busy_while_no_helper_is_left(void **state)
{
	struct pool *p = pool_new(2, 2);

	(void)state;
	assert_non_null(p);
	assert_false(pool_is_busy(p));
	submit(p, true);
	wait_until_begun(1);
	assert_false(pool_is_busy(p));
	submit(p, true);
	wait_until_begun(2);
	assert_true(pool_is_busy(p));
	atomic_store(&seen.open, true);
	finish(p, 2);
	assert_false(pool_is_busy(p));
	pool_free(p);
}

static void
job_that_runs_cannot_be_cancelled(void **state)
{
	struct pool *p = pool_new(1, 2);
	struct job *first;

	(void)state;
	assert_non_null(p);
	first = submit(p, true);
	wait_until_begun(1);
	pool_cancel(p, &first->pool);
	atomic_store(&seen.open, true);
	finish(p, 1);
	assert_int_equal(seen.ran, 1);
	pool_free(p);
}

static void
end_of_the_pool_ends_every_job(void **state)
{
	struct pool *p = pool_new(2, 100);

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		submit(p, i < 2);
	wait_until_begun(2);
	atomic_store(&seen.open, true);
	pool_free(p);
	assert_int_equal(seen.ran + seen.dropped, 100);
	assert_true(seen.ran >= 2);
}

static void
cancelling_while_jobs_run_loses_none(void **state)
{
	struct pool *p = pool_new(3, 1000);

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 1000; i++) {
		struct job *job = submit(p, false);

		if (i % 3 == 0)
			pool_cancel(p, &job->pool);
		if (i % 7 == 0)
			pool_finish(p);
	}
	finish(p, 1000);
	pool_free(p);
	assert_int_equal(seen.ran + seen.dropped, 1000);
}

static void
job_may_be_submitted_again_when_it_has_ended(void **state)
{
	struct pool *p = pool_new(1, 1);
	struct job *job = make_job(false);

	(void)state;
	assert_non_null(p);
	job->resubmit = p;
	assert_int_equal(pool_submit(p, &job->pool), 0);
	finish(p, 2);
	assert_int_equal(seen.ran, 2);
	pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pool_without_jobs_starts_nothing, setup),
		cmocka_unit_test_setup(thousand_jobs_run_elsewhere_and_end_here, setup),
		cmocka_unit_test_setup(full_queue_says_so_and_leaves_the_job_alone,
				       setup),
		cmocka_unit_test_setup(who_insists_waits_in_a_full_queue, setup),
		cmocka_unit_test_setup(cancelled_job_makes_room_and_is_told_so, setup),
		cmocka_unit_test_setup(pool_is_busy_while_no_helper_is_left, setup),
		cmocka_unit_test_setup(job_that_runs_cannot_be_cancelled, setup),
		cmocka_unit_test_setup(end_of_the_pool_ends_every_job, setup),
		cmocka_unit_test_setup(cancelling_while_jobs_run_loses_none, setup),
		cmocka_unit_test_setup(job_may_be_submitted_again_when_it_has_ended,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
