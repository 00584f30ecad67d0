/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tasks with a pool of one helper that is kept busy, and room for one job that waits: what is
 * dropped, what is refused, what waits, and that nothing of it runs in the loop's thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "made_site.h"
#include "temp_dir.h"
#include "transport.h"
#include "base/pool.h"
#include "handler/handlers.h"
#include "handler/task.h"

static struct {
	struct transport t;
	char dir[TREE_PATH_MAX];
	struct log log;
	struct made_site made;
	struct pool *pool;
	atomic_bool open; /* then the helper goes on */
	atomic_uint ran;
	bool ran_in_loop;
	unsigned released;
	pthread_t loop;
} rig;

static int
setup(void **state)
{
	char text[512];

	(void)state;
	alarm(60);
	memset(&rig, 0, sizeof(rig));
	rig.loop = pthread_self();
	tree_make(rig.dir);
	snprintf(text, sizeof(text),
		 "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"routes\": [{"
		 "\"path\": \"/d/*\", \"methods\": [\"PUT\", \"POST\", \"DELETE\"], "
		 "\"upload\": {\"directory\": \"%s\"}}]}]}",
		 rig.dir);
	rig.log = (struct log){ STDERR_FILENO, LOG_LEVEL_ERROR };
	rig.pool = pool_new(1, 1);
	assert_non_null(rig.pool);
	made_site_open(&rig.made, text, "/",
		       (struct handler_env){ .log = &rig.log, .pool = rig.pool },
		       handler_kinds, &errpage_handler);
	transport_init(&rig.t, (size_t)256 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	atomic_store(&rig.open, true);
	pool_free(rig.pool);
	transport_fini(&rig.t);
	made_site_close(&rig.made);
	return remove_tree(rig.dir);
}

/* --- jobs --- */

static int
run_when_open(void *arg)
{
	(void)arg;
	while (!atomic_load(&rig.open))
		usleep(1000);
	return 0;
}

static int
run(void *arg)
{
	(void)arg;
	rig.ran_in_loop = rig.ran_in_loop || pthread_equal(rig.loop, pthread_self());
	atomic_fetch_add(&rig.ran, 1);
	return -EIO;
}

static void
release(void *arg)
{
	(void)arg;
	rig.released++;
}

static void
release_nothing(void *arg)
{
	(void)arg;
}

/* The helper has something to do for a long time, and so has who waits for it. */
static void
keep_busy(void)
{
	task_send(rig.pool, run_when_open, NULL, release_nothing);
	for (int i = 0; i < 10000 && pool_is_full(rig.pool); i++)
		usleep(1000);
	assert_false(pool_is_full(rig.pool));
	task_send(rig.pool, run_when_open, NULL, release_nothing);
	assert_true(pool_is_full(rig.pool));
}

/* Lives as the loop does, until the exchange is wanted. */
static void
wait_for_turn(void)
{
	while (!rig.t.wants_turn) {
		struct pollfd polled = { .fd = pool_fd(rig.pool), .events = POLLIN };

		assert_int_equal(poll(&polled, 1, 10000), 1);
		pool_finish(rig.pool);
	}
}

static void
put(const char *path)
{
	transport_prepare(&rig.t, rig.made.site, HTTP_PUT, path);
	rig.t.ex.head.body = HTTP_BODY_LENGTH;
	rig.t.ex.head.content_length = 3;
	exchange_begin(&rig.t.ex);
}

static bool
is_there(const char *name)
{
	char path[TREE_PATH_MAX + 64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
	return stat(path, &st) == 0;
}

static void
assert_refused_for_now(void)
{
	assert_int_equal(transport_finish(&rig.t), 503);
	assert_non_null(strstr(rig.t.fields.ptr, "Retry-After: 5\n"));
	assert_non_null(strstr(rig.t.body.ptr, "busy"));
}

/* --- tests --- */

static void
what_nobody_waits_for_is_dropped_when_too_many_wait(void **state)
{
	(void)state;
	keep_busy();
	task_send(rig.pool, run, NULL, release);
	assert_int_equal(rig.released, 1);
	assert_int_equal(rig.ran, 0);
	atomic_store(&rig.open, true);
	for (int i = 0; i < 10000 && pool_is_full(rig.pool); i++)
		usleep(1000);
	task_send(rig.pool, run, NULL, release);
	for (int i = 0; i < 10000 && rig.released < 2; i++) {
		pool_finish(rig.pool);
		usleep(1000);
	}
	assert_int_equal(rig.released, 2);
	assert_int_equal(rig.ran, 1);
	assert_false(rig.ran_in_loop);
}

static void
a_task_of_who_was_let_in_waits_however_many_do(void **state)
{
	struct task *tasks[8];
	int rc = 0;

	(void)state;
	put("/d/a");
	keep_busy();
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
			task_start(&tasks[i], &rig.t.ex, rig.pool, run, NULL, release),
			0);
	assert_int_equal(rig.ran, 0);
	atomic_store(&rig.open, true);
	for (size_t i = 0; i < 8; i++) {
		for (int k = 0; k < 10000 && !task_take(&tasks[i], &rc); k++) {
			pool_finish(rig.pool);
			usleep(1000);
		}
		assert_null(tasks[i]);
		assert_int_equal(rc, -EIO);
	}
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(rig.released, 8);
	assert_false(rig.ran_in_loop);
}

static void
an_upload_is_refused_before_its_body_while_too_many_wait(void **state)
{
	(void)state;
	keep_busy();
	put("/d/a");
	assert_refused_for_now();
	transport_prepare(&rig.t, rig.made.site, HTTP_HEAD,
			  "/d/.uploads/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	exchange_begin(&rig.t.ex);
	assert_int_equal(rig.t.ex.status, 503);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	/* This needs no helper. */
	transport_prepare(&rig.t, rig.made.site, HTTP_DELETE, "/d/a");
	transport_begin(&rig.t);
	assert_int_equal(transport_finish(&rig.t), 404);
}

static void
a_body_that_came_is_not_lost_when_too_many_wait(void **state)
{
	(void)state;
	put("/d/a");
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	keep_busy();
	exchange_body(&rig.t.ex, SLICE("abc"), true);
	assert_int_equal(rig.t.heads, 0);
	assert_false(is_there("a"));
	atomic_store(&rig.open, true);
	while (rig.t.ex.state != EXCHANGE_RESPONDING) {
		wait_for_turn();
		transport_work(&rig.t);
	}
	assert_int_equal(transport_finish(&rig.t), 201);
	assert_true(is_there("a"));
}

static void
a_client_that_leaves_while_it_waits_leaves_nothing(void **state)
{
	(void)state;
	put("/d/a");
	keep_busy();
	exchange_body(&rig.t.ex, SLICE("abc"), true);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	atomic_store(&rig.open, true);
	pool_free(rig.pool);
	rig.pool = NULL;
	assert_false(is_there("a"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_waits_for_is_dropped_when_too_many_wait),
		TEST(a_task_of_who_was_let_in_waits_however_many_do),
		TEST(an_upload_is_refused_before_its_body_while_too_many_wait),
		TEST(a_body_that_came_is_not_lost_when_too_many_wait),
		TEST(a_client_that_leaves_while_it_waits_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
