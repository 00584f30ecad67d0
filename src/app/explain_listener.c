/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain_listener: which of the listening addresses a client of the URL reaches. The kernel
 * decides that while serving: the very address before the wildcard of its family.
 */
#include <arpa/inet.h>
#include <string.h>

#include "app/explain_parts.h"

enum fit { FIT_NONE, FIT_ANY_PORT, FIT_PORT, FIT_ADDRESS };

struct address {
	int family; /* AF_UNSPEC: a name, which may be anybody's */
	unsigned char bytes[16];
};

static struct address
read_address(struct slice host)
{
	struct address a = { .family = AF_UNSPEC };
	char text[INET6_ADDRSTRLEN + 1];
	bool bracketed = host.len > 2 && host.ptr[0] == '[';

	if (bracketed)
		host = slice_make(host.ptr + 1, host.len - 2);
	if (host.len >= sizeof(text))
		return a;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (inet_pton(bracketed ? AF_INET6 : AF_INET, text, a.bytes) == 1)
		a.family = bracketed ? AF_INET6 : AF_INET;
	return a;
}

static enum fit
fits(const struct conf_listen *l, const struct explain_url *url)
{
	static const unsigned char any[16];
	struct address asked = read_address(url->host);
	struct address own = { .family = l->family == CONF_INET6 ? AF_INET6 : AF_INET };
	bool is_any, is_same;

	if (l->family == CONF_UNIX || (l->port != 0 && l->port != url->port) ||
	    inet_pton(own.family, l->host, own.bytes) != 1)
		return FIT_NONE;
	is_any = memcmp(own.bytes, any, sizeof(any)) == 0;
	is_same = asked.family == own.family &&
		  memcmp(asked.bytes, own.bytes, sizeof(own.bytes)) == 0;
	if (!is_same && asked.family != AF_UNSPEC &&
	    !(is_any && asked.family == own.family))
		return FIT_NONE;
	if (l->port == 0)
		return FIT_ANY_PORT;
	return is_same ? FIT_ADDRESS : FIT_PORT;
}

static bool
is_named(const struct conf_listen *l, const char *name)
{
	const char *unix_path = name + sizeof("unix:") - 1;

	return strcmp(l->text, name) == 0 ||
	       (l->family == CONF_UNIX &&
		slice_starts_with(slice_from_str(name), SLICE("unix:")) &&
		strcmp(l->host, unix_path) == 0);
}

static void
note_all(struct explain *x)
{
	for (size_t i = 0; i < x->site->address_count; i++)
		trace_note(&x->trace, TRACE_LISTENER, "there is %s",
			   x->site->addresses[i].listen->text);
}

static void
find_named(struct explain *x, const char *name)
{
	for (size_t i = 0; i < x->site->address_count && x->address == NULL; i++) {
		if (is_named(x->site->addresses[i].listen, name))
			x->address = &x->site->addresses[i];
	}
	if (x->address != NULL)
		return;
	trace_note(&x->trace, TRACE_LISTENER, "no \"listen\" is %s", name);
	note_all(x);
}

static void
find_by_url(struct explain *x)
{
	enum fit best = FIT_NONE;

	for (size_t i = 0; i < x->site->address_count; i++) {
		enum fit f = fits(x->site->addresses[i].listen, &x->url);

		if (f <= best)
			continue;
		best = f;
		x->address = &x->site->addresses[i];
	}
	for (size_t i = 0; x->address != NULL && i < x->site->address_count; i++) {
		const struct site_address *a = &x->site->addresses[i];

		if (a != x->address && fits(a->listen, &x->url) == best)
			trace_note(&x->trace, TRACE_LISTENER,
				   "%s fits as well; -l chooses another one",
				   a->listen->text);
	}
	if (x->address == NULL) {
		trace_note(&x->trace, TRACE_LISTENER,
			   "nothing listens on port %u of %.*s", x->url.port,
			   SLICE_ARG(x->url.host));
		note_all(x);
	} else if (best == FIT_ANY_PORT) {
		trace_note(&x->trace, TRACE_LISTENER,
			   "the kernel chooses the port of %s: it may be this one",
			   x->address->listen->text);
	}
}

void
explain_find_listener(struct explain *x)
{
	if (x->request->listen != NULL)
		find_named(x, x->request->listen);
	else if (x->url.authority.ptr != NULL)
		find_by_url(x);
	else
		x->address = &x->site->addresses[0];
}

struct slice
explain_own_host(const struct conf_listen *l, struct arena *a)
{
	bool is_any = strcmp(l->host, "0.0.0.0") == 0 || strcmp(l->host, "::") == 0;
	const char *host = is_any ? "localhost" : l->host;

	if (l->family == CONF_UNIX)
		return SLICE("localhost");
	if (l->family == CONF_INET6 && !is_any)
		host = arena_printf(a, "[%s]", l->host);
	if (host != NULL && l->port != 0)
		host = arena_printf(a, "%s:%u", host, l->port);
	return slice_from_str(host);
}
