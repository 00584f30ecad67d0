/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed lists of entries: their memory, their order, and the digest of what is in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "list_names.h"
#include "rows.h"
#include "base/buf.h"
#include "handler/dirlist.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PLENTY ((size_t)64 * 1024 * 1024)
#define STEPS_MAX 1000000

struct plain {
	const char *name;
	uint64_t size;
	int64_t modified;
	bool is_dir;
};

static int
add(struct dirlist *l, const struct plain *p)
{
	struct dirlist_entry e = { .size = p->size,
				   .modified = p->modified,
				   .is_dir = p->is_dir };

	return dirlist_add(l, slice_from_str(p->name), &e);
}

static void
sort(struct dirlist *l, enum dirlist_sort by, bool descending, size_t moves)
{
	size_t steps = 0;

	assert_int_equal(dirlist_sort_begin(l, by, descending), 0);
	while (!dirlist_sort_step(l, moves))
		assert_true(++steps < STEPS_MAX);
}

static const struct plain mixed[] = {
	{ "b", 10, 300, false }, { "B", 10, 100, false },     { "a10", 7, 200, false },
	{ "a1", 7, 200, false }, { "z", 0, 50, true },        { "A", 900, 400, false },
	{ "Y", 0, 60, true },    { "\xc3\xa4", 1, 1, false }, { "_", 2, -5, false },
};

static const struct order_case {
	const char *name;
	enum dirlist_sort by;
	bool descending;
	const char *names;
} orders[] = {
	{ "by_name_ignores_case_then_goes_bytewise", DIRLIST_BY_NAME, false,
	  "Y/ z/ _ A a1 a10 B b \xc3\xa4" },
	{ "by_name_descending_leaves_directories_first", DIRLIST_BY_NAME, true,
	  "z/ Y/ \xc3\xa4 b B a10 a1 A _" },
	{ "by_size_then_name", DIRLIST_BY_SIZE, false, "Y/ z/ \xc3\xa4 _ a1 a10 B b A" },
	{ "by_size_descending_then_name_ascending", DIRLIST_BY_SIZE, true,
	  "Y/ z/ A B b a1 a10 _ \xc3\xa4" },
	{ "by_date_then_name", DIRLIST_BY_DATE, false, "z/ Y/ _ \xc3\xa4 B a1 a10 b A" },
	{ "by_date_descending_then_name_ascending", DIRLIST_BY_DATE, true,
	  "Y/ z/ A b a1 a10 B \xc3\xa4 _" },
};

static void
run_order(void **state)
{
	const struct order_case *c = *state;
	struct dirlist_budget budget = { .max = PLENTY };
	struct dirlist l;
	struct buf b;

	buf_init(&b);
	for (size_t moves = 1; moves < 40; moves++) {
		dirlist_init(&l, &budget);
		for (size_t i = 0; i < COUNT(mixed); i++)
			assert_int_equal(add(&l, &mixed[i]), 0);
		sort(&l, c->by, c->descending, moves);
		join_names(&l, &b);
		assert_string_equal(b.ptr, c->names);
		dirlist_fini(&l);
	}
	buf_fini(&b);
	assert_int_equal(budget.used, 0);
}

static void
every_count_of_entries_is_put_in_order(void **state)
{
	struct dirlist_budget budget = { .max = PLENTY };
	struct dirlist l;
	uint32_t random = 1;

	(void)state;
	for (size_t count = 0; count < 70; count++) {
		uint64_t sum = 0, seen = 0;

		dirlist_init(&l, &budget);
		for (size_t i = 0; i < count; i++) {
			struct plain p = { "x", 0, 0, false };

			random = random * 1664525 + 1013904223;
			p.size = random >> 27;
			sum += p.size;
			assert_int_equal(add(&l, &p), 0);
		}
		sort(&l, DIRLIST_BY_SIZE, false, 7);
		for (size_t i = 0; i < count; i++) {
			seen += dirlist_at(&l, i)->size;
			if (i > 0)
				assert_true(dirlist_at(&l, i - 1)->size <=
					    dirlist_at(&l, i)->size);
		}
		assert_int_equal(seen, sum);
		assert_int_equal(l.bytes, sum);
		assert_int_equal(l.files, count);
		dirlist_fini(&l);
	}
}

static void
names_of_every_length_are_kept(void **state)
{
	struct dirlist_budget budget = { .max = PLENTY };
	char name[DIRLIST_NAME_MAX];
	struct dirlist l;

	(void)state;
	memset(name, 'n', sizeof(name));
	dirlist_init(&l, &budget);
	for (size_t len = 1; len <= DIRLIST_NAME_MAX; len++) {
		struct dirlist_entry e = { .size = len };

		assert_int_equal(dirlist_add(&l, slice_make(name, len), &e), 0);
	}
	sort(&l, DIRLIST_BY_NAME, true, 1000);
	for (size_t i = 0; i < l.count; i++) {
		const struct dirlist_entry *e = dirlist_at(&l, i);

		assert_int_equal(e->name_len, DIRLIST_NAME_MAX - i);
		assert_int_equal(e->size, e->name_len);
		assert_memory_equal(e->name, name, e->name_len);
	}
	dirlist_fini(&l);
	assert_int_equal(budget.used, 0);
}

