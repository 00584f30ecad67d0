/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quotas: sums against a model that is kept the plain way, promises of several processes at
 * the edge, workers that die, and counts while things change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/quota.h"

#define WORKERS 3
#define START 5000 /* no clock is at 0 */

static int
setup(void **state)
{
	*state = quota_new(WORKERS, 2, START);
	return *state != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	quota_free(*state);
	return 0;
}

static struct quota_view
view(struct quota *q, size_t directory, size_t worker)
{
	return (struct quota_view){ .quota = q,
				    .directory = directory,
				    .worker = worker };
}

static void
count(const struct quota_view *v, uint64_t now_ms, uint64_t bytes)
{
	uint64_t begun;

	assert_true(quota_begin_count(v, now_ms, 0, &begun));
	quota_end_count(v, begun, true, bytes, now_ms, 0);
}

/* --- promises --- */

static void
a_promise_that_just_fits_is_given_and_one_more_byte_is_not(void **state)
{
	struct quota_view a = view(*state, 0, 0), b = view(*state, 0, 1);

	count(&a, START, 10);
	assert_true(quota_promise(&a, 60, 100));
	assert_false(quota_promise(&b, 31, 100));
	assert_int_equal(quota_used(&b), 70);
	assert_true(quota_promise(&b, 30, 100));
	assert_true(quota_promise(&b, 0, 100));
	assert_false(quota_promise(&a, 1, 100));
	assert_int_equal(quota_used(&a), 100);
}

static void
no_number_is_too_large(void **state)
{
	struct quota_view a = view(*state, 0, 0);

	assert_false(quota_promise(&a, UINT64_MAX, 100));
	assert_false(quota_add(&a, UINT64_MAX, 100));
	assert_int_equal(quota_used(&a), 0);
	assert_true(quota_promise(&a, (uint64_t)1 << 60, UINT64_MAX));
	assert_true(quota_add(&a, (uint64_t)1 << 60, UINT64_MAX));
	assert_int_equal(quota_used(&a), (uint64_t)1 << 61);
}

static void
what_is_kept_of_a_promise_stays(void **state)
{
	struct quota_view a = view(*state, 0, 0);

	assert_true(quota_promise(&a, 60, 100));
	quota_settle(&a, 60, 25);
	assert_int_equal(quota_used(&a), 25);
	assert_true(quota_promise(&a, 75, 100));
	quota_settle(&a, 75, 0);
	assert_int_equal(quota_used(&a), 25);
}

static void
directories_have_nothing_to_do_with_each_other(void **state)
{
	struct quota_view a = view(*state, 0, 2), b = view(*state, 1, 2);

	assert_true(quota_promise(&a, 100, 100));
	assert_true(quota_promise(&b, 100, 100));
	quota_forget(*state, 2);
	assert_int_equal(quota_used(&a) + quota_used(&b), 0);
}

static void
a_dead_worker_leaves_no_promise_and_no_count(void **state)
{
	struct quota_view a = view(*state, 0, 0), b = view(*state, 0, 1);
	uint64_t begun;

	assert_true(quota_promise(&a, 10, 100));
	assert_true(quota_promise(&b, 20, 100));
	assert_true(quota_begin_count(&b, START, 0, &begun));
	assert_false(quota_begin_count(&a, START, 0, &begun));
	assert_true(quota_is_counting(&a));
	quota_forget(*state, 0); /* who does not count */
	assert_true(quota_is_counting(&a));
	quota_forget(*state, 1);
	assert_false(quota_is_counting(&a));
	assert_int_equal(quota_used(&a), 0);
	assert_true(quota_begin_count(&a, START, 0, &begun));
}

/* --- counts --- */

static void
nothing_is_known_before_the_first_count_ends_well(void **state)
{
	struct quota_view a = view(*state, 0, 0);
	uint64_t begun;

	assert_false(quota_is_counted(&a));
	assert_true(quota_begin_count(&a, START, 1000, &begun));
	assert_false(quota_is_counted(&a));
	quota_end_count(&a, begun, false, 77, START, 0);
	assert_false(quota_is_counted(&a));
	assert_int_equal(quota_used(&a), 0);
	assert_false(quota_begin_count(&a, START + 1000, 1000, &begun));
	assert_true(quota_begin_count(&a, START + 1001, 1000, &begun));
	quota_end_count(&a, begun, true, 77, START + 1001, 0);
	assert_true(quota_is_counted(&a));
	assert_int_equal(quota_used(&a), 77);
}

static void
a_count_that_takes_long_comes_less_often(void **state)
{
	struct quota_view a = view(*state, 0, 0);
	uint64_t begun;

	assert_true(quota_begin_count(&a, START, 1000, &begun));
	quota_end_count(&a, begun, true, 0, START + 500, 500);
	assert_false(quota_begin_count(&a, START + 500 + 5000, 1000, &begun));
	assert_true(quota_begin_count(&a, START + 500 + 5001, 1000, &begun));
}

static void
a_count_replaces_what_was_thought(void **state)
{
	struct quota_view a = view(*state, 0, 0);

	count(&a, START, 50);
	assert_true(quota_add(&a, 30, 100));
	quota_remove(&a, quota_mark(&a), 10);
	assert_int_equal(quota_used(&a), 70);
	count(&a, START + 1, 65);
	assert_int_equal(quota_used(&a), 65);
	assert_true(quota_promise(&a, 5, 100));
	count(&a, START + 2, 0);
	assert_int_equal(quota_used(&a), 5);
}

