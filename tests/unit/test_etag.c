/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entity-tags: what makes them weak, what makes them differ, and that the largest numbers fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "handler/etag.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW 1000000

static struct stat
file(int64_t size, int64_t seconds, long nanoseconds, uint64_t inode)
{
	return (struct stat){ .st_size = size,
			      .st_mtim = { .tv_sec = seconds, .tv_nsec = nanoseconds },
			      .st_ino = inode };
}

static void
assert_tag(struct slice tag, const char *expected)
{
	if (!slice_eq(tag, slice_from_str(expected)))
		fail_msg("%.*s, not %s", SLICE_ARG(tag), expected);
}

static void
numbers_stand_in_the_tag_in_hexadecimal(void **state)
{
	static const struct {
		int64_t size, seconds;
		long nanoseconds;
		uint64_t inode;
		const char *tag;
	} rows[] = {
		{ 0, 2, 0, 1, "\"0-2.0-1\"" },
		{ 255, 4096, 17, 171, "\"ff-1000.11-ab\"" },
		{ 1, NOW, 0, 1, "W/\"1-f4240.0-1\"" },
		{ 255, 0, 17, 171, "W/\"ff-0.11-ab\"" },
	};
	char out[ETAG_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stat st = file(rows[i].size, rows[i].seconds, rows[i].nanoseconds,
				      rows[i].inode);

		assert_tag(etag_format(&st, NOW, NULL, out), rows[i].tag);
	}
}

static void
tag_is_weak_when_its_time_says_too_little(void **state)
{
	static const struct {
		int64_t seconds;
		long nanoseconds;
		bool young, weak;
	} rows[] = {
		{ NOW - 1000, 0, false, false },
		{ NOW - 3, 0, false, false },
		{ NOW - 2, 0, false, false },
		{ NOW - 2, 999999999, false, false },
		{ NOW - 1, 0, true, true },
		{ NOW - 1, 999999999, true, true },
		{ NOW, 0, true, true },
		{ NOW + 1, 0, true, true }, /* a clock that was wrong */
		{ NOW + 1000000, 0, true, true },
		{ 0, 0, false, true },
		{ 0, 5, false, true },
		{ 1, 0, false, true },
		{ 2, 0, false, false },
		{ -1, 0, false, false },
	};
	char out[ETAG_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stat st = file(5, rows[i].seconds, rows[i].nanoseconds, 7);
		struct slice tag = etag_format(&st, NOW, NULL, out);

		if (slice_starts_with(tag, SLICE("W/\"")) != rows[i].weak ||
		    etag_is_young(&st, NOW) != rows[i].young)
			fail_msg("%lld.%09ld: %.*s", (long long)rows[i].seconds,
				 rows[i].nanoseconds, SLICE_ARG(tag));
	}
}

static void
tag_becomes_strong_and_says_the_same(void **state)
{
	struct stat st = file(5, NOW, 3, 7);
	char young[ETAG_MAX], old[ETAG_MAX];
	struct slice weak = etag_format(&st, NOW, NULL, young);
	struct slice strong = etag_format(&st, NOW + 2, NULL, old);

	(void)state;
	assert_true(slice_starts_with(weak, SLICE("W/")));
	assert_true(slice_eq(slice_from(weak, 2), strong));
}

static void
tag_of_a_coding_is_weak_and_another_one(void **state)
{
	static const struct {
		const char *tag, *coding, *coded;
	} rows[] = {
		{ "\"0-2.0-1\"", "gzip", "W/\"0-2.0-1-gzip\"" },
		{ "\"0-2.0-1\"", "br", "W/\"0-2.0-1-br\"" },
		{ "W/\"0-2.0-1\"", "zstd", "W/\"0-2.0-1-zstd\"" },
		{ "W/\"a\"", "gzip", "W/\"a-gzip\"" },
	};
	char out[ETAG_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_tag(etag_format_coded(slice_from_str(rows[i].tag),
					     slice_from_str(rows[i].coding), out),
			   rows[i].coded);
}

static int
compare_tags(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Numbers that would run into each other without what stands between them. */
static const uint64_t numbers[] = {
	0,      1,          2,         0x10,
	0x11,   0x12,       0x21,      0x101,
	0x110,  0x111,      0x1011,    0x1101,
	0x1111, 0x10000001, INT64_MAX, (uint64_t)INT64_MAX - 1
};

#define N COUNT(numbers)

static void
no_two_files_have_the_same_tag(void **state)
{
	static const long nanoseconds[] = { 0, 1, 0x10, 0x11, 0x111, 999999999 };
	size_t count = N * N * N * COUNT(nanoseconds), n = 0;
	char(*tags)[ETAG_MAX] = calloc(count, sizeof(*tags));
	char out[ETAG_MAX];

	(void)state;
	assert_non_null(tags);
	for (size_t i = 0; i < count; i++) {
		struct stat st =
			file((int64_t)numbers[i % N], (int64_t)numbers[i / N % N],
			     nanoseconds[i / N / N / N], numbers[i / N / N % N]);
		struct slice tag = etag_format(&st, NOW, NULL, out);

		/* Whether it is weak tells two apart only for a while. */
		if (slice_starts_with(tag, SLICE("W/")))
			tag = slice_from(tag, 2);
		memcpy(tags[n++], tag.ptr, tag.len);
	}
	qsort(tags, n, sizeof(*tags), compare_tags);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(tags[i - 1], tags[i]) == 0)
			fail_msg("%s", tags[i]);
	}
	free(tags);
}

