/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wheel: a hashed timing wheel with lazy moves. Deadlines beyond the horizon wait in the
 * farthest slot and are put in again when it comes round.
 */
#include "base/wheel.h"

#include <assert.h>
#include <string.h>

void
wheel_init(struct wheel *w, uint64_t now_ms)
{
	memset(w, 0, sizeof(*w));
	w->tick = now_ms / WHEEL_TICK_MS;
}

static void
unlink_timer(struct wheel *w, struct wheel_timer *t)
{
	*t->pprev = t->next;
	if (t->next != NULL)
		t->next->pprev = t->pprev;
	t->next = NULL;
	t->pprev = NULL;
	w->count--;
}

static void
link_timer(struct wheel *w, struct wheel_timer *t)
{
	/* Rounded up: a timer never fires early. */
	uint64_t tick = (t->due_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
	struct wheel_timer **slot;

	if (tick <= w->tick)
		tick = w->tick + 1;
	if (tick > w->tick + WHEEL_SLOTS - 1)
		tick = w->tick + WHEEL_SLOTS - 1;
	slot = &w->slots[tick & (WHEEL_SLOTS - 1)];
	t->slot_tick = tick;
	t->next = *slot;
	t->pprev = slot;
	if (t->next != NULL)
		t->next->pprev = &t->next;
	*slot = t;
	w->count++;
}

void
wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t due_ms)
{
	bool in_time = t->pprev != NULL && t->slot_tick * WHEEL_TICK_MS <= due_ms;

	t->due_ms = due_ms;
	if (in_time)
		return;
	if (t->pprev != NULL)
		unlink_timer(w, t);
	link_timer(w, t);
}

void
wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
	if (t->pprev != NULL)
		unlink_timer(w, t);
}

struct wheel_timer *
wheel_expire(struct wheel *w, uint64_t now_ms)
{
	uint64_t now_tick = now_ms / WHEEL_TICK_MS;

	if (now_tick > w->tick + WHEEL_SLOTS)
		w->tick =
			now_tick - WHEEL_SLOTS; /* asleep for a turn: one turn sees all */
	while (w->count > 0 && w->tick < now_tick) {
		struct wheel_timer **slot = &w->slots[(w->tick + 1) & (WHEEL_SLOTS - 1)];

		while (*slot != NULL) {
			struct wheel_timer *t = *slot;

			unlink_timer(w, t);
			if (t->due_ms <= now_ms)
				return t;
			/* Its tick is this one: count it as past before finding a new slot. */
			w->tick++;
			link_timer(w, t);
			w->tick--;
		}
		w->tick++;
	}
	if (w->tick < now_tick)
		w->tick = now_tick;
	return NULL;
}