static void
what_is_added_while_counting_is_never_forgotten(void **state)
{
	struct quota_view a = view(*state, 0, 0);
	uint64_t begun;

	count(&a, START, 50);
	assert_true(quota_begin_count(&a, START + 1, 0, &begun));
	assert_true(quota_add(&a, 30, 100));
	quota_end_count(&a, begun, true, 50, START + 1, 0); /* not seen */
	assert_int_equal(quota_used(&a), 80);
}

static void
what_goes_while_counting_is_not_taken_away_twice(void **state)
{
	struct quota_view a = view(*state, 0, 0);
	uint64_t begun, mark;

	count(&a, START, 50);
	assert_true(quota_begin_count(&a, START + 1, 0, &begun));
	mark = quota_mark(&a);
	quota_end_count(&a, begun, true, 40, START + 1, 0); /* 10 are gone already */
	quota_remove(&a, mark, 10);
	assert_int_equal(quota_used(&a), 40);
	assert_true(quota_begin_count(&a, START + 2, 0, &begun));
	quota_remove(&a, quota_mark(&a), 10);
	quota_end_count(&a, begun, true, 30, START + 2, 0);
	assert_int_equal(quota_used(&a), 30);
}

static void
more_may_go_than_was_ever_there(void **state)
{
	struct quota_view a = view(*state, 0, 0);

	count(&a, START, 5);
	quota_remove(&a, quota_mark(&a), 10);
	assert_int_equal(quota_used(&a), 0);
	assert_true(quota_promise(&a, 100, 100));
	assert_false(quota_promise(&a, 1, 100));
}

/* --- all of it --- */

/* What is in the directory, and each worker's promises, kept the plain way. */
struct model {
	uint64_t there, promised[WORKERS];
	uint64_t now_ms;
};

static uint64_t
sum(const struct model *m)
{
	return m->there + m->promised[0] + m->promised[1] + m->promised[2];
}

static void
step(struct quota *q, struct model *m, unsigned choice, uint64_t n, size_t w)
{
	struct quota_view v = view(q, 1, w);
	uint64_t all = sum(m), kept;

	switch (choice) {
	case 0:
		assert_int_equal(quota_promise(&v, n, 1000), all + n <= 1000);
		m->promised[w] += all + n <= 1000 ? n : 0;
		break;
	case 1:
		n = n < m->promised[w] ? n : m->promised[w];
		kept = n / 2;
		quota_settle(&v, n, kept);
		m->promised[w] -= n;
		m->there += kept;
		break;
	case 2:
		assert_int_equal(quota_add(&v, n, 1000), all + n <= 1000);
		m->there += all + n <= 1000 ? n : 0;
		break;
	case 3:
		n = n < m->there ? n : m->there;
		quota_remove(&v, quota_mark(&v), n);
		m->there -= n;
		break;
	case 4:
		quota_forget(q, w);
		m->promised[w] = 0;
		break;
	default:
		m->there = n; /* from outside */
		count(&v, ++m->now_ms, n);
		break;
	}
}

static void
a_model_says_the_same(void **state)
{
	struct model m = { .now_ms = START };
	uint32_t r = 1;

	for (int i = 0; i < 100000; i++) {
		struct quota_view v = view(*state, 1, 0);

		r = r * 1664525 + 1013904223;
		step(*state, &m, (r >> 28) % 6, (r >> 8) % 300, (r >> 20) % WORKERS);
		assert_int_equal(quota_used(&v), sum(&m));
	}
}

/* Each takes what it gets, one byte at a time, and keeps it. */
static void
take_until_full(struct quota *q, size_t worker)
{
	struct quota_view v = view(q, 0, worker);

	for (int i = 0; i < 100000; i++) {
		if (quota_promise(&v, 1, 50000))
			quota_settle(&v, 1, 1);
	}
}

static void
processes_together_never_take_more_than_there_is(void **state)
{
	struct quota_view v = view(*state, 0, 0);
	pid_t pids[WORKERS];

	for (size_t i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			take_until_full(*state, i);
			_exit(quota_used(&v) <= 50000 + 2 * WORKERS ? 0 : 1);
		}
	}
	for (size_t i = 0; i < WORKERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(quota_used(&v), 50000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_promise_that_just_fits_is_given_and_one_more_byte_is_not),
		TEST(no_number_is_too_large),
		TEST(what_is_kept_of_a_promise_stays),
		TEST(directories_have_nothing_to_do_with_each_other),
		TEST(a_dead_worker_leaves_no_promise_and_no_count),
		TEST(nothing_is_known_before_the_first_count_ends_well),
		TEST(a_count_that_takes_long_comes_less_often),
		TEST(a_count_replaces_what_was_thought),
		TEST(what_is_added_while_counting_is_never_forgotten),
		TEST(what_goes_while_counting_is_not_taken_away_twice),
		TEST(more_may_go_than_was_ever_there),
		TEST(a_model_says_the_same),
		TEST(processes_together_never_take_more_than_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
