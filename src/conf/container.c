/* SPDX-License-Identifier: BSD-2-Clause
 *
 * container: the walk over table, positions and values side by side. Objects, arrays and
 * maps of whatever the table says; unknown, duplicate and missing keys are found here.
 */
#include <assert.h>
#include <string.h>

#include "conf/loader.h"

#define KEYS_MAX 32 /* of one section */

static void load_key(struct load *l, const struct conf_key *key, void *target,
		     const struct conf_at *at);

static struct slice
json_text(const json_t *json)
{
	return slice_make(json_string_value(json), json_string_length(json));
}

static struct conf_at
member_at(const struct conf_at *object, const struct locate_node *node)
{
	return (struct conf_at){ node, json_object_get(object->json, node->key.ptr) };
}

bool
load_member(const struct conf_at *object, const char *name, struct conf_at *out)
{
	const struct locate_node *node = locate_member(object->node, name);

	if (node == NULL)
		return false;
	*out = member_at(object, node);
	return out->json != NULL;
}

bool
load_is_duplicate(struct load *l, const struct locate_node *node)
{
	if (node->earlier == NULL)
		return false;
	load_error_key(l, node, "duplicate key; %s has it already, remove one",
		       load_where_node(l, node->earlier));
	return true;
}

static void
put_array(const struct conf_key *key, void *target, const void *items, size_t count)
{
	memcpy((char *)target + key->offset, &items, sizeof(items));
	memcpy((char *)target + key->count_offset, &count, sizeof(count));
}

/* Too few items is an error at the container. */
static bool
has_enough(struct load *l, const struct conf_key *key, const struct conf_at *at)
{
	if (at->node->count >= key->min)
		return true;
	load_error(l, at, "\"%s\" is empty; write at least one", key->name);
	return false;
}

static void
load_set(struct load *l, const struct conf_key *key, void *target,
	 const struct conf_at *at)
{
	uint64_t set = 0;
	size_t i = 0;

	for (const struct locate_node *n = at->node->first; n != NULL; n = n->next) {
		struct conf_at item = { n, json_array_get(at->json, i++) };
		const struct conf_choice *choice;

		if (!json_is_string(item.json)) {
			load_error(l, &item, "this is %s; write one of %s",
				   load_type_name(item.json), load_choices(l, key));
			continue;
		}
		choice = load_choice(l, key, &item, json_text(item.json));
		if (choice != NULL && (set & choice->value) != 0)
			load_error(l, &item, "\"%s\" is there twice; remove one",
				   choice->word);
		if (choice != NULL)
			set |= choice->value;
	}
	load_store(target, key->offset, key->size, set);
}

/* One of the words that the key takes, as it stands in the table. */
static void
load_word(struct load *l, const struct conf_key *key, void *target,
	  const struct conf_at *at)
{
	const struct conf_choice *choice = load_choice(l, key, at, json_text(at->json));

	if (choice != NULL)
		load_string(l, key, target, at, slice_from_str(choice->word));
}

/* Items that could not be read are NULL. */
static void
check_texts_unique(struct load *l, const char *const *items, const struct conf_at *at)
{
	struct strmap seen;

	if (strmap_init(&seen, at->node->count) < 0) {
		l->failed = true;
		return;
	}
	for (const struct locate_node *n = at->node->first; n != NULL; n = n->next) {
		struct conf_at item = { n, NULL };
		const char *text = items[n->index];

		if (text != NULL && !strmap_add(&seen, slice_from_str(text), n->index))
			load_error(l, &item, "%s is there twice; remove one",
				   load_quote(l, slice_from_str(text)));
	}
	strmap_fini(&seen);
}

static void
load_texts(struct load *l, const struct conf_key *key, void *target,
	   const struct conf_at *at)
{
	const char **items = load_alloc(l, at->node->count, sizeof(const char *));
	struct conf_key each = *key;
	size_t i = 0;

	if (items == NULL)
		return;
	each.type = key->choices != NULL ? CONF_CHOICE : CONF_TEXT;
	each.offset = 0;
	for (const struct locate_node *n = at->node->first; n != NULL; n = n->next, i++) {
		struct conf_at item = { n, json_array_get(at->json, i) };

		if (key->choices != NULL && json_is_string(item.json))
			load_word(l, &each, &items[i], &item);
		else
			load_scalar(l, &each, &items[i], &item);
	}
	if (key->flags & CONF_UNIQUE)
		check_texts_unique(l, items, at);
	put_array(key, target, items, i);
}

