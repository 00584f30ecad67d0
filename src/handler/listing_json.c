/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing_json: an array of objects, one a line; ASCII, whatever bytes the names have.
 */
#include "base/number.h"
#include "handler/listing_render.h"

static void
render_head(struct buf *b, const struct listing_page *page)
{
	(void)page;
	buf_add_char(b, '[');
}

static void
render_row(struct buf *b, const struct listing_page *page, size_t i)
{
	const struct dirlist_entry *e = dirlist_at(page->list, i);
	char link[LISTING_LINK_MAX], time[LISTING_TIME_MAX], digits[20];

	buf_add_str(b, i == 0 ? "\n{\"name\": \"" : ",\n{\"name\": \"");
	buf_add_json(b, dirlist_name(e));
	buf_add_str(b, "\", \"href\": \"");
	buf_add_json(b, listing_format_link(e, link));
	buf_add_str(b,
		    e->is_dir ? "\", \"type\": \"directory\"" : "\", \"type\": \"file\"");
	if (!e->is_dir) {
		buf_add_str(b, ", \"size\": ");
		buf_add(b, digits, number_format(e->size, digits));
	}
	listing_format_time(e->modified, time);
	buf_add_str(b, ", \"modified\": \"");
	buf_add_str(b, time);
	buf_add_str(b, "\"}");
}

static void
render_tail(struct buf *b, const struct listing_page *page)
{
	(void)page;
	buf_add_str(b, "\n]\n");
}

const struct listing_format listing_json = {
	.media_type = SLICE_LIT("application/json"),
	.content_type = SLICE_LIT("application/json"),
	.revision = "j1",
	.head = render_head,
	.row = render_row,
	.tail = render_tail,
};
