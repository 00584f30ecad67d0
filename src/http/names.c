/* SPDX-License-Identifier: BSD-2-Clause
 *
 * names: text to number and back. The field lookup runs for every field of every
 * request: candidates are picked by length, then told apart by their first byte.
 */
#include "http/names.h"

#include <stdint.h>

static const struct slice method_names[HTTP_METHOD_COUNT] = {
#define X(name) [HTTP_##name] = SLICE_LIT(#name),
	HTTP_METHODS(X)
#undef X
};

static const char *const reasons[600] = {
#define X(status, text) [status] = text,
	HTTP_STATUSES(X)
#undef X
};

static const struct slice status_lines[600] = {
#define X(status, text) [status] = SLICE_LIT("HTTP/1.1 " #status " " text "\r\n"),
	HTTP_STATUSES(X)
#undef X
};

static const struct slice field_names[HTTP_FIELD_COUNT] = {
#define X(id, name) [HTTP_FIELD_##id] = SLICE_LIT(name),
	HTTP_FIELDS(X)
#undef X
};

#define FIELD_LEN_MAX 30
#define FIELD_SAME_LEN 11

_Static_assert(HTTP_FIELD_COUNT <= 64, "sets of fields are 64 bits");
_Static_assert(HTTP_FIELD_COUNT == 61, "a new field name wants its place in by_length");

/* Most frequent first; zero (HTTP_FIELD_OTHER) ends a row. */
static const uint8_t by_length[FIELD_LEN_MAX + 1][FIELD_SAME_LEN] = {
	[2] = { HTTP_FIELD_TE },
	[4] = { HTTP_FIELD_HOST, HTTP_FIELD_DATE, HTTP_FIELD_ETAG, HTTP_FIELD_VARY },
	[5] = { HTTP_FIELD_RANGE, HTTP_FIELD_ALLOW },
	[6] = { HTTP_FIELD_ACCEPT, HTTP_FIELD_EXPECT, HTTP_FIELD_SERVER,
		HTTP_FIELD_ORIGIN },
	[7] = { HTTP_FIELD_REFERER, HTTP_FIELD_UPGRADE, HTTP_FIELD_TRAILER },
	[8] = { HTTP_FIELD_IF_RANGE, HTTP_FIELD_IF_MATCH, HTTP_FIELD_LOCATION },
	[10] = { HTTP_FIELD_USER_AGENT, HTTP_FIELD_CONNECTION },
	[11] = { HTTP_FIELD_RETRY_AFTER, HTTP_FIELD_REPR_DIGEST, HTTP_FIELD_TUS_VERSION },
	[12] = { HTTP_FIELD_CONTENT_TYPE, HTTP_FIELD_UPLOAD_LIMIT,
		 HTTP_FIELD_TUS_MAX_SIZE, HTTP_FIELD_ACCEPT_PATCH },
	[13] = { HTTP_FIELD_CACHE_CONTROL, HTTP_FIELD_IF_NONE_MATCH,
		 HTTP_FIELD_AUTHORIZATION, HTTP_FIELD_CONTENT_RANGE,
		 HTTP_FIELD_LAST_MODIFIED, HTTP_FIELD_ACCEPT_RANGES,
		 HTTP_FIELD_TUS_RESUMABLE, HTTP_FIELD_UPLOAD_OFFSET,
		 HTTP_FIELD_UPLOAD_LENGTH, HTTP_FIELD_UPLOAD_CONCAT,
		 HTTP_FIELD_TUS_EXTENSION },
	[14] = { HTTP_FIELD_CONTENT_LENGTH, HTTP_FIELD_UPLOAD_EXPIRES,
		 HTTP_FIELD_CONTENT_DIGEST },
	[15] = { HTTP_FIELD_ACCEPT_ENCODING, HTTP_FIELD_UPLOAD_COMPLETE,
		 HTTP_FIELD_UPLOAD_METADATA, HTTP_FIELD_UPLOAD_CHECKSUM },
	[16] = { HTTP_FIELD_CONTENT_ENCODING, HTTP_FIELD_CONTENT_LOCATION,
		 HTTP_FIELD_WANT_REPR_DIGEST, HTTP_FIELD_WWW_AUTHENTICATE },
	[17] = { HTTP_FIELD_IF_MODIFIED_SINCE, HTTP_FIELD_TRANSFER_ENCODING },
	[19] = { HTTP_FIELD_CONTENT_DISPOSITION, HTTP_FIELD_IF_UNMODIFIED_SINCE,
		 HTTP_FIELD_UPLOAD_DEFER_LENGTH },
	[22] = { HTTP_FIELD_X_CONTENT_TYPE_OPTIONS, HTTP_FIELD_X_HTTP_METHOD_OVERRIDE,
		 HTTP_FIELD_TUS_CHECKSUM_ALGORITHM },
	[23] = { HTTP_FIELD_CONTENT_SECURITY_POLICY },
	[28] = { HTTP_FIELD_UPLOAD_DRAFT_INTEROP_VERSION },
	[29] = { HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD },
	[30] = { HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS },
};

static enum http_method
method_if(struct slice s, enum http_method m)
{
	return memcmp(s.ptr, method_names[m].ptr, s.len) == 0 ? m : HTTP_METHOD_UNKNOWN;
}

enum http_method
http_method_from(struct slice s)
{
	switch (s.len) {
	case 3:
		return method_if(s, s.ptr[0] == 'G' ? HTTP_GET : HTTP_PUT);
	case 4:
		return method_if(s, s.ptr[0] == 'H' ? HTTP_HEAD : HTTP_POST);
	case 5:
		return method_if(s, s.ptr[0] == 'P' ? HTTP_PATCH : HTTP_TRACE);
	case 6:
		return method_if(s, HTTP_DELETE);
	case 7:
		return method_if(s, s.ptr[0] == 'O' ? HTTP_OPTIONS : HTTP_CONNECT);
	default:
		return HTTP_METHOD_UNKNOWN;
	}
}

struct slice
http_method_name(enum http_method m)
{
	return m < HTTP_METHOD_COUNT ? method_names[m] : slice_make("", 0);
}

const char *
http_status_reason(int status)
{
	if (status < 0 || status >= (int)(sizeof(reasons) / sizeof(reasons[0])) ||
	    reasons[status] == NULL)
		return "";
	return reasons[status];
}

struct slice
http_status_line(int status)
{
	if (status < 0 || status >= (int)(sizeof(status_lines) / sizeof(status_lines[0])))
		return slice_make(NULL, 0);
	return status_lines[status];
}

enum http_field_id
http_field_from(struct slice name)
{
	const uint8_t *row;

	if (name.len == 0 || name.len > FIELD_LEN_MAX)
		return HTTP_FIELD_OTHER;
	row = by_length[name.len];
	for (size_t i = 0; i < FIELD_SAME_LEN && row[i] != HTTP_FIELD_OTHER; i++) {
		struct slice known = field_names[row[i]];

		/* Letters of both cases differ in 0x20. */
		if (((known.ptr[0] ^ name.ptr[0]) & ~0x20) == 0 &&
		    strncasecmp(known.ptr, name.ptr, name.len) == 0)
			return (enum http_field_id)row[i];
	}
	return HTTP_FIELD_OTHER;
}

struct slice
http_field_name(enum http_field_id id)
{
	return id > HTTP_FIELD_OTHER && id < HTTP_FIELD_COUNT ? field_names[id]
							      : slice_make("", 0);
}
