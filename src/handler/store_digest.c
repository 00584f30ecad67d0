/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_digest: check, keep, load.
 */
#include "handler/store_digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "http/digest_hash.h"

#define ATTRIBUTE "user.websrv.digest"
#define STAMP_MAX 64 /* "SIZE SECONDS.NANOSECONDS " */
#define KEPT_MAX (STAMP_MAX + DIGEST_COUNT * (DIGEST_TEXT_MAX + 2))

static bool
has(const struct store_digest *d, enum digest_algorithm a)
{
	return (d->expected.present & DIGEST_BIT(a)) != 0;
}

/* --- checking --- */

int
store_digest_expect(struct store_digest *d, const struct digest_set *expected)
{
	*d = (struct store_digest){ .expected = *expected };
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if (!has(d, a))
			continue;
		d->hashes[a] = digest_hash_new(a);
		if (d->hashes[a] == NULL) {
			store_digest_fini(d);
			return 503;
		}
	}
	return 0;
}

int
store_digest_begin(struct store_digest *d, const struct http_head *head)
{
	struct digest_set repr, content;

	*d = (struct store_digest){ 0 };
	/* What cannot be checked is not looked at: RFC 9530 section 3 lets a recipient ignore it. */
	if (digest_hash_library() == NULL)
		return 0;
	if (digest_read(head, HTTP_FIELD_REPR_DIGEST, &repr) != 0 ||
	    digest_read(head, HTTP_FIELD_CONTENT_DIGEST, &content) != 0 ||
	    digest_merge(&repr, &content) != 0)
		return 400;
	return store_digest_expect(d, &repr);
}

void
store_digest_add(struct store_digest *d, struct slice bytes)
{
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if (d->hashes[a] != NULL)
			digest_hash_add(d->hashes[a], bytes.ptr, bytes.len);
	}
}

void
store_digest_fini(struct store_digest *d)
{
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		digest_hash_free(d->hashes[a]);
		d->hashes[a] = NULL;
	}
}

/* --- keeping --- */

static size_t
format_stamp(uint64_t size, const struct timespec *mtime, char out[STAMP_MAX])
{
	return (size_t)snprintf(out, STAMP_MAX, "%" PRIu64 " %jd.%09ld ", size,
				(intmax_t)mtime->tv_sec, mtime->tv_nsec);
}

/* A file that goes without is not worse than one whose client sent no digest. */
int
store_digest_keep(const struct digest_set *set, int fd)
{
	char text[KEPT_MAX];
	struct stat st;
	size_t n;

	if (set->present == 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	n = format_stamp((uint64_t)st.st_size, &st.st_mtim, text);
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((set->present & DIGEST_BIT(a)) == 0)
			continue;
		if (text[n - 1] == ':') {
			text[n++] = ',';
			text[n++] = ' ';
		}
		n += digest_format(a, set->value[a], text + n).len;
	}
	return fs_set_attribute(fd, ATTRIBUTE, text, n);
}

int
store_digest_check(struct store_digest *d)
{
	unsigned char value[DIGEST_SIZE_MAX];

	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if (d->hashes[a] == NULL)
			continue;
		if (!digest_hash_end(d->hashes[a], value))
			return 500;
		if (memcmp(value, d->expected.value[a], digest_size(a)) != 0)
			return 400;
	}
	return 0;
}

int
store_digest_end(struct store_digest *d, int fd)
{
	int status = store_digest_check(d);

	if (status != 0)
		return status;
	d->keep_error = store_digest_keep(&d->expected, fd);
	return 0;
}

bool
store_digest_load(int fd, uint64_t size, const struct timespec *mtime,
		  struct digest_set *out)
{
	char text[KEPT_MAX], stamp[STAMP_MAX];
	size_t n = format_stamp(size, mtime, stamp);
	ssize_t len = fs_get_attribute(fd, ATTRIBUTE, text, sizeof(text));
	struct slice kept;

	if (len < 0)
		return false;
	kept = slice_make(text, (size_t)len);
	return slice_starts_with(kept, slice_make(stamp, n)) &&
	       digest_parse(slice_from(kept, n), out) == 0;
}
