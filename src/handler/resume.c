/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume: the bytes, the record and the name, one step after the other.
 */
#include "handler/resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/exchange.h"
#include "handler/resume_conditions.h"
#include "handler/resume_file.h"
#include "handler/store_unfinished.h"
#include "handler/task.h"
#include "handler/upload.h"

#define SAVE_EVERY ((uint64_t)16 * 1024 * 1024) /* bytes between two records */

struct store *
resume_store(const struct resume *r)
{
	return &r->upload->store;
}

/* --- waiting, and being ready --- */

void
resume_wait(struct resume *r, enum resume_step step)
{
	r->state = RESUME_WAITING;
	r->step = (int)step;
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

static bool
is_saved(const struct resume_file *f)
{
	return f->saved == f->p.size && !f->dirty;
}

/* Back to `size`: what is cut off gives its room back. */
static int
cut_to(struct resume *r, uint64_t size)
{
	struct partial *p = &r->file->p;
	uint64_t gone = p->size > size ? p->size - size : 0;
	int rc = partial_cut(p, size);

	if (rc == 0)
		store_uncount_bytes(resume_store(r), gone);
	return rc;
}

/* To be asked where an upload stands needs no room: what its record acknowledges is true
 * whatever happens. What lies behind it is given up, so that the offset that is told can be gone on
 * from, and the disk gets room. */
static bool
go_back(struct resume *r, int error)
{
	struct resume_file *f = r->file;

	if ((error != -ENOSPC && error != -EDQUOT) || r->is_new ||
	    !resume_asks_offset(r->ex))
		return false;
	/* A newer record is there, but not for good: who cut it short would lose the upload. */
	if (f->p.acknowledged > f->saved)
		return false;
	(void)store_failed(f->store, "write in", STORE_STAGING, error);
	if (f->p.size > f->saved && cut_to(r, f->saved) < 0)
		return false;
	f->dirty = false;
	return true;
}

int
resume_save_until_true(struct resume *r)
{
	int rc = 0, status;

	/* What is taken away need not be true, and a full disk must not hold on to it. */
	if (r->ex->head.method == HTTP_DELETE) {
		be_ready(r);
		return 0;
	}
	resume_wait(r, RESUME_STEP_SAVE);
	if (r->task != NULL && !task_take(&r->task, &rc))
		return 0;
	if (rc < 0 && go_back(r, rc))
		rc = 0;
	/* Nobody was told the URL of one that has no record. */
	if (rc < 0 && r->is_new)
		resume_cancel(r);
	if (rc < 0)
		return store_failed(resume_store(r), "write in", STORE_STAGING, rc);
	if (is_saved(r->file)) {
		r->is_new = false;
		be_ready(r);
		return 0;
	}
	status = resume_start_save(r, false);
	return status;
}

void
resume_uncount(struct resume_file *f)
{
	if (f->counted)
		store_unfinished_leave(f->store, f->mark, 1);
	f->counted = false;
}

int64_t
resume_expires(const struct resume *r)
{
	return clock_unix() + (int64_t)(resume_store(r)->conf->expire_ms / 1000);
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
	if (more > resume_store(r)->conf->max_size ||
	    size > resume_store(r)->conf->max_size - more)
		return 413;
	if (size + more < f->look_at)
		return 0;
	f->look_at = size + more + STORE_LOOK_EVERY;
	return store_check_room(resume_store(r), size, more);
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
	status = store_count_bytes(resume_store(r), bytes.len);
	if (status != 0)
		return status;
	rc = partial_append(&f->p, bytes);
	if (rc < 0) {
		store_uncount_bytes(resume_store(r), bytes.len);
		return store_failed(resume_store(r), "write in", STORE_STAGING, rc);
	}
	if (!r->guarded && r->task == NULL && f->p.size - f->begun_at >= SAVE_EVERY)
		return resume_start_save(r, false);
	return 0;
}

int
resume_drop(struct resume *r)
{
	/* To one that is complete nothing was appended. */
	int rc = r->file != NULL && r->file->p.fd >= 0 ? cut_to(r, r->from) : 0;

	return rc < 0 ? store_failed(resume_store(r), "cut in", STORE_STAGING, rc) : 0;
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
	return store_check_room(resume_store(r), r->file->p.size,
				length - r->file->p.size);
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

int
resume_save(struct resume *r)
{
	if (r->file == NULL)
		return 0;
	unguard(r);
	r->from = r->file->p.size;
	/* Its time begins anew, too. */
	r->file->dirty = true;
	return resume_save_until_true(r);
}

/* --- complete --- */

static int
remember_location(struct resume *r, const char *name)
{
	struct slice url = slice_make("", 0);
	int status = upload_make_url(r->ex, r->item.path, name, &url);

	/* Encoded it may not fit: then it is not told, but the file is where it belongs. */
	if (status != 0 || url.len > PARTIAL_LOCATION_MAX)
		return status;
	memcpy(r->file->location, url.ptr, url.len);
	r->file->p.record.location = slice_make(r->file->location, url.len);
	return 0;
}

static bool
renames(const struct resume *r)
{
	return resume_store(r)->conf->conflict == CONF_CONFLICT_RENAME;
}

/* What is needed after it got its name. */
static int
reserve_memory(struct resume *r)
{
	struct resume_file *f = r->file;

	if (f->location == NULL)
		f->location = malloc(PARTIAL_LOCATION_MAX);
	if (f->location == NULL)
		return 503;
	return upload_reserve_answer(r->ex, r->item.path,
				     3 * r->ex->path.len + RESUME_ANSWER_MAX);
}

/* It is said to be complete before it has its name: who asks after a crash in between is told
 * what is true, as long as the bytes decide. Which name it gets is not always known yet. */
static int
start_finish(struct resume *r)
{
	int status = reserve_memory(r);

	if (status == 0 && !renames(r))
		status = remember_location(r, fs_last_name(r->item.path));
	r->step = RESUME_STEP_FINISH;
	if (status == 0)
		status = resume_start_save(r, true);
	return status;
}

static int
finish(struct resume *r)
{
	const char *name = r->item.result.name;
	int status = 0;

	r->state = RESUME_DONE;
	resume_uncount(r->file);
	r->file->p.record.complete = true;
	if (renames(r)) {
		status = remember_location(r, name);
		if (status == 0 && partial_save(&r->file->p, false) < 0)
			log_debug(resume_store(r)->log,
				  "upload: a name cannot be written down");
		resume_recount(r->file);
	}
	upload_count(r->ex);
	return 0;
}

static int
give_name(struct resume *r)
{
	int status;

	r->lent = partial_file(&r->file->p);
	r->lent.digest = r->file->digest;
	r->step = RESUME_STEP_PUBLISH;
	r->file->mark = store_unfinished_mark(r->file->store);
	status = publish_begin(&r->publish, r->ex, resume_store(r), &r->item, 1);
	if (status == 0 && r->publish.state == PUBLISH_DONE)
		return finish(r);
	return status;
}

/* Those that the upload was begun with; where there are none, of the request that completes it. */
static bool
find_conditions(struct resume *r)
{
	struct slice kept = r->file->p.record.conditions;
	struct arena *arena = &r->ex->arena;
	const char *text;

	if (kept.len == 0)
		return true;
	text = arena_strdup(arena, kept);
	if (text != NULL)
		r->item.head = resume_conditions_read(slice_make(text, kept.len),
						      &r->ex->head, arena);
	return r->item.head != NULL;
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
	if (r->item.path == NULL || !find_conditions(r))
		return 503;
	unguard(r);
	resume_wait(r, RESUME_STEP_SETTLE);
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
		return store_failed(resume_store(r), "write in", STORE_STAGING, rc);
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
		return store_failed(resume_store(r), "write in", STORE_STAGING, rc);
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
	switch ((enum resume_step)r->step) {
	case RESUME_STEP_LOCK:
		return resume_try_lock(r);
	case RESUME_STEP_SAVE:
		return resume_save_until_true(r);
	case RESUME_STEP_SETTLE:
		return work_settle(r);
	case RESUME_STEP_FINISH:
		return work_finish(r);
	case RESUME_STEP_PUBLISH:
		return work_publish(r);
	}
	return 0;
}

/* --- the end --- */

/* Its bytes count on, as those of a file. */
static bool
has_name(const struct resume *r)
{
	return r->publish.state == PUBLISH_NAMING || r->publish.state == PUBLISH_DONE;
}

static void
remove_file(struct resume_file *f, bool named)
{
	f->mark = store_unfinished_mark(f->store);
	partial_remove(&f->p);
	if (f->p.fd >= 0 && !named)
		store_uncount_bytes(f->store, f->p.size);
	store_uncount_bytes(f->store, f->record);
	f->record = 0;
	resume_uncount(f);
	f->removed = true;
}

void
resume_cancel(struct resume *r)
{
	if (r->file != NULL && !r->file->removed)
		remove_file(r->file, has_name(r));
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
	if (has_name(r))
		resume_uncount(f);
	if (r->guarded && f->p.fd >= 0 && !f->removed) {
		uint64_t gone = f->p.size - r->from;

		if (partial_cut(&f->p, r->from) < 0)
			remove_file(f, false);
		else
			store_uncount_bytes(f->store, gone);
	}
	task_forget(&r->task);
	if (f->saving)
		f->left = true;
	else if (!done && !f->removed && !r->guarded && f->p.fd >= 0 &&
		 f->p.size != f->begun_at)
		resume_leave(f, resume_expires(r), r->ex->site->env.pool);
	else
		resume_file_free(f);
}
