/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bounds of the cache: entries, memory, descriptors and names with nothing there; who goes
 * first, and that nobody who holds a version notices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "cached.h"

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
	assert_in_range(count_kept(*state, &conf, 30, SMALL), 3, 9);
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
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct file_version *other;
	struct filecache *fc;

	conf.revalidate_ms = 0;
	conf.memory = 5 * SMALL;
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
file_too_large_to_be_kept_pushes_nothing_out(void **state)
{
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct file_version *a, *large;
	struct filecache *fc;

	conf.memory = conf.file_size = 3000; /* and what an entry itself takes */
	fc = cache(&conf);
	put(p, "a", 'a', 10);
	put(p, "large", 'l', 3000);
	a = get(fc, p, "a");
	large = get(fc, p, "large");
	assert_bytes(large, 'l', 3000);
	assert_false(is_kept(large));
	assert_true(is_kept(a));
	file_version_unref(a);
	file_version_unref(large);
	filecache_free(fc);
}

/* --- descriptors --- */

static void
descriptors_are_bounded_apart_from_small_files(void **state)
{
	struct place *p = *state;
	struct file_version *v[FDS + 3], *a;
	struct filecache *fc = cache(&roomy);

	put(p, "a", 'a', 10);
	a = get(fc, p, "a");
	for (size_t i = 0; i < COUNT(v); i++) {
		char name[24];

		snprintf(name, sizeof(name), "big%zu", i);
		put(p, name, 'b', SMALL + 1);
		v[i] = get(fc, p, name);
	}
	for (size_t i = 0; i < COUNT(v); i++)
		assert_int_equal(is_kept(v[i]), i >= 3); /* the oldest went */
	assert_true(is_kept(a));
	for (size_t i = 0; i < COUNT(v); i++)
		file_version_unref(v[i]);
	assert_in_range(lowest_fd(), p->lowest, p->lowest + 3); /* those are closed */
	file_version_unref(a);
	filecache_free(fc);
}

static void
without_descriptors_each_answer_has_its_own(void **state)
{
	struct place *p = *state;
	struct filecache *fc = filecache_new(&roomy, 0, NULL, 0);
	struct file_version *v, *again;

	assert_non_null(fc);
	put(p, "big", 'b', SMALL + 1);
	v = get(fc, p, "big");
	again = get(fc, p, "big");
	assert_int_not_equal(v->fd, again->fd);
	assert_false(is_kept(v));
	assert_false(is_kept(again));
	assert_true(slice_eq(etag_of(v), etag_of(again)));
	file_version_unref(v);
	file_version_unref(again);
	filecache_free(fc);
}

static rlim_t
limit_descriptors(rlim_t count)
{
	struct rlimit rl;
	rlim_t before;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	before = rl.rlim_cur;
	rl.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	return before;
}

static void
kept_descriptors_are_no_reason_to_refuse_a_file(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	struct file_version *held, *v = NULL;
	rlim_t before;
	char c;
	int rc;

	put(p, "big", 'b', SMALL + 1);
	put(p, "held", 'h', SMALL + 1);
	put(p, "a", 'a', 10);
	file_version_unref(get(fc, p, "big"));
	held = get(fc, p, "held");
	before = limit_descriptors((rlim_t)lowest_fd());
	rc = filecache_open(fc, &p->root, "a", &v);
	limit_descriptors(before);
	assert_int_equal(rc, 0);
	assert_bytes(v, 'a', 10);
	assert_int_equal(fs_pread_full(held->fd, &c, 1, SMALL), 1);
	assert_int_equal(c, 'h');
	file_version_unref(v);
	file_version_unref(held);
	filecache_free(fc);
}

static void
want_of_descriptors_is_told_and_not_remembered(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	rlim_t before;
	int rc;

	put(p, "a", 'a', 10);
	before = limit_descriptors((rlim_t)lowest_fd());
	rc = try(fc, p, "a");
	limit_descriptors(before);
	assert_int_equal(rc, -EMFILE);
	file_version_unref(get(fc, p, "a"));
	filecache_free(fc);
}

/* --- names with nothing there --- */

static void
ask_for_what_is_missing(struct filecache *fc, const struct place *p, int count)
{
	for (int i = 0; i < count; i++) {
		char name[24];

		snprintf(name, sizeof(name), "none%d", i);
		assert_int_equal(try(fc, p, name), -ENOENT);
	}
}

static void
missing_names_do_not_push_out_files(void **state)
{
	static const struct {
		uint32_t entries;
		uint64_t memory;
	} bounds[] = { { 16, 1 << 20 }, { 10000, 3 * (SMALL + 1000) } };
	struct place *p = *state;

	put(p, "a", 'a', SMALL);
	put(p, "big", 'b', SMALL + 1);
	for (size_t i = 0; i < COUNT(bounds); i++) {
		struct conf_cache conf = roomy;
		struct file_version *a, *big;
		struct filecache *fc;

		conf.entries = bounds[i].entries;
		conf.memory = bounds[i].memory;
		fc = cache(&conf);
		a = get(fc, p, "a");
		big = get(fc, p, "big");
		ask_for_what_is_missing(fc, p, 200);
		assert_true(is_kept(a));
		assert_true(is_kept(big));
		file_version_unref(a);
		file_version_unref(big);
		filecache_free(fc);
	}
}

