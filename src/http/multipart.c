/* SPDX-License-Identifier: BSD-2-Clause
 *
 * multipart: a search for one delimiter, and the lines between it and the data. The delimiter
 * begins with its only CR: when it breaks off, what was matched is data as a whole, and the
 * search goes on with the byte that broke it.
 */
#include "http/multipart.h"

#include "http/chars.h"
#include "http/disposition.h"
#include "http/param.h"

enum state {
	IN_PREAMBLE,
	AT_DELIMITER, /* behind it: "--", or blanks and CR LF */
	AT_DASH,
	IN_PADDING,
	AT_DELIMITER_LF,
	IN_HEAD,
	IN_DATA,
	AT_END,
	IN_END_PADDING,
	AT_END_LF,
	IN_EPILOGUE,
	FAILED
};

/* The states return this when they went on to another one. */
#define ON ((enum multipart_result) - 1)

static enum multipart_result
bad(struct multipart *m, enum multipart_error e)
{
	m->state = FAILED;
	m->error = e;
	return MULTIPART_BAD;
}

static enum multipart_result
go(struct multipart *m, enum state state)
{
	m->state = (int)state;
	return ON;
}

static char
take_byte(struct slice *in)
{
	char c = in->ptr[0];

	*in = slice_from(*in, 1);
	return c;
}

/* --- the boundary --- */

/* bchars of RFC 2046 section 5.1.1. A space must not be the last. */
static bool
is_boundary(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = char_lower(s.ptr[i]);

		if (!char_is_digit(c) && !(c >= 'a' && c <= 'z') &&
		    (c == '\0' || strchr("'()+_,-./:=? ", c) == NULL))
			return false;
	}
	return s.len > 0 && s.len <= MULTIPART_BOUNDARY_MAX && s.ptr[s.len - 1] != ' ';
}

/* The one parameter of that name; a NULL ptr when it is not there, comes twice, or the
 * parameters are malformed. */
static struct slice
find_param(struct slice rest, struct slice name)
{
	struct slice found = slice_make(NULL, 0);
	enum param_result result;
	struct param p;

	while ((result = param_next(&rest, &p)) == PARAM_FOUND) {
		if (!slice_eq_nocase(p.name, name))
			continue;
		if (found.ptr != NULL)
			return slice_make(NULL, 0);
		found = p.value;
	}
	return result == PARAM_END ? found : slice_make(NULL, 0);
}

enum multipart_error
multipart_init(struct multipart *m, struct slice content_type, size_t part_max)
{
	struct slice rest, boundary, type = param_split(content_type, &rest);

	m->state = IN_PREAMBLE;
	m->error = MULTIPART_OK;
	m->part = (struct multipart_part){ 0 };
	m->in_part = false;
	m->part_count = m->outside = m->head_len = m->delimiter_len = 0;
	m->part_max = part_max;
	/* The first delimiter may stand at the very start. */
	m->matched = m->imagined = 2;
	if (!slice_eq_nocase(type, SLICE("multipart/form-data"))) {
		(void)bad(m, MULTIPART_TYPE);
		return m->error;
	}
	boundary = find_param(rest, SLICE("boundary"));
	if (!is_boundary(boundary)) {
		(void)bad(m, MULTIPART_BOUNDARY);
		return m->error;
	}
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
	m->delimiter_len = 4 + boundary.len;
	return MULTIPART_OK;
}

/* --- data --- */

/* Begins a delimiter, or goes on with one: what was matched is data when it breaks off. */
static enum multipart_result
resume(struct multipart *m, struct slice *in, struct slice *data)
{
	size_t n = 0, left = m->delimiter_len - m->matched;

	while (n < left && n < in->len && in->ptr[n] == m->delimiter[m->matched + n])
		n++;
	m->matched += n;
	*in = slice_from(*in, n);
	if (m->matched == m->delimiter_len)
		return go(m, AT_DELIMITER);
	if (in->len == 0)
		return MULTIPART_MORE;
	*data = slice_make(m->delimiter + m->imagined, m->matched - m->imagined);
	m->matched = m->imagined = 0;
	return data->len != 0 ? MULTIPART_DATA : ON;
}

/* Where a delimiter stands in `s`, or begins and is cut off by its end; s.len: nowhere. By
 * its CR, since memmem() can be slowed down a hundredfold by who chooses both. */
