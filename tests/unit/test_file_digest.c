/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Repr-Digest in answers: what is told of a choice to who asks, from memory or
 * from what is stored with the file.
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
#include <unistd.h>

#include "kept_digests.h"
#include "temp_dir.h"
#include "handler/file_digest.h"
#include "http/digest_hash.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SMALL 1000 /* files up to here are in memory */
#define TOO_LARGE ((size_t)1024 * 1024 + 1)

struct rig {
	struct exchange ex;
	struct http_field request;
	char dir[TREE_PATH_MAX];
	struct file_root root;
	bool has_attributes;
};

static struct rig rig;

static const struct exchange_ops ops; /* nothing is sent */

static char *
plain_type(const struct file_root *root, struct slice name)
{
	(void)root;
	(void)name;
	return strdup("text/plain");
}

static int
setup(void **state)
{
	(void)state;
	rig.root =
		(struct file_root){ .dirfd = tree_open(rig.dir), .type_of = plain_type };
	rig.has_attributes = can_keep_attributes(rig.root.dirfd);
	exchange_init(&rig.ex, &ops, 64 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	exchange_fini(&rig.ex);
	close(rig.root.dirfd);
	return remove_tree(rig.dir);
}

/* A request for what nobody looks up. */
static void
prepare(const char *want)
{
	exchange_reset(&rig.ex);
	rig.ex.head = (struct http_head){ .method = HTTP_GET };
	if (want == NULL)
		return;
	rig.request =
		(struct http_field){ SLICE("Want-Repr-Digest"), slice_from_str(want),
				     HTTP_FIELD_WANT_REPR_DIGEST, false };
	rig.ex.head.fields = &rig.request;
	rig.ex.head.field_count = 1;
}

static void
write_file(const char *text, size_t len)
{
	int fd = openat(rig.root.dirfd, "x", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0644);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, text, len), 0);
	close(fd);
}

static struct file_version *
open_version(uint64_t bytes_max)
{
	struct file_version *v;

	assert_int_equal(file_version_open(&rig.root, "x", bytes_max, &v), 0);
	assert_int_equal(v->bytes != NULL, v->size <= bytes_max);
	return v;
}

/* The digest that is told of a choice to who asks for `want`; "" when there is none. */
static const char *
tell(const struct file_choice *c, const char *want)
{
	static char text[DIGEST_TEXT_MAX + 1];
	struct slice value = SLICE("");

	prepare(want);
	assert_int_equal(file_digest_add(&rig.ex, c), 0);
	assert_in_range(rig.ex.field_count, 0, 1);
	if (rig.ex.field_count == 1) {
		assert_int_equal(rig.ex.fields[0].id, HTTP_FIELD_REPR_DIGEST);
		value = rig.ex.fields[0].value;
	}
	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(value));
	return text;
}

static void
assert_told(struct file_version *v, const char *want, const char *digest)
{
	struct file_choice c = { .version = v };

	assert_string_equal(tell(&c, want), digest);
}

