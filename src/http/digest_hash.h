/* SPDX-License-Identifier: BSD-2-Clause
 *
 * digest_hash: a digest of bytes that come in pieces, by libcrypto if the build has it.
 */
#ifndef WEBSRV_HTTP_DIGEST_HASH_H
#define WEBSRV_HTTP_DIGEST_HASH_H

#include "http/digest.h"

struct digest_hash;

/* The version of libcrypto; NULL: it is not built in, and there are no digests. */
const char *digest_hash_library(void);

/* NULL: no memory, or libcrypto is not built in or refuses the algorithm. */
struct digest_hash *digest_hash_new(enum digest_algorithm a)
	__attribute__((warn_unused_result));
void digest_hash_add(struct digest_hash *h, const void *data, size_t len);
/* digest_size() bytes into `out`, once; false when something failed on the way. */
bool digest_hash_end(struct digest_hash *h, unsigned char *out)
	__attribute__((warn_unused_result));
/* NULL is fine. */
void digest_hash_free(struct digest_hash *h);

#endif
