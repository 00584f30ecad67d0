/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as an Authorization field, as a file of users and as one of tokens: what is taken
 * keeps its promises, and whoever is in a file is found in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/password.h"
#include "core/auth_file.h"
#include "http/authorization.h"

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_field(struct slice value)
{
	struct slice credentials, user, password;
	enum authorization which = authorization_parse(value, &credentials);
	char *out = malloc(AUTHORIZATION_BASIC_MAX + 1);

	CHECK(out != NULL);
	CHECK(credentials.len <= value.len);
	if (which == AUTHORIZATION_BASIC || which == AUTHORIZATION_BEARER)
		CHECK(credentials.len > 0 &&
		      slice_find(credentials, ' ') == credentials.len);
	if (which == AUTHORIZATION_BASIC &&
	    authorization_basic(credentials, out, &user, &password) == 0) {
		CHECK(user.len > 0 && user.len + password.len < AUTHORIZATION_BASIC_MAX);
		CHECK(slice_find(user, ':') == user.len);
		CHECK(strlen(user.ptr) == user.len &&
		      strlen(password.ptr) == password.len);
	}
	free(out);
}

static void
fuzz_file(enum auth_file_kind kind, struct slice text)
{
	struct auth_file f = { .kind = kind, .path = "f" };
	struct arena arena;
	struct buf errors;

	arena_init(&arena, SIZE_MAX);
	buf_init(&errors);
	CHECK((auth_file_parse(&f, text, &arena, &errors) == 0) == (errors.len == 0));
	for (size_t i = 0; errors.len == 0 && i < f.count; i++) {
		const struct auth_entry *e = &f.entries[i];

		CHECK(auth_name_check(e->name) == NULL);
		if (kind == AUTH_USERS) {
			CHECK(auth_file_user(&f, e->name) == e);
			CHECK(password_check_hash(slice_from_str(e->secret)) == NULL);
		}
	}
	strmap_fini(&f.by_key);
	buf_fini(&errors);
	arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* One byte beyond it is seen by AddressSanitizer. */
	char *copy = malloc(size != 0 ? size : 1);

	CHECK(copy != NULL);
	if (size != 0)
		memcpy(copy, data, size);
	fuzz_field(slice_make(copy, size));
	fuzz_file(AUTH_USERS, slice_make(copy, size));
	fuzz_file(AUTH_TOKENS, slice_make(copy, size));
	free(copy);
	return 0;
}
