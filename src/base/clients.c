/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients: two set-associative tables in one shared mapping. That of connections is one
 * block per worker, summed when read, so what a dead worker had open can be taken away. That
 * of requests is one for all, and holds nothing that could be left behind: an entry says when
 * its bucket is full again, and after that it is empty by itself.
 */
#include "base/clients.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/secret.h"

#define NS_PER_MS ((uint64_t)1000000)
#define RATE_SETS (CLIENTS_RATES / CLIENTS_WAYS)
#define CONNECTION_SETS (CLIENTS_CONNECTIONS / CLIENTS_WAYS)

/* `id` is valid while `open` is not 0. Whoever brings it from 0 to 1 writes the id. */
struct connection_entry {
	_Atomic uint64_t id;
	_Atomic uint32_t open;
};

/* `full_ns` is when the bucket is full again: before now, the entry is free. Whoever moves it
 * from there may write the id. */
struct rate_entry {
	_Atomic uint64_t id;
	_Atomic uint64_t full_ns;
};

struct connection_set {
	_Alignas(64) struct connection_entry ways[CLIENTS_WAYS];
};

struct rate_set {
	_Alignas(64) struct rate_entry ways[CLIENTS_WAYS];
};

struct block {
	struct connection_set sets[CONNECTION_SETS];
};

struct clients {
	uint64_t seed[2];
	size_t workers;
	struct block *blocks; /* behind this struct: fork keeps the address */
	struct rate_set rates[RATE_SETS];
	/* Of each block: has it counted anybody? Only to look at it would take memory. */
	_Atomic bool used[];
};

static size_t
blocks_offset(size_t workers)
{
	size_t n = sizeof(struct clients) + workers * sizeof(_Atomic bool);

	return (n + _Alignof(struct block) - 1) & ~(_Alignof(struct block) - 1);
}

static size_t
size_for(size_t workers)
{
	return blocks_offset(workers) + workers * sizeof(struct block);
}

struct clients *
clients_new(size_t workers)
{
	/* Pages that nobody writes to take no memory. */
	struct clients *c = mmap(NULL, size_for(workers), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (c == MAP_FAILED)
		return NULL;
	c->workers = workers;
	c->blocks = (void *)((char *)c + blocks_offset(workers));
	if (secret_random(c->seed, sizeof(c->seed)) < 0) {
		clients_free(c);
		return NULL;
	}
	return c;
}

void
clients_free(struct clients *c)
{
	if (c != NULL)
		munmap(c, size_for(c->workers));
}

uint64_t
clients_key(uint16_t family, const unsigned char *address)
{
	uint64_t key = 0;

	if (family == AF_INET) {
		/* Of the multicast addresses of IPv6, which nobody connects from. */
		key = 0xffff0000;
		for (int i = 0; i < 4; i++)
			key = key << 8 | address[i];
	} else if (family == AF_INET6) {
		for (int i = 0; i < 8; i++)
			key = key << 8 | address[i];
		if (key == 0)
			key = (uint64_t)0xffff0001 << 32; /* "::1" */
	}
	return key;
}

struct clients_rate
clients_rate(uint32_t count, uint32_t per_ms, uint32_t burst)
{
	struct clients_rate r;

	assert(count != 0 && count <= CLIENTS_RATE_MAX && burst != 0 &&
	       burst <= CLIENTS_RATE_MAX && per_ms != 0 && per_ms <= CLIENTS_PER_MAX_MS);
	r.interval_ns = per_ms * NS_PER_MS / count;
	r.burst_ns = r.interval_ns * burst;
	return r;
}

/* Different keys have different ids: each step can be undone. The constants are those of
 * the finalizer of SplitMix64. */
static uint64_t
id_of(const struct clients *c, uint64_t key)
{
	uint64_t x = key ^ c->seed[0];

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31) ^ c->seed[1];
}

/* --- connections --- */

static bool
is_open_as(const struct connection_entry *e, uint64_t id)
{
	return atomic_load_explicit(&e->open, memory_order_acquire) != 0 &&
	       atomic_load_explicit(&e->id, memory_order_relaxed) == id;
}

/* Moves the count by `step`, unless it is 0. */
static bool
move_open(struct connection_entry *e, uint32_t step)
{
	uint32_t open = atomic_load(&e->open);

	while (open != 0) {
		if (atomic_compare_exchange_weak(&e->open, &open, open + step))
			return true;
	}
	return false;
}

static bool
claim(struct connection_entry *e, uint64_t id)
{
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong(&e->open, &none, 1))
		return false;
	atomic_store_explicit(&e->id, id, memory_order_release);
	return true;
}

