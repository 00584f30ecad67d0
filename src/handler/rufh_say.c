/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rufh_say: fields, problems and interim answers. An offset is a promise: one that a loss of
 * power could take back is not told.
 */
#include "handler/rufh_say.h"

#include "base/number.h"

/* --- fields --- */

/* A limit of the server, and how long the upload is kept; `age` may be UINT64_MAX. */
static struct slice
format_limits(struct exchange *ex, const struct store *s, uint64_t age)
{
	struct rufh_limits limits = { .present = RUFH_LIMIT_BIT(RUFH_MAX_SIZE) };
	char *text = arena_alloc(&ex->arena, RUFH_LIMITS_TEXT_MAX);

	limits.of[RUFH_MAX_SIZE] = s->conf->max_size;
	if (age != UINT64_MAX) {
		limits.present |= RUFH_LIMIT_BIT(RUFH_MAX_AGE);
		limits.of[RUFH_MAX_AGE] = age;
	}
	return text != NULL ? rufh_format_limits(&limits, text) : slice_make(NULL, 0);
}

bool
rufh_is_open(const struct rufh_upload *r)
{
	return r->resume.state == RESUME_READY || r->resume.state == RESUME_DONE;
}

bool
rufh_is_complete(const struct rufh_upload *r)
{
	return r->resume.state == RESUME_DONE || resume_record(&r->resume)->complete;
}

static struct slice
limits_of(struct exchange *ex, struct rufh_upload *r)
{
	const struct store *s = &upload_of(ex)->store;
	uint64_t age = UINT64_MAX;

	if (rufh_is_open(r) && !rufh_is_complete(r))
		age = ex->dry ? s->conf->expire_ms / 1000
			      : resume_seconds_left(&r->resume);
	return format_limits(ex, s, age);
}

static int
keep_limits(struct exchange *ex, struct rufh_upload *r)
{
	struct slice text = limits_of(ex, r);

	if (text.len == 0)
		return 503;
	return exchange_keep_field(ex, HTTP_FIELD_UPLOAD_LIMIT, text) < 0 ? 500 : 0;
}

static bool
may_tell_offset(const struct rufh_upload *r)
{
	return rufh_is_complete(r) ||
	       resume_offset(&r->resume) == resume_saved(&r->resume);
}

static int
keep_complete(struct exchange *ex, bool complete)
{
	return exchange_keep_field(ex, HTTP_FIELD_UPLOAD_COMPLETE,
				   complete ? SLICE("?1") : SLICE("?0")) < 0
		       ? 500
		       : 0;
}

/* The draft, "Completeness": ?1 on what the target itself has said of the file, else ?0. */
static int
say(struct exchange *ex, struct rufh_upload *r, bool complete)
{
	int status;

	if (r->said)
		return 0;
	r->said = true;
	status = keep_limits(ex, r);
	if (status == 0 && rufh_is_open(r) && may_tell_offset(r))
		status = upload_keep_number(ex, HTTP_FIELD_UPLOAD_OFFSET,
					    resume_offset(&r->resume));
	return status == 0 ? keep_complete(ex, complete) : status;
}

int
rufh_say_state(struct exchange *ex, struct rufh_upload *r)
{
	return say(ex, r, rufh_is_open(r) && rufh_is_complete(r));
}

/* Nothing is left that could be gone on with. */
static void
say_end(struct exchange *ex, struct rufh_upload *r, bool by_target)
{
	if (!r->said)
		(void)keep_complete(ex, by_target);
	r->said = true;
}

void
rufh_say_gone(struct exchange *ex, struct rufh_upload *r)
{
	say_end(ex, r, false);
}

int
rufh_refuse(struct exchange *ex, struct rufh_upload *r, int status, const char *why)
{
	/* All of it was received, but the target does not want it: sending more is no help. */
	if (r->step == RUFH_COMPLETING && status < 500)
		say_end(ex, r, true);
	else
		(void)rufh_say_state(ex, r);
	return why != NULL ? upload_refuse(ex, status, why) : status;
}

