/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_tus: the door of resumable uploads by tus 1.0.0: POST to the collection creates, with
 * its first bytes if it likes; HEAD, PATCH and DELETE of the upload's URL go on with it. When the
 * last byte is there the file gets the name that the metadata has.
 */
#include <string.h>

#include "handler/resume.h"
#include "handler/upload.h"
#include "http/date.h"
#include "http/digest_hash.h"
#include "http/param.h"
#include "http/tus.h"

#define BODY_TYPE SLICE("application/offset+octet-stream")
#define NUMBER_MAX 24

enum op { OP_CREATE, OP_HEAD, OP_PATCH, OP_DELETE };

struct tus {
	const struct upload_door *door;
	enum op op;
	bool opening; /* the upload is not ours yet */
	bool ends;    /* the body is whole: what comes next is the answer */
	bool told;    /* where the upload is */
	struct tus_request req;
	struct digest_hash *hash;
	struct resume r;
};

/* --- fields --- */

static int
add_expires(struct exchange *ex, const struct resume *r)
{
	char *date = arena_alloc(&ex->arena, HTTP_DATE_LEN);

	if (date == NULL)
		return 503;
	http_date_format(resume_record(r)->expires, date);
	return exchange_add_field(ex, HTTP_FIELD_UPLOAD_EXPIRES,
				  slice_make(date, HTTP_DATE_LEN)) < 0
		       ? 500
		       : 0;
}

/* Why, and what a client can do about it. */
static int
refuse_size(struct exchange *ex, int status)
{
	int rc;

	if (status != 413)
		return status;
	rc = upload_keep_number(ex, HTTP_FIELD_TUS_MAX_SIZE,
				upload_of(ex)->store.conf->max_size);
	return rc != 0 ? rc : status;
}

int
upload_tus_say_version(struct exchange *ex)
{
	return exchange_keep_field(ex, HTTP_FIELD_TUS_RESUMABLE, SLICE(TUS_VERSION)) < 0
		       ? 500
		       : 0;
}

int
upload_tus_refuse_version(struct exchange *ex, const char *why)
{
	if (exchange_keep_field(ex, HTTP_FIELD_TUS_VERSION, SLICE(TUS_VERSION)) < 0)
		return 500;
	return upload_refuse(ex, 412, why);
}

int
upload_tus_options(struct exchange *ex, const struct upload *u)
{
	bool sums = digest_hash_library() != NULL;
	const char *max = arena_printf(&ex->arena, "%llu",
				       (unsigned long long)u->store.conf->max_size);

	if (max == NULL)
		return 503;
	if (exchange_add_field(ex, HTTP_FIELD_TUS_RESUMABLE, SLICE(TUS_VERSION)) < 0 ||
	    exchange_add_field(ex, HTTP_FIELD_TUS_VERSION, SLICE(TUS_VERSION)) < 0 ||
	    exchange_add_field(ex, HTTP_FIELD_TUS_MAX_SIZE, slice_from_str(max)) < 0 ||
	    exchange_add_field(
		    ex, HTTP_FIELD_TUS_EXTENSION,
		    sums ? SLICE("creation,creation-with-upload,creation-defer-length,"
				 "expiration,termination,checksum")
			 : SLICE("creation,creation-with-upload,creation-defer-length,"
				 "expiration,termination")) < 0)
		return 500;
	if (sums && exchange_add_field(ex, HTTP_FIELD_TUS_CHECKSUM_ALGORITHM,
				       SLICE("sha1,sha256,sha512")) < 0)
		return 500;
	return 0;
}

/* --- the answer --- */

static int
add_state(struct exchange *ex, struct tus *t)
{
	const struct partial_record *rec = resume_record(&t->r);
	bool complete = t->r.state == RESUME_DONE || rec->complete;
	int status = 0;

	if (t->op != OP_CREATE || ex->received > 0)
		status = upload_keep_number(ex, HTTP_FIELD_UPLOAD_OFFSET,
					    resume_offset(&t->r));
	if (status == 0 && t->op != OP_HEAD && !ex->dry && !complete)
		status = add_expires(ex, &t->r);
	if (status == 0 && complete)
		status = resume_add_published(&t->r, HTTP_FIELD_CONTENT_LOCATION);
	return status;
}

