/* SPDX-License-Identifier: BSD-2-Clause
 *
 * supervisor_state: what supervisor.c, events.c, slots.c and reload.c share, and nobody else.
 */
#ifndef WEBSRV_APP_SUPERVISOR_STATE_H
#define WEBSRV_APP_SUPERVISOR_STATE_H

#include "app/generation.h"
#include "app/supervisor.h"
#include "base/counters.h"
#include "base/log.h"

/* All that may live at a time; the kernel gives memory only to those in use. */
#define BLOCKS_MAX 4096
#define BLOCK_SUPERVISOR 0

enum phase { RUNNING, DRAINING, STOPPING };

struct supervisor {
	const struct supervisor_boot *boot;
	struct generation *current;
	struct generation *coming;   /* of a reload, not yet serving; or NULL */
	struct generation *ending;   /* a list, the latest first */
	struct generation *yielding; /* in that list: the reload waits for it to let go */
	uint64_t yield_ms;           /* but not longer than that */
	bool reload_wanted;
	bool reload_waits; /* it was told that it has to */

	struct counter_block *counters;
	bool block_taken[BLOCKS_MAX];
	size_t block_count; /* those that were ever in use */

	char *pid_file;  /* of the start, or NULL */
	int64_t started; /* seconds since 1970 */
	int signal_fd;
	int ready_fd;
	enum phase phase;
	int exit_status;
	bool served;    /* all workers were ready once */
	bool is_worker; /* we are the child: unwind */
};

/* All generations, one after the other; the first after NULL, and NULL at the end. */
static inline struct generation *
supervisor_next(const struct supervisor *s, const struct generation *g)
{
	if (g == NULL)
		return s->current;
	if (g == s->current && s->coming != NULL)
		return s->coming;
	return g == s->current || g == s->coming ? s->ending : g->next;
}

static inline const struct log *
supervisor_log(const struct supervisor *s)
{
	return &s->current->logs.errors;
}

#endif
