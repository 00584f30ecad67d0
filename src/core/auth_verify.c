/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth_verify: a browser opens six connections at once, and each asks with the same password:
 * exchanges with one question wait for one check. A job has copies of all that it needs, since
 * the site that it was asked for may go before it ends.
 */
#include "core/auth_verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clients.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/password.h"
#include "base/pool.h"
#include "base/secret.h"
#include "core/auth_cache.h"
#include "core/exchange.h"

struct auth_job {
	struct pool_job pool; /* first */
	struct auth_shared *shared;
	struct auth_job *next;
	struct auth_wait *waits; /* none: nobody wants to know any more */
	uint64_t client;         /* clients_key() of who asked first; 0: a unix socket */
	unsigned char key[SECRET_DIGEST];
	bool known;
	bool yields; /* was cancelled, and may have no answer */
	int result;  /* of password_verify() */
	char hash[PASSWORD_HASH_MAX + 1];
	char password[PASSWORD_MAX + 1];
};

/* In the arena of its exchange. */
struct auth_wait {
	struct exchange *ex;
	struct auth_job *job; /* NULL: the verdict is there */
	struct auth_wait *next;
	enum auth_verdict verdict;
};

struct auth_shared {
	struct pool *pool;
	struct auth_job *jobs; /* under way */
	size_t job_count;
	const struct log *log; /* of who asked last; outlives all */
	struct log_limit busy_limit, broken_limit;
	unsigned char key[SECRET_KEY];
	struct auth_cache cache;
};

