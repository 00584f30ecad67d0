/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_routes: what the table cannot say about a route: which actions go together, which
 * methods they serve, what is inherited; and about the rows of the redirect table.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/loader.h"
#include "http/names.h"
#include "http/uri.h"

/* OPTIONS is answered for every route by the server itself. */
#define ANY_METHOD                                                                       \
	(HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) | HTTP_BIT(HTTP_POST) |                \
	 HTTP_BIT(HTTP_PUT) | HTTP_BIT(HTTP_DELETE) | HTTP_BIT(HTTP_PATCH))

static const struct {
	unsigned action;
	const char *name;
	unsigned methods;
} actions[] = {
	{ CONF_ACTION_FILES, "files", HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) },
	{ CONF_ACTION_UPLOAD, "upload",
	  HTTP_BIT(HTTP_PUT) | HTTP_BIT(HTTP_POST) | HTTP_BIT(HTTP_DELETE) },
	{ CONF_ACTION_REDIRECT, "redirect", ANY_METHOD },
	{ CONF_ACTION_RESPOND, "respond", ANY_METHOD },
	{ CONF_ACTION_STATUS, "status", HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) },
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))
#define FILES_AND_UPLOAD (CONF_ACTION_FILES | CONF_ACTION_UPLOAD)

static size_t
action_of(struct slice name)
{
	size_t i = 0;

	while (i < ACTIONS && !slice_eq(name, slice_from_str(actions[i].name)))
		i++;
	return i;
}

void
route_begin(struct load *l, void *target)
{
	struct conf_route *r = target;

	r->limits = l->server->limits;
	r->headers = l->server->headers;
}

/* Every action that comes after the first, unless they are files and upload. */
static void
check_actions(struct load *l, const struct conf_route *r, const struct conf_at *at,
	      bool clean)
{
	const char *first = NULL;

	if (r->actions == 0 && clean)
		load_error(l, at,
			   "no action; add one of \"files\", \"upload\", \"redirect\", "
			   "\"respond\", \"status\"");
	if ((r->actions & (r->actions - 1)) == 0 || r->actions == FILES_AND_UPLOAD)
		return;
	for (const struct locate_node *n = at->node->first; n != NULL; n = n->next) {
		size_t i = action_of(n->key);

		if (i == ACTIONS || n->earlier != NULL)
			continue;
		if (first != NULL)
			load_error_key(l, n,
				       "a second action beside \"%s\"; a route has one, "
				       "or \"files\" and \"upload\"",
				       first);
		else
			first = actions[i].name;
	}
}

const char *
load_methods(struct load *l, unsigned set)
{
	const char *text = "";

	for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
		if (set & HTTP_BIT(m))
			text = load_text(
				l, "%s%s%.*s", text, *text != '\0' ? ", " : "",
				SLICE_ARG(http_method_name((enum http_method)m)));
	}
	return text;
}

static unsigned
served_methods(const struct conf_route *r)
{
	unsigned served = 0;

	for (size_t i = 0; i < ACTIONS; i++) {
		if ((r->actions & actions[i].action) != 0)
			served |= actions[i].methods;
	}
	return served;
}

void
load_check_methods(struct load *l, const struct conf_at *list, unsigned served,
		   const char *by)
{
	for (const struct locate_node *n = list->node->first; n != NULL; n = n->next) {
		struct conf_at item = { n, json_array_get(list->json, n->index) };
		struct slice word = slice_from_str(json_string_value(item.json));
		enum http_method m =
			word.len != 0 ? http_method_from(word) : HTTP_METHOD_UNKNOWN;

		/* What no route serves has been told by the table of keys. */
		if (m != HTTP_METHOD_UNKNOWN && (HTTP_BIT(m) & ANY_METHOD) != 0 &&
		    (served & HTTP_BIT(m)) == 0)
			load_error(l, &item, "%.*s is not served by %s; write some of %s",
				   SLICE_ARG(word), by, load_methods(l, served));
	}
}

/* The page of an upload may be named beside the POST that it sends. */
static unsigned
page_methods(const struct conf_route *r)
{
	if ((r->actions & CONF_ACTION_UPLOAD) == 0 || !r->upload.page ||
	    !r->upload.resumable || !r->is_prefix ||
	    (r->methods & HTTP_BIT(HTTP_POST)) == 0)
		return 0;
	return HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD);
}

/* Only methods that some action of the route can serve. */
static void
check_methods(struct load *l, const struct conf_route *r, const struct conf_at *at)
{
	struct conf_at list;
	const char *names = "";
	unsigned served = served_methods(r) | page_methods(r);

	for (size_t i = 0; i < ACTIONS; i++) {
		if ((r->actions & actions[i].action) != 0)
			names = load_text(l, "%s%s\"%s\"", names,
					  *names != '\0' ? " and " : "", actions[i].name);
	}
	if (served == 0 || (r->methods & ~served) == 0 ||
	    !load_member(at, "methods", &list))
		return;
	load_check_methods(l, &list, served, names);
}

