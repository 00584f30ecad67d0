/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Exchanges that are held until a password is checked: what they do meanwhile, how they go on,
 * and that those who leave are not looked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#include "made_site.h"
#include "tree.h"
#include "transport.h"
#include "base/base64.h"
#include "base/password.h"
#include "base/pool.h"
#include "core/auth_verify.h"
#include "handler/file_shared.h"
#include "handler/handlers.h"

/* alice with "correct:horse", bob with "p\xc3\xa4sswort" */
#define USERS                                                                            \
	"alice:$6$wiretests$kRZsCZiBMKNdXQPRDUsxmXKOZkgWCZ./vFMNKKe.if0XRDcQ4k2GE1e9cnB" \
	"Li.7SplBjo2Qmf1k6UsK9pFkM1/\n"                                                  \
	"bob:$2b$04$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe\n"
#define ALICE "Basic YWxpY2U6Y29ycmVjdDpob3JzZQ=="
#define BOB "Basic Ym9iOnDDpHNzd29ydA=="
#define ALICE_WRONG "Basic YWxpY2U6d3Jvbmc="
#define NOBODY "Basic bm9ib2R5OmNvcnJlY3Q6aG9yc2U="

#define MANY (AUTH_CHECKS_MAX + 4)

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"routes\": ["
	"{\"path\": \"/say/*\", \"respond\": {\"body\": \"said\"},"
	" \"auth\": {\"basic\": {\"users\": \"users\"}, \"bearer\": {\"tokens\": "
	"\"tokens\"}}},"
	"{\"path\": \"/pair\", \"respond\": {},"
	" \"auth\": {\"basic\": {\"users\": \"users\"}}}]}]}";

static struct {
	struct transport t[MANY];
	char dir[TREE_PATH_MAX];
	int dirfd;
	struct config *conf;
	struct site *site;
	struct file_shared *files;
	struct counter_block *counters;
	struct log log;
	struct pool *pool;
	struct auth_shared *auth;
} rig;

static void
remake_site(struct pool *pool, struct auth_shared *auth)
{
	struct handler_env env = { .log = &rig.log,
				   .counters = rig.counters,
				   .conf = rig.conf,
				   .files = rig.files,
				   .pool = pool,
				   .auth = auth };

	site_free(rig.site);
	rig.site = make_site(&env, handler_kinds, &errpage_handler);
}

