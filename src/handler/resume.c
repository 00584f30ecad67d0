/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume: the lock, the bytes, the record and the name, one step after the other.
 */
#include "handler/resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "core/exchange.h"
#include "handler/resume_file.h"
#include "handler/store_digest.h"
#include "handler/task.h"
#include "handler/upload.h"

#define SAVE_EVERY ((uint64_t)16 * 1024 * 1024) /* bytes between two records */
#define LOOK_EVERY ((uint64_t)8 * 1024 * 1024)  /* and two looks at free space */
#define RETRY_AFTER SLICE("5")

enum step { STEP_LOCK, STEP_SAVE, STEP_SETTLE, STEP_FINISH, STEP_PUBLISH };

static struct store *
store_of(const struct resume *r)
{
	return &r->upload->store;
}

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
resume_is_on(const struct exchange *ex)
{
	return upload_of(ex)->store.conf->resumable && ex->route->conf->is_prefix;
}

/* --- waiting, and being ready --- */

static void
wait_for(struct resume *r, enum step step)
{
	r->state = RESUME_WAITING;
	r->step = step;
	if (r->ex->state == EXCHANGE_NEW || r->ex->state == EXCHANGE_HELD)
		exchange_hold(r->ex);
}

static void
be_ready(struct resume *r)
{
	r->state = RESUME_READY;
	exchange_unhold(r->ex);
	if (r->file != NULL && r->file->p.fd >= 0)
		exchange_later_after(r->ex, RESUME_LOOK_MS);
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

static bool
is_saved(const struct resume_file *f)
{
	return f->saved == f->p.size && !f->dirty;
}

/* Until the record says what there is. */
static int
save_until_true(struct resume *r)
{
	int rc = 0, status;

	wait_for(r, STEP_SAVE);
	if (r->task != NULL && !task_take(&r->task, &rc))
		return 0;
	if (rc < 0)
		return store_failed(store_of(r), "write in", STORE_STAGING, rc);
	if (is_saved(r->file)) {
		be_ready(r);
		return 0;
	}
	status = resume_start_save(r, false);
	return status;
}

static int64_t
expires(const struct resume *r)
{
	return clock_unix() + (int64_t)(store_of(r)->conf->expire_ms / 1000);
}

/* --- create --- */

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
	struct store *s = store_of(r);
	int staging = store_staging(s);

	if (staging < 0)
		return store_failed(s, "create a directory in", STORE_STAGING, staging);
	r->file = resume_file_new(staging, s->conf->durable);
	return r->file != NULL ? 0 : 503;
}

int
resume_create(struct resume *r, struct exchange *ex, const struct partial_record *record,
	      bool guarded)
{
	struct partial_record rec = *record;
	struct store *s;
	int rc, status;

	begin(r, ex);
	s = store_of(r);
	if (ex->dry) {
		memset(r->id, '-', PARTIAL_ID_LEN);
		r->state = RESUME_READY;
		return store_look(s);
	}
	rec.created = clock_unix();
	rec.expires = expires(r);
	status = make_file(r);
	if (status != 0)
		return status;
	rc = partial_create(&r->file->p, r->file->staging, &rec, (mode_t)s->conf->mode);
	status = rc < 0 ? store_failed(s, "create a file in", STORE_STAGING, rc) : 0;
	if (status == 0) {
		enlist(r);
		r->file->dirty = true;
		r->file->look_at = LOOK_EVERY;
		r->guarded = guarded;
		if (guarded)
			guard(r->file);
		status = save_until_true(r);
	}
	if (status != 0)
		resume_close(r);
	return status;
}

/* --- open --- */

static int
refuse_busy(struct resume *r)
{
	if (exchange_keep_field(r->ex, HTTP_FIELD_RETRY_AFTER, RETRY_AFTER) < 0)
		return 500;
	return upload_refuse(r->ex, 503, "Another request is at this upload.");
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
	wait_for(r, STEP_LOCK);
	exchange_later_after(r->ex, RESUME_TRY_MS);
	return 0;
}

static void
unguard(struct resume *r)
{
	if (!r->guarded)
		return;
	r->guarded = false;
	memcpy(r->file->p.record.boot, r->file->boot, sizeof(r->file->boot));
	r->file->dirty = true;
}

