/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_methods: what an "upload" takes beside the methods that its route names: the page at the
 * collection, and what belongs to the URL of an unfinished upload.
 */
#include "handler/resume.h"
#include "handler/upload.h"
#include "http/tus.h"

/* The methods that get the page at this URL. As with what goes on with an upload, "methods" names
 * what makes files: the default has no GET either. */
static unsigned
page_methods(const struct exchange *ex)
{
	const struct route *r = ex->route;

	if (!upload_of(ex)->store.conf->page || !resume_is_on(ex) ||
	    !upload_is_collection(ex) || (r->conf->actions & CONF_ACTION_FILES) != 0 ||
	    r->by_method[HTTP_POST] != ex->handler)
		return 0;
	return HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD);
}

bool
upload_has_page(const struct exchange *ex)
{
	return page_methods(ex) != 0;
}

bool
upload_wants_page(const struct exchange *ex)
{
	return (page_methods(ex) & HTTP_BIT(ex->head.method)) != 0;
}

/* Whoever may not begin an upload has none to go on with. */
static bool
takes_new(const struct exchange *ex)
{
	const struct route *r = ex->route;

	return r->by_method[HTTP_POST] == ex->handler ||
	       r->by_method[HTTP_PUT] == ex->handler;
}

bool
upload_claims(const struct exchange *ex)
{
	struct slice id;

	if (ex->head.method == HTTP_OPTIONS)
		return false;
	return (resume_is_on(ex) && resume_is_url(ex, &id) && takes_new(ex)) ||
	       upload_wants_page(ex);
}

/* An upload takes what its protocols have, and nothing that makes a file. */
unsigned
upload_takes(const struct exchange *ex)
{
	struct slice id;
	unsigned set;

	if (resume_is_on(ex) && resume_is_url(ex, &id) && takes_new(ex))
		return HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD) | HTTP_BIT(HTTP_PATCH) |
		       HTTP_BIT(HTTP_DELETE);
	set = page_methods(ex);
	for (unsigned m = 0; set != 0 && m < HTTP_METHOD_COUNT; m++)
		set |= ex->route->by_method[m] != NULL ? HTTP_BIT(m) : 0;
	return set;
}

/* tus: for clients behind what lets only POST pass. One of HEAD is answered like a GET, which says
 * the same. A field that names no method is the door's to refuse. */
enum http_method
upload_method(const struct exchange *ex)
{
	enum http_method m;

	if (ex->head.method != HTTP_POST || !tus_is_spoken(&ex->head) ||
	    !resume_is_on(ex))
		return ex->head.method;
	m = tus_method(&ex->head);
	if (m == HTTP_HEAD)
		return HTTP_GET;
	return m != HTTP_METHOD_UNKNOWN ? m : HTTP_POST;
}

/* tus creates by POST alone, the draft by PUT, too. */
int
upload_options(struct exchange *ex, const struct handler *h)
{
	const struct upload *u = h->state;
	bool posts = ex->route->by_method[HTTP_POST] == h;
	int status = 0;

	if (!u->store.conf->resumable || !ex->route->conf->is_prefix)
		return 0;
	if (posts)
		status = upload_tus_options(ex, u);
	if (status == 0 && (posts || ex->route->by_method[HTTP_PUT] == h))
		status = upload_rufh_options(ex, u);
	return status;
}
