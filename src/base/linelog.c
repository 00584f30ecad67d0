/* SPDX-License-Identifier: BSD-2-Clause
 *
 * linelog: one buffer, flushed when it is nearly full or when the owner says so.
 */
#include "base/linelog.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

#define FLUSH_AT ((size_t)48 * 1024)

void
linelog_init(struct linelog *l, int fd)
{
	*l = (struct linelog){ .fd = fd };
	buf_init(&l->buf);
}

void
linelog_fini(struct linelog *l, const struct log *errors)
{
	linelog_flush(l, errors);
	buf_fini(&l->buf);
}

struct buf *
linelog_begin(struct linelog *l)
{
	return &l->buf;
}

static uint64_t
count_lines(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = slice_find(s, '\n'); i < s.len; i = slice_find(s, '\n')) {
		n++;
		s = slice_from(s, i + 1);
	}
	return n;
}

void
linelog_flush(struct linelog *l, const struct log *errors)
{
	int rc = 0;

	if (l->buf.len > 0 && l->fd >= 0)
		rc = fs_write_full(l->fd, l->buf.ptr, l->buf.len);
	if (l->buf.failed)
		rc = -ENOMEM;
	if (rc < 0) {
		l->lost += count_lines(buf_slice(&l->buf));
		log_limited(errors, &l->limit, LOG_LEVEL_ERROR,
			    "access log: %s; %llu lines lost so far", strerror(-rc),
			    (unsigned long long)l->lost);
	}
	l->buf.len = 0;
	l->buf.failed = false;
}

void
linelog_commit(struct linelog *l, const struct log *errors)
{
	if (l->buf.len >= FLUSH_AT || l->buf.failed)
		linelog_flush(l, errors);
}