int
upload_tus_say_upload(struct exchange *ex, const struct resume *r)
{
	const struct partial_record *rec = resume_record(r);
	const char *metadata = arena_strdup(&ex->arena, rec->metadata);

	if (metadata == NULL)
		return 503;
	if (rec->length == PARTIAL_LENGTH_UNKNOWN &&
	    exchange_add_field(ex, HTTP_FIELD_UPLOAD_DEFER_LENGTH, SLICE("1")) < 0)
		return 500;
	if (rec->metadata.len > 0 &&
	    exchange_add_field(ex, HTTP_FIELD_UPLOAD_METADATA,
			       slice_make(metadata, rec->metadata.len)) < 0)
		return 500;
	return ex->dry || rec->complete ? 0 : add_expires(ex, r);
}

static int
add_head(struct exchange *ex, struct tus *t)
{
	const struct partial_record *rec = resume_record(&t->r);
	int status = 0;

	ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CACHE_CONTROL);
	if (exchange_add_field(ex, HTTP_FIELD_CACHE_CONTROL, SLICE("no-store")) < 0)
		return 500;
	if (rec->length != PARTIAL_LENGTH_UNKNOWN)
		status = upload_keep_number(ex, HTTP_FIELD_UPLOAD_LENGTH, rec->length);
	return status == 0 ? upload_tus_say_upload(ex, &t->r) : status;
}

static int
answer(struct exchange *ex, struct tus *t)
{
	static const int statuses[] = {
		[OP_CREATE] = 201, [OP_HEAD] = 200, [OP_PATCH] = 204, [OP_DELETE] = 204
	};
	int status = 0;

	if (t->op == OP_CREATE)
		status = resume_add_url(&t->r, HTTP_FIELD_LOCATION);
	if (status == 0 && t->op == OP_HEAD)
		status = add_head(ex, t);
	if (status == 0 && t->op != OP_DELETE)
		status = add_state(ex, t);
	if (status != 0)
		return status;
	t->told = true;
	exchange_respond(ex, statuses[t->op]);
	return 0;
}

/* --- open --- */

static int
read_request(struct exchange *ex, struct tus *t)
{
	enum tus_error e = tus_read(&ex->head, &t->req);

	if (e == TUS_OK)
		return 0;
	if (e == TUS_NO_VERSION || e == TUS_OTHER_VERSION)
		return upload_tus_refuse_version(ex, tus_sentence(e));
	return upload_refuse(ex, 400, tus_sentence(e));
}

static int
check_type(struct exchange *ex)
{
	struct slice type = http_head_value(&ex->head, HTTP_FIELD_CONTENT_TYPE);

	type = slice_trim(slice_make(type.ptr, slice_find(type, ';')));
	if (slice_eq_nocase(type, BODY_TYPE))
		return 0;
	return upload_refuse(ex, 415,
			     "The Content-Type is not application/offset+octet-stream.");
}

static int
begin_checksum(struct exchange *ex, struct tus *t)
{
	if (!t->req.has_checksum || ex->dry)
		return 0;
	if (digest_hash_library() == NULL)
		return upload_refuse(ex, 400, "Upload-Checksum is not served.");
	t->hash = digest_hash_new(t->req.algorithm);
	return t->hash != NULL ? 0 : 503;
}

/* The name that the metadata has, or one that is made up; of the arena. */
static int
choose_name(struct exchange *ex, const struct tus *t, const char **name)
{
	struct slice text = t->req.metadata, found = slice_make("", 0), last;
	char *room = arena_alloc(&ex->arena, TUS_METADATA_MAX);
	int rc = -1, status;

	if (room == NULL)
		return 503;
	if (text.ptr != NULL)
		rc = tus_metadata_find(text, SLICE("filename"), room, TUS_METADATA_MAX,
				       &found);
	if (text.ptr != NULL && rc < 0)
		rc = tus_metadata_find(text, SLICE("name"), room, TUS_METADATA_MAX,
				       &found);
	last = rc == 0 ? upload_name_last(found) : slice_make("", 0);
	if (last.len == 0) {
		*name = upload_make_name(ex);
		return *name != NULL ? 0 : 503;
	}
	status = upload_check_path(ex, last);
	if (status != 0)
		return status;
	*name = arena_strdup(&ex->arena, last);
	return *name != NULL ? 0 : 503;
}

