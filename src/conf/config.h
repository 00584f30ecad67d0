/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config: what a configuration file says, checked and resolved: defaults filled in,
 * inheritance flattened, paths absolute. Const after conf_load(); freed as a whole.
 * All strings and arrays live in the config's own arena.
 */
#ifndef WEBSRV_CONF_CONFIG_H
#define WEBSRV_CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/packmap.h"
#include "base/slice.h"
#include "http/template.h"

/* Where in which file something stands; line and column count from 1, columns in bytes.
 * Line 0: in no file; `file` is then the argument ("-l", "DIR"), or NULL for a default. */
struct conf_place {
	const char *file;
	uint32_t line, column;
	const char *pointer; /* JSON pointer, RFC 6901: "/servers/0/listen/1" */
};

enum conf_backend {
	CONF_BACKEND_AUTO,
	CONF_BACKEND_EPOLL,
	CONF_BACKEND_POLL,
	CONF_BACKEND_SELECT
};
enum conf_log_target { CONF_LOG_STDERR, CONF_LOG_SYSLOG, CONF_LOG_FILE };
enum conf_access_format { CONF_ACCESS_COMBINED, CONF_ACCESS_JSON };
enum conf_log_level { CONF_LOG_ERROR, CONF_LOG_WARNING, CONF_LOG_INFO, CONF_LOG_DEBUG };

struct conf_logs {
	struct {
		enum conf_log_target target;
		const char *path; /* absolute, when target is CONF_LOG_FILE */
		enum conf_log_level level;
		struct conf_place place;
	} error;
	struct {
		bool enabled;
		enum conf_log_target target; /* stderr or a file */
		const char *path;
		enum conf_access_format format;
		struct conf_place place;
	} access;
};

/* A bucket of tokens for each client address. */
struct conf_request_rate {
	bool enabled;
	uint32_t rate; /* requests, */
	uint32_t per_ms;
	uint32_t burst; /* and so many at once */
};

struct conf_limits {
	uint32_t connections;             /* global only */
	uint32_t connections_per_address; /* global only; 0 = no limit */
	struct conf_request_rate requests_per_address;
	uint64_t header_size;
	uint32_t header_count;
	uint64_t uri_size;
	uint64_t body_size;
	uint32_t ranges;                  /* of one Range field; 0 = Range is ignored */
	uint32_t requests_per_connection; /* 0 = no limit */
};

/* All in milliseconds. */
struct conf_timeouts {
	uint32_t header_ms;
	uint32_t body_idle_ms;
	uint32_t write_idle_ms;
	uint32_t idle_ms;
	uint32_t shutdown_ms;   /* global only */
	uint64_t body_min_rate; /* bytes per second, 0 = off */
};

struct conf_cache {
	uint32_t entries;
	uint64_t memory;
	uint64_t file_size;
	uint32_t revalidate_ms;
};

struct conf_pair {
	const char *name;
	const char *value; /* never NULL once loaded: a null has removed the pair */
	struct conf_place place;
};

struct conf_pairs {
	const struct conf_pair *items;
	size_t count;
};

struct conf_strings {
	const char *const *items;
	size_t count;
};

enum conf_family { CONF_INET, CONF_INET6, CONF_UNIX };

struct conf_listen {
	enum conf_family family;
	const char *host; /* numeric address, or the path of a unix socket */
	uint16_t port;    /* 0 lets the kernel choose */
	uint32_t backlog;
	bool interim_104; /* 104 Upload Resumption Supported is sent */
	const char *text; /* as written, for messages */
	struct conf_place place;
};

/* Is it one address, however written? */
bool conf_listen_is_same(const struct conf_listen *a, const struct conf_listen *b);

enum conf_action {
	CONF_ACTION_FILES = 1 << 0,
	CONF_ACTION_UPLOAD = 1 << 1, /* the only one that may stand beside files */
	CONF_ACTION_REDIRECT = 1 << 2,
	CONF_ACTION_RESPOND = 1 << 3,
	CONF_ACTION_STATUS = 1 << 4
};

enum conf_symlinks { CONF_SYMLINKS_INSIDE, CONF_SYMLINKS_REFUSE, CONF_SYMLINKS_FOLLOW };
enum conf_conflict { CONF_CONFLICT_REFUSE, CONF_CONFLICT_REPLACE, CONF_CONFLICT_RENAME };

/* Compression while serving. */
struct conf_compress {
	bool enabled;
	struct conf_strings encodings; /* "br", "zstd", "gzip": the first is preferred */
	struct conf_strings
		types;     /* media types; "text/..." with a star for all of them */
	uint64_t min_size; /* bytes; smaller files are left alone */
};

struct conf_files {
	const char *root; /* absolute */
	struct conf_strings index;
	bool listing;
	const char *fallback; /* path beneath root, without leading '/'; NULL = none */
	struct conf_strings
		precompressed; /* "br", "zstd", "gzip": the first is preferred */
	struct conf_compress compress;
	enum conf_symlinks symlinks;
	bool hidden;
	const char *charset;
	const char *default_type;
	struct conf_place root_place;
};

