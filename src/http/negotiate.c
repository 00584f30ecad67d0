/* SPDX-License-Identifier: BSD-2-Clause
 *
 * negotiate: fields are read element by element where they lie, nothing is copied or kept.
 * A rule for whatever a field says twice: the highest weight counts. So neither the order
 * of elements nor that of lines matters.
 */
#include "http/negotiate.h"

#include <assert.h>

#include "http/chars.h"

#define WEIGHT_MAX 1000

/* With both quotes; 0 when the second one is missing. Section 5.6.4. */
static size_t
quoted_len(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '"')
			return i + 1;
		if (s.ptr[i] == '\\')
			i++;
	}
	return 0;
}

/* A comma within a quoted string is no separator. */
static size_t
element_len(struct slice s)
{
	size_t i = 0;

	while (i < s.len && s.ptr[i] != ',') {
		size_t n = s.ptr[i] == '"' ? quoted_len(slice_from(s, i)) : 1;

		if (n == 0)
			return s.len;
		i += n;
	}
	return i;
}

/* Takes the next element from the front of *s; empty ones pass (section 5.6.1.2). */
static bool
next_element(struct slice *s, struct slice *element)
{
	while (s->len != 0) {
		size_t n = element_len(*s);

		*element = slice_trim(slice_make(s->ptr, n));
		*s = slice_from(*s, n + 1);
		if (element->len != 0)
			return true;
	}
	return false;
}

/* Section 12.4.2: "0", "0.5", "1.000". False for anything else. */
static bool
read_qvalue(struct slice s, uint16_t *q)
{
	unsigned unit = WEIGHT_MAX, v = 0;

	if (s.len == 0 || s.len > 5 || (s.len > 1 && s.ptr[1] != '.'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (i == 1)
			continue;
		if (!char_is_digit(s.ptr[i]))
			return false;
		v += unit * (unsigned)(s.ptr[i] - '0');
		unit /= 10;
	}
	if (v > WEIGHT_MAX)
		return false;
	*q = (uint16_t)v;
	return true;
}

/* What Accept-Encoding says of one coding, or of "*". */
struct weight {
	bool is_named;
	uint16_t q;
};

static void
weigh(struct weight *w, uint16_t q)
{
	if (!w->is_named || q > w->q)
		w->q = q;
	w->is_named = true;
}

/* Nothing, or ";q=" and a qvalue. */
static bool
read_weight(struct slice s, uint16_t *q)
{
	*q = WEIGHT_MAX;
	s = slice_trim(s);
	if (s.len == 0)
		return true;
	if (s.ptr[0] != ';')
		return false;
	s = slice_trim(slice_from(s, 1));
	return s.len > 2 && char_lower(s.ptr[0]) == 'q' && s.ptr[1] == '=' &&
	       read_qvalue(slice_from(s, 2), q);
}

static void
read_codings(struct slice s, struct weight named[CODING_COUNT], struct weight *any)
{
	struct slice element;

	while (next_element(&s, &element)) {
		size_t n = char_token_len(element);
		struct slice name = slice_make(element.ptr, n);
		enum coding c = coding_from(name);
		uint16_t q;

		if (!read_weight(slice_from(element, n), &q))
			continue;
		if (slice_eq(name, SLICE("*")))
			weigh(any, q);
		else if (c < CODING_COUNT)
			weigh(&named[c], q);
	}
}

void
negotiate_codings(const struct http_head *head, struct negotiate_codings *out)
{
	struct weight named[CODING_COUNT] = { 0 }, any = { 0 };
	bool asked = false;

	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id != HTTP_FIELD_ACCEPT_ENCODING)
			continue;
		asked = true;
		read_codings(head->fields[i].value, named, &any);
	}
	/* Everything is acceptable, but nobody asked for the work of coding. */
	if (!asked) {
		any = (struct weight){ true, 1 };
		named[CODING_IDENTITY] = (struct weight){ true, WEIGHT_MAX };
	}
	for (size_t c = 0; c < CODING_COUNT; c++) {
		if (!named[c].is_named)
			named[c] = any;
		out->q[c] = named[c].q;
	}
	out->identity_is_named = named[CODING_IDENTITY].is_named;
	if (!out->identity_is_named)
		out->q[CODING_IDENTITY] = WEIGHT_MAX;
}

enum coding
negotiate_pick_coding(const struct negotiate_codings *want, const enum coding *offered,
		      size_t count)
{
	enum coding best = CODING_COUNT;
	uint16_t best_q = 0;

	for (size_t i = 0; i < count; i++) {
		enum coding c = offered[i];

		assert(c < CODING_COUNT);
		if (want->q[c] > best_q &&
		    (c != CODING_IDENTITY || want->identity_is_named)) {
			best = c;
			best_q = want->q[c];
		}
	}
	if (want->q[CODING_IDENTITY] > best_q &&
	    (best == CODING_COUNT || want->identity_is_named))
		best = CODING_IDENTITY;
	return best;
}

