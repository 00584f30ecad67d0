/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_guard: the fields of an answer with an uploaded file. The sandbox takes scripts and the
 * site's origin from what is shown; nosniff keeps a browser from seeing another type than the
 * one that was judged; and what is not known to be harmless is saved instead of shown.
 */
#include "handler/files.h"
#include "http/disposition.h"
#include "http/mime.h"

/* "headers" of the server do not take it away again. */
static int
add_own(struct exchange *ex, enum http_field_id id, struct slice value)
{
	ex->own_fields |= EXCHANGE_OWN(id);
	return exchange_add_field(ex, id, value);
}

/* Of several policies all hold. */
static int
add_policy(struct exchange *ex, const struct upload_guard *g)
{
	int rc = add_own(ex, HTTP_FIELD_CONTENT_SECURITY_POLICY, SLICE("sandbox"));

	if (g->policy != NULL)
		rc |= exchange_add_field(ex, HTTP_FIELD_CONTENT_SECURITY_POLICY,
					 slice_from_str(g->policy));
	return rc;
}

static int
add_attachment(struct exchange *ex, struct slice name)
{
	struct slice value = disposition_attachment(&ex->arena, name);

	return value.ptr != NULL ? add_own(ex, HTTP_FIELD_CONTENT_DISPOSITION, value)
				 : -1;
}

int
file_guard(struct exchange *ex, const struct files *f, const struct file_choice *c,
	   struct slice type)
{
	const struct upload_guard *g = &f->guard;
	bool attaches;
	int rc = 0;

	if (g->own_type != NULL && ex->error_status == 0)
		type = slice_from_str(g->own_type);
	/* The page of an error is shown or not: nobody asked for a file. */
	attaches = g->attachment && ex->error_status == 0 &&
		   (f->route->download || !mime_is_harmless(type));
	if (g->nosniff)
		rc |= add_own(ex, HTTP_FIELD_X_CONTENT_TYPE_OPTIONS, SLICE("nosniff"));
	if (g->sandbox)
		rc |= add_policy(ex, g);
	if (attaches)
		rc |= add_attachment(ex, c->name);
	exchange_note(ex, TRACE_ANSWER, "beneath an upload directory:%s%s%s",
		      g->sandbox ? " sandboxed," : "", g->nosniff ? " not sniffed," : "",
		      attaches ? " attachment" : " shown");
	return rc;
}