static int
take_over(struct resume *r)
{
	struct resume_file *f = r->file;

	resume_forget_want(f->staging, r->id, r->since_ns);
	/* The bytes are still here: it was about to be published, and was not. */
	if (f->p.fd >= 0)
		f->p.record.complete = false;
	if (f->p.record.expires <= clock_unix()) {
		if (f->p.fd >= 0)
			store_uncount_bytes(store_of(r), f->p.size);
		partial_remove(&f->p);
		return 404;
	}
	r->from = f->begun_at = f->p.size;
	f->saved = f->durable ? f->p.record.offset : f->p.size;
	f->look_at = f->p.size + LOOK_EVERY;
	if (f->p.fd < 0) {
		f->saved = f->p.size;
		r->guarded = false;
	}
	if (r->guarded)
		guard(f);
	enlist(r);
	return save_until_true(r);
}

static int
try_lock(struct resume *r)
{
	int rc = partial_open(&r->file->p, r->file->staging,
			      slice_make(r->id, PARTIAL_ID_LEN));

	if (rc == -EBUSY)
		return wait_for_lock(r);
	if (rc == -ENOENT)
		return 404;
	if (rc < 0)
		return store_failed(store_of(r), "open in", STORE_STAGING, rc);
	return take_over(r);
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
		status = try_lock(r);
	if (status != 0)
		resume_close(r);
	return status;
}

/* --- append --- */

static int
check_size(struct resume *r, uint64_t more)
{
	struct resume_file *f = r->file;
	uint64_t size = f->p.size;

	if (f->p.record.length != PARTIAL_LENGTH_UNKNOWN &&
	    more > f->p.record.length - size)
		return upload_refuse(r->ex, 413, "That is more than was announced.");
	if (more > store_of(r)->conf->max_size ||
	    size > store_of(r)->conf->max_size - more)
		return 413;
	if (size + more < f->look_at)
		return 0;
	f->look_at = size + more + LOOK_EVERY;
	return store_check_room(store_of(r), size, more);
}

int
resume_append(struct resume *r, struct slice bytes)
{
	struct resume_file *f = r->file;
	int rc, status;

	if (f == NULL || bytes.len == 0)
		return 0;
	if (f->p.fd < 0)
		return upload_refuse(r->ex, 409, "The upload is complete.");
	status = check_size(r, bytes.len);
	if (status != 0)
		return status;
	status = store_count_bytes(store_of(r), bytes.len);
	if (status != 0)
		return status;
	rc = partial_append(&f->p, bytes);
	if (rc < 0) {
		store_uncount_bytes(store_of(r), bytes.len);
		return store_failed(store_of(r), "write in", STORE_STAGING, rc);
	}
	if (!r->guarded && r->task == NULL && f->p.size - f->begun_at >= SAVE_EVERY)
		return resume_start_save(r, false);
	return 0;
}

/* Back to `size`: what is cut off gives its room back. */
static int
cut_to(struct resume *r, uint64_t size)
{
	struct partial *p = &r->file->p;
	uint64_t gone = p->size > size ? p->size - size : 0;
	int rc = partial_cut(p, size);

	if (rc == 0)
		store_uncount_bytes(store_of(r), gone);
	return rc;
}

int
resume_drop(struct resume *r)
{
	int rc = r->file != NULL ? cut_to(r, r->from) : 0;

	return rc < 0 ? store_failed(store_of(r), "cut in", STORE_STAGING, rc) : 0;
}

int
resume_set_length(struct resume *r, uint64_t length)
{
	struct partial_record *rec;

	if (r->file == NULL)
		return 0;
	rec = &r->file->p.record;
	if (rec->length == length)
		return 0;
	if (rec->length != PARTIAL_LENGTH_UNKNOWN || length < r->file->p.size)
		return upload_refuse(r->ex, 400, "The length of the upload is another.");
	rec->length = length;
	r->file->dirty = true;
	return store_check_room(store_of(r), r->file->p.size, length - r->file->p.size);
}

int
resume_save(struct resume *r)
{
	if (r->file == NULL)
		return 0;
	unguard(r);
	r->from = r->file->p.size;
	/* Its time begins anew, too. */
	r->file->dirty = true;
	return save_until_true(r);
}

/* --- complete --- */

static int
remember_location(struct resume *r, const char *name)
{
	struct slice url = slice_make("", 0);
	int status = upload_make_url(r->ex, r->item.path, name, &url);

	if (status != 0)
		return status;
	free(r->file->location);
	r->file->location = strndup(url.ptr, url.len);
	if (r->file->location == NULL)
		return 503;
	r->file->p.record.location = slice_from_str(r->file->location);
	return 0;
}

static const char *
last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* It is said to be complete before it has its name: who asks after a crash in between is told
 * what is true, as long as the bytes decide. Which name it gets is not always known yet. */
static int
start_finish(struct resume *r)
{
	int status = 0;

	if (store_of(r)->conf->conflict != CONF_CONFLICT_RENAME)
		status = remember_location(r, last_name(r->item.path));
	r->step = STEP_FINISH;
	if (status == 0)
		status = resume_start_save(r, true);
	return status;
}

