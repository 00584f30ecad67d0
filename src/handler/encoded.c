/* SPDX-License-Identifier: BSD-2-Clause
 *
 * encoded: one call of the pull function takes at most one piece of the inner body, so that it
 * ends soon.
 */
#include "handler/encoded.h"

#include <errno.h>
#include <stdlib.h>

#define INPUT_SIZE ((size_t)64 * 1024)

struct encoded {
	struct file_shared *shared;
	enum coding coding;
	struct body inner;
	struct encoder *encoder; /* made by the first pull: HEAD needs none */
	struct slice in;
	bool ended, done; /* the inner body, this one */
	char input[INPUT_SIZE];
};

static size_t
memory_of(enum coding c)
{
	return sizeof(struct encoded) + coding_memory(c);
}

bool
encoded_has_room(const struct file_shared *shared, enum coding c)
{
	return shared->stream_memory + memory_of(c) <= FILE_STREAMS_MEMORY;
}

static void
free_encoded(void *owner)
{
	struct encoded *e = owner;

	e->shared->stream_memory -= memory_of(e->coding);
	body_release(&e->inner);
	encoder_free(e->encoder);
	free(e);
}

static ssize_t
read_inner(struct encoded *e)
{
	ssize_t n = e->inner.pull(e->inner.owner, e->input, sizeof(e->input));

	if (n < 0)
		return n;
	e->in = slice_make(e->input, (size_t)n);
	if (e->inner.left != BODY_UNKNOWN)
		e->inner.left -= (uint64_t)n;
	e->ended = n == 0 || e->inner.left == 0;
	return 0;
}

static ssize_t
pull(void *owner, char *out, size_t room)
{
	struct encoded *e = owner;
	ssize_t n;

	if (e->encoder == NULL && (e->encoder = encoder_new(e->coding)) == NULL)
		return -ENOMEM;
	if (e->done)
		return 0;
	if (e->in.len == 0 && !e->ended && (n = read_inner(e)) < 0)
		return n;
	n = encoder_run(e->encoder, &e->in, e->ended, out, room, &e->done);
	return n != 0 || e->done ? n : -EAGAIN;
}

struct body
encoded_body(struct file_shared *shared, const struct body *inner, enum coding c)
{
	struct encoded *e = malloc(sizeof(*e));

	if (e == NULL)
		return (struct body){ 0 };
	e->shared = shared;
	e->coding = c;
	e->inner = *inner;
	e->encoder = NULL;
	e->in = slice_make(NULL, 0);
	e->ended = inner->left == 0;
	e->done = false;
	shared->stream_memory += memory_of(c);
	return body_pull(pull, e, free_encoded, BODY_UNKNOWN);
}
