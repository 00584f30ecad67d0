/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain_parts: what the files of "explain" share: the URL taken apart, the listener that a
 * client of it would reach, and the whole explanation as it is printed.
 */
#ifndef WEBSRV_APP_EXPLAIN_PARTS_H
#define WEBSRV_APP_EXPLAIN_PARTS_H

#include "app/explain.h"
#include "core/exchange.h"

struct buf;

struct explain_url {
	struct slice authority; /* as written; a NULL ptr: there is only a path */
	struct slice host;      /* lower-case, without the port; IPv6 in brackets */
	uint16_t port;
	struct slice target; /* of the request: path and query */
};

struct explain {
	const struct explain_request *request;
	const struct config *conf;
	struct slice fields[EXPLAIN_FIELDS_MAX]; /* "Name: value", those of files too */
	size_t field_count;
	struct explain_url url;
	const struct site *site;
	const struct site_address *address; /* NULL: nothing listens there */
	struct slice host;                  /* the Host field; a NULL ptr: -H has one */
	struct exchange ex; /* begun and answered when there is an address */
	struct trace trace;
	bool wants_turn, aborted;
	uint64_t length; /* of the answer's body, or BODY_UNKNOWN */
	struct arena arena;
};

/* explain_url.c: NULL, or what is wrong with it, to be printed behind the URL. */
const char *explain_read_url(const char *text, struct arena *a, struct explain_url *out);

/* explain_fields.c: fills x->fields. False after a complaint on stderr. */
bool explain_read_fields(struct explain *x);
/* As it is printed: without what it would let others in by. */
struct slice explain_show_field(struct slice field, struct arena *a);

/* explain_listener.c: sets x->address, with notes; it stays NULL when nothing fits. */
void explain_find_listener(struct explain *x);
/* The Host field of who names no host. */
struct slice explain_own_host(const struct conf_listen *l, struct arena *a);

/* explain_text.c, explain_json.c */
void explain_write_text(struct explain *x, struct buf *out);
void explain_write_json(struct explain *x, struct buf *out);
/* "files", "redirect"...; for the pages of errors and listings, too. */
const char *explain_handler_word(const struct handler *h);
/* Where the row of "redirects" stands. */
struct conf_place explain_row_place(const struct explain *x);

#endif
