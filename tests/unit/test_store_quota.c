/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The quota of a store: what uploads, unfinished ones, replacing and removing make of it, and
 * that the directory is looked at again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "temp_dir.h"
#include "base/pool.h"
#include "handler/partial.h"
#include "handler/store_quota.h"

#define MIB ((size_t)1024 * 1024)

struct place {
	char dir[TREE_PATH_MAX];
	struct conf_upload conf;
	struct log log;
	struct quota *quota;
	struct store store;
	char *bytes; /* 8 MiB */
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	tree_make(p->dir);
	p->log = (struct log){ STDERR_FILENO, LOG_LEVEL_ERROR };
	p->conf = (struct conf_upload){ .directory = p->dir,
					.mode = 0600,
					.max_size = 64 * MIB,
					.conflict = CONF_CONFLICT_REPLACE,
					.quota = 100 };
	p->quota = quota_new(2, 1, 1);
	p->bytes = calloc(8, MIB);
	assert_non_null(p->quota);
	assert_non_null(p->bytes);
	assert_int_equal(store_open(&p->store, &p->conf, &p->log), 0);
	store_quota_share(&p->store, &(struct quota_view){ .quota = p->quota }, NULL);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	store_close(&p->store);
	quota_free(p->quota);
	remove_tree(p->dir);
	free(p->bytes);
	free(p);
	return 0;
}

static uint64_t
used(const struct place *p)
{
	return quota_used(&p->store.quota);
}

static int
append(struct place *p, struct store_file *f, size_t n)
{
	return store_append(&p->store, f, slice_make(p->bytes, n));
}

static int
publish(struct place *p, struct store_file *f, const char *name)
{
	struct http_head head = { .method = HTTP_PUT };
	struct store_result result;

	return store_publish(&p->store, f, name, &head, &result);
}

/* Of known length. */
static int
put(struct place *p, const char *name, size_t n)
{
	struct store_file f;
	int status;

	assert_int_equal(store_begin(&p->store, &f), 0);
	status = store_promise(&p->store, &f, n);
	if (status == 0)
		status = append(p, &f, n);
	if (status == 0)
		status = publish(p, &f, name);
	store_discard(&f);
	return status;
}

