/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reload: from one configuration to the next without losing a connection.
 *
 *   load, check, bind --> workers start --> all ready: they accept --> the old ones yield: done
 *                    \                 \
 *                     `-----------------`--> refused: all undone, the old ones never noticed
 */
#ifndef WEBSRV_APP_RELOAD_H
#define WEBSRV_APP_RELOAD_H

#include "app/supervisor_state.h"

/* Once a turn of the loop: is a reload over, or its time? */
void reload_end(struct supervisor *s);
/* After that: begins what is wanted (s->reload_wanted). Forks: see slot_spawn(). */
void reload_begin(struct supervisor *s);

/* The nearest time at which reload_end() has something to do; UINT64_MAX = none. */
uint64_t reload_due_ms(const struct supervisor *s);

/* A worker of s->coming is ready. */
void reload_on_ready(struct supervisor *s);

/* s->coming cannot serve; `why` is for the log. */
void reload_refuse(struct supervisor *s, const char *why);

/* At the end of the server: no more reloads; s->coming is stopped. */
void reload_give_up(struct supervisor *s);

/* In the metrics: was the last one a success? */
void reload_count(struct supervisor *s, bool ok);

#endif
