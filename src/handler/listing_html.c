/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing_html: one page without scripts or outside resources, for phones and desktops. What
 * comes from the file system or the request goes through two doors: text and attributes by
 * buf_add_html(), links percent-encoded before that. A name is isolated (bdi), so that text
 * from right to left keeps to itself.
 */
#include <string.h>

#include "handler/listing_render.h"

#define CRUMBS_MAX 24 /* directories in the heading; those between are left out */

/* The colours are those of the site that comes with the server. */
static const char style[] =
	":root{color-scheme:light dark;--paper:#f3f6f5;--raised:#e7eceb;--line:#b9c6c2;"
	"--ink:#17221f;--soft:#475752;--path:#0a6153;--mark:#96400d}\n"
	"@media(prefers-color-scheme:dark){:root{--paper:#0f1716;--raised:#182322;"
	"--line:#34443f;--ink:#dde7e3;--soft:#a0b2ac;--path:#6bd0bc;--mark:#f0a873}}\n"
	"*,::before,::after{box-sizing:border-box}\n"
	"html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"
	"body{margin:0 auto;max-width:64rem;padding:1.5rem 1.5rem 3rem;"
	"background:var(--paper);color:var(--ink);font:1.0625rem/1.5 Seravek,"
	"\"Gill Sans Nova\",Ubuntu,Calibri,\"DejaVu Sans\",system-ui,sans-serif}\n"
	"a{color:var(--path);text-decoration:none;text-underline-offset:.2em}\n"
	"a:hover{text-decoration:underline}\n"
	":focus-visible{outline:3px solid var(--mark);outline-offset:1px;"
	"border-radius:2px}\n"
	"bdi{white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"h1{display:flex;flex-wrap:wrap;gap:.25rem;margin:0 0 1.5rem;"
	"font:600 1.125rem/1.5 ui-monospace,\"Cascadia Code\",\"Source Code Pro\","
	"Menlo,Consolas,\"DejaVu Sans Mono\",monospace}\n"
	"h1>*{min-width:2.5rem;padding:.41rem .6rem;text-align:center}\n"
	"h1 a{background:var(--raised);border-radius:4px}\n"
	"h1 span{padding-left:.3rem;text-align:left}\n"
	"table{width:100%;border-collapse:collapse}\n"
	"th,td{padding:0;border-bottom:1px solid var(--line);text-align:left;"
	"vertical-align:top}\n"
	"th{border-bottom-width:2px;font-weight:600;font-size:.9375rem}\n"
	"th a{display:inline-block;min-width:2.5rem;padding:.55rem 0;color:var(--soft)}\n"
	"th[aria-sort] a{color:var(--ink)}\n"
	"th[aria-sort] a::after{content:\"\\a0\\2191\"}\n"
	"th[aria-sort=descending] a::after{content:\"\\a0\\2193\"}\n"
	"tbody tr:hover{background:var(--raised)}\n"
	"td+td{padding:.5rem 0;color:var(--soft);white-space:nowrap}\n"
	"th:nth-child(2),td:nth-child(2){padding-left:2rem;text-align:right}\n"
	"th:nth-child(3),td:nth-child(3){width:1%;padding-left:2rem;white-space:nowrap}\n"
	"td,.sum{font-variant-numeric:tabular-nums}\n"
	"td a{display:block;position:relative;min-height:2.5rem;"
	"padding:.5rem .5rem .5rem 2rem}\n"
	"td a::before{content:\"\";position:absolute;left:.3rem;top:.72rem;width:.9rem;"
	"height:1.1rem;background:var(--soft);opacity:.5;"
	"clip-path:polygon(0 0,60% 0,100% 33%,100% 100%,0 100%)}\n"
	"td .d::before{left:.1rem;top:.8rem;width:1.25rem;height:1rem;"
	"background:var(--path);opacity:1;"
	"clip-path:polygon(0 0,42% 0,54% 16%,100% 16%,100% 100%,0 100%)}\n"
	"td .u::before{opacity:1;clip-path:polygon(50% 0,100% 45%,64% 45%,"
	"64% 100%,36% 100%,36% 45%,0 45%)}\n"
	".sum{margin:1.25rem 0 0;color:var(--soft);font-size:.9375rem}\n"
	/* Narrow: size and date go beneath the name; the columns can still be sorted by. */
	"@media(max-width:38rem){body{padding:1rem 1rem 2rem}"
	"thead tr{display:flex;gap:1.75rem;border-bottom:2px solid var(--line)}"
	"tbody tr{display:grid;grid-template-columns:auto 1fr;column-gap:1rem;"
	"border-bottom:1px solid var(--line)}"
	"th:nth-child(n),td:nth-child(n){width:auto;padding:0;border:0;text-align:left}"
	"td:first-child{grid-column:1/-1}td a{padding-bottom:.2rem}"
	"td:nth-child(n+2){padding-bottom:.5rem;font-size:.9375rem}"
	"td:nth-child(2),td:empty+td:nth-child(3){padding-left:2rem}"
	"td:empty{display:none}}\n";

struct column {
	enum dirlist_sort sort;
	const char *key, *label;
	bool descends_first; /* the newest and the largest are looked for */
};

static const struct column columns[] = {
	{ DIRLIST_BY_NAME, "name", "Name", false },
	{ DIRLIST_BY_SIZE, "size", "Size", true },
	{ DIRLIST_BY_DATE, "date", "Modified (UTC)", true },
};

/* --- parts --- */

static void
add_count(struct buf *b, uint64_t n, const char *one, const char *many)
{
	buf_add_number(b, n);
	buf_add_char(b, ' ');
	buf_add_str(b, n == 1 ? one : many);
}

static void
add_query(struct buf *b, const char *key, bool descending)
{
	buf_add_str(b, "?sort=");
	buf_add_str(b, key);
	buf_add_str(b, descending ? "&amp;order=desc" : "&amp;order=asc");
}

/* A chosen order is kept on the way to other directories. */
static void
add_kept_query(struct buf *b, const struct listing_page *page)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (page->sort == columns[i].sort && (i != 0 || page->descending))
			add_query(b, columns[i].key, page->descending);
	}
}

