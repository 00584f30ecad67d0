/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Open files as versions: the same one while the file is the same, another one once it is
 * not, never more of them than the bounds allow, and each whole as long as it is held.
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
#include <sys/stat.h>
#include <unistd.h>

#include "remove_tree.h"
#include "handler/filecache.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR_MS 3600000
#define SMALL 1000 /* the largest file that is kept in memory */

struct place {
	char dir[256];
	struct file_root root; /* its type_of() answers the name it is asked about */
	int lowest;            /* the first free descriptor: tells a leak */
};

static const struct conf_cache roomy = {
	.entries = 100, .memory = 1 << 20, .file_size = SMALL, .revalidate_ms = HOUR_MS
};
static const struct conf_cache doubtful = { .entries = 100,
					    .memory = 1 << 20,
					    .file_size = SMALL };

static char *
name_as_type(const struct file_root *root, struct slice name)
{
	(void)root;
	return strndup(name.ptr, name.len);
}

static char *
no_type(const struct file_root *root, struct slice name)
{
	(void)root;
	(void)name;
	return NULL;
}

static int
lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

/* A file of `len` times `c`, under a new inode. */
static void
put(const struct place *p, const char *name, char c, size_t len)
{
	char *text = malloc(len + 1);
	int fd;

	assert_non_null(text);
	memset(text, c, len);
	fd = openat(p->root.dirfd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, text, len), 0);
	close(fd);
	assert_int_equal(renameat(p->root.dirfd, "new", p->root.dirfd, name), 0);
	free(text);
}

static void
truncate_to(const struct place *p, const char *name, off_t len)
{
	int fd = openat(p->root.dirfd, name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, len), 0);
	close(fd);
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	snprintf(p->dir, sizeof(p->dir), "%s/websrv-fc-XXXXXX",
		 tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(p->dir));
	p->root.dirfd = fs_open_dir(p->dir);
	assert_true(p->root.dirfd >= 0);
	p->root.symlinks = FS_SYMLINKS_INSIDE;
	p->root.type_of = name_as_type;
	p->lowest = lowest_fd();
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	assert_int_equal(lowest_fd(), p->lowest);
	close(p->root.dirfd);
	assert_int_equal(remove_tree(p->dir), 0);
	free(p);
	return 0;
}

static struct filecache *
cache(const struct conf_cache *conf)
{
	struct filecache *fc = filecache_new(conf);

	assert_non_null(fc);
	return fc;
}

static struct file_version *
get(struct filecache *fc, const struct place *p, const char *path)
{
	struct file_version *v = NULL;

	assert_int_equal(filecache_open(fc, &p->root, path, &v), 0);
	assert_non_null(v);
	return v;
}

/* While the test holds one reference: does the cache hold another? */
static bool
is_kept(const struct file_version *v)
{
	return v->refs > 1;
}

static void
assert_bytes(const struct file_version *v, char c, size_t len)
{
	assert_int_equal(v->size, len);
	assert_non_null(v->bytes);
	assert_int_equal(v->fd, -1);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(v->bytes[i], c);
}

static void
small_file_is_one_version_while_unchanged(void **state)
{
	static const struct conf_cache *const confs[] = { &roomy, &doubtful };
	struct place *p = *state;

	put(p, "a", 'a', 10);
	for (size_t i = 0; i < COUNT(confs); i++) {
		struct filecache *fc = cache(confs[i]);
		struct file_version *v = get(fc, p, "a"), *again = get(fc, p, "a");

		assert_bytes(v, 'a', 10);
		assert_ptr_equal(v, again);
		file_version_unref(again);
		file_version_unref(v);
		filecache_free(fc);
	}
}

