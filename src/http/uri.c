/* SPDX-License-Identifier: BSD-2-Clause
 *
 * uri: encoded text in, canonical bytes out, and back. The path is decoded in one pass
 * over its segments and never looked at again in its encoded form, so no later layer
 * can find another meaning in it.
 */
#include "http/uri.h"

#include <string.h>

#include <arpa/inet.h>

#include "http/chars.h"

#define PORT_MAX 65535

/* Unreserved, '/' and !$&'()*+,;=:@ : RFC 3986 section 3.3. */
static const bool
	path_raw[256] = {
		['!'] = true,         ['$'] = true,
		['&' ... '9'] = true, /* &'()*+,-./ and digits */
		[':'] = true,         [';'] = true,
		['='] = true,         ['@' ... 'Z'] = true,
		['_'] = true,         ['a' ... 'z'] = true,
		['~'] = true,
	};

/* Unreserved and sub-delims: section 3.2.2. */
static const bool host_raw[256] = {
	['!'] = true,         ['$'] = true, ['&' ... '.'] = true, /* &'()*+,-. */
	['0' ... '9'] = true, [';'] = true, ['='] = true,
	['A' ... 'Z'] = true, ['_'] = true, ['a' ... 'z'] = true,
	['~'] = true,
};

bool
uri_is_target_byte(unsigned char c)
{
	return (http_chars[c] & CHAR_TARGET) != 0;
}

/* The byte that the escape at `s` stands for, or -1. */
static int
decode_escape(struct slice s)
{
	int high, low;

	if (s.len < 3)
		return -1;
	high = char_hex(s.ptr[1]);
	low = char_hex(s.ptr[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Decodes up to the next raw '/' or the end. Returns the bytes taken, -1 if malformed. */
static ptrdiff_t
decode_segment(struct slice s, char *out, size_t *len)
{
	size_t i = 0, n = 0;

	for (;;) {
		int value;

		while (i < s.len && char_is(s.ptr[i], CHAR_SEGMENT))
			out[n++] = s.ptr[i++];
		if (i == s.len || s.ptr[i] == '/')
			break;
		value = s.ptr[i] == '%' ? decode_escape(slice_from(s, i)) : -1;
		/* %2F would be a slash to the file system but not to a router that looks
		 * at segments; NUL ends a C string. */
		if (value <= 0 || value == '/')
			return -1;
		out[n++] = (char)value;
		i += 3;
	}
	*len = n;
	return (ptrdiff_t)i;
}

int
uri_path_canonical(struct slice path, char *out, size_t *len)
{
	size_t o = 1; /* out[o - 1] is the '/' that the next segment follows */

	*len = 0;
	if (path.len == 0 || path.ptr[0] != '/')
		return 400;
	out[0] = '/';
	for (size_t i = 1; i < path.len; i++) {
		struct slice segment = { out + o, 0 };
		ptrdiff_t taken =
			decode_segment(slice_from(path, i), out + o, &segment.len);

		*len = i;
		if (taken < 0)
			return 400;
		i += (size_t)taken; /* at the '/' or the end */
		if (segment.len == 0 || slice_eq(segment, SLICE(".")))
			continue;
		if (slice_eq(segment, SLICE(".."))) {
			if (o == 1)
				return 400;
			for (o--; out[o - 1] != '/'; o--)
				;
			continue;
		}
		o += segment.len;
		if (i < path.len)
			out[o++] = '/';
	}
	*len = o;
	return 0;
}

/* As a path is, but for `also`, which stay raw too, and `not`, which do not. */
static size_t
encode(struct slice s, const char *also, const char * not, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c != '\0' && strchr(not, c) == NULL &&
		    (path_raw[c] || strchr(also, c) != NULL)) {
			out[n++] = (char)c;
		} else {
			out[n++] = '%';
			out[n++] = digits[c >> 4];
			out[n++] = digits[c & 15];
		}
	}
	return n;
}

size_t
uri_path_encode(struct slice s, char *out)
{
	return encode(s, "", "", out);
}

size_t
uri_query_encode(struct slice s, char *out)
{
	return encode(s, "?%", "", out);
}

size_t
uri_query_value_encode(struct slice s, char *out)
{
	return encode(s, "", "&=+;", out);
}

/* Bytes of the host at the start of an authority, brackets included. */
static size_t
host_len(struct slice s)
{
	size_t n;

	if (s.len == 0 || s.ptr[0] != '[')
		return slice_find(s, ':');
	n = slice_find(s, ']');
	return n < s.len ? n + 1 : n;
}

size_t
uri_host_normalise(struct slice authority, char *out)
{
	size_t n = host_len(authority);

	for (size_t i = 0; i < n; i++)
		out[i] = char_lower(authority.ptr[i]);
	return n > 0 && out[n - 1] == '.' ? n - 1 : n;
}

/* RFC 3986 section 3.2.2: unreserved, pct-encoded and sub-delims. */
static bool
is_reg_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (host_raw[(unsigned char)s.ptr[i]])
			continue;
		if (s.ptr[i] != '%' || decode_escape(slice_from(s, i)) < 0)
			return false;
		i += 2;
	}
	return s.len > 1 || (s.len == 1 && s.ptr[0] != '.');
}

static bool
is_ip_literal(struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (s.len < 2 || s.len - 2 >= sizeof(text) || s.ptr[s.len - 1] != ']')
		return false;
	memcpy(text, s.ptr + 1, s.len - 2);
	text[s.len - 2] = '\0';
	return strlen(text) == s.len - 2 && inet_pton(AF_INET6, text, &addr) == 1;
}

static bool
is_port(struct slice s)
{
	unsigned port = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.ptr[i]))
			return false;
		port = port * 10 + (unsigned)(s.ptr[i] - '0');
		if (port > PORT_MAX)
			return false;
	}
	return true;
}

bool
uri_is_authority(struct slice s)
{
	size_t n = host_len(s);
	struct slice host = slice_make(s.ptr, n), port = slice_from(s, n);

	if (port.len != 0 && (port.ptr[0] != ':' || !is_port(slice_from(port, 1))))
		return false;
	return host.len != 0 && host.ptr[0] == '[' ? is_ip_literal(host)
						   : is_reg_name(host);
}
