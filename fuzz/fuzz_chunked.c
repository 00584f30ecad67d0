/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a chunked body: cut into pieces they decode to what they decode to whole,
 * and never to more than there was.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "http/chunked.h"

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum chunked_result end;
	size_t taken;
	struct buf body;
};

static void
decode(const uint8_t *bytes, size_t size, size_t step, struct outcome *o)
{
	struct chunked c;

	*o = (struct outcome){ .end = CHUNKED_MORE };
	buf_init(&o->body);
	chunked_init(&c);
	while (o->end == CHUNKED_MORE && o->taken < size) {
		size_t n = step < size - o->taken ? step : size - o->taken;
		char *piece = malloc(n);
		struct slice in = { piece, n }, data;

		CHECK(piece != NULL);
		memcpy(piece, bytes + o->taken, n);
		while ((o->end = chunked_decode(&c, &in, &data)) == CHUNKED_DATA) {
			CHECK(data.len > 0 && data.ptr >= piece);
			CHECK(data.ptr + data.len == in.ptr);
			buf_add_slice(&o->body, data);
		}
		CHECK(o->end != CHUNKED_MORE || in.len == 0);
		CHECK(o->end != CHUNKED_BAD || c.reason != NULL);
		o->taken += n - in.len;
		free(piece);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 3, 50 };
	struct outcome whole;

	decode(data, size, size, &whole);
	CHECK(whole.body.len <= whole.taken);
	if (whole.end == CHUNKED_END) {
		CHECK(whole.taken >= 5);
		CHECK(memcmp(data + whole.taken - 4, "\r\n\r\n", 4) == 0);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct outcome pieces;

		decode(data, size, steps[i], &pieces);
		CHECK(pieces.end == whole.end);
		CHECK(pieces.taken == whole.taken);
		CHECK(slice_eq(buf_slice(&pieces.body), buf_slice(&whole.body)));
		buf_fini(&pieces.body);
	}
	buf_fini(&whole.body);
	return 0;
}
