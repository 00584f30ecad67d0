/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reload: one at a time. The workers of the new configuration accept nothing until all of
 * them are ready, so that none of its answers is seen when it is refused; then the old ones
 * take what is queued and let go of the sockets, which both share.
 */
#include "app/reload.h"

#include <stdlib.h>
#include <string.h>

#include "app/channel.h"
#include "app/meaning.h"
#include "app/notify.h"
#include "app/slots.h"
#include "base/buf.h"
#include "base/clock.h"

#define START_MS 60000 /* for new workers; opening roots may mean waiting for a network */
#define YIELD_MS 3000  /* for old ones; they answer within a turn of their loop */
#define ENDING_MAX 8   /* generations that finish at a time; then the next reload waits */

static const char old_goes_on[] = "reload failed; the old configuration goes on";

void
reload_count(struct supervisor *s, bool ok)
{
	struct counter_block *b = &s->counters[BLOCK_SUPERVISOR];

	atomic_store(&b->v[COUNTER_RELOAD_SUCCESSFUL], ok ? 1 : 0);
	if (ok)
		atomic_store(&b->v[COUNTER_RELOAD_TIME], (uint64_t)clock_unix());
}

static void
fail(struct supervisor *s)
{
	log_error(supervisor_log(s), "%s", old_goes_on);
	reload_count(s, false);
	notify_send(supervisor_log(s), "READY=1\nSTATUS=%s", old_goes_on);
}

static void
add_ending(struct supervisor *s, struct generation *g)
{
	g->next = s->ending;
	s->ending = g;
}

void
reload_refuse(struct supervisor *s, const char *why)
{
	struct generation *g = s->coming;

	log_error(supervisor_log(s), "%s", why);
	s->coming = NULL;
	slots_end(g, CHANNEL_STOP, 0);
	add_ending(s, g);
	fail(s);
}

/* --- the beginning --- */

/* All checks of a start. */
static int
open_all(struct supervisor *s, struct generation *g, struct buf *errors)
{
	int failed;

	g->logs.errors = s->current->logs.errors; /* until there are its own */
	failed = start_open(&g->start, g->conf, &g->logs, errors);
	logs_init(&g->logs);
	failed |= logs_open(&g->logs, g->conf, errors);
	if (failed == 0)
		failed = meaning_start(g->conf, g->start.site, &g->logs.errors, errors);
	if (failed == 0)
		failed = sockets_open(&g->sockets, g->start.site, g->conf->workers,
				      &s->current->sockets, &g->logs.errors, errors);
	if (failed != 0)
		return -1;
	if (generation_make_slots(g) < 0) {
		buf_add_str(errors, "out of memory\n");
		return -1;
	}
	if (slots_take_blocks(s, g) < 0) {
		buf_add_str(errors, "too many workers of earlier configurations have not "
				    "finished yet\n");
		return -1;
	}
	return 0;
}

static struct generation *
prepare(struct supervisor *s, struct buf *errors)
{
	struct config *conf = s->boot->load(s->boot->load_arg, errors);
	struct generation *g = conf != NULL ? generation_new(conf) : NULL;

	if (g == NULL || open_all(s, g, errors) == 0)
		return g;
	sockets_close(&g->sockets, true);
	slots_bury(s, g);
	return NULL;
}

static void
start_workers(struct supervisor *s, struct generation *g)
{
	g->state = GENERATION_STARTING;
	g->deadline_ms = clock_mono_ms() + START_MS;
	s->coming = g;
	for (size_t i = 0; i < g->slot_count; i++) {
		int rc = slot_spawn(s, g, i);

		if (s->is_worker)
			return;
		if (rc < 0) {
			reload_refuse(s, "not all workers can be started");
			return;
		}
	}
}

