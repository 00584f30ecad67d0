/* SPDX-License-Identifier: BSD-2-Clause
 *
 * site: from a checked configuration to handlers, routers and tables of names.
 */
#include "core/site.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "config.h"
#include "core/access.h"
#include "core/auth.h"
#include "core/cors.h"
#include "core/exchange.h"

#define HOST_MAX 255 /* RFC 1035 section 2.3.4 */

struct builder {
	struct site *site;
	const struct handler_ops *const *kinds;
	struct buf *errors;
};

/* The largest body a route's handler takes. */
static uint64_t
body_max(const struct conf_route *route, const struct handler_ops *ops)
{
	return ops->action == CONF_ACTION_UPLOAD ? route->upload.max_size
						 : route->limits.body_size;
}

int
site_format_allow(struct arena *a, unsigned methods, struct slice *out)
{
	char text[128];
	size_t len = 0;

	methods |= HTTP_BIT(HTTP_OPTIONS);
	for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
		struct slice name = http_method_name((enum http_method)m);

		if ((methods & HTTP_BIT(m)) != 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s",
						len != 0 ? ", " : "", SLICE_ARG(name));
	}
	out->ptr = arena_strdup(a, slice_make(text, len));
	out->len = len;
	return out->ptr != NULL ? 0 : -1;
}

static const struct http_field *
make_fields(struct arena *a, const struct conf_pairs *pairs, const char *cache_control,
	    size_t *count)
{
	struct http_field *f = arena_alloc(a, (pairs->count + 1) * sizeof(*f));
	size_t n = 0;

	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < pairs->count; i++) {
		struct slice name = slice_from_str(pairs->items[i].name);

		/* "cache_control" is more to the point than "headers". */
		if (cache_control != NULL &&
		    http_field_from(name) == HTTP_FIELD_CACHE_CONTROL)
			continue;
		f[n++] = (struct http_field){ name, slice_from_str(pairs->items[i].value),
					      http_field_from(name), false };
	}
	if (cache_control != NULL)
		f[n++] = (struct http_field){ SLICE("Cache-Control"),
					      slice_from_str(cache_control),
					      HTTP_FIELD_CACHE_CONTROL, false };
	for (size_t i = 0; i < n; i++) {
		char *line = arena_alloc(a, http_field_line_len(&f[i]));

		if (line == NULL)
			return NULL;
		(void)http_field_join(&f[i], line);
	}
	*count = n;
	return f;
}

static int
add_handler(struct builder *b, struct route *r, const struct handler_ops *ops)
{
	unsigned methods = ops->methods;
	struct handler *h = &r->handlers[r->handler_count];

	h->ops = ops;
	h->body_max = body_max(r->conf, ops);
	if (ops->create != NULL &&
	    ops->create(&b->site->env, r->conf, &h->state, b->errors) < 0)
		return -1;
	r->handler_count++;
	if (r->conf->methods != 0)
		methods = (methods | ops->named_methods) & r->conf->methods;
	for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
		if ((methods & HTTP_BIT(m)) != 0)
			r->by_method[m] = h;
	}
	return 0;
}

static unsigned
route_methods(const struct route *r)
{
	unsigned methods = 0;

	for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++)
		methods |= r->by_method[m] != NULL ? HTTP_BIT(m) : 0;
	return methods;
}

static int
build_cors(struct builder *b, struct route *r)
{
	const struct conf_cors *conf = &r->conf->cors;
	unsigned methods = route_methods(r);

	if ((r->conf->actions & CONF_ACTION_UPLOAD) != 0 && r->conf->is_prefix &&
	    r->conf->upload.resumable) {
		conf = cors_for_uploads(conf, &b->site->arena);
		methods |= HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) |
			   HTTP_BIT(HTTP_PATCH) | HTTP_BIT(HTTP_DELETE);
	}
	r->cors = conf != NULL ? cors_new(conf, methods, &b->site->arena) : NULL;
	return r->cors != NULL ? 0 : -1;
}

static int
build_route(struct builder *b, struct route *r, const struct conf_route *conf)
{
	struct slice path = slice_from_str(conf->path);

	r->conf = conf;
	r->prefix = slice_make(path.ptr, path.len - (conf->is_prefix ? 1 : 0));
	for (size_t i = 0; b->kinds[i] != NULL; i++) {
		if ((conf->actions & b->kinds[i]->action) != 0 &&
		    add_handler(b, r, b->kinds[i]) < 0)
			return -1;
	}
	r->fields = make_fields(&b->site->arena, &conf->headers, conf->cache_control,
				&r->field_count);
	if (r->fields == NULL)
		return -1;
	if (conf->cors.enabled && build_cors(b, r) < 0)
		return -1;
	if (conf->allow.count != 0 || conf->deny.count != 0) {
		r->access = access_new(&conf->allow, &conf->deny, &b->site->arena);
		if (r->access == NULL)
			return -1;
	}
	if (conf->auth.enabled) {
		r->auth = auth_new(&conf->auth, &b->site->auth_files, &b->site->arena,
				   b->errors);
		if (r->auth == NULL)
			return -1;
	}
	return site_format_allow(&b->site->arena, route_methods(r), &r->allow);
}

