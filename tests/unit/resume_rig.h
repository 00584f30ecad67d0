/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_rig: a site with resumable uploads over transports without a socket, and without
 * helpers; after each test what is counted is held against the disk. Included once by a test
 * program, after cmocka.h.
 */
#ifndef WEBSRV_TESTS_RESUME_RIG_H
#define WEBSRV_TESTS_RESUME_RIG_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_site.h"
#include "temp_dir.h"
#include "transport.h"
#include "base/fs_usage.h"
#include "core/limits.h"
#include "handler/handlers.h"
#include "handler/resume_file.h"

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

static inline int
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

static inline uint64_t
counted(struct quota *q)
{
	return quota_used(&(struct quota_view){ .quota = q });
}

/* With the next counts nothing changes. */
static inline void
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

static inline int
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

static inline struct transport *
prepare(int which, enum http_method method, const char *target)
{
	struct transport *t = &rig.t[which];

	transport_prepare(t, rig.made.site, method, target);
	transport_with_field(t, HTTP_FIELD_TUS_RESUMABLE, "1.0.0");
	return t;
}

/* What is in `t` by now, as the head of a PATCH of that upload. */
static inline void
begin_piece(struct transport *t, const char *offset)
{
	transport_with_field(t, HTTP_FIELD_UPLOAD_OFFSET, offset);
	transport_with_field(t, HTTP_FIELD_CONTENT_TYPE,
			     "application/offset+octet-stream");
	t->ex.head.body = HTTP_BODY_CHUNKED;
	exchange_begin(&t->ex);
	transport_work(t);
}

static inline struct transport *
begin_patch(int which, const char *offset)
{
	struct transport *t = prepare(which, HTTP_PATCH, rig.url);

	begin_piece(t, offset);
	return t;
}

/* The value of a field that an answer keeps; "" when it has none. */
static inline const char *
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

static inline const char *
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

static inline void
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

static inline const char *
path_of(const char *ending)
{
	static char path[TREE_PATH_MAX + 192];

	snprintf(path, sizeof(path), "%s/%s%s", rig.staging, strrchr(rig.url, '/') + 1,
		 ending);
	return path;
}

static inline void
read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	assert_true(n >= 0);
	out[n] = '\0';
}

static inline void
assert_recorded(const char *line)
{
	char text[4096];

	read_file(path_of(".info"), text, sizeof(text));
	if (strstr(text, line) == NULL)
		fail_msg("no \"%s\" in: %s", line, text);
}

static inline void
add_bytes(const char *offset, const char *bytes)
{
	struct transport *t = begin_patch(OLD, offset);

	exchange_body(&t->ex, slice_from_str(bytes), true);
	transport_work(t);
	assert_int_equal(transport_finish(t), 204);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
