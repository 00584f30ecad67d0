/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange_route: the way of a request from its head to its handler. exchange.c walks it, one
 * step after the other, and settles what comes of it; nobody else calls these.
 *
 * Functions that return int: 0, or an HTTP status to answer with.
 */
#ifndef WEBSRV_CORE_EXCHANGE_ROUTE_H
#define WEBSRV_CORE_EXCHANGE_ROUTE_H

#include "core/exchange.h"

/* Sets ex->host and ex->path. 400: there is no such path. */
int exchange_canonicalise(struct exchange *ex) __attribute__((warn_unused_result));

/* The parser went by the largest limits of the address; these are the server's own. */
int exchange_check_limits(const struct exchange *ex) __attribute__((warn_unused_result));

/* Finds the route, asks who may, opens the handler. AUTH_HOLD: a password is being checked. */
int exchange_route(struct exchange *ex) __attribute__((warn_unused_result));
/* Goes on when that is known. */
int exchange_route_again(struct exchange *ex) __attribute__((warn_unused_result));

/* The value of Allow: of what the request's URL takes. Of the arena. Needs a route. */
struct slice exchange_allow(struct exchange *ex);

/* Do the addresses of the route let the peer in? */
bool exchange_permits(const struct exchange *ex, const struct route *r);

/* exchange.c: opens `h`, which is ex->handler after 0. */
int exchange_open(struct exchange *ex, const struct handler *h)
	__attribute__((warn_unused_result));

#endif
