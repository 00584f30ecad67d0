/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of content codings: an encoder stays below its bound, and any allocation may fail. The
 * program brings its own malloc, which counts and fails when asked, also for the libraries; with
 * AddressSanitizer, or another libc than glibc, everything here is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "coding_pieces.h"
#include "watched_memory.h"

static void
memory_of_a_stream_is_bounded(void **state)
{
	static const enum input_kind kinds[] = { TEXT, RANDOM, ZEROS, MIXED };
	enum coding c = *(const enum coding *)*state;
	size_t peak = 0;

	if (!coding_is_built_in(c) || !MEMORY_IS_WATCHED)
		skip();
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct slice in = input_make(kinds[i], 2048 * KIB);
		char *space = malloc(16 * KIB + 1);
		struct cut cut = { "", 16 * KIB, 16 * KIB, false, false };
		struct encoder *e;

		watch_memory(false, 0);
		e = encoder_new(c);
		assert_non_null(e);
		assert_int_equal(run_pieces(e, in, &cut, space, NULL), 0);
		encoder_free(e);
		memory.on = false;
		assert_int_equal(memory.live, 0);
		peak = memory.peak > peak ? memory.peak : peak;
		free(space);
		input_free(in);
	}
	print_message("%.*s takes up to %zu KiB\n", SLICE_ARG(coding_name(c)),
		      peak / KIB);
	assert_in_range(peak, 200 * KIB, CODING_MEMORY_MAX);
}

/* The whole of 64 KiB and of 256 KiB: the largest that is treated as small. */
static void
memory_of_encode_is_bounded(void **state)
{
	static const size_t sizes[] = { 64 * KIB, 256 * KIB };
	static const enum input_kind kinds[] = { TEXT, RANDOM, ZEROS, MIXED };
	enum coding c = *(const enum coding *)*state;

	if (!coding_is_built_in(c) || !MEMORY_IS_WATCHED)
		skip();
	for (size_t i = 0; i < COUNT(sizes) * COUNT(kinds); i++) {
		struct slice in =
			input_make(kinds[i % COUNT(kinds)], sizes[i / COUNT(kinds)]);
		struct buf out;

		buf_init(&out);
		assert_int_equal(buf_reserve(&out, 2 * in.len), 0);
		watch_memory(false, 0);
		assert_int_equal(coding_encode(c, in, &out), 0);
		memory.on = false;
		assert_int_equal(memory.live, 0);
		print_message("%.*s takes up to %zu KiB for %zu KiB\n",
			      SLICE_ARG(coding_name(c)), memory.peak / KIB, in.len / KIB);
		assert_in_range(memory.peak, 200 * KIB, CODING_MEMORY_MAX);
		buf_fini(&out);
		input_free(in);
	}
}

static int
encode_scarcely(enum coding c, struct slice in, char *space)
{
	struct encoder *e = encoder_new(c);
	int rc;

	if (e == NULL)
		return -ENOMEM;
	rc = run_pieces(e, in, &cuts[0], space, NULL);
	/* It stays failed. */
	if (rc < 0) {
		bool done = true;

		assert_int_equal(encoder_run(e, &in, true, space, 1, &done), rc);
		assert_false(done);
	}
	encoder_free(e);
	return rc;
}

static void
any_allocation_of_a_stream_may_fail(void **state)
{
	enum coding c = *(const enum coding *)*state;
	struct slice in;
	char *space;
	size_t n = 0;
	int rc;

	if (!coding_is_built_in(c) || !MEMORY_IS_WATCHED)
		skip();
	in = input_make(TEXT, 300 * KIB);
	space = malloc(cuts[0].out_max + 1);
	do {
		watch_memory(true, n);
		rc = encode_scarcely(c, in, space);
		memory.on = false;
		assert_int_equal(memory.live, 0);
		assert_true(rc == 0 || rc == -ENOMEM);
	} while (rc != 0 && ++n < 2000);
	assert_in_range(n, 2, 1999);
	free(space);
	input_free(in);
}

static void
any_allocation_of_encode_may_fail(void **state)
{
	enum coding c = *(const enum coding *)*state;
	struct slice in;
	size_t n = 0;
	int rc;

	if (!coding_is_built_in(c) || !MEMORY_IS_WATCHED)
		skip();
	in = input_make(TEXT, 100 * KIB);
	do {
		struct buf out;

		buf_init(&out);
		buf_add_str(&out, "head");
		watch_memory(true, n);
		rc = coding_encode(c, in, &out);
		memory.on = false;
		assert_true(rc == -ENOMEM ? slice_eq(buf_slice(&out), SLICE("head"))
					  : rc == 0 && out.len > 4);
		buf_fini(&out);
	} while (rc != 0 && ++n < 2000);
	assert_in_range(n, 2, 1999);
	input_free(in);
}

int
main(void)
{
	static const struct coding_test rows[] = {
		CODING_TEST(memory_of_a_stream_is_bounded),
		CODING_TEST(memory_of_encode_is_bounded),
		CODING_TEST(any_allocation_of_a_stream_may_fail),
		CODING_TEST(any_allocation_of_encode_may_fail),
	};
	static char names[COUNT(rows) * COUNT(encoded)][64];
	static struct CMUnitTest tests[COUNT(names)];

	add_for_each_coding(tests, names, rows, COUNT(rows));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
