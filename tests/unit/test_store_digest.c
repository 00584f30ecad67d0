/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Uploads with a Repr-Digest: what is stored, and what is kept with it. They go through the
 * real handler of a site that was built from a configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kept_digests.h"
#include "made_site.h"
#include "temp_dir.h"
#include "transport.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "handler/handlers.h"
#include "handler/store.h"
#include "handler/store_digest.h"
#include "handler/store_kept.h"
#include "http/digest_hash.h"

#define LINES_MAX 2

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"routes\": [{\"path\": \"/*\", \"upload\":"
	" {\"directory\": \".\", \"conflict\": \"replace\", \"durable\": false}}]}]}";

struct rig {
	struct transport t;
	char dir[TREE_PATH_MAX];
	int dirfd;
	struct made_site made;
	struct log log;
	bool has_attributes;
	int attribute_error; /* 0: they are set */
	int lowest;          /* the first free descriptor: tells a leak */
};

static struct rig rig;

int __real_fs_set_attribute(int fd, const char *name, const void *value, size_t len);
int __wrap_fs_set_attribute(int fd, const char *name, const void *value, size_t len);

int
__wrap_fs_set_attribute(int fd, const char *name, const void *value, size_t len)
{
	return rig.attribute_error != 0 ? rig.attribute_error
					: __real_fs_set_attribute(fd, name, value, len);
}

/* --- setting up --- */

static int
setup(void **state)
{
	static const struct handler_ops *const kinds[] = { &upload_handler, NULL };

	(void)state;
	rig.dirfd = tree_open(rig.dir);
	rig.has_attributes = can_keep_attributes(rig.dirfd);
	rig.log =
		(struct log){ open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR };
	made_site_open(&rig.made, config_text, rig.dir,
		       (struct handler_env){ .log = &rig.log }, kinds, &errpage_handler);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	made_site_close(&rig.made);
	close(rig.log.fd);
	close(rig.dirfd);
	return remove_tree(rig.dir);
}

static void begin_put(const char *const lines[LINES_MAX]);

/* The directory that files wait in stays open from the first one on. */
static void
open_staging(void)
{
	const char *none[LINES_MAX] = { NULL };

	begin_put(none);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
}

static int
begin_test(void **state)
{
	(void)state;
	transport_init(&rig.t, (size_t)64 * 1024);
	if (rig.lowest == 0)
		open_staging();
	rig.lowest = lowest_fd();
	return 0;
}

static int
end_test(void **state)
{
	(void)state;
	assert_int_equal(rig.t.aborts, 0);
	transport_fini(&rig.t);
	(void)unlinkat(rig.dirfd, "x", 0);
	return lowest_fd() == rig.lowest ? 0 : -1;
}

static size_t
count_files(void)
{
	return tree_count(rig.dirfd, ".", STORE_STAGING);
}

/* --- uploads --- */

struct put_case {
	const char *name;
	const char *lines[LINES_MAX]; /* of Repr-Digest */
	const char *body;
	int status;
	const char *kept;               /* behind size and time; NULL: nothing */
	const char *content[LINES_MAX]; /* of Content-Digest */
};

/* clang-format off */
static const struct put_case put_cases[] = {
	{ "put_without_a_digest_keeps_none", { NULL }, HELLO, 201, NULL, { NULL } },
	{ "put_with_the_right_digest_keeps_it", { HELLO_256 }, HELLO, 201, HELLO_256, { NULL } },
	{ "put_with_the_other_right_digest_keeps_it", { HELLO_512 }, HELLO, 201, HELLO_512, { NULL } },
	{ "put_with_two_right_digests_keeps_both", { HELLO_512, HELLO_256 }, HELLO, 201, HELLO_256 ", " HELLO_512, { NULL } },
	{ "put_of_nothing_with_its_digest_keeps_it", { EMPTY_256 }, "", 201, EMPTY_256, { NULL } },
	{ "put_with_an_unknown_digest_is_not_checked", { "md5=:AAAA:" }, HELLO, 201, NULL, { NULL } },
	{ "put_with_an_unknown_digest_beside_keeps_the_known_one", { "md5=:AAAA:, " HELLO_256 ";p" }, HELLO, 201, HELLO_256, { NULL } },
	{ "put_with_an_empty_digest_field_is_not_checked", { "" }, HELLO, 201, NULL, { NULL } },
	{ "put_with_the_wrong_digest_is_400", { ABC_256 }, HELLO, 400, NULL, { NULL } },
	{ "put_of_nothing_with_a_digest_of_something_is_400", { HELLO_256 }, "", 400, NULL, { NULL } },
	{ "put_of_one_byte_less_is_400", { HELLO_256 }, "{\"hello\": \"world\"}", 400, NULL, { NULL } },
	{ "put_of_one_byte_more_is_400", { HELLO_256 }, HELLO "\n", 400, NULL, { NULL } },
	{ "put_with_the_right_content_digest_keeps_it", { NULL }, HELLO, 201, HELLO_256, { HELLO_256 } },
	{ "put_with_the_same_digest_of_both_keeps_it_once", { HELLO_256 }, HELLO, 201, HELLO_256, { HELLO_256 } },
	{ "put_with_digests_of_both_keeps_both", { HELLO_512 }, HELLO, 201, HELLO_256 ", " HELLO_512, { HELLO_256 } },
	{ "put_with_the_wrong_content_digest_is_400", { NULL }, HELLO, 400, NULL, { ABC_256 } },
	{ "put_with_a_wrong_one_of_both_is_400", { HELLO_512 }, HELLO, 400, NULL, { ABC_256 } },
	{ "put_with_one_wrong_digest_of_two_is_400", { ABC_256, HELLO_512 }, HELLO, 400, NULL, { NULL } },
};

