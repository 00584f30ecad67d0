/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which route answers: a table of paths against one set of routes, and random sets against
 * a search of the whole list. The seed is printed; WEBSRV_TEST_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "packed_rows.h"
#include "core/router.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROUTES_MAX 64
#define PATH_SIZE 64
#define ROUNDS 400
#define PATHS 200

struct set {
	char names[2 * ROUTES_MAX][PATH_SIZE];
	struct conf_route confs[ROUTES_MAX];
	struct route routes[ROUTES_MAX];
	struct conf_redirect_row rows[ROUTES_MAX];
	size_t route_count, row_count;
	struct packmap redirects;
	struct router router;
};

/* `path` as the configuration has it, with its star. */
static void
add_route(struct set *s, const char *path)
{
	size_t i = s->route_count++;
	struct slice text = slice_from_str(path);
	bool prefix = slice_ends_with(text, SLICE("/*"));

	s->confs[i] = (struct conf_route){ .path = path, .is_prefix = prefix };
	s->routes[i] = (struct route){
		.conf = &s->confs[i],
		.prefix = slice_make(path, text.len - (prefix ? 1 : 0)),
	};
}

static void
add_row(struct set *s, const char *from)
{
	s->rows[s->row_count++] =
		(struct conf_redirect_row){ .from = from, .to = "/to", .status = 302 };
}

static void
set_ready(struct set *s)
{
	pack_rows(&s->redirects, s->rows, s->row_count);
	assert_int_equal(router_init(&s->router, s->routes, s->route_count, s->rows,
				     &s->redirects),
			 0);
}

/* --- a table --- */

static const char *const routes[] = {
	"/healthz",       "/docs/*",     "/docs/api/*", "/docs/api/v1/x/*",
	"/docs/api/list", "/i/*",        "/both",       "/both/*",
	"/moved/*",       "/moved/here", "/d/",         "/deep/a/b/*",
};
static const char *const rows[] = { "/home", "/moved/here", "/docs", "/docs/row",
				    "/docs/api/list" };

struct match_case {
	const char *path;
	enum route_kind kind;
	const char *by; /* the route or row */
	const char *rest;
};

/* clang-format off */
static const struct match_case cases[] = {
	{ "/healthz", ROUTE_FOUND, "/healthz", "healthz" },
	{ "/healthz/", ROUTE_NONE, NULL, NULL },
	{ "/health", ROUTE_NONE, NULL, NULL },
	{ "/healthzz", ROUTE_NONE, NULL, NULL },
	{ "/", ROUTE_NONE, NULL, NULL },
	{ "/none", ROUTE_NONE, NULL, NULL },
	/* A prefix takes all beneath it, the longest first. */
	{ "/docs/", ROUTE_FOUND, "/docs/*", "" },
	{ "/docs/x", ROUTE_FOUND, "/docs/*", "x" },
	{ "/docs/x/y/", ROUTE_FOUND, "/docs/*", "x/y/" },
	{ "/docs/api/", ROUTE_FOUND, "/docs/api/*", "" },
	{ "/docs/api/v1/", ROUTE_FOUND, "/docs/api/*", "v1/" },
	{ "/docs/api/v1/y", ROUTE_FOUND, "/docs/api/*", "v1/y" },
	{ "/docs/api/v1/x/y", ROUTE_FOUND, "/docs/api/v1/x/*", "y" },
	{ "/docs/api/v1/x/y/z/a/b/c/d", ROUTE_FOUND, "/docs/api/v1/x/*", "y/z/a/b/c/d" },
	{ "/deep/a/b/c", ROUTE_FOUND, "/deep/a/b/*", "c" },
	{ "/deep/a/c", ROUTE_NONE, NULL, NULL },
	{ "/deep/", ROUTE_NONE, NULL, NULL },
	/* Whole segments only. */
	{ "/i/secret", ROUTE_FOUND, "/i/*", "secret" },
	{ "/i..", ROUTE_NONE, NULL, NULL },
	{ "/i../secret", ROUTE_NONE, NULL, NULL },
	{ "/ii/secret", ROUTE_NONE, NULL, NULL },
	{ "/i\\secret", ROUTE_NONE, NULL, NULL },
	{ "/docs/apix", ROUTE_FOUND, "/docs/*", "apix" },
	{ "/docsx", ROUTE_NONE, NULL, NULL },
	{ "/I/secret", ROUTE_NONE, NULL, NULL },
	/* Without its slash a prefix adds it, unless something else has that very path. */
	{ "/i", ROUTE_ADD_SLASH, "/i/*", NULL },
	{ "/docs/api", ROUTE_ADD_SLASH, "/docs/api/*", NULL },
	{ "/docs/api/v1/x", ROUTE_ADD_SLASH, "/docs/api/v1/x/*", NULL },
	{ "/both", ROUTE_FOUND, "/both", "both" },
	{ "/both/", ROUTE_FOUND, "/both/*", "" },
	{ "/docs", ROUTE_ROW, "/docs", NULL },
	/* The table of redirects comes first, and its rows are exact. */
	{ "/home", ROUTE_ROW, "/home", NULL },
	{ "/home/", ROUTE_NONE, NULL, NULL },
	{ "/moved/here", ROUTE_ROW, "/moved/here", NULL },
	{ "/moved/there", ROUTE_FOUND, "/moved/*", "there" },
	{ "/docs/row", ROUTE_ROW, "/docs/row", NULL },
	{ "/docs/api/list", ROUTE_ROW, "/docs/api/list", NULL },
	/* An exact path that ends with a slash is not a prefix. */
	{ "/d/", ROUTE_FOUND, "/d/", "" },
	{ "/d", ROUTE_NONE, NULL, NULL },
	{ "/d/x", ROUTE_NONE, NULL, NULL },
};
/* clang-format on */

