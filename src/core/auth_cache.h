/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth_cache: which passwords were right a moment ago, as keyed digests: neither a password
 * nor anything to guess one by is in it. Bounded: a place is taken from whoever was not seen
 * for longest. No allocation, no clock of its own.
 */
#ifndef WEBSRV_CORE_AUTH_CACHE_H
#define WEBSRV_CORE_AUTH_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

#define AUTH_CACHE_SETS 128
#define AUTH_CACHE_WAYS 8
#define AUTH_CACHE_ENTRIES (AUTH_CACHE_SETS * AUTH_CACHE_WAYS)
#define AUTH_CACHE_MS ((uint64_t)5 * 60 * 1000) /* from the check, however often used */

struct auth_cache_entry {
	unsigned char key[SECRET_DIGEST];
	uint64_t until_ms; /* 0: empty */
	uint64_t used_ms;
};

/* Zero is empty. */
struct auth_cache {
	struct auth_cache_entry entries[AUTH_CACHE_SETS][AUTH_CACHE_WAYS];
};

/* `key` is a keyed digest, so that nobody can choose whom he pushes out. */
bool auth_cache_has(struct auth_cache *c, const unsigned char key[SECRET_DIGEST],
		    uint64_t now_ms);
void auth_cache_add(struct auth_cache *c, const unsigned char key[SECRET_DIGEST],
		    uint64_t now_ms);

#endif
