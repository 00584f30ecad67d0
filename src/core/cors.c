/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cors: an answer that depends on Origin says so in Vary even when no Origin came, or a
 * cache would give to one origin what was meant for another.
 */
#include "core/cors.h"

#include <inttypes.h>
#include <string.h>

/* --- at the start --- */

/* "a, b" of a list; a NULL ptr for an empty one. 0 or -1. */
static int
join(const struct conf_strings *list, struct arena *arena, struct slice *out)
{
	size_t len = 0;
	char *text, *p;

	*out = slice_make(NULL, 0);
	if (list->count == 0)
		return 0;
	for (size_t i = 0; i < list->count; i++)
		len += strlen(list->items[i]) + 2;
	text = p = arena_alloc(arena, len);
	if (text == NULL)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		if (i != 0)
			p = mempcpy(p, ", ", 2);
		p = mempcpy(p, list->items[i], strlen(list->items[i]));
	}
	*out = slice_make(text, (size_t)(p - text));
	return 0;
}

static unsigned
methods_of(const struct conf_strings *names)
{
	unsigned set = 0;

	for (size_t i = 0; i < names->count; i++)
		set |= HTTP_BIT(http_method_from(slice_from_str(names->items[i])));
	return set;
}

static int
set_methods(struct cors *c, const struct conf_cors *conf, unsigned methods,
	    struct arena *arena)
{
	const char *names[HTTP_METHOD_COUNT];
	struct conf_strings list = { names, 0 };

	c->methods = conf->methods.count != 0 ? methods_of(&conf->methods) : methods;
	for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
		/* Names come from literals: they end with a NUL. */
		if ((c->methods & HTTP_BIT(m)) != 0)
			names[list.count++] = http_method_name((enum http_method)m).ptr;
	}
	return join(&list, arena, &c->allow_methods);
}

static int
set_origins(struct cors *c, const struct conf_strings *list, struct arena *arena)
{
	struct slice *origins = arena_alloc(arena, (list->count + 1) * sizeof(*origins));

	if (origins == NULL)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		origins[i] = slice_from_str(list->items[i]);
		c->any_origin = c->any_origin || slice_eq(origins[i], SLICE("*"));
	}
	c->origins = origins;
	c->origin_count = list->count;
	return 0;
}

