/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth_cache: the first byte of a key chooses the set; within it all are compared.
 */
#include "core/auth_cache.h"

#include <string.h>

static struct auth_cache_entry *
set_of(struct auth_cache *c, const unsigned char *key)
{
	return c->entries[key[0] % AUTH_CACHE_SETS];
}

bool
auth_cache_has(struct auth_cache *c, const unsigned char key[SECRET_DIGEST],
	       uint64_t now_ms)
{
	struct auth_cache_entry *set = set_of(c, key);

	for (size_t i = 0; i < AUTH_CACHE_WAYS; i++) {
		if (set[i].until_ms <= now_ms ||
		    !secret_eq(set[i].key, key, SECRET_DIGEST))
			continue;
		set[i].used_ms = now_ms;
		return true;
	}
	return false;
}

void
auth_cache_add(struct auth_cache *c, const unsigned char key[SECRET_DIGEST],
	       uint64_t now_ms)
{
	struct auth_cache_entry *set = set_of(c, key), *to = &set[0];

	for (size_t i = 0; i < AUTH_CACHE_WAYS; i++) {
		if (set[i].until_ms <= now_ms ||
		    secret_eq(set[i].key, key, SECRET_DIGEST)) {
			to = &set[i];
			break;
		}
		if (set[i].used_ms < to->used_ms)
			to = &set[i];
	}
	memcpy(to->key, key, SECRET_DIGEST);
	to->used_ms = now_ms;
	to->until_ms = now_ms + AUTH_CACHE_MS;
}
