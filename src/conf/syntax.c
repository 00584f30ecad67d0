/* SPDX-License-Identifier: BSD-2-Clause
 *
 * syntax: the parser says how far it had read; that is the end of the bad token, and
 * since it quotes short tokens, the begin can be computed.
 */
#include "conf/syntax.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "conf/locate.h"
#include "http/chars.h"

/* The first that fits; `near` is the quoted token, "" for any. */
static const struct {
	const char *message, *near, *hint;
} hints[] = {
	{ "", "#", "write comments as // or /* */" },
	{ "string or '}' expected", "}", "remove the comma before \"}\"" },
	{ "unexpected token", "]", "remove the comma before \"]\"" },
	{ "string or '}' expected", "'", "write strings in double quotes" },
	{ "'[' or '{' expected near end of file", "",
	  "there is no configuration in it, begin with \"{\"" },
	{ "expected near end of file", "",
	  "the text ends too early, close what is open" },
	{ "string or '}' expected", "", "write a key in double quotes" },
	{ "'}' expected", "", "write a comma before it, or close what is open" },
	{ "']' expected", "", "write a comma before it, or close what is open" },
	{ "':' expected", "", "write a colon and a value after a key" },
	{ "end of file expected", "",
	  "a configuration is one object, remove what follows" },
	{ "'[' or '{' expected", "", "a configuration begins with \"{\"" },
	{ "unexpected newline", "", "close the string on its line, or write \\n in it" },
	{ "premature end of input", "", "close the string with a double quote" },
	{ "invalid token", "/", "write comments as // or /* */" },
	{ "invalid token", "0", "write numbers without a zero before them" },
	{ "invalid token", "+", "write numbers without \"+\"" },
	{ "invalid token", "T", "write true in lower case, strings in double quotes" },
	{ "invalid token", "F", "write false in lower case, strings in double quotes" },
	{ "invalid token", "N", "write null in lower case, strings in double quotes" },
	{ "invalid token", "", "write strings in double quotes, numbers in decimal" },
	{ "unable to decode", "", "save the file as UTF-8" },
	{ "control character 0x0 ", "", "remove it, no value may have a NUL" },
	{ "control character", "", "write it as an escape, such as \\t" },
	{ "invalid escape", "", "write a backslash as \\\\" },
	{ "NUL byte", "", "remove it, no key may have a NUL" },
	{ "\\u0000", "", "remove it, no value may have a NUL" },
	{ "too big integer", "", "write a smaller number" },
	{ "real number overflow", "", "write a smaller number" },
	{ "invalid Unicode", "",
	  "write the character itself, or both halves of its surrogate pair" },
	{ "maximum parsing depth", "", "a configuration is never that deep" },
	{ "", "", "write JSON, with // or /* */ comments" },
};

#define HINTS (sizeof(hints) / sizeof(hints[0]))

/* What stands in quotes behind " near ". */
static struct slice
quoted_token(const char *message)
{
	const char *near = strstr(message, " near '");
	struct slice s = slice_make("", 0);

	if (near != NULL && strcmp(near, " near '") != 0) {
		s = slice_from_str(near + strlen(" near '"));
		s.len--;
	}
	return s;
}

static size_t
token_offset(struct slice text, const json_error_t *error, struct slice token)
{
	size_t end = error->position < 0 ? 0 : (size_t)error->position;

	if (end > text.len || strstr(error->text, "near end of file") != NULL)
		return text.len;
	if (token.len != 0 && token.len <= end &&
	    memcmp(text.ptr + end - token.len, token.ptr, token.len) == 0)
		return end - token.len;
	return end > 0 ? end - 1 : 0;
}

static const char *
pick_hint(const char *message, struct slice token)
{
	size_t i = 0;

	while (i + 1 < HINTS &&
	       (strstr(message, hints[i].message) == NULL ||
		!slice_starts_with(token, slice_from_str(hints[i].near))))
		i++;
	return hints[i].hint;
}

/* "10M" without quotes is read as a number and something else. */
static bool
is_unit(struct slice text, size_t offset)
{
	char c;

	if (offset == 0 || offset >= text.len || !char_is_digit(text.ptr[offset - 1]))
		return false;
	c = char_lower(text.ptr[offset]);
	return c >= 'a' && c <= 'z';
}

static void
add_text(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_printf(b, "\\u%04x", (unsigned char)*s);
		else
			buf_add_char(b, *s);
	}
}

bool
syntax_is_at_end(const json_error_t *error)
{
	return json_error_code(error) == json_error_premature_end_of_input ||
	       strstr(error->text, "near end of file") != NULL;
}

void
syntax_report(struct slice text, const json_error_t *error, const char *name,
	      struct buf *errors)
{
	struct slice token = quoted_token(error->text);
	struct locate_pos pos;
	size_t offset;

	if (json_error_code(error) == json_error_out_of_memory ||
	    error->text[0] == '\0') {
		buf_printf(errors, "%s: out of memory; the configuration is not loaded\n",
			   name);
		return;
	}
	if (slice_starts_with(text, SLICE("\xef\xbb\xbf"))) {
		buf_printf(errors,
			   "%s:1:1: syntax: the file begins with a byte order mark; save "
			   "it as UTF-8 without one\n",
			   name);
		return;
	}
	offset = token_offset(text, error, token);
	pos = locate_offset(text, offset);
	buf_printf(errors, "%s:%" PRIu32 ":%" PRIu32 ": syntax: ", name, pos.line,
		   pos.column);
	if (slice_starts_with(slice_from_str(error->text), SLICE("\\u0000")))
		buf_add_str(errors, "\\u0000 in a string");
	else
		add_text(errors, error->text);
	buf_printf(errors, "; %s\n",
		   is_unit(text, offset) ? "write numbers in decimal, and with a unit as "
					   "a string, such as \"10M\""
					 : pick_hint(error->text, token));
}
