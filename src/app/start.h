/* SPDX-License-Identifier: BSD-2-Clause
 *
 * start: what is the same for a start and for `websrv -t`: users exist, roots open, so
 * that a mistake is told with its place before any worker runs.
 */
#ifndef WEBSRV_APP_START_H
#define WEBSRV_APP_START_H

#include <stdbool.h>

#include "app/logs.h"
#include "base/counters.h"
#include "conf/config.h"
#include "core/site.h"

struct buf;
struct file_shared;

struct start {
	struct counter_block
		counters; /* for the handlers' environment; nothing is counted */
	struct server_status status; /* of a server that has just begun */
	bool draining;               /* for it: never */
	struct file_shared *files;
	struct site *site;
};

/* 0, or -1 with messages; start_close() is right in both cases. */
int start_open(struct start *s, const struct config *conf, struct logs *logs,
	       struct buf *errors);
/* The same for who explains, whatever he may open: see struct handler_env. */
int start_open_explained(struct start *s, const struct config *conf, struct logs *logs,
			 struct buf *errors);
void start_close(struct start *s);

/* Says what works but may not be meant. */
void start_warn(const struct config *conf, const struct log *log);

/* Raises the soft limit of descriptors to the hard one; says so when that is too few. */
void start_raise_limits(const struct config *conf, const struct log *log);

#endif
