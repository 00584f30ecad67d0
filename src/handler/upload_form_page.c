/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_form_page: the door of GET at the collection: the page to upload with.
 */
#include "handler/upload.h"
#include "handler/upload_page.h"

struct page {
	const struct upload_door *door;
};

static int
page_open(struct exchange *ex)
{
	struct page *p = arena_zalloc(&ex->arena, sizeof(*p));

	if (p == NULL)
		return 503;
	p->door = &upload_form_page;
	exchange_note(ex, TRACE_UPLOAD, "the page to upload with");
	ex->data = p;
	ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CONTENT_SECURITY_POLICY) |
			  EXCHANGE_OWN(HTTP_FIELD_CONTENT_TYPE);
	if (exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE,
			       SLICE("text/html; charset=utf-8")) < 0 ||
	    exchange_add_field(ex, HTTP_FIELD_CONTENT_SECURITY_POLICY,
			       upload_page_csp()) < 0 ||
	    exchange_add_field(ex, HTTP_FIELD_X_CONTENT_TYPE_OPTIONS, SLICE("nosniff")) <
		    0)
		return 500;
	ex->body = body_memory(upload_page_html());
	exchange_respond(ex, 200);
	return 0;
}

static int
page_data(struct exchange *ex, struct slice bytes, bool last)
{
	(void)last; /* answered already */
	exchange_consumed(ex, bytes.len);
	return 0;
}

static void
page_close(struct exchange *ex, enum exchange_end why)
{
	(void)ex;
	(void)why;
}

const struct upload_door upload_form_page = { page_open, page_data, NULL, page_close };