static void
by_hand(const struct place *p, const char *name, off_t size)
{
	int fd = openat(p->store.dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void
wait_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void
what_is_there_already_counts(void **state)
{
	struct place *p = *state;

	by_hand(p, "a", 60);
	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(used(p), 60);
	assert_int_equal(store_check_room(&p->store, 0, 40), 0);
	assert_int_equal(store_check_room(&p->store, 0, 41), 507);
	assert_int_equal(store_check_room(&p->store, 0, UINT64_MAX), 413);
	assert_int_equal(put(p, "b", 41), 507);
	assert_int_equal(put(p, "b", 40), 0);
	assert_int_equal(put(p, "c", 1), 507);
	assert_int_equal(put(p, "c", 0), 0);
	assert_int_equal(used(p), 100);
}

static void
a_promise_holds_until_the_file_is_given_up(void **state)
{
	struct place *p = *state;
	struct store_file f;

	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(store_begin(&p->store, &f), 0);
	assert_int_equal(store_promise(&p->store, &f, 70), 0);
	assert_int_equal(append(p, &f, 10), 0);
	assert_int_equal(used(p), 70);
	assert_int_equal(put(p, "b", 31), 507);
	store_discard(&f);
	store_discard(&f); /* a second time does nothing */
	assert_int_equal(used(p), 0);
	assert_int_equal(put(p, "b", 100), 0);
}

static void
an_unknown_length_is_refused_at_the_edge(void **state)
{
	struct place *p = *state;
	struct store_file f;

	p->conf.quota = 5 * MIB + 10;
	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(store_begin(&p->store, &f), 0);
	for (size_t i = 0; i < 5 * MIB; i += MIB / 8) {
		assert_int_equal(append(p, &f, MIB / 8), 0);
		assert_in_range(used(p), f.size, f.size + MIB);
	}
	assert_int_equal(append(p, &f, 11), 507);
	assert_int_equal(append(p, &f, 10), 0);
	assert_int_equal(publish(p, &f, "a"), 0);
	store_discard(&f);
	assert_int_equal(used(p), 5 * MIB + 10);
}

static void
what_was_promised_too_much_is_given_back_at_the_end(void **state)
{
	struct place *p = *state;
	struct store_file f;

	p->conf.quota = 3 * MIB;
	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(store_begin(&p->store, &f), 0);
	assert_int_equal(append(p, &f, 1), 0);
	assert_int_equal(append(p, &f, 1), 0);
	assert_int_equal(used(p), 1 + MIB);
	assert_int_equal(publish(p, &f, "a"), 0);
	assert_int_equal(used(p), 2);
	store_discard(&f);
	assert_int_equal(used(p), 2);
}

static void
replacing_removing_and_taking_back_give_space_back(void **state)
{
	struct place *p = *state;
	struct http_head head = { .method = HTTP_DELETE };
	const struct store_result b = { .name = "b" };
	struct store_file f;

	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(put(p, "a", 40), 0);
	assert_int_equal(put(p, "a", 60), 0);
	assert_int_equal(used(p), 60);
	assert_int_equal(put(p, "a", 41), 507); /* both are there for a moment */
	assert_int_equal(store_delete(&p->store, "a", &head, true), 0);
	assert_int_equal(used(p), 60);
	assert_int_equal(store_delete(&p->store, "a", &head, false), 0);
	assert_int_equal(used(p), 0);
	assert_int_equal(store_delete(&p->store, "a", &head, false), 404);
	assert_int_equal(store_begin(&p->store, &f), 0);
	assert_int_equal(append(p, &f, 9), 0);
	assert_int_equal(publish(p, &f, "b"), 0);
	assert_int_equal(used(p), 9);
	store_take_back(&p->store, &f, "b", &b);
	store_take_back(&p->store, &f, "b", &b);
	assert_int_equal(used(p), 0);
	store_discard(&f);
}

/* As a door for resumable uploads does it. */
static void
unfinished_uploads_count_once(void **state)
{
	struct place *p = *state;
	struct partial_record record = { .length = 80 };
	struct partial part;
	struct store_file f;

	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(partial_create(&part, store_staging(&p->store), &record, 0600),
			 0);
	assert_int_equal(store_count_bytes(&p->store, 50), 0);
	assert_int_equal(partial_append(&part, slice_make(p->bytes, 50)), 0);
	assert_int_equal(used(p), 50);
	assert_int_equal(store_count_bytes(&p->store, 51), 507);
	assert_int_equal(store_count_bytes(&p->store, 30), 0);
	assert_int_equal(partial_append(&part, slice_make(p->bytes, 30)), 0);
	store_uncount_bytes(&p->store, 10); /* cut off */
	assert_int_equal(partial_cut(&part, 70), 0);
	f = partial_file(&part);
	assert_int_equal(publish(p, &f, "a"), 0);
	assert_int_equal(used(p), 70);
	partial_remove(&part);
	partial_close(&part);
	wait_ms(1100);
	assert_int_equal(store_check_room(&p->store, 0, 31), 507); /* counts again */
	assert_int_equal(used(p), 70);
}

static void
who_is_refused_makes_it_look_again(void **state)
{
	struct place *p = *state;

	by_hand(p, "a", 100);
	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(put(p, "b", 1), 507);
	assert_int_equal(unlinkat(p->store.dirfd, "a", 0), 0);
	assert_int_equal(put(p, "b", 1), 507);
	assert_int_equal(used(p), 100);
	wait_ms(1100);
	assert_int_equal(put(p, "b", 1), 507);
	assert_int_equal(used(p), 0);
	assert_int_equal(put(p, "b", 100), 0);
}

static void
nothing_is_taken_while_it_cannot_be_counted(void **state)
{
	struct place *p = *state;
	struct store s = p->store;

	s.dirfd = -1;
	s.log = &(struct log){ STDERR_FILENO, LOG_LEVEL_ERROR };
	assert_int_equal(store_quota_ready(&s), 503);
	assert_int_equal(store_quota_ready(&p->store), 503); /* not at once again */
	wait_ms(1100);
	assert_int_equal(store_quota_ready(&p->store), 0);
}

static void
a_helper_counts_and_the_start_waits_for_it(void **state)
{
	struct place *p = *state;
	struct quota_view first = { .quota = p->quota, .worker = 0 };
	struct quota_view second = { .quota = p->quota, .worker = 1 };
	struct pool *pool = pool_new(1, 4);
	uint64_t begun;

	assert_non_null(pool);
	by_hand(p, "a", 60);
	store_quota_share(&p->store, &first, pool);
	/* "since" is long ago: nobody is waited for. */
	assert_true(quota_begin_count(&second, 1000, 0, &begun));
	assert_int_equal(store_quota_ready(&p->store), 503);
	store_quota_await(&p->store);
	quota_forget(p->quota, 1);
	(void)store_quota_ready(&p->store); /* 503, unless the helper is quick */
	for (int i = 0; i < 20000 && !quota_is_counted(&first); i++)
		wait_ms(1);
	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(used(p), 60);
	pool_free(pool);
}

/* More than a helper looks at in one turn. */
static void
a_long_count_goes_on_in_turns_and_ends_with_the_pool(void **state)
{
	struct place *p = *state;
	struct pool *pool = pool_new(1, 4);
	char name[16];

	assert_non_null(pool);
	p->conf.quota = 50000;
	by_hand(p, "a", 1);
	for (int i = 1; i < 40000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(linkat(p->store.dirfd, "a", p->store.dirfd, name, 0), 0);
	}
	store_quota_share(&p->store, &p->store.quota, pool);
	assert_int_equal(store_quota_ready(&p->store), 503);
	pool_free(pool); /* in the middle of it, or before */
	assert_false(quota_is_counting(&p->store.quota));
	quota_free(p->quota);
	p->quota = quota_new(1, 1, 1);
	assert_non_null(p->quota);
	pool = pool_new(1, 4);
	assert_non_null(pool);
	store_quota_share(&p->store, &(struct quota_view){ .quota = p->quota }, pool);
	assert_int_equal(store_quota_ready(&p->store), 503);
	for (int i = 0; i < 20000 && !quota_is_counted(&p->store.quota); i++) {
		pool_finish(pool);
		wait_ms(1);
	}
	assert_true(quota_is_counted(&p->store.quota));
	assert_int_equal(used(p), 40000);
	pool_free(pool);
}

static void
who_has_no_quota_counts_for_who_has_one(void **state)
{
	struct place *p = *state;
	struct conf_upload open = p->conf;
	struct store other;
	struct store_file f;

	open.quota = 0;
	assert_int_equal(store_quota_ready(&p->store), 0);
	assert_int_equal(store_open(&other, &open, &p->log), 0);
	store_quota_share(&other, &p->store.quota, NULL);
	assert_int_equal(store_quota_ready(&other), 0);
	assert_int_equal(store_begin(&other, &f), 0);
	assert_int_equal(store_promise(&other, &f, 300), 0);
	assert_int_equal(used(p), 300);
	assert_int_equal(put(p, "a", 1), 507);
	store_discard(&f);
	assert_int_equal(put(p, "a", 1), 0);
	store_close(&other);
}

static void
routes_share_a_directory_by_its_name(void **state)
{
	struct conf_route r[] = {
		{ .actions = CONF_ACTION_UPLOAD,
		  .upload = { .directory = "/n", .resumable = true, .unfinished = 5 } },
		{ .actions = CONF_ACTION_UPLOAD,
		  .upload = { .directory = "/a", .quota = 1, .unfinished = 5 } },
		{ .actions = CONF_ACTION_FILES },
		{ .actions = CONF_ACTION_UPLOAD,
		  .upload = { .directory = "/b",
			      .quota = 2,
			      .resumable = true,
			      .unfinished = 1 } },
		{ .actions = CONF_ACTION_UPLOAD,
		  .upload = { .directory = "/a", .quota = 3 } },
	};
	struct conf_server servers[] = { { .routes = r, .route_count = 3 },
					 { .routes = r + 3, .route_count = 2 } };
	struct config conf = { .servers = servers, .server_count = 2 };

	(void)state;
	assert_int_equal(store_quota_count(&conf, STORE_QUOTA_BYTES), 3);
	assert_int_equal(store_quota_find(&conf, "/a", STORE_QUOTA_BYTES), 0);
	assert_int_equal(store_quota_find(&conf, "/b", STORE_QUOTA_BYTES), 1);
	assert_true(store_quota_find(&conf, "/n", STORE_QUOTA_BYTES) == SIZE_MAX);
	assert_int_equal(store_quota_count(&conf, STORE_QUOTA_UNFINISHED), 2);
	assert_int_equal(store_quota_find(&conf, "/n", STORE_QUOTA_UNFINISHED), 0);
	assert_int_equal(store_quota_find(&conf, "/b", STORE_QUOTA_UNFINISHED), 1);
	assert_true(store_quota_find(&conf, "/a", STORE_QUOTA_UNFINISHED) == SIZE_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_already_counts),
		TEST(a_promise_holds_until_the_file_is_given_up),
		TEST(an_unknown_length_is_refused_at_the_edge),
		TEST(what_was_promised_too_much_is_given_back_at_the_end),
		TEST(replacing_removing_and_taking_back_give_space_back),
		TEST(unfinished_uploads_count_once),
		TEST(who_is_refused_makes_it_look_again),
		TEST(nothing_is_taken_while_it_cannot_be_counted),
		TEST(a_helper_counts_and_the_start_waits_for_it),
		TEST(a_long_count_goes_on_in_turns_and_ends_with_the_pool),
		TEST(who_has_no_quota_counts_for_who_has_one),
		TEST(routes_share_a_directory_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
