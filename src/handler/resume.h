/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume: what the doors of resumable uploads share: one request at one unfinished upload. The
 * upload has a URL below the collection, "/drop/.uploads/ID"; whoever knows it goes on with
 * it, from any connection. Protocols, their fields and their errors are the doors' business.
 *
 *   resume_create, resume_open -> WAITING -> READY --resume_append...--> READY
 *   READY --resume_save--> WAITING -> READY         READY --resume_complete--> WAITING -> DONE
 *
 * One request at a time: the newer one wins. The older exchange is aborted, in this worker at
 * once, in another within RESUME_LOOK_MS; the newer one tries again every RESUME_TRY_MS
 * for RESUME_PATIENCE_MS, then it is refused with 503 and Retry-After.
 *
 * No offset is told before it is true after a loss of power (of a store that is durable): READY
 * after resume_create(), resume_open() and resume_save() means that resume_offset() may be told.
 * HEAD on a full disk goes back to the last that was written down, for good.
 * Bytes that come behind it are written down now and then, and count anyway while the
 * system runs.
 *
 * Functions that return int: 0 or an HTTP status to answer with, its reason set.
 */
#ifndef WEBSRV_HANDLER_RESUME_H
#define WEBSRV_HANDLER_RESUME_H

#include "handler/partial.h"
#include "handler/publish.h"

struct exchange;
struct resume_file;
struct upload;

#define RESUME_SEGMENT ".uploads" /* no name that is stored begins with a dot */
#define RESUME_TRY_MS 20
#define RESUME_PATIENCE_MS 5000
#define RESUME_LOOK_MS 250
/* Bytes that a door may take of the arena for the answer to who completed an upload, beside URLs:
 * all fields that tell of it. */
#define RESUME_ANSWER_MAX (PARTIAL_LOCATION_MAX + PARTIAL_METADATA_MAX + 1024)

enum resume_state {
	RESUME_NONE,    /* nothing is open */
	RESUME_WAITING, /* resume_work() goes on */
	RESUME_READY,   /* ours, and what resume_offset() says may be told */
	RESUME_DONE     /* published: `result` says as what */
};

/* Zeroed is NONE. Lives in the arena of the exchange. */
struct resume {
	enum resume_state state;
	int step; /* of resume_file.h: what WAITING waits for */
	struct exchange *ex;
	struct upload *upload; /* its route's; the exchange knows it no more in close() */
	struct resume_file *file;     /* NULL: none, and in a dry run */
	struct resume *next, **pprev; /* of those of the route in this worker */
	struct task *task;
	uint64_t since_ns; /* who is newer */
	uint64_t due_ms;   /* when patience ends */
	char id[PARTIAL_ID_LEN + 1];
	bool is_new;   /* created by this request, and its record is not there yet */
	bool guarded;  /* the piece is taken as a whole or not at all */
	uint64_t from; /* the offset where this piece began */
	struct publish publish;
	struct publish_item item;
	struct store_file lent;
};

/* Is `ex` a request for the URL of an upload (of any, there or not)? *id is what stands for its
 * name: partial_is_id() is not checked. */
bool resume_is_url(const struct exchange *ex, struct slice *id);

/* Does it only ask where the upload stands? */
bool resume_asks_offset(const struct exchange *ex);

/* Does the route have resumable uploads at all: "resumable", below a prefix. */
bool resume_is_on(const struct exchange *ex);

/* A new one. The record has door, length, name (a path that upload_check_path() and
 * store_check_name() passed), metadata and digest; created and expires are set here. Call it from
 * open() of the door: until it is READY no body comes and no 100 Continue goes out (the exchange
 * is held). READY at once in a dry run, where nothing is created. `guarded`: see resume_open(). */
int resume_create(struct resume *r, struct exchange *ex,
		  const struct partial_record *record, bool guarded)
	__attribute__((warn_unused_result));

/* That one, likewise; whoever else is at it is closed. 404: there is none. READY also for one that
 * is complete (resume_record()->complete): then nothing may be appended.
 * `guarded`: what is appended counts only after resume_save() or resume_complete(): until then it
 * is cut off when the request ends, however that happens (a checksum, Content-Digest). */
int resume_open(struct resume *r, struct exchange *ex, struct slice id, bool guarded)
	__attribute__((warn_unused_result));

/* Of work() of the door, always first. When the state is still WAITING, return its result. */
int resume_work(struct resume *r) __attribute__((warn_unused_result));

/* READY only. 413: beyond max_size or the length of the whole; 507 and the like: what was
 * appended before stays. */
int resume_append(struct resume *r, struct slice bytes)
	__attribute__((warn_unused_result));
/* Cuts off what this request has appended. */
int resume_drop(struct resume *r) __attribute__((warn_unused_result));

/* The whole is to be that long; at once for the record in memory, written down by the next save.
 * 400 when it was said to be another, or is less than there is already; 413 or 507. */
int resume_set_length(struct resume *r, uint64_t length)
	__attribute__((warn_unused_result));

/* Writes down what there is: WAITING, then READY. */
int resume_save(struct resume *r) __attribute__((warn_unused_result));

/* All bytes are there: WAITING, then DONE with r->item.result, or a status; after one the upload
 * stays as it is, and may be completed again. A digest of the record that does not match: 400,
 * and the upload is gone. Counts the file (upload_count). */
int resume_complete(struct resume *r) __attribute__((warn_unused_result));

/* The upload is gone: in any state of who has made it, else READY only. What is published stays. */
void resume_cancel(struct resume *r);

/* Of close() of the door, in every state: lets go of the lock; what was appended stays, unless
 * guarded and not saved. */
void resume_close(struct resume *r);

/* READY and DONE only; in a dry run those of an empty upload. */
uint64_t resume_offset(const struct resume *r);
const struct partial_record *resume_record(const struct resume *r);

/* What is written down of it: may be told while more is being appended. */
uint64_t resume_saved(const struct resume *r);

/* The URL of the upload as a path, percent-encoded: ready for Location. Of the arena; empty without
 * memory. */
struct slice resume_url(const struct resume *r);
/* Adds it to every answer of this exchange, error pages too. 0 or a status. */
int resume_add_url(struct resume *r, enum http_field_id field);
/* Content-Location, or Location: where what was published is; nothing when that is not known. */
int resume_add_published(struct resume *r, enum http_field_id field);

/* Seconds until it is removed, from its record. */
uint64_t resume_seconds_left(const struct resume *r);

#endif
