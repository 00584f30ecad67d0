/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_unfinished: who enters, who leaves, and the job that counts.
 */
#include "handler/store_unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "handler/partial.h"
#include "handler/store_quota.h"
#include "handler/task.h"

#define RECOUNT_MS (60 * 1000) /* so often while uploads are created */
#define REFUSED_MS 1000        /* and when one is refused */

void
store_unfinished_share(struct store *s, const struct quota_view *view, struct pool *pool)
{
	s->unfinished = *view;
	s->pool = pool;
}

/* --- counting --- */

struct count {
	struct quota_view view;
	uint64_t begun, begun_ms;
	int dirfd; /* the job's own */
	int rc;
	bool is_finished;
	/* Of release() only: the site outlives the pool. */
	struct store *store;
};

static int
count_names(int dirfd, uint64_t *n)
{
	int staging = openat(dirfd, STORE_STAGING,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int rc = staging >= 0 ? partial_count(staging, n) : -errno;

	if (staging >= 0)
		close(staging);
	/* Where nobody ever uploaded there is none. */
	return rc == -ENOENT ? 0 : rc;
}

static int
run_count(void *arg)
{
	struct count *c = arg;
	uint64_t n = 0, now;

	c->rc = count_names(c->dirfd, &n);
	now = clock_mono_ms();
	quota_end_count(&c->view, c->begun, c->rc == 0, n, now, now - c->begun_ms);
	c->is_finished = true;
	return 0;
}

static void
release_count(void *arg)
{
	struct count *c = arg;
	struct store *s = c->store;

	if (!c->is_finished)
		quota_end_count(&c->view, c->begun, false, 0, clock_mono_ms(), 0);
	if (c->rc < 0)
		log_limited(s->log, &s->limit, LOG_LEVEL_ERROR,
			    "upload: %s/%s cannot be read to see how many unfinished "
			    "uploads there are: %s; until then no new ones are taken",
			    s->conf->directory, STORE_STAGING, strerror(-c->rc));
	close(c->dirfd);
	free(c);
}

/* Not at all where that fails: the next upload tries again. */
static void
begin_count(struct store *s, uint64_t age_ms)
{
	uint64_t now = clock_mono_ms(), begun;
	struct count *c;

	if (!quota_begin_count(&s->unfinished, now, age_ms, &begun))
		return;
	c = calloc(1, sizeof(*c));
	if (c != NULL) {
		*c = (struct count){
			.view = s->unfinished, .begun = begun, .begun_ms = now, .store = s
		};
		c->dirfd = fcntl(s->dirfd, F_DUPFD_CLOEXEC, 0);
	}
	if (c != NULL && c->dirfd >= 0) {
		task_send(s->pool, run_count, c, release_count);
		return;
	}
	free(c);
	quota_end_count(&s->unfinished, begun, false, 0, now, 0);
}

static bool
is_limited(const struct store *s)
{
	return s->unfinished.quota != NULL && s->conf->resumable &&
	       s->conf->unfinished != 0;
}

/* 0 or 503. */
static int
make_ready(struct store *s)
{
	bool counted = quota_is_counted(&s->unfinished);

	begin_count(s, counted ? RECOUNT_MS : REFUSED_MS);
	return quota_is_counted(&s->unfinished) ? 0 : 503;
}

void
store_unfinished_await(struct store *s)
{
	if (!is_limited(s) || make_ready(s) == 0)
		return;
	store_quota_wait(&s->unfinished);
}

/* --- how many --- */

static int
refuse(struct store *s)
{
	log_limited(
		s->log, &s->limit, LOG_LEVEL_WARNING,
		"upload: %s: %llu unfinished uploads are there, and \"unfinished\" is "
		"%u; answering 507 to new ones",
		s->conf->directory, (unsigned long long)quota_used(&s->unfinished),
		s->conf->unfinished);
	begin_count(s, REFUSED_MS);
	return 507;
}

int
store_unfinished_check(struct store *s)
{
	int status;

	if (!is_limited(s))
		return 0;
	status = make_ready(s);
	if (status != 0)
		return status;
	return quota_used(&s->unfinished) < s->conf->unfinished ? 0 : refuse(s);
}

int
store_unfinished_enter(struct store *s)
{
	uint64_t max = is_limited(s) ? s->conf->unfinished : UINT64_MAX;
	int status = is_limited(s) ? make_ready(s) : 0;

	if (status != 0 || s->unfinished.quota == NULL)
		return status;
	return quota_promise(&s->unfinished, 1, max) ? 0 : refuse(s);
}

void
store_unfinished_settle(struct store *s, bool created)
{
	if (s->unfinished.quota != NULL)
		quota_settle(&s->unfinished, 1, created);
}

uint64_t
store_unfinished_mark(const struct store *s)
{
	return s->unfinished.quota != NULL ? quota_mark(&s->unfinished) : 0;
}

void
store_unfinished_leave(struct store *s, uint64_t mark, uint64_t n)
{
	if (s->unfinished.quota != NULL)
		quota_remove(&s->unfinished, mark, n);
}