static void
check_case(const struct router *r, const struct match_case *c)
{
	struct slice path = slice_from_str(c->path);
	struct route_match m = router_match(r, path);

	if (m.kind != c->kind)
		fail_msg("%s: kind %d", c->path, (int)m.kind);
	if (c->kind == ROUTE_ROW) {
		assert_string_equal(m.row->from, c->by);
		assert_string_equal(m.to.ptr, m.row->to);
		assert_int_equal(m.to.len, strlen(m.row->to));
		assert_int_equal(m.status, m.row->status);
	} else if (c->kind != ROUTE_NONE) {
		assert_null(m.row);
		assert_string_equal(m.route->conf->path, c->by);
	}
	if (c->rest == NULL)
		return;
	if (!slice_eq(m.rest, slice_from_str(c->rest)))
		fail_msg("%s: rest '%.*s'", c->path, SLICE_ARG(m.rest));
	/* It is the tail of the path itself: handlers compare addresses. */
	assert_ptr_equal(m.rest.ptr + m.rest.len, path.ptr + path.len);
}

static void
paths_find_their_route(void **state)
{
	static struct set s;

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++)
		add_route(&s, routes[i]);
	for (size_t i = 0; i < COUNT(rows); i++)
		add_row(&s, rows[i]);
	set_ready(&s);
	for (size_t i = 0; i < COUNT(cases); i++)
		check_case(&s.router, &cases[i]);
	router_fini(&s.router);
	packmap_fini(&s.redirects);
}

static void
root_prefix_takes_every_path(void **state)
{
	static const struct match_case expected[] = {
		{ "/", ROUTE_FOUND, "/*", "" },
		{ "/a", ROUTE_FOUND, "/*", "a" },
		{ "/a/b/", ROUTE_FOUND, "/*", "a/b/" },
		{ "/i../secret", ROUTE_FOUND, "/*", "i../secret" },
		{ "/i/x", ROUTE_FOUND, "/i/*", "x" },
	};
	static struct set s;

	(void)state;
	add_route(&s, "/*");
	add_route(&s, "/i/*");
	set_ready(&s);
	for (size_t i = 0; i < COUNT(expected); i++)
		check_case(&s.router, &expected[i]);
	router_fini(&s.router);
	packmap_fini(&s.redirects);
}

static void
without_routes_there_is_nothing(void **state)
{
	static const struct match_case expected[] = {
		{ "/", ROUTE_NONE, NULL, NULL },
		{ "/a/b", ROUTE_NONE, NULL, NULL },
	};
	struct set *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	set_ready(s);
	for (size_t i = 0; i < COUNT(expected); i++)
		check_case(&s->router, &expected[i]);
	router_fini(&s->router);
	packmap_fini(&s->redirects);
	free(s);
}

static void
lookup_does_not_go_deeper_than_the_prefixes(void **state)
{
	static struct set s;
	static char path[20000];
	struct route_match m;

	(void)state;
	add_route(&s, "/*");
	add_route(&s, "/a/b/*");
	set_ready(&s);
	assert_int_equal(s.router.depth, 3);
	for (size_t i = 0; i < sizeof(path); i += 2)
		memcpy(path + i, "/x", 2);
	m = router_match(&s.router, slice_make(path, sizeof(path)));
	assert_int_equal(m.kind, ROUTE_FOUND);
	assert_string_equal(m.route->conf->path, "/*");
	assert_int_equal(m.rest.len, sizeof(path) - 1);
	router_fini(&s.router);
	packmap_fini(&s.redirects);
}

