/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pool: one lock, two lists, an eventfd. What is under the lock is shared with the helpers;
 * the rest is the loop's.
 */
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)512 * 1024)

struct job_list {
	struct pool_job *first, **tail;
	size_t count;
};

/* A job that was cancelled before it ran is told apart by the list it is in. */
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wakes; /* something waits, or it is over */
	struct job_list waiting, ran, dropped;
	bool ends;
	size_t idle;    /* helpers that wait for a job */
	size_t running; /* and those that have one */

	int fd;
	size_t waiting_max;
	unsigned thread_max, thread_count;
	pthread_t threads[];
};

static void
list_init(struct job_list *l)
{
	l->first = NULL;
	l->tail = &l->first;
	l->count = 0;
}

static void
list_add(struct job_list *l, struct pool_job *job)
{
	job->next = NULL;
	*l->tail = job;
	l->tail = &job->next;
	l->count++;
}

static struct pool_job *
list_take(struct job_list *l)
{
	struct pool_job *job = l->first;

	if (job == NULL)
		return NULL;
	l->first = job->next;
	if (l->first == NULL)
		l->tail = &l->first;
	l->count--;
	return job;
}

static bool
list_remove(struct job_list *l, const struct pool_job *job)
{
	struct pool_job **link = &l->first;

	while (*link != NULL && *link != job)
		link = &(*link)->next;
	if (*link == NULL)
		return false;
	*link = job->next;
	if (job->next == NULL)
		l->tail = link;
	l->count--;
	return true;
}

struct pool *
pool_new(unsigned threads, size_t waiting_max)
{
	struct pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->threads[0]));

	if (p == NULL)
		return NULL;
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->fd < 0) {
		free(p);
		return NULL;
	}
	p->thread_max = threads;
	p->waiting_max = waiting_max;
	list_init(&p->waiting);
	list_init(&p->ran);
	list_init(&p->dropped);
	/* With default attributes neither can fail on Linux. */
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->wakes, NULL);
	return p;
}

/* A counter that is full is readable already. */
static void
announce(const struct pool *p)
{
	uint64_t one = 1;

	while (write(p->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *
help(void *arg)
{
	struct pool *p = arg;
	struct pool_job *job;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->ends && p->waiting.first == NULL) {
			p->idle++;
			pthread_cond_wait(&p->wakes, &p->lock);
			p->idle--;
		}
		if (p->ends)
			break;
		job = list_take(&p->waiting);
		p->running++;
		pthread_mutex_unlock(&p->lock);
		job->run(job);
		pthread_mutex_lock(&p->lock);
		p->running--;
		list_add(&p->ran, job);
		announce(p);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int
start_helper(struct pool *p)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int rc = pthread_attr_init(&attributes);

	if (rc != 0)
		return -rc;
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&p->threads[p->thread_count], &attributes, help, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (rc == 0)
		p->thread_count++;
	return -rc;
}

bool
pool_is_full(struct pool *p)
{
	size_t waiting;

	pthread_mutex_lock(&p->lock);
	waiting = p->waiting.count;
	pthread_mutex_unlock(&p->lock);
	return waiting >= p->waiting_max;
}

int
pool_submit(struct pool *p, struct pool_job *job)
{
	return pool_is_full(p) ? -EAGAIN : pool_insist(p, job);
}

int
pool_insist(struct pool *p, struct pool_job *job)
{
	size_t waiting, idle;
	bool ends;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	waiting = p->waiting.count;
	idle = p->idle;
	ends = p->ends;
	pthread_mutex_unlock(&p->lock);
	if (ends)
		return -ECANCELED; /* done() of one that ran may ask for more */
	if (waiting >= idle && p->thread_count < p->thread_max)
		rc = start_helper(p);
	if (rc < 0 && p->thread_count == 0)
		return rc;
	pthread_mutex_lock(&p->lock);
	list_add(&p->waiting, job);
	pthread_cond_signal(&p->wakes);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

bool
pool_is_busy(struct pool *p)
{
	bool busy;

	pthread_mutex_lock(&p->lock);
	busy = p->running == p->thread_max;
	pthread_mutex_unlock(&p->lock);
	return busy;
}

void
pool_cancel(struct pool *p, struct pool_job *job)
{
	pthread_mutex_lock(&p->lock);
	if (list_remove(&p->waiting, job)) {
		list_add(&p->dropped, job);
		announce(p);
	}
	pthread_mutex_unlock(&p->lock);
}

int
pool_fd(const struct pool *p)
{
	return p->fd;
}

void
pool_finish(struct pool *p)
{
	struct pool_job *ran, *dropped;
	uint64_t count;

	while (read(p->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&p->lock);
	ran = p->ran.first;
	dropped = p->dropped.first;
	list_init(&p->ran);
	list_init(&p->dropped);
	pthread_mutex_unlock(&p->lock);
	/* Without the lock: done() may submit. */
	while (ran != NULL) {
		struct pool_job *job = ran;

		ran = job->next;
		job->done(job, true);
	}
	while (dropped != NULL) {
		struct pool_job *job = dropped;

		dropped = job->next;
		job->done(job, false);
	}
}

static void
drop_waiting(struct pool *p)
{
	struct pool_job *job;

	while ((job = list_take(&p->waiting)) != NULL)
		list_add(&p->dropped, job);
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->ends = true;
	drop_waiting(p);
	pthread_cond_broadcast(&p->wakes);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->thread_count; i++)
		pthread_join(p->threads[i], NULL);
	pool_finish(p);
	/* Nobody would run what done() submitted. */
	assert(p->waiting.first == NULL);
	pthread_cond_destroy(&p->wakes);
	pthread_mutex_destroy(&p->lock);
	close(p->fd);
	free(p);
}
