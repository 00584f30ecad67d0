/* SPDX-License-Identifier: BSD-2-Clause
 *
 * buf: growable byte buffer with a sticky failure, and the escapes for the three
 * languages we write: HTML, log lines, JSON.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

void
buf_init(struct buf *b)
{
	*b = (struct buf){ 0 };
}

void
buf_fini(struct buf *b)
{
	free(b->ptr);
	buf_init(b);
}

int
buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap != 0 ? b->cap : 256;
	char *p;

	if (b->failed)
		return -ENOMEM;
	if (more <= b->cap - b->len)
		return 0;
	while (cap - b->len < more) {
		if (cap > SIZE_MAX / 2) {
			b->failed = true;
			return -ENOMEM;
		}
		cap *= 2;
	}
	p = realloc(b->ptr, cap);
	if (p == NULL) {
		b->failed = true;
		return -ENOMEM;
	}
	b->ptr = p;
	b->cap = cap;
	return 0;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (len == 0 || buf_reserve(b, len) < 0)
		return;
	memcpy(b->ptr + b->len, data, len);
	b->len += len;
}

void
buf_add_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.ptr, s.len);
}

void
buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || buf_reserve(b, (size_t)n + 1) < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

static uint32_t
code_point(const unsigned char *p, size_t n)
{
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* What stands in HTML for the `n` bytes of a character, 0 when it is none; NULL: itself. */
static const char *
html_reference(const unsigned char *p, size_t n)
{
	uint32_t c = n != 0 ? code_point(p, n) : 0;

	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069))
			return "&#xfffd;";
		return NULL;
	}
}

void
buf_add_html(struct buf *b, struct slice s)
{
	while (s.len > 0) {
		size_t n = utf8_len(s);
		const char *reference = html_reference((const unsigned char *)s.ptr, n);

		if (reference != NULL)
			buf_add_str(b, reference);
		else
			buf_add(b, s.ptr, n);
		s = slice_from(s, n != 0 ? n : 1);
	}
}

void
buf_add_number(struct buf *b, uint64_t n)
{
	char digits[20];

	buf_add(b, digits, number_format(n, digits));
}

void
buf_add_size(struct buf *b, uint64_t size)
{
	static const char units[] = "kMGTPE";
	uint64_t tenth = 100, tenths;
	size_t i = 0;

	if (size < 1000) {
		buf_add_number(b, size);
		buf_add_str(b, "&nbsp;B");
		return;
	}
	/* Rounded without overflow: 999950 bytes are 1.0 MB. */
	tenths = size / tenth + (size % tenth >= tenth / 2);
	while (tenths >= 10000) {
		tenth *= 1000;
		tenths = size / tenth + (size % tenth >= tenth / 2);
		i++;
	}
	buf_add_number(b, tenths / 10);
	buf_add_char(b, '.');
	buf_add_char(b, (char)('0' + tenths % 10));
	buf_add_str(b, "&nbsp;");
	buf_add_char(b, units[i]);
	buf_add_char(b, 'B');
}

void
buf_add_escaped(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			buf_printf(b, "\\x%02x", c);
		else
			buf_add_char(b, (char)c);
	}
}

void
buf_add_json(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len;) {
		const unsigned char *p = (const unsigned char *)s.ptr + i;
		size_t n = utf8_len(slice_from(s, i));
		uint32_t c = n != 0 ? code_point(p, n) : p[0];

		if (c >= 0x10000)
			buf_printf(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
				   0xdc00 + (c & 0x3ff));
		else if (c < 0x20 || c > 0x7e)
			buf_printf(b, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", (char)c);
		else
			buf_add_char(b, (char)c);
		i += n != 0 ? n : 1;
	}
}