struct conf_upload {
	const char *directory; /* absolute */
	uint64_t max_size;
	enum conf_conflict conflict;
	uint64_t quota;   /* bytes in the directory; 0 = no limit */
	uint64_t reserve; /* bytes that stay free on the file system */
	bool durable;     /* synced before success is answered */
	bool create_directories;
	struct conf_strings types; /* endings that are taken, ".jpg"; none = all */
	bool resumable;
	uint32_t expire_ms;  /* of unfinished uploads */
	uint32_t unfinished; /* how many there may be at a time; 0 = no limit */
	bool page;
	uint32_t mode;       /* file permission bits */
	uint32_t per_client; /* uploads of an address at a time; 0 = no limit */
	const char *after;   /* a path or URL; NULL: a page tells what arrived */
	unsigned digests;    /* set of DIGEST_BIT() that every file gets */
	struct conf_place directory_place;
	struct conf_place quota_place;
	struct conf_place digest_place;
};

struct conf_redirect {
	const char *to; /* as written */
	struct template target;
	int status;
	bool keep_query;
};

struct conf_respond {
	int status;
	const char *body;
	const char *content_type;
};

/* Cross-origin resource sharing, as the Fetch standard has it. */
struct conf_cors {
	bool enabled;
	struct conf_strings origins; /* "https://a.example"; "*" = every one */
	struct conf_strings methods; /* for preflights; none = all of the route */
	struct conf_strings headers; /* request fields that a page may set; "*" = any */
	struct conf_strings expose;  /* response fields that a page may read */
	bool credentials;
	uint32_t max_age_ms; /* how long a preflight answer holds */
};

/* Who may, by what he knows; either one lets in. */
struct conf_auth {
	bool enabled;
	struct {
		bool enabled;
		const char *users; /* absolute path */
		const char *realm;
		struct conf_place users_place;
	} basic;
	struct {
		bool enabled;
		const char *tokens; /* absolute path */
		const char *realm;
		struct conf_place tokens_place;
	} bearer;
	unsigned methods; /* set of HTTP_BIT() that need it; 0 = all; GET is HEAD too */
};

enum conf_server_header {
	CONF_SERVER_HEADER_NAME, /* "websrv" */
	CONF_SERVER_HEADER_FULL, /* with the version */
	CONF_SERVER_HEADER_NONE  /* null in the file */
};

enum conf_status_page { CONF_STATUS_HEALTH, CONF_STATUS_METRICS, CONF_STATUS_PAGE };

struct regex;

/* One to free. */
struct conf_regex {
	struct regex *regex;
	struct conf_regex *next;
};

struct conf_route {
	const char *path; /* as written; NULL: there is an expression */
	const char *path_regex;
	struct regex *regex; /* the config's own; NULL: there is a path */
	bool is_prefix;      /* it ends in a segment that is just "*" */
	unsigned actions;    /* set of enum conf_action */
	struct conf_files files;
	struct conf_upload upload;
	struct conf_redirect redirect;
	struct conf_respond respond;
	enum conf_status_page status;
	unsigned methods;          /* set of HTTP_BIT(); 0 = the action's own default */
	struct conf_pairs headers; /* those of the server with the route's laid over */
	const char *cache_control; /* NULL = none */
	bool download;             /* Content-Disposition: attachment */
	struct conf_cors cors;
	/* "10.0.0.0/8", "::1", "unix": blocks as cidr_format() writes them; empty = none */
	struct conf_strings allow, deny;
	struct conf_auth auth;
	struct conf_limits limits; /* flattened: global, server, route */
	struct conf_place place;
};

/* A row of the "redirects" table; its text is in the server's redirect_map. */
struct conf_redirect_row {
	const char *from; /* canonical decoded path */
	const char *to;
	int status;
	uint32_t line, column; /* in the file that has the table */
	const char *key;       /* as written, where the table is JSON; else NULL */
};

/* One to free. */
struct conf_redirect_map {
	struct packmap map;
	struct conf_redirect_map *next;
};

struct conf_server {
	const struct conf_listen *listens;
	size_t listen_count;
	struct conf_strings names; /* lower-case; "*.example.org" allowed */
	struct conf_pairs
		error_pages; /* name "404" or "5xx", value a path beginning with '/' */
	struct conf_pairs headers;
	enum conf_server_header server_header;
	const struct conf_redirect_row *redirects;
	size_t redirect_count;
	/* The same by path: target, number of the row, and status. The config's own; NULL: there
	 * are none. */
	const struct packmap *redirect_map;
	/* Of the table: its rows are in that file, and in JSON beneath that pointer. Without a
	 * pointer the file has lines; without a file there is no table. */
	struct conf_place redirects_place;
	const struct conf_route *routes;
	size_t route_count;
	struct conf_limits limits;     /* flattened */
	struct conf_timeouts timeouts; /* flattened */
	struct conf_place place;
};

struct config {
	struct arena arena;
	struct conf_regex *regexes; /* of all routes */
	struct conf_redirect_map *redirect_maps;
	const char *file;         /* NULL for a built-in one */
	const char *user, *group; /* NULL = stay who we are */
	struct conf_place user_place, group_place;
	uint32_t workers; /* resolved: "auto" = online cores */
	enum conf_backend backend;
	const char *pid_file; /* absolute or NULL */
	struct conf_place pid_file_place;
	struct conf_logs logs;
	struct conf_limits limits;
	struct conf_timeouts timeouts;
	struct conf_cache cache;
	enum conf_server_header server_header;
	struct conf_pairs mime_types; /* name is the extension with its dot, lower-case */
	const struct conf_server *servers;
	size_t server_count;
};

#endif
