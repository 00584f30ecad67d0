/* SPDX-License-Identifier: BSD-2-Clause
 *
 * secret: bytes that decide who somebody is: SHA-256 (FIPS 180-4), a keyed digest (HMAC,
 * RFC 2104), a comparison whose time tells nothing, random bytes. No state, no allocation.
 */
#ifndef WEBSRV_BASE_SECRET_H
#define WEBSRV_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define SECRET_DIGEST 32 /* bytes of a digest */
#define SECRET_KEY 32    /* bytes of a key */

struct secret_hash {
	uint32_t state[8];
	uint64_t len;
	unsigned char block[64];
};

void secret_hash_init(struct secret_hash *h);
void secret_hash_add(struct secret_hash *h, const void *data, size_t len);
/* Writes the digest and wipes `h`. */
void secret_hash_end(struct secret_hash *h, unsigned char out[SECRET_DIGEST]);

/* The same for one piece. */
void secret_digest(struct slice data, unsigned char out[SECRET_DIGEST]);

/* HMAC-SHA-256 of the parts, one behind the other: `init` begins, secret_hash_add() adds. */
struct secret_mac {
	struct secret_hash hash;
	unsigned char outer[64];
};
void secret_mac_init(struct secret_mac *m, const unsigned char key[SECRET_KEY]);
void secret_mac_end(struct secret_mac *m, unsigned char out[SECRET_DIGEST]);

/* Takes the same time whatever the bytes are. */
bool secret_eq(const void *a, const void *b, size_t len);

/* Fills `out` by the kernel. 0 or -errno. */
int secret_random(void *out, size_t len) __attribute__((warn_unused_result));

#endif
