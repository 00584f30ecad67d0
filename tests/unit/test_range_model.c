/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Byte ranges against a model: all pairs of small ranges, and many sets of three and four,
 * select what a map of the bytes selects, in the order of the request.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "range_request.h"

#define SIZE_TOP 6
#define OPEN (-1)

struct spec {
	int first; /* OPEN: a suffix of `last` bytes */
	int last;  /* OPEN: to the end */
};

/* All that can be written with numbers up to `top`, also what is invalid. */
static size_t
all_specs(int top, struct spec *out)
{
	size_t n = 0;

	for (int first = OPEN; first <= top; first++) {
		for (int last = OPEN; last <= top; last++) {
			if (first != OPEN || last != OPEN)
				out[n++] = (struct spec){ first, last };
		}
	}
	return n;
}

static bool
selects(const struct spec *s, int size, int pos)
{
	if (s->first == OPEN)
		return pos >= size - s->last;
	return pos >= s->first && (s->last == OPEN || pos <= s->last);
}

static bool
is_invalid(const struct spec *s)
{
	return s->first != OPEN && s->last != OPEN && s->last < s->first;
}

static bool
is_satisfiable(const struct spec *s, int size)
{
	return s->first == OPEN ? s->last > 0 : s->first < size;
}

/* The runs of the map, each where its first byte is asked for first. */
static void
write_runs(const struct spec *specs, size_t count, int size, char *text)
{
	bool map[SIZE_TOP + 2] = { false };
	size_t n = 0;

	for (int pos = 0; pos < size; pos++) {
		for (size_t i = 0; i < count; i++)
			map[pos + 1] = map[pos + 1] || selects(&specs[i], size, pos);
	}
	for (size_t i = 0; i < count; i++) {
		for (int pos = 0; pos < size; pos++) {
			int begin = pos, end = pos;

			if (!selects(&specs[i], size, pos) || !map[pos + 1])
				continue;
			while (map[begin])
				begin--;
			while (map[end + 2])
				end++;
			for (int p = begin; p <= end; p++)
				map[p + 1] = false;
			n += (size_t)sprintf(text + n, "%s%d-%d", n != 0 ? " " : "",
					     begin, end);
		}
	}
}

static void
expect(const struct spec *specs, size_t count, int size, char *text)
{
	bool satisfiable = false;

	for (size_t i = 0; i < count; i++) {
		if (is_invalid(&specs[i])) {
			strcpy(text, "whole");
			return;
		}
		satisfiable = satisfiable || is_satisfiable(&specs[i], size);
	}
	strcpy(text, satisfiable ? "whole" : "416");
	if (satisfiable && size > 0)
		write_runs(specs, count, size, text);
}

static void
write_field(const struct spec *specs, size_t count, char *value)
{
	value += sprintf(value, "bytes=");
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			value += sprintf(value, ",");
		if (specs[i].first != OPEN)
			value += sprintf(value, "%d", specs[i].first);
		value += sprintf(value, "-");
		if (specs[i].last != OPEN)
			value += sprintf(value, "%d", specs[i].last);
	}
}

static void
check_specs(const struct spec *specs, size_t count, int size)
{
	char value[64], wanted[64], text[TEXT_MAX];
	const struct line lines[LINES_MAX] = { { RANGE, value } };
	struct request r;

	write_field(specs, count, value);
	expect(specs, count, size, wanted);
	request_init(&r, lines);
	find(&r.head, (uint64_t)size, count, text);
	if (strcmp(text, wanted) != 0)
		fail_msg("%s of %d: %s, not %s", value, size, text, wanted);
}

static void
pairs_of_ranges_select_what_a_map_of_bytes_selects(void **state)
{
	struct spec all[100];
	size_t count = all_specs(SIZE_TOP + 1, all);

	(void)state;
	assert_int_equal(count, 80);
	for (int size = 0; size <= SIZE_TOP; size++) {
		for (size_t i = 0; i < count; i++) {
			check_specs(&all[i], 1, size);
			for (size_t j = 0; j < count; j++)
				check_specs((struct spec[]){ all[i], all[j] }, 2, size);
		}
	}
}

/* With three a range can bridge two; with four there is one that it leaves alone. */
static void
sets_of_ranges_select_what_a_map_of_bytes_selects(void **state)
{
	struct spec all[100], s[4];
	size_t count = 0;

	(void)state;
	for (int first = 0; first <= SIZE_TOP; first++) {
		for (int last = first; last < SIZE_TOP; last++) {
			if (last - first != 1)
				all[count++] = (struct spec){ first, last };
		}
	}
	all[count++] = (struct spec){ OPEN, 2 };
	all[count++] = (struct spec){ SIZE_TOP, OPEN };
	for (size_t i = 0; i < count * count * count * count; i++) {
		size_t rest = i;

		for (size_t n = 0; n < 4; n++, rest /= count)
			s[n] = all[rest % count];
		check_specs(s, 4, SIZE_TOP);
		if (i < count * count * count)
			check_specs(s, 3, SIZE_TOP);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_of_ranges_select_what_a_map_of_bytes_selects),
		cmocka_unit_test(sets_of_ranges_select_what_a_map_of_bytes_selects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
