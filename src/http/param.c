/* SPDX-License-Identifier: BSD-2-Clause
 *
 * param: finds where a parameter ends, quotes and escapes included.
 */
#include "http/param.h"

#include "http/chars.h"

/* The length of the quoted text and both quotes; 0: it does not end, or has a control byte. */
static size_t
quoted_len(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '"')
			return i + 1;
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		if (!char_is(s.ptr[i], CHAR_TEXT))
			return 0;
	}
	return 0;
}

static size_t
bare_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && char_is(s.ptr[n], CHAR_TEXT) && !char_is_blank(s.ptr[n]) &&
	       s.ptr[n] != ';' && s.ptr[n] != '"')
		n++;
	return n;
}

static bool
take_value(struct slice *s, struct param *p)
{
	size_t n;

	p->quoted = s->len != 0 && s->ptr[0] == '"';
	n = p->quoted ? quoted_len(*s) : bare_len(*s);
	if (n == 0)
		return false;
	p->value = p->quoted ? slice_make(s->ptr + 1, n - 2) : slice_make(s->ptr, n);
	*s = slice_from(*s, n);
	return true;
}

enum param_result
param_next(struct slice *rest, struct param *p)
{
	struct slice s = slice_trim(*rest);
	size_t n;

	*p = (struct param){ 0 };
	if (s.len != 0 && s.ptr[0] != ';')
		return PARAM_BAD;
	while (s.len != 0 && s.ptr[0] == ';')
		s = slice_trim(slice_from(s, 1));
	if (s.len == 0)
		return PARAM_END;
	n = char_token_len(s);
	if (n == 0 || n == s.len || s.ptr[n] != '=')
		return PARAM_BAD;
	p->name = slice_make(s.ptr, n);
	s = slice_from(s, n + 1);
	if (!take_value(&s, p))
		return PARAM_BAD;
	*rest = s;
	return PARAM_FOUND;
}

struct slice
param_split(struct slice value, struct slice *rest)
{
	size_t n = slice_find(value, ';');

	*rest = slice_from(value, n);
	return slice_trim(slice_make(value.ptr, n));
}
