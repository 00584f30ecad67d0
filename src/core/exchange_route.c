/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange_route: from the head of a request to the handler that is open for it: its path, the
 * limits of its server, the route, who may, the method.
 */
#include "core/exchange_route.h"

#include "core/access.h"
#include "core/auth.h"
#include "core/cors.h"
#include "core/exchange_trace.h"
#include "http/uri.h"

int
exchange_canonicalise(struct exchange *ex)
{
	size_t len = 0;
	char *path = arena_alloc(&ex->arena, ex->head.path.len + 1);
	char *host = arena_alloc(&ex->arena, ex->head.host.len + 1);

	if (path == NULL || host == NULL)
		return 503;
	ex->host = slice_make(host, uri_host_normalise(ex->head.host, host));
	if (ex->head.form == HTTP_TARGET_ASTERISK)
		return 0;
	if (uri_path_canonical(ex->head.path, path, &len) != 0) {
		if (ex->trace != NULL)
			exchange_note_path(ex, slice_from(ex->head.path, len));
		return 400;
	}
	ex->path = slice_make(path, len);
	return 0;
}

int
exchange_check_limits(const struct exchange *ex)
{
	const struct conf_limits *l = &ex->vhost->conf->limits;
	size_t head_size = ex->head.target.len + ex->head.method_name.len;

	if (ex->head.target.len > l->uri_size) {
		exchange_note(ex, TRACE_REQUEST,
			      "the target is longer than limits.uri_size, %llu bytes",
			      (unsigned long long)l->uri_size);
		return 414;
	}
	for (size_t i = 0; i < ex->head.field_count; i++)
		head_size +=
			ex->head.fields[i].name.len + ex->head.fields[i].value.len + 4;
	if (ex->head.field_count <= l->header_count && head_size <= l->header_size)
		return 0;
	exchange_note(ex, TRACE_REQUEST,
		      "%zu fields, %zu bytes: beyond limits.header_count, %u, or "
		      "limits.header_size, %llu",
		      ex->head.field_count, head_size, l->header_count,
		      (unsigned long long)l->header_size);
	return 431;
}

/* --- what answers --- */

struct slice
exchange_allow(struct exchange *ex)
{
	struct slice text;

	if (ex->taken == 0)
		return ex->route->allow;
	return site_format_allow(&ex->arena, ex->taken, &text) == 0 ? text
								    : ex->route->allow;
}

static int
answer_options(struct exchange *ex, struct slice allow)
{
	const struct route *r = ex->route;
	int status = 0;

	if (exchange_add_field(ex, HTTP_FIELD_ALLOW, allow) < 0)
		return 500;
	for (size_t i = 0; r != NULL && status == 0 && i < r->handler_count; i++) {
		if (r->handlers[i].ops->options != NULL)
			status = r->handlers[i].ops->options(ex, &r->handlers[i]);
	}
	if (status == 0)
		exchange_respond(ex, 204);
	return status;
}

static bool
is_preflight(const struct exchange *ex)
{
	return ex->route->cors != NULL && cors_is_preflight(&ex->head);
}

/* The handler of the route that the request belongs to whatever its method is, or NULL. */
static const struct handler *
find_claim(struct exchange *ex)
{
	const struct route *r = ex->route;
	const struct handler *claim = NULL;

	for (size_t i = 0; i < r->handler_count; i++) {
		const struct handler *h = &r->handlers[i];

		ex->handler = h;
		if (ex->taken == 0 && h->ops->takes != NULL)
			ex->taken = h->ops->takes(ex);
		if (claim == NULL && h->ops->claims != NULL && h->ops->claims(ex))
			claim = h;
	}
	ex->handler = NULL;
	return claim;
}

/* Before it is looked who may: a field must be no way around "methods" and "auth". */
static void
find_method(struct exchange *ex)
{
	const struct route *r = ex->route;
	enum http_method own = ex->head.method;

	for (size_t i = 0; i < r->handler_count && ex->head.method == own; i++) {
		ex->handler = &r->handlers[i];
		if (ex->handler->ops->method != NULL)
			ex->head.method = ex->handler->ops->method(ex);
	}
	ex->handler = NULL;
	if (ex->head.method != own)
		exchange_note(ex, TRACE_REQUEST, "a field says that %.*s is meant",
			      SLICE_ARG(http_method_name(ex->head.method)));
}

