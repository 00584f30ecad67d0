/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange_fields: the fields of an answer. What a handler adds is looked at here, and
 * what goes out is what handler, route and server say together.
 */
#include <string.h>

#include "core/cors.h"
#include "core/exchange.h"
#include "http/uri.h"

static bool
has_control_byte(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* Adds to a list of `max`; -1 when it is full, or the value would split the response. */
static int
add_field(struct http_field *list, size_t *count, size_t max, enum http_field_id id,
	  struct slice value)
{
	if (*count == max || has_control_byte(value))
		return -1;
	list[(*count)++] = (struct http_field){ http_field_name(id), value, id, false };
	return 0;
}

int
exchange_add_field(struct exchange *ex, enum http_field_id id, struct slice value)
{
	return add_field(ex->fields, &ex->field_count, EXCHANGE_FIELDS_MAX, id, value);
}

int
exchange_keep_field(struct exchange *ex, enum http_field_id id, struct slice value)
{
	return add_field(ex->kept_fields, &ex->kept_field_count, EXCHANGE_KEPT_MAX, id,
			 value);
}

int
exchange_redirect(struct exchange *ex, int status, struct slice to, bool keep_query)
{
	struct slice query = ex->head.query;
	char *location = arena_alloc(&ex->arena, to.len + 1 + 3 * query.len);
	size_t fragment = slice_find(to, '#');
	size_t len = fragment;

	if (location == NULL)
		return 503;
	memcpy(location, to.ptr, len);
	if (keep_query && ex->head.has_query) {
		bool has_one = slice_find(slice_make(to.ptr, fragment), '?') < fragment;

		location[len++] = has_one ? '&' : '?';
		len += uri_query_encode(query, location + len);
	}
	memcpy(location + len, to.ptr + fragment, to.len - fragment);
	len += to.len - fragment;
	if (exchange_add_field(ex, HTTP_FIELD_LOCATION, slice_make(location, len)) < 0)
		return 500;
	exchange_respond(ex, status);
	return 0;
}

int
exchange_redirect_slash(struct exchange *ex)
{
	char *path = arena_alloc(&ex->arena, 3 * ex->path.len + 1);
	size_t len;

	if (path == NULL)
		return 503;
	len = uri_path_encode(ex->path, path);
	path[len++] = '/';
	return exchange_redirect(ex, 308, slice_make(path, len), true);
}

/* --- what goes out --- */

/* Does a configured field apply to this answer? An error must not be cached like the page
 * that was asked for, and its body has a type of its own. */
static bool
applies(const struct exchange *ex, const struct http_field *over)
{
	if ((ex->own_fields & EXCHANGE_OWN(over->id)) != 0)
		return false;
	return ex->status < 400 || (over->id != HTTP_FIELD_CACHE_CONTROL &&
				    over->id != HTTP_FIELD_CONTENT_TYPE);
}

struct overlay {
	const struct exchange *ex;
	const struct http_field *fields;
	size_t count;
};

static bool
is_same_field(const struct http_field *a, const struct http_field *b)
{
	return a->id == b->id &&
	       (a->id != HTTP_FIELD_OTHER || slice_eq_nocase(a->name, b->name));
}

static bool
is_overridden(const struct overlay *o, const struct http_field *f)
{
	/* RFC 9110 section 12.5.5: several lines are one list, and ours stays true. */
	if (f->id == HTTP_FIELD_VARY)
		return false;
	for (size_t i = 0; i < o->count; i++) {
		if (is_same_field(&o->fields[i], f) && applies(o->ex, &o->fields[i]))
			return true;
	}
	return false;
}

static void
emit_block(const struct overlay *o, const struct http_field *fields, size_t count,
	   void (*emit)(void *ctx, const struct http_field *f), void *ctx)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_overridden(o, &fields[i]))
			emit(ctx, &fields[i]);
	}
}

void
exchange_each_field(const struct exchange *ex,
		    void (*emit)(void *ctx, const struct http_field *f), void *ctx)
{
	struct overlay o = { .ex = ex };

	if (ex->route != NULL) {
		o.fields = ex->route->fields;
		o.count = ex->route->field_count;
	} else if (ex->vhost != NULL) {
		o.fields = ex->vhost->fields;
		o.count = ex->vhost->field_count;
	}
	emit_block(&o, ex->shared_fields, ex->shared_field_count, emit, ctx);
	emit_block(&o, ex->fields, ex->field_count, emit, ctx);
	emit_block(&o, ex->kept_fields, ex->kept_field_count, emit, ctx);
	for (size_t i = 0; i < o.count; i++) {
		if (applies(ex, &o.fields[i]))
			emit(ctx, &o.fields[i]);
	}
	if (ex->route != NULL && ex->route->cors != NULL)
		cors_each_field(ex->route->cors, &ex->head, emit, ctx);
}
