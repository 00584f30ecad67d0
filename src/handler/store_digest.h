/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_digest: the digests that come with an upload (Repr-Digest, RFC 9530 section 3): its
 * bytes are held against them while they arrive, and then they are kept with the file, as the
 * extended attribute "user.websrv.digest": `SIZE SECONDS.NANOSECONDS sha-256=:...:`, where
 * size and modification time tell that the file is still the one that was digested.
 */
#ifndef WEBSRV_HANDLER_STORE_DIGEST_H
#define WEBSRV_HANDLER_STORE_DIGEST_H

#include <time.h>

#include "http/digest.h"

struct digest_hash;

/* One upload; without digests to check it costs nothing. Zeroed is valid for _fini(). */
struct store_digest {
	struct digest_set expected;
	struct digest_hash *hashes[DIGEST_COUNT];
	int keep_error; /* -errno: they could not be kept with the file */
};

/* Before a body comes that is all of a file, so that its Content-Digest is one of the file as
 * its Repr-Digest is: 0; 400 for a malformed field, or two that cannot both be right; 503 when
 * memory is short. */
int store_digest_begin(struct store_digest *d, const struct http_head *head)
	__attribute__((warn_unused_result));
/* The same for digests that are known already: 0 or 503. */
int store_digest_expect(struct store_digest *d, const struct digest_set *expected)
	__attribute__((warn_unused_result));
void store_digest_add(struct store_digest *d, struct slice bytes);
/* All bytes were added: 0; 400 when one of the digests is another one. Once. */
int store_digest_check(struct store_digest *d) __attribute__((warn_unused_result));
/* The body is whole, and in the file `fd`: 0, and the digests are kept with it if its file
 * system can do so, or else d->keep_error says why; 400 when one of them is another one. */
int store_digest_end(struct store_digest *d, int fd) __attribute__((warn_unused_result));
void store_digest_fini(struct store_digest *d);

/* Keeps digests that are right with a file: 0 or -errno. */
int store_digest_keep(const struct digest_set *set, int fd);

/* What is kept with a file that now has this size and modification time; false: nothing that
 * can be believed. */
bool store_digest_load(int fd, uint64_t size, const struct timespec *mtime,
		       struct digest_set *out);

#endif
