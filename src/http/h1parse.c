/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1parse: bytes of a head to offsets, by a state machine that looks at every byte
 * once. A state takes the run of bytes it allows and judges the byte that ends the run,
 * so the verdict depends on the bytes alone, never on how they were cut into reads.
 * What concerns the head as a whole is in h1head.c.
 */
#include "http/h1parse.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "http/chars.h"

#define METHOD_MAX 32
#define EMPTY_LINES_MAX 2
#define HEADER_SIZE_MAX ((size_t)16 << 20) /* offsets are 32 bits wide */
#define VERSION_LEN 8                      /* "HTTP/1.1" */

enum state {
	AT_START,
	AT_START_LF,
	IN_METHOD,
	IN_TARGET,
	IN_VERSION,
	AT_REQUEST_LF,
	AT_LINE,
	IN_NAME,
	IN_VALUE,
	AT_FIELD_LF,
	AT_END_LF,
	DONE,
	FAILED
};

int
h1_parser_init(struct h1_parser *p, const struct h1_limits *limits)
{
	assert(limits->uri_size > 0 && limits->header_size > 0 &&
	       limits->field_count > 0);
	*p = (struct h1_parser){ .limits = *limits };
	if (p->limits.header_size > HEADER_SIZE_MAX)
		p->limits.header_size = HEADER_SIZE_MAX;
	if (p->limits.uri_size > p->limits.header_size)
		p->limits.uri_size = p->limits.header_size;
	if (p->limits.field_count > p->limits.header_size)
		p->limits.field_count = p->limits.header_size;
	p->lines = calloc(p->limits.field_count, sizeof(*p->lines));
	return p->lines != NULL ? 0 : -ENOMEM;
}

void
h1_parser_fini(struct h1_parser *p)
{
	free(p->lines);
	p->lines = NULL;
}

void
h1_parser_reset(struct h1_parser *p)
{
	struct h1_limits limits = p->limits;
	struct h1_line *lines = p->lines;

	*p = (struct h1_parser){ .limits = limits, .lines = lines };
}

/* In the states: OK is "went on to another state", MORE is "ran out of bytes". */

static enum h1_result
bad(struct h1_parser *p, int status, const char *reason)
{
	p->state = FAILED;
	p->status = status;
	p->reason = reason;
	return H1_BAD;
}

static enum h1_result
go(struct h1_parser *p, enum state state, size_t scanned)
{
	p->state = (int)state;
	p->scanned = scanned;
	return H1_OK;
}

static inline size_t
run_of(const char *s, size_t from, size_t end, unsigned classes)
{
	for (; end - from >= 4; from += 4) {
		if (!char_is(s[from], classes))
			return from;
		if (!char_is(s[from + 1], classes))
			return from + 1;
		if (!char_is(s[from + 2], classes))
			return from + 2;
		if (!char_is(s[from + 3], classes))
			return from + 3;
	}
	while (from < end && char_is(s[from], classes))
		from++;
	return from;
}

/* Which byte of eight, in the order of memory, is the first with its high bit in `marks`. */
static inline size_t
first_marked(uint64_t marks)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(marks) / 8;
#else
	(void)marks;
	return 0;
#endif
}

/* As run_of() with CHAR_TEXT, eight bytes at a time. Bytes below 0x20 and DEL are marked, and a
 * few others, by a borrow or a carry from the byte before; who is marked is looked at. */
static size_t
run_of_text(const char *s, size_t from, size_t end)
{
	const uint64_t ones = UINT64_MAX / 255, highs = ones * 0x80;

	while (end - from >= sizeof(uint64_t)) {
		uint64_t w, marks;

		memcpy(&w, s + from, sizeof(w));
		marks = ((w - ones * 0x20) | (w + ones)) & ~w & highs;
		if (marks == 0) {
			from += sizeof(w);
			continue;
		}
		from += first_marked(marks);
		if (!char_is(s[from], CHAR_TEXT))
			return from;
		from++;
	}
	return run_of(s, from, end, CHAR_TEXT);
}

