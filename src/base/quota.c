/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quota: sums that only grow (added, removed) beside a base, so that a new count is one
 * store: used = base + added - removed + all promises.
 */
#include "base/quota.h"

#include <assert.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define REST 10 /* counting takes at most one part in so many of the time */

struct directory {
	/* Below 0 in the sense of two's complement: it is only ever added to. */
	_Atomic uint64_t base, added, removed;
	_Atomic uint64_t counts; /* how many ended well, or are about to */
	_Atomic bool is_counted;
	_Atomic uint64_t tried_ms, took_ms;
	_Atomic uint64_t counting; /* worker + 1; 0: nobody */
};

struct quota {
	size_t workers, directories;
	uint64_t since_ms;
	_Atomic uint64_t *promised; /* [directory][worker]; behind the array below */
	struct directory at[];
};

static size_t
size_for(size_t workers, size_t directories)
{
	return sizeof(struct quota) + directories * sizeof(struct directory) +
	       directories * workers * sizeof(_Atomic uint64_t);
}

struct quota *
quota_new(size_t workers, size_t directories, uint64_t now_ms)
{
	struct quota *q = mmap(NULL, size_for(workers, directories),
			       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (q == MAP_FAILED)
		return NULL;
	q->workers = workers;
	q->directories = directories;
	q->since_ms = now_ms;
	q->promised = (void *)&q->at[directories];
	return q;
}

void
quota_free(struct quota *q)
{
	if (q != NULL)
		munmap(q, size_for(q->workers, q->directories));
}

uint64_t
quota_since(const struct quota *q)
{
	return q->since_ms;
}

static struct directory *
directory_of(const struct quota_view *v)
{
	assert(v->directory < v->quota->directories && v->worker < v->quota->workers);
	return &v->quota->at[v->directory];
}

static _Atomic uint64_t *
promises(const struct quota *q, size_t directory, size_t worker)
{
	return &q->promised[directory * q->workers + worker];
}

static _Atomic uint64_t *
own_promises(const struct quota_view *v)
{
	return promises(v->quota, v->directory, v->worker);
}

void
quota_forget(struct quota *q, size_t worker)
{
	for (size_t d = 0; d < q->directories; d++) {
		uint64_t it = worker + 1;

		atomic_store(promises(q, d, worker), 0);
		atomic_compare_exchange_strong(&q->at[d].counting, &it, 0);
	}
}

/* --- what is used --- */

/* What went before it came, as it may look from here, is nothing. */
static uint64_t
above_zero(uint64_t bytes)
{
	return bytes <= INT64_MAX ? bytes : 0;
}

/* In the order that errs on the side of too much: what moves from a promise into the directory
 * meanwhile is seen twice, not missed. */
uint64_t
quota_used(const struct quota_view *v)
{
	const struct directory *d = directory_of(v);
	uint64_t removed = atomic_load(&d->removed);
	uint64_t sum = 0;

	for (size_t w = 0; w < v->quota->workers; w++)
		sum += above_zero(atomic_load(promises(v->quota, v->directory, w)));
	return sum + above_zero(atomic_load(&d->base) + atomic_load(&d->added) - removed);
}

bool
quota_promise(const struct quota_view *v, uint64_t bytes, uint64_t max)
{
	if (bytes > max)
		return false;
	atomic_fetch_add(own_promises(v), bytes);
	if (quota_used(v) <= max)
		return true;
	atomic_fetch_sub(own_promises(v), bytes);
	return false;
}

void
quota_settle(const struct quota_view *v, uint64_t promised, uint64_t kept)
{
	/* In this order: in between they count twice, never not at all. */
	atomic_fetch_add(&directory_of(v)->added, kept);
	atomic_fetch_sub(own_promises(v), promised);
}

bool
quota_add(const struct quota_view *v, uint64_t bytes, uint64_t max)
{
	if (!quota_promise(v, bytes, max))
		return false;
	quota_settle(v, bytes, bytes);
	return true;
}

uint64_t
quota_mark(const struct quota_view *v)
{
	return atomic_load(&directory_of(v)->counts);
}

void
quota_remove(const struct quota_view *v, uint64_t mark, uint64_t bytes)
{
	if (mark == quota_mark(v))
		atomic_fetch_add(&directory_of(v)->removed, bytes);
}

/* --- counting --- */

bool
quota_is_counted(const struct quota_view *v)
{
	return atomic_load(&directory_of(v)->is_counted);
}

bool
quota_is_counting(const struct quota_view *v)
{
	return atomic_load(&directory_of(v)->counting) != 0;
}

static bool
is_due(const struct directory *d, uint64_t now_ms, uint64_t age_ms)
{
	uint64_t tried = atomic_load(&d->tried_ms);
	uint64_t rest = atomic_load(&d->took_ms) * REST;

	return tried == 0 || now_ms - tried > (rest > age_ms ? rest : age_ms);
}

bool
quota_begin_count(const struct quota_view *v, uint64_t now_ms, uint64_t age_ms,
		  uint64_t *begun)
{
	struct directory *d = directory_of(v);
	uint64_t nobody = 0;

	if (!is_due(d, now_ms, age_ms) ||
	    !atomic_compare_exchange_strong(&d->counting, &nobody, v->worker + 1))
		return false;
	*begun = atomic_load(&d->added);
	return true;
}

void
quota_end_count(const struct quota_view *v, uint64_t begun, bool ok, uint64_t bytes,
		uint64_t now_ms, uint64_t took_ms)
{
	struct directory *d = directory_of(v);

	if (ok) {
		/* First, so that what goes in between is not taken away from it. */
		atomic_fetch_add(&d->counts, 1);
		atomic_store(&d->base, bytes - begun + atomic_load(&d->removed));
		atomic_store(&d->is_counted, true);
	}
	atomic_store(&d->took_ms, took_ms);
	atomic_store(&d->tried_ms, now_ms);
	atomic_store(&d->counting, 0);
}
