/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random forms of bytes that are nearly delimiters, cut at random, against a reference that
 * looks at the whole body at once: data ends where CR LF "--" boundary stands first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "multipart_log.h"

#define ROUNDS 20000
#define PARTS 3
#define HEAD "Content-Disposition: form-data; name="

static uint64_t seed = 0x9e3779b97f4a7c15;

static size_t
random_below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed >> 20) % n;
}

/* Beginnings of the delimiter, and single bytes of it; never all of it by intent. */
static void
add_near(struct buf *out, struct slice delimiter)
{
	size_t count = random_below(8);

	for (size_t i = 0; i < count; i++) {
		if (random_below(3) == 0)
			buf_add_char(out, delimiter.ptr[random_below(delimiter.len)]);
		else
			buf_add(out, delimiter.ptr, random_below(delimiter.len));
	}
}

static bool
has(struct slice s, struct slice part)
{
	return memmem(s.ptr, s.len, part.ptr, part.len) != NULL;
}

/* The whole of a form, and what its log must be. Data that has the delimiter in it by chance
 * is made anew. */
static void
make_form(struct slice delimiter, struct buf *body, struct buf *log)
{
	size_t parts = random_below(PARTS + 1);
	struct buf data;

	body->len = log->len = 0;
	buf_add_slice(body, slice_from(delimiter, 2));
	for (size_t i = 0; i < parts; i++) {
		buf_add_str(body, "\r\n" HEAD "n\r\n\r\n");
		do {
			buf_init(&data);
			/* The empty line's CR LF may begin a delimiter too. */
			buf_add_str(&data, "\r\n");
			add_near(&data, delimiter);
			buf_add_slice(&data, delimiter);
			if (memmem(data.ptr, data.len, delimiter.ptr, delimiter.len) ==
			    data.ptr + data.len - delimiter.len)
				break;
			buf_fini(&data);
		} while (true);
		buf_add_slice(body, slice_from(buf_slice(&data), 2));
		buf_add_str(log, "<n>");
		buf_add(log, data.ptr + 2, data.len - 2 - delimiter.len);
		buf_add_str(log, "</>");
		assert_false(has(slice_make(data.ptr, data.len - 1), delimiter));
		buf_fini(&data);
	}
	buf_add_str(body, "--\r\n");
	buf_add_str(log, "<.>");
	buf_add_char(log, '\0');
}

static void
parse_in_pieces(struct multipart *m, struct slice body, size_t piece_max, struct buf *log)
{
	bool good = true;

	log->len = 0;
	while (good && body.len > 0) {
		size_t n = 1 + random_below(piece_max);

		n = n < body.len ? n : body.len;
		good = log_piece(m, body.ptr, n, log);
		body = slice_from(body, n);
	}
	log_end(m, log);
}

static void
random_forms_are_what_they_were_made_of(void **state)
{
	static const struct {
		struct slice type, delimiter;
	} forms[] = {
		{ SLICE_LIT("multipart/form-data; boundary=b"), SLICE_LIT("\r\n--b") },
		{ SLICE_LIT("multipart/form-data; boundary=-"), SLICE_LIT("\r\n---") },
		{ SLICE_LIT("multipart/form-data; boundary=----a--a"),
		  SLICE_LIT("\r\n------a--a") },
	};
	struct buf body, expected, log;
	struct multipart m;

	(void)state;
	buf_init(&body);
	buf_init(&expected);
	buf_init(&log);
	for (size_t i = 0; i < ROUNDS; i++) {
		size_t f = i % (sizeof(forms) / sizeof(forms[0]));

		make_form(forms[f].delimiter, &body, &expected);
		assert_int_equal(multipart_init(&m, forms[f].type, PARTS), MULTIPART_OK);
		parse_in_pieces(&m, buf_slice(&body), i % 2 == 0 ? 4 : 60, &log);
		if (!slice_eq(buf_slice(&log), buf_slice(&expected))) {
			buf_add_char(&body, '\0');
			fail_msg("round %zu: '%s' is '%s'", i, body.ptr, log.ptr);
		}
	}
	buf_fini(&body);
	buf_fini(&expected);
	buf_fini(&log);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_forms_are_what_they_were_made_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
