/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cond: the steps of RFC 9110 section 13.2.2, one after the other. Entity-tag lists are
 * read whole before anything is believed: a list with a syntax error matches nothing.
 */
#include "http/cond.h"

#include "http/chars.h"
#include "http/date.h"

enum list_result {
	LIST_ABSENT,
	LIST_NO_MATCH, /* or malformed */
	LIST_MATCH
};

/* What has been read of one If-Match or If-None-Match list. */
struct tag_list {
	bool strong; /* comparison of section 8.8.3.2 */
	bool matched;
	bool star;
	unsigned count;
};

/* Length of the entity-tag at the start of `s`, 0 if there is none: section 8.8.3. */
static size_t
tag_len(struct slice s)
{
	size_t i = slice_starts_with(s, SLICE("W/")) ? 2 : 0;

	if (i >= s.len || s.ptr[i] != '"')
		return 0;
	for (i++; i < s.len && s.ptr[i] != '"'; i++) {
		if (!char_is(s.ptr[i], CHAR_TEXT) || char_is_blank(s.ptr[i]))
			return 0;
	}
	return i < s.len ? i + 1 : 0;
}

static bool
tags_match(struct slice a, struct slice b, bool strong)
{
	bool weak_a = slice_starts_with(a, SLICE("W/"));
	bool weak_b = slice_starts_with(b, SLICE("W/"));

	if (strong && (weak_a || weak_b))
		return false;
	return slice_eq(slice_from(a, weak_a ? 2 : 0), slice_from(b, weak_b ? 2 : 0));
}

/* One field line; false when it is malformed. Empty elements pass (section 5.6.1.2). */
static bool
read_line(struct slice s, const struct cond_validators *v, struct tag_list *list)
{
	for (;;) {
		size_t n;

		s = slice_trim(s);
		if (s.len != 0 && s.ptr[0] != ',') {
			list->count++;
			if (s.ptr[0] == '*') {
				list->star = true;
				n = 1;
			} else {
				n = tag_len(s);
				if (n == 0)
					return false;
				if (v->exists && v->etag.len != 0 &&
				    tags_match(slice_make(s.ptr, n), v->etag,
					       list->strong))
					list->matched = true;
			}
			s = slice_trim(slice_from(s, n));
		}
		if (s.len == 0)
			return true;
		if (s.ptr[0] != ',')
			return false;
		s = slice_from(s, 1);
	}
}

static enum list_result
match_list(const struct http_head *head, enum http_field_id id, bool strong,
	   const struct cond_validators *v)
{
	struct tag_list list = { .strong = strong };
	bool present = false, sound = true;

	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id != id)
			continue;
		present = true;
		sound = sound && read_line(head->fields[i].value, v, &list);
	}
	if (!present)
		return LIST_ABSENT;
	if (!sound || (list.star && list.count != 1))
		return LIST_NO_MATCH;
	return list.matched || (list.star && v->exists) ? LIST_MATCH : LIST_NO_MATCH;
}

/* False when there is no such field, or it must be ignored: no valid date (two lines are
 * none), or no modification date to compare with (sections 13.1.3 and 13.1.4). */
static bool
modified_after(const struct http_head *head, enum http_field_id id,
	       const struct cond_validators *v, int64_t now, bool *after)
{
	const struct http_field *f = http_head_find(head, id);
	int64_t date;

	if (f == NULL || !v->exists || !v->has_modified)
		return false;
	for (const struct http_field *g = f + 1; g < head->fields + head->field_count;
	     g++) {
		if (g->id == id)
			return false;
	}
	if (http_date_parse(f->value, now, &date) < 0)
		return false;
	*after = v->modified > date;
	return true;
}

#define CONDITIONS                                                                       \
	(HTTP_FIELD_BIT(HTTP_FIELD_IF_MATCH) |                                           \
	 HTTP_FIELD_BIT(HTTP_FIELD_IF_NONE_MATCH) |                                      \
	 HTTP_FIELD_BIT(HTTP_FIELD_IF_MODIFIED_SINCE) |                                  \
	 HTTP_FIELD_BIT(HTTP_FIELD_IF_UNMODIFIED_SINCE))

enum cond_verdict
cond_evaluate(const struct http_head *head, const struct cond_validators *v, int64_t now)
{
	bool reads = head->method == HTTP_GET || head->method == HTTP_HEAD;
	enum list_result list;
	bool after = false;

	/* Section 13.2.1: they select no representation. */
	if (head->method == HTTP_OPTIONS || head->method == HTTP_TRACE ||
	    head->method == HTTP_CONNECT || !http_head_has_any(head, CONDITIONS))
		return COND_PROCEED;
	list = match_list(head, HTTP_FIELD_IF_MATCH, true, v);
	if (list == LIST_NO_MATCH)
		return COND_PRECONDITION_FAILED;
	if (list == LIST_ABSENT &&
	    modified_after(head, HTTP_FIELD_IF_UNMODIFIED_SINCE, v, now, &after) && after)
		return COND_PRECONDITION_FAILED;
	list = match_list(head, HTTP_FIELD_IF_NONE_MATCH, false, v);
	if (list == LIST_MATCH)
		return reads ? COND_NOT_MODIFIED : COND_PRECONDITION_FAILED;
	if (list == LIST_ABSENT && reads &&
	    modified_after(head, HTTP_FIELD_IF_MODIFIED_SINCE, v, now, &after) && !after)
		return COND_NOT_MODIFIED;
	return COND_PROCEED;
}
