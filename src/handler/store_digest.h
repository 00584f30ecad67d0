/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_digest: the digests of an upload, computed while its bytes arrive: those that its client
 * sent (Repr-Digest, RFC 9530 section 3), which have to be right, and those that the server
 * wants for itself. What keeps them with the file is store_kept.h.
 */
#ifndef WEBSRV_HANDLER_STORE_DIGEST_H
#define WEBSRV_HANDLER_STORE_DIGEST_H

#include "http/digest.h"

struct digest_hash;

/* One upload; without digests to compute it costs nothing. Zeroed is valid for _fini(). */
struct store_digest {
	struct digest_set expected;
	struct digest_set found; /* after store_digest_check(): of all bytes */
	struct digest_hash *hashes[DIGEST_COUNT];
};

/* The algorithm whose digest an answer to this request has to tell (Want-Repr-Digest), as a
 * set: one of the set `known` if that will do, for it costs nothing more; 0: none is wanted, or
 * can be had. */
unsigned store_digest_wanted(const struct http_head *head, unsigned known);

/* Before a body comes that is all of a file, so that its Content-Digest is one of the file as
 * its Repr-Digest is; with the digests of the set `more`, and the one that the answer has to tell:
 * 0; 400 for a malformed field, or two that cannot both be right; 503 when memory is short. */
int store_digest_begin(struct store_digest *d, const struct http_head *head,
		       unsigned more) __attribute__((warn_unused_result));
/* The same for digests that are known already; nothing is expected where `expected` is NULL: 0
 * or 503. */
int store_digest_expect(struct store_digest *d, const struct digest_set *expected,
			unsigned more) __attribute__((warn_unused_result));
void store_digest_add(struct store_digest *d, struct slice bytes);
/* Is there anything to compute? */
bool store_digest_is_on(const struct store_digest *d);
/* All bytes were added: 0 with d->found; 400 when one of the digests is another one than
 * expected; 500. Once. */
int store_digest_check(struct store_digest *d) __attribute__((warn_unused_result));
void store_digest_fini(struct store_digest *d);

#endif
