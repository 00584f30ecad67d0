/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_rufh: the door of resumable uploads for HTTP, draft-ietf-httpbis-resumable-upload. A PUT
 * to a name, or a POST to the collection, with Upload-Complete begins an upload; HEAD,
 * PATCH and DELETE of its URL go on with it. What an upload is and where it stands is resume.c's
 * business, what the fields look like is that of http/rufh.c.
 *
 *   OPENING -> TAKING (the body) -> SAVING      Upload-Complete: ?0, 201 or 204
 *                                \-> COMPLETING Upload-Complete: ?1, what a plain PUT gets
 */
#include <string.h>

#include "handler/rufh_say.h"
#include "http/digest_hash.h"
#include "http/tus.h"

/* --- lengths --- */

static int
refuse_length(struct exchange *ex, struct rufh_upload *r)
{
	return rufh_answer_problem(ex, r, RUFH_INCONSISTENT_LENGTH, 400, NULL);
}

/* How long the whole must be, as far as this request says: PARTIAL_LENGTH_UNKNOWN when it does
 * not. False when it contradicts itself, or what was `known` before. */
static bool
find_length(const struct exchange *ex, const struct rufh_request *req, uint64_t offset,
	    uint64_t known, uint64_t *length)
{
	bool counted = ex->head.body != HTTP_BODY_CHUNKED;
	uint64_t body = ex->head.body == HTTP_BODY_LENGTH ? ex->head.content_length : 0;

	*length = req->has_length ? req->length : known;
	if (known != PARTIAL_LENGTH_UNKNOWN && *length != known)
		return false;
	if (!counted)
		return true;
	if (body > UINT64_MAX - 1 - offset)
		return false;
	if (req->complete && *length == PARTIAL_LENGTH_UNKNOWN)
		*length = offset + body;
	return *length == PARTIAL_LENGTH_UNKNOWN ||
	       (req->complete ? *length == offset + body : *length >= offset + body);
}

/* --- begin --- */

static int
read_content_digest(struct exchange *ex, struct rufh_upload *r)
{
	struct digest_set set;

	if (digest_hash_library() == NULL)
		return 0;
	if (digest_read(&ex->head, HTTP_FIELD_CONTENT_DIGEST, &set) != 0)
		return upload_refuse(ex, 400, "The Content-Digest is malformed.");
	return store_digest_expect(&r->content, &set, 0);
}

/* The answer was lost, and the client does the last step once more: it gets it again. Anything else
 * would change what is complete. */
static int
answer_again(struct exchange *ex, struct rufh_upload *r)
{
	int status;

	if (upload_has_body(ex))
		return refuse_length(ex, r);
	if (!r->req.complete)
		return rufh_answer_problem(ex, r, RUFH_COMPLETED, 400, NULL);
	status = rufh_say_state(ex, r);
	if (status == 0)
		status = resume_add_published(&r->resume, HTTP_FIELD_LOCATION);
	if (status == 0)
		exchange_respond(ex, 201);
	return status;
}

static int
begin_append(struct exchange *ex, struct rufh_upload *r)
{
	struct rufh_offsets offsets = { resume_offset(&r->resume), r->req.offset };
	uint64_t known = resume_record(&r->resume)->length;
	uint64_t length;
	int status = 0;

	if (offsets.expected != offsets.provided)
		return rufh_answer_problem(ex, r, RUFH_MISMATCHING_OFFSET, 409, &offsets);
	if (!find_length(ex, &r->req, r->req.offset, known, &length))
		return refuse_length(ex, r);
	if (resume_record(&r->resume)->complete)
		return answer_again(ex, r);
	if (length != known)
		status = resume_set_length(&r->resume, length);
	else if (ex->head.body == HTTP_BODY_LENGTH)
		status = store_check_room(&upload_of(ex)->store, r->req.offset,
					  ex->head.content_length);
	return status != 0 ? rufh_refuse(ex, r, status, NULL) : 0;
}

static int
answer_offset(struct exchange *ex, struct rufh_upload *r)
{
	uint64_t length = resume_record(&r->resume)->length;
	int status = rufh_say_state(ex, r);

	/* Who does not say of what protocol he is gets what both have. */
	if (status == 0 && resume_record(&r->resume)->door == PARTIAL_TUS)
		status = upload_tus_say_version(ex);
	if (status == 0 && resume_record(&r->resume)->door == PARTIAL_TUS)
		status = upload_tus_say_upload(ex, &r->resume);
	if (status == 0 && length != PARTIAL_LENGTH_UNKNOWN)
		status = upload_keep_number(ex, HTTP_FIELD_UPLOAD_LENGTH, length);
	if (status == 0 && rufh_is_complete(r))
		status = resume_add_published(&r->resume, HTTP_FIELD_CONTENT_LOCATION);
	ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CACHE_CONTROL);
	if (status == 0 &&
	    exchange_add_field(ex, HTTP_FIELD_CACHE_CONTROL, SLICE("no-store")) < 0)
		status = 500;
	if (status == 0)
		exchange_respond(ex, 204);
	return status;
}