static size_t
find_delimiter(const struct multipart *m, struct slice s)
{
	size_t at = 0;

	while ((at += slice_find(slice_from(s, at), '\r')) < s.len) {
		size_t left = s.len - at;

		/* Of many in a row only the last begins one. */
		for (; left > 1 && s.ptr[at + 1] == '\r'; left--)
			at++;
		if (memcmp(s.ptr + at, m->delimiter,
			   left < m->delimiter_len ? left : m->delimiter_len) == 0)
			break;
		at++;
	}
	return at;
}

static enum multipart_result
search(struct multipart *m, struct slice *in, struct slice *data)
{
	size_t n = m->matched == 0 ? find_delimiter(m, *in) : 0;

	if (n == 0)
		return resume(m, in, data);
	*data = slice_make(in->ptr, n);
	*in = slice_from(*in, n);
	return MULTIPART_DATA;
}

/* What is before the first delimiter means nothing: RFC 2046 section 5.1.1. */
static enum multipart_result
in_preamble(struct multipart *m, struct slice *in)
{
	struct slice ignored;
	enum multipart_result result = search(m, in, &ignored);

	if (result != MULTIPART_DATA)
		return result;
	m->outside += ignored.len;
	return m->outside > MULTIPART_OUTSIDE_MAX ? bad(m, MULTIPART_PREAMBLE) : ON;
}

/* --- lines of delimiters --- */

/* A part ends when the line of the delimiter does: nothing else can follow then. */
static enum multipart_result
end_part(struct multipart *m, enum state next)
{
	bool was_in_part = m->in_part;

	(void)go(m, next);
	m->in_part = false;
	return was_in_part ? MULTIPART_PART_END : ON;
}

static enum multipart_result
begin_head(struct multipart *m)
{
	if (m->part_count == m->part_max)
		return bad(m, MULTIPART_PARTS);
	m->part_count++;
	m->head_len = m->line_start = m->field_count = 0;
	return end_part(m, IN_HEAD);
}

static enum multipart_result
at_delimiter(struct multipart *m, char c)
{
	if (c == '-' && m->state == AT_DELIMITER)
		return go(m, AT_DASH);
	if (c == '-' && m->state == AT_DASH)
		return end_part(m, AT_END);
	if (m->state == AT_DASH)
		return bad(m, MULTIPART_DELIMITER);
	if (char_is_blank(c))
		return go(m, IN_PADDING);
	if (c == '\n')
		return bad(m, MULTIPART_BARE_LF);
	return c == '\r' ? go(m, AT_DELIMITER_LF) : bad(m, MULTIPART_DELIMITER);
}

static enum multipart_result
at_delimiter_lf(struct multipart *m, char c)
{
	return c == '\n' ? begin_head(m) : bad(m, MULTIPART_DELIMITER);
}

static enum multipart_result
end_form(struct multipart *m)
{
	m->outside = 0;
	(void)go(m, IN_END_PADDING);
	return MULTIPART_END;
}

static enum multipart_result
in_end_padding(struct multipart *m, char c)
{
	if (m->state == AT_END_LF)
		return c == '\n' ? go(m, IN_EPILOGUE) : bad(m, MULTIPART_DELIMITER);
	if (c == '\r')
		return go(m, AT_END_LF);
	if (c == '\n')
		return bad(m, MULTIPART_BARE_LF);
	return char_is_blank(c) ? ON : bad(m, MULTIPART_DELIMITER);
}

static enum multipart_result
in_epilogue(struct multipart *m, struct slice *in)
{
	if (in->len > MULTIPART_OUTSIDE_MAX - m->outside)
		return bad(m, MULTIPART_EPILOGUE);
	m->outside += in->len;
	*in = slice_from(*in, in->len);
	return MULTIPART_MORE;
}

/* --- heads of parts --- */

static bool
is_identity(struct slice encoding)
{
	return slice_eq_nocase(encoding, SLICE("7bit")) ||
	       slice_eq_nocase(encoding, SLICE("8bit")) ||
	       slice_eq_nocase(encoding, SLICE("binary"));
}

static enum multipart_error
read_disposition(struct multipart *m, struct slice value)
{
	struct disposition d;

	if (m->part.name.ptr != NULL ||
	    disposition_parse(m->head + (value.ptr - m->head), value.len, true, &d) !=
		    0 ||
	    !slice_eq_nocase(d.type, SLICE("form-data")))
		return MULTIPART_DISPOSITION;
	if (d.name.ptr == NULL)
		return MULTIPART_NO_NAME;
	m->part.name = d.name;
	m->part.filename = d.filename;
	m->part.is_charset = slice_eq(d.name, SLICE("_charset_"));
	return MULTIPART_OK;
}

