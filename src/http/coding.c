/* SPDX-License-Identifier: BSD-2-Clause
 *
 * coding: the table of content codings, and the loop around the steps of a library: it ends when
 * the room is used up, or the input, and a library that makes no progress has failed.
 */
#include "http/coding.h"

#include <assert.h>
#include <errno.h>

#include "base/buf.h"
#include "config.h"
#include "http/encoder.h"

#define OUTPUT_STEP 4096

#ifdef HAVE_ZLIB
#define GZIP_OPS &encoder_gzip
#else
#define GZIP_OPS NULL
#endif
#ifdef HAVE_ZSTD
#define ZSTD_OPS &encoder_zstd
#else
#define ZSTD_OPS NULL
#endif
#ifdef HAVE_BROTLI
#define BR_OPS &encoder_br
#else
#define BR_OPS NULL
#endif

static const struct {
	struct slice name;
	struct slice extension;
	const struct encoder_ops *ops; /* NULL: not built in, or identity */
} codings[CODING_COUNT] = {
	[CODING_IDENTITY] = { SLICE_LIT("identity"), SLICE_LIT(""), NULL },
	[CODING_GZIP] = { SLICE_LIT("gzip"), SLICE_LIT(".gz"), GZIP_OPS },
	[CODING_ZSTD] = { SLICE_LIT("zstd"), SLICE_LIT(".zst"), ZSTD_OPS },
	[CODING_BR] = { SLICE_LIT("br"), SLICE_LIT(".br"), BR_OPS },
};

struct slice
coding_name(enum coding c)
{
	assert(c < CODING_COUNT);
	return codings[c].name;
}

struct slice
coding_extension(enum coding c)
{
	assert(c < CODING_COUNT);
	return codings[c].extension;
}

enum coding
coding_from(struct slice name)
{
	if (slice_eq_nocase(name, SLICE("x-gzip")))
		return CODING_GZIP;
	for (enum coding c = CODING_IDENTITY; c < CODING_COUNT; c++) {
		if (slice_eq_nocase(name, codings[c].name))
			return c;
	}
	return CODING_COUNT;
}

bool
coding_is_built_in(enum coding c)
{
	assert(c < CODING_COUNT);
	return c == CODING_IDENTITY || codings[c].ops != NULL;
}

void
coding_add_libraries(struct buf *out)
{
	size_t start = out->len;

	for (enum coding c = CODING_IDENTITY; c < CODING_COUNT; c++) {
		if (codings[c].ops == NULL)
			continue;
		if (out->len > start)
			buf_add_str(out, ", ");
		buf_add_slice(out, codings[c].name);
		buf_add_str(out, " (");
		codings[c].ops->add_version(out);
		buf_add_char(out, ')');
	}
	if (out->len == start)
		buf_add_str(out, "none");
}

size_t
coding_memory(enum coding c)
{
	static const size_t memory[CODING_COUNT] = {
		[CODING_GZIP] = (size_t)320 * 1024,
		[CODING_ZSTD] = (size_t)3 * 1024 * 1024,
		[CODING_BR] = (size_t)6 * 1024 * 1024,
	};

	assert(c < CODING_COUNT);
	return memory[c];
}

struct encoder *
encoder_new(enum coding c)
{
	assert(c < CODING_COUNT);
	return codings[c].ops != NULL ? codings[c].ops->create(ENCODER_SIZE_UNKNOWN)
				      : NULL;
}

void
encoder_free(struct encoder *e)
{
	if (e != NULL)
		e->ops->free(e);
}

ssize_t
encoder_run(struct encoder *e, struct slice *in, bool last, char *out, size_t room,
	    bool *done)
{
	size_t used = 0;

	assert(room > 0);
	assert(last || !e->last);
	e->last = last;
	*done = false;
	while (!e->done && e->error == 0 && used < room && (last || in->len > 0)) {
		size_t before = in->len;
		ssize_t n = e->ops->step(e, in, last, out + used, room - used, &e->done);

		if (n == 0 && in->len == before && !e->done)
			n = -EIO;
		if (n < 0)
			e->error = (int)n;
		else
			used += (size_t)n;
	}
	if (e->error != 0)
		return e->error;
	*done = e->done;
	return (ssize_t)used;
}

static int
encode_all(struct encoder *e, struct slice in, struct buf *out)
{
	bool done = false;

	while (!done) {
		ssize_t n;

		if (buf_reserve(out, OUTPUT_STEP) < 0)
			return -ENOMEM;
		n = encoder_run(e, &in, true, out->ptr + out->len, out->cap - out->len,
				&done);
		if (n < 0)
			return (int)n;
		out->len += (size_t)n;
	}
	return 0;
}

int
coding_encode(enum coding c, struct slice in, struct buf *out)
{
	size_t start = out->len;
	struct encoder *e;
	int rc;

	if (c == CODING_IDENTITY) {
		buf_add_slice(out, in);
		return out->failed ? -ENOMEM : 0;
	}
	if (!coding_is_built_in(c))
		return -ENOTSUP;
	e = codings[c].ops->create(in.len);
	if (e == NULL)
		return -ENOMEM;
	rc = encode_all(e, in, out);
	encoder_free(e);
	if (rc < 0)
		out->len = start;
	return rc;
}
