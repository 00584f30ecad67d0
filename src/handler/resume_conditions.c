/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_conditions: "Name: value" and a line end, which no value has.
 */
#include "handler/resume_conditions.h"

#include <errno.h>
#include <string.h>

#include "http/names.h"

static bool
is_condition(enum http_field_id id)
{
	return id == HTTP_FIELD_IF_MATCH || id == HTTP_FIELD_IF_NONE_MATCH ||
	       id == HTTP_FIELD_IF_UNMODIFIED_SINCE;
}

int
resume_conditions_write(const struct http_head *head, struct arena *arena,
			struct slice *out)
{
	size_t len = 0;
	char *text, *at;

	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *f = &head->fields[i];

		if (is_condition(f->id))
			len += http_field_name(f->id).len + f->value.len + 3;
	}
	text = at = arena_alloc(arena, len + 1);
	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *f = &head->fields[i];
		struct slice name = http_field_name(f->id);

		if (!is_condition(f->id))
			continue;
		at = mempcpy(mempcpy(at, name.ptr, name.len), ": ", 2);
		at = mempcpy(mempcpy(at, f->value.ptr, f->value.len), "\n", 1);
	}
	*out = slice_make(text, len);
	return 0;
}

/* False at the end. */
static bool
take_field(struct slice *rest, struct http_field *out)
{
	size_t end = slice_find(*rest, '\n'), colon = slice_find(*rest, ':');

	if (end == rest->len || colon + 2 > end)
		return false;
	out->name = slice_make(rest->ptr, colon);
	out->id = http_field_from(out->name);
	out->value = slice_make(rest->ptr + colon + 2, end - colon - 2);
	*rest = slice_from(*rest, end + 1);
	return true;
}

const struct http_head *
resume_conditions_read(struct slice text, const struct http_head *head,
		       struct arena *arena)
{
	struct http_head *out = arena_alloc(arena, sizeof(*out));
	struct http_field *fields;
	size_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.ptr[i] == '\n';
	fields = arena_zalloc(arena, (lines + 1) * sizeof(*fields));
	if (out == NULL || fields == NULL)
		return NULL;
	*out = *head;
	out->fields = fields;
	out->field_count = 0;
	while (out->field_count < lines && take_field(&text, &fields[out->field_count]))
		out->field_count++;
	return out;
}
