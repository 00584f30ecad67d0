/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_cors: what the table cannot say about "cors": stars that browsers would not take
 * for stars, methods that the route does not serve, and fields that would be sent twice.
 */
#include <string.h>

#include "conf/loader.h"
#include "http/names.h"

static bool
has_star(const struct conf_strings *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] != NULL && strcmp(list->items[i], "*") == 0)
			return true;
	}
	return false;
}

/* The list of that name; that of the origins may stand for the whole section. */
static bool
find_list(const struct conf_at *cors, const char *name, struct conf_at *list)
{
	*list = *cors;
	return (json_is_array(cors->json) && strcmp(name, "origins") == 0) ||
	       load_member(cors, name, list);
}

/* The item "*" of a list. */
static struct conf_at
star_of(const struct conf_at *list)
{
	struct conf_at item = *list;

	for (const struct locate_node *n = list->node->first; n != NULL; n = n->next) {
		item = (struct conf_at){ n, json_array_get(list->json, n->index) };
		if (json_is_string(item.json) &&
		    strcmp(json_string_value(item.json), "*") == 0)
			break;
	}
	return item;
}

static void
check_origins(struct load *l, const struct conf_cors *c, const struct conf_at *at)
{
	struct conf_at list, credentials;

	if (!has_star(&c->origins))
		return;
	if (c->origins.count > 1 && find_list(at, "origins", &list)) {
		list = star_of(&list);
		load_error(l, &list, "\"*\" is every origin already; remove the others");
	}
	if (c->credentials && load_member(at, "credentials", &credentials))
		load_error(l, &credentials,
			   "browsers give no credentials where every origin is "
			   "allowed; name the \"origins\", or write false");
}

/* Fetch: in an answer with credentials a star is the name of a field. */
static void
check_star(struct load *l, const struct conf_cors *c, const struct conf_at *at,
	   const struct conf_strings *names, const char *key)
{
	struct conf_at list;

	if (!c->credentials || !has_star(names) || !find_list(at, key, &list))
		return;
	list = star_of(&list);
	load_error(l, &list,
		   "\"*\" is not understood by browsers beside \"credentials\"; name the "
		   "fields");
}

void
cors_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	const struct conf_cors *c = target;

	(void)clean;
	check_origins(l, c, at);
	check_star(l, c, at, &c->headers, "headers");
	check_star(l, c, at, &c->expose, "expose");
}

static void
check_methods(struct load *l, const struct conf_at *cors, unsigned served)
{
	struct conf_at list;

	if (served == 0 || !find_list(cors, "methods", &list))
		return;
	load_check_methods(l, &list, served, "this route");
}

/* Two such fields in one answer are none to a browser. */
static void
check_headers(struct load *l, const struct conf_route *r, const struct conf_at *route,
	      const struct conf_at *cors)
{
	static const char *const ours[] = {
		"Access-Control-Allow-Origin",   "Access-Control-Allow-Credentials",
		"Access-Control-Allow-Methods",  "Access-Control-Allow-Headers",
		"Access-Control-Expose-Headers", "Access-Control-Max-Age",
	};
	struct conf_at headers, own;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		const struct conf_pair *pair = pair_find(&r->headers, ours[i]);

		if (pair == NULL)
			continue;
		if (load_member(route, "headers", &headers) &&
		    load_member(&headers, pair->name, &own))
			load_error_key(l, own.node,
				       "stands beside \"cors\", which sends this field; "
				       "remove one of them");
		else
			load_error_key(l, cors->node,
				       "the server has the header \"%s\" at %s, which "
				       "\"cors\" sends; remove it there",
				       pair->name, load_where(l, &pair->place));
	}
}

void
cors_check_route(struct load *l, const struct conf_route *r, const struct conf_at *at,
		 unsigned served)
{
	struct conf_at cors;

	if (!r->cors.enabled || !load_member(at, "cors", &cors))
		return;
	check_methods(l, &cors, served);
	check_headers(l, r, at, &cors);
}
