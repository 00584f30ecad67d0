/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_body: the bytes of a version as a body. A file that has been left alone for a while goes
 * by sendfile. One that was written just now may be written again: the pages that sendfile
 * hands to the socket would change on the way, so it is read, and what was read is sent only
 * when the file is still the same version.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "handler/encoded.h"
#include "handler/files.h"

#define QUIET_S 5 /* since the last change: then sendfile is safe enough */
#define PART_HEAD_MAX 512

/* Bytes of a version, or -errno; -EIO when they are those of another version, -EAGAIN when that
 * cannot be told yet. */
static ssize_t
read_version(struct file_version *v, uint64_t offset, char *out, size_t len)
{
	ssize_t n = (ssize_t)len;
	int rc;

	if (v->bytes != NULL) {
		memcpy(out, v->bytes + offset, len);
		return n;
	}
	n = fs_pread_full(v->fd, out, len, (off_t)offset);
	if (n < 0)
		return n;
	if ((size_t)n != len)
		return -EIO;
	rc = file_version_check(v);
	return rc < 0 ? rc : n;
}

struct reader {
	struct file_version *version;
	uint64_t offset, left;
};

static size_t
smaller(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

static ssize_t
read_on(struct reader *r, char *out, size_t room)
{
	size_t want = smaller(r->left, room);
	ssize_t n = read_version(r->version, r->offset, out, want);

	if (n > 0) {
		r->offset += (uint64_t)n;
		r->left -= (uint64_t)n;
	}
	return n;
}

static int
check_version(void *owner)
{
	return file_version_check(owner);
}

struct body
file_body_range(struct file_version *v, const struct http_range *r)
{
	struct body body;

	if (v->bytes != NULL)
		return body_memory(slice_make(v->bytes + r->offset, (size_t)r->length));
	body = body_file(v->fd, r->offset, r->length);
	body.file.check = check_version;
	body.file.copy = clock_unix() - v->id.mtime.tv_sec < QUIET_S;
	body.owner = v;
	return body;
}

/* --- several ranges --- */

struct parts {
	struct reader reader; /* of the present part */
	const struct http_range *ranges;
	size_t count, next;
	struct slice type;
	const char *boundary;
	char head
		[PART_HEAD_MAX]; /* what goes before the bytes of a part, or ends them all */
	size_t head_len, head_done;
};

/* Makes the head of part `i`, or what ends the body; its length. RFC 2046 section 5.1.1. */
static size_t
make_head(struct parts *p, size_t i)
{
	char content[RANGE_CONTENT_MAX];
	struct slice range;
	int n;

	if (i == p->count) {
		n = snprintf(p->head, sizeof(p->head), "\r\n--%s--\r\n", p->boundary);
	} else {
		range = range_content(&p->ranges[i], p->reader.version->size, content);
		n = snprintf(
			p->head, sizeof(p->head),
			"\r\n--%s\r\nContent-Type: %.*s\r\nContent-Range: %.*s\r\n\r\n",
			p->boundary, SLICE_ARG(p->type), SLICE_ARG(range));
	}
	return n > 0 && (size_t)n < sizeof(p->head) ? (size_t)n : 0;
}

static void
begin_part(struct parts *p)
{
	p->head_len = make_head(p, p->next);
	p->head_done = 0;
	p->reader.left = 0;
	if (p->next < p->count) {
		p->reader.offset = p->ranges[p->next].offset;
		p->reader.left = p->ranges[p->next].length;
	}
	p->next++;
}

static ssize_t
pull_parts(void *owner, char *out, size_t room)
{
	struct parts *p = owner;
	size_t n = smaller(p->head_len - p->head_done, room);

	if (n > 0) {
		memcpy(out, p->head + p->head_done, n);
		p->head_done += n;
		return (ssize_t)n;
	}
	if (p->reader.left > 0)
		return read_on(&p->reader, out, room);
	if (p->next > p->count)
		return 0;
	begin_part(p);
	return pull_parts(owner, out, room);
}

static int
make_boundary(char out[FILE_BOUNDARY_LEN + 1])
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
		return -1;
	snprintf(out, FILE_BOUNDARY_LEN + 1, "part%016" PRIx64, r);
	return 0;
}

struct body
file_body_parts(struct exchange *ex, struct file_version *v, struct slice type,
		const struct http_range *ranges, size_t count,
		char boundary[FILE_BOUNDARY_LEN + 1])
{
	struct parts *p = arena_zalloc(&ex->arena, sizeof(*p));
	struct http_range *copy = arena_alloc(&ex->arena, count * sizeof(*copy));
	char *text = arena_alloc(&ex->arena, FILE_BOUNDARY_LEN + 1);
	uint64_t length = 0;

	if (p == NULL || copy == NULL || text == NULL || make_boundary(boundary) < 0)
		return (struct body){ 0 };
	memcpy(copy, ranges, count * sizeof(*copy));
	memcpy(text, boundary, FILE_BOUNDARY_LEN + 1);
	*p = (struct parts){ .reader = { .version = v },
			     .ranges = copy,
			     .count = count,
			     .type = type,
			     .boundary = text };
	for (size_t i = 0; i <= count; i++) {
		size_t head = make_head(p, i);

		if (head == 0)
			return (struct body){ 0 };
		length += head + (i < count ? ranges[i].length : 0);
	}
	begin_part(p);
	return body_pull(pull_parts, p, NULL, length);
}

/* --- encoded on the way --- */

static ssize_t
pull_range(void *owner, char *out, size_t room)
{
	return read_on(owner, out, room);
}

struct body
file_body_encoded(struct exchange *ex, struct file_shared *shared, struct file_version *v,
		  enum coding c)
{
	struct reader *r = arena_alloc(&ex->arena, sizeof(*r));
	struct body plain;

	if (r == NULL)
		return (struct body){ 0 };
	*r = (struct reader){ v, 0, v->size };
	plain = body_pull(pull_range, r, NULL, v->size);
	return encoded_body(shared, &plain, c);
}
