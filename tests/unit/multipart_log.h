/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A form as a log: "<name=filename:type>" for a part, its data, "</>" when it is whole and
 * "<.>" behind the last; then why it is not whole, if so. Data is noted as one run however it
 * was handed out. Each piece is fed from an allocation of exactly its size.
 */
#ifndef WEBSRV_TESTS_MULTIPART_LOG_H
#define WEBSRV_TESTS_MULTIPART_LOG_H

#include <stdlib.h>

#include "base/buf.h"
#include "http/multipart.h"

static inline void
log_part(struct buf *out, const struct multipart_part *p)
{
	buf_add_char(out, '<');
	buf_add_slice(out, p->name);
	if (p->filename.ptr != NULL) {
		buf_add_char(out, '=');
		buf_add_slice(out, p->filename);
	}
	if (p->type.len != 0) {
		buf_add_char(out, ':');
		buf_add_slice(out, p->type);
	}
	buf_add_char(out, '>');
}

/* False when the form is BAD. */
static inline bool
log_piece(struct multipart *m, const char *bytes, size_t size, struct buf *out)
{
	char *piece = malloc(size + (size == 0));
	struct slice in = { piece, size }, data;
	enum multipart_result r;

	if (piece == NULL)
		abort();
	memcpy(piece, bytes, size);
	while ((r = multipart_parse(m, &in, &data)) != MULTIPART_MORE) {
		if (r == MULTIPART_BAD)
			break;
		if (r == MULTIPART_PART)
			log_part(out, &m->part);
		else if (r == MULTIPART_DATA && data.len > 0)
			buf_add_slice(out, data);
		else
			buf_add_str(out, r == MULTIPART_PART_END ? "</>"
					 : r == MULTIPART_END    ? "<.>"
								 : "<no data>");
	}
	if (r == MULTIPART_MORE && in.len != 0)
		buf_add_str(out, "<not taken>");
	free(piece);
	return r != MULTIPART_BAD;
}

static inline void
log_end(const struct multipart *m, struct buf *out)
{
	buf_add_str(out, multipart_sentence(multipart_finish(m)));
	buf_add_char(out, '\0');
}

#endif
