/* SPDX-License-Identifier: BSD-2-Clause
 *
 * router: which route answers a canonical path in one server. A pure function of its
 * arguments; its cost does not grow with the number of redirect rows, exact paths or
 * prefixes, only with the depth of the deepest prefix and the number of expressions.
 *
 * Order: the redirects table, exact paths, expressions in their order, the longest prefix.
 * A prefix "/a/" is matched on whole segments, and "/a" itself is answered by a redirect to
 * "/a/".
 */
#ifndef WEBSRV_CORE_ROUTER_H
#define WEBSRV_CORE_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/packmap.h"
#include "base/slice.h"
#include "base/strmap.h"
#include "conf/config.h"
#include "http/message.h"

struct access;
struct auth;
struct cors;
struct handler_ops;

/* One action of one route, ready to run. */
struct handler {
	const struct handler_ops *ops;
	void *state;       /* the handler's own; freed by ops->destroy */
	uint64_t body_max; /* largest request body it takes, bytes */
};

#define ROUTE_HANDLERS_MAX 2 /* files and upload */

struct route {
	const struct conf_route *conf;
	struct slice
		prefix; /* "/docs/" when the path is that and a star; else the path */
	struct handler handlers[ROUTE_HANDLERS_MAX];
	size_t handler_count;
	const struct handler *by_method[HTTP_METHOD_COUNT]; /* NULL: 405 */
	struct slice allow;              /* value of Allow, OPTIONS included */
	const struct cors *cors;         /* NULL: pages of other origins are not let in */
	const struct access *access;     /* NULL: every address may use it */
	const struct auth *auth;         /* NULL: nobody has to say who he is */
	const struct http_field *fields; /* "headers": added to every answer */
	size_t field_count;
};

enum route_kind {
	ROUTE_NONE, /* 404 */
	ROUTE_FOUND,
	ROUTE_ROW,       /* a row of the redirects table */
	ROUTE_ADD_SLASH, /* 308 to the same path with a '/' behind it */
	ROUTE_FAILED     /* an expression was given up at a limit: 500 */
};

struct route_match {
	enum route_kind kind;
	const struct route *route; /* ROUTE_FOUND, ROUTE_ADD_SLASH, ROUTE_FAILED */
	/* ROUTE_ROW. What an answer needs is copied: whoever looks into the row waits for memory
	 * once more. */
	const struct conf_redirect_row *row;
	struct slice to;
	int status;
	struct slice rest; /* what '*' matched; of any other what follows its last '/' */
	/* of an expression: into the path, the array valid until the next match */
	const struct slice *groups;
	size_t group_count;
};

/* What matching of expressions writes to. */
struct router_scratch {
	struct regex_scratch *regex;
	struct slice *groups;
	struct log_limit limit; /* of what is logged about ROUTE_FAILED */
};

struct router {
	const struct route *routes;           /* borrowed */
	const struct conf_redirect_row *rows; /* borrowed */
	const struct packmap *redirects;      /* borrowed; NULL: there are no rows */
	struct strmap exact, prefixes;
	struct strmap bare_prefixes;  /* "/a" of "/a/" */
	size_t depth;                 /* segments of the deepest prefix */
	const struct route **regexes; /* those with an expression, in order */
	size_t regex_count;
	struct router_scratch *scratch; /* NULL when there are none */
};

/* `routes` are the server's, in order, `redirects` its map of `rows`, or NULL; all must outlive
 * the router. 0 or -ENOMEM; fini is right in both cases. */
int router_init(struct router *r, const struct route *routes, size_t route_count,
		const struct conf_redirect_row *rows, const struct packmap *redirects);
void router_fini(struct router *r);

/* `path` is canonical (uri_path_canonical). One thread at a time: see the scratch. */
struct route_match router_match(const struct router *r, struct slice path);

#endif
