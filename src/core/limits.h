/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limits: limits.connections_per_address and limits.requests_per_address of a worker: they
 * count in memory that all workers share (base/clients.h). Peers of unix sockets have no
 * address, and no limit. Where nothing is limited nothing is counted.
 */
#ifndef WEBSRV_CORE_LIMITS_H
#define WEBSRV_CORE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct clients;
struct exchange;
struct peer;
struct site;

/* A worker's own. */
struct limits {
	struct clients *clients; /* of all workers, borrowed */
	size_t worker;           /* which of them we are */
	struct log_limit full, connections, requests;
};

/* May this peer have one more connection? Then it is counted, and *entry is for
 * limits_leave(); it is 0 where nothing is. */
bool limits_enter(const struct site *s, const struct peer *peer, uint32_t *entry);
/* The connection is closed. */
void limits_leave(const struct site *s, uint32_t entry);

/* May its peer make this request, to the server that is found? 0, or 429 with Retry-After
 * among the fields. */
int limits_check_request(struct exchange *ex);

#endif
