/* SPDX-License-Identifier: BSD-2-Clause
 *
 * random: numbers for a test that tries what it happens to get. The seed is printed;
 * WEBSRV_TEST_SEED repeats a run. Included after cmocka.h.
 */
#ifndef WEBSRV_TESTS_RANDOM_H
#define WEBSRV_TESTS_RANDOM_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* For srand(). */
static inline unsigned
seed_of_run(void)
{
	const char *given = getenv("WEBSRV_TEST_SEED");
	unsigned seed =
		given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

	print_message("WEBSRV_TEST_SEED=%u\n", seed);
	return seed;
}

/* For random_below(): not 0. */
static inline uint64_t
random_seed(void)
{
	return (uint64_t)seed_of_run() * 2 + 1;
}

static inline uint64_t
random_below(uint64_t *seed, uint64_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % n;
}

#endif