static void
fields_describe_the_file(void **state)
{
	const struct timespec times[2] = { { 1, 0 }, { 784111777, 5 } };
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	const struct http_field *f;
	struct file_version *v;

	assert_int_equal(mkdirat(p->root.dirfd, "sub", 0755), 0);
	put(p, "sub/x.html", 'a', 10);
	assert_int_equal(utimensat(p->root.dirfd, "sub/x.html", times, 0), 0);
	v = get(fc, p, "sub/x.html");
	f = v->fields;
	assert_int_equal(v->modified, 784111777);
	assert_true(slice_eq(f[FILE_FIELD_LAST_MODIFIED].name, SLICE("Last-Modified")));
	assert_int_equal(f[FILE_FIELD_LAST_MODIFIED].id, HTTP_FIELD_LAST_MODIFIED);
	assert_true(slice_eq(f[FILE_FIELD_LAST_MODIFIED].value,
			     SLICE("Sun, 06 Nov 1994 08:49:37 GMT")));
	assert_int_equal(f[FILE_FIELD_CONTENT_TYPE].id, HTTP_FIELD_CONTENT_TYPE);
	assert_true(slice_eq(f[FILE_FIELD_CONTENT_TYPE].name, SLICE("Content-Type")));
	assert_true(slice_eq(f[FILE_FIELD_CONTENT_TYPE].value, SLICE("x.html")));
	assert_int_equal(f[FILE_FIELD_ETAG].id, HTTP_FIELD_ETAG);
	assert_true(slice_starts_with(f[FILE_FIELD_ETAG].value, SLICE("\"")));
	assert_true(slice_ends_with(f[FILE_FIELD_ETAG].value, SLICE("\"")));
	assert_true(f[FILE_FIELD_ETAG].value.len > 4);
	file_version_unref(v);
	filecache_free(fc);
}

static void
change_is_seen_at_once_without_a_grace(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&doubtful);
	struct file_version *old, *new;

	put(p, "a", 'a', 10);
	old = get(fc, p, "a");
	put(p, "a", 'b', 10); /* same size, another inode */
	new = get(fc, p, "a");
	assert_bytes(new, 'b', 10);
	assert_bytes(old, 'a', 10);
	assert_false(is_kept(old));
	assert_false(slice_eq(old->fields[FILE_FIELD_ETAG].value,
			      new->fields[FILE_FIELD_ETAG].value));
	file_version_unref(old);
	old = new;
	truncate_to(p, "a", 4); /* the same inode */
	new = get(fc, p, "a");
	assert_bytes(new, 'b', 4);
	assert_bytes(old, 'b', 10);
	file_version_unref(old);
	file_version_unref(new);
	filecache_free(fc);
}

static void
change_is_not_seen_before_revalidation(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	struct file_version *v, *again;

	put(p, "a", 'a', 10);
	v = get(fc, p, "a");
	put(p, "a", 'b', 20);
	again = get(fc, p, "a");
	assert_ptr_equal(v, again);
	file_version_unref(again);
	assert_int_equal(unlinkat(p->root.dirfd, "a", 0), 0);
	again = get(fc, p, "a");
	assert_ptr_equal(v, again);
	file_version_unref(again);
	file_version_unref(v);
	filecache_free(fc);
}

static void
revalidation_comes_when_its_time_is_over(void **state)
{
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct file_version *v, *again;
	struct filecache *fc;

	conf.revalidate_ms = 40;
	fc = cache(&conf);
	put(p, "a", 'a', 10);
	v = get(fc, p, "a");
	usleep(80000);
	again = get(fc, p, "a"); /* asked again, found unchanged */
	assert_ptr_equal(v, again);
	file_version_unref(again);
	put(p, "a", 'b', 20);
	usleep(80000);
	again = get(fc, p, "a");
	assert_bytes(again, 'b', 20);
	file_version_unref(again);
	file_version_unref(v);
	filecache_free(fc);
}

static void
file_that_goes_away_is_not_found(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&doubtful);
	struct file_version *v, *none;

	put(p, "a", 'a', 10);
	v = get(fc, p, "a");
	assert_int_equal(unlinkat(p->root.dirfd, "a", 0), 0);
	assert_int_equal(filecache_open(fc, &p->root, "a", &none), -ENOENT);
	assert_false(is_kept(v));
	assert_int_equal(mkdirat(p->root.dirfd, "a", 0755), 0);
	assert_int_equal(filecache_open(fc, &p->root, "a", &none), 1);
	assert_bytes(v, 'a', 10);
	file_version_unref(v);
	filecache_free(fc);
}