static int
setup(void **state)
{
	(void)state;
	alarm(300);
	memset(&rig, 0, sizeof(rig));
	rig.dirfd = tree_open(rig.dir);
	tree_put(rig.dirfd, "users", USERS, strlen(USERS));
	tree_put(rig.dirfd, "tokens", "", 0);
	rig.log = (struct log){ STDERR_FILENO, LOG_LEVEL_ERROR };
	rig.counters = counters_new(1);
	rig.conf = make_config(config_text, rig.dir);
	rig.files = file_shared_new(rig.conf, rig.counters, 1);
	rig.pool = pool_new(2, 64);
	rig.auth = auth_shared_new(rig.pool);
	assert_non_null(rig.auth);
	remake_site(rig.pool, rig.auth);
	for (size_t i = 0; i < MANY; i++)
		transport_init(&rig.t[i], (size_t)64 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pool_free(rig.pool);
	auth_shared_free(rig.auth);
	for (size_t i = 0; i < MANY; i++)
		transport_fini(&rig.t[i]);
	site_free(rig.site);
	file_shared_free(rig.files);
	counters_free(rig.counters, 1);
	conf_free(rig.conf);
	close(rig.dirfd);
	return remove_tree(rig.dir);
}

static struct exchange *
begin(size_t which, const char *path, const char *credentials)
{
	struct transport *t = &rig.t[which];

	transport_prepare(t, rig.site, HTTP_POST, path);
	t->ex.peer = (struct peer){ .family = AF_INET, .address = { 127, 0, 0, 1 } };
	if (credentials != NULL)
		transport_with_field(t, HTTP_FIELD_AUTHORIZATION, credentials);
	exchange_begin(&t->ex);
	return &t->ex;
}

/* The loop, until that exchange is wanted by it. */
static void
wait_for(size_t which)
{
	while (!rig.t[which].wants_turn) {
		struct pollfd polled = { .fd = pool_fd(rig.pool), .events = POLLIN };

		assert_int_equal(poll(&polled, 1, 20000), 1);
		pool_finish(rig.pool);
	}
}

/* The end of an exchange that was held. */
static int
finish_held(size_t which)
{
	struct exchange *ex = &rig.t[which].ex;

	wait_for(which);
	assert_int_equal(ex->state, EXCHANGE_HELD);
	transport_work(&rig.t[which]);
	if (ex->state == EXCHANGE_RECEIVING)
		exchange_body(ex, slice_make(NULL, 0), true);
	return transport_finish(&rig.t[which]);
}

/* --- held --- */

static void
held_exchange_has_no_handler_and_goes_on_when_it_is_known(void **state)
{
	struct exchange *ex = begin(0, "/say/x", ALICE);

	(void)state;
	assert_int_equal(ex->state, EXCHANGE_HELD);
	assert_null(ex->handler);
	assert_int_equal(rig.t[0].heads, 0);
	exchange_work(ex); /* a turn that nobody asked for */
	assert_int_equal(ex->state, EXCHANGE_HELD);
	assert_int_equal(ex->user.len, 0);
	assert_int_equal(finish_held(0), 200);
	assert_string_equal(rig.t[0].body.ptr, "said");
	assert_true(slice_eq(ex->user, SLICE("alice")));
	assert_true(slice_eq(ex->rest, SLICE("x")));
}

static void
password_that_was_right_is_not_checked_again(void **state)
{
	(void)state;
	begin(0, "/say/x", ALICE);
	assert_int_equal(finish_held(0), 200);
	assert_int_not_equal(begin(1, "/pair", ALICE)->state, EXCHANGE_HELD);
	assert_int_equal(transport_finish(&rig.t[1]), 200);
	assert_true(slice_eq(rig.t[1].ex.user, SLICE("alice")));
	/* Neither another user with it, nor the user with another one. */
	begin(2, "/pair", ALICE_WRONG);
	assert_int_equal(finish_held(2), 401);
	begin(2, "/pair", NOBODY);
	assert_int_equal(finish_held(2), 401);
	begin(2, "/pair", BOB);
	assert_int_equal(finish_held(2), 200);
}

static void
password_that_was_wrong_is_checked_every_time(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(0, "/say/x", i % 2 == 0 ? ALICE_WRONG : NOBODY);
		assert_int_equal(rig.t[0].ex.state, EXCHANGE_HELD);
		assert_int_equal(finish_held(0), 401);
		assert_int_equal(rig.t[0].ex.user.len, 0);
		assert_string_equal(rig.t[0].fields.ptr,
				    "Content-Type: text/plain; charset=utf-8\n"
				    "WWW-Authenticate: Basic realm=\"websrv\", "
				    "charset=\"UTF-8\"\n"
				    "WWW-Authenticate: Bearer realm=\"websrv\"\n"
				    "X-Content-Type-Options: nosniff\n");
	}
}

static void
what_needs_no_check_is_not_held(void **state)
{
	(void)state;
	begin(0, "/say/x", NULL);
	assert_int_equal(transport_finish(&rig.t[0]), 401);
	begin(0, "/say/x", "Basic !");
	assert_int_equal(transport_finish(&rig.t[0]), 401);
	begin(0, "/say/x", "Bearer x");
	assert_int_equal(transport_finish(&rig.t[0]), 401);
	assert_non_null(strstr(rig.t[0].fields.ptr, "error=\"invalid_token\""));
}

static void
one_question_of_many_is_checked_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(begin(i, "/say/x", ALICE)->state, EXCHANGE_HELD);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(finish_held(i), 200);
}

/* --- bounds --- */

static const char *
make_credentials(struct transport *t, unsigned number)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

	/* "alice:" and three bytes */
	return arena_printf(&t->ex.arena, "Basic YWxpY2U6eHh%c", digits[number]);
}

static void
begin_with_number(size_t which, unsigned number, unsigned char host)
{
	struct transport *t = &rig.t[which];

	transport_prepare(t, rig.site, HTTP_POST, "/say/x");
	t->ex.peer = (struct peer){ .family = AF_INET, .address = { 192, 0, 2, host } };
	transport_with_field(t, HTTP_FIELD_AUTHORIZATION, make_credentials(t, number));
	exchange_begin(&t->ex);
}

