/* SPDX-License-Identifier: BSD-2-Clause
 *
 * report: errors are collected as text with a position and written at the end, sorted,
 * since the walk follows the table and not the file. Whatever came from the file is made
 * harmless on its way out: one error is one line.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "conf/load.h"
#include "conf/loader.h"
#include "http/chars.h"

#define QUOTE_MAX 60

struct conf_error {
	struct conf_error *next;
	size_t file;
	uint32_t line, column;
	size_t seq;
	const char *pointer;
	const char *message;
};

/* Control bytes (also the C1 set) as \u00XX, what is no UTF-8 as \xXX. */
static void
add_visible(struct buf *b, const char *text)
{
	struct slice s = slice_from_str(text);

	while (s.len != 0) {
		unsigned char c = (unsigned char)s.ptr[0];
		size_t n = utf8_len(s);

		if (n == 0)
			buf_printf(b, "\\x%02x", c);
		else if (n == 1 && (c < 0x20 || c == 0x7f))
			buf_printf(b, "\\u%04x", c);
		else if (c == 0xc2 && (unsigned char)s.ptr[1] < 0xa0)
			buf_printf(b, "\\u%04x", (unsigned char)s.ptr[1]);
		else
			buf_add(b, s.ptr, n);
		s = slice_from(s, n != 0 ? n : 1);
	}
}

static void
add_line(struct buf *b, const struct conf_place *place, const char *message)
{
	const char *pointer = place->pointer != NULL ? place->pointer : "";

	add_visible(b, place->file != NULL ? place->file : "config");
	if (place->line != 0)
		buf_printf(b, ":%" PRIu32 ":%" PRIu32, place->line, place->column);
	buf_add_str(b, ": ");
	if (*pointer != '\0') {
		add_visible(b, pointer);
		buf_add_str(b, ": ");
	}
	add_visible(b, message);
	buf_add_char(b, '\n');
}

void
conf_report(struct buf *errors, const struct conf_place *place, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	add_line(errors, place, text != NULL ? text : "out of memory");
	free(text);
}

const char *
load_text(struct load *l, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(&l->scratch, fmt, ap);
	va_end(ap);
	if (text == NULL)
		l->failed = true;
	return text != NULL ? text : "";
}

static const char *
pointer_in(struct load *l, struct arena *arena, const struct locate_node *node)
{
	struct buf b;
	const char *text;

	buf_init(&b);
	locate_pointer(node, &b);
	text = b.failed ? NULL : arena_strdup(arena, buf_slice(&b));
	buf_fini(&b);
	if (text == NULL)
		l->failed = true;
	return text != NULL ? text : "";
}

const char *
load_pointer(struct load *l, const struct locate_node *node)
{
	return pointer_in(l, &l->scratch, node);
}

static void __attribute__((format(printf, 5, 0)))
note(struct load *l, size_t file, struct locate_pos pos, const char *pointer,
     const char *fmt, va_list ap)
{
	struct conf_error *e;
	const char *message;

	l->error_count++;
	if (l->error_max != 0 && l->error_count > l->error_max)
		return;
	e = arena_zalloc(&l->scratch, sizeof(*e));
	message = arena_vprintf(&l->scratch, fmt, ap);
	if (e == NULL || message == NULL) {
		l->failed = true;
		return;
	}
	e->next = l->errors;
	e->file = file;
	e->line = pos.line;
	e->column = pos.column;
	e->seq = l->error_count;
	e->pointer = pointer;
	e->message = message;
	l->errors = e;
}

void
load_error(struct load *l, const struct conf_at *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(l, at->node->file, at->node->pos, pointer_in(l, &l->scratch, at->node), fmt,
	     ap);
	va_end(ap);
}

void
load_error_key(struct load *l, const struct locate_node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(l, node->file, node->key_pos, pointer_in(l, &l->scratch, node), fmt, ap);
	va_end(ap);
}

void
load_error_place(struct load *l, const struct conf_place *place, const char *fmt, ...)
{
	struct locate_pos pos = { place->line, place->column };
	size_t file = l->file_count - 1;
	va_list ap;

	/* The name is the very string of the table. */
	while (file != 0 && place->file != l->files[file].name)
		file--;
	va_start(ap, fmt);
	note(l, file, pos, place->pointer, fmt, ap);
	va_end(ap);
}

