/* SPDX-License-Identifier: BSD-2-Clause
 *
 * number: digits to numbers and back, with every overflow checked.
 */
#include "base/number.h"

#include <errno.h>

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static int
parse(struct slice s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	int rc = s.len == 0 ? -EINVAL : 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned d = (unsigned)digit_value(s.ptr[i]);

		if (d >= base)
			return -EINVAL;
		if (rc == 0 && (d > max || v > (max - d) / base))
			rc = -ERANGE; /* go on: a later non-digit makes it EINVAL */
		v = v * base + d;
	}
	if (rc == 0)
		*out = v;
	return rc;
}

int
number_dec(struct slice s, uint64_t max, uint64_t *out)
{
	return parse(s, 10, max, out);
}

int
number_hex(struct slice s, uint64_t max, uint64_t *out)
{
	return parse(s, 16, max, out);
}

size_t
number_format(uint64_t v, char out[20])
{
	char tmp[20];
	size_t n = 0;

	do {
		tmp[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	for (size_t i = 0; i < n; i++)
		out[i] = tmp[n - 1 - i];
	return n;
}
