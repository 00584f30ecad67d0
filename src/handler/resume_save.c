/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_save: records are written by helpers, from a copy of the upload, while more bytes may
 * be appended. The file outlives the job, so what the copy borrows stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/exchange.h"
#include "handler/resume_file.h"
#include "handler/store_digest.h"
#include "handler/task.h"
#include "handler/upload.h"

#define READ_SIZE ((size_t)64 * 1024)
#define KEPT_S 3600 /* what is known of an upload that is complete */

struct save {
	struct resume_file *file;
	struct partial copy;
	bool completes;
	unsigned more; /* digests to compute beside those of the record */
	struct digest_set found;
	bool saved;
	int64_t expires; /* what the record on disk says */
};

struct resume_file *
resume_file_new(struct store *store, int staging)
{
	struct resume_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->p.fd = -1;
	f->store = store;
	f->durable = store->conf->durable;
	f->staging = fcntl(staging, F_DUPFD_CLOEXEC, 0);
	if (f->staging >= 0)
		return f;
	free(f);
	return NULL;
}

void
resume_file_free(struct resume_file *f)
{
	partial_close(&f->p);
	close(f->staging);
	free(f->location);
	free(f);
}

/* --- by a helper --- */

static int
hash_file(const struct partial *p, struct store_digest *d)
{
	char *at = malloc(READ_SIZE);
	uint64_t done = 0;
	ssize_t n = at != NULL ? 1 : -ENOMEM;

	while (n > 0 && done < p->size) {
		n = fs_pread_full(p->fd, at, READ_SIZE, (off_t)done);
		if (n > 0) {
			store_digest_add(d, slice_make(at, (size_t)n));
			done += (uint64_t)n;
		}
	}
	free(at);
	if (n < 0)
		return (int)n;
	return done == p->size ? 0 : -EIO; /* somebody has cut it */
}

/* The file is read once, whatever the number of digests. */
static int
compute_digests(struct save *s)
{
	struct store_digest d;
	int rc = store_digest_expect(&d, &s->copy.record.digest, s->more) == 0 ? 0
									       : -ENOMEM;
	int status = 0;

	if (rc == 0 && store_digest_is_on(&d)) {
		rc = hash_file(&s->copy, &d);
		status = rc == 0 ? store_digest_check(&d) : 0;
	}
	s->found = d.found;
	store_digest_fini(&d);
	if (status != 0)
		rc = status == 400 ? -EBADMSG : -EIO;
	return rc;
}

static int
run_save(void *arg)
{
	struct save *s = arg;
	int rc = s->completes ? compute_digests(s) : 0;

	if (rc == 0)
		rc = partial_save(&s->copy, s->file->durable);
	s->saved = rc == 0;
	return rc;
}

/* --- by the loop --- */

void
resume_recount(struct resume_file *f)
{
	store_recount_bytes(f->store, f->record, f->p.record_size);
	f->record = f->p.record_size;
}

static void
release_save(void *arg)
{
	struct save *s = arg;
	struct resume_file *f = s->file;

	f->saving = false;
	if (f->removed) {
		/* It was while the helper wrote: what that left goes, too, and counts no more. */
		partial_remove(&f->p);
	} else {
		f->p.record_size = s->copy.record_size;
		f->p.acknowledged = s->copy.acknowledged;
		resume_recount(f);
	}
	if (s->completes)
		f->digest = s->found;
	if (s->saved) {
		f->saved = s->copy.size;
	} else {
		f->dirty = true;
		f->p.record.expires = s->expires;
	}
	if (f->left)
		resume_file_free(f);
	free(s);
}

/* Of a record that will say that it expires then. */
static struct save *
new_save(struct resume_file *f, bool completes, int64_t expires)
{
	struct save *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = (struct save){ .file = f,
			    .completes = completes,
			    .expires = f->p.record.expires };
	f->p.record.expires = expires;
	s->copy = f->p;
	f->saving = true;
	f->dirty = false;
	f->begun_at = f->p.size;
	return s;
}

/* Beside those that its client has sent. An answer of tus tells none. */
static unsigned
more_digests(const struct resume *r)
{
	const struct partial_record *rec = &r->file->p.record;
	unsigned more = r->upload->store.conf->digests;

	if (rec->door == PARTIAL_RUFH)
		more |= store_digest_wanted(&r->ex->head, more | rec->digest.present);
	return more;
}

int
resume_start_save(struct resume *r, bool completes)
{
	const struct store *store = &r->upload->store;
	uint64_t keep = store->conf->expire_ms / 1000;
	struct resume_file *f = r->file;
	struct save *s;

	if (completes && keep > KEPT_S)
		keep = KEPT_S;
	f->p.record.complete = completes;
	s = new_save(f, completes, clock_unix() + (int64_t)keep);
	/* As long as it has no name it is not complete, whatever the record on disk says. */
	f->p.record.complete = false;
	if (s != NULL && completes)
		s->more = more_digests(r);
	if (s == NULL || task_start(&r->task, r->ex, r->ex->site->env.pool, run_save, s,
				    release_save) < 0)
		return 503;
	return 0;
}

void
resume_leave(struct resume_file *f, int64_t expires, struct pool *pool)
{
	struct save *s = new_save(f, false, expires);

	if (s == NULL) {
		resume_file_free(f);
		return;
	}
	f->left = true;
	task_send(pool, run_save, s, release_save);
}
