/* SPDX-License-Identifier: BSD-2-Clause
 *
 * respond: a fixed answer from the configuration.
 */
#include "core/exchange.h"
#include "handler/handlers.h"

static int
respond_create(const struct handler_env *env, const struct conf_route *route,
	       void **state, struct buf *errors)
{
	(void)env;
	(void)errors;
	*state = (void *)(uintptr_t)&route->respond;
	return 0;
}

static int
respond_open(struct exchange *ex)
{
	/* Not by way of ex->route: as an error page we answer for another one. */
	const struct conf_respond *conf = ex->handler->state;
	struct slice body = slice_from_str(conf->body);

	exchange_note(ex, TRACE_ANSWER, "\"respond\" says %d", conf->status);
	if (body.len > 0 && exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE,
					       slice_from_str(conf->content_type)) < 0)
		return 500;
	ex->body = body_memory(body);
	exchange_respond(ex, conf->status);
	return 0;
}

const struct handler_ops respond_handler = {
	.action = CONF_ACTION_RESPOND,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) | HTTP_BIT(HTTP_POST) |
		   HTTP_BIT(HTTP_PUT) | HTTP_BIT(HTTP_DELETE) | HTTP_BIT(HTTP_PATCH),
	.create = respond_create,
	.open = respond_open,
};
