/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_file: what the files of resume share: an unfinished upload that is open, which
 * outlives the exchange while a helper writes its record; and the steps of who is at it.
 */
#ifndef WEBSRV_HANDLER_RESUME_FILE_H
#define WEBSRV_HANDLER_RESUME_FILE_H

#include "handler/resume.h"

struct pool;

/* What WAITING waits for. */
enum resume_step {
	RESUME_STEP_LOCK,
	RESUME_STEP_SAVE,
	RESUME_STEP_SETTLE,
	RESUME_STEP_FINISH,
	RESUME_STEP_PUBLISH
};

struct resume_file {
	struct partial p;
	struct store *store; /* borrowed: the site outlives the helpers */
	int staging;         /* its own */
	bool counted;        /* among the unfinished: store_unfinished.h */
	uint64_t mark;       /* before it was removed, or got its name */
	uint64_t record;     /* bytes of its record, as they count for the quota */
	bool durable;
	bool saving; /* a helper writes a record of it */
	bool left;   /* the exchange is gone: free it when the helper is done */
	bool dirty;  /* the record says something new */
	bool removed;
	uint64_t saved;              /* the offset that the record on disk acknowledges */
	uint64_t begun_at;           /* of the last save: its offset */
	uint64_t look_at;            /* the size at which free space is asked for again */
	char boot[PARTIAL_BOOT_MAX]; /* of the record, while a guarded piece hides it */
	char *location;           /* of the record, PARTIAL_LOCATION_MAX; of the heap */
	struct digest_set digest; /* of the whole, when it is complete */
};

/* NULL: no memory or no descriptor. */
struct resume_file *resume_file_new(struct store *store, int staging);
void resume_file_free(struct resume_file *f);

/* resume.c */

struct store *resume_store(const struct resume *r);
/* When an upload that is touched now will have expired: seconds since 1970. */
int64_t resume_expires(const struct resume *r);
/* WAITING, for that step. */
void resume_wait(struct resume *r, enum resume_step step);
/* Since `mark` it is no unfinished upload any more. A second time does nothing. */
void resume_uncount(struct resume_file *f);
/* WAITING until the record says what there is, then READY. 0 or a status. */
int resume_save_until_true(struct resume *r) __attribute__((warn_unused_result));

/* resume_open.c: READY, WAITING for the lock or the record, or a status. */
int resume_try_lock(struct resume *r) __attribute__((warn_unused_result));

/* resume_save.c */

/* Its record may have another size now, which counts. */
void resume_recount(struct resume_file *f);
/* A helper writes the record as it is now; `completes`: that the upload is whole, when the
 * digests that it must have are right; all that are needed are computed in one pass. r->task is
 * set. 0 or a status. */
int resume_start_save(struct resume *r, bool completes)
	__attribute__((warn_unused_result));
/* The same when nobody waits, with that as its end: the file is freed when it is done, and not
 * written down when too much is waiting: its bytes count anyway while the system runs. */
void resume_leave(struct resume_file *f, int64_t expires, struct pool *pool);

/* resume_turn.c: who is next? */

uint64_t resume_now_ns(void);
/* Does somebody who came after `since_ns` want the upload? */
bool resume_is_wanted(int staging, const char *id, uint64_t since_ns);
/* Says so. False: somebody newer does already. */
bool resume_want(int staging, const char *id, uint64_t since_ns);
/* Whoever came before is served. */
void resume_forget_want(int staging, const char *id, uint64_t since_ns);

#endif
