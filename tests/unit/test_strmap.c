/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys go in once and are found again, whatever they look like; what never went in is
 * not found, however full the map is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/strmap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MANY 20000
#define KEY_SIZE 16
#define SPREAD 32768

static void
keys_are_found_with_their_values(void **state)
{
	static const struct slice keys[] = {
		SLICE_LIT("/a"),       SLICE_LIT("/a/"), SLICE_LIT("/A"),
		SLICE_LIT("/a/b"),     SLICE_LIT("a"),   SLICE_LIT("\xff\x80"),
		SLICE_LIT("nul\0one"), SLICE_LIT("nul"), SLICE_LIT("nul\0two"),
	};
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, COUNT(keys)), 0);
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_true(strmap_add(&m, keys[i], (uint32_t)(7 * i)));
	assert_int_equal(m.count, COUNT(keys));
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_int_equal(strmap_find(&m, keys[i]), 7 * i);
	assert_int_equal(strmap_find(&m, SLICE("/b")), STRMAP_NONE);
	assert_int_equal(strmap_find(&m, SLICE("nul\0")), STRMAP_NONE);
	strmap_fini(&m);
}

static void
lookup_goes_by_content_not_address(void **state)
{
	char copy[] = "/docs/", other[] = "/docs/x";
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, 1), 0);
	assert_true(strmap_add(&m, SLICE("/docs/"), 3));
	assert_int_equal(strmap_find(&m, slice_make(copy, 6)), 3);
	assert_int_equal(strmap_find(&m, slice_make(other, 6)), 3);
	assert_int_equal(strmap_find(&m, slice_make(other, 7)), STRMAP_NONE);
	assert_int_equal(strmap_find(&m, slice_make(copy, 5)), STRMAP_NONE);
	strmap_fini(&m);
}

/* Two keys of one hash can be made on purpose. */
static void
same_hash_is_not_the_same_key(void **state)
{
	uint64_t hash = strmap_hash(SLICE("a"));
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, 1), 0);
	assert_true(strmap_add(&m, SLICE("a"), 1));
	assert_int_equal(strmap_find_hashed(&m, SLICE("b"), hash), STRMAP_NONE);
	assert_int_equal(strmap_find_hashed(&m, SLICE("aa"), hash), STRMAP_NONE);
	assert_int_equal(strmap_find_hashed(&m, SLICE(""), hash), STRMAP_NONE);
	strmap_fini(&m);
}

static void
duplicate_is_refused_and_changes_nothing(void **state)
{
	char again[] = "a";
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, 3), 0);
	assert_true(strmap_add(&m, SLICE("a"), 1));
	assert_true(strmap_add(&m, SLICE("b"), 2));
	assert_false(strmap_add(&m, slice_make(again, 1), 9));
	assert_int_equal(m.count, 2);
	assert_int_equal(strmap_find(&m, SLICE("a")), 1);
	assert_int_equal(strmap_find(&m, SLICE("b")), 2);
	strmap_fini(&m);
}

static void
empty_key_is_a_key(void **state)
{
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, 2), 0);
	assert_true(strmap_add(&m, SLICE("x"), 1));
	assert_int_equal(strmap_find(&m, SLICE("")), STRMAP_NONE);
	assert_true(strmap_add(&m, SLICE(""), 0));
	assert_int_equal(strmap_find(&m, SLICE("")), 0);
	assert_int_equal(strmap_find(&m, slice_make(NULL, 0)), 0);
	strmap_fini(&m);
}

static void
largest_value_is_kept(void **state)
{
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, 1), 0);
	assert_true(strmap_add(&m, SLICE("a"), STRMAP_NONE - 1));
	assert_int_equal(strmap_find(&m, SLICE("a")), STRMAP_NONE - 1);
	strmap_fini(&m);
}