static int
open_route(struct exchange *ex)
{
	const struct handler *h =
		ex->claimed != NULL ? ex->claimed : ex->route->by_method[ex->head.method];

	if (h != NULL)
		ex->body_max =
			h->ops->body_max != NULL ? h->ops->body_max(ex) : h->body_max;
	if (ex->trace != NULL)
		exchange_note_method(ex, h);
	if (is_preflight(ex))
		return answer_options(ex, exchange_allow(ex));
	if (h == NULL && ex->head.method == HTTP_OPTIONS)
		return answer_options(ex, exchange_allow(ex));
	if (h == NULL)
		return 405;
	if (exchange_is_too_long(ex) && !h->ops->refuses_length)
		return 413;
	return exchange_open(ex, h);
}

/* Anyone can ask for the path that an expression stumbles over, so it is not told often. */
static int
fail_match(struct exchange *ex, const struct route *route)
{
	log_limited(ex->site->env.log, &ex->vhost->router.scratch->limit, LOG_LEVEL_ERROR,
		    "%s:%u: path_regex was given up on a path of %zu bytes: it takes too "
		    "many steps",
		    route->conf->place.file != NULL ? route->conf->place.file : "config",
		    route->conf->place.line, ex->path.len);
	return 500;
}

static int
open_match(struct exchange *ex, const struct route_match *m)
{
	ex->groups = m->groups;
	ex->group_count = m->group_count;
	switch (m->kind) {
	case ROUTE_FOUND:
		return open_route(ex);
	case ROUTE_ROW:
		return exchange_redirect(ex, m->status, m->to, true);
	case ROUTE_ADD_SLASH:
		/* Fetch: a preflight that is redirected has failed. */
		if (is_preflight(ex))
			return answer_options(ex, exchange_allow(ex));
		return exchange_redirect_slash(ex);
	case ROUTE_FAILED:
		return fail_match(ex, m->route);
	case ROUTE_NONE:
		break;
	}
	return 404;
}

/* --- who may --- */

bool
exchange_permits(const struct exchange *ex, const struct route *r)
{
	struct access_verdict v;

	if (r->access == NULL)
		return true;
	v = access_decide(r->access, &ex->peer);
	if (ex->trace != NULL)
		exchange_note_access(ex, r, &v);
	return v.permits;
}

/* Who may begin may go on, and nobody else. */
static bool
needs_auth(const struct exchange *ex)
{
	const struct auth *a = ex->route->auth;

	return auth_needs(a, ex->head.method) ||
	       (ex->claimed != NULL &&
		(auth_needs(a, HTTP_POST) || auth_needs(a, HTTP_PUT)));
}

/* 0, a status, or AUTH_HOLD. The addresses come first, and hold for any request: a preflight,
 * too, asks for what would be refused. But it carries no credentials (Fetch section 4.8). */
static int
check_access(struct exchange *ex)
{
	const struct route *r = ex->route;
	int status;

	if (r == NULL)
		return 0;
	if (!exchange_permits(ex, r))
		return 403;
	if (r->auth == NULL)
		return 0;
	if (!needs_auth(ex) || is_preflight(ex)) {
		exchange_note(ex, TRACE_ACCESS, "\"auth\" is not for this request");
		return 0;
	}
	status = auth_ask(r->auth, ex);
	if (status == 0)
		exchange_note(ex, TRACE_ACCESS, "\"auth\" lets in %.*s",
			      SLICE_ARG(ex->user));
	else if (status != AUTH_HOLD)
		exchange_note(ex, TRACE_ACCESS, "\"auth\" does not let it in");
	return status;
}

int
exchange_route(struct exchange *ex)
{
	struct route_match m;
	int status;

	if (ex->head.form == HTTP_TARGET_ASTERISK)
		return answer_options(ex, ex->vhost->allow);
	m = router_match(&ex->vhost->router, ex->path);
	ex->rest = m.rest;
	ex->route = m.route;
	if (ex->trace != NULL)
		exchange_note_match(ex, &m);
	if (m.kind == ROUTE_FOUND) {
		find_method(ex);
		ex->claimed = find_claim(ex);
	}
	status = check_access(ex);
	return status == 0 ? open_match(ex, &m) : status;
}

/* Matched again: other requests came between, and what an expression matched is kept for one
 * only. */
int
exchange_route_again(struct exchange *ex)
{
	struct route_match m;
	int status = auth_resume(ex->route->auth, ex);

	if (status != 0)
		return status;
	m = router_match(&ex->vhost->router, ex->path);
	return open_match(ex, &m);
}
