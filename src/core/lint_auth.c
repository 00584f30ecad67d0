/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint_auth: secrets that others may read: files of users and tokens that are open to all,
 * routes that ask for passwords where everybody on the way can hear them.
 */
#include <string.h>

#include "core/auth_file.h"
#include "core/lint.h"
#include "core/site.h"

static void
check_file(struct lint *l, const struct auth_files *all, enum auth_file_kind kind,
	   const char *path, const struct conf_place *place)
{
	const struct auth_file *f = auth_files_find(all, kind, path);

	if (f == NULL)
		return;
	if (f->is_exposed)
		lint_warning(l, place,
			     "%s is open to every local user, who may guess what is "
			     "hashed there, or add to it; chmod o-rw closes it",
			     path);
	if (f->count == 0)
		lint_warning(l, place, "%s has no %s, so it lets nobody in; %s adds one",
			     path, kind == AUTH_USERS ? "users" : "tokens",
			     kind == AUTH_USERS ? "websrvctl passwd FILE USER"
						: "websrvctl token FILE NAME");
}

static bool
is_on_network(const struct conf_listen *l)
{
	if (l->family == CONF_UNIX)
		return false;
	return strncmp(l->host, "127.", 4) != 0 && strcmp(l->host, "::1") != 0;
}

/* Once for a server: its first such route, and its first such address. */
static void
check_plain(struct lint *l, const struct conf_server *s, const struct conf_route *r)
{
	for (size_t i = 0; i < s->listen_count; i++) {
		if (!is_on_network(&s->listens[i]))
			continue;
		lint_warning(
			l, &r->place,
			"\"auth\" is reachable on %s, and there is no TLS: whoever is "
			"on the way reads passwords and tokens; listen on the "
			"loopback or a unix socket, behind a proxy with TLS",
			s->listens[i].text);
		return;
	}
}

/* Who thinks of PUT alone leaves a door open beside it. */
static void
check_methods(struct lint *l, const struct route *r)
{
	static const enum http_method writing[] = { HTTP_PUT, HTTP_POST, HTTP_PATCH,
						    HTTP_DELETE };
	unsigned asked = r->conf->auth.methods, open = 0;

	for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++) {
		if (r->by_method[writing[i]] != NULL)
			open |= HTTP_BIT(writing[i]);
	}
	if (!r->conf->auth.enabled || (r->conf->actions & CONF_ACTION_UPLOAD) == 0 ||
	    (open & asked) == 0 || (open & ~asked) == 0)
		return;
	for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++) {
		if ((open & ~asked & HTTP_BIT(writing[i])) != 0)
			lint_warning(
				l, &r->conf->place,
				"\"for\" of \"auth\" leaves out %.*s, so anybody may "
				"upload by it; add it there, or leave \"for\" out",
				SLICE_ARG(http_method_name(writing[i])));
	}
}

static void
check_server(struct lint *l, const struct auth_files *files, const struct conf_server *s)
{
	bool told = false;

	for (size_t i = 0; i < s->route_count; i++) {
		const struct conf_auth *a = &s->routes[i].auth;

		if (!a->enabled)
			continue;
		if (a->basic.enabled)
			check_file(l, files, AUTH_USERS, a->basic.users,
				   &a->basic.users_place);
		if (a->bearer.enabled)
			check_file(l, files, AUTH_TOKENS, a->bearer.tokens,
				   &a->bearer.tokens_place);
		if (!told)
			check_plain(l, s, &s->routes[i]);
		told = true;
	}
}

void
lint_auth(struct lint *l, const struct site *site)
{
	for (size_t i = 0; i < site->conf->server_count; i++)
		check_server(l, &site->auth_files, &site->conf->servers[i]);
	for (size_t i = 0; i < site->vhost_count; i++) {
		const struct vhost *v = &site->vhosts[i];

		for (size_t k = 0; k < v->conf->route_count; k++)
			check_methods(l, &v->routes[k]);
	}
}