static void
empty_map_finds_nothing(void **state)
{
	struct strmap zeroed = { 0 }, m;

	(void)state;
	assert_int_equal(strmap_find(&zeroed, SLICE("a")), STRMAP_NONE);
	assert_int_equal(strmap_find_hashed(&zeroed, SLICE("a"), strmap_hash(SLICE("a"))),
			 STRMAP_NONE);
	strmap_fini(&zeroed);
	assert_int_equal(strmap_init(&m, 0), 0);
	assert_int_equal(strmap_find(&m, SLICE("")), STRMAP_NONE);
	assert_int_equal(strmap_find(&m, SLICE("a")), STRMAP_NONE);
	strmap_fini(&m);
}

static void
fini_leaves_an_empty_map(void **state)
{
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, 1), 0);
	assert_true(strmap_add(&m, SLICE("a"), 1));
	strmap_fini(&m);
	assert_int_equal(strmap_find(&m, SLICE("a")), STRMAP_NONE);
	strmap_fini(&m);
}

static void
absurd_capacity_is_refused(void **state)
{
	struct strmap m;

	(void)state;
	assert_int_equal(strmap_init(&m, SIZE_MAX), -ENOMEM);
	assert_int_equal(strmap_find(&m, SLICE("a")), STRMAP_NONE);
	strmap_fini(&m);
}

/* The router relies on growing it. */
static void
hash_grows_piece_by_piece(void **state)
{
	struct slice path = SLICE("/docs/api/v2/index.html");

	(void)state;
	assert_true(strmap_hash(path) == strmap_hash_more(STRMAP_HASH_START, path));
	for (size_t cut = 0; cut <= path.len; cut++) {
		struct slice one = slice_make(path.ptr, cut), two = slice_from(path, cut);
		uint64_t h = strmap_hash_more(strmap_hash(one), two);

		assert_true(h == strmap_hash_more(strmap_hash(one), two));
		/* Neither piece alone, nor both in the other order. */
		assert_true(h != strmap_hash(one));
		assert_true(cut == 0 || cut == path.len || h != strmap_hash(two));
		assert_true(cut == 0 || cut == path.len ||
			    h != strmap_hash_more(strmap_hash(two), one));
	}
}

static void
every_byte_and_the_length_count_in_the_hash(void **state)
{
	char text[] = "/docs/api/v2/index.html?abcdefgh";

	(void)state;
	for (size_t len = 1; len < sizeof(text); len++) {
		uint64_t h = strmap_hash(slice_make(text, len));

		assert_true(h != strmap_hash(slice_make(text, len - 1)));
		for (size_t i = 0; i < len; i++) {
			text[i] ^= 1;
			assert_true(h != strmap_hash(slice_make(text, len)));
			text[i] ^= 1;
		}
	}
	/* Nothing but the length differs. */
	memset(text, 'a', sizeof(text));
	for (size_t len = 1; len < sizeof(text); len++)
		assert_true(strmap_hash(slice_make(text, len)) !=
			    strmap_hash(slice_make(text, len - 1)));
}

/* Of keys that differ in a few digits, wherever those are, half as many as there are places
 * fill 39 of 100 if the places are chosen at random. */
static void
keys_that_differ_little_are_spread(void **state)
{
	static const char *const forms[] = { "/%05u", "/p/%05u.html", "/old/page-%05u",
					     "%05u/a/longer/one" };
	static unsigned char taken[2 * SPREAD];

	(void)state;
	for (size_t f = 0; f < COUNT(forms); f++) {
		size_t filled = 0;

		memset(taken, 0, sizeof(taken));
		for (unsigned i = 0; i < SPREAD; i++) {
			char key[KEY_SIZE + 8];
			uint64_t h;

			snprintf(key, sizeof(key), forms[f], i); /* NOLINT */
			h = strmap_hash(slice_from_str(key));
			h = (h ^ (h >> 32)) % (2 * SPREAD);
			filled += taken[h]++ == 0;
		}
		if (filled < SPREAD * 2 * 38 / 100)
			fail_msg("%s: %zu", forms[f], filled);
	}
}

