/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Digest fields: what is wanted, what is claimed, what is written, with the examples of RFC
 * 9530; and the hash itself, with those of FIPS 180.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "rows.h"
#include "http/digest_hash.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LINES_MAX 3

/* {"hello": "world"} and a line feed: RFC 9530 appendix B. */
#define HELLO "{\"hello\": \"world\"}\n"
#define HELLO_256 "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="
#define HELLO_512                                                                        \
	"YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/"     \
	"WkppmM44T3qg=="
#define S256(text) "sha-256=:" text ":"
#define S512(text) "sha-512=:" text ":"

#define BIT_256 DIGEST_BIT(DIGEST_SHA_256)
#define BIT_512 DIGEST_BIT(DIGEST_SHA_512)

static struct http_head
make_head(enum http_field_id id, const char *const lines[LINES_MAX],
	  struct http_field fields[LINES_MAX + 1])
{
	struct http_head head = { .method = HTTP_GET,
				  .fields = fields,
				  .field_count = 1 };

	fields[0] = (struct http_field){ SLICE("Host"), SLICE("sha-512=9"),
					 HTTP_FIELD_HOST, false };
	for (size_t i = 0; i < LINES_MAX && lines[i] != NULL; i++)
		fields[head.field_count++] =
			(struct http_field){ http_field_name(id),
					     slice_from_str(lines[i]), id, false };
	return head;
}

/* --- what is wanted --- */

struct want_case {
	const char *name;
	const char *lines[LINES_MAX];
	unsigned available;
	enum digest_algorithm best;
};

/* clang-format off */
static const struct want_case want_cases[] = {
#define NONE DIGEST_COUNT
#define A256 DIGEST_SHA_256
#define A512 DIGEST_SHA_512
	{ "without_a_field_nothing_is_wanted", { NULL }, DIGEST_ALL, NONE },
	{ "empty_field_wants_nothing", { "" }, DIGEST_ALL, NONE },
	{ "one_algorithm_is_wanted", { "sha-256=1" }, DIGEST_ALL, A256 },
	{ "the_other_one_is_wanted", { "sha-512=3" }, DIGEST_ALL, A512 },
	{ "highest_weight_wins", { "sha-512=3, sha-256=10, unixsum=0" }, DIGEST_ALL, A256 },
	{ "highest_weight_wins_over_our_order", { "sha-256=3, sha-512=10" }, DIGEST_ALL, A512 },
	{ "equal_weights_go_to_sha_256", { "sha-512=5,sha-256=5" }, DIGEST_ALL, A256 },
	{ "weight_0_is_not_wanted", { "sha-256=0" }, DIGEST_ALL, NONE },
	{ "weight_0_leaves_the_other_one", { "sha-256=0, sha-512=1" }, DIGEST_ALL, A512 },
	{ "weight_10_is_the_highest", { "sha-256=10" }, DIGEST_ALL, A256 },
	{ "unknown_algorithms_are_passed_over", { "md5=10, sha-256=1, id-sha-512=9, sha=9" }, DIGEST_ALL, A256 },
	{ "only_unknown_ones_want_nothing", { "md5=10, *=5, sha-2566=1, sha-25=1" }, DIGEST_ALL, NONE },
	{ "what_is_not_available_is_passed_over", { "sha-256=1, sha-512=9" }, BIT_256, A256 },
	{ "wanted_but_not_available_is_none", { "sha-512=9" }, BIT_256, NONE },
	{ "nothing_available_is_none", { "sha-256=9, sha-512=9" }, 0, NONE },
	{ "several_lines_are_one_dictionary", { "sha-256=1", "sha-512=9" }, DIGEST_ALL, A512 },
	{ "an_empty_line_adds_nothing", { "", "sha-512=9", "" }, DIGEST_ALL, A512 },
	{ "the_last_of_two_weights_counts", { "sha-256=9, sha-512=5, sha-256=1" }, DIGEST_ALL, A512 },
	{ "the_last_of_two_lines_counts", { "sha-256=9", "sha-256=0" }, DIGEST_ALL, NONE },
	{ "parameters_are_tolerated", { "sha-256=1;a;b=\"x,sha-512=9\", sha-512=0;q=1" }, DIGEST_ALL, A256 },
	/* Malformed as a whole. */
	{ "weight_11_spoils_the_field", { "sha-256=1, sha-512=11" }, DIGEST_ALL, NONE },
	{ "negative_weight_spoils_the_field", { "sha-256=1, sha-512=-1" }, DIGEST_ALL, NONE },
	{ "huge_weight_spoils_the_field", { "sha-256=1, sha-512=99999999999999999999" }, DIGEST_ALL, NONE },
	{ "weight_that_would_wrap_spoils_the_field", { "sha-256=4294967297" }, DIGEST_ALL, NONE },
	{ "weight_of_an_unknown_one_spoils_the_field", { "sha-256=1, md5=11" }, DIGEST_ALL, NONE },
	{ "fraction_spoils_the_field", { "sha-256=1.0" }, DIGEST_ALL, NONE },
	{ "key_alone_spoils_the_field", { "sha-256" }, DIGEST_ALL, NONE },
	{ "string_spoils_the_field", { "sha-256=\"1\"" }, DIGEST_ALL, NONE },
	{ "token_spoils_the_field", { "sha-256=x" }, DIGEST_ALL, NONE },
	{ "bytes_spoil_the_field", { "sha-256=:AA==:" }, DIGEST_ALL, NONE },
	{ "list_spoils_the_field", { "sha-256=(1)" }, DIGEST_ALL, NONE },
	{ "quality_of_old_is_not_understood", { "SHA-256;q=0.3" }, DIGEST_ALL, NONE },
	{ "upper_case_spoils_the_field", { "SHA-256=1" }, DIGEST_ALL, NONE },
	{ "final_comma_spoils_the_field", { "sha-256=1," }, DIGEST_ALL, NONE },
	{ "missing_comma_spoils_the_field", { "sha-256=1 sha-512=1" }, DIGEST_ALL, NONE },
	{ "space_around_the_equals_sign_spoils_the_field", { "sha-256 = 1" }, DIGEST_ALL, NONE },
	{ "bad_line_spoils_the_line_before", { "sha-256=1", "sha-512" }, DIGEST_ALL, NONE },
	{ "bad_line_spoils_the_line_behind", { "sha-512=11", "sha-256=1" }, DIGEST_ALL, NONE },
#undef NONE
#undef A256
#undef A512
};
/* clang-format on */