static void
only_regular_files_beneath_the_root_are_opened(void **state)
{
	static const struct {
		const char *path;
		int rc;
	} expected[] = {
		{ "", 1 },           { "dir", 1 },        { "dir/", 1 },
		{ "none", -ENOENT }, { "fifo", -ENOENT }, { "a/b", -ENOTDIR },
		{ "../x", -EXDEV },  { "etc", -EXDEV },
	};
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	struct file_version *none;

	put(p, "a", 'a', 10);
	assert_int_equal(mkdirat(p->root.dirfd, "dir", 0755), 0);
	assert_int_equal(mkfifoat(p->root.dirfd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("/etc", p->root.dirfd, "etc"), 0);
	assert_int_equal(symlinkat("a", p->root.dirfd, "link"), 0);
	alarm(10); /* a FIFO that hangs must not stand still */
	for (size_t i = 0; i < COUNT(expected); i++) {
		int rc = filecache_open(fc, &p->root, expected[i].path, &none);

		if (rc != expected[i].rc)
			fail_msg("'%s': %d", expected[i].path, rc);
	}
	alarm(0);
	file_version_unref(get(fc, p, "link"));
	p->root.symlinks = FS_SYMLINKS_REFUSE;
	filecache_forget_root(fc, &p->root);
	assert_int_equal(filecache_open(fc, &p->root, "link", &none), -ELOOP);
	filecache_free(fc);
}

static void
big_file_is_a_descriptor(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	struct file_version *just, *big, *again;
	char buf[8] = "";

	put(p, "just", 'j', SMALL);
	put(p, "big", 'b', SMALL + 1);
	put(p, "empty", 'e', 0);
	just = get(fc, p, "just");
	assert_bytes(just, 'j', SMALL);
	assert_true(is_kept(just));
	file_version_unref(just);
	just = get(fc, p, "empty");
	assert_bytes(just, 'e', 0);
	file_version_unref(just);
	big = get(fc, p, "big");
	assert_null(big->bytes);
	assert_int_equal(big->size, SMALL + 1);
	assert_int_equal(fs_pread_full(big->fd, buf, 4, SMALL - 1), 2);
	assert_string_equal(buf, "bb");
	assert_false(is_kept(big));
	again = get(fc, p, "big"); /* each answer has its own */
	assert_int_not_equal(again->fd, big->fd);
	assert_true(slice_eq(again->fields[FILE_FIELD_ETAG].value,
			     big->fields[FILE_FIELD_ETAG].value));
	file_version_unref(big);
	assert_int_equal(fs_pread_full(again->fd, buf, 4, 0), 4);
	file_version_unref(again);
	filecache_free(fc);
}

static void
big_file_that_shrinks_keeps_the_size_it_was_opened_with(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	char buf[2 * SMALL];
	struct file_version *v, *next;

	put(p, "big", 'b', 2 * SMALL);
	v = get(fc, p, "big");
	truncate_to(p, "big", SMALL + 500);
	assert_int_equal(v->size, 2 * SMALL);
	assert_int_equal(fs_pread_full(v->fd, buf, sizeof(buf), 0), SMALL + 500);
	next = get(fc, p, "big");
	assert_int_equal(next->size, SMALL + 500);
	file_version_unref(next);
	truncate_to(p, "big", 5); /* now it is a small one */
	next = get(fc, p, "big");
	assert_bytes(next, 'b', 5);
	file_version_unref(next);
	file_version_unref(v);
	filecache_free(fc);
}

static void
entries_are_bounded_and_the_least_used_goes(void **state)
{
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct file_version *v[4];
	struct filecache *fc;

	conf.entries = 3;
	fc = cache(&conf);
	for (size_t i = 0; i < COUNT(v); i++) {
		const char name[2] = { (char)('a' + i), '\0' };

		put(p, name, name[0], 10 + i);
		if (i == 3) /* after this a is used later than b and c */
			file_version_unref(get(fc, p, "a"));
		v[i] = get(fc, p, name);
		assert_true(is_kept(v[i]));
	}
	assert_true(is_kept(v[0]));
	assert_false(is_kept(v[1]));
	assert_true(is_kept(v[2]));
	file_version_unref(v[1]);
	v[1] = get(fc, p, "b"); /* and back again: c goes */
	assert_true(is_kept(v[1]));
	assert_false(is_kept(v[2]));
	assert_true(is_kept(v[0]));
	for (size_t i = 0; i < COUNT(v); i++) {
		assert_bytes(v[i], (char)('a' + i), 10 + i);
		file_version_unref(v[i]);
	}
	filecache_free(fc);
}

/* Opens `count` files of `size` bytes; how many of them are kept in the end. All that are
 * kept are newer than all that are not. */
static size_t
count_kept(const struct place *p, const struct conf_cache *conf, size_t count,
	   size_t size)
{
	struct file_version **v = calloc(count, sizeof(struct file_version *));
	struct filecache *fc = cache(conf);
	size_t kept = 0;

	assert_non_null(v);
	for (size_t i = 0; i < count; i++) {
		char name[24];

		snprintf(name, sizeof(name), "f%zu", i);
		put(p, name, 'f', size);
		v[i] = get(fc, p, name);
		assert_bytes(v[i], 'f', size);
	}
	for (size_t i = 0; i < count; i++) {
		if (is_kept(v[i]))
			kept++;
		else
			assert_int_equal(kept, 0);
		file_version_unref(v[i]);
	}
	filecache_free(fc);
	free(v);
	return kept;
}

static void
memory_is_bounded(void **state)
{
	struct conf_cache conf = roomy;

	conf.memory = 10000;
	assert_in_range(count_kept(*state, &conf, 30, SMALL), 5, 9);
	conf.memory = 5000; /* what has no bytes costs something too */
	assert_in_range(count_kept(*state, &conf, 90, 0), 2, 80);
	conf.memory = SMALL - 1; /* served, never kept */
	assert_int_equal(count_kept(*state, &conf, 3, SMALL), 0);
	conf = roomy;
	conf.entries = 0;
	assert_int_equal(count_kept(*state, &conf, 3, 10), 0);
	conf.entries = 20;
	assert_int_equal(count_kept(*state, &conf, 30, 10), 20);
}

static void
replaced_versions_give_their_memory_back(void **state)
{
	struct conf_cache conf = doubtful;
	struct place *p = *state;
	struct file_version *other;
	struct filecache *fc;

	conf.memory = 4 * SMALL;
	fc = cache(&conf);
	put(p, "other", 'o', SMALL);
	other = get(fc, p, "other");
	for (int i = 0; i < 50; i++) {
		put(p, "a", (char)('a' + i % 26), SMALL);
		file_version_unref(get(fc, p, "a"));
	}
	assert_true(is_kept(other)); /* there was room for both all the time */
	file_version_unref(other);
	filecache_free(fc);
}

static void
references_outlive_eviction_and_the_cache(void **state)
{
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct file_version *a, *b;
	struct filecache *fc;

	conf.entries = 1;
	fc = cache(&conf);
	put(p, "a", 'a', 10);
	put(p, "b", 'b', 20);
	a = get(fc, p, "a");
	b = get(fc, p, "b");
	assert_false(is_kept(a));
	filecache_free(fc);
	assert_bytes(a, 'a', 10);
	assert_bytes(b, 'b', 20);
	assert_true(slice_eq(b->fields[FILE_FIELD_CONTENT_TYPE].value, SLICE("b")));
	file_version_unref(a);
	file_version_unref(b);
	filecache_free(NULL);
}

static void
roots_are_apart_and_forgotten_apart(void **state)
{
	struct place *p = *state;
	struct place other = *p;
	struct filecache *fc = cache(&roomy);
	struct file_version *v[4], *again;

	put(p, "a", 'a', 10);
	put(p, "b", 'b', 10);
	v[0] = get(fc, p, "a");
	v[1] = get(fc, &other, "a");
	v[2] = get(fc, p, "b");
	v[3] = get(fc, &other, "b");
	assert_ptr_not_equal(v[0], v[1]);
	filecache_forget_root(fc, &p->root);
	assert_false(is_kept(v[0]));
	assert_true(is_kept(v[1]));
	assert_false(is_kept(v[2]));
	assert_true(is_kept(v[3]));
	again = get(fc, &other, "b");
	assert_ptr_equal(again, v[3]);
	file_version_unref(again);
	filecache_forget_root(fc, &p->root);
	for (size_t i = 0; i < COUNT(v); i++)
		file_version_unref(v[i]);
	filecache_free(fc);
}

static void
without_memory_for_the_type_nothing_is_opened(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	struct file_version *none;

	put(p, "a", 'a', 10);
	p->root.type_of = no_type;
	assert_int_equal(filecache_open(fc, &p->root, "a", &none), -ENOMEM);
	p->root.type_of = name_as_type;
	file_version_unref(get(fc, p, "a"));
	filecache_free(fc);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_file_is_one_version_while_unchanged),
		TEST(fields_describe_the_file),
		TEST(change_is_seen_at_once_without_a_grace),
		TEST(change_is_not_seen_before_revalidation),
		TEST(revalidation_comes_when_its_time_is_over),
		TEST(file_that_goes_away_is_not_found),
		TEST(only_regular_files_beneath_the_root_are_opened),
		TEST(big_file_is_a_descriptor),
		TEST(big_file_that_shrinks_keeps_the_size_it_was_opened_with),
		TEST(entries_are_bounded_and_the_least_used_goes),
		TEST(memory_is_bounded),
		TEST(replaced_versions_give_their_memory_back),
		TEST(references_outlive_eviction_and_the_cache),
		TEST(roots_are_apart_and_forgotten_apart),
		TEST(without_memory_for_the_type_nothing_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
