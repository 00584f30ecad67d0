/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_redirect: the target of a route's "redirect" becomes a template. What it takes must
 * be there to take: a star needs a path that ends in one, a group needs an expression.
 */
#include "base/regex.h"
#include "conf/loader.h"

static int
find_group(const void *regex, struct slice name)
{
	return regex_group(regex, name);
}

/* NULL when the route has no expression. */
static const struct template_groups *
groups_of(const struct conf_route *r, struct template_groups *out)
{
	*out = (struct template_groups){ find_group, r->regex };
	return r->regex != NULL ? out : NULL;
}

static const char *
check_stars(const struct conf_route *r)
{
	for (size_t i = 0; i < r->redirect.target.count; i++) {
		if (r->redirect.target.parts[i].kind == TEMPLATE_STAR && !r->is_prefix)
			return "\"*\" has nothing to take; end \"path\" in \"/*\", or "
			       "write \"%2A\"";
	}
	return NULL;
}

void
redirect_check_route(struct load *l, struct conf_route *r, const struct conf_at *at)
{
	struct slice to = slice_from_str(r->redirect.to);
	struct template_groups groups;
	struct conf_at redirect, where;
	struct slice piece = to;
	const char *wrong;

	/* Without its expression nobody knows which groups there are. */
	if ((r->path_regex != NULL && r->regex == NULL) || r->redirect.to == NULL ||
	    !load_member(at, "redirect", &redirect) ||
	    !load_member(&redirect, "to", &where))
		return;
	wrong = template_compile(to, groups_of(r, &groups), &l->config->arena,
				 &r->redirect.target, &piece);
	if (wrong == NULL && r->redirect.target.parts == NULL) {
		l->failed = true;
		return;
	}
	if (wrong == NULL) {
		piece = to;
		wrong = template_check_target(&r->redirect.target, &piece);
	}
	if (wrong != NULL) {
		load_error(l, &where, "%s %s", load_quote(l, piece), wrong);
		return;
	}
	wrong = r->path != NULL || r->regex != NULL ? check_stars(r) : NULL;
	if (wrong != NULL)
		load_error(l, &where, "%s", wrong);
}
