/* SPDX-License-Identifier: BSD-2-Clause
 *
 * value: one reader for "digits and a unit", one table of units for each of the two
 * kinds. Units are ordered from the greatest to the least.
 */
#include "conf/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/number.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "T", (uint64_t)1 << 40 }, { "G", 1 << 30 }, { "M", 1 << 20 },
	{ "K", 1 << 10 },           { "", 1 },
};

static const struct unit duration_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 },     { "ms", 1 },      { "", 1000 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
read_number(struct slice s, const struct unit *units, size_t count, uint64_t *out)
{
	size_t digits = 0;
	uint64_t n;
	int rc;

	while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
		digits++;
	for (size_t i = 0; i < count; i++) {
		if (!slice_eq(slice_from(s, digits), slice_from_str(units[i].name)))
			continue;
		rc = number_dec(slice_make(s.ptr, digits), UINT64_MAX, &n);
		if (rc < 0)
			return rc;
		if (__builtin_mul_overflow(n, units[i].factor, &n))
			return -ERANGE;
		*out = n;
		return 0;
	}
	return -EINVAL;
}

int
value_size(struct slice s, uint64_t *out)
{
	return read_number(s, size_units, COUNT(size_units), out);
}

int
value_duration(struct slice s, uint64_t *out)
{
	return read_number(s, duration_units, COUNT(duration_units), out);
}

int
value_duration_seconds(double seconds, uint64_t *out)
{
	double ms = seconds * 1000;

	if (!(ms >= 0) || ms > 9007199254740992.0)
		return -ERANGE;
	*out = (uint64_t)(ms + 0.5);
	return 0;
}

static const char *
format(uint64_t v, const struct unit *units, const char *zero, char out[VALUE_TEXT])
{
	if (v == 0)
		return zero;
	while (v % units->factor != 0)
		units++;
	snprintf(out, VALUE_TEXT, "%" PRIu64 "%s", v / units->factor, units->name);
	return out;
}

const char *
value_format_size(uint64_t size, char out[VALUE_TEXT])
{
	return format(size, size_units, "0", out);
}

const char *
value_format_duration(uint64_t ms, char out[VALUE_TEXT])
{
	return format(ms, duration_units, "0", out);
}