static void
one_address_has_few_checks_at_a_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= AUTH_CHECKS_ADDRESS; i++)
		begin_with_number(i, i, 1);
	assert_int_equal(transport_finish(&rig.t[AUTH_CHECKS_ADDRESS]), 429);
	assert_non_null(
		strstr(rig.t[AUTH_CHECKS_ADDRESS].fields.ptr, "Retry-After: 1\n"));
	begin_with_number(MANY - 1, 20, 2); /* another address has its own */
	assert_int_equal(finish_held(MANY - 1), 401);
	for (unsigned i = 0; i < AUTH_CHECKS_ADDRESS; i++)
		assert_int_equal(finish_held(i), 401);
	begin_with_number(0, 0, 1);
	assert_int_equal(finish_held(0), 401);
}

static void
all_addresses_have_a_bounded_number_of_checks(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= AUTH_CHECKS_MAX; i++)
		begin_with_number(i, i, (unsigned char)i);
	assert_int_equal(transport_finish(&rig.t[AUTH_CHECKS_MAX]), 503);
	assert_non_null(strstr(rig.t[AUTH_CHECKS_MAX].fields.ptr, "Retry-After: 1\n"));
	for (unsigned i = 0; i < AUTH_CHECKS_MAX; i++)
		assert_int_equal(finish_held(i), 401);
}

static struct exchange *
begin_as(size_t which, const char *user, char last)
{
	char text[64], value[128] = "Basic ";
	int n = snprintf(text, sizeof(text), "%s:wrong%c", user, last);

	value[6 + base64_encode(text, (size_t)n, value + 6)] = '\0';
	return begin(which, "/say/x", value);
}

/* An address that may ask nothing more is refused whoever it asks about: did one that is not
 * there share the check of another, it would not be refused. */
static void
checks_for_one_user_tell_nothing_about_another(void **state)
{
	static const char *const names[] = { "alice", "bob", "x0", "x1", "x2",
					     "x3",    "x4",  "x5", "x6", "x7" };

	(void)state;
	for (size_t i = 0; i < AUTH_CHECKS_ADDRESS; i++)
		assert_int_equal(begin_as(i, "nobody", (char)('0' + i))->state,
				 EXCHANGE_HELD);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		begin_as(MANY - 1, names[i], '0');
		assert_int_equal(transport_finish(&rig.t[MANY - 1]), 429);
	}
	for (size_t i = 0; i < AUTH_CHECKS_ADDRESS; i++)
		assert_int_equal(finish_held(i), 401);
}

/* --- who leaves --- */

static void
exchange_that_ends_while_held_is_forgotten(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		begin(i % 4, "/say/x", i % 2 == 0 ? ALICE_WRONG : BOB);
		exchange_finish(&rig.t[i % 4].ex, EXCHANGE_ABORTED);
		pool_finish(rig.pool);
	}
	for (size_t i = 0; i < 4; i++)
		assert_false(rig.t[i].wants_turn);
}

static void
one_who_leaves_takes_no_answer_from_the_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		begin(i, "/say/x", ALICE);
	exchange_finish(&rig.t[1].ex, EXCHANGE_ABORTED);
	assert_int_equal(finish_held(0), 200);
	assert_int_equal(finish_held(2), 200);
	assert_false(rig.t[1].wants_turn);
}

/* --- clients that send nothing more --- */

struct stopper {
	struct pool_job pool; /* first */
	atomic_bool *open;
};

static void
stop(struct pool_job *job)
{
	const struct stopper *s = (struct stopper *)job;

	while (!atomic_load(s->open))
		usleep(1000);
}

static void
free_stopper(struct pool_job *job, bool ran)
{
	assert_true(ran);
	free(job);
}

static void
keep_helpers_busy(atomic_bool *open)
{
	atomic_init(open, false);
	for (int i = 0; i < 2; i++) {
		struct stopper *s = calloc(1, sizeof(*s));

		assert_non_null(s);
		*s = (struct stopper){ { .run = stop, .done = free_stopper }, open };
		assert_int_equal(pool_submit(rig.pool, &s->pool), 0);
	}
	while (!pool_is_busy(rig.pool))
		usleep(1000);
}

