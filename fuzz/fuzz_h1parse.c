/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a request head: cut into pieces they get the verdict they get whole, and
 * what is accepted keeps every promise of h1parse.h and message.h.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/h1parse.h"
#include "http/uri.h"

#define FIELDS_MAX 16
#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { .uri_size = 128,
					 .header_size = 1024,
					 .field_count = FIELDS_MAX };

/* Slices that moved with their base are the same. */
static void
same(struct slice a, struct slice b)
{
	CHECK(slice_eq(a, b));
}

static void
check_field(const struct http_field *f)
{
	CHECK(f->name.len > 0);
	for (size_t i = 0; i < f->name.len; i++)
		CHECK(f->name.ptr[i] > ' ' && f->name.ptr[i] != ':');
	for (size_t i = 0; i < f->value.len; i++) {
		unsigned char c = (unsigned char)f->value.ptr[i];

		CHECK((c >= ' ' || c == '\t') && c != 0x7f);
	}
	same(f->value, slice_trim(f->value));
	CHECK(f->id == http_field_from(f->name));
}

static void
check_head(const struct http_head *h)
{
	const struct http_field *length = http_head_find(h, HTTP_FIELD_CONTENT_LENGTH);
	const struct http_field *coding = http_head_find(h, HTTP_FIELD_TRANSFER_ENCODING);

	CHECK(h->method < HTTP_METHOD_COUNT && h->method != HTTP_CONNECT);
	CHECK(h->minor == 0 || h->minor == 1);
	CHECK(length == NULL || coding == NULL);
	CHECK((h->body == HTTP_BODY_CHUNKED) == (coding != NULL));
	CHECK((h->body == HTTP_BODY_LENGTH) == (length != NULL));
	CHECK(h->content_length <= INT64_MAX);
	CHECK(h->minor == 1 || (!h->expect_continue && coding == NULL));
	CHECK(h->host.len != 0 ? uri_is_authority(h->host) : h->minor == 0);
	CHECK(h->target.len > 0 && h->target.len <= limits.uri_size);
	if (h->form == HTTP_TARGET_ASTERISK)
		CHECK(h->method == HTTP_OPTIONS && slice_eq(h->path, SLICE("*")));
	else
		CHECK(h->path.len > 0 && h->path.ptr[0] == '/');
	for (size_t i = 0; i < h->target.len; i++)
		CHECK(uri_is_target_byte((unsigned char)h->target.ptr[i]));
	for (size_t i = 0; i < h->field_count; i++)
		check_field(&h->fields[i]);
}

static enum h1_result
parse_grown(struct h1_parser *p, const uint8_t *data, size_t size, size_t step)
{
	enum h1_result rc = H1_MORE;

	for (size_t n = 0; n < size && rc == H1_MORE;) {
		char *copy;

		n = step < size - n ? n + step : size;
		copy = malloc(n);
		CHECK(copy != NULL);
		memcpy(copy, data, n);
		rc = h1_parse(p, slice_make(copy, n));
		free(copy);
	}
	return rc;
}

static void
check_bad(const struct h1_parser *p)
{
	static const int statuses[] = { 400, 414, 417, 431, 501, 505 };
	bool known = false;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		known = known || p->status == statuses[i];
	CHECK(known && p->reason != NULL);
}

static void
compare_heads(struct h1_parser *a, struct h1_parser *b, const uint8_t *data)
{
	struct http_field fields_a[FIELDS_MAX], fields_b[FIELDS_MAX];
	struct http_head head_a, head_b;
	char *copy = malloc(a->consumed);
	int rc;

	CHECK(copy != NULL && a->consumed == b->consumed);
	memcpy(copy, data, a->consumed);
	CHECK(a->consumed >= 4 && memcmp(copy + a->consumed - 4, "\r\n\r\n", 4) == 0);
	rc = h1_head(a, (const char *)data, fields_a, &head_a);
	CHECK(h1_head(b, copy, fields_b, &head_b) == rc);
	if (rc == 0) {
		check_head(&head_a);
		check_head(&head_b);
		CHECK(head_a.field_count == head_b.field_count);
		same(head_a.path, head_b.path);
		same(head_a.query, head_b.query);
		same(head_a.host, head_b.host);
	} else {
		check_bad(a);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 7, 64 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct h1_parser whole, pieces;
		enum h1_result rc;

		CHECK(h1_parser_init(&whole, &limits) == 0);
		CHECK(h1_parser_init(&pieces, &limits) == 0);
		rc = h1_parse(&whole, slice_make((const char *)data, size));
		CHECK(parse_grown(&pieces, data, size, steps[i]) == rc);
		CHECK(whole.scanned == pieces.scanned);
		CHECK(whole.status == pieces.status);
		if (rc == H1_OK)
			compare_heads(&whole, &pieces, data);
		else if (rc == H1_BAD)
			check_bad(&whole);
		h1_parser_fini(&whole);
		h1_parser_fini(&pieces);
	}
	return 0;
}
