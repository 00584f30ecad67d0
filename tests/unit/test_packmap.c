/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What went in is found with its text and numbers, by its key alone, and what did not is not;
 * random tables against a search of the whole list. The seed is printed; WEBSRV_TEST_SEED
 * repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "base/packmap.h"
#include "base/strmap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MANY 50000
#define TEXT_SIZE 32
#define LINE 64
#define ROUNDS 300
#define RANDOM_MAX 64
#define RANDOM_LEN 100

static const struct packmap_row *
find(const struct packmap *m, struct slice key)
{
	return packmap_find(m, key, strmap_hash(key));
}

static const struct packmap_row *
add(struct packmap *m, struct slice key, struct slice text, uint32_t number)
{
	struct packmap_entry e = { key, text, number, (uint16_t)(300 + number % 9) };

	return packmap_add(m, &e);
}

static void
check_row(const struct packmap_row *r, struct slice key, struct slice text,
	  uint32_t number)
{
	assert_non_null(r);
	assert_true(slice_eq(packmap_key(r), key));
	assert_true(slice_eq(packmap_text(r), text));
	assert_int_equal(packmap_key(r).ptr[key.len], '\0');
	assert_int_equal(packmap_text(r).ptr[text.len], '\0');
	assert_int_equal(r->number, number);
	assert_int_equal(r->tag, 300 + number % 9);
}

static void
rows_are_found_with_all_that_went_in(void **state)
{
	static const struct slice keys[] = {
		SLICE_LIT("/a"), SLICE_LIT("/a/"),     SLICE_LIT("/A"),
		SLICE_LIT(""),   SLICE_LIT("/\xff\0"), SLICE_LIT("/\xff"),
	};
	static const struct slice texts[] = {
		SLICE_LIT("/b"), SLICE_LIT(""),   SLICE_LIT("/a"),
		SLICE_LIT("x"),  SLICE_LIT("\0"), SLICE_LIT("https://h.example/"),
	};
	struct packmap m;
	size_t bytes = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++)
		bytes += keys[i].len + texts[i].len;
	assert_int_equal(packmap_init(&m, COUNT(keys), bytes), 0);
	for (uint32_t i = 0; i < COUNT(keys); i++)
		check_row(add(&m, keys[i], texts[i], 7 * i), keys[i], texts[i], 7 * i);
	for (uint32_t i = 0; i < COUNT(keys); i++)
		check_row(find(&m, keys[i]), keys[i], texts[i], 7 * i);
	assert_int_equal(m.count, COUNT(keys));
	assert_null(find(&m, SLICE("/b")));
	assert_null(find(&m, SLICE("/a/b")));
	packmap_fini(&m);
}

static void
copies_are_kept_not_what_was_given(void **state)
{
	char key[] = "/docs", text[] = "/new";
	struct packmap m;

	(void)state;
	assert_int_equal(packmap_init(&m, 1, 9), 0);
	add(&m, SLICE("/docs"), slice_from_str(text), 3);
	text[0] = key[1] = '?';
	check_row(find(&m, SLICE("/docs")), SLICE("/docs"), SLICE("/new"), 3);
	assert_null(find(&m, slice_from_str(key)));
	packmap_fini(&m);
}

static void
duplicate_is_told_and_changes_nothing(void **state)
{
	const struct packmap_row *first;
	struct packmap m;

	(void)state;
	assert_int_equal(packmap_init(&m, 2, 8), 0);
	first = add(&m, SLICE("/a"), SLICE("/b"), 0);
	assert_ptr_equal(add(&m, SLICE("/a"), SLICE("/c"), 1), first);
	check_row(find(&m, SLICE("/a")), SLICE("/a"), SLICE("/b"), 0);
	assert_int_equal(m.count, 1);
	packmap_fini(&m);
}

static void
same_hash_is_not_the_same_key(void **state)
{
	struct packmap m;

	(void)state;
	assert_int_equal(packmap_init(&m, 1, 2), 0);
	add(&m, SLICE("a"), SLICE("b"), 0);
	assert_null(packmap_find(&m, SLICE("b"), strmap_hash(SLICE("a"))));
	assert_null(packmap_find(&m, SLICE("aa"), strmap_hash(SLICE("a"))));
	packmap_fini(&m);
}