static void
client_that_left_gives_his_place_to_others(void **state)
{
	atomic_bool open;

	(void)state;
	keep_helpers_busy(&open);
	for (unsigned i = 0; i < AUTH_CHECKS_ADDRESS; i++)
		begin_with_number(i, i, 1);
	exchange_peer_left(&rig.t[1].ex);
	exchange_peer_left(&rig.t[1].ex);
	assert_int_equal(finish_held(1), 503);
	assert_non_null(strstr(rig.t[1].fields.ptr, "Retry-After: 1\n"));
	begin_with_number(1, 9, 1); /* in its place */
	assert_int_equal(rig.t[1].ex.state, EXCHANGE_HELD);
	atomic_store(&open, true);
	for (size_t i = 0; i < AUTH_CHECKS_ADDRESS; i++)
		assert_int_equal(finish_held(i), 401);
}

static void
client_that_left_takes_no_answer_from_the_others(void **state)
{
	atomic_bool open;

	(void)state;
	keep_helpers_busy(&open);
	begin(0, "/say/x", ALICE);
	begin(1, "/say/x", ALICE);
	exchange_peer_left(&rig.t[0].ex);
	exchange_peer_left(&rig.t[1].ex);
	begin(2, "/say/x", BOB);
	exchange_peer_left(&rig.t[2].ex);
	begin(3, "/say/x", BOB); /* does not wait for what was given up */
	assert_int_equal(finish_held(2), 503);
	atomic_store(&open, true);
	assert_int_equal(finish_held(0), 200);
	assert_int_equal(finish_held(1), 200);
	assert_int_equal(finish_held(3), 200);
}

static void
client_that_only_ends_his_half_is_answered_while_helpers_are_free(void **state)
{
	(void)state;
	begin(0, "/say/x", ALICE);
	exchange_peer_left(&rig.t[0].ex);
	assert_int_equal(finish_held(0), 200);
}

static void
refusal_while_held_is_the_answer(void **state)
{
	(void)state;
	begin(0, "/say/x", ALICE);
	exchange_refuse(&rig.t[0].ex, 408);
	assert_int_equal(transport_finish(&rig.t[0]), 408);
	begin(1, "/say/x", BOB); /* until all checks are over */
	assert_int_equal(finish_held(1), 200);
	assert_false(rig.t[0].wants_turn);
}

static void
exchange_may_end_between_verdict_and_turn(void **state)
{
	(void)state;
	begin(0, "/say/x", ALICE);
	wait_for(0);
	exchange_finish(&rig.t[0].ex, EXCHANGE_ABORTED);
	exchange_work(&rig.t[0].ex);
	assert_int_equal(rig.t[0].heads, 0);
}

static void
without_a_pool_it_is_checked_at_once(void **state)
{
	(void)state;
	remake_site(NULL, NULL);
	begin(0, "/say/x", ALICE);
	assert_int_equal(rig.t[0].ex.state, EXCHANGE_RESPONDING);
	assert_int_equal(transport_finish(&rig.t[0]), 200);
	begin(0, "/say/x", NOBODY);
	assert_int_equal(transport_finish(&rig.t[0]), 401);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(held_exchange_has_no_handler_and_goes_on_when_it_is_known),
		TEST(password_that_was_right_is_not_checked_again),
		TEST(password_that_was_wrong_is_checked_every_time),
		TEST(what_needs_no_check_is_not_held),
		TEST(one_question_of_many_is_checked_once),
		TEST(one_address_has_few_checks_at_a_time),
		TEST(all_addresses_have_a_bounded_number_of_checks),
		TEST(checks_for_one_user_tell_nothing_about_another),
		TEST(exchange_that_ends_while_held_is_forgotten),
		TEST(one_who_leaves_takes_no_answer_from_the_others),
		TEST(client_that_left_gives_his_place_to_others),
		TEST(client_that_left_takes_no_answer_from_the_others),
		TEST(client_that_only_ends_his_half_is_answered_while_helpers_are_free),
		TEST(refusal_while_held_is_the_answer),
		TEST(exchange_may_end_between_verdict_and_turn),
		TEST(without_a_pool_it_is_checked_at_once),
	};

	if (!password_is_built_in())
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
