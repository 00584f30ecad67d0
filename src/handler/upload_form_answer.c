/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_form_answer: what a form is answered with: JSON for programs, a page or "after" for
 * browsers. Names come from the client: into the page by buf_add_html(), links percent-encoded
 * before that, into JSON by buf_add_json().
 */
#include "handler/upload_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/exchange.h"
#include "handler/upload.h"
#include "http/negotiate.h"
#include "http/uri.h"

/* Room for the path of the collection and a name, all of it encoded. */
static char *
location_room(const struct exchange *ex)
{
	return malloc(3 * (ex->path.len + UPLOAD_NAME_MAX));
}

/* Where a file can be asked for; empty when the route has no place for its name. */
static struct slice
format_location(const struct exchange *ex, const char *name, char *room)
{
	size_t len;

	if (!ex->route->conf->is_prefix)
		return slice_make(room, 0);
	len = uri_path_encode(ex->path, room);
	len += uri_path_encode(slice_from_str(name), room + len);
	return slice_make(room, len);
}

/* --- JSON --- */

static void
render_json(struct buf *b, const struct exchange *ex, const struct publish_item *items,
	    size_t count, char *room)
{
	buf_add_str(b, "{\"files\": [");
	for (size_t i = 0; i < count; i++) {
		const char *name = items[i].result.name;
		struct slice location = format_location(ex, name, room);

		buf_add_str(b, i == 0 ? "\n{\"name\": \"" : ",\n{\"name\": \"");
		buf_add_json(b, slice_from_str(name));
		if (location.len != 0) {
			buf_add_str(b, "\", \"location\": \"");
			buf_add_json(b, location);
		}
		buf_add_str(b, "\", \"size\": ");
		buf_add_number(b, items[i].file->size);
		buf_add_char(b, '}');
	}
	buf_add_str(b, "\n]}\n");
}

/* --- the page --- */

/* The colours are those of listings. */
static const char page_head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Stored</title>\n<style>\n"
	":root{color-scheme:light dark;--paper:#f3f6f5;--line:#b9c6c2;--ink:#17221f;"
	"--soft:#475752;--path:#0a6153;--mark:#96400d}\n"
	"@media(prefers-color-scheme:dark){:root{--paper:#0f1716;--line:#34443f;"
	"--ink:#dde7e3;--soft:#a0b2ac;--path:#6bd0bc;--mark:#f0a873}}\n"
	"body{margin:0 auto;max-width:64rem;padding:1.5rem 1.5rem 3rem;"
	"background:var(--paper);color:var(--ink);font:1.0625rem/1.5 Seravek,"
	"\"Gill Sans Nova\",Ubuntu,Calibri,\"DejaVu Sans\",system-ui,sans-serif}\n"
	"h1{font-size:1.6rem;font-weight:600;margin:0 0 1.5rem}\n"
	"ul{list-style:none;margin:0;padding:0}\n"
	"li{display:flex;flex-wrap:wrap;gap:0 2rem;padding:.5rem 0;"
	"border-bottom:1px solid var(--line)}\n"
	"li bdi{white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"li span{margin-left:auto;color:var(--soft);font-variant-numeric:tabular-nums}\n"
	"p{margin:1.5rem 0 0}\n"
	"a{color:var(--path);text-decoration:none;text-underline-offset:.2em}\n"
	"a:hover{text-decoration:underline}\n"
	":focus-visible{outline:3px solid var(--mark);outline-offset:1px;"
	"border-radius:2px}\n"
	"</style>\n</head>\n<body>\n<main>\n<h1>";

/* Is what was stored to be seen there? */
static bool
is_readable(const struct exchange *ex)
{
	const struct handler *get = ex->route->by_method[HTTP_GET];

	return ex->route->conf->is_prefix && get != NULL &&
	       (get->ops->action & CONF_ACTION_FILES) != 0;
}

static void
render_file(struct buf *b, const struct publish_item *item, struct slice link)
{
	buf_add_str(b, "<li>");
	if (link.len != 0) {
		buf_add_str(b, "<a href=\"");
		buf_add_html(b, link);
		buf_add_str(b, "\">");
	}
	buf_add_str(b, "<bdi>");
	buf_add_html(b, slice_from_str(item->result.name));
	buf_add_str(b, link.len != 0 ? "</bdi></a><span>" : "</bdi><span>");
	buf_add_size(b, item->file->size);
	buf_add_str(b, "</span></li>\n");
}