static void
section_defaults(struct load *l, const struct conf_section *section, void *target)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct conf_key *key = &section->keys[i];
		void *inner = (char *)target + key->offset;

		if (!conf_key_is_in(key, section))
			continue;
		if (key->type == CONF_SECTION) {
			if (key->mark_bit == 0 && (key->flags & CONF_INHERITED) == 0)
				section_defaults(l, key->section, inner);
		} else if (key->fallback != NULL && key->type != CONF_LATER) {
			load_default(l, key, target);
		}
	}
}

/* The section whose first key has this value, and no other key any. */
static void
load_first(struct load *l, const struct conf_section *section, void *target,
	   const struct conf_at *at)
{
	size_t before = l->error_count;

	load_key(l, &section->keys[0], target, at);
	if (section->done != NULL)
		section->done(l, target, at, l->error_count == before);
}

/* Does a value that is no object stand for the first key of the section? */
static bool
is_short(const struct conf_key *key, const json_t *json)
{
	if ((key->flags & CONF_SHORT) == 0)
		return false;
	return key->section->keys[0].type == CONF_TEXTS ? json_is_array(json)
							: json_is_string(json);
}

/* An item of a list or map: an object, or what stands for its first key. */
static void
load_item(struct load *l, const struct conf_key *key, void *target,
	  const struct conf_at *at)
{
	const struct conf_section *section = key->section;
	struct conf_place place;

	section_defaults(l, section, target);
	if (section->begin != NULL)
		section->begin(l, target);
	if (section->place != 0) {
		place = key->type == CONF_MAP ? load_place_key(l, at->node)
					      : load_place(l, at->node);
		memcpy((char *)target + section->place, &place, sizeof(place));
	}
	if (is_short(key, at->json)) {
		load_first(l, section, target, at);
	} else if (json_is_object(at->json)) {
		load_section(l, section, target, at);
	} else {
		load_error(l, at, "this is %s; write an object%s",
			   load_type_name(at->json),
			   key->flags & CONF_SHORT ? " or a string" : "");
	}
}

void
load_items(struct load *l, const struct conf_key *key, void *target,
	   const struct conf_at *at)
{
	char *items = load_alloc(l, at->node->count, key->section->size);
	size_t i = 0;

	if (items == NULL)
		return;
	for (const struct locate_node *n = at->node->first; n != NULL; n = n->next) {
		struct conf_at item = { n, NULL };

		if (at->node->is_object) {
			if (load_is_duplicate(l, n))
				continue;
			item = member_at(at, n);
		} else {
			item.json = json_array_get(at->json, n->index);
		}
		load_item(l, key, items + i++ * key->section->size, &item);
	}
	put_array(key, target, items, i);
}

/* Is the value a way to say that the key is not there? */
static bool
is_absent(const struct conf_key *key, const json_t *json)
{
	return (json_is_null(json) && key->flags & CONF_NULLABLE) ||
	       (json_is_false(json) && key->flags & CONF_SWITCH);
}

static void
load_inner(struct load *l, const struct conf_key *key, void *target,
	   const struct conf_at *at)
{
	const struct conf_section *section = key->section;
	void *inner = (char *)target + key->offset;
	bool is_on = json_is_true(at->json) && key->flags & CONF_SWITCH;

	if (is_absent(key, at->json)) {
		/* Nor is there what the enclosing level has. */
		if (key->flags & CONF_INHERITED)
			memset(inner, 0, key->size);
		return;
	}
	/* An optional section has no defaults until it is there. */
	if (key->mark_bit != 0)
		section_defaults(l, section, inner);
	if (json_is_object(at->json))
		load_section(l, section, inner, at);
	else if (is_short(key, at->json))
		load_first(l, section, inner, at);
	else if (!is_on)
		load_wrong_type(l, key, at);
	else if (section->done != NULL)
		section->done(l, inner, at, true);
}

