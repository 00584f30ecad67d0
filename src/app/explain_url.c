/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain_url: a URL as people write it, made into what a client would send.
 */
#include "app/explain_parts.h"
#include "base/idna.h"
#include "base/number.h"
#include "http/uri.h"

#define HTTP_PORT 80

static bool
has_scheme(struct slice s, struct slice scheme)
{
	return s.len >= scheme.len &&
	       slice_eq_nocase(slice_make(s.ptr, scheme.len), scheme);
}

/* The digits behind the last ':' that is not within brackets. */
static uint16_t
port_of(struct slice authority)
{
	size_t i = authority.len;
	uint64_t port;

	while (i > 0 && authority.ptr[i - 1] != ':' && authority.ptr[i - 1] != ']')
		i--;
	if (i == 0 || authority.ptr[i - 1] == ']' ||
	    number_dec(slice_from(authority, i), UINT16_MAX, &port) < 0)
		return HTTP_PORT;
	return (uint16_t)port;
}

/* A name as an address bar shows it goes out in ASCII. What is none stays, for the complaint. */
static struct slice
in_ascii(struct slice s, struct arena *a)
{
	size_t n = slice_find(s, ':');
	char name[IDNA_NAME_SIZE];
	const char *text;
	bool is_ascii = true;

	for (size_t i = 0; i < n; i++)
		is_ascii = is_ascii && (unsigned char)s.ptr[i] < 0x80;
	if (is_ascii || idna_to_ascii(slice_make(s.ptr, n), name) != NULL)
		return s;
	text = arena_printf(a, "%s%.*s", name, SLICE_ARG(slice_from(s, n)));
	return text != NULL ? slice_from_str(text) : s;
}

static const char *
read_authority(struct slice s, struct arena *a, struct explain_url *out)
{
	char *host;

	s = in_ascii(s, a);
	host = arena_alloc(a, s.len + 1);
	if (slice_find(s, '@') < s.len)
		return "has a user in it; write -H 'Authorization: ...' instead";
	if (!uri_is_authority(s))
		return "has no valid host";
	if (host == NULL)
		return "is too long";
	out->authority = s;
	out->host = slice_make(host, uri_host_normalise(s, host));
	out->port = port_of(s);
	return NULL;
}

const char *
explain_read_url(const char *text, struct arena *a, struct explain_url *out)
{
	struct slice rest = slice_from_str(text);
	const char *wrong = NULL;
	size_t n = 0;

	*out = (struct explain_url){ 0 };
	/* Clients keep the fragment to themselves. */
	rest.len = slice_find(rest, '#');
	if (has_scheme(rest, SLICE("https://")))
		return "wants TLS, which this version does not have; write http://";
	if (has_scheme(rest, SLICE("http://"))) {
		rest = slice_from(rest, sizeof("http://") - 1);
		while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
			n++;
		wrong = read_authority(slice_make(rest.ptr, n), a, out);
		rest = slice_from(rest, n);
	} else if (text[0] != '/' && !slice_eq(rest, SLICE("*"))) {
		return "is no URL; write /path or http://host/path";
	}
	out->target = rest;
	if (wrong == NULL && (rest.len == 0 || rest.ptr[0] == '?')) {
		const char *target = arena_printf(a, "/%.*s", SLICE_ARG(rest));

		if (target == NULL)
			return "is too long";
		out->target = slice_from_str(target);
	}
	return wrong;
}
