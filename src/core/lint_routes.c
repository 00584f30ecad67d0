/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint_routes: routes, actions and servers that no request reaches. Only what is sure.
 */
#include <string.h>

#include "core/exchange.h"
#include "core/lint.h"

/* --- routes --- */

/* Expressions that match every path, as they are commonly written. */
static bool
matches_all(const char *regex)
{
	static const char *const all[] = { "",       "^",       "/",    "^/",   ".*",
					   "^.*",    ".*$",     "^.*$", "^/.*", "^/.*$",
					   "^(.*)$", "^/(.*)$", "(.*)" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(regex, all[i]) == 0)
			return true;
	}
	return false;
}

/* The table of redirects is looked at before any route. */
static void
check_exact(struct lint *l, const struct vhost *v, const struct route *r)
{
	struct route_match m = router_match(&v->router, r->prefix);
	struct conf_place row = v->conf->redirects_place;

	if (m.kind != ROUTE_ROW)
		return;
	row.line = m.row->line;
	row.column = m.row->column;
	lint_warning(
		l, &r->conf->place,
		"this route is never asked: \"redirects\" has a row for \"%s\", at %s; "
		"remove one",
		r->conf->path, lint_where(l, &row));
}

/* The first expression before this route that takes all that it could be asked for. */
static const struct route *
find_cover(const struct vhost *v, const struct route *r)
{
	for (size_t i = 0; i < v->router.regex_count; i++) {
		const struct route *other = v->router.regexes[i];

		if (other == r)
			return NULL;
		if (matches_all(other->conf->path_regex) ||
		    (r->conf->path_regex != NULL &&
		     strcmp(other->conf->path_regex, r->conf->path_regex) == 0))
			return other;
	}
	return NULL;
}

static void
check_cover(struct lint *l, const struct vhost *v, const struct route *r)
{
	const struct route *cover = find_cover(v, r);

	if (cover == NULL)
		return;
	lint_warning(
		l, &r->conf->place,
		"this route is never asked: \"path_regex\" at %s takes its paths, and "
		"is tried first; %s",
		lint_where(l, &cover->conf->place),
		r->conf->path_regex != NULL ? "write it behind this one, or remove one"
					    : "make it narrower, or remove one");
}

static void
check_methods(struct lint *l, const struct route *r)
{
	for (size_t i = 0; i < r->handler_count; i++) {
		bool asked = false;

		for (size_t m = 0; m < HTTP_METHOD_COUNT; m++)
			asked = asked || r->by_method[m] == &r->handlers[i];
		if (!asked)
			lint_warning(
				l, &r->conf->place,
				"\"%s\" of this route is never asked: \"methods\" has "
				"none of its methods; add one, or remove it",
				r->handlers[i].ops->action == CONF_ACTION_UPLOAD
					? "upload"
					: "files");
	}
}

/* Of the default of max_size, too: who sets the one should think of the other. */
static void
check_quota(struct lint *l, const struct conf_route *r)
{
	const struct conf_upload *u = &r->upload;

	if ((r->actions & CONF_ACTION_UPLOAD) != 0 && u->quota != 0 &&
	    u->quota < u->max_size)
		lint_warning(l, &u->quota_place,
			     "no file can be as large as \"max_size\" allows (%llu "
			     "bytes), since all of them may have %llu bytes together; "
			     "lower \"max_size\", or raise \"quota\"",
			     (unsigned long long)u->max_size,
			     (unsigned long long)u->quota);
}

static void
check_vhost(struct lint *l, const struct vhost *v)
{
	if (v->conf->route_count == 0 && v->conf->redirect_count == 0)
		lint_warning(l, &v->conf->place,
			     "this server has no routes and answers every request with "
			     "404; add \"routes\"");
	for (size_t i = 0; i < v->conf->route_count; i++) {
		const struct route *r = &v->routes[i];

		if (r->conf->regex == NULL && !r->conf->is_prefix)
			check_exact(l, v, r);
		else
			check_cover(l, v, r);
		check_methods(l, r);
		check_quota(l, r->conf);
	}
}

/* --- addresses --- */

/* Of a server without names that is the first on another address; one that is first nowhere
 * is an error of the configuration. */
static void
check_addresses(struct lint *l, const struct site *s, const struct vhost *v)
{
	for (size_t i = 0; i < v->conf->listen_count && v->conf->names.count == 0; i++) {
		const struct conf_listen *listen = &v->conf->listens[i];
		const struct site_address *a = site_find_address(s, listen);

		if (a == NULL || a->fallback == v)
			continue;
		lint_warning(l, &listen->place,
			     "this server is never asked on %s: it has no names, and the "
			     "server at %s is the first there; add \"names\", or remove "
			     "the address",
			     listen->text, lint_where(l, &a->fallback->conf->place));
	}
}

void
lint_routes(struct lint *l, const struct site *s)
{
	for (size_t i = 0; i < s->vhost_count; i++) {
		check_vhost(l, &s->vhosts[i]);
		check_addresses(l, s, &s->vhosts[i]);
	}
}
