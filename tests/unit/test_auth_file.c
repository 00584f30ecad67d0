/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of users and tokens: what is found in them, and what is said about their mistakes; the
 * Authorization field; the cache of what was right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "core/auth_cache.h"
#include "core/auth_file.h"
#include "http/authorization.h"

#define BCRYPT "$2b$04$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe"
#define BCRYPT_5 "$2b$05$wiretestswiretestswireibCS121XJOkoX4CdBRh3VeZMT0Nrsfe"
#define DIGEST "f22ac8f0753bf7652ce964fda4446008bb9032ff11b71d0bedd74ad55e3bf5bc"
#define OTHER "e22ac8f0753bf7652ce964fda4446008bb9032ff11b71d0bedd74ad55e3bf5bc"

static struct {
	struct auth_file file;
	struct arena arena;
	struct buf errors;
} rig;

static int
parse(enum auth_file_kind kind, const char *text)
{
	strmap_fini(&rig.file.by_key);
	rig.file = (struct auth_file){ .kind = kind, .path = "f" };
	rig.errors.len = 0;
	return auth_file_parse(&rig.file, slice_from_str(text), &rig.arena, &rig.errors);
}

static int
setup(void **state)
{
	(void)state;
	arena_init(&rig.arena, SIZE_MAX);
	buf_init(&rig.errors);
	rig.file = (struct auth_file){ .path = "f" };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	strmap_fini(&rig.file.by_key);
	buf_fini(&rig.errors);
	arena_fini(&rig.arena);
	return 0;
}

/* --- files --- */

/* Each worker reads the file, and a reload reads it again: were the choice another one then, the
 * time of a check would tell who is not there. */
static void
stand_in_is_the_same_whenever_the_file_is_read(void **state)
{
	static const char text[] = "a:" BCRYPT "\nb:" BCRYPT "\nc:" BCRYPT "\n";
	static const char other[] = "a:" BCRYPT "\nb:" BCRYPT "\nc:" BCRYPT_5 "\n";
	ptrdiff_t first[100];
	size_t moved = 0, seen[3] = { 0 };
	char name[16];

	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_int_equal(parse(AUTH_USERS, round < 2 ? text : other), 0);
		for (int i = 0; i < 100; i++) {
			const struct auth_entry *e;
			int n = snprintf(name, sizeof(name), "user%d", i);

			e = auth_file_stand_in(&rig.file, slice_make(name, (size_t)n));
			if (round == 0)
				first[i] = e - rig.file.entries;
			if (round == 1)
				assert_int_equal(e - rig.file.entries, first[i]);
			moved += e - rig.file.entries != first[i];
			seen[e - rig.file.entries]++;
		}
	}
	assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
	assert_true(moved > 0); /* it hangs from what is secret */
}

static void
users_are_found_by_their_names(void **state)
{
	const struct auth_entry *e;

	(void)state;
	assert_int_equal(
		parse(AUTH_USERS, "# who\n\nanna:" BCRYPT "\r\n  \nb o b:" BCRYPT), 0);
	assert_int_equal(rig.file.count, 2);
	e = auth_file_user(&rig.file, SLICE("b o b"));
	assert_non_null(e);
	assert_string_equal(e->secret, BCRYPT);
	assert_int_equal(e->line, 5);
	assert_non_null(auth_file_user(&rig.file, SLICE("anna")));
	assert_null(auth_file_user(&rig.file, SLICE("Anna")));
	assert_null(auth_file_user(&rig.file, SLICE("ann")));
	assert_null(auth_file_user(&rig.file, SLICE("")));
}

static void
tokens_are_found_by_what_they_are(void **state)
{
	const struct auth_entry *e;

	(void)state;
	assert_int_equal(
		parse(AUTH_TOKENS, "a:sha256:" OTHER "\nwire:sha256:" DIGEST "\n"), 0);
	e = auth_file_token(&rig.file, SLICE("wire-token-0123456789"));
	assert_non_null(e);
	assert_true(slice_eq(e->name, SLICE("wire")));
	assert_null(auth_file_token(&rig.file, SLICE("wire-token-012345678")));
	assert_null(auth_file_token(&rig.file, SLICE(DIGEST)));
	assert_null(auth_file_token(&rig.file, SLICE("")));
}

