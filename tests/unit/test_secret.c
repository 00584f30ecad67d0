/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SHA-256 and HMAC by the vectors of FIPS 180-4 and RFC 4231; hashes of passwords.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/password.h"
#include "base/secret.h"

static void
assert_hex(const unsigned char digest[SECRET_DIGEST], const char *expected)
{
	char text[2 * SECRET_DIGEST + 1];

	for (size_t i = 0; i < SECRET_DIGEST; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, expected);
}

static void
digests_are_those_of_the_standard(void **state)
{
	unsigned char out[SECRET_DIGEST];

	(void)state;
	secret_digest(SLICE(""), out);
	assert_hex(out,
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	secret_digest(SLICE("abc"), out);
	assert_hex(out,
		   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	secret_digest(SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		      out);
	assert_hex(out,
		   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
pieces_make_the_same_digest_as_the_whole(void **state)
{
	char text[300];
	unsigned char whole[SECRET_DIGEST], pieces[SECRET_DIGEST];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	for (size_t len = 0; len <= sizeof(text); len++) {
		struct secret_hash h;

		secret_digest(slice_make(text, len), whole);
		secret_hash_init(&h);
		for (size_t at = 0, n = 1; at < len; at += n, n = n * 3 % 70 + 1)
			secret_hash_add(&h, text + at, n < len - at ? n : len - at);
		secret_hash_end(&h, pieces);
		assert_memory_equal(whole, pieces, sizeof(whole));
	}
}

static void
million_bytes_are_counted_right(void **state)
{
	unsigned char out[SECRET_DIGEST];
	struct secret_hash h;
	char text[1000];

	(void)state;
	memset(text, 'a', sizeof(text));
	secret_hash_init(&h);
	for (int i = 0; i < 1000; i++)
		secret_hash_add(&h, text, sizeof(text));
	secret_hash_end(&h, out);
	assert_hex(out,
		   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231 section 4.2: a key of 20 bytes, which zeros make no other one. */
static void
keyed_digest_is_hmac(void **state)
{
	unsigned char key[SECRET_KEY] = { 0 }, out[SECRET_DIGEST];
	struct secret_mac m;

	(void)state;
	memset(key, 0x0b, 20);
	secret_mac_init(&m, key);
	secret_hash_add(&m.hash, "Hi ", 3);
	secret_hash_add(&m.hash, "There", 5);
	secret_mac_end(&m, out);
	assert_hex(out,
		   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

static void
comparison_sees_every_byte(void **state)
{
	char a[33] = "01234567890123456789012345678901", b[33];

	(void)state;
	memcpy(b, a, sizeof(b));
	assert_true(secret_eq(a, b, 32));
	assert_true(secret_eq(a, "", 0));
	for (size_t i = 0; i < 32; i++) {
		b[i] ^= 0x40;
		assert_false(secret_eq(a, b, 32));
		b[i] = a[i];
	}
}

static void
random_bytes_differ(void **state)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_int_equal(secret_random(a, sizeof(a)), 0);
	assert_int_equal(secret_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* --- passwords --- */

#define BCRYPT "$2b$04$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe"
#define SHA512                                                                           \
	"$6$wiretests$kRZsCZiBMKNdXQPRDUsxmXKOZkgWCZ./vFMNKKe.if0XRDcQ4k2GE1e9cnBLi."    \
	"7SplBjo2Qmf1k6UsK9pFkM1/"
#define YESCRYPT                                                                         \
	"$y$j9T$AYme0AkJcpfBkLWsCRuSY0$52m0aew2WrPcE9yWHUnMfXPYa6pOguL296qfJ/2nlV8"

static void
known_hashes_are_verified(void **state)
{
	(void)state;
	if (!password_is_built_in())
		skip();
	assert_int_equal(password_verify("p\xc3\xa4sswort", BCRYPT), 1);
	assert_int_equal(password_verify("passwort", BCRYPT), 0);
	assert_int_equal(password_verify("correct:horse", SHA512), 1);
	assert_int_equal(password_verify("correct:horse ", SHA512), 0);
	assert_int_equal(password_verify("hunter2hunter2", YESCRYPT), 1);
	assert_int_equal(password_verify("", YESCRYPT), 0);
}

static void
fresh_hash_is_one_that_is_taken(void **state)
{
	char a[PASSWORD_HASH_MAX + 1], b[PASSWORD_HASH_MAX + 1];

	(void)state;
	if (!password_is_built_in())
		skip();
	assert_int_equal(password_hash("geheim", a), 0);
	assert_int_equal(password_hash("geheim", b), 0);
	assert_string_not_equal(a, b);
	assert_null(password_check_hash(slice_from_str(a)));
	assert_int_equal(password_verify("geheim", a), 1);
	assert_int_equal(password_verify("geheim", b), 1);
	assert_int_equal(password_verify("Geheim", a), 0);
}

/* One that cannot be checked would be an error of every request. */
static void
hash_of_every_cost_that_is_taken_can_be_checked(void **state)
{
	static const char *const settings[] = { "j75", "j7T", "j95", "j9T", "jA5" };
	char hash[128];

	(void)state;
	if (!password_is_built_in())
		skip();
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(hash, sizeof(hash), "$y$%s%s", settings[i], YESCRYPT + 6);
		assert_null(password_check_hash(slice_from_str(hash)));
		assert_int_equal(password_verify("hunter2hunter2", hash),
				 strcmp(settings[i], "j9T") == 0);
	}
}

static void
hashes_are_told_apart(void **state)
{
	static const struct {
		const char *hash, *begins; /* of what is wrong; NULL: nothing */
	} cases[] = {
		{ BCRYPT, NULL },
		{ SHA512, NULL },
		{ YESCRYPT, NULL },
		{ "", "is empty" },
		{ "secret", "is no hash" },
		{ "rl3PLz8kSz5gU", "is no hash" },
		{ "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", "is SHA-1" },
		{ "$apr1$x$y", "is MD5" },
		{ "$1$x$y", "is MD5" },
		{ "$5$x$y", "is of a kind" },
		{ "$2x$04$abcdefghijklmnopqrstuvwxyz", "is of a kind" },
		{ "$2b$04$short", "is not whole" },
		{ BCRYPT "x", "is not whole" },
		{ "$2b$03$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe",
		  "is not whole" },
		{ "$2b$15$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe",
		  "takes too long" },
		{ SHA512 ":", "is not whole" },
		{ "$6$$", "is not whole" },
		{ "$6$rounds=x$abc$def", "is not whole" },
		{ "$6$rounds=999$"
		  "wiretests$kRZsCZiBMKNdXQPRDUsxmXKOZkgWCZ./"
		  "vFMNKKe.if0XRDcQ4k2GE1e9cnBLi.7SplBjo2Qmf1k6UsK9pFkM1/",
		  "is not whole" },
		{ "$6$rounds=1000001$"
		  "wiretests$kRZsCZiBMKNdXQPRDUsxmXKOZkgWCZ./"
		  "vFMNKKe.if0XRDcQ4k2GE1e9cnBLi.7SplBjo2Qmf1k6UsK9pFkM1/",
		  "takes too long" },
		{ "$y$j9T$$", "is not whole" },
		{ "$y$j.T$AYme0AkJcpfBkLWsCRuSY0$52m0aew2WrPcE9yWHUnMfXPYa6pOguL296qfJ/"
		  "2nlV8",
		  "is not whole" },
		{ "$y$jFT$AYme0AkJcpfBkLWsCRuSY0$52m0aew2WrPcE9yWHUnMfXPYa6pOguL296qfJ/"
		  "2nlV8",
		  "takes too long" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *wrong = password_check_hash(slice_from_str(cases[i].hash));
		const char *begins = cases[i].begins;

		if ((wrong == NULL) != (begins == NULL) ||
		    (begins != NULL && strncmp(wrong, begins, strlen(begins)) != 0))
			fail_msg("%s: %s", cases[i].hash, wrong);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standard),
		cmocka_unit_test(pieces_make_the_same_digest_as_the_whole),
		cmocka_unit_test(million_bytes_are_counted_right),
		cmocka_unit_test(keyed_digest_is_hmac),
		cmocka_unit_test(comparison_sees_every_byte),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(known_hashes_are_verified),
		cmocka_unit_test(fresh_hash_is_one_that_is_taken),
		cmocka_unit_test(hash_of_every_cost_that_is_taken_can_be_checked),
		cmocka_unit_test(hashes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
