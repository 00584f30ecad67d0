/* SPDX-License-Identifier: BSD-2-Clause
 *
 * siphash: SipHash-1-3 (Aumasson and Bernstein, 2012), a hash with a key, for tables whose keys
 * clients choose: who does not know the key cannot make many of them meet in one chain. No
 * state, no allocation; the same on every machine.
 */
#ifndef WEBSRV_BASE_SIPHASH_H
#define WEBSRV_BASE_SIPHASH_H

#include <stdint.h>

#include "base/slice.h"

/* From secret_random(), once for each table. */
struct siphash_key {
	uint64_t k[2];
};

uint64_t siphash(const struct siphash_key *key, struct slice s);

#endif