static void
empty_files_have_nobody(void **state)
{
	(void)state;
	assert_int_equal(parse(AUTH_USERS, ""), 0);
	assert_null(auth_file_user(&rig.file, SLICE("anna")));
	assert_int_equal(parse(AUTH_TOKENS, "# none\n"), 0);
	assert_null(auth_file_token(&rig.file, SLICE("x")));
	assert_int_equal(rig.file.count, 0);
}

static void
mistakes_are_told_with_their_places(void **state)
{
	static const struct {
		enum auth_file_kind kind;
		const char *text, *expected;
	} cases[] = {
		{ AUTH_USERS, "anna\n",
		  "f:1:1: this line has no colon; write USER:HASH, or let \"websrvctl "
		  "passwd\" do it\n" },
		{ AUTH_USERS, "#\n:" BCRYPT "\n",
		  "f:2:1: this name is empty; write a name before the colon\n" },
		{ AUTH_USERS, " a:" BCRYPT "\n",
		  "f:1:1: this name has a space at an end; remove it\n" },
		{ AUTH_USERS, "a\x01:" BCRYPT "\n",
		  "f:1:1: this name has a control character; remove it\n" },
		{ AUTH_USERS, "anna:geheim\n",
		  "f:1:6: this hash is no hash, or an old one of DES; passwords do not "
		  "stand in this file as they are: make it anew by \"websrvctl "
		  "passwd\"\n" },
		{ AUTH_USERS, "anna:" BCRYPT " \n",
		  "f:1:6: this hash is not whole, or has something behind it; make it "
		  "anew by \"websrvctl passwd\"\n" },
		{ AUTH_USERS, "anna:" BCRYPT "\nb:" BCRYPT "\nanna:" BCRYPT "\n",
		  "f:3:1: this name is on line 1 already; remove one\n" },
		{ AUTH_USERS, "a\nb:\n",
		  "f:1:1: this line has no colon; write USER:HASH, or let \"websrvctl "
		  "passwd\" do it\n"
		  "f:2:3: this hash is empty; make it by \"websrvctl passwd\"\n" },
		{ AUTH_TOKENS, "ci\n",
		  "f:1:1: this line has no colon; write NAME:sha256:DIGEST, or let "
		  "\"websrvctl token\" do it\n" },
		{ AUTH_TOKENS, "ci:token\n",
		  "f:1:4: what is behind the name is no \"sha256:DIGEST\"; tokens do not "
		  "stand in this file as they are: make one by \"websrvctl token\"\n" },
		{ AUTH_TOKENS, "ci:sha256:abc\n",
		  "f:1:4: what is behind the name does not have 64 hexadecimal digits; "
		  "make the token anew by \"websrvctl token\"\n" },
		{ AUTH_TOKENS,
		  "ci:sha256:z22ac8f0753bf7652ce964fda4446008bb9032ff11b71d0bedd74ad55e3"
		  "bf5bc\n",
		  "f:1:4: what is behind the name has something else than hexadecimal "
		  "digits; make the token anew by \"websrvctl token\"\n" },
		{ AUTH_TOKENS, "a:sha256:" DIGEST "\nb:sha256:" DIGEST "\n",
		  "f:2:3: this token has another name above; remove one\n" },
		{ AUTH_TOKENS, "a:sha256:" DIGEST "\na:sha256:" OTHER "\n",
		  "f:2:1: this name is on line 1 already; remove one\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].kind, cases[i].text), -1);
		if (!slice_eq(buf_slice(&rig.errors), slice_from_str(cases[i].expected)))
			fail_msg("%s: %.*s", cases[i].text, (int)rig.errors.len,
				 rig.errors.ptr);
	}
}

static void
names_have_a_longest_length(void **state)
{
	char name[AUTH_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_null(auth_name_check(slice_make(name, AUTH_NAME_MAX)));
	assert_non_null(auth_name_check(slice_make(name, AUTH_NAME_MAX + 1)));
	assert_non_null(auth_name_check(SLICE("#a")));
	assert_non_null(auth_name_check(SLICE("a:b")));
}

static void
errors_of_one_file_are_not_endless(void **state)
{
	struct buf text;
	size_t lines = 0;

	(void)state;
	buf_init(&text);
	for (int i = 0; i < 250; i++)
		buf_add_str(&text, "x\n");
	buf_add_char(&text, '\0');
	assert_int_equal(parse(AUTH_USERS, text.ptr), -1);
	for (size_t i = 0; i < rig.errors.len; i++)
		lines += rig.errors.ptr[i] == '\n';
	assert_int_equal(lines, 101);
	assert_true(
		slice_ends_with(buf_slice(&rig.errors), SLICE("f: 150 more errors\n")));
	buf_fini(&text);
}

/* --- the field --- */

static void
fields_are_taken_apart(void **state)
{
	static const struct {
		const char *value;
		enum authorization scheme;
		const char *credentials;
	} cases[] = {
		{ "Basic YTpi", AUTHORIZATION_BASIC, "YTpi" },
		{ "bASIC   YTpi", AUTHORIZATION_BASIC, "YTpi" },
		{ "Bearer a-._~+/1==", AUTHORIZATION_BEARER, "a-._~+/1==" },
		{ "Basic", AUTHORIZATION_BAD, "" },
		{ "Basic ==", AUTHORIZATION_BAD, "==" },
		{ "Basic a b", AUTHORIZATION_BAD, "a b" },
		{ "Bearer a=b", AUTHORIZATION_BAD, "a=b" },
		{ "Bearer \"a\"", AUTHORIZATION_BAD, "\"a\"" },
		{ "Basic\tYTpi", AUTHORIZATION_OTHER, "" },
		{ "BasicYTpi", AUTHORIZATION_OTHER, "" },
		{ "Digest a", AUTHORIZATION_OTHER, "a" },
		{ "", AUTHORIZATION_OTHER, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice credentials;
		enum authorization got =
			authorization_parse(slice_from_str(cases[i].value), &credentials);

		if (got != cases[i].scheme ||
		    !slice_eq(credentials, slice_from_str(cases[i].credentials)))
			fail_msg("%s: %d '%.*s'", cases[i].value, got,
				 SLICE_ARG(credentials));
	}
}

static void
basic_is_user_and_password(void **state)
{
	static const struct {
		const char *base64, *user, *password; /* NULL: it is none */
	} cases[] = {
		{ "YTpi", "a", "b" },
		{ "YTpiOmM=", "a", "b:c" }, /* the first colon */
		{ "YTo=", "a", "" },
		{ "w6Q6w7Y=", "\xc3\xa4", "\xc3\xb6" },
		{ "5Dr2", "\xe4", "\xf6" }, /* no UTF-8: compared as bytes */
		{ "YSA6IGI=", "a ", " b" },
		{ "OmI=", NULL, NULL },     /* no user */
		{ "YWI=", NULL, NULL },     /* no colon */
		{ "YTpiAA==", NULL, NULL }, /* NUL */
		{ "YQo6Yg==", NULL, NULL }, /* line feed */
		{ "YTpif38=", NULL, NULL }, /* DEL */
		{ "YTo", NULL, NULL },      /* no padding */
		{ "YTp=", NULL, NULL },     /* bits behind */
		{ "YTo_", NULL, NULL },     /* another alphabet */
		{ "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = malloc(AUTHORIZATION_BASIC_MAX + 1);
		struct slice user, password;
		int rc;

		assert_non_null(out);
		rc = authorization_basic(slice_from_str(cases[i].base64), out, &user,
					 &password);
		if ((rc == 0) != (cases[i].user != NULL))
			fail_msg("%s: %d", cases[i].base64, rc);
		if (rc == 0) {
			assert_string_equal(user.ptr, cases[i].user);
			assert_string_equal(password.ptr, cases[i].password);
			assert_int_equal(user.len, strlen(cases[i].user));
			assert_int_equal(password.len, strlen(cases[i].password));
		}
		free(out);
	}
}

static void
basic_has_a_longest_length(void **state)
{
	char text[1400], out[AUTHORIZATION_BASIC_MAX + 1];
	struct slice user, password;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "eHh4"[i % 4]; /* "xxx" */
	memcpy(text, "YTpi", 4);
	assert_int_equal(
		authorization_basic(slice_make(text, 1364), out, &user, &password), 0);
	assert_int_equal(password.len, 1021);
	assert_int_not_equal(
		authorization_basic(slice_make(text, 1368), out, &user, &password), 0);
}

/* --- the cache --- */

static struct auth_cache cache;

/* A key of set 0. */
static void
make_key(unsigned char key[SECRET_DIGEST], unsigned char number)
{
	memset(key, 0, SECRET_DIGEST);
	key[SECRET_DIGEST - 1] = number;
}

static void
cache_remembers_for_five_minutes(void **state)
{
	unsigned char key[SECRET_DIGEST], other[SECRET_DIGEST];

	(void)state;
	cache = (struct auth_cache){ 0 };
	make_key(key, 1);
	make_key(other, 2);
	assert_false(auth_cache_has(&cache, key, 1000));
	auth_cache_add(&cache, key, 1000);
	assert_true(auth_cache_has(&cache, key, 1000));
	assert_false(auth_cache_has(&cache, other, 1000));
	/* Using it does not make it last longer. */
	assert_true(auth_cache_has(&cache, key, 999 + AUTH_CACHE_MS));
	assert_false(auth_cache_has(&cache, key, 1000 + AUTH_CACHE_MS));
	assert_false(auth_cache_has(&cache, (unsigned char[SECRET_DIGEST]){ 0 }, 1000));
}

static void
cache_takes_the_place_of_who_was_not_seen_for_longest(void **state)
{
	unsigned char key[SECRET_DIGEST];

	(void)state;
	cache = (struct auth_cache){ 0 };
	for (unsigned char i = 0; i < AUTH_CACHE_WAYS; i++) {
		make_key(key, i);
		auth_cache_add(&cache, key, 1000 + i);
	}
	make_key(key, 0);
	assert_true(auth_cache_has(&cache, key, 2000)); /* now 1 is the oldest */
	make_key(key, 100);
	auth_cache_add(&cache, key, 2001);
	for (unsigned char i = 0; i < AUTH_CACHE_WAYS; i++) {
		make_key(key, i);
		assert_int_equal(auth_cache_has(&cache, key, 2002), i != 1);
	}
	make_key(key, 100);
	auth_cache_add(&cache, key, 2003); /* once more takes no second place */
	make_key(key, 0);
	assert_true(auth_cache_has(&cache, key, 2003));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found_by_their_names),
		cmocka_unit_test(tokens_are_found_by_what_they_are),
		cmocka_unit_test(empty_files_have_nobody),
		cmocka_unit_test(mistakes_are_told_with_their_places),
		cmocka_unit_test(names_have_a_longest_length),
		cmocka_unit_test(errors_of_one_file_are_not_endless),
		cmocka_unit_test(stand_in_is_the_same_whenever_the_file_is_read),
		cmocka_unit_test(fields_are_taken_apart),
		cmocka_unit_test(basic_is_user_and_password),
		cmocka_unit_test(basic_has_a_longest_length),
		cmocka_unit_test(cache_remembers_for_five_minutes),
		cmocka_unit_test(cache_takes_the_place_of_who_was_not_seen_for_longest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
