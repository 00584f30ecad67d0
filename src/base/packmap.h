/* SPDX-License-Identifier: BSD-2-Clause
 *
 * packmap: from a string to a string and two numbers, for tables that are larger than a cache.
 * A lookup waits for memory two times: for a slot of four bytes, and for the row, which has all
 * that there is to know beside each other. Built once and then only read, so processes that
 * are forked share it; it holds copies of what goes in.
 */
#ifndef WEBSRV_BASE_PACKMAP_H
#define WEBSRV_BASE_PACKMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Where it lies does not change before fini. */
struct packmap_row {
	uint32_t number; /* the caller's */
	uint32_t key_len, text_len;
	uint16_t tag; /* the caller's */
	char bytes[]; /* the key, '\0', the text, '\0' */
};

struct packmap {
	uint32_t *slots;     /* a load of two thirds of them */
	char *rows;          /* the memory behind the slots */
	size_t room, used;   /* of rows, bytes */
	uint32_t slot_count; /* 0: a map without memory */
	uint32_t place_mask; /* the bits of a slot that say where the row is */
	uint32_t count;
	void *mapped; /* all of the memory */
	size_t mapped_size;
};

struct packmap_entry {
	struct slice key, text;
	uint32_t number;
	uint16_t tag;
};

static inline struct slice
packmap_key(const struct packmap_row *r)
{
	return slice_make(r->bytes, r->key_len);
}

static inline struct slice
packmap_text(const struct packmap_row *r)
{
	return slice_make(r->bytes + r->key_len + 1, r->text_len);
}

/* Room for `capacity` entries whose keys and texts are `bytes` long, all in all. 0 or -ENOMEM.
 * Without memory, too, fini is right, and nothing is found. */
int packmap_init(struct packmap *m, size_t capacity, size_t bytes)
	__attribute__((warn_unused_result));
void packmap_fini(struct packmap *m);

/* The row that has been made of it; or the one that has its key already, and no change. More
 * than there is room for is a bug. */
const struct packmap_row *packmap_add(struct packmap *m, const struct packmap_entry *e);

/* The row of that key, whose strmap_hash() is at hand, or NULL. A map that was zeroed and never
 * initialised is empty. */
const struct packmap_row *packmap_find(const struct packmap *m, struct slice key,
				       uint64_t hash);

#endif
