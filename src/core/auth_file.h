/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth_file: the files that "auth" names, read once, when a site is made: users (lines
 * USER:HASH) and tokens (lines NAME:sha256:DIGEST in hexadecimal). Blank lines and those that
 * begin with '#' say nothing. Every line that is wrong is told with its place. Const after
 * that; secrets in clear are never in here.
 */
#ifndef WEBSRV_CORE_AUTH_FILE_H
#define WEBSRV_CORE_AUTH_FILE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/slice.h"
#include "base/strmap.h"
#include "conf/config.h"

struct buf;
struct log;

#define AUTH_NAME_MAX 255 /* bytes of a name of a user or token */
#define AUTH_FILE_MAX ((size_t)16 << 20)

enum auth_file_kind { AUTH_USERS, AUTH_TOKENS };

struct auth_entry {
	struct slice name;
	const char *secret; /* a hash of crypt(5), or SECRET_DIGEST bytes */
	uint32_t line;
};

struct auth_file {
	struct auth_file *next;
	enum auth_file_kind kind;
	const char *path; /* the configuration's */
	const struct auth_entry *entries;
	size_t count;
	unsigned char key[SECRET_DIGEST]; /* made of all secrets */
	struct strmap by_key;             /* of users by name, of tokens by digest */
	bool is_exposed;                  /* every local user may read or write it */
	bool failed;
};

/* All of a site, each once; NULL is none yet. */
struct auth_files {
	struct auth_file *first;
};

/* The file, read unless it is there already; NULL after appending to `errors` what is wrong,
 * once for each file. `place` is where the configuration names it. */
const struct auth_file *auth_files_get(struct auth_files *all, enum auth_file_kind kind,
				       const char *path, const struct conf_place *place,
				       struct arena *arena, struct buf *errors)
	__attribute__((warn_unused_result));
void auth_files_fini(struct auth_files *all);

/* The file that was read, or NULL. */
const struct auth_file *auth_files_find(const struct auth_files *all,
					enum auth_file_kind kind, const char *path);

/* NULL when it is fine, else what is wrong with it as a name: "has a colon, ...". */
const char *auth_name_check(struct slice name);

/* The entry of a user, or NULL. */
const struct auth_entry *auth_file_user(const struct auth_file *f, struct slice name);
/* The entry whose hash stands in for a user that is not there, so that a check takes time; of a
 * file with users. The same for the same name in every worker and after a reload of the same
 * file, as that of a user is; and nobody tells it who has not read the file. */
const struct auth_entry *auth_file_stand_in(const struct auth_file *f, struct slice name);
/* The entry of a token, or NULL. */
const struct auth_entry *auth_file_token(const struct auth_file *f, struct slice token);

/* What auth_files_get() does with the text of a file, for who has one: `f` is zero but for kind
 * and path; its by_key is the caller's to free. 0, or -1 after appending to `errors`. */
int auth_file_parse(struct auth_file *f, struct slice text, struct arena *arena,
		    struct buf *errors);

#endif