static void
every_prefix_is_found_with_a_growing_hash(void **state)
{
	struct slice path = SLICE("/a/b/c/d");
	uint64_t h = STRMAP_HASH_START, hashes[sizeof("/a/b/c/d")];
	struct strmap m;

	(void)state;
	for (size_t len = 1; len <= path.len; len++) {
		h = strmap_hash_more(h, slice_make(path.ptr + len - 1, 1));
		hashes[len] = h;
	}
	assert_int_equal(strmap_init(&m, path.len), 0);
	for (size_t len = 1; len <= path.len; len += 2)
		assert_true(strmap_add_hashed(&m, slice_make(path.ptr, len), hashes[len],
					      (uint32_t)len));
	assert_false(strmap_add_hashed(&m, slice_make(path.ptr, 3), hashes[3], 0));
	for (size_t len = 1; len <= path.len; len++)
		assert_int_equal(
			strmap_find_hashed(&m, slice_make(path.ptr, len), hashes[len]),
			len % 2 == 1 ? len : STRMAP_NONE);
	strmap_fini(&m);
}

/* As many as there is room for: every probe ends, and ends at the right key. */
static void
many_keys_fill_the_map_to_its_capacity(void **state)
{
	char(*keys)[KEY_SIZE] = calloc(2 * MANY, KEY_SIZE);
	struct strmap m;

	(void)state;
	assert_non_null(keys);
	for (size_t i = 0; i < 2 * MANY; i++)
		snprintf(keys[i], KEY_SIZE, "/old/%zu.html", i);
	assert_int_equal(strmap_init(&m, MANY), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_true(strmap_add(&m, slice_from_str(keys[i]), (uint32_t)i));
	assert_int_equal(m.count, MANY);
	for (size_t i = 0; i < 2 * MANY; i++)
		assert_int_equal(strmap_find(&m, slice_from_str(keys[i])),
				 i < MANY ? i : STRMAP_NONE);
	strmap_fini(&m);
	free(keys);
}

static void
every_small_capacity_holds_that_many(void **state)
{
	char keys[64][KEY_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++)
		snprintf(keys[i], KEY_SIZE, "%zu", i);
	for (size_t capacity = 1; capacity <= COUNT(keys); capacity++) {
		struct strmap m;

		assert_int_equal(strmap_init(&m, capacity), 0);
		for (size_t i = 0; i < capacity; i++)
			assert_true(strmap_add(&m, slice_from_str(keys[i]), (uint32_t)i));
		for (size_t i = 0; i < capacity; i++)
			assert_int_equal(strmap_find(&m, slice_from_str(keys[i])), i);
		assert_int_equal(strmap_find(&m, SLICE("none")), STRMAP_NONE);
		strmap_fini(&m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found_with_their_values),
		cmocka_unit_test(lookup_goes_by_content_not_address),
		cmocka_unit_test(same_hash_is_not_the_same_key),
		cmocka_unit_test(duplicate_is_refused_and_changes_nothing),
		cmocka_unit_test(empty_key_is_a_key),
		cmocka_unit_test(largest_value_is_kept),
		cmocka_unit_test(empty_map_finds_nothing),
		cmocka_unit_test(fini_leaves_an_empty_map),
		cmocka_unit_test(absurd_capacity_is_refused),
		cmocka_unit_test(hash_grows_piece_by_piece),
		cmocka_unit_test(every_byte_and_the_length_count_in_the_hash),
		cmocka_unit_test(keys_that_differ_little_are_spread),
		cmocka_unit_test(every_prefix_is_found_with_a_growing_hash),
		cmocka_unit_test(many_keys_fill_the_map_to_its_capacity),
		cmocka_unit_test(every_small_capacity_holds_that_many),
	};

	alarm(300); /* a probe that does not end */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
