/* SPDX-License-Identifier: BSD-2-Clause
 *
 * encoder: what coding.c asks of a library; private to src/http. Each encoder_NAME.c is the one
 * home of its library, is compiled only when that was found, and puts its own struct behind a
 * struct encoder.
 */
#ifndef WEBSRV_HTTP_ENCODER_H
#define WEBSRV_HTTP_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/slice.h"

struct buf;

/* The first member of what `create` returns, which sets `ops`, the rest is coding.c's. */
struct encoder {
	const struct encoder_ops *ops;
	int error; /* what the library failed with; it is not called again */
	bool last; /* the end of the input has been announced */
	bool done;
};

/* Nothing is known about how much there will be. */
#define ENCODER_SIZE_UNKNOWN ((size_t)-1)

struct encoder_ops {
	/* `size`: of the whole input. NULL when memory is short. */
	struct encoder *(*create)(size_t size);
	void (*free)(struct encoder *e);
	/* One call of the library, with the parameters and the result of encoder_run(). To make
	 * no progress is allowed; it counts as a failure. */
	ssize_t (*step)(struct encoder *e, struct slice *in, bool last, char *out,
			size_t room, bool *done);
	/* "zlib 1.2.13": of the library that runs, not of its header. */
	void (*add_version)(struct buf *out);
};

extern const struct encoder_ops encoder_gzip;
extern const struct encoder_ops encoder_zstd;
extern const struct encoder_ops encoder_br;

#endif