/* Behind a CR at `cr`: `next` when its LF is here already, else what waits for it. */
static inline enum h1_result
go_behind_cr(struct h1_parser *p, const char *s, size_t cr, size_t end,
	     enum state waiting, enum state next)
{
	if (cr + 1 < end && s[cr + 1] == '\n')
		return go(p, next, cr + 2);
	return go(p, waiting, cr + 1);
}

static uint32_t
offset(size_t n)
{
	return (uint32_t)n; /* n <= HEADER_SIZE_MAX */
}

/* RFC 9112 section 2.2: empty lines before the request line are skipped, a few. */
static enum h1_result
at_start(struct h1_parser *p, const char *s)
{
	p->line_start = p->scanned;
	if (s[p->scanned] == '\r') {
		if (p->scanned >= 2 * EMPTY_LINES_MAX)
			return bad(p, 400, "empty lines before the request");
		return go(p, AT_START_LF, p->scanned + 1);
	}
	if (!char_is(s[p->scanned], CHAR_TOKEN))
		return bad(p, 400, "request line begins with no method");
	p->method.name_off = offset(p->scanned);
	return go(p, IN_METHOD, p->scanned);
}

static enum h1_result
in_method(struct h1_parser *p, const char *s, size_t end)
{
	size_t max = p->line_start + METHOD_MAX + 1;
	size_t i = run_of(s, p->scanned, end < max ? end : max, CHAR_TOKEN);

	p->scanned = i;
	if (i == max)
		return bad(p, 501, "method too long");
	if (i == end)
		return H1_MORE;
	if (s[i] != ' ')
		return bad(p, 400, "bad byte in method");
	p->method.name_len = offset(i - p->line_start);
	p->target.name_off = offset(i + 1);
	return go(p, IN_TARGET, i + 1);
}

static enum h1_result
in_target(struct h1_parser *p, const char *s, size_t end)
{
	size_t max = p->target.name_off + p->limits.uri_size + 1;
	size_t i = run_of(s, p->scanned, end < max ? end : max, CHAR_TARGET);

	p->scanned = i;
	if (i == max)
		return bad(p, 414, "request target too long");
	if (i == end)
		return H1_MORE;
	if (s[i] == '\r')
		return bad(p, 400, "request line without version");
	if (s[i] != ' ' || i == p->target.name_off)
		return bad(p, 400, "bad byte in request target");
	p->target.name_len = offset(i - p->target.name_off);
	return go(p, IN_VERSION, i + 1);
}

/* RFC 9112 section 2.3. A higher minor version of 1 is answered as 1.1. */
static enum h1_result
in_version(struct h1_parser *p, const char *s, size_t end)
{
	static const char form[VERSION_LEN + 1] = "HTTP/0.0";
	const char *v = s + p->target.name_off + p->target.name_len + 1;

	/* All but its last digit, where they came together. */
	if (s + p->scanned == v && end - p->scanned > VERSION_LEN &&
	    memcmp(v, "HTTP/1.", VERSION_LEN - 1) == 0)
		p->scanned += VERSION_LEN - 1;
	for (; p->scanned < end; p->scanned++) {
		size_t i = (size_t)(s + p->scanned - v);

		if (i == VERSION_LEN)
			break;
		if (form[i] == '0' ? !char_is_digit(v[i]) : v[i] != form[i])
			return bad(p, 400, "malformed HTTP version");
	}
	if (p->scanned == end)
		return H1_MORE;
	if (v[VERSION_LEN] != '\r')
		return bad(p, 400, "bad byte after HTTP version");
	if (v[5] != '1')
		return bad(p, 505, "HTTP version not supported");
	p->minor = v[7] != '0';
	p->have_request_line = true;
	return go_behind_cr(p, s, p->scanned, end, AT_REQUEST_LF, AT_LINE);
}

