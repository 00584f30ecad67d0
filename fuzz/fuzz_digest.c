/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a dictionary, as Repr-Digest and as Want-Repr-Digest, a line feed between
 * field lines: what is accepted is written back as the same, what is not leaves no trace.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/base64.h"
#include "http/digest.h"
#include "http/sfdict.h"

#define LINES_MAX 4

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *
take(size_t size)
{
	void *p = malloc(size != 0 ? size : 1);

	CHECK(p != NULL);
	return p;
}

static void
check_bytes(struct slice text)
{
	unsigned char *bytes = take(text.len);
	size_t len, max = text.len / 4 * 3;
	char *again;

	if (base64_decode(text, bytes, max, &len) == 0) {
		CHECK(len <= max && BASE64_LEN(len) == text.len);
		again = take(text.len);
		CHECK(base64_encode(bytes, len, again) == text.len);
		CHECK(slice_eq(slice_make(again, text.len), text));
		free(again);
	}
	free(bytes);
}

static void
fuzz_dict(struct slice line)
{
	struct slice rest = line;
	struct sf_member m;

	while (sf_dict_next(&rest, &m) == SF_MEMBER) {
		CHECK(m.key.len > 0 && m.key.ptr >= line.ptr);
		CHECK(m.text.ptr >= m.key.ptr &&
		      m.text.ptr + m.text.len <= line.ptr + line.len);
		CHECK(rest.ptr + rest.len <= line.ptr + line.len);
		if (m.kind == SF_INTEGER)
			CHECK(m.number >= -999999999999999 &&
			      m.number <= 999999999999999);
		if (m.kind == SF_BYTES)
			check_bytes(m.text);
	}
}

static void
fuzz_digest(const struct http_head *head)
{
	char text[DIGEST_TEXT_MAX];
	struct digest_set set, again;

	if (digest_read(head, HTTP_FIELD_REPR_DIGEST, &set) != 0)
		return;
	CHECK((set.present & ~DIGEST_ALL) == 0);
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((set.present & DIGEST_BIT(a)) == 0)
			continue;
		CHECK(digest_parse(digest_format(a, set.value[a], text), &again) == 0);
		CHECK(again.present == DIGEST_BIT(a));
		CHECK(memcmp(again.value[a], set.value[a], digest_size(a)) == 0);
	}
}

static void
fuzz_weights(const struct http_head *head)
{
	struct digest_weights want;
	enum digest_algorithm best;

	digest_read_weights(head, &want);
	best = digest_pick(&want, DIGEST_ALL);
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		CHECK(want.of[a] <= 10);
		CHECK(want.of[a] == 0 ||
		      (best < DIGEST_COUNT && want.of[best] >= want.of[a]));
		CHECK(digest_pick(&want, DIGEST_BIT(a)) ==
		      (want.of[a] != 0 ? a : DIGEST_COUNT));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_field fields[LINES_MAX];
	struct http_head head = { .fields = fields };
	/* No NUL and nothing else behind the bytes. */
	char *copy = take(size);
	struct slice rest = slice_make(copy, size);

	if (size != 0)
		memcpy(copy, data, size);
	while (head.field_count < LINES_MAX && rest.len > 0) {
		size_t n = slice_find(rest, '\n');
		struct slice line = slice_make(rest.ptr, n);

		fuzz_dict(line);
		fields[head.field_count++] = (struct http_field){ .value = line };
		rest = slice_from(rest, n + 1);
	}
	for (size_t i = 0; i < head.field_count; i++)
		fields[i].id = HTTP_FIELD_REPR_DIGEST;
	fuzz_digest(&head);
	for (size_t i = 0; i < head.field_count; i++)
		fields[i].id = HTTP_FIELD_WANT_REPR_DIGEST;
	fuzz_weights(&head);
	free(copy);
	return 0;
}
