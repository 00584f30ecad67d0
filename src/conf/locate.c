/* SPDX-License-Identifier: BSD-2-Clause
 *
 * locate: since the JSON parser has accepted the text, commas and colons can be skipped
 * like white space, and a string in an object is a key whenever no key is pending.
 * No recursion: the way back up is the parent pointer.
 */
#include "conf/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Up to this many members are compared pair by pair, more are sorted. */
#define FEW 8

struct scan {
	struct slice text;
	size_t at;
	size_t line_start;
	uint32_t line;
	struct arena *arena;
	struct locate_node *root;
	struct locate_node *open; /* innermost container; NULL at the top */
	struct slice key;         /* decoded, waiting for its value; ptr NULL if none */
	struct locate_pos key_pos;
};

static struct locate_pos
here(const struct scan *s)
{
	return (struct locate_pos){ s->line, (uint32_t)(s->at - s->line_start + 1) };
}

static unsigned
hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= (unsigned)(c - '0');
		else
			v |= (unsigned)((c | 0x20) - 'a' + 10) & 0xf;
	}
	return v;
}

static size_t
put_utf8(unsigned cp, char *out)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* One escape at p[0] == '\\'; *used tells how many bytes of the source it was. */
static size_t
decode_escape(const char *p, size_t len, char *out, size_t *used)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *simple;
	unsigned cp;

	*used = len < 2 ? len : 2;
	if (len < 2)
		return 0;
	if (p[1] != 'u') {
		simple = strchr(from, p[1]);
		*out = simple != NULL && *simple != '\0' ? to[simple - from] : p[1];
		return 1;
	}
	if (len < 6)
		return 0;
	*used = 6;
	cp = hex4(p + 2);
	if (cp >= 0xd800 && cp < 0xdc00 && len >= 12 && p[6] == '\\' && p[7] == 'u') {
		*used = 12;
		cp = 0x10000 + ((cp - 0xd800) << 10 | ((hex4(p + 8) - 0xdc00) & 0x3ff));
	}
	return put_utf8(cp, out);
}

/* What stands between the quotes of a string, with its escapes resolved. */
static int
decode_string(struct arena *arena, struct slice raw, struct slice *out)
{
	char *to = arena_alloc(arena, raw.len + 1);
	size_t n = 0, i = 0;

	if (to == NULL)
		return -1;
	while (i < raw.len) {
		size_t used = 1;

		if (raw.ptr[i] == '\\')
			n += decode_escape(raw.ptr + i, raw.len - i, to + n, &used);
		else
			to[n++] = raw.ptr[i];
		i += used;
	}
	to[n] = '\0';
	*out = slice_make(to, n);
	return 0;
}

