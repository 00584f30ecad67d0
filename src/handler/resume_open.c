/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_open: an unfinished upload is made, or taken over from who is still at it, until what
 * there is of it may be told.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "core/exchange.h"
#include "handler/resume_conditions.h"
#include "handler/resume_file.h"
#include "handler/store_quota.h"
#include "handler/store_unfinished.h"
#include "handler/upload.h"

#define RETRY_AFTER SLICE("5")

bool
resume_is_url(const struct exchange *ex, struct slice *id)
{
	const struct slice segment = SLICE(RESUME_SEGMENT "/");

	if (!slice_starts_with(ex->rest, segment))
		return false;
	*id = slice_from(ex->rest, segment.len);
	return true;
}

bool
resume_asks_offset(const struct exchange *ex)
{
	return ex->head.method == HTTP_HEAD || ex->head.method == HTTP_GET;
}

bool
resume_is_on(const struct exchange *ex)
{
	return upload_of(ex)->store.conf->resumable && ex->route->conf->is_prefix;
}

static void
enlist(struct resume *r)
{
	struct upload *u = r->upload;

	memcpy(r->id, r->file->p.id, sizeof(r->id));
	r->next = u->resumes;
	r->pprev = &u->resumes;
	if (r->next != NULL)
		r->next->pprev = &r->next;
	u->resumes = r;
}

/* A killed worker must not leave bytes of a guarded piece behind as if they counted: a record
 * without a boot says that only its own offset does. */
static void
guard(struct resume_file *f)
{
	memcpy(f->boot, f->p.record.boot, sizeof(f->boot));
	f->p.record.boot[0] = '\0';
	f->dirty = true;
}

static void
begin(struct resume *r, struct exchange *ex)
{
	*r = (struct resume){ .ex = ex,
			      .upload = upload_of(ex),
			      .since_ns = resume_now_ns(),
			      .due_ms = clock_mono_ms() + RESUME_PATIENCE_MS };
}

/* 0 or a status. */
static int
make_file(struct resume *r)
{
	struct store *s = resume_store(r);
	int staging = store_staging(s);

	if (staging < 0)
		return store_failed(s, "create a directory in", STORE_STAGING, staging);
	r->file = resume_file_new(s, staging);
	return r->file != NULL ? 0 : 503;
}

/* Why there may be no more of them, or why that is not known yet. */
static int
refuse_new(struct resume *r, int status)
{
	if (status == 503)
		return upload_refuse_for_now(
			r->ex, 503, SLICE("1"),
			"The server does not know yet how much is stored here; please "
			"try again in a moment.");
	exchange_note(r->ex, TRACE_UPLOAD, "\"unfinished\": all %u are there already",
		      (unsigned)resume_store(r)->conf->unfinished);
	return upload_refuse_for_now(r->ex, 507, SLICE("60"),
				     "Too many unfinished uploads are kept here; please "
				     "complete or remove one, or try again later.");
}

/* The file, and all that counts of it. 0 or a status: then nothing is there. */
static int
make_partial(struct resume *r, const struct partial_record *record)
{
	struct store *s = resume_store(r);
	struct resume_file *f = r->file;
	int status = store_unfinished_enter(s), rc;

	if (status != 0)
		return refuse_new(r, status);
	rc = partial_create(&f->p, f->staging, record, (mode_t)s->conf->mode);
	f->counted = rc == 0;
	store_unfinished_settle(s, f->counted);
	if (rc < 0)
		return store_failed(s, "create a file in", STORE_STAGING, rc);
	f->record = partial_record_size(&f->p);
	status = store_count_bytes(s, f->record);
	if (status == 0)
		return 0;
	f->record = 0;
	resume_cancel(r);
	return status;
}

