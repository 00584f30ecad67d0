/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limits: what the configuration says, asked of the tables. What is refused is counted, and
 * told once in a while.
 */
#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clients.h"
#include "base/clock.h"
#include "base/counters.h"
#include "core/exchange.h"
#include "core/site.h"

#define NS_PER_S ((uint64_t)1000000000)

/* So many at once are no accident; those beyond are served all the same. */
static void
tell_full(const struct site *s, const char *what)
{
	log_limited(
		s->env.log, &s->env.limits->full, LOG_LEVEL_WARNING,
		"limits.%s: too many addresses to count them all; some are not limited",
		what);
}

static void
refuse_connection(const struct site *s, const struct peer *peer)
{
	char text[PEER_TEXT_MAX];

	counter_add(s->env.counters, COUNTER_CONNECTIONS_LIMITED, 1);
	log_limited(s->env.log, &s->env.limits->connections, LOG_LEVEL_WARNING,
		    "limits.connections_per_address: %s has %" PRIu32
		    " connections open; answering 503",
		    peer_format(peer, text), s->conf->limits.connections_per_address);
}

bool
limits_enter(const struct site *s, const struct peer *peer, uint32_t *entry)
{
	uint32_t max = s->conf->limits.connections_per_address;
	struct limits *l = s->env.limits;
	uint64_t key;

	*entry = 0;
	if (max == 0 || l == NULL)
		return true;
	key = clients_key(peer->family, peer->address);
	if (key == 0)
		return true;
	/* Counted before it is looked at: of two workers both see the other's. */
	*entry = clients_enter(l->clients, l->worker, key);
	if (*entry == 0)
		tell_full(s, "connections_per_address");
	if (*entry == 0 || clients_open(l->clients, key) <= max)
		return true;
	limits_leave(s, *entry);
	*entry = 0;
	refuse_connection(s, peer);
	return false;
}

void
limits_leave(const struct site *s, uint32_t entry)
{
	if (entry != 0)
		clients_leave(s->env.limits->clients, s->env.limits->worker, entry);
}

static int
refuse_request(struct exchange *ex, uint64_t wait_ns)
{
	uint64_t seconds = (wait_ns + NS_PER_S - 1) / NS_PER_S;
	const char *after = arena_printf(&ex->arena, "%" PRIu64, seconds);
	char text[PEER_TEXT_MAX];

	counter_add(ex->site->env.counters, COUNTER_REQUESTS_LIMITED, 1);
	log_limited(ex->site->env.log, &ex->site->env.limits->requests, LOG_LEVEL_WARNING,
		    "limits.requests_per_address: %s is too fast; answering 429",
		    peer_format(&ex->peer, text));
	/* RFC 6585 section 4: and no cache may store it. */
	if (after == NULL ||
	    exchange_keep_field(ex, HTTP_FIELD_RETRY_AFTER, slice_from_str(after)) < 0 ||
	    exchange_keep_field(ex, HTTP_FIELD_CACHE_CONTROL, SLICE("no-store")) < 0)
		return 503;
	return 429;
}

int
limits_check_request(struct exchange *ex)
{
	const struct conf_request_rate *conf =
		&ex->vhost->conf->limits.requests_per_address;
	struct limits *l = ex->site->env.limits;
	struct clients_rate rate;
	uint64_t key, wait_ns = 0;

	if (!conf->enabled || l == NULL)
		return 0;
	key = clients_key(ex->peer.family, ex->peer.address);
	if (key == 0)
		return 0;
	rate = clients_rate(conf->rate, conf->per_ms, conf->burst);
	switch (clients_take(l->clients, &rate, key, clock_mono_us() * 1000, &wait_ns)) {
	case CLIENTS_FINE:
		break;
	case CLIENTS_CROWDED:
		tell_full(ex->site, "requests_per_address");
		break;
	case CLIENTS_TOO_FAST:
		return refuse_request(ex, wait_ns);
	}
	return 0;
}
