/* SPDX-License-Identifier: BSD-2-Clause
 *
 * message: a parsed request head, the same for every version of HTTP. All slices
 * point into memory that the transport keeps until the exchange ends.
 */
#ifndef WEBSRV_HTTP_MESSAGE_H
#define WEBSRV_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/names.h"

struct http_field {
	struct slice name;  /* as received; ASCII, any case */
	struct slice value; /* OWS trimmed; VCHAR, SP, HTAB and obs-text only */
	enum http_field_id id;
	/* "name: value\r\n" stands in one piece at name.ptr: it may be sent as it is */
	bool joined;
};

/* Room for the field as a line. */
static inline size_t
http_field_line_len(const struct http_field *f)
{
	return f->name.len + f->value.len + 4;
}

/* Writes the line to `out` and makes the field point there: what follows it. */
static inline char *
http_field_join(struct http_field *f, char *out)
{
	char *value = out + f->name.len + 2;

	memcpy(out, f->name.ptr, f->name.len);
	memcpy(out + f->name.len, ": ", 2);
	memcpy(value, f->value.ptr, f->value.len);
	memcpy(value + f->value.len, "\r\n", 2);
	f->name.ptr = out;
	f->value.ptr = value;
	f->joined = true;
	return value + f->value.len + 2;
}

enum http_body_kind {
	HTTP_BODY_NONE,   /* no Content-Length, no Transfer-Encoding */
	HTTP_BODY_LENGTH, /* content_length bytes; may be 0 */
	HTTP_BODY_CHUNKED
};

enum http_target_form {
	HTTP_TARGET_ORIGIN,   /* /path?query */
	HTTP_TARGET_ABSOLUTE, /* http://host/path?query */
	HTTP_TARGET_ASTERISK  /* * (OPTIONS only) */
};

/* RFC 9112 section 3. */
struct http_head {
	enum http_method method;
	struct slice method_name;
	struct slice target; /* as received */
	enum http_target_form form;
	struct slice path; /* of the target, still percent-encoded; "/" if it was empty,
			      * "*" for the asterisk form */
	struct slice
		query; /* without '?'; empty when has_query is false or it was empty */
	bool has_query;
	struct slice host; /* authority of the target, else the Host field; port included,
			      * syntax checked; empty for HTTP/1.0 without Host */
	int minor;         /* HTTP/1.minor: 0 or 1 */
	const struct http_field *fields;
	size_t field_count;
	enum http_body_kind body;
	uint64_t content_length;
	bool keep_alive;      /* RFC 9112 section 9.3 */
	bool expect_continue; /* RFC 9110 section 10.1.1; never on HTTP/1.0, nor when no
			       * body is to come */
};

#define HTTP_FIELD_BIT(id) ((uint64_t)1 << (id))

/* Is there a field of this set of HTTP_FIELD_BIT(id)? */
static inline bool
http_head_has_any(const struct http_head *h, uint64_t ids)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < h->field_count; i++)
		seen |= HTTP_FIELD_BIT(h->fields[i].id);
	return (seen & ids) != 0;
}

/* First field with this id, or NULL. */
static inline const struct http_field *
http_head_find(const struct http_head *h, enum http_field_id id)
{
	for (size_t i = 0; i < h->field_count; i++) {
		if (h->fields[i].id == id)
			return &h->fields[i];
	}
	return NULL;
}

/* Value of the first field with this id; a NULL ptr when there is none. */
static inline struct slice
http_head_value(const struct http_head *h, enum http_field_id id)
{
	const struct http_field *f = http_head_find(h, id);

	return f != NULL ? f->value : slice_make(NULL, 0);
}

#endif
