/* SPDX-License-Identifier: BSD-2-Clause
 *
 * suggest: "did you mean": the candidate that is nearest to a misspelt word.
 */
#ifndef WEBSRV_CONF_SUGGEST_H
#define WEBSRV_CONF_SUGGEST_H

#include <stddef.h>

#include "base/slice.h"

/* Edits (insert, delete, replace, swap of neighbours) between two words, regardless of
 * ASCII case. Words beyond 64 bytes are infinitely far apart (SIZE_MAX). */
size_t suggest_distance(struct slice a, struct slice b);

/* The first of the nearest candidates. When even that one is farther away than a third of the
 * word's length (and more than one edit): the only one that begins with the word, if that has
 * three letters; or NULL. */
const char *suggest_nearest(struct slice word, const char *const *candidates,
			    size_t count);

#endif
