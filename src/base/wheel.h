/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wheel: many deadlines, cheap to move. A timer waits in the slot of some earlier
 * deadline; moving the deadline away is one store, and the timer finds its new slot when
 * the old one comes round. Precision is one tick.
 *
 *   slots:  | 0 | 1 | ... | now | +1 | +2 | ...      a timer's slot <= its due time
 */
#ifndef WEBSRV_BASE_WHEEL_H
#define WEBSRV_BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_TICK_MS 100
#define WHEEL_SLOTS 512 /* a power of two */

struct wheel_timer {
	struct wheel_timer *next, **pprev; /* pprev NULL: not in the wheel */
	uint64_t due_ms;
	uint64_t slot_tick;
};

struct wheel {
	struct wheel_timer *slots[WHEEL_SLOTS];
	uint64_t tick; /* the last one that was worked off */
	uint64_t count;
};

/* Times are monotonic milliseconds. */
void wheel_init(struct wheel *w, uint64_t now_ms);
void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t due_ms);
void wheel_cancel(struct wheel *w, struct wheel_timer *t);

/* Takes one due timer out of the wheel, or returns NULL when none is left at `now_ms`.
 * The caller may set or cancel any timer between two calls. */
struct wheel_timer *wheel_expire(struct wheel *w, uint64_t now_ms);

static inline bool
wheel_timer_is_set(const struct wheel_timer *t)
{
	return t->pprev != NULL;
}

#endif
