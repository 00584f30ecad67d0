/* SPDX-License-Identifier: BSD-2-Clause
 *
 * base64: three bytes are four characters. What decodes has one spelling only: that which
 * base64_encode() writes.
 */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
base64_encode(const void *data, size_t len, char *out)
{
	const unsigned char *p = data;
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16;

		if (i + 1 < len)
			bits |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			bits |= p[i + 2];
		out[n++] = alphabet[bits >> 18];
		out[n++] = alphabet[bits >> 12 & 63];
		out[n++] = i + 1 < len ? alphabet[bits >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? alphabet[bits & 63] : '=';
	}
	return n;
}

/* Six bits, or -1. */
static int
bits_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
base64_decode(struct slice s, void *out, size_t max, size_t *len)
{
	size_t padding = slice_ends_with(s, SLICE("=="))  ? 2
			 : slice_ends_with(s, SLICE("=")) ? 1
							  : 0;
	unsigned char *p = out;
	uint32_t bits = 0;
	size_t n = 0;

	if (s.len % 4 != 0)
		return -EINVAL;
	for (size_t i = 0; i < s.len - padding; i++) {
		int six = bits_of(s.ptr[i]);

		if (six < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)six;
		if (i % 4 == 0)
			continue;
		if (n == max)
			return -ERANGE;
		p[n++] = (unsigned char)(bits >> (6 - i % 4 * 2));
	}
	/* The bits behind the last byte: they would be a second spelling of the same. */
	if ((bits & ((1u << 2 * padding) - 1)) != 0)
		return -EINVAL;
	*len = n;
	return 0;
}