/* Only files can be for saving. */
static void
check_download(struct load *l, const struct conf_route *r, const struct conf_at *at)
{
	struct conf_at download;

	if (r->download && (r->actions & CONF_ACTION_FILES) == 0 &&
	    load_member(at, "download", &download))
		load_error(l, &download,
			   "there is nothing to download without \"files\"; add it, or "
			   "remove this key");
}

static const struct locate_node *
find_nocase(const struct locate_node *object, struct slice key)
{
	const struct locate_node *n = object->first;

	while (n != NULL && !slice_eq_nocase(n->key, key))
		n = n->next;
	return n;
}

/* A field that the route's "headers" set, and a key `own` of it as well: only one is sent. */
static void
refuse_second(struct load *l, const struct conf_at *at, const struct conf_at *own,
	      struct slice field)
{
	struct conf_at headers;
	const struct locate_node *n;

	if (!load_member(at, "headers", &headers))
		return;
	n = find_nocase(headers.node, field);
	if (n != NULL && !json_is_null(json_object_get(headers.json, n->key.ptr)))
		load_error_key(l, n,
			       "\"%.*s\" of this route has it already, at %s; remove one",
			       SLICE_ARG(own->node->key), load_where_node(l, own->node));
}

/* "cache_control" stands for the field, so the server's is not laid under it. */
static void
take_cache_control(struct load *l, struct conf_route *r, const struct conf_at *at)
{
	const struct conf_pair *outer = pair_find(&r->headers, "Cache-Control");
	struct conf_at own;

	if (!load_member(at, "cache_control", &own))
		return;
	if (outer != NULL)
		r->headers = load_pairs_without(l, &r->headers, outer);
	refuse_second(l, at, &own, SLICE("Cache-Control"));
}

void
route_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	struct conf_route *r = target;

	if (r->path != NULL)
		r->is_prefix = path_is_prefix(slice_from_str(r->path));
	regex_check_route(l, at);
	check_actions(l, r, at, clean);
	check_methods(l, r, at);
	redirect_check_route(l, r, at);
	check_download(l, r, at);
	take_cache_control(l, r, at);
	access_check_route(l, r, at);
	auth_check_route(l, r, at, r->methods != 0 ? r->methods : served_methods(r));
	cors_check_route(l, r, at, r->methods != 0 ? r->methods : served_methods(r));
}

void
respond_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	const struct conf_respond *r = target;
	struct conf_at body;

	if (!clean || r->body == NULL || *r->body == '\0')
		return;
	if ((r->status == 204 || r->status == 205 || r->status == 304) &&
	    load_member(at, "body", &body))
		load_error(l, &body,
			   "an answer with status %d has no body; remove it, or write "
			   "another status",
			   r->status);
}

const char *
row_canonical(struct slice from, char *out, size_t *len)
{
	if (from.len == 0 || from.ptr[0] != '/')
		return "is not a path of a URL; begin it with \"/\"";
	if (slice_find(from, '?') != from.len || slice_find(from, '#') != from.len)
		return "has a query or fragment, which is not part of a path; remove it, "
		       "or write \"%3F\", \"%23\"";
	if (path_is_prefix(from))
		return "ends in \"*\", but rows are exact paths; write a route with "
		       "\"redirect\" for all that is beneath one";
	if (uri_path_canonical(from, out, len) != 0)
		return "cannot be the path of a request; write no bad percent escapes, "
		       "no "
		       "%00 or %2F, no spaces, and no \"..\" above the root";
	return NULL;
}

static const char no_star[] = "\"*\" in the target has nothing to take; write \"%2A\"";

const char *
check_row_target(struct slice to)
{
	const char *wrong = check_redirect_to(to);

	if (wrong == NULL && slice_find(to, '*') != to.len)
		return "has a \"*\", which has nothing to take; write \"%2A\"";
	return wrong;
}

void
row_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	struct conf_redirect_row *row = target;
	struct slice from = at->node->key;
	struct conf_at value = *at;
	char *out = arena_alloc(&l->scratch, from.len + 1); /* until it is packed */
	size_t len = 0;
	const char *wrong;

	if (out == NULL) {
		l->failed = true;
		return;
	}
	wrong = row_canonical(from, out, &len);
	out[len] = '\0';
	row->from = wrong == NULL ? out : NULL;
	row->key = slice_eq(slice_make(out, len), from) ? out : load_strdup(l, from);
	row->line = at->node->key_pos.line;
	row->column = at->node->key_pos.column;
	if (wrong != NULL)
		load_error_key(l, at->node, "%s %s", load_quote(l, at->node->key), wrong);
	if (clean && row->to != NULL && strchr(row->to, '*') != NULL &&
	    (!json_is_object(at->json) || load_member(at, "to", &value)))
		load_error(l, &value, "%s", no_star);
}
