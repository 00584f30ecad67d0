/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Resumable uploads over a transport without a socket, and without helpers: what is on disk when
 * something is told, who has an upload, and what is left when a request goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>

#include "resume_rig.h"
#include "base/pool.h"
#include "handler/task.h"

static void
url_is_told_when_the_record_is_there(void **state)
{
	struct transport *t = prepare(OLD, HTTP_POST, "/d/");

	(void)state;
	transport_with_field(t, HTTP_FIELD_UPLOAD_LENGTH, "3");
	exchange_begin(&t->ex);
	assert_int_equal(t->ex.state, EXCHANGE_HELD);
	assert_int_equal(t->heads, 0);
	exchange_work(&t->ex);
	assert_int_equal(t->ex.state, EXCHANGE_RECEIVING);
	exchange_finish(&t->ex, EXCHANGE_ABORTED);
	create("3");
	assert_recorded("\nlength 3\n");
	assert_recorded("\noffset 0\n");
}

static void
offset_is_told_when_it_is_recorded(void **state)
{
	struct transport *t;

	(void)state;
	create("6");
	t = begin_patch(OLD, "0");
	exchange_body(&t->ex, SLICE("abc"), false);
	assert_int_equal(t->credited, 3);
	assert_recorded("\noffset 0\n");
	exchange_body(&t->ex, slice_make("", 0), true);
	assert_int_equal(t->heads, 0);
	transport_work(t);
	assert_recorded("\noffset 3\n");
	assert_string_equal(kept(t, HTTP_FIELD_UPLOAD_OFFSET), "3");
	assert_int_equal(transport_finish(t), 204);
}

static void
body_that_breaks_off_counts_as_far_as_it_came(void **state)
{
	struct transport *t;

	(void)state;
	create("6");
	t = begin_patch(OLD, "0");
	exchange_body(&t->ex, SLICE("abcd"), false);
	exchange_finish(&t->ex, EXCHANGE_ABORTED);
	assert_recorded("\noffset 4\n");
	assert_string_equal(offset_told(OLD), "4");
}

static void
last_byte_gives_the_name(void **state)
{
	struct transport *t;
	char path[TREE_PATH_MAX + 16], text[16];
	struct stat st;

	(void)state;
	create("6");
	t = begin_patch(OLD, "0");
	exchange_body(&t->ex, SLICE("abcdef"), true);
	transport_work(t);
	assert_int_equal(transport_finish(t), 204);
	snprintf(path, sizeof(path), "%s/a.txt", rig.dir);
	read_file(path, text, sizeof(text));
	assert_string_equal(text, "abcdef");
	assert_int_equal(stat(path_of(".part"), &st), -1);
	assert_recorded("\ncomplete 1\n");
	assert_string_equal(offset_told(OLD), "6");
}

static void
newer_request_has_it_when_the_older_is_gone(void **state)
{
	struct transport *old, *new = &rig.t[NEW];

	(void)state;
	create("6");
	old = begin_patch(OLD, "0");
	exchange_body(&old->ex, SLICE("ab"), false);
	prepare(NEW, HTTP_HEAD, rig.url);
	exchange_begin(&new->ex);
	assert_int_equal(new->ex.state, EXCHANGE_HELD);
	assert_int_equal(old->aborts, 1);
	exchange_work(&new->ex);
	assert_int_equal(new->ex.state, EXCHANGE_HELD); /* as long as it takes */
	exchange_finish(&old->ex, EXCHANGE_ABORTED);
	exchange_work(&new->ex);
	assert_int_equal(new->ex.state, EXCHANGE_RECEIVING);
	exchange_finish(&new->ex, EXCHANGE_ABORTED);
	assert_string_equal(offset_told(NEW), "2");
}

static void
request_makes_way_for_a_newer_one_of_another_process(void **state)
{
	const char *id;
	struct transport *t;
	int staging;

	(void)state;
	create("6");
	t = begin_patch(OLD, "0");
	staging = open(rig.staging, O_RDONLY | O_DIRECTORY);
	id = strrchr(rig.url, '/') + 1;
	exchange_work(&t->ex);
	assert_int_equal(t->aborts, 0);
	assert_true(resume_want(staging, id, resume_now_ns()));
	assert_false(resume_want(staging, id, 1)); /* who came long before */
	exchange_later_after(&t->ex, 1);
	exchange_work(&t->ex);
	assert_int_equal(t->aborts, 1);
	resume_forget_want(staging, id, 1);
	assert_true(resume_is_wanted(staging, id, 1));
	resume_forget_want(staging, id, UINT64_MAX);
	assert_false(resume_is_wanted(staging, id, 1));
	exchange_finish(&t->ex, EXCHANGE_ABORTED);
	close(staging);
}