static void
missing_names_are_bounded_and_the_least_used_goes(void **state)
{
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct filecache *fc;

	conf.entries = 16; /* for two of them */
	fc = cache(&conf);
	ask_for_what_is_missing(fc, p, 2);
	assert_int_equal(try(fc, p, "none0"), -ENOENT);
	assert_int_equal(try(fc, p, "another"), -ENOENT);
	put(p, "none0", 'n', 1);
	put(p, "none1", 'n', 1);
	put(p, "another", 'n', 1);
	assert_int_equal(try(fc, p, "none0"), -ENOENT);
	assert_int_equal(try(fc, p, "another"), -ENOENT);
	file_version_unref(get(fc, p, "none1"));
	filecache_free(fc);
}

/* --- encoded forms --- */

/* One of `len` bytes, offered to the cache; the test's own reference. */
static struct file_version *
encode(struct filecache *fc, struct file_version *v, size_t len)
{
	char *bytes = calloc(1, len);
	struct file_version *coded;

	assert_non_null(bytes);
	coded = file_version_encoded(v, CODING_GZIP, bytes, len);
	assert_non_null(coded);
	filecache_keep_coded(fc, v, CODING_GZIP, coded);
	return coded;
}

static void
encoded_form_is_kept_with_its_version(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	struct file_version *v, *coded, *second;

	put(p, "a", 'a', 100);
	v = get(fc, p, "a");
	coded = encode(fc, v, 50);
	assert_ptr_equal(v->coded[CODING_GZIP], coded);
	assert_true(is_kept(coded));
	second = encode(fc, v, 40); /* the first one stays */
	assert_ptr_equal(v->coded[CODING_GZIP], coded);
	assert_false(is_kept(second));
	file_version_unref(second);
	file_version_unref(v);
	assert_true(is_kept(coded));
	filecache_forget_root(fc, &p->root);
	assert_false(is_kept(coded)); /* the test has the last one */
	file_version_unref(coded);
	filecache_free(fc);
}

static void
encoded_form_of_what_is_not_kept_is_not_kept_either(void **state)
{
	struct place *p = *state;
	struct filecache *fc = cache(&roomy);
	struct file_version *v, *coded;

	put(p, "a", 'a', 100);
	v = get(fc, p, "a");
	filecache_forget_root(fc, &p->root);
	coded = encode(fc, v, 50);
	assert_false(is_kept(coded));
	file_version_unref(coded);
	file_version_unref(v);
	filecache_free(fc);
}

static void
encoded_forms_count_as_memory(void **state)
{
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct file_version *old, *v, *coded;
	struct filecache *fc;

	conf.memory = 5 * SMALL; /* two files, or one with its encoded form */
	fc = cache(&conf);
	put(p, "old", 'o', SMALL);
	put(p, "a", 'a', SMALL);
	old = get(fc, p, "old");
	v = get(fc, p, "a");
	coded = encode(fc, v, 5 * SMALL); /* larger than all: nothing goes */
	assert_false(is_kept(coded));
	assert_true(is_kept(old));
	file_version_unref(coded);
	coded = encode(fc, v, SMALL);
	assert_true(is_kept(coded));
	assert_true(is_kept(v));
	assert_false(is_kept(old));
	file_version_unref(coded);
	file_version_unref(old);
	file_version_unref(v);
	filecache_free(fc);
}

static void
encoded_forms_give_their_memory_back(void **state)
{
	struct conf_cache conf = roomy;
	struct place *p = *state;
	struct file_version *other;
	struct filecache *fc;

	conf.revalidate_ms = 0;
	conf.memory = 7 * SMALL;
	fc = cache(&conf);
	put(p, "other", 'o', SMALL);
	other = get(fc, p, "other");
	for (int i = 0; i < 50; i++) {
		struct file_version *v;

		put(p, "a", (char)('a' + i % 26), SMALL);
		v = get(fc, p, "a");
		file_version_unref(encode(fc, v, SMALL));
		assert_non_null(v->coded[CODING_GZIP]);
		file_version_unref(v);
	}
	assert_true(is_kept(other)); /* there was room for all the time */
	file_version_unref(other);
	filecache_free(fc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_are_bounded_and_the_least_used_goes),
		TEST(memory_is_bounded),
		TEST(replaced_versions_give_their_memory_back),
		TEST(references_outlive_eviction_and_the_cache),
		TEST(file_too_large_to_be_kept_pushes_nothing_out),
		TEST(descriptors_are_bounded_apart_from_small_files),
		TEST(without_descriptors_each_answer_has_its_own),
		TEST(kept_descriptors_are_no_reason_to_refuse_a_file),
		TEST(want_of_descriptors_is_told_and_not_remembered),
		TEST(missing_names_do_not_push_out_files),
		TEST(missing_names_are_bounded_and_the_least_used_goes),
		TEST(encoded_form_is_kept_with_its_version),
		TEST(encoded_form_of_what_is_not_kept_is_not_kept_either),
		TEST(encoded_forms_count_as_memory),
		TEST(encoded_forms_give_their_memory_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
