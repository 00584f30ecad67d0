/* SPDX-License-Identifier: BSD-2-Clause
 *
 * strmap: linear probing at a load of at most one half.
 */
#include "base/strmap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct strmap_entry {
	const char *key; /* NULL: free */
	uint32_t len;
	uint32_t value;
	uint64_t hash;
};

int
strmap_init(struct strmap *m, size_t capacity)
{
	size_t size = 2;

	*m = (struct strmap){ 0 };
	if (capacity > UINT32_MAX / 4)
		return -ENOMEM;
	while (size < 2 * capacity)
		size *= 2;
	m->entries = calloc(size, sizeof(*m->entries));
	if (m->entries == NULL)
		return -ENOMEM;
	m->mask = (uint32_t)(size - 1);
	return 0;
}

void
strmap_fini(struct strmap *m)
{
	free(m->entries);
	*m = (struct strmap){ 0 };
}

/* The entry that holds `key`, or the free one where it would go. */
static struct strmap_entry *
probe(const struct strmap *m, struct slice key, uint64_t hash)
{
	uint32_t i = (uint32_t)(hash ^ (hash >> 32)) & m->mask;

	for (;;) {
		struct strmap_entry *e = &m->entries[i];

		if (e->key == NULL)
			return e;
		if (e->hash == hash && slice_eq(slice_make(e->key, e->len), key))
			return e;
		i = (i + 1) & m->mask;
	}
}

bool
strmap_add_hashed(struct strmap *m, struct slice key, uint64_t hash, uint32_t value)
{
	struct strmap_entry *e = probe(m, key, hash);

	assert(value != STRMAP_NONE && key.ptr != NULL);
	if (e->key != NULL)
		return false;
	assert(m->count <= m->mask / 2);
	*e = (struct strmap_entry){ key.ptr, (uint32_t)key.len, value, hash };
	m->count++;
	return true;
}

bool
strmap_add(struct strmap *m, struct slice key, uint32_t value)
{
	return strmap_add_hashed(m, key, strmap_hash(key), value);
}

uint32_t
strmap_find_hashed(const struct strmap *m, struct slice key, uint64_t hash)
{
	const struct strmap_entry *e;

	if (m->count == 0)
		return STRMAP_NONE;
	e = probe(m, key, hash);
	return e->key != NULL ? e->value : STRMAP_NONE;
}

uint32_t
strmap_find(const struct strmap *m, struct slice key)
{
	return m->count != 0 ? strmap_find_hashed(m, key, strmap_hash(key)) : STRMAP_NONE;
}
