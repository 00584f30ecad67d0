/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redirect: the request's path goes in, a Location comes out. What the template of the
 * target takes from the request is encoded there, so none of it can end the field.
 */
#include <stdint.h>

#include "core/exchange.h"
#include "handler/handlers.h"

static int
redirect_create(const struct handler_env *env, const struct conf_route *route,
		void **state, struct buf *errors)
{
	const struct conf_redirect *conf = &route->redirect;

	(void)env;
	(void)errors;
	/* The configuration's own, which nobody changes. */
	*state = (void *)(uintptr_t)conf;
	return 0;
}

static int
redirect_open(struct exchange *ex)
{
	const struct conf_redirect *conf = ex->handler->state;
	struct template_values v = {
		.star = ex->rest,
		.host = ex->host,
		.path = ex->path,
		.query = ex->head.query,
		.groups = ex->groups,
		.group_count = ex->group_count,
	};
	struct slice to;
	int status = template_expand(&conf->target, &v, &ex->arena, &to);

	if (status != 0) {
		exchange_note(ex, TRACE_REDIRECT, "%s cannot be filled in: %s", conf->to,
			      http_status_reason(status));
		return status;
	}
	exchange_note(ex, TRACE_REDIRECT, "%s becomes %.*s", conf->to, SLICE_ARG(to));
	return exchange_redirect(ex, conf->status, to,
				 conf->keep_query && !conf->target.has_query);
}

const struct handler_ops redirect_handler = {
	.action = CONF_ACTION_REDIRECT,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) | HTTP_BIT(HTTP_POST) |
		   HTTP_BIT(HTTP_PUT) | HTTP_BIT(HTTP_DELETE) | HTTP_BIT(HTTP_PATCH),
	.create = redirect_create,
	.open = redirect_open,
};
