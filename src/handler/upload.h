/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload: what the doors of an "upload" share. A request goes through one door: upload.c finds
 * out which; upload_raw.c takes the body itself as the file, upload_form.c the files of a form.
 */
#ifndef WEBSRV_HANDLER_UPLOAD_H
#define WEBSRV_HANDLER_UPLOAD_H

#include "core/exchange.h"
#include "handler/store.h"

struct resume;
struct resume_sweep;

/* The state of the handler of a route. */
struct upload {
	struct store store;
	struct quota *quota, *unfinished; /* of its own, of who explains; else NULL */
	const struct conf_route *route;
	struct slice *types; /* "types" */
	size_t type_count;
	size_t form_files; /* of the forms that are on their way: each has a descriptor */
	struct resume *resumes; /* that requests of this worker have open */
	uint64_t sweep_due_ms;  /* when unfinished ones are looked through */
	struct pool *pool;      /* borrowed */
};

/* Like handler_ops; open() sets ex->data to a struct whose first member is the door. */
struct upload_door {
	int (*open)(struct exchange *);
	int (*data)(struct exchange *, struct slice bytes, bool last);
	int (*work)(struct exchange *); /* NULL: it never waits */
	void (*close)(struct exchange *, enum exchange_end why);
};

extern const struct upload_door upload_raw;       /* PUT, POST: the body is the file */
extern const struct upload_door upload_form;      /* POST of multipart/form-data */
extern const struct upload_door upload_delete;    /* DELETE of a file */
extern const struct upload_door upload_tus;       /* resumable: tus 1.0 */
extern const struct upload_door upload_rufh;      /* resumable: the IETF draft */
extern const struct upload_door upload_form_page; /* GET: the page to upload with */

static inline struct upload *
upload_of(const struct exchange *ex)
{
	return ex->handler->state;
}

/* Bytes come with it, or may. */
static inline bool
upload_has_body(const struct exchange *ex)
{
	return ex->head.body == HTTP_BODY_CHUNKED ||
	       (ex->head.body == HTTP_BODY_LENGTH && ex->head.content_length > 0);
}

/* The request is for the collection itself, "/drop/", not for a name in it. */
bool upload_is_collection(const struct exchange *ex);

/* Is it the form of a browser? */
bool upload_is_form(const struct exchange *ex);
bool upload_is_multipart(const struct http_head *head);
uint64_t upload_form_body_max(const struct conf_upload *conf);

/*
 * Browsers let a page of any site send a POST here, with the user's passwords: 0, or 403 when
 * a browser says that the page is of another origin, and "cors" does not let that one in.
 * Who says nothing is no browser. Other methods are asked for by a preflight first.
 */
int upload_check_origin(struct exchange *ex);
/* Where a new file goes, relative to the collection: what the URL, or Content-Disposition of a POST
 * to the collection, names, or a name that is made up. In the exchange's arena. 0, or a status:
 * it may not be stored, or not there. */
int upload_choose_path(struct exchange *ex, const char **path);

/* May this path, relative to the collection, be stored? 0; 400 or 415 with the reason set; 409
 * when it has directories and the store makes none. */
int upload_check_path(struct exchange *ex, struct slice path);

/* Is there room for a new file of `more` bytes, as far as that is known? 0, 413 or 507. */
int upload_check_room(struct exchange *ex, uint64_t more);
/* What is known before the body comes: its length, when it has one: 0, 413 or 507. */
int upload_check_length(struct exchange *ex);

/* For who sends a body without a name: when it came, and something that nobody else has. Of
 * the arena; NULL without memory. */
const char *upload_make_name(struct exchange *ex);

/* The path in the URL of what is stored as `name` in the directory of `path`, percent-encoded, of
 * the arena. 0 or a status. */
int upload_make_url(struct exchange *ex, const char *path, const char *name,
		    struct slice *url);

/* Adds Location: the URL of what was stored as `name` in the directory of `path`. 0 or a
 * status. */
int upload_add_location(struct exchange *ex, enum http_field_id field, const char *path,
			const char *name);

/* Before a name is given: what the answer takes of the arena, a Location as of upload_make_url()
 * for `path` and `more` bytes, is there when it is needed. Who was told that there is no memory must
 * not find the file. 0 or 503. */
int upload_reserve_answer(struct exchange *ex, const char *path, size_t more);

/* A file was published: counts it. */
void upload_count(struct exchange *ex);

/* upload_stored.c: what the answer tells of a file that was published and is open still: ETag,
 * and Repr-Digest for who wants it. 0 or a status. */
int upload_tell_stored(struct exchange *ex, const struct store_file *f);

/* A field with a number, on error pages, too. 0 or a status. */
int upload_keep_number(struct exchange *ex, enum http_field_id id, uint64_t n);

/* Answers with a refusal, and a sentence that says why. */
int upload_refuse(struct exchange *ex, int status, const char *why);
/* Likewise, with Retry-After; 500 without memory. */
int upload_refuse_for_now(struct exchange *ex, int status, struct slice seconds,
			  const char *why);

/* upload_methods.c: is there a page to upload with at this URL, and is it asked for? */
bool upload_has_page(const struct exchange *ex);
bool upload_wants_page(const struct exchange *ex);
/* And members of handler_ops. */
bool upload_claims(const struct exchange *ex);
unsigned upload_takes(const struct exchange *ex);
enum http_method upload_method(const struct exchange *ex);
int upload_options(struct exchange *ex, const struct handler *h);

/* resume_sweep.c: removes unfinished uploads that have expired, now and then: handler_ops.tick. */
uint64_t upload_tick(void *state);

/* upload_tus.c, upload_rufh.c: what OPTIONS tells of it. 0 or a status. */
int upload_tus_options(struct exchange *ex, const struct upload *u);
int upload_rufh_options(struct exchange *ex, const struct upload *u);
/* Tus-Resumable in every answer, of errors, too. 0 or a status. */
int upload_tus_say_version(struct exchange *ex);
/* What tus says of the upload besides where it stands: its metadata, how long it is kept, that its
 * length is not known. 0 or a status. */
int upload_tus_say_upload(struct exchange *ex, const struct resume *r);
/* The request is of another version, or none of tus, as the upload is: 412, or a worse status. */
int upload_tus_refuse_version(struct exchange *ex, const char *why);
/* And what a 413 tells. */
int upload_rufh_too_long(struct exchange *ex);

#endif
