/* SPDX-License-Identifier: BSD-2-Clause
 *
 * chars: what a byte on the wire may be, one table for the parsers of this folder.
 * Locale-free, unlike ctype.h. A header only, so that the loops over it inline.
 */
#ifndef WEBSRV_HTTP_CHARS_H
#define WEBSRV_HTTP_CHARS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	CHAR_TOKEN = 1,   /* tchar, RFC 9110 section 5.6.2 */
	CHAR_TEXT = 2,    /* VCHAR, SP, HTAB, obs-text: field values, section 5.5 */
	CHAR_TARGET = 4,  /* raw in a request target: see uri_is_target_byte() */
	CHAR_SEGMENT = 8, /* of those, what stands for itself in a path: not / % ? */
	CHAR_DELIMITER = CHAR_TEXT | CHAR_TARGET,
	CHAR_VISIBLE = CHAR_DELIMITER | CHAR_SEGMENT,
	CHAR_ALL = CHAR_TOKEN | CHAR_VISIBLE
};

static const uint8_t http_chars[256] = {
	['\t'] = CHAR_TEXT,
	[' '] = CHAR_TEXT,
	['!'] = CHAR_ALL,
	['"'] = CHAR_VISIBLE,
	['#'] = CHAR_TOKEN | CHAR_TEXT,
	['$'] = CHAR_ALL,
	['%'] = CHAR_TOKEN | CHAR_DELIMITER,
	['&' ... '\''] = CHAR_ALL,
	['(' ... ')'] = CHAR_VISIBLE,
	['*' ... '+'] = CHAR_ALL,
	[','] = CHAR_VISIBLE,
	['-' ... '.'] = CHAR_ALL,
	['/'] = CHAR_DELIMITER,
	['0' ... '9'] = CHAR_ALL,
	[':' ... '>'] = CHAR_VISIBLE,
	['?'] = CHAR_DELIMITER,
	['@'] = CHAR_VISIBLE,
	['A' ... 'Z'] = CHAR_ALL,
	['[' ... ']'] = CHAR_VISIBLE,
	['^' ... 'z'] = CHAR_ALL,
	['{'] = CHAR_VISIBLE,
	['|'] = CHAR_ALL,
	['}'] = CHAR_VISIBLE,
	['~'] = CHAR_ALL,
	[0x80 ... 0xff] = CHAR_VISIBLE,
};

static inline bool
char_is(char c, unsigned classes)
{
	return (http_chars[(unsigned char)c] & classes) != 0;
}

static inline bool
char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
char_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline char
char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The value of a hex digit, or -1. */
static inline int
char_hex(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of the token at the start: RFC 9110 section 5.6.2. */
static inline size_t
char_token_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && char_is(s.ptr[n], CHAR_TOKEN))
		n++;
	return n;
}

#endif
