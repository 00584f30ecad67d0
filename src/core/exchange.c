/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange: begin, body, respond, finish. Every state change goes through set_state(),
 * which asserts the edge.
 */
#include "core/exchange.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/counters.h"
#include "core/access.h"
#include "core/accesslog.h"
#include "core/auth.h"
#include "core/auth_verify.h"
#include "core/cors.h"
#include "core/exchange_trace.h"
#include "core/limits.h"
#include "http/uri.h"

static void
set_state(struct exchange *ex, enum exchange_state to)
{
	static const unsigned edges[] = {
		[EXCHANGE_NEW] = 1 << EXCHANGE_HELD | 1 << EXCHANGE_RECEIVING |
				 1 << EXCHANGE_RESPONDING | 1 << EXCHANGE_ENDED,
		[EXCHANGE_HELD] = 1 << EXCHANGE_RECEIVING | 1 << EXCHANGE_RESPONDING |
				  1 << EXCHANGE_ENDED,
		[EXCHANGE_RECEIVING] = 1 << EXCHANGE_RESPONDING | 1 << EXCHANGE_ENDED,
		[EXCHANGE_RESPONDING] = 1 << EXCHANGE_ENDED,
		[EXCHANGE_ENDED] = 0,
	};

	assert(edges[ex->state] & (1u << to));
	ex->state = to;
}

void
exchange_init(struct exchange *ex, const struct exchange_ops *ops, size_t arena_max)
{
	memset(ex, 0, sizeof(*ex));
	ex->ops = ops;
	arena_init(&ex->arena, arena_max);
}

void
exchange_reset(struct exchange *ex)
{
	assert(ex->state == EXCHANGE_NEW || ex->state == EXCHANGE_ENDED);
	arena_reset(&ex->arena);
	/* The field array is not cleared: field_count says what of it is valid. */
	ex->head = (struct http_head){ .method = HTTP_METHOD_UNKNOWN };
	ex->path = ex->host = ex->rest = slice_make(NULL, 0);
	ex->groups = NULL;
	ex->group_count = 0;
	ex->vhost = NULL;
	ex->route = NULL;
	ex->user = ex->user_asked = slice_make(NULL, 0);
	ex->granted = NULL;
	ex->auth_wait = NULL;
	ex->status = ex->error_status = 0;
	ex->field_count = ex->shared_field_count = ex->kept_field_count = 0;
	ex->body = (struct body){ 0 };
	ex->state = EXCHANGE_NEW;
	ex->handler = NULL;
	ex->data = NULL;
	ex->entered = 0;
	ex->claimed = NULL;
	ex->close = ex->waits = ex->holds = false;
	ex->own_fields = 0;
	ex->reason = NULL;
	ex->body_max = ex->received = ex->unconsumed = ex->sent = 0;
	ex->started_ms = clock_mono_ms();
}

void
exchange_fini(struct exchange *ex)
{
	arena_fini(&ex->arena);
}

static void
close_handler(struct exchange *ex, enum exchange_end why)
{
	const struct handler *h = ex->handler;

	ex->handler = NULL;
	ex->waits = ex->holds = false;
	if (h != NULL && h->ops->close != NULL)
		h->ops->close(ex, why);
	ex->data = NULL;
}

static int
open_handler(struct exchange *ex, const struct handler *h)
{
	int status;

	ex->handler = h;
	status = h->ops->open(ex);
	if (status != 0) {
		ex->handler = NULL;
		ex->data = NULL;
		ex->waits = ex->holds = false;
	}
	return status;
}

int
exchange_hand_over(struct exchange *ex, const struct handler *to)
{
	const struct handler *from = ex->handler;
	int status;

	ex->handler = to;
	status = to->ops->open(ex);
	if (status != 0)
		ex->handler = from;
	return status;
}

/* The answer so far, if any, is forgotten. */
static void
clear_answer(struct exchange *ex)
{
	close_handler(ex, EXCHANGE_ABORTED);
	body_release(&ex->body);
	ex->status = 0;
	ex->field_count = 0;
	ex->shared_field_count = 0;
	ex->own_fields = 0;
}

static bool
is_permitted(const struct exchange *ex, const struct route *r)
{
	struct access_verdict v;

	if (r->access == NULL)
		return true;
	v = access_decide(r->access, &ex->peer);
	if (ex->trace != NULL)
		exchange_note_access(ex, r, &v);
	return v.permits;
}

/* May this request see what a GET of that route would show? Only who was let in by it. */
static bool
is_shown(const struct exchange *ex, const struct route *r)
{
	return is_permitted(ex, r) && (r->auth == NULL || ex->granted == r->auth ||
				       !auth_needs(r->auth, HTTP_GET));
}

/* The handler of the configured error page for this status, or NULL. What the peer may not
 * see it does not see as an error page either. */
