/* SPDX-License-Identifier: BSD-2-Clause
 *
 * regex_none: in a build without PCRE2 there are no expressions; regex_new() says so, and
 * nothing else is ever called.
 */
#include <errno.h>
#include <stdio.h>

#include "base/regex.h"

bool
regex_is_built_in(void)
{
	return false;
}

void
regex_version(char out[REGEX_VERSION_SIZE])
{
	snprintf(out, REGEX_VERSION_SIZE, "none");
}

struct regex *
regex_new(struct slice pattern, char message[REGEX_MESSAGE_SIZE], size_t *offset)
{
	(void)pattern;
	*offset = 0;
	snprintf(message, REGEX_MESSAGE_SIZE, "PCRE2 is not built in");
	return NULL;
}

void
regex_free(struct regex *re)
{
	(void)re;
}

size_t
regex_group_count(const struct regex *re)
{
	(void)re;
	return 0;
}

int
regex_group(const struct regex *re, struct slice name)
{
	(void)re;
	(void)name;
	return -1;
}

struct regex_scratch *
regex_scratch_new(size_t groups)
{
	(void)groups;
	return NULL;
}

void
regex_scratch_free(struct regex_scratch *s)
{
	(void)s;
}

int
regex_match(const struct regex *re, struct regex_scratch *scratch, struct slice subject,
	    struct slice *groups)
{
	(void)re;
	(void)scratch;
	(void)subject;
	(void)groups;
	return -E2BIG;
}
