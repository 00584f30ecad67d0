/* SPDX-License-Identifier: BSD-2-Clause
 *
 * status: what the server tells of itself: counters of all workers as text for Prometheus
 * and as a page for people. Nothing of a request is in either.
 */
#ifndef WEBSRV_HANDLER_STATUS_H
#define WEBSRV_HANDLER_STATUS_H

#include <stdint.h>

#include "base/buf.h"
#include "core/site.h"

/* The text format 0.0.4: every counter with HELP and TYPE. Adds to `out`, whose `failed`
 * tells of missing memory. */
void status_format_metrics(const struct server_status *s, struct buf *out);

/* HTML. `now` is seconds since 1970. */
void status_format_page(const struct server_status *s, int64_t now, struct buf *out);

#endif