static int
by_position(const void *a, const void *b)
{
	const struct conf_error *x = *(struct conf_error *const *)a;
	const struct conf_error *y = *(struct conf_error *const *)b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

/* In a configuration made from the command line, positions mean nothing to anyone. */
static const char *
argument_name(const char *pointer)
{
	return slice_starts_with(slice_from_str(pointer), SLICE("/servers/0/listen"))
		       ? "-l"
		       : "DIR";
}

static void
print_error(struct load *l, const struct conf_error *e, struct buf *out)
{
	struct conf_place place = { l->files[e->file].name, e->line, e->column,
				    e->pointer };

	if (l->builtin)
		place = (struct conf_place){ .file = argument_name(e->pointer) };
	add_line(out, &place, e->message);
}

void
load_print_errors(struct load *l, struct buf *out)
{
	struct conf_error **sorted;
	size_t n = 0;

	sorted = calloc(l->error_count + 1, sizeof(struct conf_error *));
	if (sorted == NULL)
		l->failed = true;
	for (struct conf_error *e = l->errors; e != NULL && sorted != NULL; e = e->next)
		sorted[n++] = e;
	if (n > 1)
		qsort(sorted, n, sizeof(struct conf_error *), by_position);
	for (size_t i = 0; i < n; i++)
		print_error(l, sorted[i], out);
	free(sorted);
	if (l->failed)
		buf_printf(out, "%s: out of memory; the configuration is not loaded\n",
			   l->name);
}

static struct conf_place
make_place(struct load *l, const struct locate_node *node, struct locate_pos pos)
{
	const char *pointer;

	if (l->builtin) {
		pointer = pointer_in(l, &l->scratch, node);
		return (struct conf_place){ .file = argument_name(pointer),
					    .pointer = "" };
	}
	pointer = pointer_in(l, &l->config->arena, node);
	return (struct conf_place){ l->files[node->file].name, pos.line, pos.column,
				    pointer };
}

struct conf_place
load_place(struct load *l, const struct locate_node *node)
{
	return make_place(l, node, node->pos);
}

struct conf_place
load_place_key(struct load *l, const struct locate_node *node)
{
	return make_place(l, node, node->key_pos);
}

const char *
load_where(struct load *l, const struct conf_place *place)
{
	bool is_named = !l->builtin && place->file != NULL;

	return load_text(l, "%s:%" PRIu32 ":%" PRIu32, is_named ? place->file : l->name,
			 place->line, place->column);
}

const char *
load_where_node(struct load *l, const struct locate_node *node)
{
	struct conf_place place = { l->files[node->file].name, node->key_pos.line,
				    node->key_pos.column, NULL };

	return load_where(l, &place);
}

const char *
load_quote(struct load *l, struct slice s)
{
	size_t n = s.len;

	if (n <= QUOTE_MAX)
		return load_text(l, "\"%.*s\"", SLICE_ARG(s));
	for (n = QUOTE_MAX; n > 0 && ((unsigned char)s.ptr[n] & 0xc0) == 0x80; n--)
		;
	return load_text(l, "\"%.*s...\"", (int)n, s.ptr);
}

void *
load_alloc(struct load *l, size_t count, size_t size)
{
	void *p = NULL;

	if (size == 0 || count <= SIZE_MAX / size)
		p = arena_zalloc(&l->config->arena, count * size);
	if (p == NULL)
		l->failed = true;
	return p;
}

const char *
load_strdup(struct load *l, struct slice s)
{
	const char *p = arena_strdup(&l->config->arena, s);

	if (p == NULL)
		l->failed = true;
	return p;
}

const char *
load_strdup_lower(struct load *l, struct slice s)
{
	char *p = arena_strdup(&l->config->arena, s);

	if (p == NULL)
		l->failed = true;
	for (size_t i = 0; p != NULL && i < s.len; i++)
		p[i] = char_lower(p[i]);
	return p;
}

const char *
load_path(struct load *l, const struct conf_at *at, struct slice s)
{
	const char *base = l->files[at != NULL ? at->node->file : 0].base_dir;
	const char *slash = slice_ends_with(slice_from_str(base), SLICE("/")) ? "" : "/";
	const char *path;

	if (s.ptr[0] == '/')
		return load_strdup(l, s);
	while (slice_starts_with(s, SLICE("./"))) {
		s = slice_from(s, 2);
		while (s.len != 0 && s.ptr[0] == '/')
			s = slice_from(s, 1);
	}
	if (s.len == 0 || slice_eq(s, SLICE(".")))
		return load_strdup(l, slice_from_str(base));
	path = arena_printf(&l->config->arena, "%s%s%.*s", base, slash, SLICE_ARG(s));
	if (path == NULL)
		l->failed = true;
	return path;
}
