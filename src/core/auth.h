/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth: who may use a route, by what he knows. Made ready once, at the start; for a request
 * the exchange comes in, and 0, a status, or "wait" comes out. Nothing here is logged but the
 * name of who was let in.
 */
#ifndef WEBSRV_CORE_AUTH_H
#define WEBSRV_CORE_AUTH_H

#include "core/auth_file.h"
#include "http/names.h"

struct exchange;

#define AUTH_HOLD (-1)

struct auth {
	unsigned methods;              /* set of HTTP_BIT() that need it */
	const struct auth_file *users; /* NULL: no Basic */
	const struct auth_file *tokens;
	/* values of WWW-Authenticate; the last for a token that is wrong */
	struct slice basic, bearer, bearer_wrong;
};

/* Reads the files; NULL with messages. The result lives in the arena. */
const struct auth *auth_new(const struct conf_auth *conf, struct auth_files *files,
			    struct arena *arena, struct buf *errors)
	__attribute__((warn_unused_result));

bool auth_needs(const struct auth *a, enum http_method m);

/*
 * Whether the request may go on: 0 with ex->user and ex->granted set; or a status, with the
 * fields that belong to it kept: 401, 400 (several Authorization fields), 429 and 503 (too
 * many passwords are being checked), 500; or AUTH_HOLD: exchange_release() is called later,
 * and auth_resume() tells then.
 */
int auth_ask(const struct auth *a, struct exchange *ex);
int auth_resume(const struct auth *a, struct exchange *ex);

#endif