struct auth_shared *
auth_shared_new(struct pool *pool)
{
	struct auth_shared *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->pool = pool;
	if (secret_random(s->key, sizeof(s->key)) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

void
auth_shared_free(struct auth_shared *s)
{
	if (s != NULL)
		explicit_bzero(s, sizeof(*s));
	free(s);
}

/* With the user: if unknown ones shared a question because one hash stands in for them, it
 * could be told by what is refused as too much that they are unknown. What stands in for a user
 * must not answer as fast as the one whose hash it is. */
static void
make_key(const struct auth_shared *s, const struct auth_question *q,
	 unsigned char out[SECRET_DIGEST])
{
	struct secret_mac m;

	secret_mac_init(&m, s->key);
	secret_hash_add(&m.hash, q->known ? "k" : "u", 1);
	secret_hash_add(&m.hash, q->hash, strlen(q->hash) + 1);
	/* No name of a user has a colon. */
	secret_hash_add(&m.hash, q->user.ptr, q->user.len);
	secret_hash_add(&m.hash, ":", 1);
	secret_hash_add(&m.hash, q->password.ptr, q->password.len);
	secret_mac_end(&m, out);
}

/* --- jobs --- */

static void
run_job(struct pool_job *pool)
{
	struct auth_job *job = (struct auth_job *)pool;

	job->result = password_verify(job->password, job->hash);
}

static enum auth_verdict
verdict_of(int result, bool known)
{
	if (result < 0)
		return result == -ENOMEM ? AUTH_BUSY : AUTH_BROKEN;
	return result == 1 && known ? AUTH_RIGHT : AUTH_WRONG;
}

static void
unlink_job(struct auth_job *job)
{
	struct auth_job **link = &job->shared->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	job->shared->job_count--;
}

static void
finish_job(struct pool_job *pool, bool ran)
{
	struct auth_job *job = (struct auth_job *)pool;
	enum auth_verdict verdict = ran ? verdict_of(job->result, job->known) : AUTH_BUSY;

	unlink_job(job);
	if (ran && job->result < 0)
		log_limited(job->shared->log, &job->shared->broken_limit, LOG_LEVEL_ERROR,
			    "auth: a password could not be checked: %s",
			    strerror(-job->result));
	if (verdict == AUTH_RIGHT)
		auth_cache_add(&job->shared->cache, job->key, clock_mono_ms());
	while (job->waits != NULL) {
		struct auth_wait *w = job->waits;

		job->waits = w->next;
		w->job = NULL;
		w->verdict = verdict;
		exchange_release(w->ex);
	}
	explicit_bzero(job, sizeof(*job));
	free(job);
}

/* The job that has this question and will have an answer. */
static struct auth_job *
find_job(const struct auth_shared *s, const unsigned char *key)
{
	for (struct auth_job *job = s->jobs; job != NULL; job = job->next) {
		if (job->waits != NULL && !job->yields &&
		    secret_eq(job->key, key, SECRET_DIGEST))
			return job;
	}
	return NULL;
}

static uint64_t
client_of(const struct exchange *ex)
{
	return clients_key(ex->peer.family, ex->peer.address);
}

static size_t
count_checks(const struct auth_shared *s, uint64_t client)
{
	size_t n = 0;

	for (const struct auth_job *job = s->jobs; job != NULL; job = job->next)
		n += client != 0 && job->client == client;
	return n;
}

static struct auth_job *
start_job(struct auth_shared *s, const struct exchange *ex, const struct auth_question *q,
	  const unsigned char *key)
{
	struct auth_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->pool.run = run_job;
	job->pool.done = finish_job;
	job->shared = s;
	job->client = client_of(ex);
	job->known = q->known;
	memcpy(job->key, key, SECRET_DIGEST);
	memcpy(job->hash, q->hash, strlen(q->hash) + 1);
	memcpy(job->password, q->password.ptr, q->password.len);
	if (pool_submit(s->pool, &job->pool) < 0) {
		explicit_bzero(job, sizeof(*job));
		free(job);
		return NULL;
	}
	job->next = s->jobs;
	s->jobs = job;
	s->job_count++;
	return job;
}

static enum auth_verdict
wait_for(struct exchange *ex, struct auth_job *job, struct auth_wait *w)
{
	*w = (struct auth_wait){ .ex = ex, .job = job, .next = job->waits };
	job->waits = w;
	ex->auth_wait = w;
	return AUTH_WAITS;
}

enum auth_verdict
auth_verify(struct auth_shared *s, struct exchange *ex, const struct auth_question *q)
{
	unsigned char key[SECRET_DIGEST];
	struct auth_wait *w;
	struct auth_job *job;

	if (q->password.len > PASSWORD_MAX || strlen(q->hash) > PASSWORD_HASH_MAX)
		return AUTH_WRONG;
	if (s == NULL)
		return verdict_of(password_verify(q->password.ptr, q->hash), q->known);
	make_key(s, q, key);
	if (auth_cache_has(&s->cache, key, clock_mono_ms()) && q->known)
		return AUTH_RIGHT;
	w = arena_alloc(&ex->arena, sizeof(*w));
	if (w == NULL)
		return AUTH_BUSY;
	job = find_job(s, key);
	if (job != NULL)
		return wait_for(ex, job, w);
	if (count_checks(s, client_of(ex)) >= AUTH_CHECKS_ADDRESS)
		return AUTH_CROWDED;
	s->log = ex->site->env.log;
	if (s->job_count >= AUTH_CHECKS_MAX) {
		log_limited(s->log, &s->busy_limit, LOG_LEVEL_WARNING,
			    "auth: %d passwords are being checked; answering 503",
			    AUTH_CHECKS_MAX);
		return AUTH_BUSY;
	}
	job = start_job(s, ex, q, key);
	return job != NULL ? wait_for(ex, job, w) : AUTH_BUSY;
}

enum auth_verdict
auth_verdict(struct exchange *ex)
{
	enum auth_verdict verdict = ex->auth_wait->verdict;

	ex->auth_wait = NULL;
	return verdict;
}

void
auth_yield(struct exchange *ex)
{
	struct auth_wait *w = ex->auth_wait;
	struct auth_job *job = w != NULL ? w->job : NULL;

	/* Not all who send nothing more have gone: who can be answered, is. */
	if (job == NULL || job->waits != w || w->next != NULL ||
	    !pool_is_busy(job->shared->pool))
		return;
	job->yields = true;
	pool_cancel(job->shared->pool, &job->pool);
}

void
auth_forget(struct exchange *ex)
{
	struct auth_wait *w = ex->auth_wait, **link;
	struct auth_job *job;

	ex->auth_wait = NULL;
	if (w == NULL || w->job == NULL)
		return;
	job = w->job;
	for (link = &job->waits; *link != w; link = &(*link)->next)
		;
	*link = w->next;
	if (job->waits == NULL)
		pool_cancel(job->shared->pool, &job->pool);
}