static const char *const malformed[] = {
	"sha-256", "sha-256=1", "sha-256=:AAAA:", "sha-256=::", "sha-256=RK", HELLO_256 ",",
	"SHA-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
	"sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:",
};
/* clang-format on */

static void
add_lines(enum http_field_id id, const char *const lines[LINES_MAX])
{
	for (size_t i = 0; i < LINES_MAX && lines[i] != NULL; i++)
		transport_with_field(&rig.t, id, lines[i]);
}

static void
begin_put_with(const char *const lines[LINES_MAX], const char *const content[LINES_MAX])
{
	assert_int_equal(rig.t.aborts, 0);
	transport_prepare(&rig.t, rig.made.site, HTTP_PUT, "/x");
	rig.t.ex.head.body = HTTP_BODY_CHUNKED;
	add_lines(HTTP_FIELD_REPR_DIGEST, lines);
	add_lines(HTTP_FIELD_CONTENT_DIGEST, content);
	exchange_begin(&rig.t.ex);
}

static void
begin_put(const char *const lines[LINES_MAX])
{
	static const char *const none[LINES_MAX];

	begin_put_with(lines, none);
}

/* In pieces of three bytes. */
static void
send_body(struct slice body)
{
	while (body.len > 3) {
		exchange_body(&rig.t.ex, slice_make(body.ptr, 3), false);
		body = slice_from(body, 3);
	}
	exchange_body(&rig.t.ex, body, true);
}

