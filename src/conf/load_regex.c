/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_regex: "path_regex" of a route is compiled while the file is read, so that what is
 * wrong with it has a position. The configuration owns it.
 */
#include "base/regex.h"
#include "conf/loader.h"

void
path_regex_set(struct load *l, const struct conf_key *key, void *target,
	       const struct conf_at *at, struct slice s)
{
	struct conf_route *r = target;
	struct conf_regex *owner = load_alloc(l, 1, sizeof(*owner));
	char message[REGEX_MESSAGE_SIZE];
	size_t offset = 0;

	(void)key;
	r->path_regex = load_strdup(l, s);
	if (owner == NULL || r->path_regex == NULL)
		return;
	if (!regex_is_built_in()) {
		load_error(l, at,
			   "regular expressions are not built in; run configure with "
			   "--with-pcre2, or write \"path\"");
		return;
	}
	r->regex = regex_new(s, message, &offset);
	if (r->regex == NULL) {
		load_error(l, at, "%s is no regular expression: %s, at byte %zu of it",
			   load_quote(l, s), message, offset + 1);
		return;
	}
	owner->regex = r->regex;
	owner->next = l->config->regexes;
	l->config->regexes = owner;
}

void
regex_check_route(struct load *l, const struct conf_at *at)
{
	struct conf_at path, regex;
	bool has_path = load_member(at, "path", &path);
	bool has_regex = load_member(at, "path_regex", &regex);

	if (has_path && has_regex)
		load_error(
			l, &regex,
			"a second matcher beside \"path\"; a route has one, remove the "
			"other");
	else if (!has_path && !has_regex && !load_is_meant(l, "path") &&
		 !load_is_meant(l, "path_regex"))
		load_error(
			l, at,
			"\"path\" is missing; add it: the path that is matched; \"/a/*\" "
			"is everything beneath \"/a/\"; or add \"path_regex\"");
}
