/* SPDX-License-Identifier: BSD-2-Clause
 *
 * schema: the table itself. A row names a key, its type, its default, one line of
 * documentation, the member that it fills and what is allowed. Rows are loaded in the
 * order in which they stand here, so what routes inherit stands before the routes.
 */
#include "conf/schema.h"

#include "conf/schema_rows.h"

static const struct conf_choice worker_words[] = { { "auto", 0, NULL }, { 0 } };
static const struct conf_choice backends[] = {
	{ "auto", CONF_BACKEND_AUTO, NULL },
	{ "epoll", CONF_BACKEND_EPOLL, NULL },
	{ "poll", CONF_BACKEND_POLL, NULL },
	{ "select", CONF_BACKEND_SELECT, NULL },
	{ "kqueue", 0, "is not available on this system" },
	{ 0 },
};
static const struct conf_choice levels[] = {
	{ "error", CONF_LOG_ERROR, NULL },
	{ "warning", CONF_LOG_WARNING, NULL },
	{ "info", CONF_LOG_INFO, NULL },
	{ "debug", CONF_LOG_DEBUG, NULL },
	{ 0 },
};
static const struct conf_choice formats[] = {
	{ "combined", CONF_ACCESS_COMBINED, NULL },
	{ "json", CONF_ACCESS_JSON, NULL },
	{ 0 },
};
static const struct conf_choice server_headers[] = {
	{ "websrv", CONF_SERVER_HEADER_NAME, NULL },
	{ "full", CONF_SERVER_HEADER_FULL, NULL },
	{ 0 },
};

/* Servers. */

static const struct conf_key listen_keys[] = {
	{ "address", CONF_TEXT, NULL,
	  "\"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/path\"",
	  .set = listen_set_address, .get = listen_get_address, .flags = CONF_REQUIRED },
	{ "backlog", CONF_COUNT, "4096", "connections that may wait to be accepted",
	  INTO(struct conf_listen, backlog), RANGE(1, 65535) },
	{ "interim_104", CONF_BOOL, "true",
	  "tell by 104 that an upload can be resumed; false behind a proxy such as nginx",
	  INTO(struct conf_listen, interim_104) },
	{ "tls", CONF_LATER, "false", "encrypt; not in this version", .flags = 0 },
	{ "proxy_protocol", CONF_LATER, "false",
	  "clients are named by a proxy in front; not in this version", .flags = 0 },
};
static const struct conf_section listen_entry = {
	.name = "listen",
	.doc = "an address to listen on",
	KEYS(listen_keys),
	.size = sizeof(struct conf_listen),
	PLACE(struct conf_listen, place),
};

static const struct conf_key row_keys[] = {
	{ "to", CONF_TEXT, NULL, "a path or URL", INTO(struct conf_redirect_row, to),
	  .check = check_redirect_to, .flags = CONF_REQUIRED | CONF_URL },
	{ "status", CONF_CODE, "302", "status of the answer",
	  INTO(struct conf_redirect_row, status), .choices = conf_schema_redirect_codes },
};
static const struct conf_section row = {
	.name = "redirects",
	.doc = "a row of the table; its key is the path",
	KEYS(row_keys),
	.size = sizeof(struct conf_redirect_row),
	.get_name = row_get_name,
	.done = row_done,
};

static const struct conf_key server_keys[] = {
	{ "listen", CONF_LIST, NULL, "addresses, such as [\"127.0.0.1:8080\"]",
	  ITEMS(struct conf_server, listens, listen_count), .section = &listen_entry,
	  .flags = CONF_REQUIRED | CONF_SHORT, .min = 1 },
	{ "names", CONF_TEXTS, NULL,
	  "host names; the first server of an address takes all other names",
	  ITEMS(struct conf_server, names.items, names.count), .check = check_server_name,
	  .set = name_set, .flags = CONF_HOST },
	{ "error_pages", CONF_PAIRS, NULL,
	  "path of the page for a status, or for 4xx, 5xx",
	  ITEMS(struct conf_server, error_pages.items, error_pages.count),
	  .check = check_path, .check_name = check_error_status },
	{ "headers", CONF_PAIRS, "X-Content-Type-Options: nosniff",
	  "fields added to responses; null removes the one that is there by default",
	  ITEMS(struct conf_server, headers.items, headers.count),
	  .check = check_header_value, .check_name = check_header_name,
	  .flags = CONF_NULLABLE },
	{ "server_header", CONF_CHOICE, NULL, "the Server field; default: as at the top",
	  INTO(struct conf_server, server_header), .choices = server_headers,
	  .flags = CONF_NULL_VALUE, .null_value = CONF_SERVER_HEADER_NONE },
	{ "limits", CONF_SECTION, NULL, "limits of this server",
	  INTO(struct conf_server, limits), .section = &conf_schema_server_limits,
	  .flags = CONF_INHERITED },
	{ "timeouts", CONF_SECTION, NULL, "timeouts of this server",
	  INTO(struct conf_server, timeouts), .section = &conf_schema_server_timeouts,
	  .flags = CONF_INHERITED },
	{ "redirects", CONF_MAP, NULL,
	  "table of paths and where they lead, or the name of a file that has it",
	  ITEMS(struct conf_server, redirects, redirect_count), .section = &row,
	  .flags = CONF_SHORT, .check = check_not_empty, .set = redirects_set_file },
	{ "routes", CONF_LIST, NULL, "paths and what answers there",
	  ITEMS(struct conf_server, routes, route_count), .section = &conf_schema_route },
};
static const struct conf_section server = {
	.name = "server",
	.doc = "addresses, names, and what answers there",
	KEYS(server_keys),
	.size = sizeof(struct conf_server),
	PLACE(struct conf_server, place),
	.begins_server = true,
	.begin = server_begin,
	.done = server_done,
};

