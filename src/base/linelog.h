/* SPDX-License-Identifier: BSD-2-Clause
 *
 * linelog: a log of many lines, gathered and written together. Only whole lines reach the
 * descriptor, each batch with one write(2) (a pipe: PIPE_BUF at a time), so several
 * processes may append to one file. What cannot be written is counted, and told once in a
 * while in the error log.
 */
#ifndef WEBSRV_BASE_LINELOG_H
#define WEBSRV_BASE_LINELOG_H

#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

struct linelog {
	int fd; /* not owned; -1 drops every line */
	struct buf buf;
	uint64_t lost; /* lines */
	struct log_limit limit;
};

void linelog_init(struct linelog *l, int fd);
/* Writes what is left. */
void linelog_fini(struct linelog *l, const struct log *errors);

/* Where to append a line; the caller ends it with '\n' and calls linelog_commit(). */
struct buf *linelog_begin(struct linelog *l);
void linelog_commit(struct linelog *l, const struct log *errors);
void linelog_flush(struct linelog *l, const struct log *errors);

#endif
