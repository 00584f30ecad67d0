/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_quota: promises, and the job that counts.
 */
#include "handler/store_quota.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_usage.h"
#include "base/pool.h"

#define STEP ((uint64_t)1024 * 1024) /* promised at a time where no length is known */
#define RECOUNT_MS (5 * 60 * 1000)   /* so often while uploads come */
#define REFUSED_MS 1000 /* and when one is refused: somebody may have made room */
#define START_MS 2000   /* that a start waits for the first count */
#define LONG_MS 1000
#define SLICE_MS 20 /* others wait for the helpers, too */
#define SLICE_STEPS 64

/* --- directories --- */

static bool
has_limit(const struct conf_route *r, enum store_quota_kind kind)
{
	const struct conf_upload *u = &r->upload;

	if ((r->actions & CONF_ACTION_UPLOAD) == 0)
		return false;
	return kind == STORE_QUOTA_BYTES ? u->quota != 0
					 : u->resumable && u->unfinished != 0;
}

/* The number of the first route that has a limit for it, among those that have one; of all of
 * them when there is none. */
static size_t
find_directory(const struct config *conf, const char *directory,
	       enum store_quota_kind kind, bool *found)
{
	size_t n = 0;

	*found = false;
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *server = &conf->servers[i];

		for (size_t k = 0; k < server->route_count; k++) {
			const struct conf_route *r = &server->routes[k];

			if (!has_limit(r, kind))
				continue;
			if (directory != NULL &&
			    strcmp(r->upload.directory, directory) == 0) {
				*found = true;
				return n;
			}
			n++;
		}
	}
	return n;
}

size_t
store_quota_count(const struct config *conf, enum store_quota_kind kind)
{
	bool found;

	return find_directory(conf, NULL, kind, &found);
}

size_t
store_quota_find(const struct config *conf, const char *directory,
		 enum store_quota_kind kind)
{
	bool found;
	size_t n = find_directory(conf, directory, kind, &found);

	return found ? n : SIZE_MAX;
}

void
store_quota_share(struct store *s, const struct quota_view *view, struct pool *pool)
{
	s->quota = *view;
	s->pool = pool;
}

/* --- counting --- */

struct count_job {
	struct pool_job job;
	struct store *store; /* for done() only: the site outlives the pool */
	struct quota_view view;
	uint64_t begun;
	int dirfd; /* the job's own */
	int rc;
	bool is_open, is_finished;
	uint64_t took_us;
	struct fs_usage usage;
};

/* At the start nobody gives a job another turn, and a start waits. */
static uint64_t
slice_end_us(const struct count_job *c, uint64_t now_us)
{
	uint64_t start_us = (quota_since(c->view.quota) + START_MS) * 1000;
	uint64_t slice_us = now_us + SLICE_MS * 1000;

	return start_us > slice_us ? start_us : slice_us;
}

/* Are there more names? */
static bool
look_on(struct count_job *c, uint64_t end_us)
{
	bool more = true;

	while (more && clock_mono_us() < end_us) {
		for (int i = 0; more && i < SLICE_STEPS; i++)
			more = fs_usage_step(&c->usage);
	}
	return more;
}

static void
run_count(struct pool_job *job)
{
	struct count_job *c = (struct count_job *)job;
	uint64_t start_us = clock_mono_us();

	if (!c->is_open)
		c->rc = fs_usage_init(&c->usage, c->dirfd);
	c->is_open = true;
	c->is_finished = c->rc < 0 || !look_on(c, slice_end_us(c, start_us));
	c->took_us += clock_mono_us() - start_us;
	if (c->is_finished)
		quota_end_count(&c->view, c->begun, c->rc == 0, c->usage.bytes,
				clock_mono_ms(), c->took_us / 1000);
}

static void
tell_count(const struct count_job *c)
{
	struct store *s = c->store;

	if (c->rc < 0)
		log_limited(s->log, &s->limit, LOG_LEVEL_ERROR,
			    "upload: %s cannot be read to see how much of \"quota\" is "
			    "used: %s; until then nothing new is taken",
			    s->conf->directory, strerror(-c->rc));
	if (c->usage.skipped != 0)
		log_warning(s->log,
			    "upload: %s: %llu directories in it are too deep or cannot "
			    "be read, and do not count for \"quota\"",
			    s->conf->directory, (unsigned long long)c->usage.skipped);
	if (c->took_us / 1000 >= LONG_MS)
		log_info(s->log,
			 "upload: %s: it took %llu ms to count %llu bytes of %llu files",
			 s->conf->directory, (unsigned long long)c->took_us / 1000,
			 (unsigned long long)c->usage.bytes,
			 (unsigned long long)c->usage.files);
}

static void
end_count(struct pool_job *job, bool ran)
{
	struct count_job *c = (struct count_job *)job;

	if (ran && !c->is_finished && pool_submit(c->store->pool, job) == 0)
		return;
	if (c->is_finished)
		tell_count(c);
	else
		quota_end_count(&c->view, c->begun, false, 0, clock_mono_ms(), 0);
	fs_usage_fini(&c->usage);
	close(c->dirfd);
	free(c);
}