int
resume_create(struct resume *r, struct exchange *ex, const struct partial_record *record,
	      bool guarded)
{
	struct partial_record rec = *record;
	struct store *s;
	int status;

	begin(r, ex);
	s = resume_store(r);
	if (rec.name.len > PARTIAL_NAME_MAX)
		return upload_refuse(ex, 400,
				     "The path is too long for an upload that can be "
				     "resumed.");
	if (ex->dry) {
		memset(r->id, '-', PARTIAL_ID_LEN);
		r->state = RESUME_READY;
		status = store_unfinished_check(s);
		return status != 0 ? refuse_new(r, status) : store_look(s);
	}
	if (resume_conditions_write(&ex->head, &ex->arena, &rec.conditions) < 0)
		return 503;
	if (rec.conditions.len > PARTIAL_CONDITIONS_MAX)
		return upload_refuse(
			ex, 400,
			"The preconditions are too long for an upload that can "
			"be resumed.");
	rec.created = clock_unix();
	rec.expires = resume_expires(r);
	status = make_file(r);
	if (status != 0)
		return status;
	status = make_partial(r, &rec);
	if (status == 0) {
		enlist(r);
		r->is_new = true;
		r->file->dirty = true;
		r->file->look_at = STORE_LOOK_EVERY;
		r->guarded = guarded;
		if (guarded)
			guard(r->file);
		status = resume_save_until_true(r);
		if (status != 0)
			resume_cancel(r);
	}
	if (status != 0)
		resume_close(r);
	return status;
}

/* --- open --- */

static int
refuse_busy(struct resume *r)
{
	return upload_refuse_for_now(r->ex, 503, RETRY_AFTER,
				     "Another request is at this upload.");
}

/* Those of this worker at once: unless they are about to end by themselves. */
static void
close_older(const struct resume *r)
{
	for (struct resume *o = r->upload->resumes; o != NULL; o = o->next) {
		if (o->state == RESUME_READY && o->since_ns < r->since_ns &&
		    strcmp(o->id, r->id) == 0)
			exchange_abort(o->ex);
	}
}

static int
wait_for_lock(struct resume *r)
{
	partial_close(&r->file->p);
	if (clock_mono_ms() >= r->due_ms ||
	    !resume_want(r->file->staging, r->id, r->since_ns))
		return refuse_busy(r);
	close_older(r);
	resume_wait(r, RESUME_STEP_LOCK);
	exchange_later_after(r->ex, RESUME_TRY_MS);
	return 0;
}

static int
take_over(struct resume *r)
{
	struct resume_file *f = r->file;

	resume_forget_want(f->staging, r->id, r->since_ns);
	f->counted = f->p.fd >= 0;
	f->record = f->p.record_size;
	store_uncount_bytes(f->store, f->p.cut);
	/* What comes now has to outlive the worker, too. */
	f->dirty = f->p.fd >= 0 && f->p.other_boot;
	/* The bytes are still here: it was about to be published, and was not. */
	if (f->p.fd >= 0)
		f->p.record.complete = false;
	if (f->p.record.expires <= clock_unix()) {
		resume_cancel(r);
		return 404;
	}
	r->from = f->begun_at = f->p.size;
	f->saved = f->durable ? f->p.record.offset : f->p.size;
	f->look_at = f->p.size + STORE_LOOK_EVERY;
	if (f->p.fd < 0) {
		f->saved = f->p.size;
		r->guarded = false;
	}
	if (r->guarded)
		guard(f);
	enlist(r);
	return resume_save_until_true(r);
}

/* It was there, and is not any more. */
static void
forget_lost(struct resume_file *f, uint64_t mark)
{
	store_uncount_bytes(f->store, f->p.cut + f->p.record_size);
	store_unfinished_leave(f->store, mark, 1);
}

int
resume_try_lock(struct resume *r)
{
	struct resume_file *f = r->file;
	uint64_t mark = store_unfinished_mark(f->store);
	int rc = partial_open(&f->p, f->staging, slice_make(r->id, PARTIAL_ID_LEN));

	if (rc == 0)
		return take_over(r);
	if (rc == -EBUSY)
		return wait_for_lock(r);
	if (f->p.lost)
		forget_lost(f, mark);
	/* What could not be read must not be taken for a piece that is to be cut off. */
	partial_close(&f->p);
	return rc == -ENOENT ? 404 : store_failed(f->store, "open in", STORE_STAGING, rc);
}

int
resume_open(struct resume *r, struct exchange *ex, struct slice id, bool guarded)
{
	int status;

	begin(r, ex);
	if (!partial_is_id(id))
		return 404;
	memcpy(r->id, id.ptr, PARTIAL_ID_LEN);
	if (ex->dry) {
		exchange_note(ex, TRACE_UPLOAD, "not looked at: the upload itself");
		r->state = RESUME_READY;
		return 0;
	}
	r->guarded = guarded;
	status = make_file(r);
	if (status == 0)
		status = resume_try_lock(r);
	if (status != 0)
		resume_close(r);
	return status;
}