/* To the page whose form it may have been; who is sent there by GET sends nothing twice. */
static void
render_way_back(struct buf *b, const struct exchange *ex, char *room)
{
	buf_add_str(b, "<p><a href=\"");
	buf_add_html(b, slice_make(room, uri_path_encode(ex->path, room)));
	buf_add_str(b, "\">Upload more files</a></p>\n");
}

static void
render_html(struct buf *b, const struct exchange *ex, const struct publish_item *items,
	    size_t count, char *room)
{
	bool links = is_readable(ex);

	buf_add(b, page_head, sizeof(page_head) - 1);
	buf_add_number(b, count);
	buf_add_str(b, count == 1 ? " file is stored</h1>\n<ul>\n"
				  : " files are stored</h1>\n<ul>\n");
	for (size_t i = 0; i < count; i++)
		render_file(b, &items[i],
			    links ? format_location(ex, items[i].result.name, room)
				  : slice_make(NULL, 0));
	buf_add_str(b, "</ul>\n");
	if (upload_has_page(ex))
		render_way_back(b, ex, room);
	buf_add_str(b, "</main>\n</body>\n</html>\n");
}

/* --- which --- */

static bool
prefers_page(const struct http_head *head)
{
	static const struct slice types[] = { SLICE_LIT("application/json"),
					      SLICE_LIT("text/html") };

	return negotiate_media(head, types, 2) == 1;
}

static int
add_fields(struct exchange *ex, const struct publish_item *items, size_t count, bool page)
{
	int status = 0;

	if (exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE,
			       page ? SLICE("text/html; charset=utf-8")
				    : SLICE("application/json")) < 0)
		return 500;
	ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CONTENT_TYPE);
	if (page) {
		ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CONTENT_SECURITY_POLICY);
		if (exchange_add_field(
			    ex, HTTP_FIELD_CONTENT_SECURITY_POLICY,
			    SLICE("default-src 'none'; style-src 'unsafe-inline'; "
				  "base-uri 'none'; form-action 'none'")) < 0)
			return 500;
	}
	if (count == 1 && ex->route->conf->is_prefix)
		status = upload_add_location(ex, HTTP_FIELD_LOCATION, "",
					     items[0].result.name);
	return status;
}

/* What "rename" adds to a name at most, in a URL and as text: " (999)". */
#define RENAMED_MORE 32

static bool
redirects(const struct form_answer *a, const struct exchange *ex)
{
	return a->is_page && upload_of(ex)->store.conf->after != NULL;
}

static void
render(struct form_answer *a, const struct exchange *ex, const struct publish_item *items,
       size_t count)
{
	(a->is_page ? render_html : render_json)(&a->body, ex, items, count, a->room);
}

/* Rendered as if all got the names that they ask for; what comes of it takes little more. */
static int
reserve_body(struct form_answer *a, const struct exchange *ex, struct publish_item *items,
	     size_t count)
{
	a->room = location_room(ex);
	if (a->room == NULL)
		return 503;
	for (size_t i = 0; i < count; i++)
		snprintf(items[i].result.name, sizeof(items[i].result.name), "%s",
			 fs_last_name(items[i].path));
	render(a, ex, items, count);
	if (a->body.failed || buf_reserve(&a->body, count * RENAMED_MORE) < 0)
		return 503;
	a->body.len = 0;
	return 0;
}

int
form_answer_init(struct form_answer *a, struct exchange *ex, struct publish_item *items,
		 size_t count)
{
	const char *after = upload_of(ex)->store.conf->after;
	int status;

	*a = (struct form_answer){ .is_page = prefers_page(&ex->head) };
	buf_init(&a->body);
	status = redirects(a, ex) ? 0 : reserve_body(a, ex, items, count);
	if (status == 0)
		status = upload_reserve_answer(
			ex, "",
			after != NULL ? strlen(after) + 3 * ex->head.query.len + 1 : 0);
	if (status != 0)
		form_answer_fini(a);
	return status;
}

void
form_answer_fini(struct form_answer *a)
{
	buf_fini(&a->body);
	free(a->room);
	a->room = NULL;
}

int
form_answer(struct form_answer *a, struct exchange *ex, const struct publish_item *items,
	    size_t count)
{
	int status;

	if (redirects(a, ex))
		return exchange_redirect(
			ex, 303, slice_from_str(upload_of(ex)->store.conf->after), false);
	render(a, ex, items, count);
	status = a->body.failed ? 500 : add_fields(ex, items, count, a->is_page);
	if (status != 0)
		return status;
	ex->body = body_memory(buf_slice(&a->body));
	ex->body.release = free;
	ex->body.owner = a->body.ptr;
	buf_init(&a->body);
	exchange_respond(ex, 201);
	return 0;
}
