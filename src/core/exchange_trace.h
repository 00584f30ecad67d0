/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange_trace: what exchange.c has decided, put into words for ex->trace, which is there.
 * Nothing is decided here.
 */
#ifndef WEBSRV_CORE_EXCHANGE_TRACE_H
#define WEBSRV_CORE_EXCHANGE_TRACE_H

#include "core/exchange.h"

/* The path is none, for what its rest begins with. */
void exchange_note_path(const struct exchange *ex, struct slice rest)
	__attribute__((cold));
/* ex->route or a row, and by which of the router's tables. */
void exchange_note_match(const struct exchange *ex, const struct route_match *m)
	__attribute__((cold));
/* The rules of the route `r`, which need not be ex->route: an error page has some, too. */
void exchange_note_access(const struct exchange *ex, const struct route *r,
			  const struct access_verdict *v) __attribute__((cold));
/* What the route makes of the method; `h` is what takes it, or NULL. */
void exchange_note_method(struct exchange *ex, const struct handler *h)
	__attribute__((cold));

#endif