static int
create(struct exchange *ex, struct tus *t)
{
	struct store *s = &upload_of(ex)->store;
	struct partial_record rec = { .door = PARTIAL_TUS,
				      .length = PARTIAL_LENGTH_UNKNOWN,
				      .metadata = t->req.metadata };
	const char *name;
	int status;

	if (!upload_is_collection(ex))
		return upload_refuse(ex, 405, "Uploads are created at the collection.");
	if (t->req.has_length == t->req.defers_length)
		return upload_refuse(ex, 400,
				     "Upload-Length or Upload-Defer-Length is needed.");
	status = upload_has_body(ex) ? check_type(ex) : 0;
	if (status == 0)
		status = choose_name(ex, t, &name);
	if (status == 0)
		status = store_check_name(s, name, &ex->head);
	if (status != 0)
		return status;
	rec.name = slice_from_str(name);
	if (t->req.has_length)
		rec.length = t->req.length;
	status = upload_check_room(ex, t->req.has_length ? rec.length : 0);
	if (status == 0 && ex->head.body == HTTP_BODY_LENGTH &&
	    ex->head.content_length > rec.length)
		status = upload_refuse(ex, 400, "That is more than Upload-Length says.");
	if (status == 0)
		status = begin_checksum(ex, t);
	if (status == 0)
		status = resume_create(&t->r, ex, &rec, t->hash != NULL);
	return status;
}

static int
go_on_with(struct exchange *ex, struct tus *t, struct slice id)
{
	int status = 0;

	if (t->op == OP_PATCH) {
		if (!t->req.has_offset)
			status = upload_refuse(ex, 400, "Upload-Offset is needed.");
		if (status == 0)
			status = check_type(ex);
		if (status == 0)
			status = begin_checksum(ex, t);
	}
	return status != 0 ? status : resume_open(&t->r, ex, id, t->hash != NULL);
}

/* The offset is where the upload stands, and there is room for what comes. */
static int
check_patch(struct exchange *ex, struct tus *t)
{
	uint64_t offset = resume_offset(&t->r), length;
	int status = 0;

	if (t->req.offset != offset) {
		status = upload_keep_number(ex, HTTP_FIELD_UPLOAD_OFFSET, offset);
		return status != 0
			       ? status
			       : upload_refuse(ex, 409,
					       "The upload stands at another offset.");
	}
	if (t->req.has_length)
		status = resume_set_length(&t->r, t->req.length);
	if (status != 0 || ex->head.body != HTTP_BODY_LENGTH)
		return status;
	length = resume_record(&t->r)->length;
	if (length != PARTIAL_LENGTH_UNKNOWN && ex->head.content_length > length - offset)
		return upload_refuse(ex, 413, "That is more than was announced.");
	return store_check_room(&upload_of(ex)->store, offset, ex->head.content_length);
}

/* The upload is ours: may the body come? */
static int
begin(struct exchange *ex, struct tus *t)
{
	t->opening = false;
	if (ex->dry)
		return 0;
	if (t->op != OP_CREATE && t->op != OP_HEAD &&
	    resume_record(&t->r)->door != PARTIAL_TUS)
		return upload_refuse(ex, 409,
				     "The upload was begun by another protocol.");
	if (t->op == OP_PATCH)
		return check_patch(ex, t);
	/* What is published is not taken away by this. */
	if (t->op == OP_DELETE && resume_record(&t->r)->complete)
		return upload_refuse(ex, 410, "The upload is complete.");
	return 0;
}

static int
find_op(const struct exchange *ex, bool at_upload, enum op *op)
{
	switch (ex->head.method) {
	case HTTP_POST:
		*op = OP_CREATE;
		return at_upload ? 405 : 0;
	case HTTP_GET:
	case HTTP_HEAD:
		*op = OP_HEAD;
		return 0;
	case HTTP_PATCH:
		*op = OP_PATCH;
		return 0;
	case HTTP_DELETE:
		*op = OP_DELETE;
		return 0;
	default:
		return 405;
	}
}