/* A file with an attribute; "%s" of the format is its size and time. */
static void
write_with_attribute(const char *format)
{
	int fd =
		openat(rig.root.dirfd, "x", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char stamp[100], text[1000];
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, HELLO, strlen(HELLO)), 0);
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(stamp, sizeof(stamp), "%jd %jd.%09ld", (intmax_t)st.st_size,
		 (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	snprintf(text, sizeof(text), format, stamp);
	assert_int_equal(fs_set_attribute(fd, ATTRIBUTE, text, strlen(text)), 0);
	close(fd);
}

static void
digest_of_a_file_in_memory_is_computed(void **state)
{
	struct file_version *v;

	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	write_file(HELLO, strlen(HELLO));
	v = open_version(SMALL);
	assert_told(v, "sha-256=1", HELLO_256);
	assert_told(v, "sha-256=1, sha-512=2", HELLO_512);
	file_version_unref(v);
	write_file("", 0);
	v = open_version(SMALL);
	assert_told(v, "sha-256=1", EMPTY_256);
	file_version_unref(v);
}

static void
who_does_not_ask_is_told_nothing(void **state)
{
	static const char *const wants[] = { NULL,     "",           "sha-256=0",
					     "md5=10", "sha-256=11", "sha-256=1,",
					     "SHA-256" };
	struct file_version *v;

	(void)state;
	write_file(HELLO, strlen(HELLO));
	v = open_version(SMALL);
	for (size_t i = 0; i < COUNT(wants); i++)
		assert_told(v, wants[i], "");
	file_version_unref(v);
}

static void
digest_of_an_encoded_form_is_that_of_its_bytes(void **state)
{
	struct file_choice c = { .coding = CODING_GZIP };
	char *bytes = strdup(HELLO);

	(void)state;
	assert_non_null(bytes);
	if (digest_hash_library() == NULL) {
		free(bytes);
		skip();
	}
	write_file("plain", 5);
	c.original = open_version(SMALL);
	c.version = file_version_encoded(c.original, CODING_GZIP, bytes, strlen(HELLO));
	assert_non_null(c.version);
	assert_string_equal(tell(&c, "sha-256=1"), HELLO_256);
	file_version_unref(c.version);
	file_version_unref(c.original);
}

static void
digest_of_what_is_encoded_on_the_way_is_not_told(void **state)
{
	static const uint64_t maxima[] = { 0, SMALL };

	(void)state;
	if (!rig.has_attributes)
		skip();
	for (size_t i = 0; i < COUNT(maxima); i++) {
		struct file_choice c = { .coding = CODING_GZIP, .encode = true };

		write_with_attribute("%s " HELLO_256);
		c.version = open_version(maxima[i]);
		assert_string_equal(tell(&c, "sha-256=1"), "");
		file_version_unref(c.version);
	}
}

static void
bytes_that_take_too_long_are_not_hashed(void **state)
{
	char *large = calloc(1, TOO_LARGE);
	struct file_version *v;

	(void)state;
	assert_non_null(large);
	write_file(large, TOO_LARGE);
	free(large);
	v = open_version(TOO_LARGE);
	assert_told(v, "sha-256=1", "");
	file_version_unref(v);
}

static void
stored_digest_is_told_of_a_file_that_is_not_in_memory(void **state)
{
	struct file_version *v;

	(void)state;
	if (!rig.has_attributes)
		skip();
	/* Not the digest of the bytes, so that it is seen where it comes from. */
	write_with_attribute("%s " ABC_256);
	v = open_version(0);
	assert_told(v, "sha-256=1", ABC_256);
	assert_told(v, "sha-256=1, sha-512=10", ABC_256);
	assert_told(v, "sha-512=10", "");
	file_version_unref(v);
	write_with_attribute("%s " ABC_256 ", " HELLO_512);
	v = open_version(0);
	assert_told(v, "sha-256=1, sha-512=1", ABC_256);
	assert_told(v, "sha-256=1, sha-512=10", HELLO_512);
	file_version_unref(v);
	v = open_version(SMALL);
	assert_told(v, "sha-256=1", digest_hash_library() != NULL ? HELLO_256 : "");
	file_version_unref(v);
}

static void
digest_is_not_believed_once_the_file_changed(void **state)
{
	const struct timespec later[2] = { { 0, UTIME_OMIT }, { 4000000000, 5 } };
	struct file_version *v;
	int fd;

	(void)state;
	if (!rig.has_attributes)
		skip();
	write_with_attribute("%s " HELLO_256);
	assert_int_equal(utimensat(rig.root.dirfd, "x", later, 0), 0);
	v = open_version(0);
	assert_told(v, "sha-256=1", "");
	file_version_unref(v);

	write_with_attribute("%s " HELLO_256);
	v = open_version(0);
	fd = openat(rig.root.dirfd, "x", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(fs_write_full(fd, "more", 4), 0);
	/* An answer that began before goes on with the old one. */
	assert_told(v, "sha-256=1", HELLO_256);
	file_version_unref(v);
	close(fd);
	v = open_version(0);
	assert_told(v, "sha-256=1", "");
	file_version_unref(v);
}

static void
file_without_a_stored_digest_tells_none(void **state)
{
	struct file_version *v;

	(void)state;
	write_file(HELLO, strlen(HELLO));
	v = open_version(0);
	assert_told(v, "sha-256=1", "");
	file_version_unref(v);
}

/* Whoever may write to the file may write there. */
static void
malformed_stored_digest_is_not_believed(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"%s",
		"%s ",
		"%s" HELLO_256,
		"%s  x" HELLO_256,
		" %s " HELLO_256,
		"0%s " HELLO_256,
		"%s0 " HELLO_256,
		"%s " HELLO_256 ",",
		"%s sha-256=:AAAA:",
		"%s md5=:AAAA:",
		"%s sha-256=1",
		"%s " HELLO_256 "\r\nX: y",
		HELLO_256,
		"19 1.000000000 " HELLO_256,
		"%s " HELLO_256 ", " HELLO_512
		", a=::, b=::, c=::, d=::, e=::, f=::, g=::, h=::"
		", i=::, j=::, k=::, l=::, m=::, n=::, o=::, p=::, q=::, r=::, s=::, "
		"t=::",
	};
	struct file_version *v;

	(void)state;
	if (!rig.has_attributes)
		skip();
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct file_choice c;

		write_with_attribute(texts[i]);
		v = open_version(0);
		c = (struct file_choice){ .version = v };
		if (*tell(&c, "sha-256=1") != '\0')
			fail_msg("%s", texts[i]);
		file_version_unref(v);
	}
}

static void
digest_that_does_not_fit_is_told(void **state)
{
	struct file_choice c = { 0 };

	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	write_file(HELLO, strlen(HELLO));
	c.version = open_version(SMALL);
	prepare("sha-256=1");
	for (size_t i = 0; i < EXCHANGE_FIELDS_MAX; i++)
		assert_int_equal(exchange_add_field(&rig.ex, HTTP_FIELD_VARY, SLICE("*")),
				 0);
	assert_int_equal(file_digest_add(&rig.ex, &c), -1);
	prepare("sha-256=1");
	while (arena_alloc(&rig.ex.arena, 16) != NULL)
		;
	assert_int_equal(file_digest_add(&rig.ex, &c), -1);
	file_version_unref(c.version);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_of_a_file_in_memory_is_computed),
		cmocka_unit_test(who_does_not_ask_is_told_nothing),
		cmocka_unit_test(digest_of_an_encoded_form_is_that_of_its_bytes),
		cmocka_unit_test(digest_of_what_is_encoded_on_the_way_is_not_told),
		cmocka_unit_test(bytes_that_take_too_long_are_not_hashed),
		cmocka_unit_test(stored_digest_is_told_of_a_file_that_is_not_in_memory),
		cmocka_unit_test(digest_is_not_believed_once_the_file_changed),
		cmocka_unit_test(file_without_a_stored_digest_tells_none),
		cmocka_unit_test(malformed_stored_digest_is_not_believed),
		cmocka_unit_test(digest_that_does_not_fit_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