static int
finish(struct resume *r)
{
	struct store_digest digest = { 0 };
	const char *name = r->item.result.name;
	int status = 0;

	r->state = RESUME_DONE;
	r->file->p.record.complete = true;
	if (r->file->location == NULL) {
		status = remember_location(r, name);
		if (status == 0 && partial_save(&r->file->p, false) < 0)
			log_debug(store_of(r)->log,
				  "upload: a name cannot be written down");
	}
	digest.keep_error = store_digest_keep(&r->file->p.record.digest, r->file->p.fd);
	upload_count(r->ex, &digest);
	return 0;
}

static int
give_name(struct resume *r)
{
	int status;

	r->lent = partial_file(&r->file->p);
	r->step = STEP_PUBLISH;
	status = publish_begin(&r->publish, r->ex, store_of(r), &r->item, 1);
	if (status == 0 && r->publish.state == PUBLISH_DONE)
		return finish(r);
	return status;
}

int
resume_complete(struct resume *r)
{
	if (r->file == NULL) {
		r->state = RESUME_DONE;
		return 0;
	}
	r->item.file = &r->lent;
	r->item.path = arena_strdup(&r->ex->arena, r->file->p.record.name);
	if (r->item.path == NULL)
		return 503;
	unguard(r);
	wait_for(r, STEP_SETTLE);
	return r->task != NULL ? 0 : start_finish(r);
}

static int
work_finish(struct resume *r)
{
	int rc;

	if (!task_take(&r->task, &rc))
		return 0;
	if (rc == -EBADMSG) {
		resume_cancel(r);
		return upload_refuse(r->ex, 400, "The digest is that of other bytes.");
	}
	if (rc < 0)
		return store_failed(store_of(r), "write in", STORE_STAGING, rc);
	return give_name(r);
}

/* A record that was being written when the last byte came. */
static int
work_settle(struct resume *r)
{
	int rc;

	return task_take(&r->task, &rc) ? start_finish(r) : 0;
}

static int
work_publish(struct resume *r)
{
	int status = publish_work(&r->publish, r->ex);

	return status == 0 && r->publish.state == PUBLISH_DONE ? finish(r) : status;
}

static int
work_ready(struct resume *r)
{
	int rc;

	if (r->task != NULL && task_take(&r->task, &rc) && rc < 0)
		return store_failed(store_of(r), "write in", STORE_STAGING, rc);
	if (r->file == NULL)
		return 0;
	if (resume_is_wanted(r->file->staging, r->id, r->since_ns))
		exchange_abort(r->ex);
	else
		exchange_later_after(r->ex, RESUME_LOOK_MS);
	return 0;
}

int
resume_work(struct resume *r)
{
	if (r->state == RESUME_READY)
		return work_ready(r);
	if (r->state != RESUME_WAITING)
		return 0;
	switch ((enum step)r->step) {
	case STEP_LOCK:
		return try_lock(r);
	case STEP_SAVE:
		return save_until_true(r);
	case STEP_SETTLE:
		return work_settle(r);
	case STEP_FINISH:
		return work_finish(r);
	case STEP_PUBLISH:
		return work_publish(r);
	}
	return 0;
}

/* --- the end --- */

void
resume_cancel(struct resume *r)
{
	if (r->file == NULL)
		return;
	if (r->file->p.fd >= 0)
		store_uncount_bytes(store_of(r), r->file->p.size);
	partial_remove(&r->file->p);
	r->file->removed = true;
}

void
resume_close(struct resume *r)
{
	struct resume_file *f = r->file;
	bool done = r->state == RESUME_DONE;

	if (r->pprev != NULL) {
		*r->pprev = r->next;
		if (r->next != NULL)
			r->next->pprev = r->pprev;
	}
	r->pprev = NULL;
	publish_end(&r->publish);
	r->file = NULL;
	r->state = RESUME_NONE;
	if (f == NULL)
		return;
	if (r->guarded && f->p.fd >= 0 && !f->removed) {
		uint64_t gone = f->p.size - r->from;

		if (partial_cut(&f->p, r->from) < 0)
			partial_remove(&f->p);
		else
			store_uncount_bytes(store_of(r), gone);
	}
	task_forget(&r->task);
	f->p.record.expires = expires(r);
	if (f->saving)
		f->left = true;
	else if (!done && !f->removed && !r->guarded && f->p.fd >= 0 &&
		 f->p.size != f->begun_at)
		resume_leave(f, r->ex->site->env.pool);
	else
		resume_file_free(f);
}
