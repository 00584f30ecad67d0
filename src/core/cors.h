/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cors: cross-origin resource sharing, the server's side of the Fetch standard. What a route
 * allows is made ready once, at the start; for a request its head comes in, and the fields
 * that let a browser's page have the answer go out. Nothing is allocated for a request, and
 * nothing here keeps anybody out: that is for the browser, or for authentication.
 */
#ifndef WEBSRV_CORE_CORS_H
#define WEBSRV_CORE_CORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "conf/config.h"
#include "http/message.h"

/* What one route allows. A value with a NULL ptr is not sent. */
struct cors {
	bool any_origin;
	bool credentials;
	const struct slice *origins;
	size_t origin_count;
	unsigned methods; /* set of HTTP_BIT() */
	struct slice allow_methods, allow_headers, expose, max_age;
};

/* `methods` are those of the route, for when the configuration names none. `conf` has to
 * outlive the result, which lives in the arena. NULL without memory. */
const struct cors *cors_new(const struct conf_cors *conf, unsigned methods,
			    struct arena *arena) __attribute__((warn_unused_result));

/* The same configuration with the request and response fields of resumable uploads added, which
 * nobody should have to write down. In the arena; NULL without memory. */
const struct conf_cors *cors_for_uploads(const struct conf_cors *conf,
					 struct arena *arena)
	__attribute__((warn_unused_result));

/* Is it the question of a browser whether a page may send a request? It is answered by 204
 * and cors_each_field(), whoever asks (of the addresses that may use the route) and whatever
 * the route's handler does: browsers send no credentials with it. */
bool cors_is_preflight(const struct http_head *head);

/* May pages of the request's Origin see the answer? */
bool cors_allows_origin(const struct cors *c, const struct http_head *head);

/*
 * The fields of the answer, preflight or not, whatever its status. A page of an origin that
 * is not allowed gets none but Vary; so does a preflight for a method that is not.
 */
void cors_each_field(const struct cors *c, const struct http_head *head,
		     void (*emit)(void *ctx, const struct http_field *f), void *ctx);

#endif
