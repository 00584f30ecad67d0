/* SPDX-License-Identifier: BSD-2-Clause
 *
 * body: where the bytes of a response come from. The transport takes them when the
 * socket has room; nothing is ever pushed.
 */
#ifndef WEBSRV_CORE_BODY_H
#define WEBSRV_CORE_BODY_H

#include <stdint.h>

#include "base/slice.h"

enum body_kind {
	BODY_NONE,
	BODY_MEMORY, /* bytes that stay valid until release */
	BODY_FILE    /* a range of a regular file */
};

struct body {
	enum body_kind kind;
	uint64_t
		left; /* bytes that were not yet taken; the length when the response begins */
	union {
		const char *memory;
		struct {
			int fd;
			uint64_t offset;
		} file;
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

static inline void
body_release(struct body *b)
{
	if (b->release != NULL)
		b->release(b->owner);
	*b = (struct body){ 0 };
}

#endif
