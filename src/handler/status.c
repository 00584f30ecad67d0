/* SPDX-License-Identifier: BSD-2-Clause
 *
 * status: the pages of "status": health for load balancers, metrics for Prometheus, a page
 * for people. They are of the moment: nobody may keep them.
 */
#include "handler/status.h"

#include <stdlib.h>

#include "base/clock.h"
#include "core/exchange.h"
#include "handler/handlers.h"

static int
status_create(const struct handler_env *env, const struct conf_route *route, void **state,
	      struct buf *errors)
{
	(void)env;
	(void)errors;
	*state = (void *)(uintptr_t)route;
	return 0;
}

static int
answer(struct exchange *ex, int status, struct slice type, struct body body)
{
	ex->body = body;
	if (exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE, type) < 0 ||
	    exchange_add_field(ex, HTTP_FIELD_CACHE_CONTROL, SLICE("no-store")) < 0)
		return 500;
	exchange_respond(ex, status);
	return 0;
}

/* Takes what is in the buffer. */
static int
answer_buf(struct exchange *ex, struct slice type, struct buf *b)
{
	struct body body = body_memory(buf_slice(b));

	if (b->failed) {
		buf_fini(b);
		return 503;
	}
	body.release = free;
	body.owner = b->ptr;
	return answer(ex, 200, type, body);
}

/* While the worker drains, what waits at its sockets is still answered; a load balancer is
 * told to send nothing more. */
static int
open_health(struct exchange *ex, const struct server_status *s)
{
	struct slice type = SLICE("text/plain; charset=utf-8");

	if (s != NULL && *s->draining)
		return answer(ex, 503, type, body_memory(SLICE("draining\n")));
	return answer(ex, 200, type, body_memory(SLICE("ok\n")));
}

static int
status_open(struct exchange *ex)
{
	const struct conf_route *conf = ex->handler->state;
	const struct server_status *s = ex->site->env.status;
	struct buf b;

	if (conf->status == CONF_STATUS_HEALTH)
		return open_health(ex, s);
	if (s == NULL)
		return 503;
	buf_init(&b);
	if (conf->status == CONF_STATUS_METRICS) {
		status_format_metrics(s, &b);
		return answer_buf(ex, SLICE("text/plain; version=0.0.4; charset=utf-8"),
				  &b);
	}
	status_format_page(s, clock_unix(), &b);
	/* Stricter than that of a site, whose own would take the style away. */
	ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CONTENT_SECURITY_POLICY);
	(void)exchange_add_field(ex, HTTP_FIELD_CONTENT_SECURITY_POLICY,
				 SLICE("default-src 'none'; style-src 'unsafe-inline'; "
				       "base-uri 'none'; form-action 'none'"));
	return answer_buf(ex, SLICE("text/html; charset=utf-8"), &b);
}

const struct handler_ops status_handler = {
	.action = CONF_ACTION_STATUS,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD),
	.create = status_create,
	.open = status_open,
};
