/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_rows: the rows of a table of redirects, as the loader has them, become the map that is
 * looked up. All text of the rows is copied there, so that a row's is in one place. No path may
 * be there twice.
 */
#include <stdint.h>

#include "conf/loader.h"

/* An empty map that the config frees; NULL: l->failed is set. */
static struct packmap *
new_map(struct load *l, size_t count, size_t bytes)
{
	struct conf_redirect_map *owner = load_alloc(l, 1, sizeof(*owner));

	if (owner == NULL)
		return NULL;
	if (packmap_init(&owner->map, count, bytes) < 0) {
		l->failed = true;
		return NULL;
	}
	owner->next = l->config->redirect_maps;
	l->config->redirect_maps = owner;
	return &owner->map;
}

static size_t
count_bytes(const struct conf_redirect_row *rows, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += slice_from_str(rows[i].from).len + slice_from_str(rows[i].to).len;
	return n;
}

void
rows_pack(struct load *l, struct conf_server *s, rows_again again, const void *arg)
{
	/* They are the loader's until it is done. */
	struct conf_redirect_row *rows = (void *)(uintptr_t)s->redirects;
	size_t count = s->redirect_count;
	struct packmap *map =
		count != 0 ? new_map(l, count, count_bytes(rows, count)) : NULL;

	for (size_t i = 0; i < count && map != NULL; i++) {
		struct packmap_entry e = { .key = slice_from_str(rows[i].from),
					   .text = slice_from_str(rows[i].to),
					   .number = (uint32_t)i,
					   .tag = (uint16_t)rows[i].status };
		const struct packmap_row *r;

		/* One that has been complained about. */
		if (e.key.ptr == NULL)
			continue;
		r = packmap_add(map, &e);
		if (r->number != i) {
			again(arg, i, r->number);
			continue;
		}
		if (rows[i].key == rows[i].from)
			rows[i].key = packmap_key(r).ptr;
		rows[i].from = packmap_key(r).ptr;
		rows[i].to = packmap_text(r).ptr;
	}
	s->redirect_map = map;
}

struct members {
	struct load *l;
	const struct locate_node **nodes; /* by row */
};

static void
member_is_there(const void *arg, size_t i, size_t first)
{
	const struct members *m = arg;

	load_error_key(m->l, m->nodes[i],
		       "the same path as that of %s once it is decoded; remove one",
		       load_where_node(m->l, m->nodes[first]));
}

void
rows_pack_object(struct load *l, struct conf_server *s, const struct locate_node *object)
{
	struct members m = { .l = l };
	size_t i = 0;

	m.nodes = arena_zalloc(&l->scratch, (object->count + 1) * sizeof(*m.nodes));
	if (m.nodes == NULL) {
		l->failed = true;
		return;
	}
	for (const struct locate_node *n = object->first; n != NULL; n = n->next) {
		/* The same key has been complained about, and has no row. */
		if (n->earlier == NULL)
			m.nodes[i++] = n;
	}
	rows_pack(l, s, member_is_there, &m);
}
