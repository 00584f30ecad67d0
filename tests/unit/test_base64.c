/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Base64: the vectors of RFC 4648, every byte there and back, and all that is no base64.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *plain, *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

static const char *const malformed[] = {
	"Z",        "Zg",      "Zg=",       "Zg===",    "Zm8",      "Zm9vYg",
	"=",        "==",      "===",       "====",     "Zm9v====", "Z===",
	"Zg==Zg==", "Zg=g",    "=Zg=",      "Z=g=",     "Zm9=v",    "Zh==",
	"Zm9=",     "Zm 8",    " Zm8",      "Zm8= ",    "Zm8=\n",   "Zm9v\r\n",
	"Zm-_",     "Zm8\x80", "Zm9v\x7fg", "Zm9v:g==", "Zm9vY!==", "\xc3\xa4==",
};

/* Decodes from an allocation of exactly its size, into one of exactly `max`. */
static int
decode(struct slice s, size_t max, size_t *len, struct slice want)
{
	char *exact = malloc(s.len + (s.len == 0)), *out = malloc(max + (max == 0));
	int rc;

	assert_non_null(exact);
	assert_non_null(out);
	memcpy(exact, s.ptr, s.len);
	rc = base64_decode(slice_make(exact, s.len), out, max, len);
	if (rc == 0)
		assert_true(slice_eq(slice_make(out, *len), want));
	free(exact);
	free(out);
	return rc;
}

static void
vectors_go_both_ways(void **state)
{
	char out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct slice plain = slice_from_str(vectors[i].plain);
		struct slice text = slice_from_str(vectors[i].text);

		assert_int_equal(base64_encode(plain.ptr, plain.len, out), text.len);
		assert_int_equal(BASE64_LEN(plain.len), text.len);
		assert_true(slice_eq(slice_make(out, text.len), text));
		assert_int_equal(decode(text, plain.len, &len, plain), 0);
		assert_int_equal(len, plain.len);
	}
}

static void
every_byte_at_every_place_comes_back(void **state)
{
	char plain[4], text[8];
	size_t len;

	(void)state;
	for (size_t n = 1; n <= sizeof(plain); n++) {
		for (int c = 0; c < 256; c++) {
			memset(plain, 0x55, n);
			plain[n - 1] = (char)c;
			len = base64_encode(plain, n, text);
			assert_int_equal(decode(slice_make(text, len), n, &len,
						slice_make(plain, n)),
					 0);
		}
	}
}

static void
malformed_text_is_refused(void **state)
{
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(malformed); i++) {
		if (decode(slice_from_str(malformed[i]), 64, &len, SLICE("")) != -EINVAL)
			fail_msg("'%s'", malformed[i]);
	}
	assert_int_equal(decode(SLICE("Zm9\0"), 64, &len, SLICE("")), -EINVAL);
}

static void
more_than_there_is_room_for_is_refused(void **state)
{
	size_t len;

	(void)state;
	assert_int_equal(decode(SLICE("Zm9v"), 2, &len, SLICE("")), -ERANGE);
	assert_int_equal(decode(SLICE("Zg=="), 0, &len, SLICE("")), -ERANGE);
	assert_int_equal(decode(SLICE("Zm9vYg=="), 3, &len, SLICE("")), -ERANGE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_go_both_ways),
		cmocka_unit_test(every_byte_at_every_place_comes_back),
		cmocka_unit_test(malformed_text_is_refused),
		cmocka_unit_test(more_than_there_is_room_for_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
