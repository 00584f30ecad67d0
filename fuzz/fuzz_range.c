/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as Range, If-Range, Accept-Encoding and Accept, one field a line; the first byte
 * of a line says which: R, I, E or A, or S for the size and M for the most ranges. What comes
 * out keeps every promise of range.h and negotiate.h, and what is found is found again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/number.h"
#include "http/negotiate.h"
#include "http/range.h"

#define FIELDS_MAX 32
#define RANGES_MAX 64
#define NOW 1750000000
#define MODIFIED 784111777
#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	struct http_field fields[FIELDS_MAX]; /* values are heap memory of their own */
	struct http_head head;
	uint64_t size;
	size_t max;
};

static void
add_field(struct input *in, enum http_field_id id, struct slice value)
{
	char *copy = malloc(value.len != 0 ? value.len : 1);

	CHECK(copy != NULL);
	if (value.len != 0)
		memcpy(copy, value.ptr, value.len);
	in->fields[in->head.field_count++] = (struct http_field){
		http_field_name(id),
		slice_make(copy, value.len),
		id,
		false,
	};
}

static void
take_line(struct input *in, char kind, struct slice value)
{
	uint64_t n = 0;

	switch (kind) {
	case 'R':
		add_field(in, HTTP_FIELD_RANGE, value);
		break;
	case 'I':
		add_field(in, HTTP_FIELD_IF_RANGE, value);
		break;
	case 'E':
		add_field(in, HTTP_FIELD_ACCEPT_ENCODING, value);
		break;
	case 'A':
		add_field(in, HTTP_FIELD_ACCEPT, value);
		break;
	case 'S':
		if (number_dec(value, UINT64_MAX, &n) == 0)
			in->size = n;
		break;
	case 'M':
		if (number_dec(value, RANGES_MAX, &n) == 0)
			in->max = (size_t)n;
		break;
	default:
		break;
	}
}

static void
input_init(struct input *in, struct slice s)
{
	*in = (struct input){ .size = 1000, .max = 16 };
	in->head.method = HTTP_GET;
	in->head.fields = in->fields;
	while (s.len != 0 && in->head.field_count < FIELDS_MAX) {
		size_t n = slice_find(s, '\n');

		if (n != 0)
			take_line(in, s.ptr[0], slice_trim(slice_make(s.ptr + 1, n - 1)));
		s = slice_from(s, n + 1);
	}
}

static size_t
count_fields(const struct http_head *head, enum http_field_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < head->field_count; i++)
		n += head->fields[i].id == id;
	return n;
}

static void
check_apart(const struct http_range *r, size_t count, uint64_t size)
{
	for (size_t i = 0; i < count; i++) {
		CHECK(r[i].length >= 1 && r[i].length <= size);
		CHECK(r[i].offset <= size - r[i].length);
		for (size_t j = 0; j < i; j++) {
			CHECK(r[i].offset > r[j].offset + r[j].length ||
			      r[j].offset > r[i].offset + r[i].length);
		}
	}
}

static void
check_content(struct slice s, const char *out)
{
	CHECK(s.ptr == out && s.len <= RANGE_CONTENT_MAX);
	CHECK(slice_starts_with(s, SLICE("bytes ")));
	CHECK(slice_find(s, '/') < s.len);
}

/* Asked for as they are, ranges that are apart come out as they went in. */
static void
find_again(const struct http_range *ranges, size_t count, uint64_t size)
{
	struct http_range again[RANGES_MAX];
	struct http_field field = {
		SLICE_LIT("range"), { NULL, 0 }, HTTP_FIELD_RANGE, false
	};
	struct http_head head = { .method = HTTP_GET,
				  .fields = &field,
				  .field_count = 1 };
	size_t found;
	struct buf b;

	buf_init(&b);
	for (size_t i = 0; i < count; i++) {
		char out[RANGE_CONTENT_MAX];
		struct slice s = range_content(&ranges[i], size, out);

		check_content(s, out);
		s = slice_from(slice_make(s.ptr, slice_find(s, '/')), strlen("bytes "));
		buf_add_slice(&b, i == 0 ? SLICE("bytes=") : SLICE(","));
		buf_add_slice(&b, s);
	}
	CHECK(!b.failed);
	field.value = buf_slice(&b);
	CHECK(range_find(&head, size, again, count, &found) == RANGE_PARTIAL);
	CHECK(found == count);
	CHECK(memcmp(again, ranges, count * sizeof(again[0])) == 0);
	CHECK(range_find(&head, size, again, count - 1, &found) == RANGE_WHOLE);
	buf_fini(&b);
}

static void
fuzz_range(struct input *in)
{
	/* No more than the room that was promised. */
	struct http_range *out = malloc(in->max != 0 ? in->max * sizeof(*out) : 1);
	char content[RANGE_CONTENT_MAX];
	size_t count = SIZE_MAX;
	enum range_verdict verdict;

	CHECK(out != NULL);
	verdict = range_find(&in->head, in->size, out, in->max, &count);
	if (count_fields(&in->head, HTTP_FIELD_RANGE) != 1 || in->max == 0)
		CHECK(verdict == RANGE_WHOLE);
	if (verdict == RANGE_PARTIAL) {
		CHECK(count >= 1 && count <= in->max && in->size != 0);
		check_apart(out, count, in->size);
		find_again(out, count, in->size);
	} else {
		CHECK(verdict == RANGE_WHOLE || verdict == RANGE_UNSATISFIABLE);
		CHECK(count == 0);
	}
	check_content(range_content_unsatisfiable(in->size, content), content);
	in->head.method = HTTP_HEAD;
	CHECK(range_find(&in->head, in->size, out, in->max, &count) == RANGE_WHOLE);
	in->head.method = HTTP_GET;
	free(out);
}

