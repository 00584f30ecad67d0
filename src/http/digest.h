/* SPDX-License-Identifier: BSD-2-Clause
 *
 * digest: the fields of RFC 9530: Content-Digest, Repr-Digest and Want-Repr-Digest. Text
 * only: what computes a digest is digest_hash.h.
 */
#ifndef WEBSRV_HTTP_DIGEST_H
#define WEBSRV_HTTP_DIGEST_H

#include <stdbool.h>

#include "http/message.h"

/* In the order of preference when nothing else decides. */
enum digest_algorithm {
	DIGEST_SHA_256,
	DIGEST_SHA_512,
	DIGEST_COUNT,
	/* No field of RFC 9530 is read or written with it: checksums of tus only. */
	DIGEST_SHA_1
};

/* A set of algorithms: DIGEST_BIT(DIGEST_SHA_256) and so on. */
#define DIGEST_BIT(a) (1u << (a))
#define DIGEST_ALL (DIGEST_BIT(DIGEST_COUNT) - 1)

#define DIGEST_SIZE_MAX 64
#define DIGEST_TEXT_MAX 100 /* of digest_format() */

struct digest_set {
	unsigned present; /* set of DIGEST_BIT() */
	unsigned char value[DIGEST_COUNT][DIGEST_SIZE_MAX];
};

struct digest_weights {
	unsigned char of[DIGEST_COUNT]; /* 0 to 10; 0 = not wanted */
};

/* The key of RFC 9530 section 7.2 ("sha1" is what tus calls it), and the bytes of a digest. */
struct slice digest_name(enum digest_algorithm a);
size_t digest_size(enum digest_algorithm a);

/*
 * The value of a Repr-Digest or Content-Digest line. 0 with the digests of the algorithms
 * above; others are passed over. -EINVAL: no dictionary of byte sequences in padded base64,
 * or a digest of the wrong length.
 */
int digest_parse(struct slice line, struct digest_set *out)
	__attribute__((warn_unused_result));

/* The same for all lines of that field in a head as one; an empty set when there is none. */
int digest_read(const struct http_head *head, enum http_field_id field,
		struct digest_set *out) __attribute__((warn_unused_result));

/* Adds the digests of `more` to `set`; -EINVAL when both have one and it is not the same. */
int digest_merge(struct digest_set *set, const struct digest_set *more)
	__attribute__((warn_unused_result));

/* What Want-Repr-Digest says; nothing is wanted when there is none or it is malformed. */
void digest_read_weights(const struct http_head *head, struct digest_weights *out);

/* Of the set `available` the one that is wanted most; DIGEST_COUNT: none of them is. */
enum digest_algorithm digest_pick(const struct digest_weights *want, unsigned available);

/* `sha-256=:...:`, without a NUL. */
struct slice digest_format(enum digest_algorithm a, const unsigned char *value,
			   char out[DIGEST_TEXT_MAX]);

#endif
