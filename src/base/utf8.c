/* SPDX-License-Identifier: BSD-2-Clause
 *
 * utf8: the well-formed byte sequences of RFC 3629 section 4, row by row.
 */
#include "base/utf8.h"

static bool
in_range(unsigned char c, unsigned char low, unsigned char high)
{
	return c >= low && c <= high;
}

size_t
utf8_len(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (in_range(p[0], 0xc2, 0xdf))
		n = 2;
	else if (in_range(p[0], 0xe0, 0xef))
		n = 3;
	else if (in_range(p[0], 0xf0, 0xf4))
		n = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (s.len < n || !in_range(p[1], low, high))
		return 0;
	for (size_t i = 2; i < n; i++) {
		if (!in_range(p[i], 0x80, 0xbf))
			return 0;
	}
	return n;
}

bool
utf8_is_valid(struct slice s)
{
	while (s.len > 0) {
		size_t n = utf8_len(s);

		if (n == 0)
			return false;
		s = slice_from(s, n);
	}
	return true;
}
