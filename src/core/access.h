/* SPDX-License-Identifier: BSD-2-Clause
 *
 * access: who may use a route, by address. The lists of a route are made ready once, at the
 * start; for a request the peer comes in and the decision goes out. Nothing is allocated
 * for a request, and the cost grows with the logarithm of the lists.
 */
#ifndef WEBSRV_CORE_ACCESS_H
#define WEBSRV_CORE_ACCESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/cidr.h"
#include "conf/config.h"
#include "core/peer.h"

struct access_list {
	struct cidr_set blocks;
	bool has_unix; /* peers on a unix socket */
};

struct access {
	struct access_list allow, deny;
	bool is_limited; /* there is an allow list: who is not in it is refused */
};

/* The items are such as the configuration takes: blocks as cidr_parse() has them, or
 * "unix". An empty list is none. NULL without memory; the result lives in the arena. */
const struct access *access_new(const struct conf_strings *allow,
				const struct conf_strings *deny, struct arena *arena)
	__attribute__((warn_unused_result));

enum access_rule {
	ACCESS_DENIED,      /* "deny" has him */
	ACCESS_ALLOWED,     /* "allow" has him */
	ACCESS_NOT_ALLOWED, /* there is an "allow", and it has not */
	ACCESS_NOT_DENIED   /* there is none, and "deny" has not */
};

struct access_verdict {
	enum access_rule rule;
	bool permits;
	const struct cidr *block; /* that he is in; NULL: none, or "unix" */
};

/* Deny is looked at first; then, where there is an allow list, only who is in it may. */
struct access_verdict access_decide(const struct access *a, const struct peer *peer);

#endif
