/* SPDX-License-Identifier: BSD-2-Clause
 *
 * unknown: what to say about a key that its section does not take. The table is searched:
 * the same name may belong to an enclosing object, or to one beneath; else it may be
 * misspelt, or be what other servers call it. Only words come out; nothing is stored.
 */
#include "conf/loader.h"
#include "conf/suggest.h"

#define STEPS_MAX 6  /* levels of objects within one another */
#define WORDS_MAX 64 /* keys of a section; what conf_scope_at.meant has bits for */

/* A key, and the way down to it from a section. */
struct found {
	const struct conf_key *steps[STEPS_MAX];
	size_t count;
	const struct conf_section *section; /* that has it */
	const struct conf_key *key;
};

/* What is known from elsewhere; only names that mean the very same. */
static const struct {
	const char *foreign, *own;
} dialect[] = {
	{ "server_name", "names" },
	{ "hostname", "names" },
	{ "port", "address" },
	{ "root_dir", "root" },
	{ "document_root", "root" },
	{ "autoindex", "listing" },
	{ "browse", "listing" },
	{ "location", "path" },
	{ "location", "to" },
	{ "url", "to" },
	{ "locations", "routes" },
	{ "try_files", "fallback" },
	{ "add_header", "headers" },
	{ "worker_processes", "workers" },
	{ "client_max_body_size", "body_size" },
	{ "keepalive_timeout", "idle" },
	{ "access_log", "access" },
	{ "error_log", "error" },
	{ "gzip", "compress" },
	{ "ssl", "tls" },
	{ "file", "to" },
	{ "path", "to" },
	{ "keepalive", "idle" },
	{ "keep_alive", "idle" },
	{ "log_level", "level" },
	{ "loglevel", "level" },
};

static const struct conf_key *
key_in(const struct conf_section *section, struct slice name)
{
	const struct conf_key *key = conf_key_find(section, name);

	return key != NULL && conf_key_is_in(key, section) ? key : NULL;
}

/* The first that is `depth` objects below. */
static bool
find_at(const struct conf_section *section, struct slice name, size_t level, size_t depth,
	struct found *f)
{
	if (level == depth) {
		f->count = level;
		f->section = section;
		f->key = key_in(section, name);
		return f->key != NULL;
	}
	for (size_t i = 0; i < section->count; i++) {
		const struct conf_key *key = &section->keys[i];

		if (key->section == NULL || !conf_key_is_in(key, section))
			continue;
		f->steps[level] = key;
		if (find_at(key->section, name, level + 1, depth, f))
			return true;
	}
	return false;
}

/* Enclosing objects first, the nearest of them; then what is beneath this one, and then
 * what stands beside an enclosing one. What is farther away was hardly meant. The scope
 * that the way begins at, or NULL. */
static const struct conf_scope_at *
find_place(const struct conf_scope_at *here, struct slice name, struct found *f)
{
	for (const struct conf_scope_at *s = here->outer; s != NULL; s = s->outer) {
		if (find_at(s->section, name, 0, 0, f))
			return s;
	}
	for (const struct conf_scope_at *s = here; s != NULL; s = s->outer) {
		size_t depth_max = s == here ? STEPS_MAX : 1;

		for (size_t depth = 1; depth <= depth_max; depth++) {
			if (find_at(s->section, name, 0, depth, f))
				return s;
		}
	}
	return NULL;
}

/* The key of the file that holds an object, or the array that it is an item of. */
static struct slice
holder(const struct locate_node *node)
{
	if (node->parent != NULL && !node->parent->is_object)
		node = node->parent;
	return node->parent != NULL ? node->key : slice_make(NULL, 0);
}

/* "the route", ""files"": a name that is a key is quoted. */
static const char *
title(struct load *l, const struct conf_scope_at *scope, const struct found *f)
{
	struct slice own = slice_from_str(f->section->name);
	struct slice key = f->count != 0 ? slice_from_str(f->steps[f->count - 1]->name)
					 : holder(scope->node);

	if (f->section == &conf_schema)
		return "the top of the file";
	return load_text(l, slice_eq(own, key) ? "\"%s\"" : "the %s", f->section->name);
}