/* One element of Accept. */
struct media_range {
	struct slice type, subtype; /* each may be "*" */
	bool has_parameters;        /* other than q */
	uint16_t q;
};

/* The length of `name "=" value`, 0 when it is no parameter (section 5.6.6); *name gets the
 * length of the name. */
static size_t
parameter_len(struct slice s, size_t *name)
{
	struct slice value;
	size_t n;

	*name = char_token_len(s);
	if (*name == 0 || *name == s.len || s.ptr[*name] != '=')
		return 0;
	value = slice_from(s, *name + 1);
	n = value.len != 0 && value.ptr[0] == '"' ? quoted_len(value)
						  : char_token_len(value);
	return n != 0 ? *name + 1 + n : 0;
}

/* Section 12.5.1: q may stand anywhere among them, but once. */
static bool
read_parameters(struct slice s, struct media_range *r)
{
	bool weighed = false;

	for (s = slice_trim(s); s.len != 0; s = slice_trim(s)) {
		size_t name, n;

		if (s.ptr[0] != ';')
			return false;
		s = slice_trim(slice_from(s, 1));
		if (s.len == 0 || s.ptr[0] == ';')
			continue; /* an empty parameter is one */
		n = parameter_len(s, &name);
		if (n == 0)
			return false;
		if (name != 1 || char_lower(s.ptr[0]) != 'q')
			r->has_parameters = true;
		else if (weighed || !read_qvalue(slice_make(s.ptr + 2, n - 2), &r->q))
			return false;
		else
			weighed = true;
		s = slice_from(s, n);
	}
	return true;
}

static bool
is_star(struct slice s)
{
	return slice_eq(s, SLICE("*"));
}

static bool
read_media_range(struct slice s, struct media_range *r)
{
	size_t n = char_token_len(s);

	*r = (struct media_range){ .type = slice_make(s.ptr, n), .q = WEIGHT_MAX };
	if (n == 0 || n == s.len || s.ptr[n] != '/')
		return false;
	s = slice_from(s, n + 1);
	n = char_token_len(s);
	r->subtype = slice_make(s.ptr, n);
	return n != 0 && (!is_star(r->type) || is_star(r->subtype)) &&
	       read_parameters(slice_from(s, n), r);
}

/* How closely a media range names a type; a higher one overrules a lower one. */
enum precision {
	NAMES_ANY,     /* any type */
	NAMES_TYPE,    /* any subtype */
	NAMES_SUBTYPE, /* the type itself */
	PRECISION_COUNT
};

struct media_weights {
	struct weight by[PRECISION_COUNT];
	struct weight variant; /* the type, but with parameters */
};

static void
weigh_media(struct media_weights *w, const struct media_range *r, struct slice type)
{
	size_t slash = slice_find(type, '/');
	enum precision p = NAMES_SUBTYPE;

	if (is_star(r->type))
		p = NAMES_ANY;
	else if (!slice_eq_nocase(r->type, slice_make(type.ptr, slash)))
		return;
	else if (is_star(r->subtype))
		p = NAMES_TYPE;
	else if (!slice_eq_nocase(r->subtype, slice_from(type, slash + 1)))
		return;
	weigh(r->has_parameters ? &w->variant : &w->by[p], r->q);
}

/* Who wants "text/html;level=1" gets text/html rather than nothing, but who refuses that
 * variant has not refused the type. */
static uint16_t
media_weight(const struct media_weights *w)
{
	uint16_t q;

	if (w->by[NAMES_SUBTYPE].is_named)
		return w->by[NAMES_SUBTYPE].q;
	q = w->by[NAMES_TYPE].is_named ? w->by[NAMES_TYPE].q : w->by[NAMES_ANY].q;
	return w->variant.q > q ? w->variant.q : q;
}

static uint16_t
accept_weight(const struct http_head *head, struct slice type)
{
	struct media_weights w = { 0 };

	for (size_t i = 0; i < head->field_count; i++) {
		struct slice s = head->fields[i].value, element;
		struct media_range r;

		if (head->fields[i].id != HTTP_FIELD_ACCEPT)
			continue;
		while (next_element(&s, &element)) {
			if (read_media_range(element, &r))
				weigh_media(&w, &r, type);
		}
	}
	return media_weight(&w);
}

size_t
negotiate_media(const struct http_head *head, const struct slice *types, size_t count)
{
	size_t best = count;
	uint16_t best_q = 0;

	if (http_head_find(head, HTTP_FIELD_ACCEPT) == NULL)
		return 0;
	for (size_t i = 0; i < count; i++) {
		uint16_t q = accept_weight(head, types[i]);

		if (q > best_q) {
			best = i;
			best_q = q;
		}
	}
	return best;
}
