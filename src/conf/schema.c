/* SPDX-License-Identifier: BSD-2-Clause
 *
 * schema: the table itself. A row names a key, its type, its default, one line of
 * documentation, the member that it fills and what is allowed. Rows are loaded in the
 * order in which they stand here, so what routes inherit stands before the routes.
 */
#include "conf/schema.h"

#include "conf/check.h"
#include "conf/config.h"
#include "conf/loader.h"
#include "http/coding.h"
#include "http/names.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define K ((uint64_t)1 << 10)
#define M ((uint64_t)1 << 20)
#define T ((uint64_t)1 << 40)
#define DAY ((uint64_t)86400000)

/* Where a value goes: .offset and .size of a member. */
#define INTO(type, member)                                                               \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define ITEMS(type, member, n)                                                           \
	.offset = offsetof(type, member), .count_offset = offsetof(type, n)
#define PLACE(type, member) .place = offsetof(type, member)
#define MARK(type, member, bit)                                                          \
	.mark = offsetof(type, member), .mark_size = sizeof(((type *)0)->member),        \
	.mark_bit = (bit)
#define RANGE(from, to) .min = (from), .max = (to)
#define KEYS(table) .keys = (table), .count = COUNT(table)

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
static const struct conf_choice symlinks[] = {
	{ "inside", CONF_SYMLINKS_INSIDE, NULL },
	{ "refuse", CONF_SYMLINKS_REFUSE, NULL },
	{ "follow", CONF_SYMLINKS_FOLLOW, NULL },
	{ 0 },
};
static const struct conf_choice conflicts[] = {
	{ "refuse", CONF_CONFLICT_REFUSE, NULL },
	{ "replace", CONF_CONFLICT_REPLACE, NULL },
	{ 0 },
};
static const struct conf_choice redirect_codes[] = {
	{ "301", 301, NULL }, { "302", 302, NULL }, { "303", 303, NULL },
	{ "307", 307, NULL }, { "308", 308, NULL }, { 0 },
};
static const struct conf_choice codings[] = {
	{ "br", CODING_BR, NULL },
	{ "zstd", CODING_ZSTD, NULL },
	{ "gzip", CODING_GZIP, NULL },
	{ 0 },
};
static const struct conf_choice server_headers[] = {
	{ "websrv", CONF_SERVER_HEADER_NAME, NULL },
	{ "full", CONF_SERVER_HEADER_FULL, NULL },
	{ 0 },
};
static const struct conf_choice queries[] = {
	{ "keep", true, NULL },
	{ "drop", false, NULL },
	{ 0 },
};
static const struct conf_choice status_pages[] = {
	{ "health", CONF_STATUS_HEALTH, NULL },
	{ "metrics", CONF_STATUS_METRICS, NULL },
	{ "page", CONF_STATUS_PAGE, NULL },
	{ 0 },
};
static const struct conf_choice methods[] = {
#define X(name) { #name, HTTP_BIT(HTTP_##name), NULL },
	HTTP_METHODS(X)
#undef X
		{ 0 },
};

/* Limits and timeouts: one table for all levels, `scope` tells them apart. */

