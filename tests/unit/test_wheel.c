/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Deadlines: none is told early, none later than the tick after it, wherever and however
 * often it was moved. The random test prints its seed; WEBSRV_TEST_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "random.h"
#include "base/wheel.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TICK ((uint64_t)WHEEL_TICK_MS)
#define TURN (TICK * WHEEL_SLOTS)
#define TIMERS 200
#define STEPS 20000

/* Not a multiple of a tick, nor of a turn: nothing may hang on where time begins. */
#define START ((uint64_t)987654321)

/* When the timer comes out if the wheel is turned every `step` ms; 0 for never. */
static uint64_t
told_at(struct wheel *w, struct wheel_timer *t, uint64_t from, uint64_t step,
	uint64_t limit)
{
	for (uint64_t now = from; now <= limit; now += step) {
		struct wheel_timer *out = wheel_expire(w, now);

		if (out == t) {
			assert_false(wheel_timer_is_set(t));
			assert_null(wheel_expire(w, now));
			return now;
		}
		assert_null(out);
		assert_true(wheel_timer_is_set(t));
	}
	return 0;
}

static void
assert_in_time(uint64_t told, uint64_t due)
{
	if (told < due || told > due + TICK)
		print_error("due %llu, told %llu\n", (unsigned long long)due,
			    (unsigned long long)told);
	assert_true(told >= due && told <= due + TICK);
}

static void
timer_is_never_early_and_at_most_one_tick_late(void **state)
{
	(void)state;
	for (uint64_t delay = 1; delay < 1000; delay += 7) {
		for (uint64_t start = START; start < START + TICK; start += 33) {
			struct wheel_timer t = { 0 };
			struct wheel w;

			wheel_init(&w, start);
			wheel_set(&w, &t, start + delay);
			assert_in_time(told_at(&w, &t, start, 1, start + 2000),
				       start + delay);
			assert_int_equal(w.count, 0);
		}
	}
}

static void
past_deadline_is_told_at_the_next_tick(void **state)
{
	static const uint64_t dues[] = { 0, 1, START - TURN, START - 1, START };
	struct wheel_timer t = { 0 };
	struct wheel w;

	(void)state;
	wheel_init(&w, START);
	for (size_t i = 0; i < COUNT(dues); i++) {
		uint64_t told;

		wheel_set(&w, &t, dues[i]);
		told = told_at(&w, &t, START + i * TICK, 1, START + i * TICK + TURN);
		assert_in_time(told, START + i * TICK);
	}
}

static void
empty_wheel_tells_nothing_and_keeps_up(void **state)
{
	struct wheel_timer t = { 0 };
	struct wheel w;
	uint64_t later = START + 3 * TURN + 50;

	(void)state;
	wheel_init(&w, START);
	assert_null(wheel_expire(&w, START));
	assert_null(wheel_expire(&w, later));
	wheel_set(&w, &t, later + 250);
	assert_in_time(told_at(&w, &t, later, 1, later + TURN), later + 250);
}

static void
moving_later_is_lazy_and_right(void **state)
{
	struct wheel_timer t = { 0 };
	struct wheel w;

	(void)state;
	wheel_init(&w, START);
	wheel_set(&w, &t, START + 300);
	for (uint64_t now = START; now < START + 5000; now += 50) {
		struct wheel_timer **pprev;

		assert_null(wheel_expire(&w, now));
		pprev = t.pprev;
		wheel_set(&w, &t, now + 300);
		assert_ptr_equal(t.pprev, pprev); /* one store: it stays where it is */
	}
	assert_int_equal(w.count, 1);
	assert_in_time(told_at(&w, &t, START + 5000, 1, START + 9000),
		       START + 4950 + 300);
}

static void
moving_earlier_is_right(void **state)
{
	struct wheel_timer t = { 0 };
	struct wheel w;

	(void)state;
	wheel_init(&w, START);
	wheel_set(&w, &t, START + 30000);
	assert_null(wheel_expire(&w, START + 1000));
	wheel_set(&w, &t, START + 1500);
	assert_int_equal(w.count, 1);
	assert_in_time(told_at(&w, &t, START + 1000, 1, START + TURN), START + 1500);
}

