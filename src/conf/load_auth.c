/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_auth: what the table cannot say about "auth": that it lets somebody in, and that each
 * method of "for" is one of the route.
 */
#include "base/password.h"
#include "conf/loader.h"
#include "http/names.h"

void
auth_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	const struct conf_auth *a = target;
	struct conf_at basic;

	if (clean && !a->basic.enabled && !a->bearer.enabled)
		load_error(l, at,
			   "nobody would be let in; add \"basic\", \"bearer\" or both");
	if (a->basic.enabled && !password_is_built_in() &&
	    load_member(at, "basic", &basic))
		load_error(l, &basic,
			   "passwords are not built in; run configure with "
			   "--with-crypt, or write \"bearer\"");
}

void
auth_check_route(struct load *l, const struct conf_route *r, const struct conf_at *at,
		 unsigned served)
{
	struct conf_at auth, list;

	if (!r->auth.enabled || r->auth.methods == 0 || served == 0 ||
	    !load_member(at, "auth", &auth) || !load_member(&auth, "for", &list))
		return;
	load_check_methods(l, &list, served | HTTP_BIT(HTTP_OPTIONS), "this route");
	/* Who may not HEAD but GET is not kept from anything. */
	if ((r->auth.methods & HTTP_BIT(HTTP_HEAD)) == 0 ||
	    (r->auth.methods & HTTP_BIT(HTTP_GET)) != 0 ||
	    (served & HTTP_BIT(HTTP_GET)) == 0)
		return;
	load_error(l, &list,
		   "has \"HEAD\" without \"GET\", which tells the same and more; write "
		   "\"GET\", which is both");
}
