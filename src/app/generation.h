/* SPDX-License-Identifier: BSD-2-Clause
 *
 * generation: a configuration and all that was made of it: the checked site, the logs, the
 * listening sockets, the workers. A reload makes a new one; the one before lives until the
 * last of its workers has ended.
 */
#ifndef WEBSRV_APP_GENERATION_H
#define WEBSRV_APP_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/logs.h"
#include "app/sockets.h"
#include "app/start.h"
#include "conf/config.h"

enum generation_state {
	GENERATION_STARTING, /* by a reload; its workers do not accept yet */
	GENERATION_SERVING,
	GENERATION_DRAINING, /* who ends is not started again */
	GENERATION_STOPPING
};

struct clients;
struct quota;

struct slot {
	pid_t pid; /* 0: no worker */
	int channel;
	bool ready;
	bool yielded; /* accepts no more, or has ended */
	bool hung_up; /* the worker's end of the channel is closed */
	size_t block; /* of counters; kept when the worker is started again */
	uint64_t started_ms;
	uint64_t restart_ms; /* when pid is 0 */
	unsigned failures;   /* deaths in a row without a healthy life */
};

struct generation {
	struct generation *next; /* in the list of those that end */
	struct config *conf;
	struct start start;
	struct logs logs;
	struct sockets sockets;
	struct clients *clients; /* of its workers, by slot: a reload counts anew */
	struct quota *quota;     /* of upload directories, likewise; NULL: none has one */
	struct quota *unfinished; /* their unfinished uploads, likewise */
	struct slot *slots;
	size_t slot_count;  /* as many as conf->workers, once there are slots */
	size_t block_count; /* of counters: its workers sum that many */
	enum generation_state state;
	uint64_t deadline_ms; /* of the state; not when SERVING */
};

/* Takes `conf`, which is freed at once when there is no memory (NULL). Nothing is opened:
 * `start`, `logs` and `sockets` are for their own functions. */
struct generation *generation_new(struct config *conf)
	__attribute__((warn_unused_result));
/* Closes and frees all of it; NULL is fine. Files of sockets stay. */
void generation_free(struct generation *g);

/* Slots without workers. 0 or -ENOMEM. */
int generation_make_slots(struct generation *g);
bool generation_has_workers(const struct generation *g);

#endif