static struct locate_node *
add_node(struct scan *s)
{
	struct locate_node *n = arena_zalloc(s->arena, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->pos = here(s);
	n->parent = s->open;
	n->key = s->key;
	n->key_pos = s->key_pos;
	s->key = slice_make(NULL, 0);
	if (s->open == NULL) {
		s->root = s->root != NULL ? s->root : n;
		return n;
	}
	n->index = n->own_index = s->open->count++;
	if (s->open->last != NULL)
		s->open->last->next = n;
	else
		s->open->first = n;
	s->open->last = n;
	return n;
}

static int
by_key(const void *a, const void *b)
{
	const struct locate_node *x = *(struct locate_node *const *)a;
	const struct locate_node *y = *(struct locate_node *const *)b;
	int order;

	if (x->key.len != y->key.len)
		return x->key.len < y->key.len ? -1 : 1;
	order = memcmp(x->key.ptr, y->key.ptr, x->key.len);
	if (order != 0)
		return order;
	return x->index < y->index ? -1 : 1;
}

static void
mark_few(struct locate_node *object)
{
	for (struct locate_node *n = object->first; n != NULL; n = n->next) {
		struct locate_node *m = object->first;

		while (m != n && !slice_eq(m->key, n->key))
			m = m->next;
		n->earlier = m != n ? m : NULL;
	}
}

/* Sets `earlier` of the members that are said again. */
static int
mark_duplicates(struct locate_node *object)
{
	struct locate_node **sorted;
	size_t i = 0;

	if (object->count <= FEW) {
		mark_few(object);
		return 0;
	}
	sorted = calloc(object->count, sizeof(struct locate_node *));
	if (sorted == NULL)
		return -1;
	for (struct locate_node *n = object->first; n != NULL; n = n->next)
		sorted[i++] = n;
	qsort(sorted, i, sizeof(struct locate_node *), by_key);
	for (size_t first = 0, k = 1; k < i; k++) {
		if (slice_eq(sorted[first]->key, sorted[k]->key))
			sorted[k]->earlier = sorted[first];
		else
			first = k;
	}
	free(sorted);
	return 0;
}

static int
scan_string(struct scan *s)
{
	struct locate_pos pos = here(s);
	size_t from = s->at + 1, to = from;
	bool is_key = s->open != NULL && s->open->is_object && s->key.ptr == NULL;

	while (to < s->text.len && s->text.ptr[to] != '"')
		to += s->text.ptr[to] == '\\' ? 2 : 1;
	if (to > s->text.len)
		to = s->text.len;
	if (is_key) {
		struct slice raw = slice_make(s->text.ptr + from, to - from);

		s->key_pos = pos;
		if (decode_string(s->arena, raw, &s->key) < 0)
			return -1;
	} else if (add_node(s) == NULL) {
		return -1;
	}
	s->at = to < s->text.len ? to + 1 : to;
	return 0;
}

static int
scan_open(struct scan *s, bool is_object)
{
	struct locate_node *n = add_node(s);

	if (n == NULL)
		return -1;
	n->is_object = is_object;
	s->open = n;
	s->at++;
	return 0;
}

static int
scan_close(struct scan *s)
{
	struct locate_node *n = s->open;

	s->at++;
	s->key = slice_make(NULL, 0);
	if (n == NULL)
		return 0;
	s->open = n->parent;
	return n->is_object ? mark_duplicates(n) : 0;
}

/* A number, true, false or null. */
static int
scan_word(struct scan *s)
{
	if (add_node(s) == NULL)
		return -1;
	while (s->at < s->text.len && s->text.ptr[s->at] != '\0' &&
	       strchr(" \t\r\n,:\"{}[]", s->text.ptr[s->at]) == NULL)
		s->at++;
	if (s->at < s->text.len && s->text.ptr[s->at] == '\0')
		s->at++;
	return 0;
}

static int
scan_token(struct scan *s)
{
	switch (s->text.ptr[s->at]) {
	case '\n':
		s->at++;
		s->line++;
		s->line_start = s->at;
		return 0;
	case ' ':
	case '\t':
	case '\r':
	case ',':
	case ':':
		s->at++;
		return 0;
	case '"':
		return scan_string(s);
	case '{':
		return scan_open(s, true);
	case '[':
		return scan_open(s, false);
	case '}':
	case ']':
		return scan_close(s);
	default:
		return scan_word(s);
	}
}

struct locate_node *
locate_build(struct slice text, struct arena *arena)
{
	struct scan s = { .text = text, .line = 1, .arena = arena };

	while (s.at < text.len) {
		if (scan_token(&s) < 0)
			return NULL;
	}
	return s.root;
}

const struct locate_node *
locate_member(const struct locate_node *object, const char *key)
{
	const struct locate_node *found = NULL;

	if (object == NULL || !object->is_object)
		return NULL;
	for (const struct locate_node *n = object->first; n != NULL; n = n->next) {
		if (slice_eq(n->key, slice_from_str(key)))
			found = n;
	}
	return found;
}

struct locate_pos
locate_offset(struct slice text, size_t offset)
{
	struct locate_pos pos = { 1, 1 };

	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			pos.line++;
			pos.column = 1;
		} else {
			pos.column++;
		}
	}
	return pos;
}

static void
add_step(const struct locate_node *n, struct buf *out)
{
	buf_add_char(out, '/');
	if (!n->parent->is_object) {
		buf_printf(out, "%u", n->own_index);
		return;
	}
	for (size_t i = 0; i < n->key.len; i++) {
		if (n->key.ptr[i] == '~')
			buf_add_str(out, "~0");
		else if (n->key.ptr[i] == '/')
			buf_add_str(out, "~1");
		else
			buf_add_char(out, n->key.ptr[i]);
	}
}

void
locate_pointer(const struct locate_node *node, struct buf *out)
{
	const struct locate_node *n = node;
	const struct locate_node **path;
	size_t depth = 0;

	for (; n->parent != NULL; n = n->parent)
		depth++;
	path = calloc(depth + 1, sizeof(const struct locate_node *));
	if (path == NULL) {
		out->failed = true;
		return;
	}
	for (n = node; n->parent != NULL; n = n->parent)
		path[--depth] = n;
	for (; path[depth] != NULL; depth++)
		add_step(path[depth], out);
	free(path);
}
