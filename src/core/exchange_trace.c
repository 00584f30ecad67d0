/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange_trace: decisions to sentences.
 */
#include "core/exchange_trace.h"

#include <string.h>

#include "core/cors.h"
#include "core/exchange_route.h"

void
exchange_note_path(const struct exchange *ex, struct slice rest)
{
	rest.len = slice_find(rest, '/');
	exchange_note(
		ex, TRACE_REQUEST,
		"the segment \"%.*s\" of the path has %%00, %%2F, a bad escape or a "
		"raw byte that may not stand there, or leads above the root",
		SLICE_ARG(rest));
}

/* --- the route --- */

/* The commonest near miss: the path with a slash at its end, or without it. */
static void
note_slash(const struct exchange *ex)
{
	const struct router *r = &ex->vhost->router;
	struct slice path = ex->path;
	char *longer;

	if (path.len > 1 && path.ptr[path.len - 1] == '/') {
		path.len--;
	} else {
		longer = arena_alloc(&ex->trace->arena, path.len + 1);
		if (longer == NULL)
			return;
		memcpy(longer, path.ptr, path.len);
		longer[path.len] = '/';
		path = slice_make(longer, path.len + 1);
	}
	if (r->redirects != NULL &&
	    packmap_find(r->redirects, path, strmap_hash(path)) != NULL)
		exchange_note(ex, TRACE_ROUTE, "but \"redirects\" has a row for %.*s",
			      SLICE_ARG(path));
	if (strmap_find(&r->exact, path) != STRMAP_NONE)
		exchange_note(ex, TRACE_ROUTE, "but there is an exact path %.*s",
			      SLICE_ARG(path));
}

/* Each table that is asked before the one that had it, and had not. */
static void
note_passed(const struct exchange *ex, const struct route_match *m)
{
	const struct router *r = &ex->vhost->router;
	const struct conf_route *conf = m->route != NULL ? m->route->conf : NULL;
	size_t rows = ex->vhost->conf->redirect_count;
	bool is_regex = conf != NULL && conf->regex != NULL;
	bool is_exact = conf != NULL && !is_regex && !conf->is_prefix;

	if (m->kind == ROUTE_ROW)
		return;
	if (rows > 0)
		exchange_note(ex, TRACE_ROUTE, "\"redirects\" has no row for it (of %zu)",
			      rows);
	if (is_exact)
		return;
	exchange_note(ex, TRACE_ROUTE, "no exact path");
	note_slash(ex);
	if (!is_regex && r->regex_count > 0)
		exchange_note(ex, TRACE_ROUTE, "no path_regex matches");
}

void
exchange_note_match(const struct exchange *ex, const struct route_match *m)
{
	const struct conf_route *conf = m->route != NULL ? m->route->conf : NULL;

	ex->trace->row = m->row;
	ex->trace->rest = m->rest;
	note_passed(ex, m);
	if (m->kind == ROUTE_NONE)
		exchange_note(ex, TRACE_ROUTE, "no prefix matches: nothing answers here");
	else if (m->kind == ROUTE_ROW)
		exchange_note(ex, TRACE_ROUTE, "the redirects table has \"%s\": %d to %s",
			      m->row->from, m->row->status, m->row->to);
	else if (m->kind == ROUTE_FAILED)
		exchange_note(ex, TRACE_ROUTE,
			      "path_regex %s was given up: it takes too many steps",
			      conf->path_regex);
	else if (m->kind == ROUTE_ADD_SLASH)
		exchange_note(
			ex, TRACE_ROUTE,
			"prefix %s without its last \"/\": redirect to the path with "
			"it",
			conf->path);
	else if (conf->regex != NULL)
		exchange_note(ex, TRACE_ROUTE, "path_regex %s matched, rest \"%.*s\"",
			      conf->path_regex, SLICE_ARG(m->rest));
	else if (conf->is_prefix)
		exchange_note(ex, TRACE_ROUTE,
			      "prefix %s is the longest that matches, rest \"%.*s\"",
			      conf->path, SLICE_ARG(m->rest));
	else
		exchange_note(ex, TRACE_ROUTE, "exact path %s", conf->path);
}

/* --- access --- */

void
exchange_note_access(const struct exchange *ex, const struct route *r,
		     const struct access_verdict *v)
{
	char peer[PEER_TEXT_MAX], block[CIDR_TEXT_MAX] = "unix";
	const char *list = v->rule == ACCESS_DENIED ? "deny" : "allow";

	if (ex->error_status == 0) {
		ex->trace->has_access = true;
		ex->trace->access = *v;
	}
	peer_format(&ex->peer, peer);
	if (v->block != NULL)
		cidr_format(v->block, block);
	if (v->rule == ACCESS_NOT_ALLOWED)
		exchange_note(ex, TRACE_ACCESS,
			      "%s is in none of the %zu of \"allow\": refused", peer,
			      r->conf->allow.count);
	else if (v->rule == ACCESS_NOT_DENIED)
		exchange_note(ex, TRACE_ACCESS, "%s is in none of the %zu of \"deny\"",
			      peer, r->conf->deny.count);
	else
		exchange_note(ex, TRACE_ACCESS, "%s is in %s of \"%s\"%s", peer, block,
			      list, v->permits ? "" : ": refused");
}

/* --- the method --- */

/* Is it a preflight, which the handler never sees? */
static bool
note_cors(const struct exchange *ex)
{
	struct slice origin = http_head_value(&ex->head, HTTP_FIELD_ORIGIN);
	bool allowed;

	if (ex->route->cors == NULL || origin.ptr == NULL)
		return false;
	allowed = cors_allows_origin(ex->route->cors, &ex->head);
	exchange_note(ex, TRACE_ACCESS,
		      "cors: pages of the origin %.*s may %ssee the answer",
		      SLICE_ARG(origin), allowed ? "" : "not ");
	if (!cors_is_preflight(&ex->head))
		return false;
	exchange_note(ex, TRACE_ACCESS,
		      "cors: a preflight, which the handler never sees");
	return true;
}

void
exchange_note_method(struct exchange *ex, const struct handler *h)
{
	if (note_cors(ex))
		return;
	if (h == NULL && ex->head.method == HTTP_OPTIONS)
		exchange_note(ex, TRACE_ROUTE, "OPTIONS is answered with what is taken");
	else if (h == NULL)
		exchange_note(ex, TRACE_ROUTE, "%.*s is not taken, only %.*s",
			      SLICE_ARG(ex->head.method_name),
			      SLICE_ARG(exchange_allow(ex)));
	else if (ex->head.body == HTTP_BODY_LENGTH &&
		 ex->head.content_length > ex->body_max)
		exchange_note(ex, TRACE_ROUTE,
			      "a body of %llu bytes is too large: %llu are taken",
			      (unsigned long long)ex->head.content_length,
			      (unsigned long long)ex->body_max);
	else
		ex->trace->handler = h;
}
