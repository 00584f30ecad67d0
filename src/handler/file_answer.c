/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_answer: from the chosen representation to 200, 206, 304, 412 or 416: conditions first,
 * then the range (RFC 9110 section 13.2.2), and the fields that belong to each.
 */
#include "base/clock.h"
#include "handler/file_digest.h"
#include "handler/files.h"
#include "http/cond.h"
#include "http/disposition.h"
#include "handler/etag.h"

#define RANGES_MAX 64 /* the most that limits.ranges may say */

static struct slice
media_type(const struct file_choice *c)
{
	const struct file_version *v = c->original != NULL ? c->original : c->version;

	return v->fields[FILE_FIELD_CONTENT_TYPE].value;
}

/* --- fields --- */

/* The validators of what is encoded on the way are not those of the file. */
static struct slice
entity_tag(struct exchange *ex, const struct file_choice *c)
{
	struct slice tag = c->version->fields[FILE_FIELD_ETAG].value;
	char *text;

	if (!c->encode)
		return tag;
	text = arena_alloc(&ex->arena, ETAG_MAX);
	return text == NULL ? slice_make(NULL, 0)
			    : etag_format_coded(tag, coding_name(c->coding), text);
}

/* Those that a 304 has as well: RFC 9110 section 15.4.5. */
static int
add_metadata(struct exchange *ex, const struct file_choice *c, struct slice etag)
{
	const struct http_field *f = c->version->fields;
	int rc = 0;

	ex->shared_fields = &f[c->encode ? FILE_FIELD_LAST_MODIFIED : FILE_FIELD_ETAG];
	ex->shared_field_count = c->encode ? 1 : FILE_FIELD_CONTENT_TYPE;
	if (c->encode)
		rc |= exchange_add_field(ex, HTTP_FIELD_ETAG, etag);
	if (c->varies)
		rc |= exchange_add_field(ex, HTTP_FIELD_VARY, SLICE("Accept-Encoding"));
	if (c->location.len != 0)
		rc |= exchange_add_field(ex, HTTP_FIELD_CONTENT_LOCATION, c->location);
	return rc;
}

static bool
has_disposition(const struct exchange *ex)
{
	return (ex->own_fields & EXCHANGE_OWN(HTTP_FIELD_CONTENT_DISPOSITION)) != 0;
}

static int
add_disposition(struct exchange *ex, struct slice name)
{
	struct slice value = disposition_attachment(&ex->arena, name);

	return value.ptr != NULL
		       ? exchange_add_field(ex, HTTP_FIELD_CONTENT_DISPOSITION, value)
		       : -1;
}

/* Those that say what the bytes are. */
static int
add_content_fields(struct exchange *ex, const struct files *f,
		   const struct file_choice *c, bool with_type)
{
	int rc = 0;

	if (with_type)
		rc |= exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE, media_type(c));
	if (c->coding != CODING_IDENTITY)
		rc |= exchange_add_field(ex, HTTP_FIELD_CONTENT_ENCODING,
					 coding_name(c->coding));
	if (f->route->download && !has_disposition(ex))
		rc |= add_disposition(ex, c->name);
	if (!c->encode)
		rc |= file_digest_add(ex, c);
	return rc;
}

/* --- answers --- */

static int
answer_unsatisfiable(struct exchange *ex, uint64_t size)
{
	char *text = arena_alloc(&ex->arena, RANGE_CONTENT_MAX);

	if (text == NULL)
		return 503;
	(void)exchange_keep_field(ex, HTTP_FIELD_CONTENT_RANGE,
				  range_content_unsatisfiable(size, text));
	return 416;
}

static int
respond_with(struct exchange *ex, struct body body, int status)
{
	if (body.kind == BODY_NONE)
		return 503;
	ex->body = body;
	exchange_respond(ex, status);
	return 0;
}

static int
answer_part(struct exchange *ex, const struct files *f, const struct file_choice *c,
	    const struct http_range *r)
{
	char *text = arena_alloc(&ex->arena, RANGE_CONTENT_MAX);

	if (text == NULL || add_content_fields(ex, f, c, true) < 0 ||
	    exchange_add_field(ex, HTTP_FIELD_CONTENT_RANGE,
			       range_content(r, c->version->size, text)) < 0)
		return 503;
	return respond_with(ex, file_body_range(c->version, r), 206);
}

/* The type of the file stands in the parts, not in the head. */
static int
answer_parts(struct exchange *ex, const struct files *f, const struct file_choice *c,
	     const struct http_range *ranges, size_t count)
{
	char boundary[FILE_BOUNDARY_LEN + 1];
	struct body body =
		file_body_parts(ex, c->version, media_type(c), ranges, count, boundary);
	const char *type;

	if (body.kind == BODY_NONE)
		return 503;
	ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CONTENT_TYPE);
	type = arena_printf(&ex->arena, "multipart/byteranges; boundary=%s", boundary);
	if (type == NULL || add_content_fields(ex, f, c, false) < 0 ||
	    exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE, slice_from_str(type)) < 0)
		return 503;
	return respond_with(ex, body, 206);
}

