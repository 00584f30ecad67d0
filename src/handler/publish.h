/* SPDX-License-Identifier: BSD-2-Clause
 *
 * publish: the files of a request, which are whole, get their names: all of them, or none.
 * Where the store is durable their bytes are on the disk before, and the names are before the
 * request is answered; helpers wait for that, not the loop. Of several files what is about to be
 * done is written down before (intent.h), so that a crash leaves all or none, too; one file
 * gets its name in one step, and needs nothing of that. What is known of their digests
 * (store_file.digest) is kept with them before they have a name (store_kept.h).
 *
 *   publish_begin -> SYNCING -> NAMING -> DONE       (a store that is not durable: DONE at once)
 *                        publish_work() from work() of the handler
 */
#ifndef WEBSRV_HANDLER_PUBLISH_H
#define WEBSRV_HANDLER_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>

#include "handler/store.h"

struct exchange;
struct intent;
struct task;

struct publish_item {
	struct store_file *file;      /* its caller discards it, published or not */
	const char *path;             /* as store_publish() has it */
	const struct http_head *head; /* its preconditions; NULL: the exchange's */
	struct store_result result;
};

enum publish_state { PUBLISH_IDLE, PUBLISH_SYNCING, PUBLISH_NAMING, PUBLISH_DONE };

/* Zeroed is IDLE. */
struct publish {
	enum publish_state state;
	struct store *store;        /* borrowed */
	struct publish_item *items; /* borrowed; they live as long as the exchange */
	size_t count;
	struct intent
		*intent; /* of several files, until they have their names for good */
	struct task *task;
};

/* 0: the answer is due when the state is DONE, or after publish_work() made it so. Else the
 * status to answer, and nothing was published. */
int publish_begin(struct publish *p, struct exchange *ex, struct store *store,
		  struct publish_item *items, size_t count)
	__attribute__((warn_unused_result));
int publish_work(struct publish *p, struct exchange *ex)
	__attribute__((warn_unused_result));
/* Of the handler's close(): lets go of what still runs. Files that have their names keep them. */
void publish_end(struct publish *p);

#endif