static int
tus_open(struct exchange *ex)
{
	struct tus *t = arena_zalloc(&ex->arena, sizeof(*t));
	struct slice id = slice_make("", 0);
	int status;

	if (t == NULL)
		return 503;
	t->door = &upload_tus;
	ex->data = t;
	if (tus_method(&ex->head) == HTTP_METHOD_UNKNOWN)
		status =
			upload_refuse(ex, 400, "X-HTTP-Method-Override names no method.");
	else
		status = find_op(ex, resume_is_url(ex, &id), &t->op);
	if (status == 0)
		status = read_request(ex, t);
	t->opening = true;
	if (status == 0)
		status = t->op == OP_CREATE ? create(ex, t) : go_on_with(ex, t, id);
	if (status == 0 && t->r.state == RESUME_READY)
		status = begin(ex, t);
	if (status != 0) {
		digest_hash_free(t->hash);
		resume_close(&t->r);
	}
	return refuse_size(ex, status);
}

/* --- data --- */

/* 0, 460 with the piece cut off again, or another status. */
static int
check_sum(struct exchange *ex, struct tus *t)
{
	unsigned char value[DIGEST_SIZE_MAX];
	int status;

	if (t->hash == NULL)
		return 0;
	if (!digest_hash_end(t->hash, value))
		return 500;
	if (memcmp(value, t->req.checksum, digest_size(t->req.algorithm)) == 0)
		return 0;
	status = resume_drop(&t->r);
	if (status == 0 && t->op == OP_CREATE)
		resume_cancel(&t->r);
	else if (status == 0)
		status = upload_keep_number(ex, HTTP_FIELD_UPLOAD_OFFSET,
					    resume_offset(&t->r));
	return status != 0 ? status
			   : upload_refuse(ex, 460,
					   "The bytes are not those that were "
					   "meant: the checksum is another.");
}

static int
finish_piece(struct exchange *ex, struct tus *t)
{
	const struct partial_record *rec = resume_record(&t->r);
	int status = check_sum(ex, t);

	if (status != 0)
		return status;
	if (!rec->complete && resume_offset(&t->r) == rec->length)
		status = resume_complete(&t->r);
	else if (!rec->complete && (t->op == OP_PATCH || ex->received > 0))
		status = resume_save(&t->r);
	if (status != 0 || t->r.state == RESUME_WAITING)
		return status;
	return answer(ex, t);
}

/* The last byte came, but its sender had gone when the file was to get its name. To be told that
 * all is there means to a client that it has arrived: so it does now. */
static bool
awaits_name(const struct exchange *ex, const struct tus *t)
{
	const struct partial_record *rec = resume_record(&t->r);

	return !ex->dry && rec->door == PARTIAL_TUS && !rec->complete &&
	       rec->length == resume_offset(&t->r);
}

static int
tus_data(struct exchange *ex, struct slice bytes, bool last)
{
	struct tus *t = ex->data;
	int status = 0;

	if (t->op == OP_CREATE || t->op == OP_PATCH)
		status = resume_append(&t->r, bytes);
	if (status != 0)
		return refuse_size(ex, status);
	if (t->hash != NULL)
		digest_hash_add(t->hash, bytes.ptr, bytes.len);
	exchange_consumed(ex, bytes.len);
	if (!last)
		return 0;
	t->ends = true;
	if (t->op == OP_DELETE)
		resume_cancel(&t->r);
	if (t->op == OP_DELETE || (t->op == OP_HEAD && !awaits_name(ex, t)))
		return answer(ex, t);
	return finish_piece(ex, t);
}

static int
tus_work(struct exchange *ex)
{
	struct tus *t = ex->data;
	int status = resume_work(&t->r);

	if (status != 0 || t->r.state == RESUME_WAITING)
		return status;
	if (t->opening)
		return refuse_size(ex, begin(ex, t));
	return t->ends ? answer(ex, t) : 0;
}

static void
tus_close(struct exchange *ex, enum exchange_end why)
{
	struct tus *t = ex->data;

	(void)why;
	digest_hash_free(t->hash);
	/* Nobody could ever go on with it. */
	if (t->op == OP_CREATE && !t->told)
		resume_cancel(&t->r);
	resume_close(&t->r);
}

const struct upload_door upload_tus = { tus_open, tus_data, tus_work, tus_close };