static int
cancel(struct exchange *ex, struct rufh_upload *r)
{
	/* What is published is not taken away by this. */
	if (rufh_is_complete(r))
		return rufh_answer_problem(ex, r, RUFH_COMPLETED, 410, NULL);
	resume_cancel(&r->resume);
	exchange_respond(ex, 204);
	return 0;
}

/* DELETE is the same in both, but for the version that tus wants to hear. */
static int
refuse_tus(struct exchange *ex)
{
	int status = upload_tus_say_version(ex);

	if (status != 0)
		return status;
	if (ex->head.method == HTTP_DELETE)
		return upload_tus_refuse_version(ex, tus_sentence(TUS_NO_VERSION));
	return upload_refuse(ex, 409, "The upload was begun by another protocol.");
}

/* The upload is ours. */
static int
begin(struct exchange *ex, struct rufh_upload *r)
{
	r->step = RUFH_TAKING;
	r->told_offset = resume_offset(&r->resume);
	if (r->creating) {
		rufh_tell_url(ex, r);
		return 0;
	}
	/* When it is complete is another question there. */
	if (!ex->dry && !resume_asks_offset(ex) &&
	    resume_record(&r->resume)->door != PARTIAL_RUFH)
		return refuse_tus(ex);
	switch (ex->head.method) {
	case HTTP_PATCH:
		return ex->dry ? 0 : begin_append(ex, r);
	case HTTP_DELETE:
		return cancel(ex, r);
	default:
		return answer_offset(ex, r);
	}
}

static int
answer_saved(struct exchange *ex, struct rufh_upload *r)
{
	int status = rufh_say_state(ex, r);

	if (status == 0 && r->creating)
		status = resume_add_url(&r->resume, HTTP_FIELD_LOCATION);
	if (status != 0)
		return status;
	r->is_known = true;
	exchange_respond(ex, r->creating ? 201 : 204);
	return 0;
}

/* What would be said of a new file, which is not there. */
static int
foresee(struct exchange *ex, struct rufh_upload *r)
{
	struct store_result *result = &r->resume.item.result;
	int status = store_foresee(&upload_of(ex)->store, r->path, &ex->head, result);

	if (status != 0 || result->replaced)
		return status;
	return upload_add_location(ex, HTTP_FIELD_LOCATION, r->path, result->name);
}

/* What the target says to a body that came in one piece. */
static int
answer_complete(struct exchange *ex, struct rufh_upload *r)
{
	int status = rufh_say_state(ex, r);
	bool replaced;

	if (status == 0 && ex->dry && r->creating)
		status = foresee(ex, r);
	replaced = r->resume.item.result.replaced;
	if (status == 0 && !replaced)
		status = resume_add_published(&r->resume, HTTP_FIELD_LOCATION);
	if (status == 0)
		status = upload_tell_stored(ex, &r->resume.lent);
	if (status != 0)
		return status;
	exchange_respond(ex, replaced ? 204 : 201);
	return 0;
}

/* What comes next, if what was waited for is there. */
static int
go_on(struct exchange *ex, struct rufh_upload *r)
{
	if (!rufh_is_open(r))
		return 0;
	switch (r->step) {
	case RUFH_OPENING:
		return begin(ex, r);
	case RUFH_TAKING:
		rufh_tell_progress(ex, r);
		return 0;
	case RUFH_SAVING:
		return answer_saved(ex, r);
	case RUFH_COMPLETING:
		return answer_complete(ex, r);
	}
	return 0;
}

/* --- open --- */

static int
open_new(struct exchange *ex, struct rufh_upload *r)
{
	struct partial_record record = { .door = PARTIAL_RUFH };
	int status = upload_choose_path(ex, &r->path);

	if (status != 0)
		return rufh_refuse_new(ex, r, status);
	if (!find_length(ex, &r->req, 0, PARTIAL_LENGTH_UNKNOWN, &record.length))
		return refuse_length(ex, r);
	if (record.length != PARTIAL_LENGTH_UNKNOWN)
		status = upload_check_room(ex, record.length);
	else
		status = upload_check_length(ex);
	if (status != 0)
		return rufh_refuse(ex, r, status, NULL);
	if (digest_hash_library() != NULL &&
	    digest_read(&ex->head, HTTP_FIELD_REPR_DIGEST, &record.digest) != 0)
		return rufh_refuse_new(
			ex, r, upload_refuse(ex, 400, "The Repr-Digest is malformed."));
	record.name = slice_from_str(r->path);
	r->creating = true;
	status = resume_create(&r->resume, ex, &record, r->content.expected.present != 0);
	/* There are too many of them: of no other 507 the reason is told. */
	return status == 507 && ex->reason != NULL ? rufh_answer_refusal(ex, r, status)
						   : status;
}