static void
fuzz_if_range(const struct input *in)
{
	const struct http_field *f = http_head_find(&in->head, HTTP_FIELD_IF_RANGE);
	size_t count = count_fields(&in->head, HTTP_FIELD_IF_RANGE);
	struct cond_validators v = { .exists = true,
				     .etag = SLICE_LIT("\"x\""),
				     .modified = MODIFIED,
				     .has_modified = true };
	bool by_tag, by_date;

	v.has_modified = false;
	by_tag = range_if_range(&in->head, &v, NOW);
	CHECK(by_tag == (count == 0 || (count == 1 && slice_eq(f->value, v.etag))));
	v.etag = SLICE("W/\"x\"");
	CHECK(range_if_range(&in->head, &v, NOW) == (count == 0));
	v.has_modified = true;
	by_date = range_if_range(&in->head, &v, NOW);
	CHECK(!by_date || count == 0 || (count == 1 && f->value.len >= 24));
	v.etag = SLICE("\"x\"");
	CHECK(range_if_range(&in->head, &v, NOW) == (by_tag || by_date));
	CHECK(range_if_range(&in->head, &v, MODIFIED) == by_tag);
	v.exists = false;
	CHECK(range_if_range(&in->head, &v, NOW) == (count == 0));
}

static void
check_pick(const struct negotiate_codings *want, const enum coding *offered, size_t count)
{
	enum coding c = negotiate_pick_coding(want, offered, count);
	bool is_offered = c == CODING_IDENTITY;
	uint16_t q = c < CODING_COUNT ? want->q[c] : 0;

	/* Identity that was not named counts as the lowest weight that is acceptable. */
	if (c == CODING_IDENTITY && !want->identity_is_named)
		q = 0;
	CHECK(c == CODING_COUNT || want->q[c] > 0);
	CHECK(c != CODING_COUNT || want->q[CODING_IDENTITY] == 0);
	for (size_t i = 0; i < count; i++) {
		is_offered = is_offered || offered[i] == c;
		if (offered[i] != CODING_IDENTITY || want->identity_is_named)
			CHECK(want->q[offered[i]] <= q);
	}
	CHECK(c == CODING_COUNT || is_offered);
}

static void
check_codings(const struct http_head *head, const struct negotiate_codings *want)
{
	static const enum coding offered[] = { CODING_ZSTD, CODING_BR, CODING_GZIP,
					       CODING_IDENTITY };

	for (size_t c = 0; c < CODING_COUNT; c++)
		CHECK(want->q[c] <= 1000);
	for (size_t begin = 0; begin < 4; begin++) {
		for (size_t end = begin; end <= 4; end++)
			check_pick(want, offered + begin, end - begin);
	}
	if (count_fields(head, HTTP_FIELD_ACCEPT_ENCODING) == 0)
		CHECK(negotiate_pick_coding(want, offered, 3) == CODING_IDENTITY);
}

/* The same lines, the last one first: that makes no difference. */
static void
fuzz_negotiate(const struct input *in)
{
	static const struct slice types[] = { SLICE_LIT("text/html"),
					      SLICE_LIT("application/json"),
					      SLICE_LIT("text/plain") };
	struct http_field reversed[FIELDS_MAX];
	struct http_head back = in->head;
	struct negotiate_codings want, again;

	back.fields = reversed;
	for (size_t i = 0; i < back.field_count; i++)
		reversed[i] = in->fields[back.field_count - 1 - i];
	negotiate_codings(&in->head, &want);
	negotiate_codings(&back, &again);
	CHECK(memcmp(want.q, again.q, sizeof(want.q)) == 0);
	CHECK(want.identity_is_named == again.identity_is_named);
	check_codings(&in->head, &want);
	for (size_t n = 0; n <= 3; n++) {
		size_t best = negotiate_media(&in->head, types, n);

		CHECK(best <= n && negotiate_media(&back, types, n) == best);
		if (count_fields(&in->head, HTTP_FIELD_ACCEPT) == 0)
			CHECK(best == 0);
		/* What is chosen is acceptable alone, and one more offer loses nothing. */
		if (best < n)
			CHECK(negotiate_media(&in->head, types + best, 1) == 0);
		if (best < n && n < 3)
			CHECK(negotiate_media(&in->head, types, n + 1) <= n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;

	input_init(&in, slice_make((const char *)data, size));
	fuzz_range(&in);
	fuzz_if_range(&in);
	fuzz_negotiate(&in);
	for (size_t i = 0; i < in.head.field_count; i++)
		free((char *)(uintptr_t)in.fields[i].value.ptr);
	return 0;
}
