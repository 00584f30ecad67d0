/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dirlist: blocks that grow from 1 KiB to 64 KiB, so that small directories cost little and
 * large ones waste nothing; a reference is the number of a block and an offset in it. The order
 * is made by a bottom-up merge sort, since that can stop after any move.
 */
#include "handler/dirlist.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/chars.h"

#define BLOCK_SIZE_MIN ((size_t)1024)
#define BLOCK_SIZE_MAX ((size_t)64 * 1024)
#define BLOCK_SHIFT 16 /* of a reference: BLOCK_SIZE_MAX is 1 << BLOCK_SHIFT */
#define BLOCKS_MAX ((size_t)1 << (32 - BLOCK_SHIFT))
#define ALIGNMENT _Alignof(struct dirlist_entry)

static_assert(offsetof(struct dirlist_entry, name) + DIRLIST_NAME_MAX + ALIGNMENT <=
		      2 * BLOCK_SIZE_MIN,
	      "every block but the first must hold any entry");

void
dirlist_init(struct dirlist *l, struct dirlist_budget *budget)
{
	*l = (struct dirlist){ .budget = budget };
}

void
dirlist_fini(struct dirlist *l)
{
	for (size_t i = 0; i < l->block_count; i++)
		free(l->blocks[i]);
	free(l->blocks);
	free(l->order);
	free(l->spare);
	l->budget->used -= l->charged;
	dirlist_init(l, l->budget);
}

/* --- memory --- */

int
dirlist_charge(struct dirlist *l, size_t bytes)
{
	if (bytes > l->budget->max - l->budget->used)
		return -ENOBUFS;
	l->budget->used += bytes;
	l->charged += bytes;
	return 0;
}

void
dirlist_discharge(struct dirlist *l, size_t bytes)
{
	assert(bytes <= l->charged);
	l->budget->used -= bytes;
	l->charged -= bytes;
}

/* *array has room for one more item of `size` bytes behind `count`. */
static int
grow(struct dirlist *l, void **array, size_t count, size_t *capacity, size_t size)
{
	size_t more = *capacity != 0 ? *capacity : 16;
	void *p;
	int rc;

	if (count < *capacity)
		return 0;
	rc = dirlist_charge(l, more * size);
	if (rc < 0)
		return rc;
	p = realloc(*array, (*capacity + more) * size);
	if (p == NULL) {
		dirlist_discharge(l, more * size);
		return -ENOMEM;
	}
	*array = p;
	*capacity += more;
	return 0;
}

static int
add_block(struct dirlist *l, size_t need)
{
	size_t size = l->block_count != 0 ? 2 * l->block_size : BLOCK_SIZE_MIN;
	void *array = l->blocks;
	int rc;

	if (l->block_count == BLOCKS_MAX)
		return -ENOBUFS;
	if (size > BLOCK_SIZE_MAX)
		size = BLOCK_SIZE_MAX;
	if (size < need)
		size *= 2;
	rc = grow(l, &array, l->block_count, &l->block_capacity, sizeof(*l->blocks));
	l->blocks = array;
	if (rc == 0)
		rc = dirlist_charge(l, size);
	if (rc < 0)
		return rc;
	l->blocks[l->block_count] = malloc(size);
	if (l->blocks[l->block_count] == NULL) {
		dirlist_discharge(l, size);
		return -ENOMEM;
	}
	l->block_count++;
	l->block_size = size;
	l->block_used = 0;
	return 0;
}

/* --- entries --- */