static void
largest_numbers_fit(void **state)
{
	struct stat st = file(INT64_MAX, -1, 999999999, UINT64_MAX);
	char out[ETAG_MAX], coded[ETAG_MAX];
	struct slice tag = etag_format(&st, -1, NULL, out); /* young: weak */

	(void)state;
	assert_tag(tag, "W/\"7fffffffffffffff-ffffffffffffffff.3b9ac9ff-"
			"ffffffffffffffff\"");
	tag = etag_format_coded(tag, SLICE("identity"), coded); /* the longest name */
	assert_true(tag.len < ETAG_MAX);
	assert_true(slice_ends_with(tag, SLICE("-identity\"")));
}

/* --- of a digest --- */

/* Bytes whose base64 has each of its two letters that base64url has not. */
static struct digest_set
kept_set(unsigned present)
{
	struct digest_set set = { .present = present };

	for (size_t a = 0; a < DIGEST_COUNT; a++) {
		memset(set.value[a], a == DIGEST_SHA_256 ? 0xff : 0, DIGEST_SIZE_MAX);
		set.value[a][0] = 0xfb;
	}
	return set;
}

static void
tag_of_a_digest_is_strong_and_needs_no_time(void **state)
{
	static const int64_t times[] = { NOW, NOW + 9, 0, 1, NOW - 1000 };
	struct digest_set kept = kept_set(DIGEST_ALL);
	char out[ETAG_MAX], want[ETAG_MAX];

	(void)state;
	/* 32 bytes are 43 letters */
	snprintf(want, sizeof(want), "\"sha-256:-%.41s8\"",
		 "_________________________________________________________________");
	for (size_t i = 0; i < COUNT(times); i++) {
		struct stat st = file(5 + (int64_t)i, times[i], 3, 7);

		assert_tag(etag_format(&st, NOW, &kept, out), want);
	}
}

static void
tag_is_of_the_other_digest_when_there_is_only_that(void **state)
{
	struct stat st = file(5, NOW, 3, 7);
	struct digest_set kept = kept_set(DIGEST_BIT(DIGEST_SHA_512));
	char out[ETAG_MAX], coded[ETAG_MAX];
	struct slice tag;

	(void)state;
	tag = etag_format(&st, NOW, &kept, out);
	assert_tag(tag, "\"sha-512:-wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"");
	assert_tag(etag_format_coded(tag, SLICE("identity"), coded),
		   "W/\"sha-512:-wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-identity\"");
	/* What is beyond the first 256 bits is not looked at. */
	kept.value[DIGEST_SHA_512][31] = 1;
	tag = etag_format(&st, NOW, &kept, out);
	assert_tag(tag, "\"sha-512:-wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"");
}

static void
tag_without_a_digest_has_no_colon(void **state)
{
	struct stat st = file(INT64_MAX, NOW - 9, 999999999, UINT64_MAX);
	struct digest_set none = { 0 };
	char out[ETAG_MAX], same[ETAG_MAX];
	struct slice tag = etag_format(&st, NOW, &none, out);

	(void)state;
	assert_int_equal(slice_find(tag, ':'), tag.len);
	assert_true(slice_eq(tag, etag_format(&st, NOW, NULL, same)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_stand_in_the_tag_in_hexadecimal),
		cmocka_unit_test(tag_is_weak_when_its_time_says_too_little),
		cmocka_unit_test(tag_becomes_strong_and_says_the_same),
		cmocka_unit_test(tag_of_a_coding_is_weak_and_another_one),
		cmocka_unit_test(no_two_files_have_the_same_tag),
		cmocka_unit_test(largest_numbers_fit),
		cmocka_unit_test(tag_of_a_digest_is_strong_and_needs_no_time),
		cmocka_unit_test(tag_is_of_the_other_digest_when_there_is_only_that),
		cmocka_unit_test(tag_without_a_digest_has_no_colon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
