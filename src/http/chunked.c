/* SPDX-License-Identifier: BSD-2-Clause
 *
 * chunked: one state per place in the grammar of RFC 9112 section 7.1, no more and no
 * less than that grammar: hex digits without prefix or sign, exact CRLFs, whitespace
 * only where BWS stands. Every leniency here is a way to smuggle a request.
 */
#include "http/chunked.h"

#include <assert.h>

#include "http/chars.h"

enum state {
	AT_SIZE, /* zero: chunked_init() */
	IN_SIZE,
	EXT_BLANK,       /* blanks that must lead to ';' */
	EXT_START,       /* after ';' */
	EXT_NAME,        /* in chunk-ext-name */
	EXT_NAME_BLANK,  /* blanks after it */
	EXT_EQUALS,      /* after '=' */
	EXT_VALUE,       /* in a token */
	EXT_QUOTED,      /* in a quoted-string */
	EXT_QUOTED_PAIR, /* after a backslash in it */
	EXT_QUOTED_END,  /* after its closing quote */
	AT_SIZE_LF,
	IN_DATA,
	AT_DATA_CR,
	AT_DATA_LF,
	AT_TRAILER,
	TRAILER_NAME,
	TRAILER_VALUE,
	AT_TRAILER_LF,
	AT_END_LF,
	DONE,
	FAILED
};

void
chunked_init(struct chunked *c)
{
	*c = (struct chunked){ .state = AT_SIZE };
}

static enum state
fail(struct chunked *c, const char *reason)
{
	c->reason = reason;
	return FAILED;
}

/* What may follow a whole chunk-size or extension. */
static enum state
after_ext(struct chunked *c, char byte)
{
	if (byte == '\r')
		return AT_SIZE_LF;
	if (byte == ';')
		return EXT_START;
	if (char_is_blank(byte))
		return EXT_BLANK;
	return fail(c, "bad byte after chunk size");
}

static enum state
in_size(struct chunked *c, char byte)
{
	int digit = char_hex(byte);

	if (digit < 0)
		return c->state == IN_SIZE ? after_ext(c, byte)
					   : fail(c, "chunk size has no digit");
	if (c->left > ((uint64_t)INT64_MAX - (uint64_t)digit) / 16)
		return fail(c, "chunk size too large");
	c->left = c->left * 16 + (uint64_t)digit;
	return IN_SIZE;
}

static enum state
in_quoted(struct chunked *c, char byte)
{
	if (!char_is(byte, CHAR_TEXT))
		return fail(c, "control byte in chunk extension");
	if (c->state == EXT_QUOTED_PAIR)
		return EXT_QUOTED;
	if (byte == '"')
		return EXT_QUOTED_END;
	return byte == '\\' ? EXT_QUOTED_PAIR : EXT_QUOTED;
}

/* RFC 9112 section 7.1.1. */
static enum state
in_ext(struct chunked *c, char byte)
{
	bool token = char_is(byte, CHAR_TOKEN), blank = char_is_blank(byte);

	switch ((enum state)c->state) {
	case EXT_START:
		if (token || blank)
			return token ? EXT_NAME : EXT_START;
		break;
	case EXT_NAME:
		if (token)
			return EXT_NAME;
		if (byte == '=')
			return EXT_EQUALS;
		return blank ? EXT_NAME_BLANK : after_ext(c, byte);
	case EXT_NAME_BLANK:
		if (byte == '=')
			return EXT_EQUALS;
		if (blank || byte == ';')
			return blank ? EXT_NAME_BLANK : EXT_START;
		break;
	case EXT_BLANK:
		if (blank || byte == ';')
			return blank ? EXT_BLANK : EXT_START;
		break;
	case EXT_EQUALS:
		if (token || blank)
			return token ? EXT_VALUE : EXT_EQUALS;
		if (byte == '"')
			return EXT_QUOTED;
		break;
	default: /* EXT_VALUE, EXT_QUOTED_END */
		if (token && c->state == EXT_VALUE)
			return EXT_VALUE;
		return after_ext(c, byte);
	}
	return fail(c, "malformed chunk extension");
}

static enum state
in_trailer(struct chunked *c, char byte)
{
	switch ((enum state)c->state) {
	case AT_TRAILER:
		if (byte == '\r')
			return AT_END_LF;
		break;
	case TRAILER_NAME:
		if (byte == ':')
			return TRAILER_VALUE;
		break;
	default: /* TRAILER_VALUE */
		if (byte == '\r')
			return AT_TRAILER_LF;
		return char_is(byte, CHAR_TEXT) ? TRAILER_VALUE
						: fail(c, "bad byte in trailer value");
	}
	return char_is(byte, CHAR_TOKEN) ? TRAILER_NAME
					 : fail(c, "bad byte in trailer name");
}

static enum state
expect(struct chunked *c, char byte, char wanted, enum state next)
{
	return byte == wanted ? next : fail(c, "chunk line does not end in CRLF");
}

/* Judges one byte outside of the data. */
static enum state
next_state(struct chunked *c, char byte)
{
	switch ((enum state)c->state) {
	case AT_SIZE:
	case IN_SIZE:
		return in_size(c, byte);
	case EXT_QUOTED:
	case EXT_QUOTED_PAIR:
		return in_quoted(c, byte);
	case AT_SIZE_LF:
		c->line_len = 0; /* counts the trailer section after the last chunk */
		return expect(c, byte, '\n', c->left != 0 ? IN_DATA : AT_TRAILER);
	case AT_DATA_CR:
		return expect(c, byte, '\r', AT_DATA_LF);
	case AT_DATA_LF:
		c->line_len = 0;
		return expect(c, byte, '\n', AT_SIZE);
	case AT_TRAILER:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return in_trailer(c, byte);
	case AT_TRAILER_LF:
		return expect(c, byte, '\n', AT_TRAILER);
	case AT_END_LF:
		return expect(c, byte, '\n', DONE);
	default:
		return in_ext(c, byte);
	}
}

static bool
is_too_long(const struct chunked *c)
{
	if (c->state >= AT_TRAILER)
		return c->line_len > CHUNKED_TRAILER_MAX;
	return c->line_len > CHUNKED_LINE_MAX;
}

enum chunked_result
chunked_decode(struct chunked *c, struct slice *in, struct slice *data)
{
	assert(c->state != DONE && c->state != FAILED);
	while (in->len > 0) {
		if (c->state == IN_DATA) {
			size_t n = c->left < in->len ? (size_t)c->left : in->len;

			*data = slice_make(in->ptr, n);
			*in = slice_from(*in, n);
			c->left -= n;
			if (c->left == 0)
				c->state = AT_DATA_CR;
			return CHUNKED_DATA;
		}
		c->line_len++;
		c->state = (int)next_state(c, in->ptr[0]);
		if (c->state != FAILED && is_too_long(c))
			c->state = (int)fail(c, "chunk line or trailer too long");
		if (c->state == FAILED)
			return CHUNKED_BAD;
		*in = slice_from(*in, 1);
		if (c->state == DONE)
			return CHUNKED_END;
	}
	return CHUNKED_MORE;
}
