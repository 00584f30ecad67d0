/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tables of client addresses: rates against a bucket of tokens that is kept the plain
 * way, with a clock of our own; connections of several workers, some of them processes; and
 * more addresses than there is room for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clients.h"

#define MS ((uint64_t)1000000)
#define SECOND (1000 * MS)
#define START (12345 * SECOND)  /* no clock is at 0 */
#define MANY ((uint32_t)200000) /* more than any table has room for */

static int
setup(void **state)
{
	*state = clients_new(3);
	return *state != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	clients_free(*state);
	return 0;
}

static uint64_t
inet(uint32_t n)
{
	unsigned char address[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
				     (unsigned char)(n >> 8), (unsigned char)n };

	return clients_key(AF_INET, address);
}

static enum clients_verdict
take(struct clients *c, const struct clients_rate *rate, uint64_t key, uint64_t now)
{
	uint64_t wait = 0;
	enum clients_verdict v = clients_take(c, rate, key, now, &wait);

	assert_int_equal(v == CLIENTS_TOO_FAST, wait != 0);
	return v;
}

/* --- keys --- */

static void
an_ipv6_address_counts_with_its_64(void **state)
{
	unsigned char a[16] = { 0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 5 };
	unsigned char b[16] = { 0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 99 };
	unsigned char c[16] = { 0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 5, 5 };

	(void)state;
	assert_true(clients_key(AF_INET6, a) == clients_key(AF_INET6, b));
	assert_false(clients_key(AF_INET6, a) == clients_key(AF_INET6, c));
}

static void
every_address_is_somebody_and_a_unix_socket_is_nobody(void **state)
{
	unsigned char zero[16] = { 0 }, one[16] = { [15] = 1 };
	/* Its first half is what 10.1.2.3 would be without a mark of its own. */
	unsigned char low[16] = { 0, 0, 0, 0, 10, 1, 2, 3 };

	(void)state;
	assert_int_equal(clients_key(AF_UNIX, zero), 0);
	assert_true(clients_key(AF_INET, zero) != 0);
	assert_true(clients_key(AF_INET6, one) != 0);
	assert_false(clients_key(AF_INET6, one) == clients_key(AF_INET, zero));
	assert_false(clients_key(AF_INET6, low) == inet(0x0a010203));
	assert_false(inet(0x0a010203) == inet(0x0a010204));
}

/* --- rates --- */

