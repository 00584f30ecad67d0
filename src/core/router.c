/* SPDX-License-Identifier: BSD-2-Clause
 *
 * router: hash maps. Prefixes are looked up at every '/' of the path with a hash
 * that grows along, down to the deepest prefix that exists.
 */
#include "core/router.h"

#include <errno.h>

static size_t
count_slashes(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '/';
	return n;
}

int
router_init(struct router *r, const struct route *routes, size_t route_count,
	    const struct conf_redirect_row *rows, size_t row_count)
{
	*r = (struct router){ .routes = routes, .rows = rows };
	if (strmap_init(&r->exact, route_count) < 0 ||
	    strmap_init(&r->prefixes, route_count) < 0 ||
	    strmap_init(&r->bare_prefixes, route_count) < 0 ||
	    strmap_init(&r->redirects, row_count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < route_count; i++) {
		struct slice key = routes[i].prefix;
		size_t depth = count_slashes(key);

		if (!routes[i].conf->is_prefix) {
			strmap_add(&r->exact, key, (uint32_t)i);
			continue;
		}
		strmap_add(&r->prefixes, key, (uint32_t)i);
		strmap_add(&r->bare_prefixes, slice_make(key.ptr, key.len - 1),
			   (uint32_t)i);
		if (depth > r->depth)
			r->depth = depth;
	}
	for (size_t i = 0; i < row_count; i++)
		strmap_add(&r->redirects, slice_from_str(rows[i].from), (uint32_t)i);
	return 0;
}

void
router_fini(struct router *r)
{
	strmap_fini(&r->exact);
	strmap_fini(&r->prefixes);
	strmap_fini(&r->bare_prefixes);
	strmap_fini(&r->redirects);
}

static struct route_match
match_prefix(const struct router *r, struct slice path)
{
	struct route_match m = { .kind = ROUTE_NONE };
	uint64_t hash = STRMAP_HASH_START;
	size_t start = 0;
	uint32_t found;

	for (size_t depth = 0; depth < r->depth; depth++) {
		size_t len = slice_find(slice_from(path, start), '/') + 1;

		if (start + len > path.len)
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

struct route_match
router_match(const struct router *r, struct slice path)
{
	uint64_t hash = strmap_hash(path);
	struct route_match m = { .kind = ROUTE_NONE };
	uint32_t found;

	found = strmap_find_hashed(&r->redirects, path, hash);
	if (found != STRMAP_NONE) {
		m.kind = ROUTE_ROW;
		m.row = &r->rows[found];
		return m;
	}
	found = strmap_find_hashed(&r->exact, path, hash);
	if (found != STRMAP_NONE) {
		m.kind = ROUTE_FOUND;
		m.route = &r->routes[found];
		m.rest = last_segment(path);
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
