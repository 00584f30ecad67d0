/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many unfinished uploads there may be, and what they, their records and what a sweep takes
 * away mean to the quota.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "resume_rig.h"
#include "handler/intent.h"

/* Without a body. */
static void
ask(struct transport *t)
{
	exchange_begin(&t->ex);
	transport_work(t);
	if (t->ex.state == EXCHANGE_RECEIVING)
		exchange_body(&t->ex, slice_make("", 0), true);
	transport_work(t);
}

static int
create_status(const char *length)
{
	struct transport *t = prepare(NEW, HTTP_POST, "/d/");
	bool ok;

	transport_with_field(t, HTTP_FIELD_UPLOAD_LENGTH, length);
	ask(t);
	ok = t->ex.status == 201;
	if (ok)
		snprintf(rig.url, sizeof(rig.url), "%s", kept(t, HTTP_FIELD_LOCATION));
	return transport_finish(t);
}

static int
remove_status(void)
{
	struct transport *t = prepare(NEW, HTTP_DELETE, rig.url);

	ask(t);
	return transport_finish(t);
}

static void
one_more_than_there_may_be_is_507(void **state)
{
	struct transport *t;

	(void)state;
	create("6");
	assert_int_equal(create_status("6"), 201);
	assert_int_equal(create_status("6"), 201);
	assert_int_equal(create_status("6"), 507);
	assert_non_null(strstr(rig.t[NEW].fields.ptr, "Retry-After: 60\n"));
	assert_non_null(strstr(rig.t[NEW].body.ptr, "Too many unfinished uploads"));
	assert_int_equal(counted(rig.unfinished), 3);
	/* The draft, in one request with all its bytes. */
	t = &rig.t[NEW];
	transport_prepare(t, rig.made.site, HTTP_PUT, "/d/b");
	transport_with_field(t, HTTP_FIELD_UPLOAD_COMPLETE, "?1");
	ask(t);
	assert_int_equal(transport_finish(t), 507);
	assert_non_null(
		strstr(t->fields.ptr, "Content-Type: application/problem+json\n"));
	assert_non_null(strstr(t->fields.ptr, "Retry-After: 60\n"));
	assert_non_null(strstr(t->body.ptr, "{\"type\":\"about:blank\",\"title\":"
					    "\"Insufficient Storage\",\"status\":507,"
					    "\"detail\":\"Too many"));
	assert_int_equal(remove_status(), 204);
	assert_int_equal(counted(rig.unfinished), 2);
	assert_int_equal(create_status("6"), 201);
	assert_int_equal(create_status("6"), 507);
}

static void
a_published_upload_makes_room_for_another(void **state)
{
	struct transport *t;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(create_status("3"), 201);
	assert_int_equal(create_status("3"), 507);
	t = begin_patch(OLD, "0");
	exchange_body(&t->ex, SLICE("abc"), true);
	transport_work(t);
	assert_int_equal(transport_finish(t), 204);
	assert_int_equal(counted(rig.unfinished), 2);
	assert_int_equal(create_status("3"), 201);
	/* Nobody was told its URL. */
	assert_int_equal(remove_status(), 204);
	t = prepare(OLD, HTTP_POST, "/d/");
	transport_with_field(t, HTTP_FIELD_UPLOAD_LENGTH, "3");
	exchange_begin(&t->ex);
	assert_int_equal(counted(rig.unfinished), 3);
	exchange_finish(&t->ex, EXCHANGE_ABORTED);
	assert_int_equal(counted(rig.unfinished), 2);
}

static void
a_record_counts_for_the_quota_at_once(void **state)
{
	struct transport *t;
	uint64_t empty;

	(void)state;
	create("6");
	empty = counted(rig.quota);
	assert_in_range(empty, 100, 999);
	assert_all_counts();
	t = begin_patch(OLD, "0");
	exchange_body(&t->ex, SLICE("abc"), true);
	transport_work(t);
	assert_int_equal(transport_finish(t), 204);
	assert_all_counts();
	assert_int_equal(remove_status(), 204);
	assert_int_equal(counted(rig.quota), 0);
}

static void
records_alone_can_use_up_the_quota(void **state)
{
	static const char name[] = "filename YS50eHQ=,x ";
	char metadata[3600];
	struct transport *t = prepare(OLD, HTTP_POST, "/d/");

	(void)state;
	memset(metadata, 'A', sizeof(metadata));
	memcpy(metadata, name, sizeof(name) - 1);
	metadata[sizeof(name) - 1 + 3200] = '\0';
	transport_with_field(t, HTTP_FIELD_UPLOAD_LENGTH, "3");
	transport_with_field(t, HTTP_FIELD_UPLOAD_METADATA, metadata);
	ask(t);
	assert_int_equal(transport_finish(t), 507);
	assert_int_equal(counted(rig.unfinished), 0);
	assert_int_equal(counted(rig.quota), 0);
}

