/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_origin: is a POST from a page of this site? What browsers say about that no page can
 * change. It guards against pages that misuse their reader's browser, not against clients.
 */
#include "handler/upload.h"

#include "core/cors.h"

/* Fetch metadata: what the browser knows, also where a proxy has changed Host. */
static struct slice
fetch_site(const struct http_head *head)
{
	for (size_t i = 0; i < head->field_count; i++) {
		if (slice_eq_nocase(head->fields[i].name, SLICE("Sec-Fetch-Site")))
			return head->fields[i].value;
	}
	return slice_make(NULL, 0);
}

/* Browsers leave the port of the scheme out, in both. */
static bool
is_of_host(struct slice origin, struct slice host)
{
	struct slice authority = slice_from(origin, slice_find(origin, '/') + 2);

	return host.len != 0 &&
	       (slice_starts_with(origin, SLICE("http://")) ||
		slice_starts_with(origin, SLICE("https://"))) &&
	       slice_eq_nocase(authority, host);
}

static bool
is_own_page(const struct http_head *head)
{
	struct slice site = fetch_site(head);
	struct slice origin = http_head_value(head, HTTP_FIELD_ORIGIN);

	if (site.ptr != NULL)
		return slice_eq(site, SLICE("same-origin")) ||
		       slice_eq(site, SLICE("none"));
	return origin.ptr == NULL || is_of_host(origin, head->host);
}

/* Browsers add it to what a page of any site sends, where the user has typed it before. */
static bool
has_password(const struct http_head *head)
{
	struct slice value = http_head_value(head, HTTP_FIELD_AUTHORIZATION);

	return value.len >= 5 && strncasecmp(value.ptr, "basic", 5) == 0;
}

static bool
is_let_in(const struct cors *c, const struct http_head *head)
{
	return c != NULL && (c->methods & HTTP_BIT(HTTP_POST)) != 0 &&
	       cors_allows_origin(c, head) && (c->credentials || !has_password(head));
}

int
upload_check_origin(struct exchange *ex)
{
	if (ex->head.method != HTTP_POST || is_own_page(&ex->head) ||
	    is_let_in(ex->route->cors, &ex->head))
		return 0;
	return upload_refuse(ex, 403, "Pages of other sites may not send files here.");
}
