/* SPDX-License-Identifier: BSD-2-Clause
 *
 * schema_limits: the keys of "limits" and "timeouts": one table for all levels, `scope`
 * tells them apart.
 */
#include "base/clients.h"
#include "conf/schema_rows.h"

static const struct conf_key request_rate_keys[] = {
	{ "rate", CONF_COUNT, NULL, "requests of an address in the time of \"per\"",
	  INTO(struct conf_request_rate, rate), RANGE(1, CLIENTS_RATE_MAX),
	  .flags = CONF_REQUIRED },
	{ "per", CONF_DURATION, "1s", "the time that \"rate\" is for",
	  INTO(struct conf_request_rate, per_ms), RANGE(1, CLIENTS_PER_MAX_MS) },
	{ "burst", CONF_COUNT, NULL, "requests that may come at once; default: \"rate\"",
	  INTO(struct conf_request_rate, burst), RANGE(1, CLIENTS_RATE_MAX) },
};
static const struct conf_section request_rate = {
	.name = "requests_per_address",
	.doc = "how fast one address may ask",
	KEYS(request_rate_keys),
	.done = request_rate_done,
};

static const struct conf_key limit_keys[] = {
	{ "connections", CONF_COUNT, "10000",
	  "connections at a time, of all workers; beyond it 503",
	  INTO(struct conf_limits, connections), RANGE(1, 10000000),
	  .scope = CONF_GLOBAL },
	{ "connections_per_address", CONF_COUNT, "0",
	  "connections at a time of one client address; beyond it 503; 0 = no limit",
	  INTO(struct conf_limits, connections_per_address), RANGE(0, 10000000),
	  .scope = CONF_GLOBAL },
	{ "requests_per_address", CONF_SECTION, NULL,
	  "how fast one client address may ask; beyond it 429; null = no limit",
	  INTO(struct conf_limits, requests_per_address), .section = &request_rate,
	  MARK(struct conf_limits, requests_per_address.enabled, 1),
	  .flags = CONF_NULLABLE | CONF_INHERITED, .scope = CONF_GLOBAL | CONF_SERVER },
	{ "header_size", CONF_SIZE, "32K", "bytes of a request head; beyond it 431",
	  INTO(struct conf_limits, header_size), RANGE(128, 16 * M),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "header_count", CONF_COUNT, "100", "fields of a request head; beyond it 431",
	  INTO(struct conf_limits, header_count), RANGE(1, 10000),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "uri_size", CONF_SIZE, "8K", "bytes of a request target; beyond it 414",
	  INTO(struct conf_limits, uri_size), RANGE(16, 1 * M),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "body_size", CONF_SIZE, "1M", "bytes of a request body; beyond it 413",
	  INTO(struct conf_limits, body_size), RANGE(0, 1024 * T),
	  .scope = CONF_ANYWHERE },
	{ "ranges", CONF_COUNT, "16",
	  "ranges that a request may ask for at once; 0 = Range is ignored",
	  INTO(struct conf_limits, ranges), RANGE(0, 64), .scope = CONF_ANYWHERE },
	{ "requests_per_connection", CONF_COUNT, "0",
	  "requests until a connection is closed; 0 = no limit",
	  INTO(struct conf_limits, requests_per_connection), RANGE(0, UINT32_MAX),
	  .scope = CONF_GLOBAL | CONF_SERVER },
};

static const struct conf_key timeout_keys[] = {
	{ "header", CONF_DURATION, "10s", "for a whole request head, from its first byte",
	  INTO(struct conf_timeouts, header_ms), RANGE(1, 24 * DAY),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "body_idle", CONF_DURATION, "30s", "between two pieces of a request body",
	  INTO(struct conf_timeouts, body_idle_ms), RANGE(1, 24 * DAY),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "body_min_rate", CONF_SIZE, "500",
	  "bytes a second that a request body must come in at; 0 = off",
	  INTO(struct conf_timeouts, body_min_rate), RANGE(0, 1 * T),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "write_idle", CONF_DURATION, "60s", "until a client takes more of a response",
	  INTO(struct conf_timeouts, write_idle_ms), RANGE(1, 24 * DAY),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "idle", CONF_DURATION, "65s", "between two requests of a connection",
	  INTO(struct conf_timeouts, idle_ms), RANGE(1, 24 * DAY),
	  .scope = CONF_GLOBAL | CONF_SERVER },
	{ "shutdown", CONF_DURATION, "30s",
	  "for open requests to end when the server stops or reloads",
	  INTO(struct conf_timeouts, shutdown_ms), RANGE(0, 24 * DAY),
	  .scope = CONF_GLOBAL },
};

const struct conf_section conf_schema_global_limits = {
	.name = "limits",
	.doc = "what the server accepts",
	KEYS(limit_keys),
	.scope = CONF_GLOBAL,
};
const struct conf_section conf_schema_server_limits = {
	.name = "limits",
	.doc = "what this server accepts; others are as at the top",
	KEYS(limit_keys),
	.scope = CONF_SERVER,
};
const struct conf_section conf_schema_route_limits = {
	.name = "limits",
	.doc = "what this route accepts; others are as in the server",
	KEYS(limit_keys),
	.scope = CONF_ROUTE,
};
const struct conf_section conf_schema_global_timeouts = {
	.name = "timeouts",
	.doc = "how long the server waits",
	KEYS(timeout_keys),
	.scope = CONF_GLOBAL,
};
const struct conf_section conf_schema_server_timeouts = {
	.name = "timeouts",
	.doc = "how long this server waits; others are as at the top",
	KEYS(timeout_keys),
	.scope = CONF_SERVER,
};
