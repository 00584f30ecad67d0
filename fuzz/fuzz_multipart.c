/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first line as a Content-Type, the rest as its form: cut into pieces it is what it is
 * whole, what it gives was there, and where its data ends a delimiter stands.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "http/multipart.h"

#define PARTS_MAX 8

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum multipart_error error;
	size_t parts, data_len;
	struct buf log;
};

static void
note_part(struct outcome *o, const struct multipart *m)
{
	const struct multipart_part *p = &m->part;
	const struct slice all[] = { p->name, p->filename, p->type, p->charset };

	CHECK(++o->parts <= PARTS_MAX);
	CHECK(p->name.ptr != NULL);
	buf_add_char(&o->log, '<');
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		CHECK(all[i].ptr == NULL ||
		      (all[i].ptr >= m->head &&
		       all[i].ptr + all[i].len <= m->head + m->head_len));
		buf_add_slice(&o->log, all[i]);
		buf_add_char(&o->log, all[i].ptr != NULL ? '|' : '-');
	}
	buf_add_char(&o->log, p->is_charset ? '!' : '>');
}

/* False when it is BAD. */
static bool
parse_piece(struct multipart *m, const char *piece, size_t n, struct outcome *o)
{
	struct slice in = { piece, n }, data = { NULL, 0 };
	enum multipart_result r;

	while ((r = multipart_parse(m, &in, &data)) != MULTIPART_MORE) {
		CHECK(in.ptr + in.len == piece + n);
		if (r == MULTIPART_BAD)
			return false;
		if (r == MULTIPART_PART)
			note_part(o, m);
		if (r == MULTIPART_PART_END || r == MULTIPART_END)
			buf_add_str(&o->log, r == MULTIPART_END ? "<.>" : "</>");
		if (r != MULTIPART_DATA)
			continue;
		CHECK(data.len > 0);
		o->data_len += data.len;
		buf_add_slice(&o->log, data);
	}
	CHECK(in.len == 0);
	return true;
}

static void
parse(struct slice type, struct slice body, size_t step, struct outcome *o)
{
	struct multipart *m = malloc(sizeof(*m));
	bool good = true;

	CHECK(m != NULL);
	*o = (struct outcome){ .error = multipart_init(m, type, PARTS_MAX) };
	buf_init(&o->log);
	while (o->error == MULTIPART_OK && good && body.len > 0) {
		size_t n = step < body.len ? step : body.len;
		char *piece = malloc(n);

		CHECK(piece != NULL);
		memcpy(piece, body.ptr, n);
		good = parse_piece(m, piece, n, o);
		CHECK(good || m->error != MULTIPART_OK);
		body = slice_from(body, n);
		free(piece);
	}
	o->error = multipart_finish(m);
	CHECK(good || o->error == m->error);
	CHECK(o->error == MULTIPART_OK || multipart_sentence(o->error)[0] != '\0');
	free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 2, 7, 80 };
	struct slice all = { (const char *)data, size };
	struct slice type = { all.ptr, slice_find(all, '\n') };
	struct slice body = slice_from(all, type.len + 1);
	struct outcome whole;

	parse(type, body, size + 1, &whole);
	CHECK(whole.data_len <= body.len);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct outcome pieces;

		parse(type, body, steps[i], &pieces);
		CHECK(pieces.error == whole.error);
		CHECK(pieces.parts == whole.parts && pieces.data_len == whole.data_len);
		CHECK(slice_eq(buf_slice(&pieces.log), buf_slice(&whole.log)));
		buf_fini(&pieces.log);
	}
	buf_fini(&whole.log);
	return 0;
}
