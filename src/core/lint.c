/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint: findings as a list, sorted when it is printed.
 */
#include "core/lint.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/load.h"

struct lint_finding {
	struct lint_finding *next;
	enum lint_level level;
	struct conf_place place;
	const char *text;
	size_t seq;
};

void
lint_init(struct lint *l, const struct config *conf)
{
	*l = (struct lint){ .file = conf->file };
	arena_init(&l->arena, SIZE_MAX);
}

void
lint_fini(struct lint *l)
{
	arena_fini(&l->arena);
}

static const char *__attribute__((format(printf, 2, 0)))
text_of(struct lint *l, const char *fmt, va_list ap)
{
	const char *text = arena_vprintf(&l->arena, fmt, ap);

	if (text == NULL)
		l->failed = true;
	return text != NULL ? text : "";
}

static void
add(struct lint *l, enum lint_level level, const struct conf_place *place,
    const char *text)
{
	struct lint_finding *f = arena_zalloc(&l->arena, sizeof(*f));

	if (f == NULL) {
		l->failed = true;
		return;
	}
	f->level = level;
	f->place = *place;
	f->text = text;
	f->seq = l->finding_count++;
	f->next = l->findings;
	l->findings = f;
}

static void
count(struct lint *l, enum lint_level level)
{
	if (level == LINT_ERROR)
		l->errors++;
	else
		l->warnings++;
}

void
lint_warning(struct lint *l, const struct conf_place *place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(l, LINT_WARNING, place, text_of(l, fmt, ap));
	va_end(ap);
	count(l, LINT_WARNING);
}

void
lint_error(struct lint *l, const struct conf_place *place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(l, LINT_ERROR, place, text_of(l, fmt, ap));
	va_end(ap);
	count(l, LINT_ERROR);
}

bool
lint_count(struct lint *l, struct lint_kind *kind, const struct conf_place *place)
{
	count(l, kind->level);
	if (kind->count++ == LINT_SHOWN_MAX)
		kind->rest = *place;
	return kind->count <= LINT_SHOWN_MAX;
}

void
lint_shown(struct lint *l, const struct lint_kind *kind, const struct conf_place *place,
	   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(l, kind->level, place, text_of(l, fmt, ap));
	va_end(ap);
}

void
lint_rest(struct lint *l, const struct lint_kind *kind)
{
	if (kind->count > LINT_SHOWN_MAX)
		add(l, kind->level, &kind->rest,
		    lint_text(l, "and %zu more %s, from here on",
			      kind->count - LINT_SHOWN_MAX, kind->many));
}

const char *
lint_text(struct lint *l, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = text_of(l, fmt, ap);
	va_end(ap);
	return text;
}

const char *
lint_where(struct lint *l, const struct conf_place *place)
{
	const char *file = place->file != NULL ? place->file : "config";

	if (place->line == 0)
		return file;
	return lint_text(l, "%s:%" PRIu32 ":%" PRIu32, file, place->line, place->column);
}

/* --- print --- */

/* The main file first, the others by name, which is how they are included. */
static int
compare_files(const char *a, const char *b, const char *first)
{
	bool a_first, b_first;

	if (a == NULL || b == NULL || first == NULL)
		return a == b || first == NULL ? 0 : a == NULL ? -1 : 1;
	a_first = strcmp(a, first) == 0;
	b_first = strcmp(b, first) == 0;
	if (a_first != b_first)
		return a_first ? -1 : 1;
	return strcmp(a, b);
}

static int
by_place(const void *a, const void *b, void *main_file)
{
	const struct lint_finding *x = *(struct lint_finding *const *)a;
	const struct lint_finding *y = *(struct lint_finding *const *)b;
	int order = compare_files(x->place.file, y->place.file, main_file);

	if (order != 0)
		return order;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->place.column != y->place.column)
		return x->place.column < y->place.column ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

void
lint_print(struct lint *l, bool marked, struct buf *out)
{
	struct lint_finding **sorted = calloc(l->finding_count + 1, sizeof(*sorted));
	size_t n = 0;

	if (sorted == NULL)
		l->failed = true;
	for (struct lint_finding *f = l->findings; f != NULL && sorted != NULL;
	     f = f->next)
		sorted[n++] = f;
	if (n > 1)
		qsort_r(sorted, n, sizeof(*sorted), by_place, (void *)(uintptr_t)l->file);
	for (size_t i = 0; i < n; i++)
		conf_report(out, &sorted[i]->place, "%s%s",
			    marked && sorted[i]->level == LINT_WARNING ? "warning: " : "",
			    sorted[i]->text);
	free(sorted);
	if (l->failed)
		buf_add_str(out, "out of memory; not everything could be checked\n");
}
