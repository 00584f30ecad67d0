/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the bytes of a file get out: from memory, straight from the file, or copied while it is
 * young; and that an answer never mixes two versions of a file that changes on the way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"
#include "handler/filecache.h"

static const char config_text[] =
	"{\"cache\": {\"revalidate\": \"1h\", \"file_size\": 1000},"
	" \"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"routes\": [{\"path\": \"/*\", \"files\": {\"root\": \".\"}}]}]}";

#define SMALL ((size_t)1000)
#define BIG ((size_t)100000)
#define FILE_NAME "file"

static char *pattern; /* what every file begins with */

static void
make_files(void)
{
}

/* A file of that age in seconds, which nobody has asked for yet. */
static void
put_aged(size_t len, int64_t age)
{
	filecache_forget_root(rig.files->cache, NULL);
	put_bytes(FILE_NAME, pattern, len);
	tree_set_mtime(rig.dirfd, FILE_NAME, time(NULL) - age, 0);
}

static void
begin(const char *range)
{
	prepare(HTTP_GET, "/" FILE_NAME);
	if (range != NULL)
		with_field(HTTP_FIELD_RANGE, range);
	transport_begin(&rig.t);
	transport_note_fields(&rig.t);
	rig.t.body.len = 0;
}

/* --- the kinds of bodies --- */