/* Of the file "x": `kept` behind its size and time. */
static void
assert_kept(const char *kept)
{
	int fd = openat(rig.dirfd, "x", O_RDONLY | O_CLOEXEC);
	char text[512], want[512];
	struct stat st;
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	n = fs_get_attribute(fd, ATTRIBUTE, text, sizeof(text) - 1);
	close(fd);
	if (!rig.has_attributes) {
		assert_true(n < 0);
		return;
	}
	if (kept == NULL) {
		assert_int_equal(n, -ENODATA);
		return;
	}
	assert_true(n > 0);
	text[n] = '\0';
	snprintf(want, sizeof(want), "%jd %jd.%09ld %s", (intmax_t)st.st_size,
		 (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, kept);
	assert_string_equal(text, want);
}

static void
run_put_case(void **state)
{
	const struct put_case *c = *state;
	int status;

	if (digest_hash_library() == NULL && c->status == 400)
		skip();
	begin_put_with(c->lines, c->content);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	send_body(slice_from_str(c->body));
	status = rig.t.ex.status;
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	assert_int_equal(status, c->status);
	assert_int_equal(count_files(), status == 201 ? 1 : 0);
	if (status == 201)
		assert_kept(digest_hash_library() != NULL ? c->kept : NULL);
}

static void
put_with_a_malformed_digest_is_400_at_once(void **state)
{
	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	for (size_t i = 0; i < COUNT(malformed); i++) {
		const char *lines[LINES_MAX] = { HELLO_256, malformed[i] };

		begin_put(lines);
		if (rig.t.ex.state != EXCHANGE_RESPONDING || rig.t.ex.status != 400)
			fail_msg("%s", malformed[i]);
		exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
		assert_int_equal(count_files(), 0);
	}
}

static void
digest_is_ignored_without_the_library(void **state)
{
	const char *lines[LINES_MAX] = { malformed[0], ABC_256 };

	(void)state;
	if (digest_hash_library() != NULL)
		skip();
	begin_put(lines);
	send_body(SLICE(HELLO));
	assert_int_equal(rig.t.ex.status, 201);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

static void
file_stays_when_its_replacement_has_the_wrong_digest(void **state)
{
	const char *right[LINES_MAX] = { HELLO_256 }, *wrong[LINES_MAX] = { HELLO_256 };

	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	begin_put(right);
	send_body(SLICE(HELLO));
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	begin_put(wrong);
	send_body(SLICE("other"));
	assert_int_equal(rig.t.ex.status, 400);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	assert_kept(HELLO_256);
}

/* What it held is told by the sanitizers and the free descriptors. */
static void
put_with_a_digest_that_is_cut_short_leaves_nothing(void **state)
{
	const char *lines[LINES_MAX] = { HELLO_256, HELLO_512 };

	(void)state;
	begin_put(lines);
	exchange_body(&rig.t.ex, SLICE(HELLO), false);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(count_files(), 0);
}

static void
what_was_kept_is_loaded_while_the_file_is_the_same(void **state)
{
	const char *lines[LINES_MAX] = { HELLO_512 };
	struct digest_set set;
	char text[DIGEST_TEXT_MAX];
	struct stat st, other;
	int fd;

	(void)state;
	if (digest_hash_library() == NULL || !rig.has_attributes)
		skip();
	begin_put(lines);
	send_body(SLICE(HELLO));
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	fd = openat(rig.dirfd, "x", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(store_kept_load(fd, &st, NULL, &set));
	assert_int_equal(set.present, DIGEST_BIT(DIGEST_SHA_512));
	assert_true(
		slice_eq(digest_format(DIGEST_SHA_512, set.value[DIGEST_SHA_512], text),
			 SLICE(HELLO_512)));
	other = st;
	other.st_size++;
	assert_false(store_kept_load(fd, &other, NULL, &set));
	assert_int_equal(set.present, 0);
	other = st;
	other.st_mtim.tv_sec++;
	assert_false(store_kept_load(fd, &other, NULL, &set));
	other = st;
	other.st_mtim.tv_nsec ^= 1;
	assert_false(store_kept_load(fd, &other, NULL, &set));
	close(fd);
}

/* The name of the staging directory is taken by a file. */
static void
forbid_sidecars(struct store *s)
{
	close(s->staging);
	s->staging = -1;
	assert_int_equal(renameat(rig.dirfd, STORE_STAGING, rig.dirfd, "away"), 0);
	assert_int_equal(mknodat(rig.dirfd, STORE_STAGING, S_IFREG | 0600, 0), 0);
}

static void
allow_sidecars(struct store *s)
{
	assert_int_equal(unlinkat(rig.dirfd, STORE_STAGING, 0), 0);
	assert_int_equal(renameat(rig.dirfd, "away", rig.dirfd, STORE_STAGING), 0);
	assert_true(store_staging(s) >= 0);
}

static void
that_digests_cannot_be_kept_is_told_once(void **state)
{
	static const char tells[] = ": digests can be kept neither with files nor in ";
	const char *with[LINES_MAX] = { HELLO_256 }, *without[LINES_MAX] = { NULL };
	struct store *s = rig.made.site->vhosts[0].routes[0].handlers[0].state;
	struct log quiet = rig.log;
	char text[4096];
	ssize_t n;

	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	(void)store_staging(s);
	rig.lowest = lowest_fd();
	rig.log = (struct log){ memfd_create("log", MFD_CLOEXEC), LOG_LEVEL_INFO };
	s->digests_told = false; /* as it is where earlier tests could keep them */
	rig.attribute_error = -ENOTSUP;
	forbid_sidecars(s);
	for (int i = 0; i < 4; i++) {
		begin_put(i == 0 ? without : with);
		send_body(SLICE(HELLO));
		assert_int_equal(rig.t.ex.status, 201);
		assert_int_equal(unlinkat(rig.dirfd, "x", 0), 0);
		exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
		n = pread(rig.log.fd, text, sizeof(text) - 1, 0);
		assert_true(n >= 0);
		text[n] = '\0';
		if (i == 0)
			assert_int_equal(n, 0);
		else
			assert_non_null(strstr(text, tells));
	}
	assert_null(strstr(strstr(text, tells) + 1, tells));
	assert_non_null(strstr(text, rig.dir));
	rig.attribute_error = 0;
	allow_sidecars(s);
	close(rig.log.fd);
	rig.log = quiet;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_test, end_test)
int
main(void)
{
	static const struct CMUnitTest others[] = {
		TEST(put_with_a_malformed_digest_is_400_at_once),
		TEST(digest_is_ignored_without_the_library),
		TEST(file_stays_when_its_replacement_has_the_wrong_digest),
		TEST(put_with_a_digest_that_is_cut_short_leaves_nothing),
		TEST(what_was_kept_is_loaded_while_the_file_is_the_same),
		TEST(that_digests_cannot_be_kept_is_told_once),
	};
	static struct CMUnitTest tests[COUNT(others) + COUNT(put_cases)];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < COUNT(put_cases); i++) {
		tests[COUNT(others) + i] = (struct CMUnitTest)TEST(run_put_case);
		tests[COUNT(others) + i].name = put_cases[i].name;
		tests[COUNT(others) + i].initial_state = (void *)&put_cases[i];
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