static void
a_burst_goes_through_at_once_and_then_one_at_a_time(void **state)
{
	struct clients_rate rate = clients_rate(20, 1000, 40);
	uint64_t wait = 0;

	for (int i = 0; i < 40; i++)
		assert_int_equal(take(*state, &rate, inet(1), START), CLIENTS_FINE);
	assert_int_equal(clients_take(*state, &rate, inet(1), START, &wait),
			 CLIENTS_TOO_FAST);
	assert_int_equal(wait, 50 * MS);
	/* Who is refused is not counted: the wait stays what it was. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(take(*state, &rate, inet(1), START), CLIENTS_TOO_FAST);
	assert_int_equal(take(*state, &rate, inet(1), START + 50 * MS - 1),
			 CLIENTS_TOO_FAST);
	assert_int_equal(take(*state, &rate, inet(1), START + 50 * MS), CLIENTS_FINE);
	assert_int_equal(take(*state, &rate, inet(1), START + 50 * MS), CLIENTS_TOO_FAST);
	assert_int_equal(take(*state, &rate, inet(2), START), CLIENTS_FINE);
}

/* A bucket that is filled and emptied. */
struct bucket {
	uint64_t level_ns, at_ns;
};

static bool
bucket_take(struct bucket *b, const struct clients_rate *rate, uint64_t now)
{
	b->level_ns += now - b->at_ns;
	b->at_ns = now;
	if (b->level_ns > rate->burst_ns)
		b->level_ns = rate->burst_ns;
	if (b->level_ns < rate->interval_ns)
		return false;
	b->level_ns -= rate->interval_ns;
	return true;
}

static void
compare_with_bucket(struct clients *c, uint64_t key, const struct clients_rate *rate,
		    unsigned *seed)
{
	struct bucket b = { .level_ns = rate->burst_ns, .at_ns = START };
	uint64_t now = START;
	int fine = 0;

	for (int i = 0; i < 5000; i++) {
		uint64_t wait = 0;
		bool model;

		if (rand_r(seed) % 3 == 0)
			now += (uint64_t)rand_r(seed) % (rate->interval_ns * 3 + 1);
		if (rand_r(seed) % 500 == 0)
			now += rate->burst_ns / 2 + (uint64_t)rand_r(seed);
		model = bucket_take(&b, rate, now);
		assert_int_equal(clients_take(c, rate, key, now, &wait) !=
					 CLIENTS_TOO_FAST,
				 model);
		if (!model)
			assert_int_equal(wait, rate->interval_ns - b.level_ns);
		fine += model;
	}
	assert_in_range(fine, 1, 4999); /* both came */
}

static void
a_rate_is_a_bucket_of_tokens(void **state)
{
	static const struct {
		uint32_t count, per_ms, burst;
	} rates[] = { { 1, 1000, 1 },     { 20, 1000, 40 },     { 3, 1000, 7 },
		      { 7, 60000, 100 },  { 100000, 1000, 50 }, { 1000, 3600000, 1 },
		      { 1, 86400000, 10 } };
	unsigned seed = 1;

	for (uint32_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct clients_rate rate =
			clients_rate(rates[i].count, rates[i].per_ms, rates[i].burst);

		compare_with_bucket(*state, inet(i), &rate, &seed);
	}
}

static void
the_largest_numbers_do_not_overflow(void **state)
{
	struct clients_rate rate =
		clients_rate(1, (uint32_t)CLIENTS_PER_MAX_MS, CLIENTS_RATE_MAX);
	uint64_t late = (uint64_t)100 * 365 * 86400 * SECOND;

	for (int i = 0; i < CLIENTS_RATE_MAX; i++)
		assert_int_equal(take(*state, &rate, inet(1), late), CLIENTS_FINE);
	assert_int_equal(take(*state, &rate, inet(1), late), CLIENTS_TOO_FAST);
	rate = clients_rate(CLIENTS_RATE_MAX, 1, 1);
	assert_int_equal(take(*state, &rate, inet(1), late), CLIENTS_FINE);
	assert_int_equal(take(*state, &rate, inet(1), late), CLIENTS_TOO_FAST);
}

static void
each_rate_counts_for_itself(void **state)
{
	struct clients_rate one = clients_rate(1, 1000, 1),
			    two = clients_rate(1, 1000, 2);

	assert_int_equal(take(*state, &one, inet(1), START), CLIENTS_FINE);
	assert_int_equal(take(*state, &one, inet(1), START), CLIENTS_TOO_FAST);
	assert_int_equal(take(*state, &two, inet(1), START), CLIENTS_FINE);
	assert_int_equal(take(*state, &two, inet(1), START), CLIENTS_FINE);
	assert_int_equal(take(*state, &two, inet(1), START), CLIENTS_TOO_FAST);
}

static void
a_full_table_lets_everybody_in_and_forgets_no_one_who_is_too_fast(void **state)
{
	struct clients_rate rate = clients_rate(1, 60000, 5);
	uint32_t crowded = 0;

	for (int i = 0; i < 5; i++)
		assert_int_equal(take(*state, &rate, inet(0), START), CLIENTS_FINE);
	for (uint32_t i = 1; i <= MANY; i++) {
		enum clients_verdict v = take(*state, &rate, inet(i), START);

		assert_true(v != CLIENTS_TOO_FAST);
		crowded += v == CLIENTS_CROWDED;
	}
	assert_in_range(crowded, MANY - CLIENTS_RATES, MANY - 1);
	assert_int_equal(take(*state, &rate, inet(0), START), CLIENTS_TOO_FAST);
}

static void
idle_entries_make_room(void **state)
{
	struct clients_rate rate = clients_rate(1, 1000, 1);

	for (uint32_t i = 0; i < MANY; i++)
		(void)take(*state, &rate, inet(i), START);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(take(*state, &rate, inet(MANY + i), START + SECOND),
				 CLIENTS_FINE);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(take(*state, &rate, inet(MANY + i), START + SECOND),
				 CLIENTS_TOO_FAST);
}

/* --- processes --- */

#define TRIES 50000

/* How many of our requests go through, as the exit of a child cannot say: to a pipe. */
static void
take_all(struct clients *c, const struct clients_rate *rate, int to)
{
	int fine = 0;

	for (int i = 0; i < TRIES; i++) {
		uint64_t wait;

		fine += clients_take(c, rate, inet(7), START, &wait) != CLIENTS_TOO_FAST;
	}
	_exit(write(to, &fine, sizeof(fine)) == (ssize_t)sizeof(fine) ? 0 : 1);
}

static void
reap(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
processes_that_ask_at_once_share_one_bucket(void **state)
{
	struct clients_rate rate = clients_rate(1, 1000, 60000);
	int fds[2], sum = 1;
	pid_t pids[3];

	assert_int_equal(take(*state, &rate, inet(7), START), CLIENTS_FINE);
	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			take_all(*state, &rate, fds[1]);
	}
	for (int i = 0; i < 3; i++) {
		int fine;

		assert_int_equal(read(fds[0], &fine, sizeof(fine)), sizeof(fine));
		sum += fine;
		reap(pids[i]);
	}
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(sum, 60000);
}

static void
what_a_dead_worker_had_open_is_forgotten(void **state)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		bool all = true;

		for (int i = 0; i < 3; i++)
			all = clients_enter(*state, 1, inet(1)) != 0 && all;
		_exit(all ? 0 : 1);
	}
	reap(pid);
	assert_true(clients_enter(*state, 0, inet(1)) != 0);
	assert_int_equal(clients_open(*state, inet(1)), 4);
	clients_forget(*state, 1);
	assert_int_equal(clients_open(*state, inet(1)), 1);
}

