/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits by client address, as requests and connections meet them: 429 with Retry-After, a
 * server's own rate, who is exempt, and what is counted and told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "made_site.h"
#include "transport.h"
#include "base/clients.h"
#include "base/log.h"
#include "core/limits.h"
#include "handler/handlers.h"

#define WORKERS 2

static const char config_text[] =
	"{\"limits\": {\"connections_per_address\": 3,"
	"  \"requests_per_address\": {\"rate\": 1, \"per\": \"1h\", \"burst\": 3}},"
	" \"servers\": ["
	"  {\"listen\": [\"127.0.0.1:80\"], \"error_pages\": {\"429\": \"/slow\"},"
	"   \"headers\": {\"Cache-Control\": \"max-age=60\"},"
	"   \"routes\": [{\"path\": \"/*\", \"respond\": {\"body\": \"hello\"}},"
	"    {\"path\": \"/slow\", \"respond\": {\"body\": \"slowly!\"}}]},"
	"  {\"listen\": [\"127.0.0.1:80\"], \"names\": [\"same.example\"]},"
	"  {\"listen\": [\"127.0.0.1:80\"], \"names\": [\"own.example\"],"
	"   \"limits\": {\"requests_per_address\": {\"rate\": 2, \"per\": \"10s\"}},"
	"   \"routes\": [{\"path\": \"/*\", \"respond\": {}}]},"
	"  {\"listen\": [\"127.0.0.1:80\"], \"names\": [\"none.example\"],"
	"   \"limits\": {\"requests_per_address\": null},"
	"   \"routes\": [{\"path\": \"/*\", \"respond\": {}}]}]}";

static struct rig {
	struct transport t;
	struct made_site made;
	struct site sites[WORKERS]; /* as each worker sees it */
	struct limits limits[WORKERS];
	struct clients *clients;
	struct log log;
	int log_fd;
} rig;

static int
setup(void **state)
{
	(void)state;
	rig.log_fd = memfd_create("log", MFD_CLOEXEC);
	rig.log = (struct log){ .fd = rig.log_fd, .level = LOG_LEVEL_INFO };
	rig.clients = clients_new(WORKERS);
	assert_true(rig.clients != NULL && rig.log_fd >= 0);
	made_site_open(&rig.made, config_text, "/",
		       (struct handler_env){ .log = &rig.log }, handler_kinds,
		       &errpage_handler);
	for (size_t i = 0; i < WORKERS; i++) {
		rig.limits[i] = (struct limits){ .clients = rig.clients, .worker = i };
		rig.sites[i] = *rig.made.site;
		rig.sites[i].env.limits = &rig.limits[i];
	}
	transport_init(&rig.t, 64 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	transport_fini(&rig.t);
	made_site_close(&rig.made);
	clients_free(rig.clients);
	close(rig.log_fd);
	return 0;
}

static struct peer
inet(unsigned char last)
{
	return (struct peer){ .family = AF_INET, .address = { 192, 0, 2, last } };
}

static struct peer
inet6(unsigned char subnet, unsigned char last)
{
	return (struct peer){ .family = AF_INET6,
			      .address = { 0x20, 1, 0xd,
					   0xb8, [7] = subnet, [15] = last } };
}

static int
ask(size_t worker, struct peer peer, struct slice host, const char *path)
{
	transport_prepare(&rig.t, &rig.sites[worker], HTTP_GET, path);
	rig.t.ex.peer = peer;
	rig.t.ex.head.host = host;
	transport_begin(&rig.t);
	return transport_finish(&rig.t);
}

static int
get(struct peer peer)
{
	return ask(0, peer, SLICE("a.example"), "/");
}

static void
assert_has(const char *line)
{
	if (strstr(rig.t.fields.ptr, line) == NULL)
		fail_msg("no %s in:\n%s", line, rig.t.fields.ptr);
}

static uint64_t
count(enum counter c)
{
	return counter_sum(rig.made.counters, 1, c);
}

static size_t
times_logged(const char *what)
{
	char text[65536];
	ssize_t n = pread(rig.log_fd, text, sizeof(text) - 1, 0);
	size_t times = 0;

	assert_true(n >= 0);
	text[n] = '\0';
	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		times++;
	return times;
}

/* --- requests --- */

static void
who_is_too_fast_gets_429_and_when_to_come_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(get(inet(1)), 200);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(get(inet(1)), 429);
		assert_false(rig.t.ex.close);
		assert_has("Retry-After: 3600\n");
		assert_has("Cache-Control: no-store\n");
		assert_null(strstr(rig.t.fields.ptr, "max-age"));
		assert_string_equal(rig.t.body.ptr, "slowly!"); /* the server's page */
	}
	assert_int_equal(get(inet(2)), 200);
	assert_int_equal(count(COUNTER_REQUESTS_LIMITED), 5);
	assert_int_equal(count(COUNTER_REQUESTS), 9);
	assert_int_equal(
		times_logged("limits.requests_per_address: 192.0.2.1 is too fast"), 1);
}