/* The link to the directory `n` levels up. Runs of slashes in the path as it was sent are one
 * slash to us, but levels of their own to who resolves the link. */
static void
add_link_up(struct buf *b, const struct listing_page *page, size_t n)
{
	struct slice path = page->request;

	while (path.len > 0 && path.ptr[path.len - 1] != '/')
		path.len--;
	while (n > 0 && path.len > 1) {
		size_t end = path.len - 1;

		for (path.len = end; path.len > 0 && path.ptr[path.len - 1] != '/';)
			path.len--;
		if (path.len < end)
			n--;
		buf_add_str(b, "../");
	}
	add_kept_query(b, page);
}

/* --- the head --- */

static void
add_crumb(struct buf *b, const struct listing_page *page, struct slice text, size_t up)
{
	if (up != 0) {
		buf_add_str(b, "<a href=\"");
		add_link_up(b, page, up);
		buf_add_str(b, "\"><bdi>");
	} else {
		buf_add_str(b, "<span aria-current=\"page\"><bdi>");
	}
	buf_add_html(b, text);
	buf_add_str(b, up != 0 ? "</bdi></a>" : "</bdi></span>");
}

/* The root, which is all that the route's path says, then a link for each directory. */
static void
add_crumbs(struct buf *b, const struct listing_page *page)
{
	struct slice root = slice_make(page->path.ptr, page->path.len - page->rest.len);
	struct slice rest = page->rest;
	size_t up = slice_count(rest, '/');

	add_crumb(b, page, root, up);
	if (up > CRUMBS_MAX)
		buf_add_str(b, "<span>&hellip;</span>");
	while (up > 0) {
		size_t n = slice_find(rest, '/') + 1;

		if (up-- <= CRUMBS_MAX)
			add_crumb(b, page, slice_make(rest.ptr, n), up);
		rest = slice_from(rest, n);
	}
}

