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

#include "cached.h"
#include "base/counters.h"

/* Every name is looked at again each time. */
static const struct conf_cache doubtful = { .entries = 100,
					    .memory = 1 << 20,
					    .file_size = SMALL };

/* Opens that got through the cache, and what happens behind each of them. */
static struct {
	unsigned count;
	void (*then)(const struct file_root *root);
} opens;

int __real_file_version_open(const struct file_root *root, const char *path,
			     uint64_t bytes_max, struct file_version **out);
int __wrap_file_version_open(const struct file_root *root, const char *path,
			     uint64_t bytes_max, struct file_version **out);

int
__wrap_file_version_open(const struct file_root *root, const char *path,
			 uint64_t bytes_max, struct file_version **out)
{
	int rc = __real_file_version_open(root, path, bytes_max, out);

	opens.count++;
	if (opens.then != NULL)
		opens.then(root);
	return rc;
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
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	const struct http_field *f;
	struct file_version *v;

	put(p, "sub/x.html", 'a', 10);
	v = get(fc, p, "sub/x.html");
	f = v->fields;
	assert_int_equal(v->modified, OLD);
	assert_true(slice_eq(f[FILE_FIELD_LAST_MODIFIED].name, SLICE("Last-Modified")));
	assert_int_equal(f[FILE_FIELD_LAST_MODIFIED].id, HTTP_FIELD_LAST_MODIFIED);
	assert_true(slice_eq(f[FILE_FIELD_LAST_MODIFIED].value, SLICE(OLD_DATE)));
	assert_int_equal(f[FILE_FIELD_CONTENT_TYPE].id, HTTP_FIELD_CONTENT_TYPE);
	assert_true(slice_eq(f[FILE_FIELD_CONTENT_TYPE].name, SLICE("Content-Type")));
	assert_true(slice_eq(f[FILE_FIELD_CONTENT_TYPE].value, SLICE("x.html")));
	assert_int_equal(f[FILE_FIELD_ETAG].id, HTTP_FIELD_ETAG);
	assert_true(slice_starts_with(f[FILE_FIELD_ETAG].value, SLICE("\"")));
	assert_true(slice_ends_with(f[FILE_FIELD_ETAG].value, SLICE("\"")));
	assert_true(f[FILE_FIELD_ETAG].value.len > 4);
	assert_int_equal(f[FILE_FIELD_ACCEPT_RANGES].id, HTTP_FIELD_ACCEPT_RANGES);
	assert_true(slice_eq(f[FILE_FIELD_ACCEPT_RANGES].value, SLICE("bytes")));
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
	assert_false(slice_eq(etag_of(old), etag_of(new)));
	file_version_unref(old);
	old = new;
	tree_truncate(p->root.dirfd, "a", 4); /* the same inode */
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
	for (size_t i = 0; i < COUNT(expected); i++) {
		int rc = filecache_open(fc, &p->root, expected[i].path, &none);

		if (rc != expected[i].rc)
			fail_msg("'%s': %d", expected[i].path, rc);
	}
	file_version_unref(get(fc, p, "link"));
	p->root.symlinks = FS_SYMLINKS_REFUSE;
	filecache_forget_root(fc, &p->root);
	assert_int_equal(filecache_open(fc, &p->root, "link", &none), -ELOOP);
	filecache_free(fc);
}

static void
big_file_is_kept_with_its_descriptor(void **state)
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
	assert_true(is_kept(big));
	again = get(fc, p, "big");
	assert_ptr_equal(again, big);
	filecache_free(fc);
	file_version_unref(big); /* the last one closes it */
	assert_int_equal(fs_pread_full(again->fd, buf, 4, 0), 4);
	file_version_unref(again);
}

static void
big_file_that_shrinks_keeps_the_size_it_was_opened_with(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&doubtful);
	char buf[2 * SMALL];
	struct file_version *v, *next;

	put(p, "big", 'b', 2 * SMALL);
	v = get(fc, p, "big");
	tree_truncate(p->root.dirfd, "big", SMALL + 500);
	assert_int_equal(v->size, 2 * SMALL);
	assert_int_equal(fs_pread_full(v->fd, buf, sizeof(buf), 0), SMALL + 500);
	next = get(fc, p, "big");
	assert_int_equal(next->size, SMALL + 500);
	file_version_unref(next);
	tree_truncate(p->root.dirfd, "big", 5); /* now it is a small one */
	next = get(fc, p, "big");
	assert_bytes(next, 'b', 5);
	file_version_unref(next);
	file_version_unref(v);
	filecache_free(fc);
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

/* --- when it is looked at again --- */

static void
young_file_is_opened_anew_when_it_is_looked_at_again(void **state)
{
	struct place *p = *state;
	struct filecache *often = cache(&doubtful), *seldom = cache(&roomy);
	struct file_version *v, *again;

	put(p, "a", 'a', 10);
	tree_set_mtime(p->root.dirfd, "a", time(NULL) + 1000, 0); /* for long */
	v = get(often, p, "a");
	again = get(often, p, "a");
	assert_ptr_not_equal(v, again);
	assert_false(is_kept(v));
	assert_true(is_kept(again));
	assert_true(slice_starts_with(etag_of(v), SLICE("W/\"")));
	assert_true(slice_eq(etag_of(v), etag_of(again)));
	file_version_unref(v);
	file_version_unref(again);
	v = get(seldom, p, "a"); /* not before */
	again = get(seldom, p, "a");
	assert_ptr_equal(v, again);
	file_version_unref(v);
	file_version_unref(again);
	filecache_free(often);
	filecache_free(seldom);
}