const struct cors *
cors_new(const struct conf_cors *conf, unsigned methods, struct arena *arena)
{
	struct cors *c = arena_zalloc(arena, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->credentials = conf->credentials;
	c->max_age =
		slice_from_str(arena_printf(arena, "%" PRIu32, conf->max_age_ms / 1000));
	if (c->max_age.ptr == NULL || set_origins(c, &conf->origins, arena) < 0 ||
	    set_methods(c, conf, methods, arena) < 0 ||
	    join(&conf->headers, arena, &c->allow_headers) < 0 ||
	    join(&conf->expose, arena, &c->expose) < 0)
		return NULL;
	return c;
}

/* 0 or -1. */
static int
widen(struct conf_strings *list, const char *const *more, size_t count,
      struct arena *arena)
{
	const char **items = arena_alloc(arena, (list->count + count) * sizeof(*items));

	if (items == NULL)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		items[i] = list->items[i];
	for (size_t i = 0; i < count; i++)
		items[list->count + i] = more[i];
	list->items = items;
	list->count += count;
	return 0;
}

const struct conf_cors *
cors_for_uploads(const struct conf_cors *conf, struct arena *arena)
{
	static const char *const sent[] = {
		"Content-Type",
		"Tus-Resumable",
		"Upload-Length",
		"Upload-Offset",
		"Upload-Metadata",
		"Upload-Defer-Length",
		"Upload-Checksum",
		"Upload-Complete",
		"Upload-Draft-Interop-Version",
		"Content-Digest",
		"Repr-Digest",
		"Content-Disposition",
		"X-HTTP-Method-Override",
	};
	static const char *const read[] = {
		"Location",
		"Content-Location",
		"Tus-Resumable",
		"Tus-Version",
		"Tus-Extension",
		"Tus-Max-Size",
		"Tus-Checksum-Algorithm",
		"Upload-Offset",
		"Upload-Length",
		"Upload-Metadata",
		"Upload-Defer-Length",
		"Upload-Expires",
		"Upload-Complete",
		"Upload-Limit",
		"Upload-Draft-Interop-Version",
	};
	struct conf_cors *c = arena_alloc(arena, sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = *conf;
	if (widen(&c->headers, sent, sizeof(sent) / sizeof(sent[0]), arena) < 0 ||
	    widen(&c->expose, read, sizeof(read) / sizeof(read[0]), arena) < 0)
		return NULL;
	return c;
}

/* --- for a request --- */

bool
cors_is_preflight(const struct http_head *head)
{
	return head->method == HTTP_OPTIONS &&
	       http_head_find(head, HTTP_FIELD_ORIGIN) != NULL &&
	       http_head_find(head, HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD) != NULL;
}

/* As it goes into Access-Control-Allow-Origin; a NULL ptr when it is not allowed. It is the
 * configuration's text that goes out, never the client's. */
static struct slice
allowed_origin(const struct cors *c, const struct http_head *head)
{
	struct slice origin;

	if (c->any_origin)
		return SLICE("*");
	origin = http_head_value(head, HTTP_FIELD_ORIGIN);
	for (size_t i = 0; i < c->origin_count; i++) {
		if (slice_eq(c->origins[i], origin))
			return c->origins[i];
	}
	return slice_make(NULL, 0);
}

bool
cors_allows_origin(const struct cors *c, const struct http_head *head)
{
	return allowed_origin(c, head).ptr != NULL;
}

static bool
allows_method(const struct cors *c, const struct http_head *head)
{
	struct slice name =
		http_head_value(head, HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD);
	enum http_method m = http_method_from(name);

	return m != HTTP_METHOD_UNKNOWN && (c->methods & HTTP_BIT(m)) != 0;
}

static struct slice
vary(const struct cors *c, bool is_preflight)
{
	if (!is_preflight)
		return c->any_origin ? slice_make(NULL, 0) : SLICE("Origin");
	return c->any_origin ? SLICE("Access-Control-Request-Method, "
				     "Access-Control-Request-Headers")
			     : SLICE("Origin, Access-Control-Request-Method, "
				     "Access-Control-Request-Headers");
}

struct sink {
	void (*emit)(void *ctx, const struct http_field *f);
	void *ctx;
};

static void
put(const struct sink *to, struct slice name, enum http_field_id id, struct slice value)
{
	struct http_field f = { name, value, id, false };

	if (value.ptr != NULL)
		to->emit(to->ctx, &f);
}

void
cors_each_field(const struct cors *c, const struct http_head *head,
		void (*emit)(void *ctx, const struct http_field *f), void *ctx)
{
	struct sink to = { emit, ctx };
	bool is_preflight = cors_is_preflight(head);
	struct slice origin = allowed_origin(c, head);
	const enum http_field_id other = HTTP_FIELD_OTHER;

	put(&to, SLICE("Vary"), HTTP_FIELD_VARY, vary(c, is_preflight));
	if (origin.ptr == NULL || (is_preflight && !allows_method(c, head)))
		return;
	put(&to, SLICE("Access-Control-Allow-Origin"), other, origin);
	if (c->credentials)
		put(&to, SLICE("Access-Control-Allow-Credentials"), other, SLICE("true"));
	if (is_preflight) {
		put(&to, SLICE("Access-Control-Allow-Methods"), other, c->allow_methods);
		put(&to, SLICE("Access-Control-Allow-Headers"), other, c->allow_headers);
		put(&to, SLICE("Access-Control-Max-Age"), other, c->max_age);
	} else {
		put(&to, SLICE("Access-Control-Expose-Headers"), other, c->expose);
	}
}
