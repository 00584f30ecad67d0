/* SPDX-License-Identifier: BSD-2-Clause
 *
 * linelog: one buffer, flushed when it is nearly full or when the owner says so.
 */
#include "base/linelog.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
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

/* Bytes up to and with the last line end. */
static size_t
whole_lines(struct slice s)
{
	while (s.len > 0 && s.ptr[s.len - 1] != '\n')
		s.len--;
	return s.len;
}

/* Several processes write to one pipe: only up to PIPE_BUF bytes stay together there. To a
 * file opened for appending any amount does. */
static int
write_lines(int fd, struct slice lines)
{
	struct stat st;
	bool is_pipe = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
	int rc = 0;

	while (rc == 0 && lines.len > 0) {
		size_t n = lines.len;

		if (is_pipe && n > PIPE_BUF)
			n = whole_lines(slice_make(lines.ptr, PIPE_BUF));
		if (n == 0) /* one line longer than that */
			n = slice_find(lines, '\n') + 1;
		rc = fs_write_full(fd, lines.ptr, n);
		lines = slice_from(lines, n);
	}
	return rc;
}

void
linelog_flush(struct linelog *l, const struct log *errors)
{
	int rc = 0;

	if (l->buf.failed) /* in the middle of a line */
		l->buf.len = whole_lines(buf_slice(&l->buf));
	if (l->buf.len > 0 && l->fd >= 0)
		rc = write_lines(l->fd, buf_slice(&l->buf));
	if (rc < 0)
		l->lost += count_lines(buf_slice(&l->buf));
	if (l->buf.failed) {
		l->lost++;
		rc = -ENOMEM;
	}
	if (rc < 0) {
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