static enum h1_result
at_line(struct h1_parser *p, const char *s)
{
	char c = s[p->scanned];

	p->line_start = p->scanned;
	if (c == '\r')
		return go(p, AT_END_LF, p->scanned + 1);
	if (char_is_blank(c)) /* RFC 9112 section 5.2: obs-fold */
		return bad(p, 400, "folded field line");
	if (!char_is(c, CHAR_TOKEN))
		return bad(p, 400, "field line begins with no name");
	if (p->field_count == p->limits.field_count)
		return bad(p, 431, "too many fields");
	p->lines[p->field_count].name_off = offset(p->scanned);
	return go(p, IN_NAME, p->scanned);
}

/* RFC 9112 section 5.1: no whitespace before the colon, it smuggles. */
static enum h1_result
in_name(struct h1_parser *p, const char *s, size_t end)
{
	struct h1_line *line = &p->lines[p->field_count];
	size_t i = run_of(s, p->scanned, end, CHAR_TOKEN);

	p->scanned = i;
	if (i == end)
		return H1_MORE;
	if (s[i] != ':')
		return bad(p, 400, "bad byte in field name");
	line->name_len = offset(i) - line->name_off;
	return go(p, IN_VALUE, i + 1);
}

static enum h1_result
in_value(struct h1_parser *p, const char *s, size_t end)
{
	struct h1_line *line = &p->lines[p->field_count];
	size_t i = run_of_text(s, p->scanned, end);
	size_t from = (size_t)line->name_off + line->name_len + 1, to = i;

	p->scanned = i;
	if (i == end)
		return H1_MORE;
	if (s[i] != '\r')
		return bad(p, 400,
			   s[i] == '\n' ? "bare LF" : "control byte in field value");
	while (from < to && char_is_blank(s[from]))
		from++;
	while (to > from && char_is_blank(s[to - 1]))
		to--;
	line->value_off = offset(from);
	line->value_len = offset(to - from);
	p->field_count++;
	return go_behind_cr(p, s, i, end, AT_FIELD_LF, AT_LINE);
}

static enum h1_result
at_lf(struct h1_parser *p, const char *s, enum state next)
{
	if (s[p->scanned] != '\n')
		return bad(p, 400, "bare CR");
	return go(p, next, p->scanned + 1);
}

static enum h1_result
step(struct h1_parser *p, const char *s, size_t end)
{
	switch ((enum state)p->state) {
	case AT_START:
		return at_start(p, s);
	case AT_START_LF:
		return at_lf(p, s, AT_START);
	case IN_METHOD:
		return in_method(p, s, end);
	case IN_TARGET:
		return in_target(p, s, end);
	case IN_VERSION:
		return in_version(p, s, end);
	case AT_REQUEST_LF:
	case AT_FIELD_LF:
		return at_lf(p, s, AT_LINE);
	case AT_LINE:
		return at_line(p, s);
	case IN_NAME:
		return in_name(p, s, end);
	case IN_VALUE:
		return in_value(p, s, end);
	case AT_END_LF:
		return at_lf(p, s, DONE);
	case DONE:
	case FAILED:
		break;
	}
	return H1_BAD; /* never: h1_parse() asserts it */
}

enum h1_result
h1_parse(struct h1_parser *p, struct slice in)
{
	/* A byte beyond the limit is never looked at, so that a head that is cut
	 * otherwise gets the same verdict. */
	size_t end = in.len < p->limits.header_size ? in.len : p->limits.header_size;
	enum h1_result rc = H1_OK;

	assert(in.len >= p->scanned && p->state != DONE && p->state != FAILED);
	while (rc == H1_OK && p->scanned < end) {
		rc = step(p, in.ptr, end);
		if (p->state == DONE) {
			p->consumed = p->scanned;
			return H1_OK;
		}
	}
	if (rc == H1_BAD)
		return rc;
	if (end == p->limits.header_size)
		return p->have_request_line ? bad(p, 431, "head too large")
					    : bad(p, 414, "request line too long");
	return H1_MORE;
}
