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

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_site.h"
#include "temp_dir.h"
#include "transport.h"
#include "base/fs_usage.h"
#include "base/pool.h"
#include "core/limits.h"
#include "handler/handlers.h"
#include "handler/intent.h"
#include "handler/resume_file.h"
#include "handler/task.h"

#define OLD 0
#define NEW 1

static struct {
	struct transport t[2];
	char dir[TREE_PATH_MAX], staging[TREE_PATH_MAX + 64], url[128];
	struct made_site made;
	struct log log;
	struct limits limits;
	struct quota *quota, *unfinished;
} rig;

static int
setup(void **state)
{
	char text[512];

	(void)state;
	tree_make(rig.dir);
	snprintf(rig.staging, sizeof(rig.staging), "%s/%s", rig.dir, STORE_STAGING);
	snprintf(text, sizeof(text),
		 "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"routes\": [{"
		 "\"path\": \"/d/*\", \"upload\": {\"directory\": \"%s\", "
		 "\"quota\": 3000, \"unfinished\": 3}}]}]}",
		 rig.dir);
	rig.log = (struct log){ STDERR_FILENO, LOG_LEVEL_ERROR };
	rig.quota = quota_new(1, 1, 1);
	rig.unfinished = quota_new(1, 1, 1);
	assert_non_null(rig.quota);
	assert_non_null(rig.unfinished);
	made_site_open(&rig.made, text, "/",
		       (struct handler_env){ .log = &rig.log,
					     .limits = &rig.limits,
					     .quota = rig.quota,
					     .unfinished = rig.unfinished },
		       handler_kinds, &errpage_handler);
	for (int i = 0; i < 2; i++)
		transport_init(&rig.t[i], (size_t)256 * 1024);
	return 0;
}

/* --- what counts --- */

static uint64_t
counted(struct quota *q)
{
	return quota_used(&(struct quota_view){ .quota = q });
}

/* With the next counts nothing changes. */
static void
assert_all_counts(void)
{
	int fd = open(rig.dir, O_RDONLY | O_DIRECTORY);
	int staging = open(rig.staging, O_RDONLY | O_DIRECTORY);
	struct fs_usage usage;
	uint64_t parts = 0;

	assert_int_equal(fs_usage_init(&usage, fd), 0);
	while (fs_usage_step(&usage))
		;
	fs_usage_fini(&usage);
	if (staging >= 0)
		assert_int_equal(partial_count(staging, &parts), 0);
	if (quota_is_counted(&(struct quota_view){ .quota = rig.quota }))
		assert_int_equal(counted(rig.quota), usage.bytes);
	if (quota_is_counted(&(struct quota_view){ .quota = rig.unfinished }))
		assert_int_equal(counted(rig.unfinished), parts);
	close(fd);
	if (staging >= 0)
		close(staging);
}

static int
teardown(void **state)
{
	(void)state;
	assert_all_counts();
	quota_free(rig.quota);
	quota_free(rig.unfinished);
	for (int i = 0; i < 2; i++)
		transport_fini(&rig.t[i]);
	made_site_close(&rig.made);
	return remove_tree(rig.dir);
}

/* --- requests --- */

static struct transport *
prepare(int which, enum http_method method, const char *target)
{
	struct transport *t = &rig.t[which];

	transport_prepare(t, rig.made.site, method, target);
	transport_with_field(t, HTTP_FIELD_TUS_RESUMABLE, "1.0.0");
	return t;
}

static struct transport *
begin_patch(int which, const char *offset)
{
	struct transport *t = prepare(which, HTTP_PATCH, rig.url);

	transport_with_field(t, HTTP_FIELD_UPLOAD_OFFSET, offset);
	transport_with_field(t, HTTP_FIELD_CONTENT_TYPE,
			     "application/offset+octet-stream");
	t->ex.head.body = HTTP_BODY_CHUNKED;
	exchange_begin(&t->ex);
	transport_work(t);
	return t;
}

/* The value of a field that an answer keeps; "" when it has none. */
static const char *
kept(const struct transport *t, enum http_field_id id)
{
	static char value[128];

	value[0] = '\0';
	for (size_t i = 0; i < t->ex.kept_field_count; i++) {
		if (t->ex.kept_fields[i].id == id)
			snprintf(value, sizeof(value), "%.*s",
				 SLICE_ARG(t->ex.kept_fields[i].value));
	}
	return value;
}

static const char *
offset_told(int which)
{
	struct transport *t = prepare(which, HTTP_HEAD, rig.url);
	static char value[128];

	exchange_begin(&t->ex);
	transport_work(t);
	if (t->ex.state == EXCHANGE_RECEIVING)
		exchange_body(&t->ex, slice_make("", 0), true);
	transport_work(t);
	snprintf(value, sizeof(value), "%s", kept(t, HTTP_FIELD_UPLOAD_OFFSET));
	assert_int_equal(transport_finish(t), 200);
	return value;
}

static void
create(const char *length)
{
	struct transport *t = prepare(OLD, HTTP_POST, "/d/");

	transport_with_field(t, HTTP_FIELD_UPLOAD_LENGTH, length);
	transport_with_field(t, HTTP_FIELD_UPLOAD_METADATA, "filename YS50eHQ=");
	exchange_begin(&t->ex);
	transport_work(t);
	exchange_body(&t->ex, slice_make("", 0), true);
	transport_work(t);
	snprintf(rig.url, sizeof(rig.url), "%s", kept(t, HTTP_FIELD_LOCATION));
	assert_int_equal(transport_finish(t), 201);
}

/* --- files --- */

static const char *
path_of(const char *ending)
{
	static char path[TREE_PATH_MAX + 192];

	snprintf(path, sizeof(path), "%s/%s%s", rig.staging, strrchr(rig.url, '/') + 1,
		 ending);
	return path;
}

static void
read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	assert_true(n >= 0);
	out[n] = '\0';
}

static void
assert_recorded(const char *line)
{
	char text[4096];

	read_file(path_of(".info"), text, sizeof(text));
	if (strstr(text, line) == NULL)
		fail_msg("no \"%s\" in: %s", line, text);
}

/* --- tests --- */

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

	transport_with_field(t, HTTP_FIELD_UPLOAD_OFFSET, offset);
	transport_with_field(t, HTTP_FIELD_UPLOAD_CHECKSUM,
			     "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
	transport_with_field(t, HTTP_FIELD_CONTENT_TYPE,
			     "application/offset+octet-stream");
	t->ex.head.body = HTTP_BODY_CHUNKED;
	exchange_begin(&t->ex);
	transport_work(t);
	return t;
}

static void
add_bytes(const char *offset, const char *bytes)
{
	struct transport *t = begin_patch(OLD, offset);

	exchange_body(&t->ex, slice_from_str(bytes), true);
	transport_work(t);
	assert_int_equal(transport_finish(t), 204);
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

/* --- how many, and how much --- */

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
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
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
		TEST(one_more_than_there_may_be_is_507),
		TEST(a_published_upload_makes_room_for_another),
		TEST(a_record_counts_for_the_quota_at_once),
		TEST(records_alone_can_use_up_the_quota),
		TEST(what_a_sweep_removes_is_given_back_at_once),
		TEST(what_a_sweep_takes_back_is_given_back_at_once),
		TEST(what_is_cut_off_after_a_crash_is_given_back_at_once),
		TEST(an_upload_that_cannot_be_believed_is_given_back_at_once),
		TEST(a_helper_that_ends_after_the_answer_began_gives_no_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