static void
tag_is_strong_once_the_file_is_no_longer_young(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&doubtful);
	struct file_version *v;
	bool weak = true;

	put(p, "a", 'a', 10);
	tree_set_mtime(p->root.dirfd, "a", time(NULL) + 2, 0);
	v = get(fc, p, "a");
	assert_true(slice_starts_with(etag_of(v), SLICE("W/\"")));
	file_version_unref(v);
	for (int i = 0; i < 400 && weak; i++) {
		usleep(50000);
		v = get(fc, p, "a");
		weak = slice_starts_with(etag_of(v), SLICE("W/\""));
		file_version_unref(v);
	}
	assert_false(weak);
	v = get(fc, p, "a"); /* and now it stays */
	assert_true(is_kept(v));
	opens.count = 0;
	file_version_unref(get(fc, p, "a"));
	assert_int_equal(opens.count, 0);
	file_version_unref(v);
	filecache_free(fc);
}

static void
what_is_not_there_is_remembered_until_then(void **state)
{
	static const struct {
		const char *path;
		int rc;
	} rows[] = {
		{ "none", -ENOENT }, { "dir", 1 },        { "dir/", 1 },
		{ "fifo", -ENOENT }, { "a/b", -ENOTDIR }, { "etc", -EXDEV },
	};
	struct place *p = *state;
	struct filecache *often = cache(&doubtful), *seldom = cache(&roomy);
	struct file_version *v;

	put(p, "a", 'a', 10);
	assert_int_equal(mkdirat(p->root.dirfd, "dir", 0755), 0);
	assert_int_equal(mkfifoat(p->root.dirfd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("/etc", p->root.dirfd, "etc"), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		opens.count = 0;
		for (int k = 0; k < 3; k++)
			assert_int_equal(try(seldom, p, rows[i].path), rows[i].rc);
		assert_int_equal(opens.count, 1);
		opens.count = 0;
		for (int k = 0; k < 3; k++)
			assert_int_equal(try(often, p, rows[i].path), rows[i].rc);
		assert_int_equal(opens.count, 3);
	}
	put(p, "none", 'n', 10);
	assert_int_equal(try(seldom, p, "none"), -ENOENT);
	v = get(often, p, "none");
	assert_bytes(v, 'n', 10);
	file_version_unref(v);
	filecache_free(often);
	filecache_free(seldom);
}

static void
trouble_of_our_own_is_not_remembered(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);

	put(p, "a", 'a', 10);
	p->root.type_of = no_type;
	assert_int_equal(try(fc, p, "a"), -ENOMEM);
	p->root.type_of = name_as_type;
	file_version_unref(get(fc, p, "a"));
	filecache_free(fc);
}

/* --- uploads --- */

static struct counter_block *counters;

static void
count_upload(const struct file_root *root)
{
	(void)root;
	counter_add(&counters[1], COUNTER_FILES_UPLOADED, 1);
}

static struct filecache *
cache_with_counters(void)
{
	struct filecache *fc;

	counters = counters_new(2);
	assert_non_null(counters);
	fc = filecache_new(&roomy, FDS, counters, 2);
	assert_non_null(fc);
	return fc;
}

static void
upload_of_any_worker_makes_every_name_be_looked_at(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache_with_counters();
	struct file_version *v, *same;

	put(p, "a", 'a', 10);
	put(p, "same", 's', 10);
	same = get(fc, p, "same");
	file_version_unref(get(fc, p, "a"));
	assert_int_equal(try(fc, p, "none"), -ENOENT);
	put(p, "a", 'b', 10);
	put(p, "none", 'n', 10);
	v = get(fc, p, "a"); /* nobody has said anything */
	assert_bytes(v, 'a', 10);
	file_version_unref(v);
	for (size_t worker = 0; worker < 2; worker++) {
		counter_add(&counters[worker], COUNTER_FILES_UPLOADED, 1);
		v = get(fc, p, "a");
		assert_bytes(v, 'b', 10);
		file_version_unref(v);
		v = get(fc, p, "none");
		assert_bytes(v, 'n', 10);
		file_version_unref(v);
		v = get(fc, p, "same");
		assert_ptr_equal(v, same);
		file_version_unref(v);
	}
	opens.count = 0; /* once is enough */
	put(p, "a", 'c', 10);
	v = get(fc, p, "a");
	assert_bytes(v, 'b', 10);
	assert_int_equal(opens.count, 0);
	file_version_unref(v);
	file_version_unref(same);
	filecache_free(fc);
	counters_free(counters, 2);
}

/* What was opened is then older than the upload, and must not count as looked at after it. */
static void
upload_just_after_an_open_is_not_missed(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache_with_counters();

	put(p, "a", 'a', 10);
	opens.then = count_upload;
	file_version_unref(get(fc, p, "a"));
	assert_int_equal(try(fc, p, "none"), -ENOENT);
	opens.then = NULL;
	put(p, "a", 'b', 10);
	put(p, "none", 'n', 10);
	for (int i = 0; i < 2; i++) {
		struct file_version *v = get(fc, p, i == 0 ? "a" : "none");

		assert_bytes(v, i == 0 ? 'b' : 'n', 10);
		file_version_unref(v);
	}
	filecache_free(fc);
	counters_free(counters, 2);
}

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
		TEST(big_file_is_kept_with_its_descriptor),
		TEST(big_file_that_shrinks_keeps_the_size_it_was_opened_with),
		TEST(roots_are_apart_and_forgotten_apart),
		TEST(young_file_is_opened_anew_when_it_is_looked_at_again),
		TEST(tag_is_strong_once_the_file_is_no_longer_young),
		TEST(what_is_not_there_is_remembered_until_then),
		TEST(trouble_of_our_own_is_not_remembered),
		TEST(upload_of_any_worker_makes_every_name_be_looked_at),
		TEST(upload_just_after_an_open_is_not_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
