/* SPDX-License-Identifier: BSD-2-Clause
 *
 * router: hash maps. Prefixes are looked up at every '/' of the path with a hash
 * that grows along, down to the deepest prefix that exists.
 */
#include "core/router.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/regex.h"

/* Of the first segment with its '/'; 0: it has none. */
static size_t
segment_len(struct slice path)
{
	size_t n = slice_find(path, '/');

	return n < path.len ? n + 1 : 0;
}

/* Of a prefix, which ends in '/'. */
static uint64_t
hash_segments(struct slice prefix)
{
	uint64_t hash = STRMAP_HASH_START;

	while (prefix.len != 0) {
		size_t len = segment_len(prefix);

		assert(len != 0);
		hash = strmap_hash_more(hash, slice_make(prefix.ptr, len));
		prefix = slice_from(prefix, len);
	}
	return hash;
}

/* Room for the expressions among the routes, and for what they match. */
static int
init_regexes(struct router *r, size_t route_count)
{
	size_t count = 0, groups = 0;

	for (size_t i = 0; i < route_count; i++) {
		const struct regex *re = r->routes[i].conf->regex;

		if (re == NULL)
			continue;
		count++;
		if (regex_group_count(re) > groups)
			groups = regex_group_count(re);
	}
	if (count == 0)
		return 0;
	r->regexes = calloc(count, sizeof(*r->regexes));
	r->scratch = calloc(1, sizeof(*r->scratch));
	if (r->regexes == NULL || r->scratch == NULL)
		return -ENOMEM;
	r->scratch->regex = regex_scratch_new(groups);
	r->scratch->groups = calloc(groups, sizeof(*r->scratch->groups));
	return r->scratch->regex != NULL && r->scratch->groups != NULL ? 0 : -ENOMEM;
}

int
router_init(struct router *r, const struct route *routes, size_t route_count,
	    const struct conf_redirect_row *rows, const struct packmap *redirects)
{
	*r = (struct router){ .routes = routes, .rows = rows, .redirects = redirects };
	if (strmap_init(&r->exact, route_count) < 0 ||
	    strmap_init(&r->prefixes, route_count) < 0 ||
	    strmap_init(&r->bare_prefixes, route_count) < 0 ||
	    init_regexes(r, route_count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < route_count; i++) {
		struct slice key = routes[i].prefix;
		size_t depth = slice_count(key, '/');

		if (routes[i].conf->regex != NULL) {
			r->regexes[r->regex_count++] = &routes[i];
			continue;
		}
		if (!routes[i].conf->is_prefix) {
			strmap_add(&r->exact, key, (uint32_t)i);
			continue;
		}
		strmap_add_hashed(&r->prefixes, key, hash_segments(key), (uint32_t)i);
		strmap_add(&r->bare_prefixes, slice_make(key.ptr, key.len - 1),
			   (uint32_t)i);
		if (depth > r->depth)
			r->depth = depth;
	}
	return 0;
}

void
router_fini(struct router *r)
{
	strmap_fini(&r->exact);
	strmap_fini(&r->prefixes);
	strmap_fini(&r->bare_prefixes);
	free(r->regexes);
	r->regexes = NULL;
	if (r->scratch != NULL) {
		regex_scratch_free(r->scratch->regex);
		free(r->scratch->groups);
	}
	free(r->scratch);
	r->scratch = NULL;
}

static struct route_match
match_prefix(const struct router *r, struct slice path)
{
	struct route_match m = { .kind = ROUTE_NONE };
	uint64_t hash = STRMAP_HASH_START;
	size_t start = 0;
	uint32_t found;

	for (size_t depth = 0; depth < r->depth; depth++) {
		size_t len = segment_len(slice_from(path, start));

		if (len == 0)
			break;
		hash = strmap_hash_more(hash, slice_make(path.ptr + start, len));
		start += len;
		found = strmap_find_hashed(&r->prefixes, slice_make(path.ptr, start),
					   hash);
		if (found != STRMAP_NONE) {
			m.kind = ROUTE_FOUND;
			m.route = &r->routes[found];
			m.rest = slice_from(path, start);
		}
	}
	return m;
}

static struct slice
last_segment(struct slice path)
{
	size_t i = path.len;

	while (i > 0 && path.ptr[i - 1] != '/')
		i--;
	return slice_from(path, i);
}

/* The first expression that matches, or that is given up. */
static struct route_match
match_regex(const struct router *r, struct slice path)
{
	struct route_match m = { .kind = ROUTE_NONE };

	for (size_t i = 0; i < r->regex_count && m.kind == ROUTE_NONE; i++) {
		const struct regex *re = r->regexes[i]->conf->regex;
		int rc = regex_match(re, r->scratch->regex, path, r->scratch->groups);

		if (rc == 0)
			continue;
		m.kind = rc > 0 ? ROUTE_FOUND : ROUTE_FAILED;
		m.route = r->regexes[i];
		m.rest = last_segment(path);
		m.groups = r->scratch->groups;
		m.group_count = rc > 0 ? regex_group_count(re) : 0;
	}
	return m;
}

struct route_match
router_match(const struct router *r, struct slice path)
{
	uint64_t hash = strmap_hash(path);
	struct route_match m = { .kind = ROUTE_NONE };
	const struct packmap_row *row = NULL;
	uint32_t found;

	if (r->redirects != NULL)
		row = packmap_find(r->redirects, path, hash);
	if (row != NULL) {
		m.kind = ROUTE_ROW;
		m.row = &r->rows[row->number];
		m.to = packmap_text(row);
		m.status = row->tag;
		return m;
	}
	found = strmap_find_hashed(&r->exact, path, hash);
	if (found != STRMAP_NONE) {
		m.kind = ROUTE_FOUND;
		m.route = &r->routes[found];
		m.rest = last_segment(path);
		return m;
	}
	if (r->regex_count != 0) {
		m = match_regex(r, path);
		if (m.kind != ROUTE_NONE)
			return m;
	}
	found = strmap_find_hashed(&r->bare_prefixes, path, hash);
	if (found != STRMAP_NONE) {
		m.kind = ROUTE_ADD_SLASH;
		m.route = &r->routes[found];
		return m;
	}
	return match_prefix(r, path);
}