/* The top. */

static const struct conf_key error_log_keys[] = {
	{ "to", CONF_TEXT, "stderr", "\"stderr\", \"syslog\" or a path",
	  PLACE(struct conf_logs, error.place), .set = log_set_error,
	  .get = log_get_error },
	{ "level", CONF_CHOICE, "info", "the least that is logged",
	  INTO(struct conf_logs, error.level), .choices = levels },
};
static const struct conf_section error_log = {
	.name = "error",
	.doc = "the log of the server",
	KEYS(error_log_keys),
};
static const struct conf_key access_log_keys[] = {
	{ "to", CONF_TEXT, NULL, "\"stderr\" or a path",
	  PLACE(struct conf_logs, access.place), .set = log_set_access,
	  .get = log_get_access, .flags = CONF_REQUIRED },
	{ "format", CONF_CHOICE, "combined", "how a request is written",
	  INTO(struct conf_logs, access.format), .choices = formats },
};
static const struct conf_section access_log = {
	.name = "access",
	.doc = "the log of requests",
	KEYS(access_log_keys),
};
static const struct conf_key logs_keys[] = {
	{ "error", CONF_SECTION, NULL, "the log of the server", .section = &error_log },
	{ "access", CONF_SECTION, NULL, "the log of requests; null = none",
	  .section = &access_log, MARK(struct conf_logs, access.enabled, 1),
	  .flags = CONF_NULLABLE },
};
static const struct conf_section logs = {
	.name = "logs",
	.doc = "where the server writes what happens",
	KEYS(logs_keys),
};

static const struct conf_key cache_keys[] = {
	{ "entries", CONF_COUNT, "10000",
	  "small files that are kept in memory, of one worker",
	  INTO(struct conf_cache, entries), RANGE(0, 10000000) },
	{ "memory", CONF_SIZE, "64M",
	  "bytes of file contents that are kept, of one worker",
	  INTO(struct conf_cache, memory), RANGE(0, 1 * T) },
	{ "file_size", CONF_SIZE, "64K", "files up to this size are kept in memory",
	  INTO(struct conf_cache, file_size), RANGE(0, 1024 * M) },
	{ "revalidate", CONF_DURATION, "1s", "until a kept file is looked at again",
	  INTO(struct conf_cache, revalidate_ms), RANGE(0, 24 * DAY) },
};
static const struct conf_section cache = {
	.name = "cache",
	.doc = "files that are kept at hand",
	KEYS(cache_keys),
};

static const struct conf_key top_keys[] = {
	{ "$schema", CONF_IGNORED, NULL, "for editors; ignored", .flags = 0 },
	{ "include", CONF_INCLUDE, NULL,
	  "files that are part of this one, such as \"conf.d/*.json\"", .flags = 0 },
	{ "user", CONF_TEXT, NULL, "workers run as this user when started as root",
	  INTO(struct config, user), PLACE(struct config, user_place),
	  .check = check_account },
	{ "group", CONF_TEXT, NULL, "and as this group", INTO(struct config, group),
	  PLACE(struct config, group_place), .check = check_account },
	{ "workers", CONF_COUNT, "auto", "processes that serve; \"auto\" = online cores",
	  INTO(struct config, workers), .choices = worker_words, RANGE(1, 1024) },
	{ "event_backend", CONF_CHOICE, "auto", "how events are waited for",
	  INTO(struct config, backend), .choices = backends },
	{ "sandbox", CONF_LATER, "false",
	  "workers give up what they do not need; not in this version", .flags = 0 },
	{ "pid_file", CONF_PATH, NULL, "where the process id is written",
	  INTO(struct config, pid_file), PLACE(struct config, pid_file_place),
	  .check = check_not_empty },
	{ "control_socket", CONF_LATER, "null",
	  "where a running server is asked and told; not in this version", .flags = 0 },
	{ "logs", CONF_SECTION, NULL, "where the server writes what happens",
	  INTO(struct config, logs), .section = &logs },
	{ "limits", CONF_SECTION, NULL, "what the server accepts",
	  INTO(struct config, limits), .section = &conf_schema_global_limits },
	{ "timeouts", CONF_SECTION, NULL, "how long the server waits",
	  INTO(struct config, timeouts), .section = &conf_schema_global_timeouts },
	{ "cache", CONF_SECTION, NULL, "files that are kept at hand",
	  INTO(struct config, cache), .section = &cache },
	{ "server_header", CONF_CHOICE, "websrv",
	  "the Server field: the name, or with the version; null = none",
	  INTO(struct config, server_header), .choices = server_headers,
	  .flags = CONF_NULL_VALUE, .null_value = CONF_SERVER_HEADER_NONE },
	{ "mime_types", CONF_PAIRS, NULL, "media types that are added, by extension",
	  ITEMS(struct config, mime_types.items, mime_types.count),
	  .check = check_media_type, .check_name = check_extension, .flags = CONF_LOWER },
	{ "servers", CONF_LIST, NULL, "what is served, and where",
	  ITEMS(struct config, servers, server_count), .section = &server,
	  .flags = CONF_REQUIRED, .min = 1 },
};

const struct conf_section conf_schema = {
	.name = "config",
	.doc = "the configuration of the server",
	KEYS(top_keys),
	.size = sizeof(struct config),
	.done = config_done,
};

bool
conf_key_is_in(const struct conf_key *key, const struct conf_section *section)
{
	return section->scope == 0 || key->scope == 0 ||
	       (key->scope & section->scope) != 0;
}

const struct conf_key *
conf_key_find(const struct conf_section *section, struct slice name)
{
	for (size_t i = 0; i < section->count; i++) {
		if (slice_eq(name, slice_from_str(section->keys[i].name)))
			return &section->keys[i];
	}
	return NULL;
}
