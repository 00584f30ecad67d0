/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hash is SipHash-1-3 at every length, and names that meet without a key do not with one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "base/strmap.h"

#define NAMES 16
#define NAME_LEN 16 /* two words of the hash */

static void
values_are_those_of_siphash_1_3(void **state)
{
	static const struct siphash_key zero = { { 0, 0 } };
	static const struct siphash_key counted = { { UINT64_C(0x0706050403020100),
						      UINT64_C(0x0f0e0d0c0b0a0908) } };
	/* Of the bytes 0, 1, 2... with the key zero, as CPython hashes them with
	 * PYTHONHASHSEED=0. */
	static const struct {
		size_t len;
		uint64_t hash;
	} known[] = {
		{ 1, UINT64_C(0x68a914128e01e473) },
		{ 7, UINT64_C(0x2f098ab0c751325a) },
		{ 8, UINT64_C(0xead411e67ebe2eea) },
		{ 9, UINT64_C(0x75927f9d95124362) },
		{ 15, UINT64_C(0xf30eb725bb91c9ea) },
		{ 16, UINT64_C(0x8972188433a5c5b7) },
		{ 39, UINT64_C(0x6c76b6d34bb6d26b) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char *bytes = malloc(known[i].len); /* nothing behind them */

		assert_non_null(bytes);
		for (size_t n = 0; n < known[i].len; n++)
			bytes[n] = (char)n;
		assert_true(siphash(&zero, slice_make(bytes, known[i].len)) ==
			    known[i].hash);
		free(bytes);
	}
	assert_true(siphash(&counted, slice_make(NULL, 0)) ==
		    UINT64_C(0xabac0158050fc4dc));
}

/* The second word is what makes up for the first. */
static void
make_name(uint64_t number, char name[NAME_LEN])
{
	const uint64_t meet = UINT64_C(0x1234567890abcdef);
	/* What strmap_hash() has before the words. */
	uint64_t start = STRMAP_HASH_START + NAME_LEN * UINT64_C(0xd6e8feb86659fd93);
	uint64_t second = strmap_hash_word(start, number) ^ meet;

	memcpy(name, &number, sizeof(number));
	memcpy(name + sizeof(number), &second, sizeof(second));
}

static void
names_that_meet_without_a_key_do_not_with_one(void **state)
{
	static const struct siphash_key key = { { 12345, 67890 } };
	char first[NAME_LEN], name[NAME_LEN];

	(void)state;
	make_name(0, first);
	for (uint64_t i = 1; i < NAMES; i++) {
		make_name(i, name);
		assert_true(strmap_hash(slice_make(name, NAME_LEN)) ==
			    strmap_hash(slice_make(first, NAME_LEN)));
		assert_true(siphash(&key, slice_make(name, NAME_LEN)) !=
			    siphash(&key, slice_make(first, NAME_LEN)));
	}
}

static void
another_key_is_another_hash(void **state)
{
	static const struct siphash_key keys[] = { { { 1, 0 } }, { { 0, 1 } } };

	(void)state;
	assert_true(siphash(&keys[0], SLICE("a")) != siphash(&keys[1], SLICE("a")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_siphash_1_3),
		cmocka_unit_test(names_that_meet_without_a_key_do_not_with_one),
		cmocka_unit_test(another_key_is_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