/* --- connections --- */

static void
connections_of_all_workers_are_summed(void **state)
{
	uint32_t a = clients_enter(*state, 0, inet(1));
	uint32_t b = clients_enter(*state, 1, inet(1));
	uint32_t again = clients_enter(*state, 1, inet(1));
	uint32_t other = clients_enter(*state, 2, inet(2));

	assert_true(a != 0 && b != 0 && other != 0);
	assert_int_equal(b, again);
	assert_int_equal(clients_open(*state, inet(1)), 3);
	assert_int_equal(clients_open(*state, inet(2)), 1);
	assert_int_equal(clients_open(*state, inet(3)), 0);
	clients_leave(*state, 1, b);
	assert_int_equal(clients_open(*state, inet(1)), 2);
	clients_leave(*state, 1, again);
	clients_leave(*state, 0, a);
	assert_int_equal(clients_open(*state, inet(1)), 0);
	assert_int_equal(clients_open(*state, inet(2)), 1);
}

static void
leaving_twice_or_after_being_forgotten_is_nothing(void **state)
{
	uint32_t entry = clients_enter(*state, 0, inet(1));

	clients_leave(*state, 0, 0);
	clients_forget(*state, 0);
	clients_leave(*state, 0, entry);
	assert_int_equal(clients_open(*state, inet(1)), 0);
	assert_true(clients_enter(*state, 0, inet(1)) != 0);
	assert_int_equal(clients_open(*state, inet(1)), 1);
}

static void
who_finds_no_room_is_not_counted_until_others_have_left(void **state)
{
	uint32_t *entries = calloc(MANY, sizeof(*entries));
	uint32_t counted = 0, late = 0;

	assert_non_null(entries);
	for (uint32_t i = 0; i < MANY; i++) {
		entries[i] = clients_enter(*state, 0, inet(i));
		counted += entries[i] != 0;
		assert_int_equal(clients_open(*state, inet(i)), entries[i] != 0);
		late = entries[i] == 0 ? i : late;
	}
	assert_int_equal(counted, CLIENTS_CONNECTIONS); /* so many that all are taken */
	/* Another worker has a table of its own. */
	assert_true(clients_enter(*state, 1, inet(late)) != 0);
	for (uint32_t i = 0; i < MANY; i++)
		clients_leave(*state, 0, entries[i]);
	assert_true(clients_enter(*state, 0, inet(late)) != 0);
	assert_int_equal(clients_open(*state, inet(late)), 2);
	free(entries);
}

/* Of our memory, what is shared with other processes and is really there. */
static long
shared_kb(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kb = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "RssShmem: %ld kB", &kb);
	fclose(f);
	assert_true(kb >= 0);
	return kb;
}

static void
workers_that_have_counted_nobody_take_no_memory(void **state)
{
	long before = shared_kb();
	struct clients *c = clients_new(4096);

	(void)state;
	assert_non_null(c);
	assert_true(clients_enter(c, 4095, inet(1)) != 0);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(clients_open(c, inet(i)), i == 1);
	for (size_t w = 0; w < 4096; w++)
		clients_forget(c, w);
	assert_int_equal(clients_open(c, inet(1)), 0);
	assert_in_range(shared_kb() - before, 0, 1024);
	clients_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ipv6_address_counts_with_its_64),
		TEST(every_address_is_somebody_and_a_unix_socket_is_nobody),
		TEST(a_burst_goes_through_at_once_and_then_one_at_a_time),
		TEST(a_rate_is_a_bucket_of_tokens),
		TEST(the_largest_numbers_do_not_overflow),
		TEST(each_rate_counts_for_itself),
		TEST(a_full_table_lets_everybody_in_and_forgets_no_one_who_is_too_fast),
		TEST(idle_entries_make_room),
		TEST(processes_that_ask_at_once_share_one_bucket),
		TEST(what_a_dead_worker_had_open_is_forgotten),
		TEST(connections_of_all_workers_are_summed),
		TEST(workers_that_have_counted_nobody_take_no_memory),
		TEST(leaving_twice_or_after_being_forgotten_is_nothing),
		TEST(who_finds_no_room_is_not_counted_until_others_have_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
