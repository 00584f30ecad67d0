/* SPDX-License-Identifier: BSD-2-Clause
 *
 * router: which route answers a canonical path in one server. A pure function of its
 * arguments; its cost does not grow with the number of redirect rows, exact paths or
 * prefixes, only with the depth of the deepest prefix.
 *
 * Order: the redirects table, then exact paths, then the longest prefix. A prefix "/a/" is
 * matched on whole segments, and "/a" itself is answered by a redirect to "/a/".
 */
#ifndef WEBSRV_CORE_ROUTER_H
#define WEBSRV_CORE_ROUTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strmap.h"
#include "conf/config.h"
#include "http/message.h"

struct access;
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
	const struct http_field *fields; /* "headers": added to every answer */
	size_t field_count;
};

enum route_kind {
	ROUTE_NONE, /* 404 */
	ROUTE_FOUND,
	ROUTE_ROW,      /* a row of the redirects table */
	ROUTE_ADD_SLASH /* 308 to the same path with a '/' behind it */
};

struct route_match {
	enum route_kind kind;
	const struct route *route;           /* ROUTE_FOUND, ROUTE_ADD_SLASH */
	const struct conf_redirect_row *row; /* ROUTE_ROW */
	struct slice
		rest; /* what '*' matched; of an exact path what follows its last '/' */
};

struct router {
	const struct route *routes;           /* borrowed */
	const struct conf_redirect_row *rows; /* borrowed */
	struct strmap exact, prefixes, redirects;
	struct strmap bare_prefixes; /* "/a" of "/a/" */
	size_t depth;                /* segments of the deepest prefix */
};

/* `routes` are the server's, in order; they and the rows must outlive the router.
 * 0 or -ENOMEM; fini is right in both cases. */
int router_init(struct router *r, const struct route *routes, size_t route_count,
		const struct conf_redirect_row *rows, size_t row_count);
void router_fini(struct router *r);

/* `path` is canonical (uri_path_canonical). */
struct route_match router_match(const struct router *r, struct slice path);

#endif