static enum multipart_error
read_field(struct multipart *m, struct slice line)
{
	size_t n = char_token_len(line);
	struct slice rest, name = slice_make(line.ptr, n);
	struct slice value = slice_trim(slice_from(line, n + 1));

	if (++m->field_count > MULTIPART_FIELDS_MAX)
		return MULTIPART_HEAD_FIELDS;
	/* This refuses folded lines too. */
	if (n == 0 || n == line.len || line.ptr[n] != ':')
		return MULTIPART_HEAD_SYNTAX;
	for (size_t i = 0; i < value.len; i++) {
		if (!char_is(value.ptr[i], CHAR_TEXT))
			return MULTIPART_HEAD_SYNTAX;
	}
	if (slice_eq_nocase(name, SLICE("content-disposition")))
		return read_disposition(m, value);
	/* RFC 7578 section 4.7: nobody sends one. What is coded would be stored coded. */
	if (slice_eq_nocase(name, SLICE("content-transfer-encoding")))
		return is_identity(value) ? MULTIPART_OK : MULTIPART_ENCODING;
	if (slice_eq_nocase(name, SLICE("content-type"))) {
		m->part.type = value;
		(void)param_split(value, &rest);
		m->part.charset = find_param(rest, SLICE("charset"));
	}
	return MULTIPART_OK;
}

static enum multipart_result
end_head(struct multipart *m)
{
	if (m->part.name.ptr == NULL)
		return bad(m, MULTIPART_NO_NAME);
	m->in_part = true;
	/* RFC 2046 section 5.1.1: a part may have no body, not even an empty one; then the
	 * CR LF that ended its head is that of the delimiter. */
	m->matched = m->imagined = 2;
	(void)go(m, IN_DATA);
	return MULTIPART_PART;
}

static enum multipart_result
end_line(struct multipart *m)
{
	struct slice line =
		slice_make(m->head + m->line_start, m->head_len - m->line_start);
	enum multipart_error e;

	if (!slice_ends_with(line, SLICE("\r\n")))
		return bad(m, MULTIPART_BARE_LF);
	line.len -= 2;
	if (m->line_start == 0)
		m->part = (struct multipart_part){ 0 };
	m->line_start = m->head_len;
	if (line.len == 0)
		return end_head(m);
	e = read_field(m, line);
	return e == MULTIPART_OK ? ON : bad(m, e);
}

static enum multipart_result
in_head(struct multipart *m, struct slice *in)
{
	size_t n = slice_find(*in, '\n');
	bool whole = n < in->len;

	n += whole ? 1 : 0;
	if (n > MULTIPART_HEAD_MAX - m->head_len)
		return bad(m, MULTIPART_HEAD_SIZE);
	memcpy(m->head + m->head_len, in->ptr, n);
	m->head_len += n;
	*in = slice_from(*in, n);
	return whole ? end_line(m) : MULTIPART_MORE;
}

/* --- the machine --- */

static enum multipart_result
step(struct multipart *m, struct slice *in, struct slice *data)
{
	switch ((enum state)m->state) {
	case IN_PREAMBLE:
		return in_preamble(m, in);
	case AT_DELIMITER:
	case AT_DASH:
	case IN_PADDING:
		return at_delimiter(m, take_byte(in));
	case AT_DELIMITER_LF:
		return at_delimiter_lf(m, take_byte(in));
	case IN_HEAD:
		return in_head(m, in);
	case IN_DATA:
		return search(m, in, data);
	case IN_END_PADDING:
	case AT_END_LF:
		return in_end_padding(m, take_byte(in));
	case IN_EPILOGUE:
		return in_epilogue(m, in);
	case AT_END:
	case FAILED:
		break;
	}
	return MULTIPART_BAD;
}

enum multipart_result
multipart_parse(struct multipart *m, struct slice *in, struct slice *data)
{
	enum multipart_result result = ON;

	while (result == ON) {
		if (m->state == AT_END)
			return end_form(m);
		if (in->len == 0)
			return MULTIPART_MORE;
		result = step(m, in, data);
	}
	return result;
}

enum multipart_error
multipart_finish(const struct multipart *m)
{
	if (m->state == FAILED)
		return m->error;
	return m->state == IN_END_PADDING || m->state == IN_EPILOGUE
		       ? MULTIPART_OK
		       : MULTIPART_TRUNCATED;
}

const char *
multipart_sentence(enum multipart_error e)
{
	static const char *const sentences[MULTIPART_ERROR_COUNT] = {
#define X(id, sentence) [MULTIPART_##id] = sentence,
		MULTIPART_ERRORS(X)
#undef X
	};

	return e < MULTIPART_ERROR_COUNT ? sentences[e] : "";
}
