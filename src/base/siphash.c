/* SPDX-License-Identifier: BSD-2-Clause
 *
 * siphash: one round for each word of eight bytes, three at the end.
 */
#include "base/siphash.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#define WORD sizeof(uint64_t)

static inline uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static inline void
take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

/* Up to eight bytes, the first of them the lowest. */
static inline uint64_t
load(const char *p, size_t len)
{
	uint64_t word = 0;

	if (len != 0)
		memcpy(&word, p, len);
	return le64toh(word);
}

uint64_t
siphash(const struct siphash_key *key, struct slice s)
{
	uint64_t v[4] = { key->k[0] ^ UINT64_C(0x736f6d6570736575),
			  key->k[1] ^ UINT64_C(0x646f72616e646f6d),
			  key->k[0] ^ UINT64_C(0x6c7967656e657261),
			  key->k[1] ^ UINT64_C(0x7465646279746573) };
	uint64_t last = (uint64_t)s.len << 56;

	for (; s.len >= WORD; s = slice_from(s, WORD))
		take(v, load(s.ptr, WORD));
	take(v, last | load(s.ptr, s.len));
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
