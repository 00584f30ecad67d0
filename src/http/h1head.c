/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1head: from the offsets of a parsed head to struct http_head, with the rules that
 * span fields: framing (RFC 9112 section 6), Host and the target form (section 3),
 * persistence (section 9.3) and expectations (RFC 9110 section 10.1.1). Whatever two
 * recipients could read in two ways is refused, for that is how requests are smuggled.
 */
#include "http/h1parse.h"

#include "base/number.h"
#include "http/chars.h"
#include "http/uri.h"

/* The fields that frame the message, once each. */
struct framing {
	const struct http_field *host;
	const struct http_field *length;
	const struct http_field *coding;
};

static int
refuse(struct h1_parser *p, int status, const char *reason)
{
	p->status = status;
	p->reason = reason;
	return status;
}

/* Cuts the next element, trimmed and possibly empty, off a comma-separated list;
 * false when none is left. A list without a comma has one element. */
static bool
next_element(struct slice *list, struct slice *element)
{
	size_t n;

	if (list->ptr == NULL)
		return false;
	n = slice_find(*list, ',');
	*element = slice_trim(slice_make(list->ptr, n));
	*list = n < list->len ? slice_from(*list, n + 1) : slice_make(NULL, 0);
	return true;
}

static void
read_connection(struct slice list, bool *close, bool *keep_alive)
{
	struct slice option;

	while (next_element(&list, &option)) {
		if (slice_eq_nocase(option, SLICE("close")))
			*close = true;
		else if (slice_eq_nocase(option, SLICE("keep-alive")))
			*keep_alive = true;
	}
}

/* True when every expectation is 100-continue; RFC 9110 section 5.6.1 lets empty list
 * elements pass. */
static bool
read_expect(struct slice list, bool *expect_continue)
{
	struct slice expectation;

	while (next_element(&list, &expectation)) {
		if (slice_eq_nocase(expectation, SLICE("100-continue")))
			*expect_continue = true;
		else if (expectation.len != 0)
			return false;
	}
	return true;
}

static int
note_once(struct h1_parser *p, const struct http_field **seen, const struct http_field *f,
	  const char *reason)
{
	if (*seen != NULL)
		return refuse(p, 400, reason);
	*seen = f;
	return 0;
}

static int
note_field(struct h1_parser *p, const struct http_field *f, struct framing *framing,
	   struct http_head *out)
{
	switch (f->id) {
	case HTTP_FIELD_HOST:
		return note_once(p, &framing->host, f, "two Host fields");
	case HTTP_FIELD_CONTENT_LENGTH:
		return note_once(p, &framing->length, f, "two Content-Length fields");
	case HTTP_FIELD_TRANSFER_ENCODING:
		return note_once(p, &framing->coding, f, "two Transfer-Encoding fields");
	case HTTP_FIELD_EXPECT:
		/* RFC 9110 section 10.1.1: from HTTP/1.0 it must be ignored. */
		if (out->minor > 0 && !read_expect(f->value, &out->expect_continue))
			return refuse(p, 417, "unknown expectation");
		return 0;
	default:
		return 0;
	}
}

static int
read_fields(struct h1_parser *p, const char *base, struct http_field *fields,
	    struct framing *framing, struct http_head *out)
{
	bool close = false, keep_alive = out->minor > 0;
	int rc = 0;

	/* All of them are filled in even after an error: whoever answers it reads Accept. */
	for (size_t i = 0; i < p->field_count; i++) {
		const struct h1_line *line = &p->lines[i];
		struct http_field *f = &fields[i];

		f->name = slice_make(base + line->name_off, line->name_len);
		f->value = slice_make(base + line->value_off, line->value_len);
		f->id = http_field_from(f->name);
		if (f->id == HTTP_FIELD_CONNECTION)
			read_connection(f->value, &close, &keep_alive);
		else if (f->id != HTTP_FIELD_OTHER && rc == 0)
			rc = note_field(p, f, framing, out);
	}
	out->fields = fields;
	out->field_count = p->field_count;
	out->keep_alive = keep_alive && !close;
	return rc;
}

/* RFC 9112 sections 6.1 and 7: the only coding we decode is chunked, said once. */
static int
check_coding(struct h1_parser *p, struct slice list)
{
	struct slice coding;
	bool chunked = false, unknown = false;

	while (next_element(&list, &coding)) {
		size_t name_len =
			slice_trim(slice_make(coding.ptr, slice_find(coding, ';'))).len;
		struct slice name = slice_make(coding.ptr, name_len);
		bool is_chunked = slice_eq_nocase(name, SLICE("chunked"));

		if (name.len == 0)
			return refuse(p, 400, "empty transfer coding");
		for (size_t i = 0; i < name.len; i++) {
			if (!char_is(name.ptr[i], CHAR_TOKEN))
				return refuse(p, 400, "malformed transfer coding");
		}
		if (chunked)
			return refuse(p, 400, "chunked is not the last transfer coding");
		if (is_chunked && name.len != coding.len)
			return refuse(p, 400, "chunked with parameters");
		chunked = is_chunked;
		unknown = unknown || !is_chunked;
	}
	return unknown ? refuse(p, 501, "unknown transfer coding") : 0;
}