static uint64_t
mix(uint64_t h)
{
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

/* FNV-1a: whatever the maps use, a digest stays what it is. */
static uint64_t
digest_name(struct slice name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* The same in every process and after every start: it becomes an entity-tag. */
static uint64_t
digest_entry(const struct dirlist_entry *e)
{
	uint64_t h = mix(digest_name(dirlist_name(e)));

	h = mix(h + e->size);
	h = mix(h + (uint64_t)e->modified);
	return mix(h + e->is_dir);
}

static void
count_entry(struct dirlist *l, const struct dirlist_entry *e)
{
	l->digest += digest_entry(e);
	if (e->is_dir)
		l->dirs++;
	else
		l->files++;
	l->bytes = e->size > UINT64_MAX - l->bytes ? UINT64_MAX : l->bytes + e->size;
}

int
dirlist_add(struct dirlist *l, struct slice name, const struct dirlist_entry *e)
{
	size_t need = offsetof(struct dirlist_entry, name) + name.len;
	struct dirlist_entry *copy;
	void *order = l->order;
	int rc;

	assert(name.len <= DIRLIST_NAME_MAX && l->merge.width == 0);
	need = (need + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	rc = grow(l, &order, l->count, &l->order_capacity, sizeof(*l->order));
	l->order = order;
	if (rc == 0 && need > l->block_size - l->block_used)
		rc = add_block(l, need);
	if (rc < 0)
		return rc;
	copy = (void *)(l->blocks[l->block_count - 1] + l->block_used);
	copy->size = e->size;
	copy->modified = e->modified;
	copy->name_len = (uint16_t)name.len;
	copy->is_dir = e->is_dir;
	memcpy(copy->name, name.ptr, name.len);
	l->order[l->count++] =
		(uint32_t)((l->block_count - 1) << BLOCK_SHIFT | l->block_used);
	l->block_used += need;
	count_entry(l, copy);
	return 0;
}

static const struct dirlist_entry *
entry_of(const struct dirlist *l, uint32_t reference)
{
	size_t offset = reference & (BLOCK_SIZE_MAX - 1);

	return (const void *)(l->blocks[reference >> BLOCK_SHIFT] + offset);
}

const struct dirlist_entry *
dirlist_at(const struct dirlist *l, size_t i)
{
	assert(i < l->count);
	return entry_of(l, l->order[i]);
}

/* --- order --- */

static int
compare_names(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int bytewise = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)char_lower(a.ptr[i]);
		unsigned char y = (unsigned char)char_lower(b.ptr[i]);

		if (x != y)
			return x < y ? -1 : 1;
		if (bytewise == 0)
			bytewise = (unsigned char)a.ptr[i] - (unsigned char)b.ptr[i];
	}
	return a.len != b.len ? (a.len < b.len ? -1 : 1) : bytewise;
}

static int
compare(const struct dirlist_merge *m, const struct dirlist_entry *a,
	const struct dirlist_entry *b)
{
	int by_name, by_key = 0;

	if (a->is_dir != b->is_dir)
		return a->is_dir ? -1 : 1;
	if (m->sort == DIRLIST_BY_SIZE)
		by_key = (a->size > b->size) - (a->size < b->size);
	else if (m->sort == DIRLIST_BY_DATE)
		by_key = (a->modified > b->modified) - (a->modified < b->modified);
	if (by_key != 0)
		return m->descending ? -by_key : by_key;
	by_name = compare_names(dirlist_name(a), dirlist_name(b));
	return m->sort == DIRLIST_BY_NAME && m->descending ? -by_name : by_name;
}

static size_t
at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

/* The two runs that begin at `low`. */
static void
begin_runs(struct dirlist *l, size_t low)
{
	struct dirlist_merge *m = &l->merge;

	m->left = m->out = low;
	m->middle = m->right = at_most(low + m->width, l->count);
	m->high = at_most(low + 2 * m->width, l->count);
}

/* What was kept free for further entries goes. */
static void
trim_order(struct dirlist *l)
{
	uint32_t *p = l->count != 0 ? realloc(l->order, l->count * sizeof(*p)) : NULL;

	if (p == NULL)
		return;
	dirlist_discharge(l, (l->order_capacity - l->count) * sizeof(*p));
	l->order = p;
	l->order_capacity = l->count;
}

int
dirlist_sort_begin(struct dirlist *l, enum dirlist_sort sort, bool descending)
{
	size_t size;
	int rc;

	trim_order(l);
	size = l->order_capacity * sizeof(*l->spare);
	if (l->count > 1) {
		rc = dirlist_charge(l, size);
		if (rc < 0)
			return rc;
		l->spare = malloc(size);
		if (l->spare == NULL) {
			dirlist_discharge(l, size);
			return -ENOMEM;
		}
	}
	l->merge = (struct dirlist_merge){ .width = 1,
					   .sort = sort,
					   .descending = descending };
	begin_runs(l, 0);
	return 0;
}

static void
move_one(struct dirlist *l)
{
	struct dirlist_merge *m = &l->merge;
	bool from_right =
		m->left == m->middle ||
		(m->right < m->high && compare(m, entry_of(l, l->order[m->right]),
					       entry_of(l, l->order[m->left])) < 0);

	l->spare[m->out++] = l->order[from_right ? m->right++ : m->left++];
	if (m->out < m->high)
		return;
	if (m->high < l->count) {
		begin_runs(l, m->high);
	} else {
		uint32_t *merged = l->spare;

		l->spare = l->order;
		l->order = merged;
		m->width *= 2;
		begin_runs(l, 0);
	}
}

bool
dirlist_sort_step(struct dirlist *l, size_t moves)
{
	for (; l->merge.width < l->count; moves--) {
		if (moves == 0)
			return false;
		move_one(l);
	}
	if (l->spare != NULL) {
		free(l->spare);
		l->spare = NULL;
		dirlist_discharge(l, l->order_capacity * sizeof(*l->spare));
	}
	return true;
}
