/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_origin: an origin of "cors" is compared byte by byte with what browsers send, so
 * whatever they would spell otherwise could never match, and is refused.
 */
#include <string.h>

#include "conf/check.h"
#include "http/chars.h"
#include "http/uri.h"

/* RFC 3986 section 3.1, in lower case; s.len when there is no "://" behind it. */
static size_t
scheme_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && (char_is_digit(s.ptr[n]) || strchr("+-.", s.ptr[n]) != NULL ||
			     (s.ptr[n] >= 'a' && s.ptr[n] <= 'z')))
		n++;
	if (n == 0 || char_is_digit(s.ptr[0]) ||
	    !slice_starts_with(slice_from(s, n), SLICE("://")))
		return s.len;
	return n;
}

static const char *
check_origin_bytes(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= 'A' && c <= 'Z')
			return "has upper-case letters; browsers send lower case, write "
			       "that";
		if (c == '*')
			return "has a \"*\" in it, but origins are compared as a whole; "
			       "name each one, or write \"*\" alone for all";
		if (c > 0x7f)
			return "is not ASCII; write its punycode form (\"xn--...\")";
	}
	return NULL;
}

/* Browsers leave the port of the scheme out, and write others without zeros before them. */
static const char *
check_origin_port(struct slice scheme, struct slice host)
{
	size_t colon = host.len;
	struct slice port;

	while (colon != 0 && char_is_digit(host.ptr[colon - 1]))
		colon--;
	if (colon == 0 || host.ptr[colon - 1] != ':')
		return NULL;
	port = slice_from(host, colon);
	if (port.len == 0 || port.ptr[0] == '0')
		return "has a port that browsers write otherwise; write \":8080\", or no "
		       "\":\"";
	if ((slice_eq(scheme, SLICE("https")) && slice_eq(port, SLICE("443"))) ||
	    (slice_eq(scheme, SLICE("http")) && slice_eq(port, SLICE("80"))))
		return "has the port of its scheme, which browsers leave out; remove it";
	return NULL;
}

const char *
check_origin(struct slice s)
{
	static const char bad_host[] =
		"has no valid host; write an origin such as \"https://example.org\"";
	const char *wrong = check_origin_bytes(s);
	size_t n = scheme_len(s);
	struct slice host = slice_from(s, n + 3);

	if (slice_eq(s, SLICE("*")))
		return NULL;
	if (slice_eq(s, SLICE("null")))
		return "is the origin of every sandboxed page and local file, so it "
		       "would "
		       "let anyone in; name origins, or write \"*\"";
	if (wrong != NULL)
		return wrong;
	if (n == s.len)
		return "has no scheme; write \"https://\" or \"http://\" before the host";
	if (host.len != 0 && slice_find(host, '/') == host.len - 1)
		return "ends in \"/\", which is no part of an origin; remove it";
	if (slice_find(host, '/') != host.len)
		return "has a path, which is no part of an origin; remove it";
	if (slice_find(host, '@') != host.len)
		return "has a user, who is no part of an origin; remove it";
	wrong = check_origin_port(slice_make(s.ptr, n), host);
	if (wrong != NULL)
		return wrong;
	return uri_is_authority(host) ? NULL : bad_host;
}
