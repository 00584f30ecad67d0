/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing_render: a directory's entries as a document, in pieces. Pure: what the page is about
 * comes in, text goes out to the end of a buffer, a head, a row for each entry in order, a tail.
 */
#ifndef WEBSRV_HANDLER_LISTING_RENDER_H
#define WEBSRV_HANDLER_LISTING_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "handler/dirlist.h"

struct listing_page {
	struct slice path; /* of the URL, canonical and decoded; ends with '/' */
	struct slice rest; /* its end, what is beneath the root; empty at the root */
	struct slice
		request; /* the path as the client sent it: links are relative to that */
	enum dirlist_sort sort;
	bool descending;
	const struct dirlist *list; /* in order */
};

struct listing_format {
	struct slice media_type;   /* for negotiation */
	struct slice content_type; /* with parameters */
	/* For entity-tags; another one when the same entries come to look otherwise. */
	char revision[4];
	void (*head)(struct buf *b, const struct listing_page *page);
	void (*row)(struct buf *b, const struct listing_page *page, size_t i);
	void (*tail)(struct buf *b, const struct listing_page *page);
};

extern const struct listing_format listing_html;
extern const struct listing_format listing_json;

#define LISTING_TIME_MAX sizeof("9999-12-31T23:59:59Z")

/* "2026-01-31T12:00:00Z"; years outside 0 to 9999 are clamped. */
void listing_format_time(int64_t unix_seconds, char out[LISTING_TIME_MAX]);

/* A name as a link relative to its directory: "./", percent-encoded, and '/' behind a
 * directory. Still to be escaped for the language that it stands in. */
#define LISTING_LINK_MAX (2 + 3 * DIRLIST_NAME_MAX + 1)
struct slice listing_format_link(const struct dirlist_entry *e,
				 char out[LISTING_LINK_MAX]);

#endif
