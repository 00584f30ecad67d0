/* SPDX-License-Identifier: BSD-2-Clause
 *
 * body: where the bytes of a response come from. The transport takes them when the
 * socket has room; nothing is ever pushed.
 */
#ifndef WEBSRV_CORE_BODY_H
#define WEBSRV_CORE_BODY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

enum body_kind {
	BODY_NONE,
	BODY_MEMORY, /* bytes that stay valid until release */
	BODY_FILE,   /* a range of a regular file */
	BODY_PULL    /* a function that makes the bytes */
};

#define BODY_UNKNOWN UINT64_MAX
/* The room that a pull function is given, unless fewer bytes are left. */
#define BODY_ROOM ((size_t)16 * 1024)

/*
 * The next bytes of a body, at most `room` of them, after a bounded amount of work: their
 * count; 0 at the end, only where the length was unknown; -EAGAIN: nothing yet, ask again in
 * the next turn of the loop; another -errno: the answer has to be broken off.
 */
typedef ssize_t (*body_pull_fn)(void *owner, char *out, size_t room);
/* Is the file still the one whose length was promised? 0; -EAGAIN: ask again in the next turn of
 * the loop; another -errno: the answer has to be broken off. */
typedef int (*body_check_fn)(void *owner);

struct body {
	enum body_kind kind;
	/* bytes that were not yet taken; the length, or BODY_UNKNOWN, when the response begins */
	uint64_t left;
	union {
		const char *memory;
		struct {
			int fd;
			uint64_t offset;
			body_check_fn check; /* asked for every slice; may be NULL */
			bool copy; /* read it, and send it when the check was after that:
				    * not straight from pages that may change */
		} file;
		body_pull_fn pull;
	};
	void (*release)(
		void *owner); /* called once when the body is no longer needed; may be NULL */
	void *owner;
};

static inline struct body
body_memory(struct slice s)
{
	return (struct body){ .kind = BODY_MEMORY, .left = s.len, .memory = s.ptr };
}

static inline struct body
body_file(int fd, uint64_t offset, uint64_t length)
{
	return (struct body){ .kind = BODY_FILE,
			      .left = length,
			      .file = { .fd = fd, .offset = offset } };
}

/* `length` may be BODY_UNKNOWN. Takes over `owner`: `release` frees it. */
static inline struct body
body_pull(body_pull_fn pull, void *owner, void (*release)(void *owner), uint64_t length)
{
	return (struct body){ .kind = BODY_PULL,
			      .left = length,
			      .pull = pull,
			      .release = release,
			      .owner = owner };
}

static inline void
body_release(struct body *b)
{
	if (b->release != NULL)
		b->release(b->owner);
	*b = (struct body){ 0 };
}

#endif
