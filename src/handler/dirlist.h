/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dirlist: the entries of one directory, packed: numbers and name side by side in blocks, and
 * 32-bit references that are put in order in bounded pieces. Pure memory, charged to a budget
 * that many lists share; it knows nothing of files and requests.
 */
#ifndef WEBSRV_HANDLER_DIRLIST_H
#define WEBSRV_HANDLER_DIRLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define DIRLIST_NAME_MAX 1023 /* bytes: 255 UTF-16 units of a foreign file system fit */

enum dirlist_sort { DIRLIST_BY_NAME, DIRLIST_BY_SIZE, DIRLIST_BY_DATE };

struct dirlist_entry {
	uint64_t size;    /* bytes; 0 for a directory */
	int64_t modified; /* Unix seconds */
	uint16_t name_len;
	bool is_dir;
	char name[]; /* no NUL behind it */
};

/* Bytes that all its lists may take together. */
struct dirlist_budget {
	size_t max;
	size_t used; /* <= max */
};

/* A merge under way: [left, middle) and [right, high) go to [out, high). */
struct dirlist_merge {
	size_t width; /* of the runs that are in order already */
	size_t left, middle, right, high, out;
	enum dirlist_sort sort;
	bool descending;
};

struct dirlist {
	size_t count;
	uint64_t files, dirs;
	uint64_t bytes;  /* of all files; stays at UINT64_MAX when they are more */
	uint64_t digest; /* of name, size, time and type of all entries, in any order */
	size_t charged;
	/* the rest is dirlist.c's */
	struct dirlist_budget *budget;
	char **blocks;
	size_t block_count, block_capacity;
	size_t block_size, block_used; /* of the newest */
	uint32_t *order, *spare;
	size_t order_capacity;
	struct dirlist_merge merge;
};

/* No memory is taken before the first entry. The budget must outlive the list. */
void dirlist_init(struct dirlist *l, struct dirlist_budget *budget);
void dirlist_fini(struct dirlist *l);

/* Memory that belongs to the list but lies elsewhere: 0, or -ENOBUFS beyond the budget. */
int dirlist_charge(struct dirlist *l, size_t bytes) __attribute__((warn_unused_result));
void dirlist_discharge(struct dirlist *l, size_t bytes);

/* Name, size, time and type are copied from `e`, but for the name, which is `name`; at most
 * DIRLIST_NAME_MAX bytes. 0, -ENOMEM, or -ENOBUFS beyond the budget: the list is as before. */
int dirlist_add(struct dirlist *l, struct slice name, const struct dirlist_entry *e)
	__attribute__((warn_unused_result));

/*
 * Puts all entries in order: directories first; by name ASCII case-insensitive, then bytewise;
 * what is equal by size or date is by name, ascending. Nothing may be added after begin.
 * begin: 0, -ENOMEM or -ENOBUFS. step: at most `moves` moves, about moves * log2(count) in
 * all; true when the list is in order.
 */
int dirlist_sort_begin(struct dirlist *l, enum dirlist_sort sort, bool descending)
	__attribute__((warn_unused_result));
bool dirlist_sort_step(struct dirlist *l, size_t moves);

/* The entry at `i` < count in that order. */
const struct dirlist_entry *dirlist_at(const struct dirlist *l, size_t i);

static inline struct slice
dirlist_name(const struct dirlist_entry *e)
{
	return slice_make(e->name, e->name_len);
}

#endif