static const struct handler *
find_error_page(struct exchange *ex, int status)
{
	struct slice path = ex->vhost != NULL ? vhost_error_page(ex->vhost, status)
					      : slice_make(NULL, 0);
	const struct handler *page;
	struct route_match m;

	if (path.len == 0)
		return NULL;
	exchange_note(ex, TRACE_ERROR, "%d: \"error_pages\" has %.*s", status,
		      SLICE_ARG(path));
	m = router_match(&ex->vhost->router, path);
	if (m.kind != ROUTE_FOUND || !is_shown(ex, m.route))
		return NULL;
	page = m.route->by_method[HTTP_GET];
	if (page == NULL ||
	    (page->ops->action & (CONF_ACTION_FILES | CONF_ACTION_RESPOND)) == 0)
		return NULL;
	ex->rest = m.rest;
	return page;
}

/* After these the rest of what the peer sends is not to be trusted, or not wanted. */
static bool
ends_connection(int status)
{
	return status == 400 || status == 413 || status == 414 || status == 431 ||
	       status == 501 || status == 505;
}

static void
answer_error(struct exchange *ex, int status)
{
	const struct handler *page;

	ex->close = ex->close || ends_connection(status);
	/* A page that fails while it answers for another error must not start over. */
	if (ex->error_status == 0) {
		ex->error_status = status;
		if (ex->trace != NULL)
			ex->trace->file = NULL;
		page = find_error_page(ex, status);
		if (page != NULL && open_handler(ex, page) == 0) {
			if (ex->state == EXCHANGE_RESPONDING)
				return;
			clear_answer(ex);
		}
		ex->field_count = ex->shared_field_count = 0;
		body_release(&ex->body);
	}
	exchange_note(ex, TRACE_ERROR, "%d: the built-in page answers", ex->error_status);
	page = &ex->site->error_page;
	if (open_handler(ex, page) != 0)
		exchange_respond(ex, ex->error_status);
}

void
exchange_fail(struct exchange *ex, int status)
{
	if (ex->state == EXCHANGE_RESPONDING) {
		ex->ops->abort(ex);
		return;
	}
	auth_forget(ex);
	clear_answer(ex);
	answer_error(ex, status);
}

void
exchange_refuse(struct exchange *ex, int status)
{
	ex->close = true;
	if (ex->vhost == NULL)
		ex->vhost = ex->address->fallback;
	exchange_fail(ex, status);
}

/* --- begin and body --- */

static int
canonicalise(struct exchange *ex)
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

/* The parser went by the largest limits of the address; these are the server's own. */
static int
check_limits(const struct exchange *ex)
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

	for (size_t i = 0; r != NULL && i < r->handler_count; i++) {
		const struct handler *h = &r->handlers[i];

		ex->handler = h;
		if (h->ops->claims != NULL && h->ops->claims(ex)) {
			ex->handler = NULL;
			return h;
		}
	}
	ex->handler = NULL;
	return NULL;
}

static int
open_route(struct exchange *ex)
{
	const struct handler *h =
		ex->claimed != NULL ? ex->claimed : ex->route->by_method[ex->head.method];

	if (h != NULL)
		ex->body_max = h->ops->body_max != NULL ? h->ops->body_max(ex)
							: h->body_max;
	if (ex->trace != NULL)
		exchange_note_method(ex, h);
	if (is_preflight(ex))
		return answer_options(ex, ex->route->allow);
	if (h == NULL && ex->head.method == HTTP_OPTIONS)
		return answer_options(ex, ex->route->allow);
	if (h == NULL)
		return 405;
	if (exchange_is_too_long(ex) && !h->ops->refuses_length)
		return 413;
	return open_handler(ex, h);
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
		return exchange_redirect(ex, m->row->status, slice_from_str(m->row->to),
					 true);
	case ROUTE_ADD_SLASH:
		/* Fetch: a preflight that is redirected has failed. */
		if (is_preflight(ex))
			return answer_options(ex, ex->route->allow);
		return exchange_redirect_slash(ex);
	case ROUTE_FAILED:
		return fail_match(ex, m->route);
	case ROUTE_NONE:
		break;
	}
	return 404;
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
	if (!is_permitted(ex, r))
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

static int
route_request(struct exchange *ex)
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
	if (m.kind == ROUTE_FOUND)
		ex->claimed = find_claim(ex);
	status = check_access(ex);
	return status == 0 ? open_match(ex, &m) : status;
}

/* Matched again: other requests came between, and what an expression matched is kept for one
 * only. */
static int
resume_request(struct exchange *ex)
{
	struct route_match m;
	int status = auth_resume(ex->route->auth, ex);

	if (status != 0)
		return status;
	m = router_match(&ex->vhost->router, ex->path);
	return open_match(ex, &m);
}

static void
settle_begin(struct exchange *ex, int status)
{
	if (status == AUTH_HOLD || (status == 0 && ex->holds)) {
		if (ex->state != EXCHANGE_HELD)
			set_state(ex, EXCHANGE_HELD);
	} else if (status != 0)
		exchange_fail(ex, status);
	else if (ex->state == EXCHANGE_NEW || ex->state == EXCHANGE_HELD)
		set_state(ex, EXCHANGE_RECEIVING);
}