static int
read_framing(struct h1_parser *p, const struct framing *framing, struct http_head *out)
{
	int rc;

	out->body = HTTP_BODY_NONE;
	if (framing->coding != NULL) {
		/* RFC 9112 section 6.1: either is an attack until proven otherwise. */
		if (framing->length != NULL)
			return refuse(p, 400, "Content-Length with Transfer-Encoding");
		if (out->minor == 0)
			return refuse(p, 400, "Transfer-Encoding in HTTP/1.0");
		rc = check_coding(p, framing->coding->value);
		if (rc != 0)
			return rc;
		out->body = HTTP_BODY_CHUNKED;
	} else if (framing->length != NULL) {
		if (number_dec(framing->length->value, INT64_MAX, &out->content_length) <
		    0)
			return refuse(p, 400, "malformed Content-Length");
		out->body = HTTP_BODY_LENGTH;
	}
	/* Nothing to continue with when there is no body to come. */
	if (out->body == HTTP_BODY_NONE ||
	    (out->body == HTTP_BODY_LENGTH && out->content_length == 0))
		out->expect_continue = false;
	return 0;
}

static void
split_query(struct slice path, struct http_head *out)
{
	size_t mark = slice_find(path, '?');

	out->path = slice_make(path.ptr, mark);
	out->has_query = mark < path.len;
	out->query = out->has_query ? slice_from(path, mark + 1) : slice_make("", 0);
	if (out->path.len == 0)
		out->path = SLICE("/");
}

/* Bytes of "http://" or "https://" at the start; 0 when there is neither. */
static size_t
scheme_len(struct slice target)
{
	static const struct slice schemes[] = { SLICE_LIT("http://"),
						SLICE_LIT("https://") };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = schemes[i].len;

		if (target.len >= n &&
		    slice_eq_nocase(slice_make(target.ptr, n), schemes[i]))
			return n;
	}
	return 0;
}

static int
read_target(struct h1_parser *p, struct http_head *out)
{
	struct slice rest;
	size_t n;

	if (out->target.ptr[0] == '/') {
		out->form = HTTP_TARGET_ORIGIN;
		split_query(out->target, out);
		return 0;
	}
	if (slice_eq(out->target, SLICE("*"))) {
		if (out->method != HTTP_OPTIONS)
			return refuse(p, 400, "asterisk form without OPTIONS");
		out->form = HTTP_TARGET_ASTERISK;
		split_query(out->target, out);
		return 0;
	}
	n = scheme_len(out->target);
	if (n == 0)
		return refuse(p, 400, "unknown form of request target");
	out->form = HTTP_TARGET_ABSOLUTE;
	rest = slice_from(out->target, n);
	for (n = 0; n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?'; n++)
		;
	/* RFC 9112 section 3.2.2: it replaces what Host says. */
	out->host = slice_make(rest.ptr, n);
	if (!uri_is_authority(out->host))
		return refuse(p, 400, "malformed authority in request target");
	split_query(slice_from(rest, n), out);
	return 0;
}

/* RFC 9112 section 3.2: wanted and checked even when the target has an authority. */
static int
read_host(struct h1_parser *p, const struct http_field *host, struct http_head *out)
{
	if (host == NULL)
		return out->minor > 0 ? refuse(p, 400, "no Host field") : 0;
	if (!uri_is_authority(host->value))
		return refuse(p, 400, "malformed Host field");
	out->host = host->value;
	return 0;
}

int
h1_head(struct h1_parser *p, const char *base, struct http_field *fields,
	struct http_head *out)
{
	struct framing framing = { 0 };
	int rc;

	*out = (struct http_head){
		.method_name = slice_make(base + p->method.name_off, p->method.name_len),
		.target = slice_make(base + p->target.name_off, p->target.name_len),
		.host = SLICE_LIT(""),
		.query = SLICE_LIT(""),
		.minor = p->minor,
	};
	out->method = http_method_from(out->method_name);
	if (out->method == HTTP_METHOD_UNKNOWN || out->method == HTTP_CONNECT)
		return refuse(p, 501, "method not implemented");
	rc = read_fields(p, base, fields, &framing, out);
	if (rc == 0)
		rc = read_framing(p, &framing, out);
	if (rc == 0)
		rc = read_host(p, framing.host, out);
	return rc == 0 ? read_target(p, out) : rc;
}