static void
run_want_case(void **state)
{
	const struct want_case *c = *state;
	struct http_field fields[LINES_MAX + 1];
	struct http_head head = make_head(HTTP_FIELD_WANT_REPR_DIGEST, c->lines, fields);
	struct digest_weights want;

	digest_read_weights(&head, &want);
	assert_int_equal(digest_pick(&want, c->available), c->best);
}

/* --- what is claimed --- */

struct claim_case {
	const char *name;
	const char *lines[LINES_MAX];
	int present; /* -1: malformed; the digests present are those of HELLO */
};

#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* clang-format off */
static const struct claim_case claim_cases[] = {
	{ "without_a_field_nothing_is_claimed", { NULL }, 0 },
	{ "empty_field_claims_nothing", { "" }, 0 },
	{ "sha_256_is_read", { S256(HELLO_256) }, BIT_256 },
	{ "sha_512_is_read", { S512(HELLO_512) }, BIT_512 },
	{ "both_are_read", { S256(HELLO_256) "," S512(HELLO_512) }, DIGEST_ALL },
	{ "both_are_read_in_any_order", { S512(HELLO_512) " ,\t" S256(HELLO_256) }, DIGEST_ALL },
	{ "both_are_read_from_two_lines", { S512(HELLO_512), S256(HELLO_256) }, DIGEST_ALL },
	{ "unknown_digests_are_passed_over", { "md5=:AAAA:, " S256(HELLO_256) ", x=::" }, BIT_256 },
	{ "only_unknown_ones_are_nothing", { "md5=:AAAA:, sha=:AA==:" }, 0 },
	{ "parameters_of_a_digest_are_tolerated", { S256(HELLO_256) ";a=\"b\";c" }, BIT_256 },
	{ "the_last_of_two_digests_counts", { S256(A43 "=") ", " S256(HELLO_256) }, BIT_256 },
	/* Malformed. */
	{ "digest_without_colons_is_malformed", { "sha-256=" HELLO_256 }, -1 },
	{ "digest_in_quotes_is_malformed", { "sha-256=\"" HELLO_256 "\"" }, -1 },
	{ "digest_without_an_end_is_malformed", { "sha-256=:" HELLO_256 }, -1 },
	{ "digest_without_a_value_is_malformed", { "sha-256" }, -1 },
	{ "digest_that_is_a_number_is_malformed", { "sha-256=1" }, -1 },
	{ "digest_that_is_true_is_malformed", { "sha-256=?1" }, -1 },
	{ "list_of_digests_is_malformed", { "sha-256=(:" HELLO_256 ":)" }, -1 },
	{ "unknown_digest_that_is_no_bytes_is_malformed", { S256(HELLO_256) ", md5=1" }, -1 },
	{ "digest_in_upper_case_is_malformed", { "SHA-256=:" HELLO_256 ":" }, -1 },
	{ "digest_of_old_is_malformed", { "SHA-256=" HELLO_256 }, -1 },
	{ "empty_digest_is_malformed", { "sha-256=::" }, -1 },
	{ "short_digest_is_malformed", { S256("AAAA") }, -1 },
	{ "digest_of_31_bytes_is_malformed", { S256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==") }, -1 },
	{ "digest_of_33_bytes_is_malformed", { S256(A43 "A") }, -1 },
	{ "digest_of_the_other_length_is_malformed", { S256(HELLO_512) }, -1 },
	{ "digest_of_half_the_length_is_malformed", { S512(HELLO_256) }, -1 },
	{ "digest_without_padding_is_malformed", { S256(A43) }, -1 },
	{ "digest_with_too_much_padding_is_malformed", { S256(A43 "==") }, -1 },
	{ "digest_with_bits_in_its_padding_is_malformed", { S256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=") }, -1 },
	{ "digest_in_the_alphabet_of_urls_is_malformed", { S256("RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=") }, -1 },
	{ "digest_in_hex_is_malformed", { S256("44aff4ab2d7c3250525675a08f0cfa9591168cffe51791c5f5bbc417c15a6c38") }, -1 },
	{ "digest_with_a_space_is_malformed", { S256(" " HELLO_256) }, -1 },
	{ "final_comma_is_malformed", { S256(HELLO_256) "," }, -1 },
	{ "missing_comma_is_malformed", { S256(HELLO_256) " " S512(HELLO_512) }, -1 },
	{ "bad_digest_before_a_good_one_is_malformed", { S256("AAAA") ", " S256(HELLO_256) }, -1 },
	{ "bad_line_is_malformed", { S256(HELLO_256), "sha-512" }, -1 },
};
/* clang-format on */

/* Only those of the set are compared. */
static void
assert_is_hello(const struct digest_set *set)
{
	static const char *const want[DIGEST_COUNT] = { S256(HELLO_256),
							S512(HELLO_512) };
	char text[DIGEST_TEXT_MAX];

	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((set->present & DIGEST_BIT(a)) != 0)
			assert_true(slice_eq(digest_format(a, set->value[a], text),
					     slice_from_str(want[a])));
	}
}

static void
run_claim_case(void **state)
{
	const struct claim_case *c = *state;
	struct http_field fields[LINES_MAX + 1];
	struct http_head head = make_head(HTTP_FIELD_REPR_DIGEST, c->lines, fields);
	struct digest_set set;
	int rc = digest_read(&head, HTTP_FIELD_REPR_DIGEST, &set);

	assert_int_equal(rc, c->present < 0 ? -EINVAL : 0);
	if (rc == 0) {
		assert_int_equal(set.present, c->present);
		assert_is_hello(&set);
	}
	if (c->lines[0] != NULL && c->lines[1] == NULL) {
		assert_int_equal(digest_parse(slice_from_str(c->lines[0]), &set), rc);
		if (rc == 0)
			assert_int_equal(set.present, c->present);
	}
}

/* --- what is computed --- */

struct hash_case {
	const char *plain, *hex[DIGEST_COUNT];
};

/* clang-format off */
static const struct hash_case hash_cases[] = {
	{ "",
	  { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" } },
	{ "abc",
	  { "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" } },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  { "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	    "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" } },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	  { "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
	    "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" } },
};
/* clang-format on */

/* In pieces of `step` bytes. */
static void
hash(enum digest_algorithm a, struct slice plain, size_t step, unsigned char *out)
{
	struct digest_hash *h = digest_hash_new(a);

	assert_non_null(h);
	digest_hash_add(h, NULL, 0);
	while (plain.len != 0) {
		size_t n = plain.len < step ? plain.len : step;

		digest_hash_add(h, plain.ptr, n);
		plain = slice_from(plain, n);
	}
	assert_true(digest_hash_end(h, out));
	digest_hash_free(h);
}

static void
hashes_are_those_of_the_standard(void **state)
{
	unsigned char value[DIGEST_SIZE_MAX];
	char hex[2 * DIGEST_SIZE_MAX + 1];

	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	for (size_t i = 0; i < COUNT(hash_cases); i++) {
		for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
			for (size_t step = 1; step < 200; step += 62) {
				hash(a, slice_from_str(hash_cases[i].plain), step, value);
				for (size_t n = 0; n < digest_size(a); n++)
					snprintf(hex + 2 * n, 3, "%02x", value[n]);
				assert_string_equal(hex, hash_cases[i].hex[a]);
			}
		}
	}
}

static void
checksum_of_tus_is_sha_1_and_no_field_is(void **state)
{
	unsigned char value[DIGEST_SIZE_MAX];
	struct digest_set set;
	char text[DIGEST_TEXT_MAX];

	(void)state;
	assert_int_equal(digest_size(DIGEST_SHA_1), 20);
	assert_int_equal(digest_parse(SLICE("sha1=:qZk+NkcGgWq6PiVxeFDCbJzQ2J0=:"), &set),
			 0);
	assert_int_equal(set.present, 0);
	if (digest_hash_library() == NULL)
		skip();
	/* FIPS 180-4: "abc". */
	hash(DIGEST_SHA_1, SLICE("abc"), 2, value);
	assert_true(slice_eq(digest_format(DIGEST_SHA_1, value, text),
			     SLICE("sha1=:qZk+NkcGgWq6PiVxeFDCbJzQ2J0=:")));
}

static void
field_is_that_of_rfc_9530(void **state)
{
	struct digest_set set = { .present = DIGEST_ALL };

	(void)state;
	if (digest_hash_library() == NULL)
		skip();
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++)
		hash(a, SLICE(HELLO), 7, set.value[a]);
	assert_is_hello(&set);
}

static void
without_the_library_there_is_no_hash(void **state)
{
	(void)state;
	if (digest_hash_library() != NULL)
		skip();
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++)
		assert_null(digest_hash_new(a));
	digest_hash_free(NULL);
}

static void
longest_field_fits(void **state)
{
	unsigned char value[DIGEST_SIZE_MAX] = { 0 };
	char text[DIGEST_TEXT_MAX];

	(void)state;
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		assert_in_range(digest_size(a), 1, DIGEST_SIZE_MAX);
		assert_in_range(digest_format(a, value, text).len, digest_name(a).len + 3,
				DIGEST_TEXT_MAX);
	}
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(hashes_are_those_of_the_standard),
		cmocka_unit_test(field_is_that_of_rfc_9530),
		cmocka_unit_test(checksum_of_tus_is_sha_1_and_no_field_is),
		cmocka_unit_test(without_the_library_there_is_no_hash),
		cmocka_unit_test(longest_field_fits),
	};
	static struct CMUnitTest
		tests[COUNT(others) + COUNT(want_cases) + COUNT(claim_cases)];
	struct CMUnitTest *t = tests + COUNT(others);

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < COUNT(want_cases); i++)
		*t++ = row_test(want_cases[i].name, run_want_case, &want_cases[i]);
	for (size_t i = 0; i < COUNT(claim_cases); i++)
		*t++ = row_test(claim_cases[i].name, run_claim_case, &claim_cases[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
