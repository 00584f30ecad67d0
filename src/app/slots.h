/* SPDX-License-Identifier: BSD-2-Clause
 *
 * slots: the worker processes of a generation: forked, told, reaped.
 */
#ifndef WEBSRV_APP_SLOTS_H
#define WEBSRV_APP_SLOTS_H

#include "app/channel.h"
#include "app/supervisor_state.h"

/* Blocks of counters for all slots; 0, or -ENOSPC when workers that end still have too many. */
int slots_take_blocks(struct supervisor *s, struct generation *g);

/* Forks the worker of a slot. 0 or -errno, told in the log. In the child this returns when the
 * worker has ended: s->is_worker is set, and everybody returns. */
int slot_spawn(struct supervisor *s, struct generation *g, size_t index);

/* After a death: restart_ms tells when the next worker is due. */
void slot_back_off(struct slot *slot);

/* Looks after a process that ended: tells how, and clears its slot. */
void slot_reap(struct supervisor *s, struct generation *g, size_t index, int status);

/* To all workers of a generation. */
void slots_send(struct generation *g, const struct channel_message *m);

/* The workers are told to finish within `ms` (CHANNEL_DRAIN; CHANNEL_YIELD when others take
 * over) or to end now (CHANNEL_STOP), and the sockets are closed. A deadline that has begun only
 * moves forward. */
void slots_end(struct generation *g, enum channel_type how, uint32_t ms);

/* Those that did not end by the deadline are killed. */
void slots_kill(struct generation *g);

/* Frees a generation without workers, and gives its blocks back. */
void slots_bury(struct supervisor *s, struct generation *g);

#endif
