/* SPDX-License-Identifier: BSD-2-Clause
 *
 * suggest: Damerau-Levenshtein distance in its restricted form (optimal string
 * alignment): three rows of the table are enough.
 */
#include "conf/suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 64
#define LEAST_BEGIN 3 /* letters that tell something */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
suggest_distance(struct slice a, struct slice b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *older = rows[0], *old = rows[1], *now = rows[2];

	if (a.len > WORD_MAX || b.len > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		older[j] = old[j] = now[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *spare = older;

		older = old;
		old = now;
		now = spare;
		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = lower(a.ptr[i - 1]), y = lower(b.ptr[j - 1]);
			size_t cost = least(old[j], now[j - 1]) + 1;

			cost = least(cost, old[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b.ptr[j - 2]) &&
			    lower(a.ptr[i - 2]) == y)
				cost = least(cost, older[j - 2] + 1);
			now[j] = cost;
		}
	}
	return now[b.len];
}

static bool
begins_with(struct slice s, struct slice begin)
{
	return s.len >= begin.len && slice_eq_nocase(slice_make(s.ptr, begin.len), begin);
}

/* Who cut a word short is far from it in edits: "warn" of "warning". NULL when it could be
 * several, or nothing much is left of it. */
static const char *
only_longer(struct slice word, const char *const *candidates, size_t count)
{
	const char *found = NULL;

	if (word.len < LEAST_BEGIN)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (!begins_with(slice_from_str(candidates[i]), word))
			continue;
		if (found != NULL)
			return NULL;
		found = candidates[i];
	}
	return found;
}

const char *
suggest_nearest(struct slice word, const char *const *candidates, size_t count)
{
	size_t limit = word.len / 3 > 1 ? word.len / 3 : 1;
	size_t best = SIZE_MAX;
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = suggest_distance(word, slice_from_str(candidates[i]));

		if (d <= limit && d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found != NULL ? found : only_longer(word, candidates, count);
}
