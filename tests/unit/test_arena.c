/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory given back all at once, and never more of it than the cap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"

#define CAP ((size_t)64 * 1024)

static void
allocations_are_aligned_and_apart(void **state)
{
	struct arena a;
	char *last = NULL;

	(void)state;
	arena_init(&a, CAP);
	assert_int_equal(a.total, 0);
	for (size_t n = 1; n < 60; n++) {
		char *p = arena_alloc(&a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, (int)n, n);
		if (last != NULL)
			assert_int_equal(*last, (int)n - 1);
		last = p;
	}
	arena_fini(&a);
	assert_int_equal(a.total, 0);
	assert_null(a.head);
}

static void
cap_is_never_passed(void **state)
{
	struct arena a;
	size_t got = 0;

	(void)state;
	arena_init(&a, CAP);
	while (arena_alloc(&a, 1000) != NULL)
		got += 1000;
	assert_in_range(got, CAP / 2, CAP);
	assert_true(a.total <= CAP);
	assert_null(arena_alloc(&a, CAP));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 16));
	arena_fini(&a);
	assert_non_null(arena_alloc(&a, CAP)); /* the cap outlives fini */
	assert_null(arena_alloc(&a, 1));
	arena_fini(&a);
}

static void
small_cap_is_usable(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 100);
	assert_non_null(arena_alloc(&a, 50));
	assert_null(arena_alloc(&a, 50));
	assert_true(a.total <= 100);
	arena_fini(&a);
}

static void
reset_keeps_one_ordinary_block(void **state)
{
	struct arena a;
	void *first;

	(void)state;
	arena_init(&a, CAP);
	first = arena_alloc(&a, 10);
	for (int i = 0; i < 20; i++)
		assert_non_null(arena_alloc(&a, 1000));
	assert_non_null(arena_alloc(&a, 20000));
	arena_reset(&a);
	assert_in_range(a.total, 1, 8192);
	assert_ptr_equal(arena_alloc(&a, 10), first);
	arena_fini(&a);
}

static void
reset_gives_a_huge_block_back(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, CAP);
	assert_non_null(arena_alloc(&a, CAP));
	arena_reset(&a);
	assert_int_equal(a.total, 0);
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, CAP));
	arena_fini(&a);
}

static void
nothing_is_no_failure_and_too_much_is(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, CAP);
	assert_non_null(arena_alloc(&a, 0));
	assert_null(arena_alloc(&a, CAP));
	for (size_t below = 0; below < 40; below++)
		assert_null(arena_alloc(&a, SIZE_MAX - below));
	assert_non_null(arena_alloc(&a, 1));
	arena_fini(&a);
}

static void
zalloc_clears_used_memory(void **state)
{
	struct arena a;
	char *p;

	(void)state;
	arena_init(&a, CAP);
	p = arena_alloc(&a, 100);
	assert_non_null(p);
	memset(p, 0xff, 100);
	arena_reset(&a);
	p = arena_zalloc(&a, 100);
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	arena_fini(&a);
}

static void
text_is_copied_with_its_nul(void **state)
{
	struct arena a;
	char *empty, *text, *formatted;

	(void)state;
	arena_init(&a, CAP);
	empty = arena_strdup(&a, slice_make(NULL, 0));
	text = arena_strdup(&a, slice_make("abcdef", 3));
	formatted = arena_printf(&a, "%s-%d-%.*s", text, 7, 5000, "x");
	assert_string_equal(empty, "");
	assert_string_equal(text, "abc");
	assert_string_equal(formatted, "abc-7-x");
	assert_null(arena_printf(&a, "%*d", (int)CAP, 1));
	arena_fini(&a);
}

static void
what_is_reserved_is_there_when_memory_is_not(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, CAP);
	assert_non_null(arena_alloc(&a, 100));
	assert_int_equal(arena_reserve(&a, CAP + 1), -ENOMEM);
	assert_int_equal(arena_reserve(&a, 200), 0);
	a.max = a.total; /* nothing more from here on */
	assert_non_null(arena_alloc(&a, 150));
	assert_non_null(arena_alloc(&a, 33));
	a.max = CAP;
	assert_int_equal(arena_reserve(&a, CAP - a.total), 0);
	assert_int_equal(a.total, CAP);
	assert_non_null(arena_alloc(&a, 1));
	assert_int_equal(arena_reserve(&a, CAP), -ENOMEM);
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_aligned_and_apart),
		cmocka_unit_test(cap_is_never_passed),
		cmocka_unit_test(small_cap_is_usable),
		cmocka_unit_test(reset_keeps_one_ordinary_block),
		cmocka_unit_test(reset_gives_a_huge_block_back),
		cmocka_unit_test(nothing_is_no_failure_and_too_much_is),
		cmocka_unit_test(zalloc_clears_used_memory),
		cmocka_unit_test(text_is_copied_with_its_nul),
		cmocka_unit_test(what_is_reserved_is_there_when_memory_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
