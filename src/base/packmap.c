/* SPDX-License-Identifier: BSD-2-Clause
 *
 * packmap: linear probing at a load of two thirds. A slot is 0, or where its row begins, in
 * units from 1, and above that as much of the key's hash as there are bits left: twelve for
 * 100 000 rows of 64 bytes, so other keys' rows are hardly ever looked at.
 */
#include "base/packmap.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/strmap.h"

#define UNIT ((size_t)8)  /* rows begin at a multiple of it */
#define LINE ((size_t)64) /* of a cache */
#define HUGE ((size_t)2 << 20)
#define HEAD offsetof(struct packmap_row, bytes)

static size_t
round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static size_t
row_size(size_t key_len, size_t text_len)
{
	return round_up(HEAD + key_len + 1 + text_len + 1, UNIT);
}

/* Memory of which the first `used` bytes will be written to, at least; NULL: there is none.
 * Pages are taken as that happens. */
static char *
map_memory(struct packmap *m, size_t size, size_t used)
{
	bool is_large = used >= HUGE;
	size_t total = is_large ? size + HUGE : size;
	void *mem = mmap(NULL, total, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	m->mapped = mem;
	m->mapped_size = total;
	if (!is_large)
		return mem;
	/* With small pages a lookup waits for the addresses of two of them, too; where there are
	 * no large ones it does. */
	mem = (void *)round_up((uintptr_t)mem, HUGE);
	(void)madvise(mem, round_up(used, HUGE), MADV_HUGEPAGE);
	return mem;
}

int
packmap_init(struct packmap *m, size_t capacity, size_t bytes)
{
	/* Of 64 bits, for none of it to overflow where size_t has 32. */
	uint64_t slots, head, least, room;
	char *mem;

	*m = (struct packmap){ 0 };
	if (capacity == 0)
		return 0;
	if (capacity > UINT32_MAX / 8 || bytes > UINT32_MAX / 2)
		return -ENOMEM;
	slots = (uint64_t)capacity + capacity / 2 + 1;
	head = (slots * sizeof(*m->slots) + LINE - 1) / LINE * LINE;
	least = (uint64_t)capacity * (HEAD + 2) + bytes;
	/* A row that fits into a line may leave as much of the line before it free. */
	room = 2 * (least + (uint64_t)capacity * UNIT);
	if (room / UNIT >= UINT32_MAX / 2 || head + room > SIZE_MAX - HUGE)
		return -ENOMEM;
	mem = map_memory(m, (size_t)(head + room), (size_t)(head + least));
	if (mem == NULL)
		return -ENOMEM;
	m->slots = (uint32_t *)(void *)mem;
	m->rows = mem + head;
	m->room = (size_t)room;
	m->slot_count = (uint32_t)slots;
	m->place_mask = UINT32_MAX >> __builtin_clz((uint32_t)(room / UNIT) + 1);
	return 0;
}

void
packmap_fini(struct packmap *m)
{
	if (m->mapped != NULL)
		munmap(m->mapped, m->mapped_size);
	*m = (struct packmap){ 0 };
}

static const struct packmap_row *
row_at(const struct packmap *m, uint32_t slot)
{
	size_t place = UNIT * ((slot & m->place_mask) - 1);

	return (const struct packmap_row *)(const void *)(m->rows + place);
}

/* The slot that leads to the key's row, or the free one where it would go. */
static uint32_t *
probe(const struct packmap *m, struct slice key, uint64_t hash)
{
	uint32_t mark = (uint32_t)hash & ~m->place_mask;
	uint32_t i = (uint32_t)(((hash >> 32) * m->slot_count) >> 32);

	for (;;) {
		uint32_t *slot = &m->slots[i];

		if (*slot == 0)
			return slot;
		if ((*slot & ~m->place_mask) == mark &&
		    slice_eq(packmap_key(row_at(m, *slot)), key))
			return slot;
		i = i + 1 < m->slot_count ? i + 1 : 0;
	}
}

static char *
put_text(char *to, struct slice s)
{
	if (s.len != 0)
		memcpy(to, s.ptr, s.len);
	to[s.len] = '\0';
	return to + s.len + 1;
}

static struct packmap_row *
put_row(struct packmap *m, const struct packmap_entry *e)
{
	size_t size = row_size(e->key.len, e->text.len);
	struct packmap_row *r;

	/* One that fits into a line is in one. */
	if (size <= LINE && m->used % LINE + size > LINE)
		m->used = round_up(m->used, LINE);
	assert(m->count < m->slot_count - 1 && size <= m->room - m->used);
	r = (struct packmap_row *)(void *)(m->rows + m->used);
	r->number = e->number;
	r->key_len = (uint32_t)e->key.len;
	r->text_len = (uint32_t)e->text.len;
	r->tag = e->tag;
	put_text(put_text(r->bytes, e->key), e->text);
	return r;
}

const struct packmap_row *
packmap_add(struct packmap *m, const struct packmap_entry *e)
{
	uint64_t hash = strmap_hash(e->key);
	uint32_t *slot = probe(m, e->key, hash);
	struct packmap_row *r;

	if (*slot != 0)
		return row_at(m, *slot);
	r = put_row(m, e);
	*slot = ((uint32_t)hash & ~m->place_mask) | (uint32_t)(m->used / UNIT + 1);
	m->used += row_size(e->key.len, e->text.len);
	m->count++;
	return r;
}

const struct packmap_row *
packmap_find(const struct packmap *m, struct slice key, uint64_t hash)
{
	uint32_t slot;

	if (m->count == 0)
		return NULL;
	slot = *probe(m, key, hash);
	return slot != 0 ? row_at(m, slot) : NULL;
}
