/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sfdict: the parsing algorithms of RFC 9651 section 4.2. Each function takes what it reads
 * off the front of `s`, and is false when it is not there.
 */
#include "http/sfdict.h"

#include "base/utf8.h"
#include "http/chars.h"

#define INTEGER_DIGITS 15
#define DECIMAL_DIGITS 12 /* before the point */
#define FRACTION_DIGITS 3

static bool
begins(const struct slice *s, char c)
{
	return s->len != 0 && s->ptr[0] == c;
}

static bool
take_char(struct slice *s, char c)
{
	if (!begins(s, c))
		return false;
	*s = slice_from(*s, 1);
	return true;
}

static struct slice
take(struct slice *s, size_t n)
{
	struct slice taken = slice_make(s->ptr, n);

	*s = slice_from(*s, n);
	return taken;
}

static void
skip_spaces(struct slice *s)
{
	while (take_char(s, ' '))
		;
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_key_byte(char c)
{
	return is_lower(c) || char_is_digit(c) || c == '_' || c == '-' || c == '.' ||
	       c == '*';
}

static bool
take_key(struct slice *s, struct slice *key)
{
	size_t n = 0;

	if (s->len == 0 || !(is_lower(s->ptr[0]) || s->ptr[0] == '*'))
		return false;
	while (n < s->len && is_key_byte(s->ptr[n]))
		n++;
	*key = take(s, n);
	return true;
}

/* --- values --- */

static size_t
count_digits(struct slice s)
{
	size_t n = 0;

	while (n < s.len && char_is_digit(s.ptr[n]))
		n++;
	return n;
}

static bool
take_number(struct slice *s, struct sf_member *m)
{
	size_t sign = begins(s, '-') ? 1 : 0;
	size_t digits = count_digits(slice_from(*s, sign)), fraction;
	size_t n = sign + digits;

	if (digits == 0 || digits > INTEGER_DIGITS)
		return false;
	m->kind = SF_INTEGER;
	m->number = 0;
	for (size_t i = sign; i < n; i++)
		m->number = m->number * 10 + (s->ptr[i] - '0');
	if (sign != 0)
		m->number = -m->number;
	if (n < s->len && s->ptr[n] == '.') {
		fraction = count_digits(slice_from(*s, n + 1));
		if (digits > DECIMAL_DIGITS || fraction == 0 ||
		    fraction > FRACTION_DIGITS)
			return false;
		m->kind = SF_DECIMAL;
		n += 1 + fraction;
	}
	m->text = take(s, n);
	return true;
}

static bool
take_string(struct slice *s, struct sf_member *m)
{
	size_t i = 1;

	for (; i < s->len && s->ptr[i] != '"'; i++) {
		if (s->ptr[i] < 0x20 || s->ptr[i] >= 0x7f)
			return false;
		if (s->ptr[i] != '\\')
			continue;
		i++;
		if (i == s->len || (s->ptr[i] != '"' && s->ptr[i] != '\\'))
			return false;
	}
	if (i == s->len)
		return false;
	m->kind = SF_STRING;
	m->text = slice_from(take(s, i), 1);
	return take_char(s, '"');
}

static bool
take_token(struct slice *s, struct sf_member *m)
{
	size_t n = 0;

	while (n < s->len &&
	       (char_is(s->ptr[n], CHAR_TOKEN) || s->ptr[n] == ':' || s->ptr[n] == '/'))
		n++;
	m->kind = SF_TOKEN;
	m->text = take(s, n);
	return true;
}

static bool
is_base64(char c)
{
	return is_lower(char_lower(c)) || char_is_digit(c) || c == '+' || c == '/' ||
	       c == '=';
}

static bool
take_bytes(struct slice *s, struct sf_member *m)
{
	size_t i = 1;

	while (i < s->len && is_base64(s->ptr[i]))
		i++;
	m->kind = SF_BYTES;
	m->text = slice_from(take(s, i), 1);
	return take_char(s, ':');
}

static bool
take_boolean(struct slice *s, struct sf_member *m)
{
	if (s->len < 2 || (s->ptr[1] != '0' && s->ptr[1] != '1'))
		return false;
	m->kind = SF_BOOLEAN;
	m->number = s->ptr[1] - '0';
	m->text = take(s, 2);
	return true;
}

static bool
take_date(struct slice *s, struct sf_member *m)
{
	(void)take(s, 1);
	if (!take_number(s, m) || m->kind != SF_INTEGER)
		return false;
	m->kind = SF_DATE;
	return true;
}

/* "%xx", in lower case, or itself. */
static bool
take_display_byte(struct slice *s, char *out)
{
	int high, low;

	if (s->len == 0 || s->ptr[0] < 0x20 || s->ptr[0] >= 0x7f)
		return false;
	if (!take_char(s, '%')) {
		*out = take(s, 1).ptr[0];
		return true;
	}
	if (s->len < 2 || s->ptr[0] != char_lower(s->ptr[0]) ||
	    s->ptr[1] != char_lower(s->ptr[1]))
		return false;
	high = char_hex(s->ptr[0]);
	low = char_hex(s->ptr[1]);
	if (high < 0 || low < 0)
		return false;
	*out = (char)(high << 4 | low);
	(void)take(s, 2);
	return true;
}

static bool
take_display_char(struct slice *s)
{
	char c[4];
	size_t n = 0;

	do {
		if (!take_display_byte(s, &c[n++]))
			return false;
	} while (n < sizeof(c) && utf8_len(slice_make(c, n)) == 0);
	return utf8_len(slice_make(c, n)) == n;
}

static bool
take_display(struct slice *s, struct sf_member *m)
{
	struct slice all = *s;

	if (all.len < 2 || all.ptr[1] != '"')
		return false;
	(void)take(s, 2);
	while (s->len != 0 && !begins(s, '"')) {
		if (!take_display_char(s))
			return false;
	}
	m->kind = SF_DISPLAY;
	m->text = slice_make(all.ptr + 2, all.len - s->len - 2);
	return take_char(s, '"');
}

static bool
take_bare_item(struct slice *s, struct sf_member *m)
{
	char c = s->len != 0 ? s->ptr[0] : '\0';

	if (c == '-' || char_is_digit(c))
		return take_number(s, m);
	if (c == '"')
		return take_string(s, m);
	if (c == ':')
		return take_bytes(s, m);
	if (c == '?')
		return take_boolean(s, m);
	if (c == '@')
		return take_date(s, m);
	if (c == '%')
		return take_display(s, m);
	return (c == '*' || is_lower(char_lower(c))) && take_token(s, m);
}

static bool
skip_parameters(struct slice *s)
{
	struct sf_member ignored;

	while (take_char(s, ';')) {
		skip_spaces(s);
		if (!take_key(s, &ignored.key))
			return false;
		if (take_char(s, '=') && !take_bare_item(s, &ignored))
			return false;
	}
	return true;
}

static bool
take_list(struct slice *s, struct sf_member *m)
{
	struct slice all = *s;
	struct sf_member ignored;

	(void)take(s, 1);
	for (skip_spaces(s); !take_char(s, ')'); skip_spaces(s)) {
		if (!take_bare_item(s, &ignored) || !skip_parameters(s) ||
		    !(begins(s, ' ') || begins(s, ')')))
			return false;
	}
	m->kind = SF_LIST;
	m->text = slice_make(all.ptr, all.len - s->len);
	return true;
}

/* --- members --- */

static bool
take_member(struct slice *s, struct sf_member *m)
{
	if (!take_key(s, &m->key))
		return false;
	if (!take_char(s, '=')) {
		m->kind = SF_BOOLEAN;
		m->number = 1;
		m->text = slice_make(s->ptr, 0);
	} else if (!(begins(s, '(') ? take_list(s, m) : take_bare_item(s, m))) {
		return false;
	}
	return skip_parameters(s);
}

enum sf_result
sf_dict_next(struct slice *rest, struct sf_member *m)
{
	struct slice s = slice_trim(*rest);

	*m = (struct sf_member){ 0 };
	if (s.len == 0)
		return SF_END;
	if (!take_member(&s, m))
		return SF_BAD;
	s = slice_trim(s);
	/* A comma promises another member. */
	if (s.len != 0 && (!take_char(&s, ',') || slice_trim(s).len == 0))
		return SF_BAD;
	*rest = s;
	return SF_MEMBER;
}

bool
sf_item_parse(struct slice value, struct sf_member *m)
{
	*m = (struct sf_member){ 0 };
	skip_spaces(&value);
	if (!take_bare_item(&value, m) || !skip_parameters(&value))
		return false;
	skip_spaces(&value);
	return value.len == 0;
}