/* What is wrong whatever the upload: whoever is at it is left alone. */
static int
check_append(struct exchange *ex, const struct rufh_request *req)
{
	if (!req->partial)
		return upload_refuse(
			ex, 415, "What is appended has the type " RUFH_PARTIAL_TYPE ".");
	if (!req->has_offset)
		return upload_refuse(ex, 400, "Upload-Offset is missing or malformed.");
	if (!req->has_complete)
		return upload_refuse(ex, 400, "Upload-Complete is missing or malformed.");
	return 0;
}

static int
open_known(struct exchange *ex, struct rufh_upload *r, struct slice id)
{
	bool is_patch = ex->head.method == HTTP_PATCH;
	int status = is_patch ? check_append(ex, &r->req) : 0;

	r->is_known = true;
	if (!resume_asks_offset(ex) && ex->head.method != HTTP_DELETE && !is_patch)
		return 405;
	if (status != 0) {
		rufh_say_gone(ex, r);
		return status;
	}
	return resume_open(&r->resume, ex, id, r->content.expected.present != 0);
}

static int
rufh_open(struct exchange *ex)
{
	struct rufh_upload *r = arena_zalloc(&ex->arena, sizeof(*r));
	struct slice id;
	int status;

	if (r == NULL)
		return 503;
	r->door = &upload_rufh;
	ex->data = r;
	rufh_read(&ex->head, &r->req);
	status = read_content_digest(ex, r);
	if (status == 0)
		status = resume_is_url(ex, &id) ? open_known(ex, r, id) : open_new(ex, r);
	if (status == 0 && ex->state != EXCHANGE_RESPONDING)
		status = go_on(ex, r);
	if (status != 0) {
		store_digest_fini(&r->content);
		resume_close(&r->resume);
	}
	return status;
}

/* --- the body --- */

/* The draft, "Upload Append": once it is longer than was said it is no upload any more. */
static int
end_too_long(struct exchange *ex, struct rufh_upload *r)
{
	rufh_say_gone(ex, r);
	resume_cancel(&r->resume);
	return refuse_length(ex, r);
}

static int
take(struct exchange *ex, struct rufh_upload *r, struct slice bytes)
{
	uint64_t length = resume_record(&r->resume)->length;
	int status;

	if (length != PARTIAL_LENGTH_UNKNOWN &&
	    bytes.len > length - resume_offset(&r->resume))
		return end_too_long(ex, r);
	status = resume_append(&r->resume, bytes);
	if (status != 0)
		return rufh_refuse(ex, r, status, NULL);
	store_digest_add(&r->content, bytes);
	rufh_tell_progress(ex, r);
	return 0;
}

static int
check_content(struct exchange *ex, struct rufh_upload *r)
{
	int status = store_digest_check(&r->content);

	if (status == 0)
		return 0;
	if (resume_drop(&r->resume) != 0)
		return 500;
	return rufh_refuse(
		ex, r, status,
		"The body has another digest than its Content-Digest says; nothing of "
		"it was kept.");
}

/* The body was received whole, and it was said to be the last. */
static int
complete(struct exchange *ex, struct rufh_upload *r)
{
	uint64_t length = resume_record(&r->resume)->length;
	uint64_t offset = resume_offset(&r->resume);
	int status = 0;

	if (length == PARTIAL_LENGTH_UNKNOWN)
		status = resume_set_length(&r->resume, offset);
	else if (length != offset && !ex->dry)
		return refuse_length(ex, r);
	r->step = RUFH_COMPLETING;
	if (status == 0)
		status = resume_complete(&r->resume);
	return status;
}

static int
finish(struct exchange *ex, struct rufh_upload *r)
{
	int status = check_content(ex, r);

	if (status != 0)
		return status;
	if (r->req.complete) {
		status = complete(ex, r);
	} else {
		r->step = RUFH_SAVING;
		status = resume_save(&r->resume);
	}
	if (status != 0)
		return rufh_refuse(ex, r, status, NULL);
	return ex->state == EXCHANGE_RESPONDING ? 0 : go_on(ex, r);
}

static int
rufh_data(struct exchange *ex, struct slice bytes, bool last)
{
	struct rufh_upload *r = ex->data;
	int status = bytes.len > 0 ? take(ex, r, bytes) : 0;

	if (status != 0 || ex->state == EXCHANGE_RESPONDING)
		return status;
	exchange_consumed(ex, bytes.len);
	return last ? finish(ex, r) : 0;
}

static int
rufh_work(struct exchange *ex)
{
	struct rufh_upload *r = ex->data;
	int status = resume_work(&r->resume);

	if (status != 0)
		return rufh_refuse(ex, r, status, NULL);
	return go_on(ex, r);
}

static void
rufh_close(struct exchange *ex, enum exchange_end why)
{
	struct rufh_upload *r = ex->data;

	(void)why;
	/* Nobody could ever go on with it, or ask what became of it. */
	if (!r->is_known)
		resume_cancel(&r->resume);
	resume_close(&r->resume);
	store_digest_fini(&r->content);
}

const struct upload_door upload_rufh = { rufh_open, rufh_data, rufh_work, rufh_close };
