/* SPDX-License-Identifier: BSD-2-Clause
 *
 * chunked: decoder of the chunked transfer coding, RFC 9112 section 7.1, incremental
 * at every byte. It hands out runs of data without copying them. Extensions are
 * skipped, trailer fields are checked and dropped; both are capped.
 */
#ifndef WEBSRV_HTTP_CHUNKED_H
#define WEBSRV_HTTP_CHUNKED_H

#include <stdint.h>

#include "base/slice.h"

#define CHUNKED_LINE_MAX 4096    /* chunk-size with its extensions */
#define CHUNKED_TRAILER_MAX 8192 /* the whole trailer section */

enum chunked_result {
	CHUNKED_DATA, /* *data holds the next bytes of the body; call again */
	CHUNKED_MORE, /* all of *in was taken; wants more */
	CHUNKED_END,  /* the body is whole; what is left of *in is not ours */
	CHUNKED_BAD   /* 400 and close; `reason` says why */
};

struct chunked {
	int state;
	uint64_t left;      /* of the present chunk */
	uint32_t line_len;  /* of the present size line, or of the trailer section */
	const char *reason; /* a static sentence, with CHUNKED_BAD */
};

void chunked_init(struct chunked *c);
/* Advances *in past what it took. After END or BAD it must not be called again. */
enum chunked_result chunked_decode(struct chunked *c, struct slice *in,
				   struct slice *data);

#endif
