/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of content codings share: inputs, ways to cut them into pieces, and a test that
 * is run for each coding. Included once by a test program.
 */
#ifndef WEBSRV_TESTS_CODING_PIECES_H
#define WEBSRV_TESTS_CODING_PIECES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rows.h"
#include "base/buf.h"
#include "http/coding.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KIB ((size_t)1024)
#define CANARY '\x5a'

static const enum coding encoded[] = { CODING_GZIP, CODING_ZSTD, CODING_BR };

/* --- inputs --- */

static uint32_t random_state;

static uint32_t
random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

enum input_kind { TEXT, RANDOM, ZEROS, MIXED };

static void
add_words(struct buf *b, size_t size)
{
	static const char *const words[] = {
		"<p>",  "request", "the ",   "server", " of ", "answer", "and ",
		"a",    "coding",  "bytes ", "to ",    "file", "</p>\n", "<li>",
		"memo", "bound",   "ing ",   "path",   ", ",   ". ",     "window ",
	};

	while (b->len < size)
		buf_add_str(b, words[random_next() % COUNT(words)]);
	b->len = size;
}

/* `size` bytes of that kind, the same ones each time, in memory of exactly that size. */
static struct slice
input_make(enum input_kind kind, size_t size)
{
	char *p = malloc(size + (size == 0));
	struct buf b;

	assert_non_null(p);
	random_state = 2463534242u;
	buf_init(&b);
	if (kind == TEXT)
		add_words(&b, size);
	for (size_t i = 0; i < size; i++) {
		uint32_t r = kind == ZEROS || kind == TEXT ? 0 : random_next() >> 8;

		/* MIXED: patterns of four bytes that come again, and noise of one bit. */
		if (kind == MIXED)
			r = i % 6 < 4 ? (uint32_t)(i / 6 * 2654435761u) >> (i % 6 * 4) & 7
				      : r & 1;
		p[i] = kind == TEXT ? b.ptr[i] : (char)r;
	}
	buf_fini(&b);
	return slice_make(p, size);
}

static void
input_free(struct slice s)
{
	free((void *)(uintptr_t)s.ptr);
}

/* --- encoding in pieces --- */

#define WHOLE ((size_t)-1)

struct cut {
	const char *name;
	size_t in_max, out_max; /* of one call */
	bool at_random;         /* 1 to that */
	bool end_apart;         /* `last` comes with nothing, after everything */
};

static size_t
piece(const struct cut *cut, size_t max)
{
	return cut->at_random ? 1 + random_next() % max : max;
}

/* One call, with everything that it promises; -ENOMEM is passed on. */
static ssize_t
run_once(struct encoder *e, struct slice *in, bool last, char *out, size_t room,
	 bool *done)
{
	const char *end = in->ptr + in->len;
	ssize_t n;

	out[room] = CANARY;
	n = encoder_run(e, in, last, out, room, done);
	assert_int_equal(out[room], CANARY);
	if (n == -ENOMEM)
		return n;
	assert_in_range(n, 0, room);
	assert_ptr_equal(in->ptr + in->len, end);
	if ((size_t)n < room) {
		assert_int_equal(in->len, 0);
		assert_int_equal(*done, last);
	}
	return n;
}

/* 0, or -ENOMEM. What comes out is appended to `out`, if that is not NULL. */
static int
run_pieces(struct encoder *e, struct slice in, const struct cut *cut, char *space,
	   struct buf *out)
{
	bool done = false;

	while (!done) {
		size_t given = piece(cut, cut->in_max);
		struct slice part = slice_make(in.ptr, given < in.len ? given : in.len);
		bool last = cut->end_apart ? in.len == 0 : part.len == in.len;

		in = slice_from(in, part.len);
		do {
			ssize_t n = run_once(e, &part, last, space,
					     piece(cut, cut->out_max), &done);

			if (n < 0)
				return (int)n;
			if (out != NULL)
				buf_add(out, space, (size_t)n);
		} while (part.len > 0 || (last && !done));
	}
	return 0;
}

static const struct cut cuts[] = {
	{ "at_once", WHOLE, 64 * KIB, false, false },
	{ "at_once_into_single_bytes", WHOLE, 1, false, false },
	{ "byte_by_byte", 1, 1, false, false },
	{ "single_bytes_and_then_the_end", 1, 4 * KIB, false, true },
	{ "pieces_at_random", 5000, 3000, true, false },
	{ "pieces_at_random_and_then_the_end", 70000, 500, true, true },
};

/* --- a test for each coding --- */

struct coding_test {
	const char *name;
	CMUnitTestFunction run; /* the state is an element of `encoded` */
};

/* clang-format off */
#define CODING_TEST(f) { #f, f }
/* clang-format on */

/* "gzip: name" and so on; `names` has room for as many. Returns the count. */
static size_t
add_for_each_coding(struct CMUnitTest *tests, char (*names)[64],
		    const struct coding_test *rows, size_t count)
{
	size_t n = 0;

	for (; n < count * COUNT(encoded); n++) {
		const enum coding *c = &encoded[n % COUNT(encoded)];
		const struct coding_test *row = &rows[n / COUNT(encoded)];

		snprintf(names[n], sizeof(names[n]), "%.*s: %s",
			 SLICE_ARG(coding_name(*c)), row->name);
		tests[n] = row_test(names[n], row->run, c);
	}
	return n;
}

#endif