static struct slice
server_line(enum conf_server_header which)
{
	switch (which) {
	case CONF_SERVER_HEADER_NAME:
		return SLICE("Server: websrv\r\n");
	case CONF_SERVER_HEADER_FULL:
		return SLICE("Server: websrv/" PACKAGE_VERSION "\r\n");
	case CONF_SERVER_HEADER_NONE:
		break;
	}
	return slice_make(NULL, 0);
}

static int
build_vhost(struct builder *b, struct vhost *v, const struct conf_server *conf)
{
	unsigned methods = 0;
	int rc = 0;

	v->conf = conf;
	v->server_line = server_line(conf->server_header);
	v->routes = arena_zalloc(&b->site->arena,
				 (conf->route_count + 1) * sizeof(*v->routes));
	v->fields = make_fields(&b->site->arena, &conf->headers, NULL, &v->field_count);
	if (v->routes == NULL || v->fields == NULL)
		return -1;
	/* Go on after a failure: every message is wanted. */
	for (size_t i = 0; i < conf->route_count; i++) {
		if (build_route(b, &v->routes[i], &conf->routes[i]) < 0)
			rc = -1;
		methods |= route_methods(&v->routes[i]);
	}
	if (rc < 0 || site_format_allow(&b->site->arena, methods, &v->allow) < 0)
		return -1;
	return router_init(&v->router, v->routes, conf->route_count, conf->redirects,
			   conf->redirect_map);
}

/* --- addresses --- */

const struct site_address *
site_find_address(const struct site *s, const struct conf_listen *l)
{
	for (size_t i = 0; i < s->address_count; i++) {
		if (conf_listen_is_same(s->addresses[i].listen, l))
			return &s->addresses[i];
	}
	return NULL;
}

static struct site_address *
intern_address(struct site *s, const struct conf_listen *l)
{
	const struct site_address *known = site_find_address(s, l);

	if (known != NULL)
		return &s->addresses[known - s->addresses];
	s->addresses[s->address_count].listen = l;
	return &s->addresses[s->address_count++];
}

static size_t
count_names(const struct site *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->vhost_count; i++)
		n += s->vhosts[i].conf->names.count;
	return n;
}

static void
raise_to(size_t *limit, uint64_t v)
{
	if (v > *limit)
		*limit = (size_t)v;
}

static int
add_server(struct site *s, struct site_address *a, uint32_t index)
{
	const struct conf_server *conf = s->vhosts[index].conf;

	if (a->fallback == NULL) {
		a->fallback = &s->vhosts[index];
		if (strmap_init(&a->names, count_names(s)) < 0)
			return -1;
	}
	raise_to(&a->uri_size, conf->limits.uri_size);
	raise_to(&a->header_size, conf->limits.header_size);
	raise_to(&a->header_count, conf->limits.header_count);
	for (size_t i = 0; i < conf->names.count; i++) {
		struct slice name = slice_from_str(conf->names.items[i]);

		if (name.ptr[0] == '*')
			name = slice_from(name, 1);
		strmap_add(&a->names, name, index);
	}
	return 0;
}

static int
build_addresses(struct site *s)
{
	size_t total = 0;

	for (size_t i = 0; i < s->vhost_count; i++)
		total += s->vhosts[i].conf->listen_count;
	s->addresses = arena_zalloc(&s->arena, (total + 1) * sizeof(*s->addresses));
	if (s->addresses == NULL)
		return -1;
	for (size_t i = 0; i < s->vhost_count; i++) {
		const struct conf_server *conf = s->vhosts[i].conf;

		for (size_t k = 0; k < conf->listen_count; k++) {
			struct site_address *a = intern_address(s, &conf->listens[k]);

			if (add_server(s, a, (uint32_t)i) < 0)
				return -1;
		}
	}
	return 0;
}

/* --- the whole --- */

