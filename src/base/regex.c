/* SPDX-License-Identifier: BSD-2-Clause
 *
 * regex: PCRE2, 8 bits, bytes. Compiled to machine code where that is possible; the limits
 * hold for both ways to match.
 */
#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define MATCH_LIMIT 100000 /* a few milliseconds */
#define STEPS_MAX 10000000 /* of all starts together */
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KIB 8192
#define STACK_START ((size_t)32 << 10)
#define STACK_MAX ((size_t)512 << 10)
#define NAME_SIZE 130 /* longer than any name may be */

struct regex {
	pcre2_code *code;
	uint32_t groups;
	bool is_anchored; /* there is one start only */
};

struct regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

bool
regex_is_built_in(void)
{
	return true;
}

void
regex_version(char out[REGEX_VERSION_SIZE])
{
	char version[REGEX_VERSION_SIZE] = "";

	/* Its size is asked for first: it is not bounded. */
	if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) > REGEX_VERSION_SIZE ||
	    pcre2_config(PCRE2_CONFIG_VERSION, version) < 0)
		snprintf(version, sizeof(version), "unknown");
	memcpy(out, version, REGEX_VERSION_SIZE);
}

struct regex *
regex_new(struct slice pattern, char message[REGEX_MESSAGE_SIZE], size_t *offset)
{
	static const unsigned char empty[] = "";
	struct regex *re = calloc(1, sizeof(*re));
	int error = PCRE2_ERROR_NOMEMORY;
	PCRE2_SIZE where = 0;
	uint32_t options = 0;

	/* "(*UTF)" in a pattern would make paths that are not UTF-8 errors. */
	if (re != NULL)
		re->code = pcre2_compile(
			pattern.len != 0 ? (PCRE2_SPTR)pattern.ptr : empty, pattern.len,
			PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_DOLLAR_ENDONLY, &error,
			&where, NULL);
	if (re == NULL || re->code == NULL) {
		*offset = where;
		if (pcre2_get_error_message(error, (PCRE2_UCHAR *)message,
					    REGEX_MESSAGE_SIZE) < 0)
			message[REGEX_MESSAGE_SIZE - 1] = '\0';
		free(re);
		return NULL;
	}
	(void)pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
	re->groups++;
	(void)pcre2_pattern_info(re->code, PCRE2_INFO_ALLOPTIONS, &options);
	re->is_anchored = (options & PCRE2_ANCHORED) != 0;
	/* Without it the interpreter matches, only slower. */
	(void)pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);
	return re;
}

void
regex_free(struct regex *re)
{
	if (re != NULL)
		pcre2_code_free(re->code);
	free(re);
}

size_t
regex_group_count(const struct regex *re)
{
	return re->groups;
}

int
regex_group(const struct regex *re, struct slice name)
{
	char text[NAME_SIZE];
	uint64_t number;
	int found;

	if (name.len == 0 || name.len >= sizeof(text))
		return -1;
	if (number_dec(name, re->groups - 1, &number) == 0)
		return (int)number;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	found = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)text);
	return found > 0 ? found : -1;
}

struct regex_scratch *
regex_scratch_new(size_t groups)
{
	struct regex_scratch *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->data = pcre2_match_data_create((uint32_t)groups, NULL);
	s->context = pcre2_match_context_create(NULL);
	if (s->data == NULL || s->context == NULL) {
		regex_scratch_free(s);
		return NULL;
	}
	(void)pcre2_set_depth_limit(s->context, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(s->context, HEAP_LIMIT_KIB);
	/* NULL leaves 32 KiB of the machine stack. */
	s->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
	pcre2_jit_stack_assign(s->context, NULL, s->stack);
	return s;
}

void
regex_scratch_free(struct regex_scratch *s)
{
	if (s == NULL)
		return;
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->context);
	pcre2_jit_stack_free(s->stack);
	free(s);
}

/* PCRE2 counts anew at every byte that a match may start at. */
static uint32_t
match_limit(const struct regex *re, size_t len)
{
	if (re->is_anchored || len <= STEPS_MAX / MATCH_LIMIT)
		return MATCH_LIMIT;
	return (uint32_t)(STEPS_MAX / len);
}

int
regex_match(const struct regex *re, struct regex_scratch *s, struct slice subject,
	    struct slice *groups)
{
	const PCRE2_SIZE *at;
	int rc;

	(void)pcre2_set_match_limit(s->context, match_limit(re, subject.len));
	rc = pcre2_match(re->code, (PCRE2_SPTR)(subject.len != 0 ? subject.ptr : ""),
			 subject.len, 0, 0, s->data, s->context);

	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc < 0)
		return -E2BIG;
	at = pcre2_get_ovector_pointer(s->data);
	for (size_t i = 0; i < re->groups; i++) {
		bool is_set = i < (size_t)rc && at[2 * i] != PCRE2_UNSET &&
			      at[2 * i] <= at[2 * i + 1];

		groups[i] = is_set ? slice_make(subject.ptr + at[2 * i],
						at[2 * i + 1] - at[2 * i])
				   : slice_make(NULL, 0);
	}
	return 1;
}