/* "/servers/0/routes/0/download"; of several items the first. */
static const char *
pointer(struct load *l, const struct conf_scope_at *scope, const struct found *f)
{
	const char *text = load_pointer(l, scope->node);

	for (size_t i = 0; i < f->count; i++) {
		const char *item = f->steps[i]->type == CONF_LIST  ? "/0"
				   : f->steps[i]->type == CONF_MAP ? "/*"
								   : "";

		text = load_text(l, "%s/%s%s", text, f->steps[i]->name, item);
	}
	return load_text(l, "%s/%s", text, f->key->name);
}

/* "belongs to the route: /servers/0/routes/0/download", or NULL. */
static const char *
place_of(struct load *l, const struct conf_scope_at *here, struct slice name)
{
	struct found f;
	const struct conf_scope_at *scope = find_place(here, name, &f);

	if (scope == NULL)
		return NULL;
	return load_text(l, "belongs to %s: %s%s", title(l, scope, &f),
			 pointer(l, scope, &f),
			 f.key->type == CONF_LATER ? " (not in this version yet)" : "");
}

/* All keys that the section takes, for those who cannot guess. */
static const char *
list_keys(struct load *l, const struct conf_section *section)
{
	const char *text = "";

	for (size_t i = 0; i < section->count; i++) {
		if (conf_key_is_in(&section->keys[i], section))
			text = load_text(l, "%s%s\"%s\"", text, *text != '\0' ? ", " : "",
					 section->keys[i].name);
	}
	return text;
}

static const char *
nearest(const struct conf_section *section, struct slice name)
{
	const char *words[WORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < section->count && n < WORDS_MAX; i++) {
		if (conf_key_is_in(&section->keys[i], section))
			words[n++] = section->keys[i].name;
	}
	return suggest_nearest(name, words, n);
}

/* The misspelt key has its message: that it is missing would be said twice. */
static void
remember(struct conf_scope_at *scope, const char *near)
{
	if (near != NULL)
		scope->meant |= (uint64_t)1
				<< (conf_key_find(scope->section, slice_from_str(near)) -
				    scope->section->keys);
}

/* Says it when the key is one of another server; false: it is not. What it may mean in this
 * object comes first. */
static bool
is_foreign(struct load *l, const struct locate_node *node)
{
	const char *own = NULL, *place = NULL;

	for (size_t i = 0; i < sizeof(dialect) / sizeof(dialect[0]); i++) {
		struct slice word = slice_from_str(dialect[i].own);

		if (!slice_eq_nocase(node->key, slice_from_str(dialect[i].foreign)))
			continue;
		if (key_in(l->scope->section, word) != NULL) {
			remember(l->scope, dialect[i].own);
			load_error_key(l, node, "unknown key; here it is \"%s\"",
				       dialect[i].own);
			return true;
		}
		if (place == NULL) {
			own = dialect[i].own;
			place = place_of(l, l->scope, word);
		}
	}
	if (place != NULL)
		load_error_key(l, node, "unknown key; here it is \"%s\", which %s", own,
			       place);
	return place != NULL;
}

bool
load_is_meant(const struct load *l, const char *name)
{
	const struct conf_section *section = l->scope->section;
	const struct conf_key *key = conf_key_find(section, slice_from_str(name));

	return key != NULL && (l->scope->meant >> (key - section->keys) & 1) != 0;
}

void
load_unknown_key(struct load *l, const struct locate_node *node)
{
	const struct conf_section *section = l->scope->section;
	const char *near = nearest(section, node->key);
	const char *place = place_of(l, l->scope, node->key);

	if (conf_key_find(section, node->key) != NULL) {
		load_error_key(l, node, "this key does not stand here; %s",
			       place != NULL ? load_text(l, "it %s", place)
					     : "remove it");
		return;
	}
	remember(l->scope, near);
	if (place != NULL)
		load_error_key(l, node, "unknown key here; \"%.*s\" %s%s",
			       SLICE_ARG(node->key), place,
			       near != NULL
				       ? load_text(l, "; or did you mean \"%s\"?", near)
				       : "");
	else if (is_foreign(l, node))
		return;
	else if (near != NULL)
		load_error_key(l, node, "unknown key; did you mean \"%s\"?", near);
	else
		load_error_key(l, node, "unknown key; write one of %s",
			       list_keys(l, section));
}