/* Of a sibling or an encoded form the version's own fields say only when it is from. */
static int
answer_whole(struct exchange *ex, const struct files *f, const struct file_choice *c)
{
	struct file_version *v = c->version;
	bool as_is = c->coding == CODING_IDENTITY;
	bool has_ranges = f->route->limits.ranges > 0;
	struct http_range all = { 0, v->size };
	int rc = 0;

	if (as_is)
		ex->shared_field_count =
			has_ranges ? FILE_FIELD_COUNT : FILE_FIELD_ACCEPT_RANGES;
	else if (!c->encoded && has_ranges)
		rc = exchange_add_field(ex, HTTP_FIELD_ACCEPT_RANGES, SLICE("bytes"));
	if (rc < 0 || add_content_fields(ex, f, c, !as_is) < 0)
		return 503;
	return respond_with(ex,
			    c->encode ? file_body_encoded(ex, f->shared, v, c->coding)
				      : file_body_range(v, &all),
			    200);
}

/* The page for an error is not the representation that was asked about. */
static int
answer_error_page(struct exchange *ex, const struct files *f, const struct file_choice *c)
{
	struct http_range all = { 0, c->version->size };

	if (file_is_upload(c) && file_guard(ex, f, c, media_type(c)) < 0)
		return 503;
	ex->shared_fields = &c->version->fields[FILE_FIELD_CONTENT_TYPE];
	ex->shared_field_count = 1;
	return respond_with(ex, file_body_range(c->version, &all), 200);
}

static enum range_verdict
find_ranges(const struct exchange *ex, const struct files *f, const struct file_choice *c,
	    const struct cond_validators *v, struct http_range *out, size_t *count)
{
	struct cond_validators strong = *v;
	size_t max = f->route->limits.ranges;

	/* RFC 9110 section 8.8.2.2: the date of a young file says too little. */
	strong.has_modified = !c->version->is_young;
	/* Section 14.2: Range is for GET. */
	if (ex->head.method != HTTP_GET || c->encoded || max == 0 ||
	    http_head_find(&ex->head, HTTP_FIELD_RANGE) == NULL ||
	    !range_if_range(&ex->head, &strong, clock_unix()))
		return RANGE_WHOLE;
	return range_find(&ex->head, c->version->size, out,
			  max < RANGES_MAX ? max : RANGES_MAX, count);
}

static void
note_whole(const struct exchange *ex, const struct files *f, const struct file_choice *c)
{
	const char *why = "If-Range does not hold, or it is malformed or too many";

	if (ex->head.method != HTTP_GET ||
	    http_head_find(&ex->head, HTTP_FIELD_RANGE) == NULL)
		return;
	if (c->encoded)
		why = "what is encoded while serving has no parts";
	else if (f->route->limits.ranges == 0)
		why = "limits.ranges is 0";
	exchange_note(ex, TRACE_ANSWER, "Range: all is sent: %s", why);
}

int
file_answer(struct exchange *ex, const struct files *f, const struct file_choice *c)
{
	struct cond_validators validators = {
		.exists = true,
		.etag = entity_tag(ex, c),
		.modified = c->version->modified,
		.has_modified = true,
	};
	struct http_range ranges[RANGES_MAX];
	enum cond_verdict verdict;
	size_t count = 0;

	if (ex->error_status != 0)
		return answer_error_page(ex, f, c);
	verdict = cond_evaluate(&ex->head, &validators, clock_unix());
	if (verdict == COND_PRECONDITION_FAILED) {
		exchange_note(ex, TRACE_ANSWER,
			      "If-Match or If-Unmodified-Since does not hold");
		return 412;
	}
	if (validators.etag.ptr == NULL || add_metadata(ex, c, validators.etag) < 0 ||
	    (file_is_upload(c) && file_guard(ex, f, c, media_type(c)) < 0))
		return 503;
	if (verdict == COND_NOT_MODIFIED) {
		exchange_note(ex, TRACE_ANSWER,
			      "If-None-Match or If-Modified-Since: the client has it");
		exchange_respond(ex, 304);
		return 0;
	}
	switch (find_ranges(ex, f, c, &validators, ranges, &count)) {
	case RANGE_UNSATISFIABLE:
		exchange_note(ex, TRACE_ANSWER, "Range: all of it is beyond the end");
		return answer_unsatisfiable(ex, c->version->size);
	case RANGE_PARTIAL:
		exchange_note(ex, TRACE_ANSWER, "Range: %zu part%s", count,
			      count == 1 ? "" : "s");
		return count == 1 ? answer_part(ex, f, c, &ranges[0])
				  : answer_parts(ex, f, c, ranges, count);
	case RANGE_WHOLE:
		if (ex->trace != NULL)
			note_whole(ex, f, c);
		break;
	}
	return answer_whole(ex, f, c);
}
