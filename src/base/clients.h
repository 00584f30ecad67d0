/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients: how many connections each client address has open, and how fast it asks, in
 * memory shared by the process tree. The size is fixed: what finds no room is not counted,
 * and not refused. No locks; no call looks at more than CLIENTS_WAYS entries, once for each
 * worker where it says so. Pure: the time is the caller's.
 */
#ifndef WEBSRV_BASE_CLIENTS_H
#define WEBSRV_BASE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENTS_WAYS 8                          /* entries that a key may stand in */
#define CLIENTS_RATES ((size_t)64 * 1024)       /* entries of requests, of all workers */
#define CLIENTS_CONNECTIONS ((size_t)16 * 1024) /* of connections, of each worker */
#define CLIENTS_RATE_MAX 100000                 /* requests, and of a burst */
#define CLIENTS_PER_MAX_MS ((uint64_t)86400 * 1000)

struct clients;

/* A rate: a bucket of tokens that holds a burst and fills steadily, as its virtual
 * scheduling algorithm (ITU-T I.371, GCRA) has it. */
struct clients_rate {
	uint64_t interval_ns; /* of one request */
	uint64_t burst_ns;    /* so far may requests be ahead of their time */
};

/* `count` requests in `per_ms`, of them `burst` at once. None of them is 0, none beyond its
 * maximum above. */
struct clients_rate clients_rate(uint32_t count, uint32_t per_ms, uint32_t burst);

/* Whom an address stands for: an IPv4 address itself, an IPv6 address with all of its /64,
 * which is what one subscriber has at the least. `address` has 4 or 16 bytes; any other
 * family is 0, nobody. */
uint64_t clients_key(uint16_t family, const unsigned char *address);

/* For worker 0 to workers - 1; stays shared across fork. NULL when there is no memory, or no
 * randomness: nobody can choose addresses that crowd each other out. */
struct clients *clients_new(size_t workers) __attribute__((warn_unused_result));
void clients_free(struct clients *c);

/* --- connections --- */

/* One more of `key`, not 0: returns its entry, for clients_leave(), or 0: it is not counted,
 * for there is no room. */
uint32_t clients_enter(struct clients *c, size_t worker, uint64_t key);
/* One less; entry 0 is nothing. */
void clients_leave(struct clients *c, size_t worker, uint32_t entry);
/* Those of `key` that are open in all workers. */
uint64_t clients_open(const struct clients *c, uint64_t key);
/* The worker is gone, and with it what it had open. */
void clients_forget(struct clients *c, size_t worker);

/* --- requests --- */

enum clients_verdict {
	CLIENTS_FINE,
	CLIENTS_CROWDED, /* fine, but another address was forgotten in favour of this one */
	CLIENTS_TOO_FAST
};

/* One request of `key`, not 0, at `now_ns`, of a clock that all workers share. When it is too
 * fast it is not counted, and *wait_ns is after how long it would be fine. Each rate counts
 * for itself. An entry that was given no request for a burst's time is as good as none and
 * makes room; when there is none the one that is idle soonest does. */
enum clients_verdict clients_take(struct clients *c, const struct clients_rate *rate,
				  uint64_t key, uint64_t now_ns, uint64_t *wait_ns);

#endif
