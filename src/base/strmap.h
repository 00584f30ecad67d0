/* SPDX-License-Identifier: BSD-2-Clause
 *
 * strmap: from a string to a number, built once and then only read. Open addressing in
 * one allocation; keys are borrowed and must outlive the map. The hash can be grown piece
 * by piece, so a caller may look up every prefix of a path in one pass. It is fast, and no
 * secret: who may choose keys can make them collide. For those there is siphash.
 */
#ifndef WEBSRV_BASE_STRMAP_H
#define WEBSRV_BASE_STRMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define STRMAP_NONE UINT32_MAX
#define STRMAP_HASH_START UINT64_C(0xcbf29ce484222325)

struct strmap_entry;

struct strmap {
	struct strmap_entry *entries;
	uint32_t mask; /* entries - 1 */
	uint32_t count;
};

static inline uint64_t
strmap_hash_word(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

/* Each bit of the words is in each bit of the hash. */
static inline uint64_t
strmap_hash_end(uint64_t h)
{
	h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ (h >> 29); /* not 32: callers fold the halves */
}

static inline uint64_t
strmap_load(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* What is shorter than a word. */
static inline uint64_t
strmap_load_short(struct slice s)
{
	uint32_t first = 0, last = 0;

	if (s.len >= sizeof(first)) {
		memcpy(&first, s.ptr, sizeof(first));
		memcpy(&last, s.ptr + s.len - sizeof(last), sizeof(last));
	} else if (s.len != 0) {
		first = (unsigned char)s.ptr[0];
		last = (uint32_t)(unsigned char)s.ptr[s.len / 2] << 8 |
		       (unsigned char)s.ptr[s.len - 1];
	}
	return first | (uint64_t)last << 32;
}

/* The hash of a string in pieces, of all up to this one; in other pieces it has another. */
static inline uint64_t
strmap_hash_more(uint64_t h, struct slice s)
{
	h += s.len * UINT64_C(0xd6e8feb86659fd93);
	if (s.len < sizeof(uint64_t))
		return strmap_hash_end(strmap_hash_word(h, strmap_load_short(s)));
	for (size_t i = 0; i + sizeof(uint64_t) < s.len; i += sizeof(uint64_t))
		h = strmap_hash_word(h, strmap_load(s.ptr + i));
	/* It may have bytes of the one before. */
	h = strmap_hash_word(h, strmap_load(s.ptr + s.len - sizeof(uint64_t)));
	return strmap_hash_end(h);
}

/* In one piece. */
static inline uint64_t
strmap_hash(struct slice s)
{
	return strmap_hash_more(STRMAP_HASH_START, s);
}

/* Room for `capacity` keys. 0 or -ENOMEM. */
int strmap_init(struct strmap *m, size_t capacity);
void strmap_fini(struct strmap *m);

/* False, and no change, when the key is there already. More keys than the capacity is a
 * bug. `value` may be anything but STRMAP_NONE. */
bool strmap_add(struct strmap *m, struct slice key, uint32_t value);
/* The same with a hash of `key`, which may be one in pieces: all who look for it use those. */
bool strmap_add_hashed(struct strmap *m, struct slice key, uint64_t hash, uint32_t value);

/* The value, or STRMAP_NONE. A map that was zeroed and never initialised is empty. */
uint32_t strmap_find(const struct strmap *m, struct slice key);
/* The same with the hash of `key` at hand. */
uint32_t strmap_find_hashed(const struct strmap *m, struct slice key, uint64_t hash);

#endif