static int
build(struct builder *b, const struct config *conf)
{
	struct site *s = b->site;
	int rc = 0;

	s->vhosts =
		arena_zalloc(&s->arena, (conf->server_count + 1) * sizeof(*s->vhosts));
	if (s->vhosts == NULL || upload_dirs_open(&s->uploads, conf, &s->arena) < 0)
		return -1;
	s->env.uploads = &s->uploads;
	for (size_t i = 0; i < conf->server_count; i++) {
		s->vhost_count++;
		if (build_vhost(b, &s->vhosts[i], &conf->servers[i]) < 0)
			rc = -1;
	}
	return rc == 0 ? build_addresses(s) : -1;
}

struct site *
site_new(const struct config *conf, const struct handler_env *env,
	 const struct handler_ops *const *kinds, const struct handler_ops *error_page,
	 struct buf *errors)
{
	struct site *s = calloc(1, sizeof(*s));
	struct builder b = { .site = s, .kinds = kinds, .errors = errors };

	if (s == NULL) {
		buf_add_str(errors, "out of memory\n");
		return NULL;
	}
	arena_init(&s->arena, SIZE_MAX);
	s->conf = conf;
	s->env = *env;
	s->error_page.ops = error_page;
	if (build(&b, conf) < 0) {
		if (errors->len == 0)
			buf_add_str(errors, "out of memory\n");
		site_free(s);
		return NULL;
	}
	return s;
}

static void
free_route(struct route *r)
{
	for (size_t i = 0; i < r->handler_count; i++) {
		if (r->handlers[i].ops->destroy != NULL)
			r->handlers[i].ops->destroy(r->handlers[i].state);
	}
}

void
site_free(struct site *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->vhost_count; i++) {
		struct vhost *v = &s->vhosts[i];

		for (size_t k = 0; v->routes != NULL && k < v->conf->route_count; k++)
			free_route(&v->routes[k]);
		router_fini(&v->router);
	}
	for (size_t i = 0; i < s->address_count; i++)
		strmap_fini(&s->addresses[i].names);
	auth_files_fini(&s->auth_files);
	upload_dirs_close(&s->uploads);
	arena_fini(&s->arena);
	free(s);
}

/* In how many ms the handlers of a server want another turn. */
static uint64_t
tick_vhost(const struct vhost *v)
{
	uint64_t soonest = UINT64_MAX;

	for (size_t k = 0; k < v->conf->route_count; k++) {
		const struct route *r = &v->routes[k];

		for (size_t n = 0; n < r->handler_count; n++) {
			const struct handler *h = &r->handlers[n];
			uint64_t ms = h->ops->tick != NULL ? h->ops->tick(h->state)
							   : UINT64_MAX;

			soonest = ms < soonest ? ms : soonest;
		}
	}
	return soonest;
}

uint64_t
site_tick(const struct site *s)
{
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < s->vhost_count; i++) {
		uint64_t ms = tick_vhost(&s->vhosts[i]);

		soonest = ms < soonest ? ms : soonest;
	}
	return soonest;
}

void
site_check_access(const struct site *s)
{
	for (size_t i = 0; i < s->vhost_count; i++) {
		const struct vhost *v = &s->vhosts[i];

		for (size_t k = 0; k < v->conf->route_count; k++) {
			const struct route *r = &v->routes[k];

			for (size_t n = 0; n < r->handler_count; n++) {
				if (r->handlers[n].ops->check_access != NULL)
					r->handlers[n].ops->check_access(
						r->handlers[n].state);
			}
		}
	}
}

const struct vhost *
site_find_vhost(const struct site *s, const struct site_address *a, struct slice host,
		struct slice *name)
{
	uint32_t found;

	*name = slice_make(NULL, 0);
	/* No name is that long; do not hash it label by label. */
	if (a->names.count == 0 || host.len > HOST_MAX)
		return a->fallback;
	found = strmap_find(&a->names, host);
	/* "x.y.example.org" is tried as ".y.example.org", ".example.org", ".org". */
	while (found == STRMAP_NONE && host.len > 0) {
		size_t dot = slice_find(slice_from(host, 1), '.') + 1;

		host = slice_from(host, dot);
		if (host.len > 0)
			found = strmap_find(&a->names, host);
	}
	if (found == STRMAP_NONE)
		return a->fallback;
	*name = host;
	return &s->vhosts[found];
}

struct slice
vhost_error_page(const struct vhost *v, int status)
{
	const struct conf_pairs *pages = &v->conf->error_pages;
	struct slice found = slice_make(NULL, 0);
	char exact[16], class[16];

	snprintf(exact, sizeof(exact), "%d", status);
	snprintf(class, sizeof(class), "%dxx", status / 100);
	for (size_t i = 0; i < pages->count; i++) {
		if (strcmp(pages->items[i].name, exact) == 0)
			return slice_from_str(pages->items[i].value);
		if (strcmp(pages->items[i].name, class) == 0)
			found = slice_from_str(pages->items[i].value);
	}
	return found;
}
