/* SPDX-License-Identifier: BSD-2-Clause
 *
 * counters: one block per worker, and one of the supervisor, in memory shared by the process
 * tree. A block has one writer at a time, so adding is a plain load and store; readers sum the
 * blocks.
 */
#ifndef WEBSRV_BASE_COUNTERS_H
#define WEBSRV_BASE_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTERS(X)                                                                      \
	X(CONNECTIONS_ACCEPTED)                                                          \
	X(CONNECTIONS_OPEN) /* a gauge */                                                \
	X(CONNECTIONS_REFUSED)                                                           \
	X(CONNECTIONS_LIMITED) /* for their address */                                   \
	X(REQUESTS)                                                                      \
	X(REQUESTS_LIMITED)                                                              \
	X(RESPONSES_2XX)                                                                 \
	X(RESPONSES_3XX)                                                                 \
	X(RESPONSES_4XX)                                                                 \
	X(RESPONSES_5XX)                                                                 \
	X(BYTES_RECEIVED)                                                                \
	X(BYTES_SENT)                                                                    \
	X(FILES_UPLOADED)                                                                \
	X(RELOAD_SUCCESSFUL) /* a gauge; these two are the supervisor's */               \
	X(RELOAD_TIME)       /* seconds since 1970 */

enum counter {
#define X(name) COUNTER_##name,
	COUNTERS(X)
#undef X
		COUNTER_COUNT
};

#define COUNTER_ENDS_MAX 32

struct counter_block {
	_Alignas(64) _Atomic uint64_t v[COUNTER_COUNT];
	_Atomic uint64_t closed[COUNTER_ENDS_MAX]; /* connections, by why they ended */
};

static inline void
counter_add(struct counter_block *b, enum counter c, uint64_t n)
{
	uint64_t v = atomic_load_explicit(&b->v[c], memory_order_relaxed);

	atomic_store_explicit(&b->v[c], v + n, memory_order_relaxed);
}

static inline void
counter_sub(struct counter_block *b, enum counter c, uint64_t n)
{
	counter_add(b, c, ~n + 1);
}

static inline uint64_t
counter_sum(const struct counter_block *blocks, size_t count, enum counter c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += atomic_load_explicit(&blocks[i].v[c], memory_order_relaxed);
	return sum;
}

static inline void
counter_add_closed(struct counter_block *b, size_t why)
{
	uint64_t v = atomic_load_explicit(&b->closed[why], memory_order_relaxed);

	atomic_store_explicit(&b->closed[why], v + 1, memory_order_relaxed);
}

static inline uint64_t
counter_sum_closed(const struct counter_block *blocks, size_t count, size_t why)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += atomic_load_explicit(&blocks[i].closed[why], memory_order_relaxed);
	return sum;
}

/* Zeroed blocks that stay shared across fork; NULL when there is no memory. */
struct counter_block *counters_new(size_t count);
void counters_free(struct counter_block *blocks, size_t count);

#endif
