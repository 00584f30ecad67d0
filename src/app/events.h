/* SPDX-License-Identifier: BSD-2-Clause
 *
 * events: signals, messages of workers and their deaths.
 */
#ifndef WEBSRV_APP_EVENTS_H
#define WEBSRV_APP_EVENTS_H

#include "app/supervisor_state.h"

/* Starts the worker of a slot of the current generation. Before all have served once a failure
 * ends the server; later the slot waits. Forks: see slot_spawn(). */
void events_spawn(struct supervisor *s, size_t index);

/* Takes one signal from s->signal_fd. */
void events_on_signal(struct supervisor *s);

/* The channel of a worker has a message, or has ended. */
void events_on_message(struct supervisor *s, struct generation *g, struct slot *slot);

#endif