static void
add_column(struct buf *b, const struct listing_page *page, const struct column *c)
{
	bool is_current = page->sort == c->sort;

	buf_add_str(b, "<th scope=\"col\"");
	if (is_current)
		buf_add_str(b, page->descending ? " aria-sort=\"descending\""
						: " aria-sort=\"ascending\"");
	buf_add_str(b, "><a href=\"");
	add_query(b, c->key, is_current ? !page->descending : c->descends_first);
	buf_add_str(b, "\">");
	buf_add_str(b, c->label);
	buf_add_str(b, "</a></th>");
}

static void
render_head(struct buf *b, const struct listing_page *page)
{
	buf_add_str(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
		       "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
		       "content=\"width=device-width, initial-scale=1\">\n"
		       "<title>Index of ");
	buf_add_html(b, page->path);
	buf_add_str(b, "</title>\n<style>\n");
	buf_add(b, style, sizeof(style) - 1);
	buf_add_str(b, "</style>\n</head>\n<body>\n<nav aria-label=\"Path\"><h1>");
	add_crumbs(b, page);
	buf_add_str(b, "</h1></nav>\n<main>\n<table>\n");
	if (page->list->count != 0) {
		buf_add_str(b, "<thead><tr>");
		for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
			add_column(b, page, &columns[i]);
		buf_add_str(b, "</tr></thead>\n");
	}
	buf_add_str(b, "<tbody>\n");
	if (page->rest.len != 0) {
		buf_add_str(b, "<tr><td colspan=\"3\"><a class=\"u\" href=\"");
		add_link_up(b, page, 1);
		buf_add_str(b, "\" aria-label=\"Parent directory\">..</a></td></tr>\n");
	}
}

/* --- rows and the tail --- */

static void
add_size_cell(struct buf *b, const struct dirlist_entry *e)
{
	if (e->is_dir) {
		buf_add_str(b, "<td></td>");
		return;
	}
	buf_add_str(b, "<td title=\"");
	add_count(b, e->size, "byte", "bytes");
	buf_add_str(b, "\">");
	buf_add_size(b, e->size);
	buf_add_str(b, "</td>");
}

static void
add_time_cell(struct buf *b, const struct dirlist_entry *e)
{
	char time[LISTING_TIME_MAX];

	listing_format_time(e->modified, time);
	buf_add_str(b, "<td><time datetime=\"");
	buf_add_str(b, time);
	buf_add_str(b, "\">");
	buf_add(b, time, strlen("2026-01-31"));
	buf_add_char(b, ' ');
	buf_add(b, time + strlen("2026-01-31T"), strlen("12:00"));
	buf_add_str(b, "</time></td>");
}

static void
render_row(struct buf *b, const struct listing_page *page, size_t i)
{
	const struct dirlist_entry *e = dirlist_at(page->list, i);
	char link[LISTING_LINK_MAX];

	buf_add_str(b,
		    e->is_dir ? "<tr><td><a class=\"d\" href=\"" : "<tr><td><a href=\"");
	buf_add_html(b, listing_format_link(e, link));
	if (e->is_dir)
		add_kept_query(b, page);
	buf_add_str(b, "\"><bdi>");
	buf_add_html(b, dirlist_name(e));
	buf_add_str(b, e->is_dir ? "</bdi>/</a></td>" : "</bdi></a></td>");
	add_size_cell(b, e);
	add_time_cell(b, e);
	buf_add_str(b, "</tr>\n");
}

static void
render_tail(struct buf *b, const struct listing_page *page)
{
	const struct dirlist *l = page->list;

	buf_add_str(b, "</tbody>\n</table>\n<p class=\"sum\">");
	if (l->count == 0)
		buf_add_str(b, "This directory is empty.");
	if (l->dirs != 0)
		add_count(b, l->dirs, "directory", "directories");
	if (l->dirs != 0 && l->files != 0)
		buf_add_str(b, ", ");
	if (l->files != 0) {
		add_count(b, l->files, "file", "files");
		buf_add_str(b, ", ");
		buf_add_size(b, l->bytes);
	}
	buf_add_str(b, "</p>\n</main>\n</body>\n</html>\n");
}

const struct listing_format listing_html = {
	.media_type = SLICE_LIT("text/html"),
	.content_type = SLICE_LIT("text/html; charset=utf-8"),
	.revision = "h1",
	.head = render_head,
	.row = render_row,
	.tail = render_tail,
};
