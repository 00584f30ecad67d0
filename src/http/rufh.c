/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rufh: structured fields to numbers and back.
 */
#include "http/rufh.h"

#include <inttypes.h>

#include "base/number.h"
#include "http/names.h"
#include "http/param.h"
#include "http/sfdict.h"

#define PROBLEM_TYPES "https://iana.org/assignments/http-problem-types#"

/* The item that is the field's value; false when there is none of that kind. Two lines of one
 * field are a list, which is no item: RFC 9651 section 4.2. */
static bool
read_item(const struct http_head *head, enum http_field_id id, enum sf_kind kind,
	  int64_t *out)
{
	const struct http_field *found = NULL;
	struct sf_member m;

	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id != id)
			continue;
		if (found != NULL)
			return false;
		found = &head->fields[i];
	}
	if (found == NULL || !sf_item_parse(found->value, &m) || m.kind != kind)
		return false;
	*out = m.number;
	return true;
}

static bool
read_size(const struct http_head *head, enum http_field_id id, uint64_t *out)
{
	int64_t n;

	if (!read_item(head, id, SF_INTEGER, &n) || n < 0)
		return false;
	*out = (uint64_t)n;
	return true;
}

void
rufh_read(const struct http_head *head, struct rufh_request *out)
{
	struct slice type = http_head_value(head, HTTP_FIELD_CONTENT_TYPE), rest;
	int64_t complete = 0;

	*out = (struct rufh_request){ 0 };
	out->has_offset = read_size(head, HTTP_FIELD_UPLOAD_OFFSET, &out->offset);
	out->has_length = read_size(head, HTTP_FIELD_UPLOAD_LENGTH, &out->length);
	out->has_complete =
		read_item(head, HTTP_FIELD_UPLOAD_COMPLETE, SF_BOOLEAN, &complete);
	out->complete = complete != 0;
	(void)read_size(head, HTTP_FIELD_UPLOAD_DRAFT_INTEROP_VERSION, &out->interop);
	out->partial =
		slice_eq_nocase(param_split(type, &rest), SLICE(RUFH_PARTIAL_TYPE));
}

bool
rufh_is_spoken(uint64_t interop)
{
	return interop == 8 || interop == 9;
}

/* --- what is written --- */

static size_t
add(char *out, struct slice s)
{
	memcpy(out, s.ptr, s.len);
	return s.len;
}

struct slice
rufh_format_limits(const struct rufh_limits *limits, char out[RUFH_LIMITS_TEXT_MAX])
{
	static const struct slice keys[RUFH_LIMIT_COUNT] = {
		[RUFH_MAX_SIZE] = SLICE_LIT("max-size="),
		[RUFH_MIN_SIZE] = SLICE_LIT("min-size="),
		[RUFH_MAX_APPEND_SIZE] = SLICE_LIT("max-append-size="),
		[RUFH_MIN_APPEND_SIZE] = SLICE_LIT("min-append-size="),
		[RUFH_MAX_AGE] = SLICE_LIT("max-age="),
	};
	size_t n = 0;

	for (enum rufh_limit l = 0; l < RUFH_LIMIT_COUNT; l++) {
		uint64_t v = limits->of[l];

		if ((limits->present & RUFH_LIMIT_BIT(l)) == 0)
			continue;
		if (n != 0)
			n += add(out + n, SLICE(", "));
		n += add(out + n, keys[l]);
		n += number_format(v < RUFH_NUMBER_MAX ? v : RUFH_NUMBER_MAX, out + n);
	}
	if (n == 0)
		n = add(out, SLICE("min-size=0"));
	return slice_make(out, n);
}

void
rufh_add_problem(struct buf *out, enum rufh_problem p, int status,
		 const struct rufh_offsets *offsets)
{
	static const struct {
		const char *type, *title;
	} problems[RUFH_PROBLEM_COUNT] = {
		[RUFH_MISMATCHING_OFFSET] = { "mismatching-upload-offset",
					      "The upload stands at another offset." },
		[RUFH_COMPLETED] = { "completed-upload",
				     "The upload is complete already." },
		[RUFH_INCONSISTENT_LENGTH] = { "inconsistent-upload-length",
					       "The upload was said to have another "
					       "length." },
	};

	buf_printf(out,
		   "{\"type\":\"" PROBLEM_TYPES "%s\",\"title\":\"%s\",\"status\":%d",
		   problems[p].type, problems[p].title, status);
	if (p == RUFH_MISMATCHING_OFFSET)
		buf_printf(out,
			   ",\"expected-offset\":%" PRIu64
			   ",\"provided-offset\":%" PRIu64,
			   offsets->expected, offsets->provided);
	buf_add_str(out, "}");
}

void
rufh_add_refusal(struct buf *out, int status, const char *detail)
{
	/* RFC 9457 section 4.2.1: with that type the title is the status in words. */
	buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d",
		   http_status_reason(status), status);
	if (detail != NULL)
		buf_printf(out, ",\"detail\":\"%s\"", detail);
	buf_add_str(out, "}");
}