static const struct conf_key limit_keys[] = {
	{ "connections", CONF_COUNT, "10000",
	  "connections at a time, of all workers; beyond it 503",
	  INTO(struct conf_limits, connections), RANGE(1, 10000000),
	  .scope = CONF_GLOBAL },
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

static const struct conf_section global_limits = {
	.name = "limits",
	.doc = "what the server accepts",
	KEYS(limit_keys),
	.scope = CONF_GLOBAL,
};
static const struct conf_section server_limits = {
	.name = "limits",
	.doc = "what this server accepts; others are as at the top",
	KEYS(limit_keys),
	.scope = CONF_SERVER,
	.elsewhere = "write it in the \"limits\" at the top of the file",
};
static const struct conf_section route_limits = {
	.name = "limits",
	.doc = "what this route accepts; others are as in the server",
	KEYS(limit_keys),
	.scope = CONF_ROUTE,
	.elsewhere = "write it in the \"limits\" of the server or at the top of the file",
};
static const struct conf_section global_timeouts = {
	.name = "timeouts",
	.doc = "how long the server waits",
	KEYS(timeout_keys),
	.scope = CONF_GLOBAL,
};
static const struct conf_section server_timeouts = {
	.name = "timeouts",
	.doc = "how long this server waits; others are as at the top",
	KEYS(timeout_keys),
	.scope = CONF_SERVER,
	.elsewhere = "write it in the \"timeouts\" at the top of the file",
};

/* Routes. */

/* What shrinks; other types are compressed already. */
#define COMPRESS_TYPES                                                                   \
	"text/* application/json application/javascript application/xml "                \
	"application/xhtml+xml application/rss+xml application/atom+xml "                \
	"application/manifest+json application/ld+json application/geo+json "            \
	"application/wasm image/svg+xml image/bmp image/vnd.microsoft.icon font/ttf "    \
	"font/otf application/vnd.ms-fontobject"

static const struct conf_key compress_keys[] = {
	{ "encodings", CONF_TEXTS, "zstd br gzip",
	  "codings, the preferred one first; default: those that are built in; [] = off",
	  ITEMS(struct conf_compress, encodings.items, encodings.count),
	  .choices = codings, .check = check_coding, .flags = CONF_UNIQUE },
	{ "types", CONF_TEXTS, COMPRESS_TYPES,
	  "media types that are compressed; \"text/*\" is all texts",
	  ITEMS(struct conf_compress, types.items, types.count),
	  .check = check_type_pattern, .flags = CONF_LOWER | CONF_UNIQUE, .min = 1 },
	{ "min_size", CONF_SIZE, "1K", "smaller files are sent as they are",
	  INTO(struct conf_compress, min_size), RANGE(0, 1 * T) },
};
static const struct conf_section compress = {
	.name = "compress",
	.doc = "compress while serving",
	KEYS(compress_keys),
	.done = compress_done,
};

static const struct conf_key files_keys[] = {
	{ "root", CONF_PATH, NULL, "the directory that is served",
	  INTO(struct conf_files, root), PLACE(struct conf_files, root_place),
	  .check = check_not_empty, .flags = CONF_REQUIRED },
	{ "index", CONF_TEXTS, "index.html",
	  "names that are looked for when a directory is asked for",
	  ITEMS(struct conf_files, index.items, index.count), .check = check_file_name },
	{ "listing", CONF_BOOL, "false",
	  "list directories that have none of the index files",
	  INTO(struct conf_files, listing) },
	{ "fallback", CONF_TEXT, NULL,
	  "file beneath root that is served with 200 when nothing is there",
	  INTO(struct conf_files, fallback), .check = check_fallback,
	  .set = fallback_set },
	{ "precompressed", CONF_TEXTS, "br zstd gzip",
	  "siblings .br, .zst, .gz that are sent instead, the preferred one first; "
	  "[] = off",
	  ITEMS(struct conf_files, precompressed.items, precompressed.count),
	  .choices = codings, .flags = CONF_UNIQUE },
	{ "compress", CONF_SECTION, NULL,
	  "compress while serving: true, an array of codings, or an object",
	  INTO(struct conf_files, compress), .section = &compress,
	  MARK(struct conf_files, compress.enabled, 1),
	  .flags = CONF_SWITCH | CONF_SHORT },
	{ "symlinks", CONF_CHOICE, "inside",
	  "symbolic links: followed while they stay beneath root, refused, or followed",
	  INTO(struct conf_files, symlinks), .choices = symlinks },
	{ "hidden", CONF_BOOL, "false", "serve names that begin with a dot",
	  INTO(struct conf_files, hidden) },
	{ "charset", CONF_TEXT, "utf-8", "added to the type of text files; \"\" = none",
	  INTO(struct conf_files, charset), .check = check_charset },
	{ "default_type", CONF_TEXT, "application/octet-stream",
	  "media type of files whose extension is not known",
	  INTO(struct conf_files, default_type), .check = check_media_type },
};
static const struct conf_section files = {
	.name = "files",
	.doc = "serve files of a directory",
	KEYS(files_keys),
};

static const struct conf_key upload_keys[] = {
	{ "directory", CONF_PATH, NULL, "where uploaded files go",
	  INTO(struct conf_upload, directory), PLACE(struct conf_upload, directory_place),
	  .check = check_not_empty, .flags = CONF_REQUIRED },
	{ "max_size", CONF_SIZE, "1G", "bytes of one file; beyond it 413",
	  INTO(struct conf_upload, max_size), RANGE(0, 1024 * T) },
	{ "conflict", CONF_CHOICE, "refuse",
	  "a file of that name exists: refuse with 409, or replace it",
	  INTO(struct conf_upload, conflict), .choices = conflicts },
	{ "mode", CONF_MODE, "0640", "permission bits of new files",
	  INTO(struct conf_upload, mode) },
};
static const struct conf_section upload = {
	.name = "upload",
	.doc = "take files",
	KEYS(upload_keys),
};

static const struct conf_key redirect_keys[] = {
	{ "to", CONF_TEXT, NULL,
	  "a path or URL; \"*\" takes what the \"*\" of \"path\" matched",
	  INTO(struct conf_redirect, to), .check = check_target_bytes,
	  .flags = CONF_REQUIRED },
	{ "status", CONF_CODE, "302", "status of the answer",
	  INTO(struct conf_redirect, status), .choices = redirect_codes },
	{ "query", CONF_CHOICE, "keep", "add the query of the request to the target",
	  INTO(struct conf_redirect, keep_query), .choices = queries },
};
static const struct conf_section redirect = {
	.name = "redirect",
	.doc = "send the client elsewhere",
	KEYS(redirect_keys),
};

static const struct conf_key respond_keys[] = {
	{ "status", CONF_COUNT, "200", "status of the answer",
	  INTO(struct conf_respond, status), RANGE(200, 599) },
	{ "body", CONF_TEXT, "", "text of the answer", INTO(struct conf_respond, body) },
	{ "content_type", CONF_TEXT, "text/plain; charset=utf-8",
	  "media type of the body", INTO(struct conf_respond, content_type),
	  .check = check_media_type },
};
static const struct conf_section respond = {
	.name = "respond",
	.doc = "a fixed answer",
	KEYS(respond_keys),
	.done = respond_done,
};

static const struct conf_key cors_keys[] = {
	{ "origins", CONF_TEXTS, "*",
	  "origins whose pages may ask, such as \"https://example.org\"; \"*\" = every "
	  "one",
	  ITEMS(struct conf_cors, origins.items, origins.count), .check = check_origin,
	  .flags = CONF_UNIQUE, .min = 1 },
	{ "methods", CONF_TEXTS, NULL,
	  "methods that a page may use; default: all of the route",
	  ITEMS(struct conf_cors, methods.items, methods.count), .choices = methods,
	  .flags = CONF_UNIQUE, .min = 1 },
	{ "headers", CONF_TEXTS, NULL,
	  "request fields that a page may set; \"*\" = any, but Authorization",
	  ITEMS(struct conf_cors, headers.items, headers.count),
	  .check = check_field_name, .flags = CONF_UNIQUE },
	{ "expose", CONF_TEXTS, NULL, "response fields that a page may read; \"*\" = any",
	  ITEMS(struct conf_cors, expose.items, expose.count), .check = check_field_name,
	  .flags = CONF_UNIQUE },
	{ "credentials", CONF_BOOL, "false",
	  "let pages send cookies and what else tells who the user is",
	  INTO(struct conf_cors, credentials) },
	{ "max_age", CONF_DURATION, "10m", "how long browsers may remember a preflight",
	  INTO(struct conf_cors, max_age_ms), RANGE(0, 24 * DAY) },
};
static const struct conf_section cors = {
	.name = "cors",
	.doc = "which pages of other origins may ask (cross-origin resource sharing)",
	KEYS(cors_keys),
	.done = cors_done,
};

static const struct conf_key route_keys[] = {
	{ "path", CONF_TEXT, NULL,
	  "the path that is matched; \"/a/*\" is everything beneath \"/a/\"",
	  INTO(struct conf_route, path), .check = check_route_path,
	  .flags = CONF_ONE_OF },
	{ "path_regex", CONF_TEXT, NULL,
	  "a regular expression for the decoded path, instead of \"path\"",
	  INTO(struct conf_route, path_regex), .check = check_not_empty,
	  .set = path_regex_set, .flags = CONF_ONE_OF },
	{ "files", CONF_SECTION, NULL, "serve files of a directory",
	  INTO(struct conf_route, files), .section = &files,
	  MARK(struct conf_route, actions, CONF_ACTION_FILES) },
	{ "upload", CONF_SECTION, NULL, "take files; may share a route with files",
	  INTO(struct conf_route, upload), .section = &upload,
	  MARK(struct conf_route, actions, CONF_ACTION_UPLOAD) },
	{ "redirect", CONF_SECTION, NULL, "send the client elsewhere",
	  INTO(struct conf_route, redirect), .section = &redirect,
	  MARK(struct conf_route, actions, CONF_ACTION_REDIRECT) },
	{ "respond", CONF_SECTION, NULL, "a fixed answer",
	  INTO(struct conf_route, respond), .section = &respond,
	  MARK(struct conf_route, actions, CONF_ACTION_RESPOND) },
	{ "status", CONF_CHOICE, NULL, "the state of the server itself",
	  INTO(struct conf_route, status), .choices = status_pages,
	  MARK(struct conf_route, actions, CONF_ACTION_STATUS) },
	{ "methods", CONF_SET, NULL, "methods that are taken; default: all of the action",
	  INTO(struct conf_route, methods), .choices = methods, .min = 1 },
	{ "headers", CONF_PAIRS, NULL,
	  "fields added to responses; null removes one of the server's",
	  ITEMS(struct conf_route, headers.items, headers.count),
	  .check = check_header_value, .check_name = check_header_name,
	  .flags = CONF_NULLABLE },
	{ "allow", CONF_TEXTS, NULL,
	  "addresses that may use the route, such as \"10.0.0.0/8\", \"::1\" or \"unix\"",
	  ITEMS(struct conf_route, allow.items, allow.count), .set = access_set,
	  .flags = CONF_UNIQUE, .min = 1 },
	{ "deny", CONF_TEXTS, NULL, "addresses that may not; looked at before \"allow\"",
	  ITEMS(struct conf_route, deny.items, deny.count), .set = access_set,
	  .flags = CONF_UNIQUE, .min = 1 },
	{ "cache_control", CONF_TEXT, NULL, "Cache-Control of responses",
	  INTO(struct conf_route, cache_control), .check = check_cache_control },
	{ "download", CONF_BOOL, "false",
	  "browsers save the files instead of showing them",
	  INTO(struct conf_route, download) },
	{ "cors", CONF_SECTION, NULL,
	  "let pages of other origins ask: true, an array of origins, or an object",
	  INTO(struct conf_route, cors), .section = &cors,
	  MARK(struct conf_route, cors.enabled, 1), .flags = CONF_SWITCH | CONF_SHORT },
	{ "limits", CONF_SECTION, NULL, "limits of this route",
	  INTO(struct conf_route, limits), .section = &route_limits,
	  .flags = CONF_INHERITED },
};
static const struct conf_section route = {
	.name = "route",
	.doc = "a path and what answers there",
	KEYS(route_keys),
	.size = sizeof(struct conf_route),
	PLACE(struct conf_route, place),
	.begin = route_begin,
	.done = route_done,
};

/* Servers. */

static const struct conf_key listen_keys[] = {
	{ "address", CONF_TEXT, NULL,
	  "\"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/path\"",
	  .set = listen_set_address, .get = listen_get_address, .flags = CONF_REQUIRED },
	{ "backlog", CONF_COUNT, "4096", "connections that may wait to be accepted",
	  INTO(struct conf_listen, backlog), RANGE(1, 65535) },
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
	  .check = check_redirect_to, .flags = CONF_REQUIRED },
	{ "status", CONF_CODE, "302", "status of the answer",
	  INTO(struct conf_redirect_row, status), .choices = redirect_codes },
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
	  .set = name_set },
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
	  INTO(struct conf_server, limits), .section = &server_limits,
	  .flags = CONF_INHERITED },
	{ "timeouts", CONF_SECTION, NULL, "timeouts of this server",
	  INTO(struct conf_server, timeouts), .section = &server_timeouts,
	  .flags = CONF_INHERITED },
	{ "redirects", CONF_MAP, NULL,
	  "table of paths and where they lead, or the name of a file that has it",
	  ITEMS(struct conf_server, redirects, redirect_count), .section = &row,
	  .flags = CONF_SHORT, .check = check_not_empty, .set = redirects_set_file },
	{ "routes", CONF_LIST, NULL, "paths and what answers there",
	  ITEMS(struct conf_server, routes, route_count), .section = &route },
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
	  .check = check_not_empty },
	{ "group", CONF_TEXT, NULL, "and as this group", INTO(struct config, group),
	  PLACE(struct config, group_place), .check = check_not_empty },
	{ "workers", CONF_COUNT, "auto", "processes that serve; \"auto\" = online cores",
	  INTO(struct config, workers), .choices = worker_words, RANGE(1, 1024) },
	{ "event_backend", CONF_CHOICE, "auto", "how events are waited for",
	  INTO(struct config, backend), .choices = backends },
	{ "pid_file", CONF_PATH, NULL, "where the process id is written",
	  INTO(struct config, pid_file), PLACE(struct config, pid_file_place),
	  .check = check_not_empty },
	{ "logs", CONF_SECTION, NULL, "where the server writes what happens",
	  INTO(struct config, logs), .section = &logs },
	{ "limits", CONF_SECTION, NULL, "what the server accepts",
	  INTO(struct config, limits), .section = &global_limits },
	{ "timeouts", CONF_SECTION, NULL, "how long the server waits",
	  INTO(struct config, timeouts), .section = &global_timeouts },
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
