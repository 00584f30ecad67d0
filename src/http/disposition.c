/* SPDX-License-Identifier: BSD-2-Clause
 *
 * disposition: a file name in two spellings, neither of which can end the field or the quotes.
 */
#include "http/disposition.h"

#include <stdbool.h>

#include "base/utf8.h"
#include "http/chars.h"

/* As it is within quotes. '%' is left out: some clients would decode it. */
static bool
is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%';
}

/* attr-char of RFC 8187 section 3.2.1. */
static bool
is_attr_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

static size_t
add(char *out, struct slice s)
{
	memcpy(out, s.ptr, s.len);
	return s.len;
}

static size_t
add_plain(char *out, struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		out[i] = is_plain(name.ptr[i]) ? name.ptr[i] : '_';
	return name.len;
}

static size_t
add_encoded(char *out, struct slice name)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (is_attr_char((char)c)) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return n;
}

struct slice
disposition_attachment(struct arena *a, struct slice name)
{
	char *out = arena_alloc(a, 64 + 4 * name.len);
	bool plain = true;
	size_t n;

	if (out == NULL)
		return slice_make(NULL, 0);
	n = add(out, SLICE("attachment"));
	if (name.len == 0)
		return slice_make(out, n);
	for (size_t i = 0; i < name.len; i++)
		plain = plain && is_plain(name.ptr[i]);
	n += add(out + n, SLICE("; filename=\""));
	n += add_plain(out + n, name);
	n += add(out + n, SLICE("\""));
	if (!plain && utf8_is_valid(name)) {
		n += add(out + n, SLICE("; filename*=UTF-8''"));
		n += add_encoded(out + n, name);
	}
	return slice_make(out, n);
}
