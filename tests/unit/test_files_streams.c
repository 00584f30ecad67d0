/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Big files that are encoded on the way: what comes out is the file, whatever is pulled at a time;
 * how many there may be; and what becomes of them when the file changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compressed.h"

static void
big_file_is_encoded_on_the_way(void **state)
{
	static const struct {
		const char *target;
		size_t size;
		bool on_the_way;
	} rows[] = { { "/at-once.txt", AT_ONCE, false },
		     { "/middle.txt", MIDDLE, true },
		     { "/big.txt", BIG, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int times = 0; times < 2; times++) {
			assert_int_equal(get(rows[i].target, "gzip"), 200);
			assert_decodes(rows[i].size);
			assert_true(rig.t.body.len < rows[i].size);
			assert_int_equal(rig.t.kind,
					 rows[i].on_the_way ? BODY_PULL : BODY_MEMORY);
			if (rows[i].on_the_way)
				assert_true(rig.t.length == BODY_UNKNOWN);
			assert_int_equal(rig.files->stream_memory, 0);
		}
	}
	assert_int_equal(encoding.at_once, 1);
	assert_int_equal(encoding.streams, 4);
}

static void
answer_on_the_way_has_the_fields_of_its_file(void **state)
{
	char plain[ETAG_ROOM], coded[ETAG_ROOM], expected[2 * ETAG_ROOM];

	(void)state;
	get_etag("/big.txt", NULL, plain);
	get_etag("/big.txt", "gzip", coded);
	snprintf(expected, sizeof(expected), "W/%.*s-gzip\"", (int)strlen(plain) - 1,
		 plain);
	assert_string_equal(coded, expected);
	assert_field("Content-Type", "text/plain; charset=utf-8");
	assert_field("Last-Modified", OLD_DATE);
	assert_field("Accept-Ranges", NULL);
}

static void
pulls_may_be_small(void **state)
{
	(void)state;
	for (size_t room = 7; room < 5000; room *= 20) {
		ask("/middle.txt", "gzip");
		transport_begin(&rig.t);
		transport_note_fields(&rig.t);
		rig.t.body.len = 0;
		assert_int_equal(transport_pull_all(&rig.t, room), 0);
		assert_decodes(MIDDLE);
		exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	}
}

static void
stream_ends_with_its_exchange(void **state)
{
	(void)state;
	ask("/big.txt", "gzip");
	transport_begin(&rig.t);
	assert_true(rig.files->stream_memory > coding_memory(CODING_GZIP));
	assert_true(transport_pull(&rig.t, BODY_ROOM) > 0);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(rig.files->stream_memory, 0);
	prepare(HTTP_HEAD, "/big.txt"); /* of which nothing is pulled */
	with_field(HTTP_FIELD_ACCEPT_ENCODING, "gzip");
	transport_begin(&rig.t);
	assert_true(rig.t.length == BODY_UNKNOWN);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	assert_int_equal(rig.files->stream_memory, 0);
}

static void
streams_are_bounded(void **state)
{
	size_t almost = FILE_STREAMS_MEMORY - ((size_t)1 << 20);

	(void)state;
	rig.files->stream_memory = almost;
	get("/big.txt", "gzip");
	assert_decodes(BIG);
	assert_int_equal(rig.files->stream_memory, almost);
	rig.files->stream_memory = FILE_STREAMS_MEMORY;
	assert_plain("/big.txt", "gzip", BIG, true);
	assert_int_equal(get("/big.txt", "gzip, identity;q=0"), 503);
	assert_int_equal(rig.files->stream_memory, FILE_STREAMS_MEMORY);
	get("/text.txt", "gzip"); /* small ones are no streams */
	assert_decodes(TEXT);
}

static ssize_t
pull_around(void (*change)(void))
{
	put_text("root/changing.txt", BIG);
	ask("/changing.txt", "gzip");
	transport_begin(&rig.t);
	transport_note_fields(&rig.t);
	rig.t.body.len = 0;
	assert_true(transport_pull(&rig.t, BODY_ROOM) > 0);
	change();
	return transport_pull_all(&rig.t, BODY_ROOM);
}

static void
append(void)
{
	tree_write(rig.dirfd, "root/changing.txt", TREE_AT_END, 'x', 1000);
}

static void
cut(void)
{
	tree_truncate(rig.dirfd, "root/changing.txt", 10);
}

static void
overwrite(void)
{
	tree_write(rig.dirfd, "root/changing.txt", (off_t)BIG - 10, 'x', 10);
}

static void
file_that_changes_on_the_way_breaks_the_answer_off(void **state)
{
	(void)state;
	assert_int_equal(pull_around(cut), -EIO);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(pull_around(overwrite), -EIO);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(rig.files->stream_memory, 0);
	assert_int_equal(pull_around(append), 0); /* what it was is still there */
	assert_decodes(BIG);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

static void
trouble_with_a_stream_breaks_the_answer_off(void **state)
{
	int lowest;

	(void)state;
	get("/big.txt", NULL);
	lowest = lowest_fd();
	encoding.no_encoder = true;
	ask("/big.txt", "gzip");
	transport_begin(&rig.t);
	assert_int_equal(transport_pull_all(&rig.t, BODY_ROOM), -ENOMEM);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(rig.files->stream_memory, 0);
	assert_int_equal(lowest_fd(), lowest);
	encoding.no_encoder = false;
	get("/big.txt", "gzip");
	assert_decodes(BIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(big_file_is_encoded_on_the_way),
		TEST(answer_on_the_way_has_the_fields_of_its_file),
		TEST(pulls_may_be_small),
		TEST(stream_ends_with_its_exchange),
		TEST(streams_are_bounded),
		TEST(file_that_changes_on_the_way_breaks_the_answer_off),
		TEST(trouble_with_a_stream_breaks_the_answer_off),
	};

	if (!coding_is_built_in(CODING_GZIP))
		return SKIPPED;
	return cmocka_run_group_tests(tests, setup, teardown);
}