static void
what_a_sweep_removes_is_given_back_at_once(void **state)
{
	int staging;
	struct partial p;

	(void)state;
	create("6");
	assert_int_equal(create_status("6"), 201);
	staging = open(rig.staging, O_RDONLY | O_DIRECTORY);
	assert_int_equal(
		partial_open(&p, staging, slice_from_str(strrchr(rig.url, '/') + 1)), 0);
	p.record.expires = 1000000000; /* of as many digits */
	assert_int_equal(partial_save(&p, false), 0);
	partial_close(&p);
	(void)site_tick(rig.made.site);
	assert_int_equal(counted(rig.unfinished), 1);
	assert_in_range(counted(rig.quota), 100, 499);
	assert_int_equal(unlinkat(staging, "sweep.lock", 0), 0);
	close(staging);
}

/* Another start of the system finds them. */
static void
write_boot(const char *boot)
{
	int staging = open(rig.staging, O_RDONLY | O_DIRECTORY);
	struct partial p;

	assert_int_equal(
		partial_open(&p, staging, slice_from_str(strrchr(rig.url, '/') + 1)), 0);
	snprintf(p.record.boot, sizeof(p.record.boot), "%s", boot);
	assert_int_equal(partial_save(&p, false), 0);
	partial_close(&p);
	close(staging);
}

static void
what_is_cut_off_after_a_crash_is_given_back_at_once(void **state)
{
	int fd;

	(void)state;
	create("100");
	add_bytes("0", "abc");
	write_boot("0f8fad5b-d9cb-469f-a165-70867728950e");
	fd = open(path_of(".part"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "defghi", 6), 6);
	close(fd);
	assert_true(quota_add(&(struct quota_view){ .quota = rig.quota }, 6, 3000));
	assert_string_equal(offset_told(OLD), "3");
}

static void
an_upload_that_cannot_be_believed_is_given_back_at_once(void **state)
{
	struct transport *t;

	(void)state;
	create("100");
	add_bytes("0", "abc");
	assert_int_equal(truncate(path_of(".part"), 0), 0);
	t = prepare(OLD, HTTP_HEAD, rig.url);
	ask(t);
	assert_int_equal(transport_finish(t), 404);
	assert_int_equal(counted(rig.unfinished), 0);
	/* The three that somebody took away. */
	assert_int_equal(counted(rig.quota), 3);
	quota_remove(&(struct quota_view){ .quota = rig.quota },
		     quota_mark(&(struct quota_view){ .quota = rig.quota }), 3);
}

/* As a crash leaves it when all its names are given. */
static void
leave_form(const char *name, const char *bytes)
{
	int dir = open(rig.dir, O_RDONLY | O_DIRECTORY);
	int staging = open(rig.staging, O_RDONLY | O_DIRECTORY);
	struct intent *intent;
	struct fs_temp t;
	struct buf text;

	buf_init(&text);
	assert_int_equal(fs_temp_open(&t, staging, 0600), 0);
	assert_int_equal(fs_write_full(t.fd, bytes, strlen(bytes)), 0);
	assert_int_equal(intent_add(&text, &t, name, false, 0), 0);
	assert_int_equal(intent_new(&intent, staging, &text), 0);
	assert_int_equal(fs_temp_publish(&t, dir, name, false, NULL), 0);
	intent_unref(intent);
	fs_temp_discard(&t);
	buf_fini(&text);
	close(staging);
	close(dir);
}

static void
what_a_sweep_takes_back_is_given_back_at_once(void **state)
{
	char path[512];

	(void)state;
	create("6");
	leave_form("left", "12345");
	assert_true(quota_add(&(struct quota_view){ .quota = rig.quota }, 5, 3000));
	(void)site_tick(rig.made.site);
	snprintf(path, sizeof(path), "%s/left", rig.dir);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/sweep.lock", rig.staging);
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_more_than_there_may_be_is_507),
		TEST(a_published_upload_makes_room_for_another),
		TEST(a_record_counts_for_the_quota_at_once),
		TEST(records_alone_can_use_up_the_quota),
		TEST(what_a_sweep_removes_is_given_back_at_once),
		TEST(what_a_sweep_takes_back_is_given_back_at_once),
		TEST(what_is_cut_off_after_a_crash_is_given_back_at_once),
		TEST(an_upload_that_cannot_be_believed_is_given_back_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