uint32_t
clients_enter(struct clients *c, size_t worker, uint64_t key)
{
	uint64_t id = id_of(c, key);
	size_t set = id % CONNECTION_SETS;
	struct connection_entry *ways = c->blocks[worker].sets[set].ways;

	atomic_store_explicit(&c->used[worker], true, memory_order_relaxed);
	for (size_t i = 0; i < CLIENTS_WAYS; i++) {
		if (is_open_as(&ways[i], id) && move_open(&ways[i], 1))
			return (uint32_t)(set * CLIENTS_WAYS + i + 1);
	}
	for (size_t i = 0; i < CLIENTS_WAYS; i++) {
		if (claim(&ways[i], id))
			return (uint32_t)(set * CLIENTS_WAYS + i + 1);
	}
	return 0;
}

void
clients_leave(struct clients *c, size_t worker, uint32_t entry)
{
	size_t at = entry - 1;

	if (entry == 0)
		return;
	assert(at < CLIENTS_CONNECTIONS);
	/* That it is 0 already may be: who is taken for dead may still be leaving. */
	(void)move_open(
		&c->blocks[worker].sets[at / CLIENTS_WAYS].ways[at % CLIENTS_WAYS],
		UINT32_MAX);
}

uint64_t
clients_open(const struct clients *c, uint64_t key)
{
	uint64_t id = id_of(c, key);
	uint64_t sum = 0;

	for (size_t w = 0; w < c->workers; w++) {
		const struct connection_entry *ways =
			c->blocks[w].sets[id % CONNECTION_SETS].ways;

		if (!atomic_load_explicit(&c->used[w], memory_order_relaxed))
			continue;
		for (size_t i = 0; i < CLIENTS_WAYS; i++) {
			if (is_open_as(&ways[i], id))
				sum += atomic_load_explicit(&ways[i].open,
							    memory_order_relaxed);
		}
	}
	return sum;
}

void
clients_forget(struct clients *c, size_t worker)
{
	if (!atomic_exchange(&c->used[worker], false))
		return;
	for (size_t s = 0; s < CONNECTION_SETS; s++) {
		for (size_t i = 0; i < CLIENTS_WAYS; i++)
			atomic_store_explicit(&c->blocks[worker].sets[s].ways[i].open, 0,
					      memory_order_relaxed);
	}
}

/* --- requests --- */

/* The entry of `id`, or else the one that is free first. */
static struct rate_entry *
find_rate(struct rate_set *set, uint64_t id, bool *found)
{
	struct rate_entry *best = &set->ways[0];
	uint64_t best_full = UINT64_MAX;

	*found = true;
	for (size_t i = 0; i < CLIENTS_WAYS; i++) {
		struct rate_entry *e = &set->ways[i];
		uint64_t full = atomic_load_explicit(&e->full_ns, memory_order_relaxed);

		if (atomic_load_explicit(&e->id, memory_order_relaxed) == id)
			return e;
		if (full < best_full) {
			best = e;
			best_full = full;
		}
	}
	*found = false;
	return best;
}

/* Two workers that do this for one id at once may give it two entries, or count for each
 * other: that is one request, once. */
static enum clients_verdict
begin(struct rate_entry *e, const struct clients_rate *rate, uint64_t id, uint64_t now_ns)
{
	uint64_t full = atomic_load(&e->full_ns);

	if (!atomic_compare_exchange_strong(&e->full_ns, &full,
					    now_ns + rate->interval_ns))
		return CLIENTS_FINE;
	atomic_store(&e->id, id);
	return full <= now_ns ? CLIENTS_FINE : CLIENTS_CROWDED;
}

enum clients_verdict
clients_take(struct clients *c, const struct clients_rate *rate, uint64_t key,
	     uint64_t now_ns, uint64_t *wait_ns)
{
	uint64_t id = id_of(c, key) +
		      (rate->interval_ns * 31 + rate->burst_ns) * 0x9e3779b97f4a7c15;
	bool found;
	struct rate_entry *e = find_rate(&c->rates[id % RATE_SETS], id, &found);
	uint64_t full, next;

	if (!found)
		return begin(e, rate, id, now_ns);
	full = atomic_load(&e->full_ns);
	/* Who loses here has lost to a request that went through: it comes again at most as often
	 * as the burst is large. */
	do {
		next = (full > now_ns ? full : now_ns) + rate->interval_ns;
		if (next - now_ns > rate->burst_ns) {
			*wait_ns = next - now_ns - rate->burst_ns;
			return CLIENTS_TOO_FAST;
		}
	} while (!atomic_compare_exchange_weak(&e->full_ns, &full, next));
	return CLIENTS_FINE;
}
