/* SPDX-License-Identifier: BSD-2-Clause
 *
 * encoder_br: RFC 7932 by libbrotlienc, quality 5, window 256 KiB. Memory, measured with 1.0.9:
 * up to 5.0 MiB, by what the input is (the next larger window: up to 8.6 MiB), taken step by
 * step. What is known to be at most 64 KiB gets a window of that: up to 1.7 MiB.
 *
 * The library may be built to end the process when it gets no memory; so it never sees that:
 * the allocator leaves it by longjmp, and all its blocks are freed without it.
 */
#include "http/encoder.h"

#include <brotli/encode.h>
#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"

#define QUALITY 5
#define WINDOW_LOG 18
#define WINDOW_LOG_SMALL 16

/* What the library allocated: a ring, of which struct br has the anchor. */
struct block {
	alignas(max_align_t) struct block *next;
	struct block *prev;
};

struct br {
	struct encoder base;
	BrotliEncoderState *state;
	struct block blocks;
	jmp_buf no_memory; /* set while the library runs */
};

static void *
allocate(void *opaque, size_t size)
{
	struct br *b = opaque;
	struct block *block =
		size <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + size) : NULL;

	if (block == NULL)
		longjmp(b->no_memory, 1);
	block->prev = &b->blocks;
	block->next = b->blocks.next;
	block->next->prev = block;
	b->blocks.next = block;
	return block + 1;
}

static void
release(void *opaque, void *p)
{
	struct block *block = p;

	(void)opaque;
	if (block == NULL)
		return;
	block--;
	block->prev->next = block->next;
	block->next->prev = block->prev;
	free(block);
}

static void
br_free(struct encoder *e)
{
	struct br *b = (struct br *)e;

	while (b->blocks.next != &b->blocks)
		release(b, b->blocks.next + 1);
	free(b);
}

static bool
set_up(struct br *b, size_t size)
{
	bool small = size <= (size_t)1 << WINDOW_LOG_SMALL;
	uint32_t window = small ? WINDOW_LOG_SMALL : WINDOW_LOG;

	if (setjmp(b->no_memory) != 0)
		return false;
	b->state = BrotliEncoderCreateInstance(allocate, release, b);
	return b->state != NULL &&
	       BrotliEncoderSetParameter(b->state, BROTLI_PARAM_QUALITY, QUALITY) &&
	       BrotliEncoderSetParameter(b->state, BROTLI_PARAM_LGWIN, window);
}

static struct encoder *
br_create(size_t size)
{
	struct br *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->base.ops = &encoder_br;
	b->blocks.next = b->blocks.prev = &b->blocks;
	if (!set_up(b, size)) {
		br_free(&b->base);
		return NULL;
	}
	return &b->base;
}

/* What has been read and written. */
struct progress {
	const uint8_t *from;
	size_t left;
	uint8_t *to;
	size_t room;
};

static int
compress(struct br *b, BrotliEncoderOperation op, struct progress *p)
{
	if (setjmp(b->no_memory) != 0)
		return -ENOMEM;
	return BrotliEncoderCompressStream(b->state, op, &p->left, &p->from, &p->room,
					   &p->to, NULL)
		       ? 0
		       : -EIO;
}

static ssize_t
br_step(struct encoder *e, struct slice *in, bool last, char *out, size_t room,
	bool *done)
{
	struct br *b = (struct br *)e;
	struct progress p = {
		.from = (const uint8_t *)in->ptr,
		.left = in->len,
		.to = (uint8_t *)out,
		.room = room,
	};
	int rc = compress(b, last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS,
			  &p);

	if (rc < 0)
		return rc;
	*in = slice_from(*in, in->len - p.left);
	*done = last && BrotliEncoderIsFinished(b->state);
	return (ssize_t)(room - p.room);
}

static void
br_add_version(struct buf *out)
{
	uint32_t v = BrotliEncoderVersion();

	buf_printf(out, "libbrotlienc %u.%u.%u", v >> 24, v >> 12 & 0xfff, v & 0xfff);
}

const struct encoder_ops encoder_br = {
	.create = br_create,
	.free = br_free,
	.step = br_step,
	.add_version = br_add_version,
};
