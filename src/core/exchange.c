/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange: begin, body, respond, finish. Every state change goes through set_state(),
 * which asserts the edge.
 */
#include "core/exchange.h"

#include <assert.h>
#include <string.h>

#include "base/counters.h"
#include "core/accesslog.h"
#include "core/auth.h"
#include "core/auth_verify.h"
#include "core/exchange_route.h"
#include "core/limits.h"

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
	ex->taken = 0;
	ex->close = ex->waits = ex->holds = false;
	ex->own_fields = 0;
	ex->reason = NULL;
	ex->body_max = ex->received = ex->unconsumed = ex->sent = 0;
	ex->started_ms = 0;
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

int
exchange_open(struct exchange *ex, const struct handler *h)
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

/* May this request see what a GET of that route would show? Only who was let in by it. */
static bool
is_shown(const struct exchange *ex, const struct route *r)
{
	return exchange_permits(ex, r) && (r->auth == NULL || ex->granted == r->auth ||
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
		if (page != NULL && exchange_open(ex, page) == 0) {
			if (ex->state == EXCHANGE_RESPONDING)
				return;
			clear_answer(ex);
		}
		ex->field_count = ex->shared_field_count = 0;
		body_release(&ex->body);
	}
	exchange_note(ex, TRACE_ERROR, "%d: the built-in page answers", ex->error_status);
	page = &ex->site->error_page;
	if (exchange_open(ex, page) != 0)
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
	int status = exchange_canonicalise(ex);
	struct slice name;

	ex->vhost = site_find_vhost(ex->site, ex->address, ex->host, &name);
	if (ex->trace != NULL)
		ex->trace->name = name;
	ex->body_max = ex->vhost->conf->limits.body_size;
	counter_add(ex->site->env.counters, COUNTER_REQUESTS, 1);
	if (status == 0)
		status = limits_check_request(ex);
	if (status == 0)
		status = exchange_check_limits(ex);
	if (status == 0)
		status = exchange_route(ex);
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
					     : exchange_route_again(ex);
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
exchange_peer_left(struct exchange *ex)
{
	auth_yield(ex);
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
		(void)exchange_add_field(ex, HTTP_FIELD_ALLOW, exchange_allow(ex));
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