static void
load_container(struct load *l, const struct conf_key *key, void *target,
	       const struct conf_at *at)
{
	bool is_array = key->type == CONF_LIST || key->type == CONF_TEXTS ||
			key->type == CONF_SET;

	if (key->type == CONF_MAP && key->set != NULL && json_is_string(at->json)) {
		load_string(l, key, target, at, json_text(at->json));
		return;
	}
	if (is_array ? !json_is_array(at->json) : !json_is_object(at->json)) {
		load_wrong_type(l, key, at);
		return;
	}
	if (!has_enough(l, key, at))
		return;
	if (key->type == CONF_SET)
		load_set(l, key, target, at);
	else if (key->type == CONF_TEXTS)
		load_texts(l, key, target, at);
	else if (key->type == CONF_PAIRS)
		load_pairs(l, key, target, at);
	else
		load_items(l, key, target, at);
}

static bool
is_word(const json_t *json, const char *word)
{
	switch (*word) {
	case 'f':
		return json_is_false(json);
	case 'n':
		return json_is_null(json);
	default:
		return json_is_integer(json) && json_integer_value(json) == 0;
	}
}

/* What is asked for and not done would be a lie. */
static void
check_later(struct load *l, const struct conf_key *key, const struct conf_at *at)
{
	if (!is_word(at->json, key->fallback))
		load_error(l, at,
			   "this version cannot do that yet; leave it out or write %s",
			   key->fallback);
}

static void
set_mark(const struct conf_key *key, void *target)
{
	char *to = (char *)target + key->mark;
	unsigned set = 0;
	bool flag = true;

	if (key->mark_size == sizeof(flag)) {
		memcpy(to, &flag, sizeof(flag));
	} else {
		memcpy(&set, to, sizeof(set));
		set |= key->mark_bit;
		memcpy(to, &set, sizeof(set));
	}
}

static void
load_key(struct load *l, const struct conf_key *key, void *target,
	 const struct conf_at *at)
{
	struct conf_place place;

	assert(at->json != NULL);
	if (key->mark_bit != 0 && !is_absent(key, at->json))
		set_mark(key, target);
	if (key->place != 0) {
		place = load_place(l, at->node);
		memcpy((char *)target + key->place, &place, sizeof(place));
	}
	switch (key->type) {
	case CONF_SECTION:
		load_inner(l, key, target, at);
		break;
	case CONF_INCLUDE:
		/* include.c has read what it names. */
		if (!json_is_array(at->json))
			load_wrong_type(l, key, at);
		break;
	case CONF_LATER:
		check_later(l, key, at);
		break;
	case CONF_LIST:
	case CONF_MAP:
	case CONF_TEXTS:
	case CONF_PAIRS:
	case CONF_SET:
		load_container(l, key, target, at);
		break;
	default:
		if (!is_absent(key, at->json))
			load_scalar(l, key, target, at);
	}
}

/* Which member is which key; complains about those that are none. */
static void
sort_members(struct load *l, const struct conf_section *section,
	     const struct locate_node *object, const struct locate_node **members)
{
	for (const struct locate_node *n = object->first; n != NULL; n = n->next) {
		const struct conf_key *key = conf_key_find(section, n->key);
		bool again = load_is_duplicate(l, n);

		if (key != NULL && conf_key_is_in(key, section))
			members[key - section->keys] = n;
		else if (!again)
			load_unknown_key(l, n);
	}
}

void
load_section(struct load *l, const struct conf_section *section, void *target,
	     const struct conf_at *at)
{
	const struct locate_node *members[KEYS_MAX] = { NULL };
	struct conf_scope_at scope = { section, at->node, l->scope, 0 };
	size_t before = l->error_count;

	assert(section->count <= KEYS_MAX);
	l->scope = &scope;
	sort_members(l, section, at->node, members);
	for (size_t i = 0; i < section->count; i++) {
		const struct conf_key *key = &section->keys[i];
		struct conf_at member;

		if (members[i] != NULL) {
			member = member_at(at, members[i]);
			/* Of a row that is said twice, which is an error, JSON has the
			 * other one's members. */
			if (member.json != NULL)
				load_key(l, key, target, &member);
		} else if (key->flags & CONF_REQUIRED && conf_key_is_in(key, section) &&
			   !load_is_meant(l, key->name)) {
			load_error(l, at, "\"%s\" is missing; add it: %s", key->name,
				   key->doc);
		}
	}
	if (section->done != NULL)
		section->done(l, target, at, l->error_count == before);
	l->scope = scope.outer;
}

void
load_top(struct load *l, const struct conf_at *at)
{
	section_defaults(l, &conf_schema, l->config);
	if (json_is_object(at->json))
		load_section(l, &conf_schema, l->config, at);
	else
		load_error(l, at, "this is %s; write an object",
			   load_type_name(at->json));
}
