/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pairs: objects of strings, such as "headers". What the file says is laid over what is
 * there already, by default or from the enclosing level; names are compared in any case.
 */
#include <string.h>

#include "conf/loader.h"
#include "conf/suggest.h"
#include "http/chars.h"

#define NEAR_MAX 3 /* edits to a name that may have been meant */

static struct conf_pairs
pairs_of(const struct conf_key *key, const void *target)
{
	struct conf_pairs p;

	memcpy(&p.items, (const char *)target + key->offset, sizeof(p.items));
	memcpy(&p.count, (const char *)target + key->count_offset, sizeof(p.count));
	return p;
}

static void
put_pairs(const struct conf_key *key, void *target, struct conf_pairs p)
{
	memcpy((char *)target + key->offset, &p.items, sizeof(p.items));
	memcpy((char *)target + key->count_offset, &p.count, sizeof(p.count));
}

/* "NAME: VALUE" */
void
load_default_pairs(struct load *l, const struct conf_key *key, void *target)
{
	struct slice s = slice_from_str(key->fallback);
	size_t colon = slice_find(s, ':');
	struct conf_pair *pair = load_alloc(l, 1, sizeof(*pair));

	if (pair == NULL)
		return;
	pair->name = load_strdup(l, slice_make(s.ptr, colon));
	pair->value = load_strdup(l, slice_trim(slice_from(s, colon + 1)));
	if (pair->name != NULL && pair->value != NULL)
		put_pairs(key, target, (struct conf_pairs){ pair, 1 });
}

static void
load_pair(struct load *l, const struct conf_key *key, struct conf_pair *pair,
	  const struct conf_at *at)
{
	const struct locate_node *n = at->node;
	const char *wrong = key->check_name != NULL ? key->check_name(n->key) : NULL;
	struct slice value;

	if (wrong != NULL)
		load_error_key(l, n, "%s %s", load_quote(l, n->key), wrong);
	pair->name = key->flags & CONF_LOWER ? load_strdup_lower(l, n->key)
					     : load_strdup(l, n->key);
	if (pair->name == NULL)
		pair->name = "";
	pair->place = load_place_key(l, n);
	if (json_is_null(at->json) && key->flags & CONF_NULLABLE)
		return;
	pair->value = ""; /* whatever is wrong with it, it is no null */
	if (!json_is_string(at->json)) {
		load_error(l, at, "this is %s; write a string%s",
			   load_type_name(at->json),
			   key->flags & CONF_NULLABLE ? " or null" : "");
		return;
	}
	value = slice_make(json_string_value(at->json), json_string_length(at->json));
	wrong = key->check != NULL ? key->check(value) : NULL;
	if (wrong != NULL)
		load_error(l, at, "%s %s", load_quote(l, value), wrong);
	pair->value = load_strdup(l, value);
}

static const char *
fold_case(struct load *l, const char *name)
{
	char *copy = arena_strdup(&l->scratch, slice_from_str(name));

	if (copy == NULL) {
		l->failed = true;
		return "";
	}
	for (char *p = copy; *p != '\0'; p++)
		*p = char_lower(*p);
	return copy;
}

/* Names that differ only in case are the same name. */
static void
check_unique(struct load *l, const struct conf_pair *pairs, size_t count)
{
	struct strmap seen;

	if (strmap_init(&seen, count) < 0) {
		l->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct slice name = slice_from_str(fold_case(l, pairs[i].name));
		uint32_t first;

		if (strmap_add(&seen, name, (uint32_t)i))
			continue;
		first = strmap_find(&seen, name);
		load_error_place(l, &pairs[i].place,
				 "the same name in another case stands at %s; remove one",
				 load_where(l, &pairs[first].place));
	}
	strmap_fini(&seen);
}

const struct conf_pair *
pair_find(const struct conf_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (strcasecmp(pairs->items[i].name, name) == 0)
			return &pairs->items[i];
	}
	return NULL;
}

/* A null that removes nothing is a misspelt name, or says what is not so. */
static void
nothing_to_remove(struct load *l, const struct conf_pairs *have,
		  const struct conf_pair *pair)
{
	const char *near = NULL;
	size_t best = NEAR_MAX;

	for (size_t i = 0; i < have->count; i++) {
		size_t d = suggest_distance(slice_from_str(pair->name),
					    slice_from_str(have->items[i].name));

		if (d < best) {
			best = d;
			near = have->items[i].name;
		}
	}
	if (near != NULL)
		load_error_place(l, &pair->place,
				 "the server has no such header to remove; did you mean "
				 "\"%s\"?",
				 near);
	else
		load_error_place(l, &pair->place,
				 "the server has no such header to remove; remove the "
				 "line");
}

/* Of a name that may not stand there at all no more is said. */
static bool
is_refused(const struct conf_key *key, const char *name)
{
	return key->check_name != NULL && key->check_name(slice_from_str(name)) != NULL;
}

/* `own` laid over `outer`; NULL takes one away. */
static struct conf_pairs
lay_over(struct load *l, const struct conf_key *key, const struct conf_pairs *outer,
	 const struct conf_pairs *own)
{
	struct conf_pair *all = load_alloc(l, outer->count + own->count, sizeof(*all));
	size_t n = 0;

	if (all == NULL)
		return *outer;
	for (size_t i = 0; i < outer->count; i++) {
		if (pair_find(own, outer->items[i].name) == NULL)
			all[n++] = outer->items[i];
	}
	for (size_t i = 0; i < own->count; i++) {
		if (own->items[i].value != NULL)
			all[n++] = own->items[i];
		else if (pair_find(outer, own->items[i].name) == NULL &&
			 !is_refused(key, own->items[i].name))
			nothing_to_remove(l, outer, &own->items[i]);
	}
	return (struct conf_pairs){ all, n };
}

struct conf_pairs
load_pairs_without(struct load *l, const struct conf_pairs *pairs,
		   const struct conf_pair *one)
{
	struct conf_pair *rest = load_alloc(l, pairs->count, sizeof(*rest));
	size_t n = 0;

	if (rest == NULL)
		return *pairs;
	for (size_t i = 0; i < pairs->count; i++) {
		if (&pairs->items[i] != one)
			rest[n++] = pairs->items[i];
	}
	return (struct conf_pairs){ rest, n };
}

void
load_pairs(struct load *l, const struct conf_key *key, void *target,
	   const struct conf_at *at)
{
	struct conf_pairs outer = pairs_of(key, target), own = { 0 };
	struct conf_pair *pairs = load_alloc(l, at->node->count, sizeof(*pairs));

	if (pairs == NULL)
		return;
	for (const struct locate_node *n = at->node->first; n != NULL; n = n->next) {
		struct conf_at member = { n, json_object_get(at->json, n->key.ptr) };

		if (!load_is_duplicate(l, n))
			load_pair(l, key, &pairs[own.count++], &member);
	}
	own.items = pairs;
	check_unique(l, pairs, own.count);
	put_pairs(key, target, lay_over(l, key, &outer, &own));
}
