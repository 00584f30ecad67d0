/* SPDX-License-Identifier: BSD-2-Clause
 *
 * worker: one process, one event loop. Takes its listening sockets, opens what the site
 * needs, gives up its privileges, and only then serves.
 */
#ifndef WEBSRV_APP_WORKER_H
#define WEBSRV_APP_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "app/logs.h"
#include "app/sockets.h"
#include "conf/config.h"

struct clients;
struct counter_block;
struct quota;

struct worker_boot {
	const struct config *conf;
	struct sockets *sockets;        /* this process's copy */
	struct logs *logs;              /* the worker's own copy after fork */
	struct counter_block *counters; /* all blocks; [block] is ours */
	struct clients *clients;        /* of all workers, by slot */
	struct quota *quota;            /* likewise; may be NULL */
	struct quota *unfinished;       /* likewise */
	size_t blocks;
	size_t block;
	size_t slots;
	size_t slot;
	int64_t started; /* the server, seconds since 1970 */
	int channel;
	bool waits; /* accepts nothing before CHANNEL_SERVE */
};

/* Serves until it is told to stop. The exit status of the process. */
int worker_run(const struct worker_boot *boot);

#endif
