/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines as the fields of an upload, in both protocols, and each value as an item: what is
 * accepted is written as digits, says the same when it is read again, and is within bounds.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/base64.h"
#include "http/chars.h"
#include "http/rufh.h"
#include "http/sfdict.h"
#include "http/tus.h"

#define LINES_MAX 12

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_metadata(struct slice metadata)
{
	struct slice rest = metadata, found;
	char *out = malloc(TUS_METADATA_MAX), *again = malloc(TUS_METADATA_MAX);
	struct tus_pair p;
	size_t count = 0;

	CHECK(out != NULL && again != NULL);
	while (tus_metadata_next(&rest, &p)) {
		CHECK(++count <= TUS_METADATA_KEYS && p.key.len > 0);
		/* A key of its own is found as itself. */
		CHECK(tus_metadata_find(metadata, p.key, out, TUS_METADATA_MAX, &found) ==
		      0);
		CHECK(base64_encode(found.ptr, found.len, again) == p.value.len);
		CHECK(slice_eq(slice_make(again, p.value.len), p.value));
		CHECK(found.len == 0 ||
		      tus_metadata_find(metadata, p.key, out, found.len - 1, &found) ==
			      -ERANGE);
	}
	CHECK(rest.len == 0);
	free(out);
	free(again);
}

static void
fuzz_tus(const struct http_head *head)
{
	struct tus_request r;
	enum tus_error e = tus_read(head, &r);

	CHECK((e == TUS_OK) == (tus_sentence(e)[0] == '\0'));
	if (e != TUS_OK)
		return;
	CHECK(tus_is_spoken(head));
	CHECK(r.length <= INT64_MAX && r.offset <= INT64_MAX);
	CHECK(!(r.has_length && r.defers_length));
	if (r.metadata.ptr != NULL)
		check_metadata(r.metadata);
	if (r.has_checksum)
		CHECK(digest_size(r.algorithm) >= 20);
}

static void
fuzz_rufh(const struct http_head *head)
{
	struct rufh_request r;
	struct rufh_limits limits = { .present = ~0u };
	char text[RUFH_LIMITS_TEXT_MAX];
	struct slice rest;
	struct sf_member m;
	size_t count = 0;

	rufh_read(head, &r);
	CHECK(r.offset <= RUFH_NUMBER_MAX && r.length <= RUFH_NUMBER_MAX);
	CHECK(r.has_offset || r.offset == 0);
	CHECK(r.has_length || r.length == 0);
	CHECK(r.has_complete || !r.complete);
	for (size_t i = 0; i < RUFH_LIMIT_COUNT; i++)
		limits.of[i] = r.offset * (i + 1) + r.length;
	rest = rufh_format_limits(&limits, text);
	CHECK(rest.len <= sizeof(text));
	while (sf_dict_next(&rest, &m) == SF_MEMBER) {
		uint64_t v = limits.of[count++];

		CHECK(m.kind == SF_INTEGER);
		CHECK((uint64_t)m.number == (v < RUFH_NUMBER_MAX ? v : RUFH_NUMBER_MAX));
	}
	CHECK(count == RUFH_LIMIT_COUNT);
}

/* An item is the value of a member, and the other way round. */
static void
fuzz_item(struct slice value)
{
	char *line = malloc(value.len + 2);
	struct sf_member item, member;
	struct slice rest = { line, value.len + 2 };

	CHECK(line != NULL);
	memcpy(line, "a=", 2);
	memcpy(line + 2, value.ptr, value.len);
	if (sf_item_parse(slice_make(line + 2, value.len), &item)) {
		CHECK(item.text.ptr >= line + 2 &&
		      item.text.ptr + item.text.len <= line + 2 + value.len);
		CHECK(item.key.len == 0 && item.kind != SF_LIST);
		if (value.ptr[0] != ' ') {
			CHECK(sf_dict_next(&rest, &member) == SF_MEMBER && rest.len == 0);
			CHECK(member.kind == item.kind && member.number == item.number);
			CHECK(slice_eq(member.text, item.text));
		}
	}
	free(line);
}

/* As the parser of heads leaves it: RFC 9110 section 5.5. */
static bool
is_value(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is(s.ptr[i], CHAR_TEXT))
			return false;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_field fields[LINES_MAX];
	struct http_head head = { .method = HTTP_POST, .fields = fields };
	/* No NUL and nothing else behind the bytes. */
	char *copy = malloc(size + (size == 0));
	struct slice rest = slice_make(copy, size);

	CHECK(copy != NULL);
	if (size != 0)
		memcpy(copy, data, size);
	while (head.field_count < LINES_MAX && rest.len > 0) {
		size_t n = slice_find(rest, '\n');
		struct slice line = slice_make(rest.ptr, n), value;
		size_t colon = slice_find(line, ':');

		rest = slice_from(rest, n + 1);
		value = slice_trim(slice_from(line, colon + 1));
		if (!is_value(value))
			continue;
		fuzz_item(value);
		fields[head.field_count++] = (struct http_field){
			.name = slice_make(line.ptr, colon),
			.value = value,
			.id = http_field_from(slice_make(line.ptr, colon)),
		};
	}
	fuzz_tus(&head);
	fuzz_rufh(&head);
	free(copy);
	return 0;
}