void
exchange_begin(struct exchange *ex)
{
	int status = canonicalise(ex);
	struct slice name;

	ex->vhost = site_find_vhost(ex->site, ex->address, ex->host, &name);
	if (ex->trace != NULL)
		ex->trace->name = name;
	ex->body_max = ex->vhost->conf->limits.body_size;
	counter_add(ex->site->env.counters, COUNTER_REQUESTS, 1);
	if (status == 0)
		status = limits_check_request(ex);
	if (status == 0)
		status = check_limits(ex);
	if (status == 0)
		status = route_request(ex);
	settle_begin(ex, status);
}

void
exchange_body(struct exchange *ex, struct slice bytes, bool last)
{
	int status = 0;

	assert(ex->state == EXCHANGE_RECEIVING && ex->handler != NULL);
	ex->received += bytes.len;
	ex->unconsumed += bytes.len;
	if (ex->received > ex->body_max)
		status = 413;
	else if (ex->handler->ops->data != NULL)
		status = ex->handler->ops->data(ex, bytes, last);
	else
		exchange_consumed(ex, bytes.len);
	if (status != 0)
		exchange_fail(ex, status);
}

void
exchange_work(struct exchange *ex)
{
	int status = 0;

	if (!ex->waits)
		return;
	ex->waits = false;
	if (ex->state == EXCHANGE_HELD) {
		status = ex->handler != NULL ? ex->handler->ops->work(ex)
					     : resume_request(ex);
		settle_begin(ex, status);
		return;
	}
	status = ex->handler->ops->work(ex);
	if (status != 0)
		exchange_fail(ex, status);
}

void
exchange_release(struct exchange *ex)
{
	assert(ex->state == EXCHANGE_HELD && ex->handler == NULL);
	ex->waits = true;
	ex->ops->later(ex);
}

void
exchange_later(struct exchange *ex)
{
	assert(ex->state != EXCHANGE_RESPONDING && ex->handler->ops->work != NULL);
	ex->waits = true;
	ex->ops->later(ex);
}

bool
exchange_interim(struct exchange *ex, int status, const struct http_field *fields,
		 size_t count)
{
	assert(status >= 102 && status < 200);
	assert(ex->state == EXCHANGE_NEW || ex->state == EXCHANGE_HELD ||
	       ex->state == EXCHANGE_RECEIVING);
	if (status == 104 && !ex->address->listen->interim_104)
		return false;
	return ex->ops->interim(ex, status, fields, count);
}

void
exchange_later_after(struct exchange *ex, unsigned ms)
{
	assert(ex->state != EXCHANGE_RESPONDING && ex->handler->ops->work != NULL);
	ex->waits = true;
	ex->ops->after(ex, ms);
}

void
exchange_hold(struct exchange *ex)
{
	assert(ex->state == EXCHANGE_NEW || ex->state == EXCHANGE_HELD);
	ex->holds = true;
}

void
exchange_unhold(struct exchange *ex)
{
	ex->holds = false;
}

void
exchange_abort(struct exchange *ex)
{
	ex->ops->abort(ex);
	ex->ops->later(ex);
}

void
exchange_consumed(struct exchange *ex, size_t n)
{
	assert(n <= ex->unconsumed);
	ex->unconsumed -= n;
	ex->ops->consumed(ex, n);
}

/* --- the answer --- */

void
exchange_respond(struct exchange *ex, int status)
{
	ex->status = ex->error_status != 0 ? ex->error_status : status;
	/* RFC 9110 section 15.5.6: 405 says what would be allowed. */
	if (ex->status == 405 && ex->route != NULL)
		(void)exchange_add_field(ex, HTTP_FIELD_ALLOW, ex->route->allow);
	ex->waits = ex->holds = false;
	set_state(ex, EXCHANGE_RESPONDING);
	ex->ops->head(ex);
}

/* --- the end --- */

void
exchange_finish(struct exchange *ex, enum exchange_end why)
{
	static const enum counter by_class[] = { 0,
						 0,
						 COUNTER_RESPONSES_2XX,
						 COUNTER_RESPONSES_3XX,
						 COUNTER_RESPONSES_4XX,
						 COUNTER_RESPONSES_5XX };
	int class;

	/* Nobody was answered: 499, as logs have it since nginx, "client closed request". */
	if (ex->status == 0)
		ex->status = 499;
	class = ex->status / 100;
	set_state(ex, EXCHANGE_ENDED);
	auth_forget(ex);
	close_handler(ex, why);
	body_release(&ex->body);
	if (class >= 2 && class <= 5)
		counter_add(ex->site->env.counters, by_class[class], 1);
	if (ex->site->accesslog != NULL)
		accesslog_write(ex->site->accesslog, ex);
}