/* With a checksum, that of "abc". */
static struct transport *
begin_guarded(const char *offset)
{
	struct transport *t = prepare(OLD, HTTP_PATCH, rig.url);

	transport_with_field(t, HTTP_FIELD_UPLOAD_CHECKSUM,
			     "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
	begin_piece(t, offset);
	return t;
}

static void
piece_with_a_checksum_counts_when_it_is_whole(void **state)
{
	struct transport *t;

	(void)state;
	create("6");
	t = begin_guarded("0");
	if (t->ex.state == EXCHANGE_RESPONDING) {
		assert_int_equal(transport_finish(t),
				 400); /* a build without libcrypto */
		return;
	}
	exchange_body(&t->ex, SLICE("abc"), false);
	exchange_finish(&t->ex, EXCHANGE_ABORTED);
	assert_string_equal(offset_told(OLD), "0");
}

/* As when there are no descriptors left. */
static void
what_cannot_be_opened_loses_nothing(void **state)
{
	char away[512];
	struct transport *t;

	(void)state;
	create("6");
	add_bytes("0", "abc");
	snprintf(away, sizeof(away), "%s/away", rig.staging);
	assert_int_equal(rename(path_of(".info"), away), 0);
	t = begin_guarded("3");
	assert_int_not_equal(transport_finish(t), 204);
	assert_int_equal(rename(away, path_of(".info")), 0);
	assert_string_equal(offset_told(OLD), "3");
}

static void
wrong_checksum_of_nothing_at_a_whole_upload_is_460(void **state)
{
	struct transport *t;
	int status;

	(void)state;
	create("3");
	add_bytes("0", "xyz");
	t = begin_guarded("3");
	if (t->ex.state == EXCHANGE_RECEIVING)
		exchange_body(&t->ex, slice_make("", 0), true);
	transport_work(t);
	status = transport_finish(t);
	assert_true(status == 460 || status == 400); /* without libcrypto */
	assert_string_equal(offset_told(OLD), "3");
}

/* A record without this start of the system counts for no byte behind its offset. */
static void
bytes_behind_a_piece_that_did_not_count_outlive_the_worker(void **state)
{
	struct transport *t;

	(void)state;
	create("6");
	t = begin_guarded("0");
	if (t->ex.state == EXCHANGE_RECEIVING)
		exchange_body(&t->ex, SLICE("ab"), false);
	exchange_finish(&t->ex, EXCHANGE_ABORTED);
	t = begin_patch(OLD, "0");
	exchange_body(&t->ex, SLICE("abcd"), false);
	assert_recorded("\nboot ");
	exchange_finish(&t->ex, EXCHANGE_ABORTED);
	assert_string_equal(offset_told(OLD), "4");
}

static int
run_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void
release_nothing(void *arg)
{
	(void)arg;
}

/* A door may answer while a record is still being written: to a body that is too long. */
static void
a_helper_that_ends_after_the_answer_began_gives_no_turn(void **state)
{
	struct transport *t = prepare(OLD, HTTP_GET, "/nothing");
	struct pool *pool = pool_new(1, 1);
	struct task *task;
	struct pollfd ready;
	int rc = -1;

	(void)state;
	assert_non_null(pool);
	exchange_begin(&t->ex);
	assert_int_equal(t->ex.state, EXCHANGE_RESPONDING);
	assert_int_equal(
		task_start(&task, &t->ex, pool, run_nothing, NULL, release_nothing), 0);
	ready = (struct pollfd){ .fd = pool_fd(pool), .events = POLLIN };
	assert_int_equal(poll(&ready, 1, 10000), 1);
	pool_finish(pool);
	assert_false(t->ex.waits);
	assert_true(task_take(&task, &rc));
	assert_int_equal(rc, 0);
	pool_free(pool);
	exchange_finish(&t->ex, EXCHANGE_COMPLETE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(url_is_told_when_the_record_is_there),
		TEST(offset_is_told_when_it_is_recorded),
		TEST(body_that_breaks_off_counts_as_far_as_it_came),
		TEST(last_byte_gives_the_name),
		TEST(newer_request_has_it_when_the_older_is_gone),
		TEST(request_makes_way_for_a_newer_one_of_another_process),
		TEST(piece_with_a_checksum_counts_when_it_is_whole),
		TEST(what_cannot_be_opened_loses_nothing),
		TEST(wrong_checksum_of_nothing_at_a_whole_upload_is_460),
		TEST(bytes_behind_a_piece_that_did_not_count_outlive_the_worker),
		TEST(a_helper_that_ends_after_the_answer_began_gives_no_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