static void
big_file_goes_straight_out_once_it_is_quiet(void **state)
{
	static const struct {
		int64_t age;
		bool copy;
	} rows[] = { { -1000, true }, { 0, true },  { 1, true },
		     { 3, true },     { 7, false }, { 1000, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct body *b = &rig.t.ex.body;

		put_aged(BIG, rows[i].age);
		begin(NULL);
		assert_int_equal(b->kind, BODY_FILE);
		assert_non_null(b->file.check);
		assert_int_equal(b->file.copy, rows[i].copy);
		assert_int_equal(b->file.offset, 0);
		assert_true(b->left == BIG);
		assert_int_equal(transport_finish(&rig.t), 200);
		assert_body(pattern, BIG);
		begin("bytes=40-49");
		assert_int_equal(b->kind, BODY_FILE);
		assert_non_null(b->file.check);
		assert_int_equal(b->file.copy, rows[i].copy);
		assert_int_equal(b->file.offset, 40);
		assert_true(b->left == 10);
		assert_int_equal(transport_finish(&rig.t), 206);
		assert_body(pattern + 40, 10);
	}
}

static void
small_file_goes_out_from_memory_at_any_age(void **state)
{
	static const int64_t ages[] = { -1000, 0, 3, 1000 };

	(void)state;
	for (size_t i = 0; i < COUNT(ages); i++) {
		put_aged(SMALL, ages[i]);
		begin(NULL);
		assert_int_equal(rig.t.kind, BODY_MEMORY);
		assert_int_equal(transport_finish(&rig.t), 200);
		assert_body(pattern, SMALL);
	}
}

static void
parts_are_made_on_the_way(void **state)
{
	(void)state;
	put_aged(SMALL, 1000);
	begin("bytes=0-1,4-5");
	assert_int_equal(rig.t.kind, BODY_PULL);
	assert_true(rig.t.length != BODY_UNKNOWN);
	assert_int_equal(transport_finish(&rig.t), 206);
}

/* --- files that change on the way --- */

static void
cut(void)
{
	tree_truncate(rig.dirfd, FILE_NAME, 10);
}

static void
cut_one_byte(void)
{
	tree_truncate(rig.dirfd, FILE_NAME, (off_t)BIG - 1);
}

static void
overwrite(void)
{
	tree_write(rig.dirfd, FILE_NAME, (off_t)BIG - 10, 'x', 10);
}

static void
rewrite_longer(void)
{
	tree_truncate(rig.dirfd, FILE_NAME, 0);
	tree_write(rig.dirfd, FILE_NAME, 0, 'x', BIG + 1000);
}

static void
append(void)
{
	tree_write(rig.dirfd, FILE_NAME, TREE_AT_END, 'x', 1000);
}

static void delete (void)
{
	assert_int_equal(unlinkat(rig.dirfd, FILE_NAME, 0), 0);
}

static void
replace(void)
{
	put(FILE_NAME, "another one");
}

static void
leave(void)
{
}

static const struct change {
	void (*make)(void);
	bool breaks; /* the answer */
} changes[] = {
	{ cut, true },       { cut_one_byte, true },
	{ overwrite, true }, { rewrite_longer, true },
	{ append, false },   { delete, false },
	{ replace, false },  { leave, false },
};

/* Answers that take several pulls, and the bytes that they end with. */
static const struct answer {
	const char *range;
	size_t first, last;
} answers[] = {
	{ NULL, 0, BIG - 1 },
	{ "bytes=100-90099", 100, 90099 },
	{ "bytes=0-19999,30000-99989", 30000, 99989 },
};

/* The answer, with the change behind the first pull, or before it; the body that came. */
static void
run_change(const struct answer *a, const struct change *c, bool at_once)
{
	size_t len = a->last - a->first + 1, tail = 0;
	int rc;

	begin(a->range);
	if (!at_once)
		assert_int_equal(transport_pull(&rig.t, BODY_ROOM) > 0, true);
	c->make();
	rc = transport_pull_all(&rig.t, BODY_ROOM);
	assert_int_equal(rc, c->breaks ? -EIO : 0);
	exchange_finish(&rig.t.ex, c->breaks ? EXCHANGE_ABORTED : EXCHANGE_COMPLETE);
	if (c->breaks) {
		assert_true(rig.t.body.len < rig.t.length);
		return;
	}
	if (rig.t.kind == BODY_PULL) /* the boundary that ends it */
		tail = strlen("\r\n--part0123456789abcdef--\r\n");
	assert_int_equal(rig.t.body.len, rig.t.length);
	assert_true(rig.t.body.len >= len + tail);
	assert_memory_equal(rig.t.body.ptr + rig.t.body.len - tail - len,
			    pattern + a->first, len);
}

static void
run_changes(int64_t age)
{
	int lowest;

	filecache_forget_root(rig.files->cache, NULL);
	lowest = lowest_fd();
	for (size_t a = 0; a < COUNT(answers); a++) {
		for (size_t c = 0; c < COUNT(changes); c++) {
			put_aged(BIG, age);
			run_change(&answers[a], &changes[c], false);
			put_aged(BIG, age);
			run_change(&answers[a], &changes[c], true);
		}
	}
	filecache_forget_root(rig.files->cache, NULL);
	assert_int_equal(lowest_fd(), lowest);
}

static void
old_file_that_changes_breaks_the_answer_off(void **state)
{
	(void)state;
	run_changes(100000);
}

static void
young_file_that_changes_breaks_the_answer_off(void **state)
{
	(void)state;
	run_changes(-1000);
	run_changes(3);
}

static void
nothing_of_a_changed_file_is_sent(void **state)
{
	(void)state;
	for (int64_t age = -1000; age <= 1000; age += 2000) {
		put_aged(BIG, age);
		begin(NULL);
		rewrite_longer();
		assert_int_equal(transport_pull_all(&rig.t, BODY_ROOM), -EIO);
		assert_int_equal(rig.t.body.len, 0);
		exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	}
}

static void
small_file_that_changes_is_sent_as_it_was(void **state)
{
	static const char *const ranges[] = { NULL, "bytes=0-", "bytes=0-1,5-" };

	(void)state;
	for (size_t i = 0; i < COUNT(ranges); i++) {
		put_aged(SMALL, 1000);
		begin(ranges[i]);
		tree_write(rig.dirfd, FILE_NAME, 0, 'x', SMALL);
		tree_truncate(rig.dirfd, FILE_NAME, 5);
		assert_int_equal(transport_pull_all(&rig.t, BODY_ROOM), 0);
		assert_int_equal(rig.t.body.len, rig.t.length);
		assert_non_null(
			memmem(rig.t.body.ptr, rig.t.body.len, pattern + 5, SMALL - 5));
		exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	}
}

/* Long before the cache looks at the name again. */
static void
file_that_was_written_into_is_another_one_at_once(void **state)
{
	char before[ETAG_ROOM], after[ETAG_ROOM];

	(void)state;
	put_aged(BIG, 1000);
	begin(NULL);
	transport_finish(&rig.t);
	take_etag(before);
	append();
	begin(NULL);
	assert_int_equal(transport_finish(&rig.t), 200);
	assert_int_equal(rig.t.body.len, BIG + 1000);
	take_etag(after);
	assert_string_not_equal(before, after);
	cut();
	begin(NULL);
	assert_int_equal(transport_finish(&rig.t), 200);
	assert_body(pattern, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(big_file_goes_straight_out_once_it_is_quiet),
		cmocka_unit_test(small_file_goes_out_from_memory_at_any_age),
		cmocka_unit_test(parts_are_made_on_the_way),
		cmocka_unit_test(old_file_that_changes_breaks_the_answer_off),
		cmocka_unit_test(young_file_that_changes_breaks_the_answer_off),
		cmocka_unit_test(nothing_of_a_changed_file_is_sent),
		cmocka_unit_test(small_file_that_changes_is_sent_as_it_was),
		cmocka_unit_test(file_that_was_written_into_is_another_one_at_once),
	};
	int failed;

	pattern = make_pattern(BIG);
	failed = run_with_rig(tests, config_text, make_files);
	free(pattern);
	return failed;
}
