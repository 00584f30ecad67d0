/* SPDX-License-Identifier: BSD-2-Clause
 *
 * password: the shape of hashes is looked at here, and not only by libcrypt, so that a line
 * that could never let anybody in is told at the start.
 */
#include "base/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/secret.h"
#include "config.h"

#ifdef HAVE_CRYPT
#include <crypt.h>
#endif

/* Some second of one core for a check: a worker that stops waits for it. */
#define BCRYPT_COST_MAX 14
#define SHA512_ROUNDS_MIN 1000
#define SHA512_ROUNDS_MAX 1000000
/* What crypt_gensalt(3) writes for its costs 1 to 8; the last takes 128 MiB. */
#define YESCRYPT_COST_MIN '7'
#define YESCRYPT_COST_MAX 'C'
#define YESCRYPT_BLOCK_MIN '5'
#define YESCRYPT_BLOCK_MAX 'T'

static const char too_slow[] = "takes too long to check; write one of lower cost: "
			       "bcrypt up to 14, SHA-512 up to 1000000 rounds, yescrypt "
			       "up to cost 8";
static const char cut[] = "is not whole, or has something behind it; make it anew by "
			  "\"websrvctl passwd\"";

static bool
is_crypt_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= 'a' && c <= 'z') && c != '.' && c != '/')
			return false;
	}
	return true;
}

/* $2y$COST$ and 22 + 31 characters. */
static const char *
check_bcrypt(struct slice hash)
{
	uint64_t cost;

	if (hash.len != 60 || hash.ptr[6] != '$' || !is_crypt_text(slice_from(hash, 7)) ||
	    number_dec(slice_make(hash.ptr + 4, 2), 31, &cost) != 0 || cost < 4)
		return cut;
	return cost > BCRYPT_COST_MAX ? too_slow : NULL;
}

/* $6$[rounds=N$]SALT$ and 86 characters. */
static const char *
check_sha512(struct slice hash)
{
	struct slice rest = slice_from(hash, 3);
	uint64_t rounds = 5000;
	size_t n;

	if (slice_starts_with(rest, SLICE("rounds="))) {
		rest = slice_from(rest, 7);
		n = slice_find(rest, '$');
		if (number_dec(slice_make(rest.ptr, n), UINT64_MAX, &rounds) != 0 ||
		    rest.ptr[0] == '0' || rounds < SHA512_ROUNDS_MIN)
			return cut;
		rest = slice_from(rest, n + 1);
	}
	n = slice_find(rest, '$');
	if (n > 16 || rest.len != n + 1 + 86 || !is_crypt_text(slice_make(rest.ptr, n)) ||
	    !is_crypt_text(slice_from(rest, n + 1)))
		return cut;
	return rounds > SHA512_ROUNDS_MAX ? too_slow : NULL;
}

/* $y$PARAMETERS$SALT$ and 43 characters; the parameters are "j", a character for the cost, and
 * one for the size of a block, as crypt_gensalt(3) writes them. */
static const char *
check_yescrypt(struct slice hash)
{
	struct slice parameters, rest = slice_from(hash, 3);
	size_t n = slice_find(rest, '$');

	parameters = slice_make(rest.ptr, n);
	rest = slice_from(rest, n + 1);
	n = slice_find(rest, '$');
	if (parameters.len != 3 || parameters.ptr[0] != 'j' ||
	    !is_crypt_text(parameters) || parameters.ptr[1] < YESCRYPT_COST_MIN ||
	    parameters.ptr[2] < YESCRYPT_BLOCK_MIN || n > 86 || rest.len != n + 1 + 43 ||
	    !is_crypt_text(slice_make(rest.ptr, n)) ||
	    !is_crypt_text(slice_from(rest, n + 1)))
		return cut;
	if (parameters.ptr[1] > YESCRYPT_COST_MAX ||
	    parameters.ptr[2] > YESCRYPT_BLOCK_MAX)
		return too_slow;
	return NULL;
}

/* Everything else that people have in such files. */
static const char *
explain_other(struct slice hash)
{
	if (slice_starts_with(hash, SLICE("$apr1$")) ||
	    slice_starts_with(hash, SLICE("$1$")))
		return "is MD5, which is guessed too fast; make it anew by \"websrvctl "
		       "passwd\"";
	if (slice_starts_with(hash, SLICE("{SHA}")))
		return "is SHA-1 without a salt, which is guessed too fast; make it anew "
		       "by \"websrvctl passwd\"";
	if (slice_starts_with(hash, SLICE("$")))
		return "is of a kind that is not taken; bcrypt ($2y$), SHA-512 ($6$) and "
		       "yescrypt ($y$) are: make it anew by \"websrvctl passwd\"";
	return "is no hash, or an old one of DES; passwords do not stand in this file as "
	       "they are: make it anew by \"websrvctl passwd\"";
}

const char *
password_check_hash(struct slice hash)
{
	if (hash.len == 0)
		return "is empty; make it by \"websrvctl passwd\"";
	if (hash.len > PASSWORD_HASH_MAX)
		return "is too long for a hash; make it anew by \"websrvctl passwd\"";
	if (slice_starts_with(hash, SLICE("$2y$")) ||
	    slice_starts_with(hash, SLICE("$2b$")) ||
	    slice_starts_with(hash, SLICE("$2a$")))
		return check_bcrypt(hash);
	if (slice_starts_with(hash, SLICE("$6$")))
		return check_sha512(hash);
	if (slice_starts_with(hash, SLICE("$y$")))
		return check_yescrypt(hash);
	return explain_other(hash);
}

#ifdef HAVE_CRYPT

bool
password_is_built_in(void)
{
	return true;
}

/* 0 with the result in `data`, or -errno. */
static int
crypt_into(const char *password, const char *setting, struct crypt_data *data)
{
	const char *made;

	errno = 0;
	made = crypt_r(password, setting, data);
	if (made == NULL || made[0] == '*')
		return errno != 0 ? -errno : -EINVAL;
	return 0;
}

static void
free_data(struct crypt_data *data)
{
	explicit_bzero(data, sizeof(*data));
	free(data);
}

int
password_verify(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	size_t len = strlen(hash);
	int rc;

	if (data == NULL)
		return -ENOMEM;
	rc = crypt_into(password, hash, data);
	if (rc == 0)
		rc = strlen(data->output) == len && secret_eq(data->output, hash, len);
	free_data(data);
	return rc;
}

int
password_hash(const char *password, char out[PASSWORD_HASH_MAX + 1])
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	size_t len;
	int rc = -ENOMEM;

	if (data == NULL)
		return rc;
	errno = 0;
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
		rc = errno != 0 ? -errno : -EINVAL;
	else
		rc = crypt_into(password, setting, data);
	len = strnlen(data->output, sizeof(data->output));
	if (rc == 0 && len > PASSWORD_HASH_MAX)
		rc = -ERANGE;
	if (rc == 0)
		memcpy(out, data->output, len + 1);
	free_data(data);
	return rc;
}

#else

bool
password_is_built_in(void)
{
	return false;
}

int
password_verify(const char *password, const char *hash)
{
	(void)password;
	(void)hash;
	return -ENOSYS;
}

int
password_hash(const char *password, char out[PASSWORD_HASH_MAX + 1])
{
	(void)password;
	(void)out;
	return -ENOSYS;
}

#endif
