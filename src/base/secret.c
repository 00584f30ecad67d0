/* SPDX-License-Identifier: BSD-2-Clause
 *
 * secret: SHA-256 as FIPS 180-4 has it, here so that passwords and tokens need no library
 * that may be left out. Where it counts for speed (digests of files) libcrypto is used.
 */
#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* FIPS 180-4 section 4.2.2. */
static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t
rotr(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t
load_be(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
store_be(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

/* FIPS 180-4 section 6.2.2; the names are those of the standard. */
static void
compress(uint32_t state[8], const unsigned char block[64])
{
	uint32_t w[64], v[8];

	for (size_t t = 0; t < 16; t++)
		w[t] = load_be(block + 4 * t);
	for (size_t t = 16; t < 64; t++) {
		uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = w[t - 16] + s0 + w[t - 7] + s1;
	}
	memcpy(v, state, sizeof(v));
	for (size_t t = 0; t < 64; t++) {
		uint32_t e = v[4], a = v[0];
		uint32_t t1 = v[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
			      ((e & v[5]) ^ (~e & v[6])) + constants[t] + w[t];
		uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
			      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (size_t i = 0; i < 8; i++)
		state[i] += v[i];
	explicit_bzero(w, sizeof(w));
}

void
secret_hash_init(struct secret_hash *h)
{
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
	};

	memcpy(h->state, start, sizeof(start));
	h->len = 0;
}

void
secret_hash_add(struct secret_hash *h, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len > 0) {
		size_t at = (size_t)(h->len % sizeof(h->block));
		size_t n = sizeof(h->block) - at < len ? sizeof(h->block) - at : len;

		memcpy(h->block + at, p, n);
		h->len += n;
		p += n;
		len -= n;
		if (at + n == sizeof(h->block))
			compress(h->state, h->block);
	}
}

void
secret_hash_end(struct secret_hash *h, unsigned char out[SECRET_DIGEST])
{
	static const unsigned char padding[64] = { 0x80 };
	uint64_t bits = h->len * 8;
	size_t at = (size_t)(h->len % 64);
	unsigned char length[8];

	store_be(length, (uint32_t)(bits >> 32));
	store_be(length + 4, (uint32_t)bits);
	secret_hash_add(h, padding, at < 56 ? 56 - at : 120 - at);
	secret_hash_add(h, length, sizeof(length));
	for (size_t i = 0; i < 8; i++)
		store_be(out + 4 * i, h->state[i]);
	explicit_bzero(h, sizeof(*h));
}

void
secret_digest(struct slice data, unsigned char out[SECRET_DIGEST])
{
	struct secret_hash h;

	secret_hash_init(&h);
	secret_hash_add(&h, data.ptr, data.len);
	secret_hash_end(&h, out);
}

void
secret_mac_init(struct secret_mac *m, const unsigned char key[SECRET_KEY])
{
	unsigned char inner[64];

	for (size_t i = 0; i < sizeof(inner); i++) {
		unsigned char k = i < SECRET_KEY ? key[i] : 0;

		inner[i] = k ^ 0x36;
		m->outer[i] = k ^ 0x5c;
	}
	secret_hash_init(&m->hash);
	secret_hash_add(&m->hash, inner, sizeof(inner));
	explicit_bzero(inner, sizeof(inner));
}

void
secret_mac_end(struct secret_mac *m, unsigned char out[SECRET_DIGEST])
{
	unsigned char inner[SECRET_DIGEST];

	secret_hash_end(&m->hash, inner);
	secret_hash_init(&m->hash);
	secret_hash_add(&m->hash, m->outer, sizeof(m->outer));
	secret_hash_add(&m->hash, inner, sizeof(inner));
	secret_hash_end(&m->hash, out);
	explicit_bzero(m, sizeof(*m));
}

bool
secret_eq(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char differs = 0;

	for (size_t i = 0; i < len; i++)
		differs |= x[i] ^ y[i];
	return differs == 0;
}

int
secret_random(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
