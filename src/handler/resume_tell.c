/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_tell: what the doors tell their clients of an upload: where it stands, its URL, and what
 * it became.
 */
#include <string.h>

#include "base/clock.h"
#include "core/exchange.h"
#include "handler/resume_file.h"
#include "http/uri.h"

uint64_t
resume_offset(const struct resume *r)
{
	return r->file != NULL ? r->file->p.size : 0;
}

const struct partial_record *
resume_record(const struct resume *r)
{
	static const struct partial_record no_record = { .length =
								 PARTIAL_LENGTH_UNKNOWN };

	return r->file != NULL ? &r->file->p.record : &no_record;
}

uint64_t
resume_saved(const struct resume *r)
{
	return r->file != NULL ? r->file->saved : 0;
}

struct slice
resume_url(const struct resume *r)
{
	struct exchange *ex = r->ex;
	size_t base = ex->path.len - ex->rest.len;
	char *url = arena_alloc(&ex->arena,
				3 * base + sizeof(RESUME_SEGMENT) + PARTIAL_ID_LEN + 1);
	size_t len;

	if (url == NULL)
		return slice_make(NULL, 0);
	len = uri_path_encode(slice_make(ex->path.ptr, base), url);
	memcpy(url + len, RESUME_SEGMENT "/", sizeof(RESUME_SEGMENT));
	len += sizeof(RESUME_SEGMENT);
	memcpy(url + len, r->id, PARTIAL_ID_LEN);
	return slice_make(url, len + PARTIAL_ID_LEN);
}

int
resume_add_url(struct resume *r, enum http_field_id field)
{
	struct slice url = resume_url(r);

	if (url.len == 0)
		return 503;
	return exchange_keep_field(r->ex, field, url) < 0 ? 500 : 0;
}

int
resume_add_published(struct resume *r, enum http_field_id field)
{
	struct slice location = resume_record(r)->location;
	const char *copy;

	if (location.len == 0)
		return 0;
	copy = arena_strdup(&r->ex->arena, location);
	if (copy == NULL)
		return 503;
	return exchange_add_field(r->ex, field, slice_make(copy, location.len)) < 0 ? 500
										    : 0;
}

uint64_t
resume_seconds_left(const struct resume *r)
{
	int64_t left = resume_record(r)->expires - clock_unix();

	return left > 0 ? (uint64_t)left : 0;
}
