/* SPDX-License-Identifier: BSD-2-Clause
 *
 * site: a configuration made ready to serve: addresses, virtual servers, routers, and one
 * handler per action. Built once per worker, const while it serves, freed as a whole.
 */
#ifndef WEBSRV_CORE_SITE_H
#define WEBSRV_CORE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "base/strmap.h"
#include "conf/config.h"
#include "core/auth_file.h"
#include "core/router.h"
#include "core/uploads.h"

struct accesslog;
struct auth_shared;
struct buf;
struct counter_block;
struct file_shared;
struct handler_ops;
struct limits;
struct log;
struct pool;
struct quota;

/* What status pages tell of the process tree. All borrowed; outlives the site. */
struct server_status {
	const struct counter_block *blocks; /* of all workers, and the supervisor */
	size_t block_count;
	size_t worker_count;          /* as configured */
	const char *const *end_names; /* why connections end: "HEADER_TIMEOUT" */
	size_t end_count;             /* of them; in the order of counter_block.closed */
	int64_t started;              /* the server, seconds since 1970 */
	const bool *draining; /* the server stops, or this worker does; may change */
};

/* What handlers may use. All borrowed; outlives the site. */
struct handler_env {
	const struct config *conf;
	const struct log *log;
	struct counter_block *counters;
	struct file_shared *files;          /* of the files handler */
	const struct server_status *status; /* NULL where nothing is served */
	struct pool *pool;                  /* the same; then work is done at once */
	struct auth_shared *auth;           /* the same */
	struct limits *limits;              /* by address; NULL: none hold */
	const struct upload_dirs *uploads;  /* of the whole site, which sets it itself */
	/* Of the upload directories that have one, for the worker of the limits; NULL: none holds. */
	struct quota *quota;
	struct quota *unfinished; /* uploads, in the units of one */
	/* Requests are explained, not served, perhaps by a user of few rights: directories that
	 * may not be opened are told by the answers, not by create(). */
	bool explains;
};

struct vhost {
	const struct conf_server *conf;
	struct route *routes;
	struct router router;
	struct slice allow; /* for "OPTIONS *" */
	const struct http_field
		*fields; /* "headers" of the server, for answers without a route */
	size_t field_count;
	struct slice server_line; /* "Server: websrv\r\n", or empty */
};

/* One listening address and the servers on it. */
struct site_address {
	const struct conf_listen *listen;
	const struct vhost *fallback; /* the first server on this address */
	struct strmap names; /* to an index of vhosts; "*.a.b" is kept as ".a.b" */
	/* the largest of its servers; each server's own are checked when it is known */
	size_t uri_size, header_size, header_count;
};

struct site {
	const struct config *conf;
	struct handler_env env;
	struct accesslog *accesslog; /* borrowed, may be NULL */
	struct vhost *vhosts;
	size_t vhost_count;
	struct site_address *addresses; /* distinct ones, in the order of the file */
	size_t address_count;
	struct handler error_page; /* when no configured page answers */
	struct auth_files auth_files;
	struct upload_dirs uploads;
	struct arena arena;
};

/*
 * `kinds` is a NULL-terminated list of handlers; `error_page` answers errors. NULL with
 * positioned messages in `errors` when a root cannot be opened and the like.
 */
struct site *site_new(const struct config *conf, const struct handler_env *env,
		      const struct handler_ops *const *kinds,
		      const struct handler_ops *error_page, struct buf *errors)
	__attribute__((warn_unused_result));
void site_free(struct site *s);

/* Handlers do what no request asks for; in how many ms it is to be called again, at the latest;
 * UINT64_MAX: never. */
uint64_t site_tick(const struct site *s);

/* For the user that serves: warns of what he may not read or write. */
void site_check_access(const struct site *s);

/* The address that `l` names, which need not be of this site; or NULL. */
const struct site_address *site_find_address(const struct site *s,
					     const struct conf_listen *l);

/* The server for a normalised host on an address: exact name, else the longest wildcard,
 * else the address's first. *name is the part of the host that decided: all of it, ".b.c"
 * for "*.b.c", or nothing. */
const struct vhost *site_find_vhost(const struct site *s, const struct site_address *a,
				    struct slice host, struct slice *name);

/* "GET, HEAD, OPTIONS" of a set of methods, to which OPTIONS is added. 0 or -1. */
int site_format_allow(struct arena *a, unsigned methods, struct slice *out);

/* Path of the configured error page ("404" before "4xx"), or empty. */
struct slice vhost_error_page(const struct vhost *v, int status);

#endif