static void
workers_count_together(void **state)
{
	(void)state;
	assert_int_equal(ask(0, inet(1), SLICE("a"), "/"), 200);
	assert_int_equal(ask(1, inet(1), SLICE("a"), "/"), 200);
	assert_int_equal(ask(1, inet(1), SLICE("a"), "/"), 200);
	assert_int_equal(ask(0, inet(1), SLICE("a"), "/"), 429);
	assert_int_equal(ask(1, inet(1), SLICE("a"), "/"), 429);
}

static void
requests_for_nothing_count_too(void **state)
{
	(void)state;
	assert_int_equal(ask(0, inet(1), SLICE("same.example"), "/none"), 404);
	assert_int_equal(ask(0, inet(1), SLICE("same.example"), "/none"), 404);
	assert_int_equal(ask(0, inet(1), SLICE("a"), "/"), 200);
	assert_int_equal(ask(0, inet(1), SLICE("same.example"), "/none"), 429);
}

static void
an_ipv6_network_is_one_client(void **state)
{
	(void)state;
	for (unsigned char i = 0; i < 3; i++)
		assert_int_equal(get(inet6(1, i)), 200);
	assert_int_equal(get(inet6(1, 77)), 429);
	assert_int_equal(get(inet6(2, 77)), 200);
}

static void
a_unix_socket_has_no_limit(void **state)
{
	struct peer local = { .family = AF_UNIX };
	uint32_t entry;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(get(local), 200);
		assert_true(limits_enter(&rig.sites[0], &local, &entry));
		assert_int_equal(entry, 0);
	}
}

static void
a_server_has_a_rate_of_its_own_or_none(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(get(inet(1)), i < 3 ? 200 : 429);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(0, inet(1), SLICE("own.example"), "/"),
				 i < 2 ? 200 : 429);
	assert_has("Retry-After: 5\n");
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(0, inet(1), SLICE("none.example"), "/"), 200);
}

static void
where_there_are_no_tables_nothing_is_limited(void **state)
{
	struct peer peer = inet(1);
	uint32_t entry;

	(void)state;
	rig.sites[0].env.limits = NULL;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(get(peer), 200);
		assert_true(limits_enter(&rig.sites[0], &peer, &entry));
		limits_leave(&rig.sites[0], entry);
	}
}

/* --- connections --- */

static void
connections_beyond_the_limit_are_refused_in_every_worker(void **state)
{
	struct peer peer = inet(1), other = inet(2);
	uint32_t entries[3], refused = 77;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(limits_enter(&rig.sites[i % 2], &peer, &entries[i]));
	for (size_t i = 0; i < 4; i++) {
		assert_false(limits_enter(&rig.sites[i % 2], &peer, &refused));
		assert_int_equal(refused, 0);
	}
	assert_true(limits_enter(&rig.sites[0], &other, &refused));
	limits_leave(&rig.sites[1], entries[1]);
	assert_true(limits_enter(&rig.sites[0], &peer, &entries[1]));
	assert_false(limits_enter(&rig.sites[0], &peer, &refused));
	assert_int_equal(count(COUNTER_CONNECTIONS_LIMITED), 5);
	/* Of each worker once in ten seconds. */
	assert_int_equal(times_logged("limits.connections_per_address: 192.0.2.1 has 3"),
			 2);
}

static void
more_addresses_than_there_is_room_for_are_let_in_and_told_once(void **state)
{
	struct peer peer = { .family = AF_INET };
	uint32_t entry;

	(void)state;
	for (uint32_t i = 0; i < 2 * CLIENTS_CONNECTIONS; i++) {
		memcpy(peer.address, &i, sizeof(i));
		assert_true(limits_enter(&rig.sites[0], &peer, &entry));
	}
	for (uint32_t i = 0; i < 2 * CLIENTS_RATES; i++) {
		memcpy(peer.address, &i, sizeof(i));
		assert_int_equal(get(peer), 200);
	}
	assert_int_equal(times_logged("too many addresses to count them all"), 1);
	assert_int_equal(times_logged("limits."), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_too_fast_gets_429_and_when_to_come_again),
		TEST(workers_count_together),
		TEST(requests_for_nothing_count_too),
		TEST(an_ipv6_network_is_one_client),
		TEST(a_unix_socket_has_no_limit),
		TEST(a_server_has_a_rate_of_its_own_or_none),
		TEST(where_there_are_no_tables_nothing_is_limited),
		TEST(connections_beyond_the_limit_are_refused_in_every_worker),
		TEST(more_addresses_than_there_is_room_for_are_let_in_and_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
