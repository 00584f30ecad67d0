/* SPDX-License-Identifier: BSD-2-Clause
 *
 * handlers: the list of what a route can do.
 */
#ifndef WEBSRV_HANDLER_HANDLERS_H
#define WEBSRV_HANDLER_HANDLERS_H

#include "core/exchange.h"

extern const struct handler_ops files_handler;
extern const struct handler_ops upload_handler;
extern const struct handler_ops redirect_handler;
extern const struct handler_ops respond_handler;
extern const struct handler_ops status_handler;

/* Answers errors for which no page is configured: HTML for browsers, a line of text for
 * others. Reads ex->error_status. */
extern const struct handler_ops errpage_handler;

/* All that a route may name, NULL-terminated: for site_new(). */
extern const struct handler_ops *const handler_kinds[];

#endif
