/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth_verify: is it the password of that hash? Each worker has one: a check takes a tenth of
 * a second, so it is made by the pool, exchanges wait for it, and what was right is remembered
 * for some minutes. What was wrong never is; but few checks are made at a time, and fewer for
 * one address, so that guessing keeps nobody from the rest of the server.
 */
#ifndef WEBSRV_CORE_AUTH_VERIFY_H
#define WEBSRV_CORE_AUTH_VERIFY_H

#include <stdbool.h>

#include "base/slice.h"

struct auth_shared;
struct auth_wait;
struct exchange;
struct pool;

/* Checks under way in a worker, of all clients and of one address (of IPv6: one /64). Peers of
 * unix sockets are a proxy, and are only bounded by the first. */
#define AUTH_CHECKS_MAX 16
#define AUTH_CHECKS_ADDRESS 4

enum auth_verdict {
	AUTH_WRONG,
	AUTH_RIGHT,
	AUTH_WAITS,   /* see auth_verify() */
	AUTH_CROWDED, /* too many checks for this address: 429 */
	AUTH_BUSY,    /* too many of all, or no memory: 503 */
	AUTH_BROKEN   /* the check could not be made: 500 */
};

/* NULL without memory or random bytes. The pool is borrowed, and freed before. */
struct auth_shared *auth_shared_new(struct pool *pool)
	__attribute__((warn_unused_result));
void auth_shared_free(struct auth_shared *s);

/* `known`: the hash is that of the user; else it only stands in for one that does not exist. */
struct auth_question {
	struct slice user, password;
	const char *hash;
	bool known;
};

/*
 * Is it the password of that hash? Of a user that is not known the verdict is never AUTH_RIGHT,
 * after as long a time; and who asks for two users at once asks two questions.
 * AUTH_WAITS: ex->auth_wait is set, exchange_release() is called when it is known, and
 * auth_verdict() tells it. With a NULL `s` (nothing is served) it is checked here and now.
 */
enum auth_verdict auth_verify(struct auth_shared *s, struct exchange *ex,
			      const struct auth_question *q);

/* Once, after exchange_release(): of ex->auth_wait, which is NULL then. */
enum auth_verdict auth_verdict(struct exchange *ex);

/* The client seems to have gone: a check that waits only for him, and for a helper, gives its
 * place to others while all helpers are busy, and the verdict is AUTH_BUSY. One that runs goes
 * on; nothing happens when the exchange does not wait. */
void auth_yield(struct exchange *ex);

/* The exchange does not wait any longer; nothing happens when it did not. */
void auth_forget(struct exchange *ex);
#endif
