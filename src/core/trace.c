/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace: a list of steps in an arena.
 */
#include "core/trace.h"

#include <stdarg.h>
#include <string.h>

#define TRACE_MEMORY ((size_t)16 * 1024 * 1024)

void
trace_init(struct trace *t)
{
	*t = (struct trace){ 0 };
	t->link = &t->first;
	arena_init(&t->arena, TRACE_MEMORY);
}

void
trace_fini(struct trace *t)
{
	arena_fini(&t->arena);
	*t = (struct trace){ 0 };
}

static bool
is_said(const struct trace *t, enum trace_kind kind, const char *text)
{
	for (const struct trace_step *s = t->first; s != NULL; s = s->next) {
		if (s->kind == kind && strcmp(s->text, text) == 0)
			return true;
	}
	return false;
}

void
trace_note(struct trace *t, enum trace_kind kind, const char *fmt, ...)
{
	struct trace_step *s = arena_zalloc(&t->arena, sizeof(*s));
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(&t->arena, fmt, ap);
	va_end(ap);
	if (s == NULL || text == NULL) {
		t->failed = true;
		return;
	}
	if (is_said(t, kind, text))
		return;
	s->kind = kind;
	s->text = text;
	*t->link = s;
	t->link = &s->next;
}

void
trace_set_file(struct trace *t, const char *root, const char *path, uint64_t size)
{
	const char *slash = root[strlen(root) - 1] == '/' ? "" : "/";

	t->file = arena_printf(&t->arena, "%s%s%s", root, slash, path);
	t->file_size = size;
	if (t->file == NULL)
		t->failed = true;
}

const char *
trace_kind_word(enum trace_kind kind)
{
	static const char *const words[] = {
#define X(id, word) [TRACE_##id] = word,
		TRACE_KINDS(X)
#undef X
	};

	return words[kind];
}