static void
begin(struct supervisor *s)
{
	struct generation *g;
	struct buf errors;

	log_info(supervisor_log(s), "SIGHUP: reloading");
	notify_send(supervisor_log(s),
		    "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reloading",
		    (unsigned long long)clock_mono_us());
	buf_init(&errors);
	g = prepare(s, &errors);
	if (g == NULL) {
		logs_tell(supervisor_log(s), LOG_LEVEL_ERROR, buf_slice(&errors));
		if (errors.len == 0)
			log_error(supervisor_log(s), "out of memory");
		fail(s);
	}
	buf_fini(&errors);
	if (g == NULL)
		return;
	start_warn(g->conf, &g->logs.errors);
	start_raise_limits(g->conf, &g->logs.errors);
	start_workers(s, g);
}

/* --- the change --- */

static void
tell_what_stays(const struct supervisor *s)
{
	const char *path = s->current->conf->pid_file;
	bool same = path == NULL || s->pid_file == NULL ? path == s->pid_file
							: strcmp(path, s->pid_file) == 0;

	if (!same)
		log_warning(supervisor_log(s),
			    "pid_file changed: takes effect after a restart");
}

static void
change(struct supervisor *s)
{
	static const struct channel_message serve = { .type = CHANNEL_SERVE };
	struct generation *old = s->current, *g = s->coming;

	sockets_take_over(&g->sockets, &old->sockets, &g->logs.errors);
	s->current = g;
	s->coming = NULL;
	g->state = GENERATION_SERVING;
	slots_send(g, &serve);
	slots_end(old, CHANNEL_YIELD, old->conf->timeouts.shutdown_ms);
	add_ending(s, old);
	s->yielding = old;
	s->yield_ms = clock_mono_ms() + YIELD_MS;
	tell_what_stays(s);
}

void
reload_on_ready(struct supervisor *s)
{
	for (size_t i = 0; i < s->coming->slot_count; i++) {
		if (!s->coming->slots[i].ready)
			return;
	}
	change(s);
}

/* --- the end --- */

static bool
has_yielded(const struct generation *g)
{
	for (size_t i = 0; i < g->slot_count; i++) {
		if (g->slots[i].pid != 0 && !g->slots[i].yielded)
			return false;
	}
	return true;
}

static void
finish(struct supervisor *s)
{
	size_t count = s->current->slot_count;
	const char *plural = count == 1 ? "" : "s";

	if (!has_yielded(s->yielding))
		log_warning(supervisor_log(s),
			    "workers of the old configuration do not let go of their "
			    "sockets");
	s->yielding = NULL;
	log_info(supervisor_log(s), "reloaded: %zu worker%s", count, plural);
	reload_count(s, true);
	notify_send(supervisor_log(s), "READY=1\nSTATUS=serving with %zu worker%s", count,
		    plural);
}

static bool
may_begin(struct supervisor *s)
{
	size_t count = 0;

	if (!s->reload_wanted || !s->served || s->phase != RUNNING || s->coming != NULL ||
	    s->yielding != NULL)
		return false;
	for (const struct generation *g = s->ending; g != NULL; g = g->next)
		count++;
	if (count >= ENDING_MAX && !s->reload_waits)
		log_warning(supervisor_log(s),
			    "the reload waits: %zu earlier configurations have not "
			    "finished yet",
			    count);
	s->reload_waits = count >= ENDING_MAX;
	return !s->reload_waits;
}

void
reload_end(struct supervisor *s)
{
	uint64_t now = clock_mono_ms();

	if (s->yielding != NULL && (has_yielded(s->yielding) || now >= s->yield_ms))
		finish(s);
	if (s->coming != NULL && now >= s->coming->deadline_ms)
		reload_refuse(s, "the new workers take too long to start");
}

void
reload_begin(struct supervisor *s)
{
	if (!may_begin(s))
		return;
	s->reload_wanted = false;
	begin(s);
}

uint64_t
reload_due_ms(const struct supervisor *s)
{
	uint64_t due = s->yielding != NULL ? s->yield_ms : UINT64_MAX;

	if (s->coming != NULL && s->coming->deadline_ms < due)
		due = s->coming->deadline_ms;
	return due;
}

void
reload_give_up(struct supervisor *s)
{
	s->reload_wanted = false;
	s->yielding = NULL;
	if (s->coming == NULL)
		return;
	slots_end(s->coming, CHANNEL_STOP, 0);
	add_ending(s, s->coming);
	s->coming = NULL;
}