static uint64_t
digest_of(const struct plain *entries, size_t count)
{
	struct dirlist_budget budget = { .max = PLENTY };
	struct dirlist l;
	uint64_t digest;

	dirlist_init(&l, &budget);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(add(&l, &entries[i]), 0);
	digest = l.digest;
	dirlist_fini(&l);
	return digest;
}

static void
digest_sees_everything_but_the_order(void **state)
{
	const struct plain a = { "a", 1, 2, false };
	const struct plain b = { "b", 3, 4, true };
	const struct plain others[] = {
		{ "A", 1, 2, false }, { "a", 2, 2, false }, { "a", 1, 1, false },
		{ "a", 1, 2, true },  { "a", 2, 1, false }, { "b", 1, 2, false },
	};
	uint64_t is = digest_of((struct plain[]){ a, b }, 2);

	(void)state;
	assert_int_equal(digest_of((struct plain[]){ b, a }, 2), is);
	assert_int_not_equal(digest_of((struct plain[]){ a }, 1), is);
	assert_int_not_equal(digest_of((struct plain[]){ a, b, b }, 3), is);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_not_equal(digest_of((struct plain[]){ others[i], b }, 2), is);
	/* It goes out as an entity-tag: the same in every worker, after every start. */
	assert_int_equal(digest_of((struct plain[]){ a }, 1),
			 UINT64_C(0x5966131ad117efd5));
}

static void
bytes_of_all_files_do_not_wrap(void **state)
{
	const struct plain huge = { "h", UINT64_MAX - 1, 0, false };
	struct dirlist_budget budget = { .max = PLENTY };
	struct dirlist l;

	(void)state;
	dirlist_init(&l, &budget);
	assert_int_equal(add(&l, &huge), 0);
	assert_int_equal(l.bytes, UINT64_MAX - 1);
	assert_int_equal(add(&l, &huge), 0);
	assert_int_equal(l.bytes, UINT64_MAX);
	dirlist_fini(&l);
}

static void
hundred_thousand_entries_take_less_than_8_megabytes(void **state)
{
	struct dirlist_budget budget = { .max = PLENTY };
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, during, steps = 0;
	struct dirlist l;
	char name[64];

	(void)state;
	dirlist_init(&l, &budget);
	for (uint32_t i = 0; i < 100000; i++) {
		struct plain p = { name, i, i, false };

		snprintf(name, sizeof(name), "IMG_20260131_%08x.jpeg", i * 2654435761u);
		assert_int_equal(add(&l, &p), 0);
	}
	assert_int_equal(dirlist_sort_begin(&l, DIRLIST_BY_NAME, false), 0);
	during = mallinfo2().uordblks + mallinfo2().hblkhd;
	assert_true(l.charged < (size_t)8 * 1000 * 1000);
	assert_int_equal(budget.used, l.charged);
	if (during > before) /* not so under a sanitizer */
		assert_true(during - before < (size_t)8 * 1000 * 1000);
	while (!dirlist_sort_step(&l, 1000))
		steps++;
	assert_true(steps >= 1600 && steps <= 1700); /* 17 passes */
	for (size_t i = 1; i < l.count; i++)
		assert_true(memcmp(dirlist_at(&l, i - 1)->name, dirlist_at(&l, i)->name,
				   26) < 0);
	dirlist_fini(&l);
	assert_int_equal(budget.used, 0);
}

static void
entry_beyond_the_budget_leaves_the_list_as_it_was(void **state)
{
	struct dirlist_budget budget = { .max = 20000 };
	const struct plain p = { "name of an entry", 1, 1, false };
	struct dirlist l, other;
	size_t count;

	(void)state;
	dirlist_init(&l, &budget);
	dirlist_init(&other, &budget);
	for (count = 0; count < 1000 && add(&l, &p) == 0; count++)
		assert_true(budget.used <= budget.max);
	assert_true(count > 200 && count < 1000);
	assert_int_equal(add(&l, &p), -ENOBUFS);
	assert_int_equal(l.count, count);
	assert_int_equal(l.bytes, count);
	assert_int_equal(dirlist_charge(&other, budget.max - budget.used + 1), -ENOBUFS);
	assert_int_equal(dirlist_charge(&other, budget.max - budget.used), 0);
	assert_int_equal(dirlist_sort_begin(&l, DIRLIST_BY_NAME, false), -ENOBUFS);
	dirlist_fini(&other);
	sort(&l, DIRLIST_BY_NAME, false, 100);
	assert_int_equal(l.count, count);
	dirlist_fini(&l);
	assert_int_equal(budget.used, 0);
}

#define TESTS 6

int
main(void)
{
	static struct CMUnitTest tests[TESTS + COUNT(orders)] = {
		cmocka_unit_test(every_count_of_entries_is_put_in_order),
		cmocka_unit_test(names_of_every_length_are_kept),
		cmocka_unit_test(digest_sees_everything_but_the_order),
		cmocka_unit_test(bytes_of_all_files_do_not_wrap),
		cmocka_unit_test(hundred_thousand_entries_take_less_than_8_megabytes),
		cmocka_unit_test(entry_beyond_the_budget_leaves_the_list_as_it_was),
	};

	for (size_t i = 0; i < COUNT(orders); i++)
		tests[TESTS + i] = row_test(orders[i].name, run_order, &orders[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
