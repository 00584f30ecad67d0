/* SPDX-License-Identifier: BSD-2-Clause
 *
 * password: hashes of passwords as crypt(5) has them: bcrypt, SHA-512 and yescrypt. The one
 * file that knows libcrypt, or that it is not there. Safe in any thread.
 */
#ifndef WEBSRV_BASE_PASSWORD_H
#define WEBSRV_BASE_PASSWORD_H

#include <stdbool.h>

#include "base/slice.h"

#define PASSWORD_MAX 511      /* bytes of a password */
#define PASSWORD_HASH_MAX 383 /* bytes of a hash */

bool password_is_built_in(void);

/* NULL when `hash` is one that is taken; else what is wrong with it and what would be right, to
 * be printed behind a name of it: "... is MD5 of Apache, ...". Also a hash that would take
 * longer than a second or so to check is wrong. */
const char *password_check_hash(struct slice hash);

/* 1: `password` makes `hash`, one that password_check_hash() took; 0: it does not; -errno. Takes
 * as long for both; hundreds of milliseconds. */
int password_verify(const char *password, const char *hash)
	__attribute__((warn_unused_result));

/* A hash (yescrypt, fresh salt) of `password` into `out`. 0 or -errno. */
int password_hash(const char *password, char out[PASSWORD_HASH_MAX + 1])
	__attribute__((warn_unused_result));

#endif