static void
moving_later_then_earlier_is_right(void **state)
{
	struct wheel_timer t = { 0 };
	struct wheel w;

	(void)state;
	wheel_init(&w, START);
	wheel_set(&w, &t, START + 2000);
	wheel_set(&w, &t, START + 9000);
	wheel_set(&w, &t, START + 700);
	wheel_set(&w, &t, START + 2500);
	wheel_set(&w, &t, START + 1200);
	assert_int_equal(w.count, 1);
	assert_in_time(told_at(&w, &t, START, 1, START + TURN), START + 1200);
}

static void
deadline_beyond_the_horizon_is_kept(void **state)
{
	static const uint64_t delays[] = { TURN - TICK, TURN - 1,      TURN,    TURN + 1,
					   TURN + TICK, 2 * TURN + 77, 5 * TURN };

	(void)state;
	for (size_t i = 0; i < COUNT(delays); i++) {
		uint64_t due = START + delays[i];
		struct wheel_timer t = { 0 };
		struct wheel w;

		wheel_init(&w, START);
		wheel_set(&w, &t, due);
		assert_in_time(told_at(&w, &t, START, 5, due + TURN), due);
	}
}

static void
sleeping_for_more_than_a_turn_loses_nothing(void **state)
{
	struct wheel_timer t[WHEEL_SLOTS + 3] = { 0 };
	uint64_t awake = START + 3 * TURN + 12345;
	struct wheel w;
	size_t told = 0;

	(void)state;
	wheel_init(&w, START);
	for (size_t i = 0; i < COUNT(t) - 2; i++)
		wheel_set(&w, &t[i], START + i * TICK + i);
	wheel_set(&w, &t[COUNT(t) - 2], awake);
	wheel_set(&w, &t[COUNT(t) - 1], awake + 50);
	for (;;) {
		struct wheel_timer *out = wheel_expire(&w, awake);

		if (out == NULL)
			break;
		assert_true(out->due_ms <= awake);
		told++;
	}
	/* The one that is due in the present tick may wait for the next. */
	assert_in_range(told, COUNT(t) - 2, COUNT(t) - 1);
	assert_true(wheel_timer_is_set(&t[COUNT(t) - 1]));
	while (w.count > 0 && wheel_expire(&w, awake + 50 + TICK) != NULL)
		told++;
	assert_int_equal(told, COUNT(t));
	assert_int_equal(w.count, 0);
}

static void
cancelled_timer_is_never_told(void **state)
{
	struct wheel_timer a = { 0 }, b = { 0 }, c = { 0 };
	struct wheel w;

	(void)state;
	wheel_init(&w, START);
	wheel_cancel(&w, &a); /* was never set: nothing happens */
	assert_int_equal(w.count, 0);
	wheel_set(&w, &a, START + 500);
	wheel_set(&w, &b, START + 500);
	wheel_set(&w, &c, START + 500);
	wheel_cancel(&w, &b);
	assert_false(wheel_timer_is_set(&b));
	wheel_cancel(&w, &b);
	assert_int_equal(w.count, 2);
	assert_non_null(wheel_expire(&w, START + 700));
	assert_non_null(wheel_expire(&w, START + 700));
	assert_null(wheel_expire(&w, START + 700));
	assert_int_equal(w.count, 0);
	wheel_set(&w, &b, START + 900); /* usable again */
	assert_in_time(told_at(&w, &b, START + 700, 1, START + 2000), START + 900);
}

/* Each timer that is told cancels or moves the others of its slot, as a close does. */
static void
timers_may_be_set_and_cancelled_between_two_calls(void **state)
{
	struct wheel_timer t[6] = { 0 };
	uint64_t now = START + 1000;
	struct wheel_timer *first;
	size_t told = 1;
	struct wheel w;

	(void)state;
	wheel_init(&w, START);
	for (size_t i = 0; i < COUNT(t); i++)
		wheel_set(&w, &t[i], START + 500);
	first = wheel_expire(&w, now);
	assert_non_null(first);
	wheel_set(&w, first, now + 400);
	for (size_t i = 0, left = 2; i < COUNT(t) && left > 0; i++) {
		if (&t[i] == first)
			continue;
		if (left-- == 2)
			wheel_cancel(&w, &t[i]);
		else
			wheel_set(&w, &t[i], now + 400);
	}
	for (struct wheel_timer *out; (out = wheel_expire(&w, now)) != NULL; told++)
		assert_true(out->due_ms == START + 500);
	assert_int_equal(told, 1 + COUNT(t) - 3);
	assert_int_equal(w.count, 2);
	assert_null(wheel_expire(&w, now + 399));
	assert_non_null(wheel_expire(&w, now + 500));
	assert_non_null(wheel_expire(&w, now + 500));
	assert_int_equal(w.count, 0);
}

