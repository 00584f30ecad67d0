/* SPDX-License-Identifier: BSD-2-Clause
 *
 * strmap: from a string to a number, built once and then only read. Open addressing in
 * one allocation; keys are borrowed and must outlive the map. The hash can be grown byte by
 * byte, so a caller may look up every prefix of a path in one pass.
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

/* FNV-1a. */
static inline uint64_t
strmap_hash_more(uint64_t h, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);
	return h;
}

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

/* The value, or STRMAP_NONE. A map that was zeroed and never initialised is empty. */
uint32_t strmap_find(const struct strmap *m, struct slice key);
/* The same with the hash of `key` at hand. */
uint32_t strmap_find_hashed(const struct strmap *m, struct slice key, uint64_t hash);

#endif