static struct count_job *
new_count(struct store *s, uint64_t begun)
{
	struct count_job *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct count_job){ .job = { .run = run_count, .done = end_count },
				 .store = s,
				 .view = s->quota,
				 .begun = begun };
	c->dirfd = fcntl(s->dirfd, F_DUPFD_CLOEXEC, 0);
	if (c->dirfd < 0) {
		free(c);
		return NULL;
	}
	return c;
}

/* Not at all where that fails: the next upload tries again. */
static void
begin_count(struct store *s, uint64_t age_ms)
{
	uint64_t begun;
	struct count_job *c;

	if (!quota_begin_count(&s->quota, clock_mono_ms(), age_ms, &begun))
		return;
	c = new_count(s, begun);
	if (c == NULL) {
		quota_end_count(&s->quota, begun, false, 0, clock_mono_ms(), 0);
		return;
	}
	while (s->pool == NULL && !c->is_finished)
		run_count(&c->job);
	if (s->pool == NULL || pool_submit(s->pool, &c->job) < 0)
		end_count(&c->job, s->pool == NULL);
}

static bool
is_limited(const struct store *s)
{
	return s->quota.quota != NULL && s->conf->quota != 0;
}

int
store_quota_ready(struct store *s)
{
	if (!is_limited(s))
		return 0;
	begin_count(s, quota_is_counted(&s->quota) ? RECOUNT_MS : REFUSED_MS);
	return quota_is_counted(&s->quota) ? 0 : 503;
}

void
store_quota_wait(const struct quota_view *view)
{
	const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };

	/* The clock began before the workers did: together they wait no longer than that. */
	while (!quota_is_counted(view) && quota_is_counting(view) &&
	       clock_mono_ms() - quota_since(view->quota) < START_MS)
		nanosleep(&pause, NULL);
}

void
store_quota_await(struct store *s)
{
	if (store_quota_ready(s) == 0)
		return;
	store_quota_wait(&s->quota);
	if (!quota_is_counted(&s->quota) && quota_is_counting(&s->quota))
		log_warning(s->log,
			    "upload: %s is still being counted for \"quota\"; until that "
			    "is done uploads are answered with 503",
			    s->conf->directory);
}

/* --- room --- */

static uint64_t
most(const struct store *s)
{
	return s->conf->quota != 0 ? s->conf->quota : UINT64_MAX;
}

static int
refuse(struct store *s, uint64_t more)
{
	log_limited(s->log, &s->limit, LOG_LEVEL_WARNING,
		    "upload: %s: %llu bytes are used, too many for %llu more with the "
		    "quota of %llu",
		    s->conf->directory, (unsigned long long)quota_used(&s->quota),
		    (unsigned long long)more, (unsigned long long)s->conf->quota);
	begin_count(s, REFUSED_MS);
	return 507;
}

int
store_quota_check(struct store *s, uint64_t more)
{
	uint64_t used;

	if (!is_limited(s))
		return 0;
	used = quota_used(&s->quota);
	return used <= most(s) && more <= most(s) - used ? 0 : refuse(s, more);
}

int
store_quota_grow(struct store *s, struct store_file *f, uint64_t size)
{
	uint64_t more;

	if (s->quota.quota == NULL || size <= f->promised)
		return 0;
	more = size - f->promised;
	/* Ahead, so that not every piece of a body asks; at the edge exactly. */
	if (more < STEP && f->size != 0 && quota_promise(&s->quota, STEP, most(s)))
		more = STEP;
	else if (!quota_promise(&s->quota, more, most(s)))
		return refuse(s, more);
	f->promised += more;
	f->owner = s;
	return 0;
}

void
store_quota_settle(struct store_file *f, bool published)
{
	if (f->promised != 0)
		quota_settle(&f->owner->quota, f->promised, published ? f->size : 0);
	f->promised = 0;
}

uint64_t
store_quota_mark(const struct store *s)
{
	return s->quota.quota != NULL ? quota_mark(&s->quota) : 0;
}

void
store_quota_remove(struct store *s, uint64_t mark, uint64_t bytes)
{
	if (s->quota.quota != NULL)
		quota_remove(&s->quota, mark, bytes);
}

/* --- for the doors: store.h --- */

int
store_promise(struct store *s, struct store_file *f, uint64_t bytes)
{
	return store_quota_grow(s, f, f->size + bytes);
}

int
store_count_bytes(struct store *s, uint64_t n)
{
	if (s->quota.quota == NULL || quota_add(&s->quota, n, most(s)))
		return 0;
	return refuse(s, n);
}

void
store_uncount_bytes(struct store *s, uint64_t n)
{
	store_quota_remove(s, store_quota_mark(s), n);
}

void
store_recount_bytes(struct store *s, uint64_t before, uint64_t after)
{
	if (after < before)
		store_uncount_bytes(s, before - after);
	else if (s->quota.quota != NULL)
		(void)quota_add(&s->quota, after - before, UINT64_MAX);
}