int
rufh_refuse_new(struct exchange *ex, struct rufh_upload *r, int status)
{
	if (status < 500)
		say_end(ex, r, true);
	return status;
}

/* `text` is freed. */
static int
answer_json(struct exchange *ex, struct rufh_upload *r, int status, struct buf *text)
{
	const char *body =
		text->failed ? NULL : arena_strdup(&ex->arena, buf_slice(text));

	buf_fini(text);
	(void)say(ex, r, false);
	if (body == NULL)
		return 503;
	if (exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE, SLICE(RUFH_PROBLEM_TYPE)) < 0)
		return 500;
	exchange_note(ex, TRACE_UPLOAD, "%s", body);
	ex->body = body_memory(slice_from_str(body));
	exchange_respond(ex, status);
	return 0;
}

int
rufh_answer_problem(struct exchange *ex, struct rufh_upload *r, enum rufh_problem p,
		    int status, const struct rufh_offsets *offsets)
{
	struct buf text;

	buf_init(&text);
	rufh_add_problem(&text, p, status, offsets);
	return answer_json(ex, r, status, &text);
}

int
rufh_answer_refusal(struct exchange *ex, struct rufh_upload *r, int status)
{
	struct buf text;

	buf_init(&text);
	rufh_add_refusal(&text, status, ex->reason);
	return answer_json(ex, r, status, &text);
}

int
upload_rufh_options(struct exchange *ex, const struct upload *u)
{
	const struct store *s = &u->store;
	struct slice text = format_limits(ex, s, s->conf->expire_ms / 1000);

	if (text.len == 0)
		return 503;
	if (exchange_add_field(ex, HTTP_FIELD_ACCEPT_PATCH, SLICE(RUFH_PARTIAL_TYPE)) < 0)
		return 500;
	return exchange_add_field(ex, HTTP_FIELD_UPLOAD_LIMIT, text) < 0 ? 500 : 0;
}

int
upload_rufh_too_long(struct exchange *ex)
{
	struct slice text = format_limits(ex, &upload_of(ex)->store, UINT64_MAX);

	if (text.len == 0)
		return 503;
	if (exchange_keep_field(ex, HTTP_FIELD_UPLOAD_LIMIT, text) < 0 ||
	    keep_complete(ex, false) != 0)
		return 500;
	return 413;
}

/* --- interim answers --- */

static bool
send_interim(struct exchange *ex, const struct rufh_upload *r,
	     const struct http_field *given, size_t count)
{
	struct http_field fields[3];
	char version[20];
	size_t n;

	/* A client of another draft would take it for something else. */
	if (!rufh_is_spoken(r->req.interop) || ex->dry)
		return false;
	for (n = 0; n < count; n++)
		fields[n] = given[n];
	fields[n].id = HTTP_FIELD_UPLOAD_DRAFT_INTEROP_VERSION;
	fields[n].name = http_field_name(fields[n].id);
	fields[n].value = slice_make(version, number_format(r->req.interop, version));
	fields[n].joined = false;
	return exchange_interim(ex, 104, fields, n + 1);
}

void
rufh_tell_url(struct exchange *ex, struct rufh_upload *r)
{
	const enum http_field_id ids[] = { HTTP_FIELD_LOCATION, HTTP_FIELD_UPLOAD_LIMIT };
	struct http_field fields[2] = {
		{ http_field_name(ids[0]), resume_url(&r->resume), ids[0], false },
		{ http_field_name(ids[1]), limits_of(ex, r), ids[1], false },
	};

	if (fields[0].value.len != 0 && fields[1].value.len != 0)
		r->is_known = send_interim(ex, r, fields, 2);
}

void
rufh_tell_progress(struct exchange *ex, struct rufh_upload *r)
{
	uint64_t offset = resume_saved(&r->resume);
	char digits[20];
	struct http_field field = { http_field_name(HTTP_FIELD_UPLOAD_OFFSET),
				    slice_make(digits, number_format(offset, digits)),
				    HTTP_FIELD_UPLOAD_OFFSET, false };

	if (offset > r->told_offset && send_interim(ex, r, &field, 1))
		r->told_offset = offset;
}
