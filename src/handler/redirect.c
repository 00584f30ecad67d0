/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redirect: the request's path goes in, a Location comes out. What '*' matched is encoded
 * again before it stands in a URL, so no byte of it can end the field or change the host.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/exchange.h"
#include "handler/handlers.h"
#include "http/uri.h"

struct redirect {
	const struct conf_redirect *conf;
	struct slice before,
		after; /* of '*' in "to"; all in `before` when there is none */
	bool has_star;
	bool in_query; /* the star stands behind a '?' */
};

static int
redirect_create(const struct handler_env *env, const struct conf_route *route,
		void **state, struct buf *errors)
{
	struct redirect *r = calloc(1, sizeof(*r));
	struct slice to = slice_from_str(route->redirect.to);
	size_t star = slice_find(to, '*');

	(void)env;
	if (r == NULL) {
		buf_add_str(errors, "out of memory\n");
		return -1;
	}
	r->conf = &route->redirect;
	r->has_star = star < to.len;
	r->before = slice_make(to.ptr, star);
	r->in_query = slice_find(r->before, '?') < r->before.len;
	r->after = slice_from(to, star + 1);
	*state = r;
	return 0;
}

static int
redirect_open(struct exchange *ex)
{
	const struct redirect *r = ex->handler->state;
	size_t max = r->before.len + 3 * ex->rest.len + r->after.len;
	char *to = arena_alloc(&ex->arena, max + 1);
	size_t len = r->before.len;

	if (to == NULL)
		return 503;
	memcpy(to, r->before.ptr, len);
	if (r->has_star) {
		len += r->in_query ? uri_query_value_encode(ex->rest, to + len)
				   : uri_path_encode(ex->rest, to + len);
		memcpy(to + len, r->after.ptr, r->after.len);
		len += r->after.len;
	}
	return exchange_redirect(ex, r->conf->status, slice_make(to, len),
				 r->conf->keep_query);
}

const struct handler_ops redirect_handler = {
	.action = CONF_ACTION_REDIRECT,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) | HTTP_BIT(HTTP_POST) |
		   HTTP_BIT(HTTP_PUT) | HTTP_BIT(HTTP_DELETE) | HTTP_BIT(HTTP_PATCH),
	.create = redirect_create,
	.destroy = free,
	.open = redirect_open,
};