/* --- against a search of the whole list --- */

/* Few segments that resemble each other, so that paths meet routes often. */
static void
random_path(uint64_t *seed, char out[PATH_SIZE])
{
	static const char *const segments[] = { "a", "b", "aa", "a.", "..a", "ab" };
	size_t len = 0;

	for (uint64_t n = 1 + random_below(seed, 4); n > 0; n--)
		len += (size_t)snprintf(out + len, PATH_SIZE - len, "/%s",
					segments[random_below(seed, COUNT(segments))]);
	if (random_below(seed, 4) == 0)
		snprintf(out + len, PATH_SIZE - len, "/");
	if (random_below(seed, 30) == 0)
		snprintf(out, PATH_SIZE, "/");
}

static void
random_set(struct set *s, uint64_t *seed)
{
	size_t wanted = random_below(seed, ROUTES_MAX), names = 0;

	memset(s, 0, sizeof(*s));
	while (s->route_count < wanted) {
		char *name = s->names[names++];

		random_path(seed, name);
		if (random_below(seed, 2) == 0)
			strcat(name, name[strlen(name) - 1] == '/' ? "*" : "/*");
		add_route(s, name);
	}
	for (wanted = random_below(seed, 8); s->row_count < wanted; names++) {
		random_path(seed, s->names[names]);
		add_row(s, s->names[names]);
	}
	set_ready(s);
}

static const struct route *
find_exact(const struct set *s, struct slice path, bool prefix)
{
	for (size_t i = 0; i < s->route_count; i++) {
		if (s->confs[i].is_prefix == prefix &&
		    slice_eq(s->routes[i].prefix, path))
			return &s->routes[i];
	}
	return NULL;
}

static struct route_match
slow_match(const struct set *s, const char *text)
{
	struct slice path = slice_from_str(text);
	struct route_match m = { .kind = ROUTE_NONE };
	char slashed[PATH_SIZE + 2];

	for (size_t i = 0; i < s->row_count; i++) {
		if (strcmp(s->rows[i].from, text) == 0)
			return (struct route_match){ .kind = ROUTE_ROW,
						     .row = &s->rows[i] };
	}
	m.route = find_exact(s, path, false);
	if (m.route != NULL) {
		m.kind = ROUTE_FOUND;
		m.rest = slice_from_str(strrchr(text, '/') + 1);
		return m;
	}
	snprintf(slashed, sizeof(slashed), "%s/", text);
	m.route = find_exact(s, slice_from_str(slashed), true);
	if (m.route != NULL) {
		m.kind = ROUTE_ADD_SLASH;
		return m;
	}
	for (size_t len = path.len; len > 0 && m.route == NULL; len--) {
		m.route = find_exact(s, slice_make(text, len), true);
		m.rest = slice_from(path, len);
	}
	m.kind = m.route != NULL ? ROUTE_FOUND : ROUTE_NONE;
	return m;
}

static void
compare(const struct set *s, const char *path, unsigned seen[4])
{
	struct route_match fast = router_match(&s->router, slice_from_str(path));
	struct route_match slow = slow_match(s, path);

	if (fast.kind != slow.kind || fast.route != slow.route || fast.row != slow.row)
		fail_msg("%s: kind %d route %s, expected kind %d route %s", path,
			 (int)fast.kind,
			 fast.route != NULL ? fast.route->conf->path : "-",
			 (int)slow.kind,
			 slow.route != NULL ? slow.route->conf->path : "-");
	if (fast.kind == ROUTE_FOUND) {
		assert_ptr_equal(fast.rest.ptr, slow.rest.ptr);
		assert_int_equal(fast.rest.len, slow.rest.len);
	}
	seen[fast.kind]++;
}

static void
random_routes_agree_with_a_plain_search(void **state)
{
	static struct set s;
	uint64_t seed = random_seed();
	unsigned seen[4] = { 0 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		random_set(&s, &seed);
		for (int i = 0; i < PATHS; i++) {
			char path[PATH_SIZE];

			random_path(&seed, path);
			compare(&s, path, seen);
		}
		router_fini(&s.router);
		packmap_fini(&s.redirects);
	}
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_true(seen[i] > ROUNDS); /* no kind of answer went untried */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_find_their_route),
		cmocka_unit_test(root_prefix_takes_every_path),
		cmocka_unit_test(without_routes_there_is_nothing),
		cmocka_unit_test(lookup_does_not_go_deeper_than_the_prefixes),
		cmocka_unit_test(random_routes_agree_with_a_plain_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
