/* SPDX-License-Identifier: BSD-2-Clause
 *
 * multipart: parser of multipart/form-data, RFC 7578 and RFC 2046 section 5.1, incremental at
 * every byte. It hands out runs of data without copying them; what it keeps is one part's
 * head. Nothing in it depends on how the bytes were cut.
 */
#ifndef WEBSRV_HTTP_MULTIPART_H
#define WEBSRV_HTTP_MULTIPART_H

#include <stdbool.h>

#include "base/slice.h"

#define MULTIPART_BOUNDARY_MAX 70
#define MULTIPART_HEAD_MAX 8192 /* bytes of a part's head */
#define MULTIPART_FIELDS_MAX 16
#define MULTIPART_OUTSIDE_MAX 4096 /* bytes of the preamble, and of the epilogue */

/* Sentences for the body of a 400. */
#define MULTIPART_ERRORS(X)                                                              \
	X(OK, "")                                                                        \
	X(TYPE, "The body is not multipart/form-data.")                                  \
	X(BOUNDARY, "Content-Type has no usable boundary.")                              \
	X(PREAMBLE, "The form does not begin with its boundary.")                        \
	X(DELIMITER, "A boundary in the form is followed by other bytes.")               \
	X(BARE_LF, "A line of the form does not end with CR LF.")                        \
	X(PARTS, "The form has too many parts.")                                         \
	X(HEAD_SIZE, "The head of a part of the form is too long.")                      \
	X(HEAD_FIELDS, "A part of the form has too many header fields.")                 \
	X(HEAD_SYNTAX, "A header field of a part of the form is malformed.")             \
	X(DISPOSITION, "The Content-Disposition of a part of the form is malformed.")    \
	X(NO_NAME, "A part of the form has no name.")                                    \
	X(ENCODING, "A part of the form has a Content-Transfer-Encoding.")               \
	X(EPILOGUE, "Too much follows the form.")                                        \
	X(TRUNCATED, "The form is not complete.")

enum multipart_error {
#define X(id, sentence) MULTIPART_##id,
	MULTIPART_ERRORS(X)
#undef X
		MULTIPART_ERROR_COUNT
};

enum multipart_result {
	MULTIPART_PART,     /* a part begins: m->part says which */
	MULTIPART_DATA,     /* *data holds the part's next bytes, never none */
	MULTIPART_PART_END, /* the part is whole */
	MULTIPART_END,      /* there are no more parts; once */
	MULTIPART_MORE,     /* all of *in was taken; wants more */
	MULTIPART_BAD       /* m->error says why; it must not be called again */
};

/* Valid until the next MULTIPART_PART. */
struct multipart_part {
	struct slice name; /* decoded; any bytes */
	struct slice
		filename;  /* the same, with its folders; a NULL ptr when it has none */
	struct slice type; /* Content-Type as received; empty when there is none */
	struct slice charset; /* its parameter, as received; empty when there is none */
	bool is_charset;      /* "_charset_": its data names that of the other fields */
};

struct multipart {
	int state;
	enum multipart_error error;
	struct multipart_part part;
	bool in_part;
	size_t part_count, part_max;
	size_t matched;  /* bytes of the delimiter that were the last ones seen */
	size_t imagined; /* of those, that did not come: the CR LF at the very start */
	size_t outside;  /* bytes of the preamble, or of the epilogue */
	size_t head_len, line_start, field_count;
	size_t delimiter_len;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF "--" boundary */
	char head[MULTIPART_HEAD_MAX];
};

/* `content_type`: of the request. MULTIPART_OK, _TYPE or _BOUNDARY. No memory is taken. */
enum multipart_error multipart_init(struct multipart *m, struct slice content_type,
				    size_t part_max) __attribute__((warn_unused_result));

/*
 * Advances *in past what it took; call it until it says MORE, also when *in is empty already.
 * *data points into *in or into *m, until the next call. After END only bytes that mean
 * nothing may follow; too many of them, or others behind the last boundary, are BAD.
 */
enum multipart_result multipart_parse(struct multipart *m, struct slice *in,
				      struct slice *data)
	__attribute__((warn_unused_result));

/* When the body has ended: MULTIPART_OK, or why the form is not whole. */
enum multipart_error multipart_finish(const struct multipart *m)
	__attribute__((warn_unused_result));

/* A sentence, static; "" for MULTIPART_OK. */
const char *multipart_sentence(enum multipart_error e);

#endif