static void
empty_maps_have_nothing_and_take_no_memory(void **state)
{
	struct packmap m = { 0 };

	(void)state;
	assert_null(find(&m, SLICE("")));
	packmap_fini(&m);
	assert_int_equal(packmap_init(&m, 0, 0), 0);
	assert_null(m.mapped);
	assert_null(find(&m, SLICE("/a")));
	packmap_fini(&m);
	assert_int_equal(packmap_init(&m, SIZE_MAX / 2, 1), -ENOMEM);
	assert_int_equal(packmap_init(&m, 1, SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(packmap_init(&m, 1000, UINT32_MAX), -ENOMEM);
#if SIZE_MAX == UINT32_MAX
	/* The product is 4.8e9. */
	assert_int_equal(packmap_init(&m, 100000000, 1), -ENOMEM);
#endif
	assert_null(find(&m, SLICE("/a")));
	packmap_fini(&m);
}

/* It is what the map is for. */
static void
short_rows_are_in_one_line_of_the_cache(void **state)
{
	struct packmap m;
	char key[TEXT_SIZE], text[TEXT_SIZE];
	size_t bytes = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		bytes += (size_t)snprintf(NULL, 0, "/old/%u/page/new/%u", i, i * 7);
	assert_int_equal(packmap_init(&m, MANY, bytes), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct packmap_row *r;
		const char *end;

		snprintf(key, sizeof(key), "/old/%u/page", i);
		snprintf(text, sizeof(text), "/new/%u", i * 7);
		r = add(&m, slice_from_str(key), slice_from_str(text), i);
		end = packmap_text(r).ptr + r->text_len;
		assert_int_equal((uintptr_t)r / LINE, (uintptr_t)end / LINE);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "/old/%u/page", i);
		snprintf(text, sizeof(text), "/new/%u", i * 7);
		check_row(find(&m, slice_from_str(key)), slice_from_str(key),
			  slice_from_str(text), i);
		key[1] = 'O';
		assert_null(find(&m, slice_from_str(key)));
	}
	packmap_fini(&m);
}

/* --- random tables --- */

struct random_row {
	char key[RANDOM_LEN], text[RANDOM_LEN];
	size_t key_len, text_len;
};

/* Of two letters, so that keys collide; a few are longer than a line. */
static size_t
random_text(char out[RANDOM_LEN])
{
	size_t len = (size_t)rand() % (rand() % 8 == 0 ? RANDOM_LEN : 6);

	for (size_t i = 0; i < len; i++)
		out[i] = "a\0"[rand() % 2];
	return len;
}

static const struct random_row *
search(const struct random_row *rows, size_t count, struct slice key)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq(slice_make(rows[i].key, rows[i].key_len), key))
			return &rows[i];
	}
	return NULL;
}

static void
check_random_table(void)
{
	static struct random_row rows[RANDOM_MAX];
	size_t count = 1 + (size_t)rand() % RANDOM_MAX, bytes = 0;
	struct packmap m;

	for (size_t i = 0; i < count; i++) {
		rows[i].key_len = random_text(rows[i].key);
		rows[i].text_len = random_text(rows[i].text);
		bytes += rows[i].key_len + rows[i].text_len;
	}
	assert_int_equal(packmap_init(&m, count, bytes), 0);
	for (size_t i = 0; i < count; i++)
		add(&m, slice_make(rows[i].key, rows[i].key_len),
		    slice_make(rows[i].text, rows[i].text_len), (uint32_t)i);
	for (size_t n = 0; n < 4 * RANDOM_MAX; n++) {
		char text[RANDOM_LEN];
		struct slice key = slice_make(text, random_text(text));
		const struct random_row *r = search(rows, count, key);

		if (r == NULL)
			assert_null(find(&m, key));
		else
			check_row(find(&m, key), key, slice_make(r->text, r->text_len),
				  (uint32_t)(r - rows));
	}
	packmap_fini(&m);
}

static void
random_tables_answer_as_a_search_of_the_list(void **state)
{
	(void)state;
	srand(seed_of_run());
	for (int round = 0; round < ROUNDS; round++)
		check_random_table();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_with_all_that_went_in),
		cmocka_unit_test(copies_are_kept_not_what_was_given),
		cmocka_unit_test(duplicate_is_told_and_changes_nothing),
		cmocka_unit_test(same_hash_is_not_the_same_key),
		cmocka_unit_test(empty_maps_have_nothing_and_take_no_memory),
		cmocka_unit_test(short_rows_are_in_one_line_of_the_cache),
		cmocka_unit_test(random_tables_answer_as_a_search_of_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
