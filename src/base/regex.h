/* SPDX-License-Identifier: BSD-2-Clause
 *
 * regex: regular expressions over bytes, of PCRE2 when it is built in. A pattern comes from
 * the operator, a subject from anyone: matching is bounded in steps and memory, so that no
 * subject can hold the process up.
 */
#ifndef WEBSRV_BASE_REGEX_H
#define WEBSRV_BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define REGEX_MESSAGE_SIZE 256

struct regex;         /* const once it is made; may be shared */
struct regex_scratch; /* what matching writes to; one for a thread */

bool regex_is_built_in(void);
#define REGEX_VERSION_SIZE 64
/* "10.42 2022-12-11", or "none" in a build without; for `websrv -V`. */
void regex_version(char out[REGEX_VERSION_SIZE]);

/* NULL: `message` says why, and *offset is the byte of the pattern where it was noticed. '$'
 * is the very end of the subject. */
struct regex *regex_new(struct slice pattern, char message[REGEX_MESSAGE_SIZE],
			size_t *offset) __attribute__((warn_unused_result));
void regex_free(struct regex *re);

/* Groups, the whole match included. */
size_t regex_group_count(const struct regex *re);
/* The number of a group, by name or as a number; -1 if there is none. */
int regex_group(const struct regex *re, struct slice name);

/* For expressions of up to `groups` groups; NULL when memory is exhausted. */
struct regex_scratch *regex_scratch_new(size_t groups)
	__attribute__((warn_unused_result));
void regex_scratch_free(struct regex_scratch *s);

/* 1: `groups`, an array of regex_group_count(), points into the subject, and groups that
 * took no part are empty. 0: no match. -E2BIG: it was given up at a limit, or for want of
 * memory. */
int regex_match(const struct regex *re, struct regex_scratch *scratch,
		struct slice subject, struct slice *groups);

#endif
