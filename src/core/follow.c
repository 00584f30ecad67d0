/* SPDX-License-Identifier: BSD-2-Clause
 *
 * follow: one request, matched and filled in as the exchange and the redirect handler do, and
 * its Location taken as a browser takes it.
 */
#include "core/follow.h"

#include "base/number.h"
#include "core/exchange.h"
#include "http/uri.h"

#define HTTP_PORT 80

struct authority {
	struct slice host;
	uint16_t port;
};

/* --- which server is that? --- */

static struct slice
literal_of(const struct conf_listen *l, struct arena *a)
{
	const char *text =
		l->family == CONF_INET6 ? arena_printf(a, "[%s]", l->host) : l->host;

	return slice_from_str(text);
}

/* Sure only if whoever asks for that host comes to this address: by a name of the server, the
 * host that was asked for until now, or the address itself. */
static bool
is_ours(const struct site_address *address, struct slice name,
	const struct follow_place *at, struct slice host, struct arena *a)
{
	return slice_eq(host, at->host) || name.len != 0 ||
	       slice_eq(host, literal_of(address->listen, a));
}

/* NULL: it is another site's, or several addresses with that port do not agree. */
static const struct vhost *
find_server(const struct site *site, const struct follow_place *at,
	    const struct authority *to, struct arena *a)
{
	const struct vhost *found = NULL;

	for (size_t i = 0; i < site->address_count; i++) {
		const struct site_address *address = &site->addresses[i];
		struct slice name;
		const struct vhost *v = site_find_vhost(site, address, to->host, &name);

		if (address->listen->family == CONF_UNIX ||
		    address->listen->port != to->port)
			continue;
		if (!is_ours(address, name, at, to->host, a) ||
		    (found != NULL && found != v))
			return NULL;
		found = v;
	}
	return found;
}

static bool
split_authority(struct slice s, struct arena *a, struct authority *out)
{
	size_t bracket = s.len != 0 && s.ptr[0] == '[' ? slice_find(s, ']') : 0;
	struct slice rest = slice_from(s, bracket);
	struct slice port = slice_from(rest, slice_find(rest, ':') + 1);
	char *host = arena_alloc(a, s.len + 1);
	uint64_t number = HTTP_PORT;

	if (host == NULL || (port.len != 0 && number_dec(port, UINT16_MAX, &number) < 0))
		return false;
	out->host = slice_make(host, uri_host_normalise(s, host));
	out->port = (uint16_t)number;
	return true;
}

/* --- where does it lead? --- */

static size_t
path_end(struct slice s)
{
	size_t n = slice_find(s, '?');
	size_t fragment = slice_find(s, '#');

	return fragment < n ? fragment : n;
}

/* The path of the target, as the server will see it. */
static enum follow_kind
enter(struct follow_step *s, struct slice path, struct arena *a)
{
	char *out;

	path.len = path_end(path);
	if (path.len == 0)
		path = SLICE("/");
	out = arena_alloc(a, path.len + 1);
	if (out == NULL || uri_path_canonical(path, out, &s->next.path.len) != 0)
		return FOLLOW_FAILED;
	s->next.path.ptr = out;
	return FOLLOW_HERE;
}

static enum follow_kind
resolve(const struct site *site, const struct follow_place *at, struct follow_step *s,
	struct arena *a)
{
	struct slice rest = slice_from(s->target, sizeof("http://") - 1);
	struct slice name = rest;
	struct authority to;

	s->next = *at;
	if (slice_starts_with(s->target, SLICE("/")))
		return enter(s, s->target, a);
	/* There is no TLS here, so "https://" is always somebody else. */
	if (!slice_starts_with(s->target, SLICE("http://")))
		return FOLLOW_AWAY;
	name.len = path_end(name);
	name.len = slice_find(name, '/');
	if (!split_authority(name, a, &to))
		return FOLLOW_FAILED;
	s->next.vhost = find_server(site, at, &to, a);
	s->next.host = to.host;
	return s->next.vhost != NULL ? enter(s, slice_from(rest, name.len), a)
				     : FOLLOW_AWAY;
}

static enum follow_kind
follow_slash(const struct follow_place *at, struct follow_step *s, struct arena *a)
{
	char *out = arena_alloc(a, 3 * at->path.len + 1);
	size_t len;

	if (out == NULL)
		return FOLLOW_FAILED;
	len = uri_path_encode(at->path, out);
	out[len++] = '/';
	s->target = slice_make(out, len);
	s->plain = true;
	return FOLLOW_HERE;
}

static enum follow_kind
follow_route(const struct follow_place *at, const struct route_match *m,
	     struct follow_step *s, struct arena *a)
{
	const struct handler *h = m->route->by_method[HTTP_GET];
	const struct conf_redirect *conf = &m->route->conf->redirect;
	struct template_values v = {
		.star = m->rest,
		.host = at->host,
		.path = at->path,
		.groups = m->groups,
		.group_count = m->group_count,
	};

	if (h == NULL || h->ops->action != CONF_ACTION_REDIRECT)
		return FOLLOW_ANSWER;
	if (template_expand(&conf->target, &v, a, &s->target) != 0)
		return FOLLOW_FAILED;
	s->plain = conf->keep_query && path_end(s->target) == s->target.len;
	return FOLLOW_HERE;
}

struct follow_step
follow(const struct site *site, const struct follow_place *at, struct arena *a)
{
	struct route_match m = router_match(&at->vhost->router, at->path);
	struct follow_step s = { .row = m.row, .route = m.route };

	switch (m.kind) {
	case ROUTE_NONE:
		s.kind = FOLLOW_NOTHING;
		break;
	case ROUTE_FAILED:
		s.kind = FOLLOW_FAILED;
		break;
	case ROUTE_ADD_SLASH:
		s.kind = follow_slash(at, &s, a);
		break;
	case ROUTE_FOUND:
		s.kind = follow_route(at, &m, &s, a);
		break;
	case ROUTE_ROW:
		s.kind = FOLLOW_HERE;
		s.target = m.to;
		s.plain = path_end(s.target) == s.target.len;
		break;
	}
	if (s.kind == FOLLOW_HERE)
		s.kind = resolve(site, at, &s, a);
	return s;
}

/* --- a host to begin with --- */

static struct slice
some_host(const struct vhost *v, struct arena *a)
{
	const struct conf_strings *names = &v->conf->names;
	const struct conf_listen *l = &v->conf->listens[0];

	for (size_t i = 0; i < names->count; i++) {
		if (names->items[i][0] != '*')
			return slice_from_str(names->items[i]);
	}
	if (names->count != 0)
		return slice_from_str(arena_printf(a, "any%s", names->items[0] + 1));
	return l->family == CONF_UNIX ? SLICE("localhost") : literal_of(l, a);
}

struct slice
follow_host(const struct site *site, const struct vhost *v, struct arena *a)
{
	const struct site_address *address;
	struct slice host, name;

	if (v->conf->listen_count == 0)
		return slice_make(NULL, 0);
	host = some_host(v, a);
	/* On its first address, which is where we begin. */
	address = site_find_address(site, &v->conf->listens[0]);
	return address != NULL && site_find_vhost(site, address, host, &name) == v
		       ? host
		       : slice_make(NULL, 0);
}
