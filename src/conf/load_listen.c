/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_listen: from "127.0.0.1:8080", "[::1]:8080" or "unix:/path" to a struct
 * conf_listen. Names are never resolved: what a server listens on may not depend on who
 * answers a question on the network at boot.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/number.h"
#include "conf/loader.h"
#include "http/chars.h"

#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path))
#define HOST_MAX 64

struct parts {
	struct slice host, port;
	bool bracketed;
};

static bool
is_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.ptr[i]))
			return false;
	}
	return s.len != 0;
}

/* Splits at the last colon; NULL, or what is wrong. */
static const char *
split(struct load *l, struct slice s, struct parts *p)
{
	size_t colon = s.len;

	if (is_digits(s) && s.len <= 5)
		return load_text(l,
				 "has no address; write \"127.0.0.1:%.*s\", or "
				 "\"0.0.0.0:%.*s\" for all interfaces",
				 SLICE_ARG(s), SLICE_ARG(s));
	if (s.len != 0 && s.ptr[0] == '[') {
		size_t end = slice_find(s, ']');

		p->bracketed = true;
		p->host = slice_make(s.ptr + 1, end - 1);
		p->port = slice_from(s, end + 2);
		if (end + 2 < s.len && s.ptr[end + 1] == ':')
			return NULL;
		return "has no port; write \"[::1]:8080\"";
	}
	if (memmem(s.ptr, s.len, "//", 2) != NULL)
		return "is a URL; write an address and a port alone, such as "
		       "\"127.0.0.1:8080\"";
	while (colon > 0 && s.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return "has no port; write an address and a port, such as "
		       "\"127.0.0.1:8080\"";
	p->host = slice_make(s.ptr, colon - 1);
	p->port = slice_from(s, colon);
	if (slice_find(p->host, ':') != p->host.len)
		return "is ambiguous; write an IPv6 address in brackets: \"[::1]:8080\"";
	return NULL;
}

static bool
is_numeric(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.ptr[i]) && s.ptr[i] != '.')
			return false;
	}
	return s.len != 0;
}

/* The host is not an IPv4 address: what is it, and what is to be written instead? */
static const char *
explain_host(struct load *l, const struct parts *p)
{
	if (p->host.len == 0 || slice_eq(p->host, SLICE("*")))
		return load_text(l,
				 "has no address; write \"0.0.0.0:%.*s\" for all "
				 "interfaces, or \"127.0.0.1:%.*s\"",
				 SLICE_ARG(p->port), SLICE_ARG(p->port));
	if (is_numeric(p->host))
		return load_text(l,
				 "has no IPv4 address: that is four numbers from 0 to "
				 "255; write \"127.0.0.1:%.*s\"",
				 SLICE_ARG(p->port));
	return load_text(l,
			 "has no numeric address, and names are not resolved; write "
			 "\"127.0.0.1:%.*s\"",
			 SLICE_ARG(p->port));
}

/* A socket of IPv6 here takes no IPv4. */
static const char *
explain_mapped(struct load *l, const struct parts *p, const unsigned char *address)
{
	char four[INET_ADDRSTRLEN];

	if (inet_ntop(AF_INET, address + 12, four, sizeof(four)) == NULL)
		return "is not an address";
	return load_text(l, "is IPv4 in the form of IPv6; write \"%s:%.*s\"", four,
			 SLICE_ARG(p->port));
}

static const char *
set_inet(struct load *l, struct conf_listen *listen, const struct parts *p)
{
	char text[HOST_MAX], clean[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];
	int family = p->bracketed ? AF_INET6 : AF_INET;
	uint64_t port;

	if (number_dec(p->port, UINT16_MAX, &port) < 0)
		return "has a bad port; write a number from 0 to 65535";
	if (p->host.len >= sizeof(text))
		return explain_host(l, p);
	memcpy(text, p->host.ptr, p->host.len);
	text[p->host.len] = '\0';
	if (inet_pton(family, text, address) != 1)
		return p->bracketed ? "has no IPv6 address in its brackets; write one "
				      "such as \"[::1]:8080\""
				    : explain_host(l, p);
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((struct in6_addr *)address))
		return explain_mapped(l, p, address);
	if (inet_ntop(family, address, clean, sizeof(clean)) == NULL)
		return "is not an address";
	listen->family = p->bracketed ? CONF_INET6 : CONF_INET;
	listen->host = load_strdup(l, slice_from_str(clean));
	listen->port = (uint16_t)port;
	return NULL;
}

static const char *
set_unix(struct load *l, struct conf_listen *listen, const struct conf_at *at,
	 struct slice path)
{
	const char *full;

	if (path.len == 0)
		return "has no path; write \"unix:/path/of/socket\"";
	/* As others write names of Linux that are in no directory and have no mode. */
	if (path.ptr[0] == '@')
		return "is an abstract socket, which every local user may bind; write "
		       "the path of one, such as \"unix:/run/websrv/http.sock\"";
	full = load_path(l, at, path);
	if (full != NULL && strlen(full) >= UNIX_PATH_MAX)
		return load_text(l,
				 "has a path of %zu bytes (%s); write one of at most %zu",
				 strlen(full), full, UNIX_PATH_MAX - 1);
	listen->family = CONF_UNIX;
	listen->host = full;
	return NULL;
}

void
listen_set_address(struct load *l, const struct conf_key *key, void *target,
		   const struct conf_at *at, struct slice s)
{
	struct conf_listen *listen = target;
	struct parts parts = { .bracketed = false };
	const char *wrong;

	(void)key;
	if (slice_starts_with(s, SLICE("unix:"))) {
		wrong = set_unix(l, listen, at, slice_from(s, 5));
	} else {
		wrong = split(l, s, &parts);
		if (wrong == NULL)
			wrong = set_inet(l, listen, &parts);
	}
	listen->text = load_strdup(l, s);
	if (wrong != NULL)
		load_error(l, at, "%s %s", load_quote(l, s), wrong);
}

bool
conf_listen_is_same(const struct conf_listen *a, const struct conf_listen *b)
{
	return a->family == b->family && a->port == b->port &&
	       strcmp(a->host, b->host) == 0;
}

const char *
listen_id(struct load *l, const struct conf_listen *listen)
{
	if (listen->family == CONF_UNIX)
		return load_text(l, "unix:%s", listen->host);
	return load_text(l, listen->family == CONF_INET6 ? "[%s]:%u" : "%s:%u",
			 listen->host, listen->port);
}
