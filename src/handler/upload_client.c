/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_client: enter and leave.
 */
#include "handler/upload_client.h"

#include <inttypes.h>

#include "base/clients.h"
#include "core/limits.h"
#include "handler/upload.h"

/* The configuration was there before the workers were, so a route has the same address in all
 * of them. Multiplied by an odd constant, so that it is not near the addresses of clients,
 * which stand for their connections. */
static uint64_t
key_of(const struct exchange *ex)
{
	uint64_t route = (uint64_t)(uintptr_t)upload_of(ex)->route;
	uint64_t key = clients_key(ex->peer.family, ex->peer.address);

	return key != 0 ? key ^ (route + 1) * 0x9e3779b97f4a7c15 : 0;
}

static int
refuse(struct exchange *ex)
{
	struct store *s = &upload_of(ex)->store;
	char text[PEER_TEXT_MAX];

	log_limited(s->log, &s->limit, LOG_LEVEL_WARNING,
		    "upload: %s: %s has %" PRIu32
		    " uploads under way (\"per_client\"); answering 429",
		    s->conf->directory, peer_format(&ex->peer, text),
		    s->conf->per_client);
	/* RFC 6585 section 4: and no cache may store it. */
	if (exchange_keep_field(ex, HTTP_FIELD_RETRY_AFTER, SLICE("1")) < 0 ||
	    exchange_keep_field(ex, HTTP_FIELD_CACHE_CONTROL, SLICE("no-store")) < 0)
		return 503;
	return upload_refuse(ex, 429,
			     "Too many uploads come from your address at a time; please "
			     "wait until one of them is done.");
}

int
upload_client_enter(struct exchange *ex)
{
	uint32_t max = upload_of(ex)->store.conf->per_client;
	struct limits *l = ex->site->env.limits;
	uint64_t key;

	if (max == 0 || l == NULL || ex->dry || ex->head.body == HTTP_BODY_NONE)
		return 0;
	key = key_of(ex);
	if (key == 0)
		return 0;
	/* Counted before it is looked at: of two workers both see the other's. */
	ex->entered = clients_enter(l->clients, l->worker, key);
	if (ex->entered == 0 || clients_open(l->clients, key) <= max)
		return 0;
	upload_client_leave(ex);
	return refuse(ex);
}

void
upload_client_leave(struct exchange *ex)
{
	const struct limits *l = ex->site->env.limits;

	if (ex->entered != 0)
		clients_leave(l->clients, l->worker, ex->entered);
	ex->entered = 0;
}
