/* SPDX-License-Identifier: BSD-2-Clause
 *
 * coding: content codings, RFC 9110 section 8.4.1: gzip (RFC 1952), zstd (RFC 8878) and br
 * (RFC 7932); their names, and encoders whose memory is bounded. zlib, libzstd and libbrotlienc
 * are at home behind this header; a coding that was not built in has a name but no encoder.
 */
#ifndef WEBSRV_HTTP_CODING_H
#define WEBSRV_HTTP_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/slice.h"

struct buf;

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_ZSTD, CODING_BR, CODING_COUNT };

/* "gzip", "zstd", "br", "identity". */
struct slice coding_name(enum coding c);
/* ".gz", ".zst", ".br"; empty for identity. */
struct slice coding_extension(enum coding c);
/* Case-insensitive; "x-gzip" is gzip (section 8.4.1.3). CODING_COUNT when it is none of ours. */
enum coding coding_from(struct slice name);
/* Identity always is. */
bool coding_is_built_in(enum coding c);
/* For `websrv -V`: "gzip (zlib 1.2.13), br (libbrotlienc 1.0.9)", or "none". */
void coding_add_libraries(struct buf *out);

/* A stream that is being encoded: at most CODING_MEMORY_MAX bytes of memory. */
#define CODING_MEMORY_MAX ((size_t)8 * 1024 * 1024)
struct encoder;

/* What one stream of that coding takes at most, as measured; bytes. */
size_t coding_memory(enum coding c);

/* NULL when memory is short, when the coding is not built in, and for identity, which needs no
 * encoder. */
struct encoder *encoder_new(enum coding c) __attribute__((warn_unused_result));
/* NULL is fine. */
void encoder_free(struct encoder *e);

/*
 * Takes bytes from the front of *in and writes at most `room` (> 0) bytes: their count, which
 * may be 0 while *in is taken up whole. It goes on until there is no room or nothing in *in, so
 * a count below `room` says that *in is empty, and with `last` that *done is set.
 * `last`: nothing follows *in; then it is to be called, with what is left of *in, until *done.
 * Before that the encoder holds back what it likes; there is no flush. Same pieces, same bytes.
 * -ENOMEM or -EIO when the library fails; the encoder is then of no further use.
 */
ssize_t encoder_run(struct encoder *e, struct slice *in, bool last, char *out,
		    size_t room, bool *done) __attribute__((warn_unused_result));

/* All of `in` at once, appended to `out`: 0, -ENOMEM, -ENOTSUP or -EIO; then `out` has what it
 * had. Input that is small may come out smaller than from a stream. `in` is no part of `out`. */
int coding_encode(enum coding c, struct slice in, struct buf *out)
	__attribute__((warn_unused_result));

#endif
