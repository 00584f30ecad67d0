/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing: the answer to a request for a directory: its entries as HTML, or as JSON for who
 * prefers that, in the order that "?sort=name|size|date&order=asc|desc" asks for. It is read
 * by turns of the loop and rendered while it is sent; no part of it exists twice.
 */
#ifndef WEBSRV_HANDLER_LISTING_H
#define WEBSRV_HANDLER_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "core/exchange.h"
#include "http/coding.h"

struct file_root;
struct file_shared;
/* All snapshots of one worker. */
struct listings;

/* `memory_max` is in bytes, for all snapshots that are alive at a time. NULL: no memory. */
struct listings *listings_new(size_t memory_max) __attribute__((warn_unused_result));
/* No listing may be under way or being sent any more. `all` may be NULL. */
void listings_free(struct listings *all);
/* Forgets the snapshots of a root that goes away. */
void listings_forget_root(struct listings *all, const struct file_root *root);

struct listing_source {
	struct listings *all;
	const struct file_root *root;
	bool hidden; /* names that begin with a dot are listed too */
	const struct log *log;
	/* a snapshot serves further requests for so long; 0: none */
	uint32_t revalidate_ms;
	uint64_t uploads; /* stored so far: with more of them it serves nobody */
	struct file_shared *shared;
	/* codings to encode it in on the way, in the order of preference; borrowed */
	const enum coding *encodings;
	size_t html_encodings, json_encodings; /* how many of them for each format */
};

/*
 * `path` is beneath the root: "" or with '/' at its end. 0: answered, or under way by turns;
 * or a status: 404, 403, 412, 503 when memory_max is reached, 500. For an error page: 404,
 * since that has to answer at once. `src` is copied; what it points to must
 * outlive the exchange.
 */
int listing_open(struct exchange *ex, const struct listing_source *src, const char *path);

/* For handler_ops.work and handler_ops.close while ex->data is not NULL: it is the listing's
 * from listing_open() on, and NULL again when the answer is under way. */
int listing_work(struct exchange *ex);
void listing_close(struct exchange *ex);

#endif