static void
due_timer_set_again_for_now_waits_for_the_next_tick(void **state)
{
	struct wheel_timer t = { 0 };
	uint64_t now = START;
	struct wheel w;

	(void)state;
	wheel_init(&w, now);
	wheel_set(&w, &t, now);
	for (int i = 0; i < 50; i++) {
		uint64_t told = told_at(&w, &t, now, 1, now + 2 * TICK);

		assert_in_time(told, now);
		now = told;
		wheel_set(&w, &t, now); /* must not be told for ever at one instant */
	}
}

/* --- against a list that is searched whole --- */

struct reference {
	struct wheel_timer t;
	bool set;
	uint64_t due;
	uint64_t set_at; /* a deadline in the past counts from when it was set */
};

static uint64_t
random_span(uint64_t *seed)
{
	static const uint64_t spans[] = { 3,        TICK,        10 * TICK,
					  TURN / 2, TURN + TICK, 3 * TURN };

	return random_below(seed, spans[random_below(seed, COUNT(spans))]);
}

static void
change_one(struct wheel *w, struct reference *r, uint64_t now, uint64_t *seed)
{
	uint64_t due = now + random_span(seed);

	if (random_below(seed, 10) == 0)
		due = now - random_below(seed, 1000);
	if (random_below(seed, 5) == 0) {
		wheel_cancel(w, &r->t);
		r->set = false;
		return;
	}
	wheel_set(w, &r->t, due);
	r->set = true;
	r->due = due;
	r->set_at = now;
}

/* No timer that is still set may have been due before the present tick began. */
static size_t
check_left(const struct reference *all, uint64_t now)
{
	size_t set = 0;

	for (size_t i = 0; i < TIMERS; i++) {
		const struct reference *r = &all[i];
		uint64_t from = r->due > r->set_at ? r->due : r->set_at;

		assert_int_equal(wheel_timer_is_set(&r->t), r->set);
		if (!r->set)
			continue;
		set++;
		if (from + TICK <= now)
			print_error("timer %zu due %llu is late at %llu\n", i,
				    (unsigned long long)r->due, (unsigned long long)now);
		assert_true(from + TICK > now);
	}
	return set;
}

static void
random_timers_agree_with_a_plain_list(void **state)
{
	static struct reference all[TIMERS];
	uint64_t seed = random_seed(), now = START;
	struct wheel w;

	(void)state;
	memset(all, 0, sizeof(all));
	wheel_init(&w, now);
	for (int step = 0; step < STEPS; step++) {
		struct wheel_timer *out;

		for (uint64_t n = random_below(&seed, 4); n > 0; n--)
			change_one(&w, &all[random_below(&seed, TIMERS)], now, &seed);
		now += random_below(&seed, 50) == 0 ? random_span(&seed)
						    : random_below(&seed, TICK);
		while ((out = wheel_expire(&w, now)) != NULL) {
			struct reference *r = (struct reference *)out;

			assert_true(r->set && r->due <= now);
			r->set = false;
			if (random_below(&seed, 3) == 0)
				change_one(&w, &all[random_below(&seed, TIMERS)], now,
					   &seed);
		}
		assert_int_equal(check_left(all, now), w.count);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timer_is_never_early_and_at_most_one_tick_late),
		cmocka_unit_test(past_deadline_is_told_at_the_next_tick),
		cmocka_unit_test(empty_wheel_tells_nothing_and_keeps_up),
		cmocka_unit_test(moving_later_is_lazy_and_right),
		cmocka_unit_test(moving_earlier_is_right),
		cmocka_unit_test(moving_later_then_earlier_is_right),
		cmocka_unit_test(deadline_beyond_the_horizon_is_kept),
		cmocka_unit_test(sleeping_for_more_than_a_turn_loses_nothing),
		cmocka_unit_test(cancelled_timer_is_never_told),
		cmocka_unit_test(timers_may_be_set_and_cancelled_between_two_calls),
		cmocka_unit_test(due_timer_set_again_for_now_waits_for_the_next_tick),
		cmocka_unit_test(random_timers_agree_with_a_plain_list),
	};

	alarm(300); /* a turn that does not end */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
