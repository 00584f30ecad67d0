/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Property: over random sets of rows, exact paths, expressions and prefixes the router
 * answers as a search that reads the rules one by one. Expressions are anchored literals
 * with one group, which the model can match without PCRE2; without it there are none. The
 * seed is printed; WEBSRV_TEST_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "packed_rows.h"
#include "base/regex.h"
#include "core/router.h"

#define MAX 12
#define PATH_SIZE 32
#define ROUNDS 400
#define PATHS 150

enum rule { EXACT, PREFIX, REGEX };

struct set {
	char text[2 * MAX][PATH_SIZE]; /* of routes, then of rows */
	enum rule rules[MAX];
	struct conf_route confs[MAX];
	struct route routes[MAX];
	struct conf_redirect_row rows[MAX];
	size_t route_count, row_count;
	struct packmap redirects;
	struct router router;
};

/* Few letters and short segments, so that paths collide. */
static void
random_path(char out[PATH_SIZE], bool slash_at_end)
{
	size_t n = 0;

	for (int segments = 1 + rand() % 3; segments > 0; segments--) {
		out[n++] = '/';
		for (int letters = 1 + rand() % 2; letters > 0; letters--)
			out[n++] = "ab\n\xc3"[rand() % 8 < 7 ? rand() % 2 : rand() % 4];
	}
	if (slash_at_end)
		out[n++] = '/';
	out[n] = '\0';
}

static bool
is_taken(const struct set *s, enum rule rule, const char *text)
{
	for (size_t i = 0; i < s->route_count; i++) {
		if (s->rules[i] == rule && strcmp(s->text[i], text) == 0)
			return true;
	}
	return false;
}

static void
add_route(struct set *s)
{
	enum rule rule = (enum rule)(rand() % (regex_is_built_in() ? 3 : 2));
	size_t i = s->route_count;
	char message[REGEX_MESSAGE_SIZE], pattern[2 * PATH_SIZE];
	size_t offset;

	random_path(s->text[i], rule == PREFIX);
	if (rule != REGEX && is_taken(s, rule, s->text[i]))
		return;
	s->rules[i] = rule;
	s->confs[i] =
		(struct conf_route){ .path = s->text[i], .is_prefix = rule == PREFIX };
	if (rule == REGEX) {
		snprintf(pattern, sizeof(pattern), "(?s)^%s(.*)$", s->text[i]);
		s->confs[i].path = NULL;
		s->confs[i].regex = regex_new(slice_from_str(pattern), message, &offset);
		assert_non_null(s->confs[i].regex);
	}
	s->routes[i] = (struct route){ .conf = &s->confs[i],
				       .prefix = slice_from_str(s->confs[i].path) };
	s->route_count++;
}

static void
add_row(struct set *s)
{
	char *text = s->text[MAX + s->row_count];

	random_path(text, rand() % 4 == 0);
	for (size_t i = 0; i < s->row_count; i++) {
		if (strcmp(s->rows[i].from, text) == 0)
			return;
	}
	s->rows[s->row_count++] = (struct conf_redirect_row){ .from = text, .to = "/" };
}

static struct set *
set_new(void)
{
	struct set *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	for (int n = rand() % MAX; n > 0; n--)
		add_route(s);
	for (int n = rand() % 4; n > 0; n--)
		add_row(s);
	pack_rows(&s->redirects, s->rows, s->row_count);
	assert_int_equal(router_init(&s->router, s->routes, s->route_count, s->rows,
				     &s->redirects),
			 0);
	return s;
}

static void
set_free(struct set *s)
{
	router_fini(&s->router);
	packmap_fini(&s->redirects);
	for (size_t i = 0; i < s->route_count; i++)
		regex_free(s->confs[i].regex);
	free(s);
}

/* The rules, in their order, each by reading all of the list. */
static enum route_kind
model(const struct set *s, const char *path, size_t *index)
{
	size_t longest = 0;

	for (*index = 0; *index < s->row_count; ++*index) {
		if (strcmp(s->rows[*index].from, path) == 0)
			return ROUTE_ROW;
	}
	for (*index = 0; *index < s->route_count; ++*index) {
		if (s->rules[*index] == EXACT && strcmp(s->text[*index], path) == 0)
			return ROUTE_FOUND;
	}
	for (*index = 0; *index < s->route_count; ++*index) {
		const char *text = s->text[*index];

		if (s->rules[*index] == REGEX && strncmp(path, text, strlen(text)) == 0)
			return ROUTE_FOUND;
	}
	for (*index = 0; *index < s->route_count; ++*index) {
		const char *text = s->text[*index];

		if (s->rules[*index] == PREFIX && strlen(path) + 1 == strlen(text) &&
		    strncmp(path, text, strlen(path)) == 0)
			return ROUTE_ADD_SLASH;
	}
	for (size_t i = 0; i < s->route_count; i++) {
		size_t len = strlen(s->text[i]);

		if (s->rules[i] == PREFIX && len > longest &&
		    strncmp(path, s->text[i], len) == 0) {
			longest = len;
			*index = i;
		}
	}
	return longest != 0 ? ROUTE_FOUND : ROUTE_NONE;
}

static void
check_rest(const struct set *s, const struct route_match *m, size_t index,
	   const char *path)
{
	size_t len = strlen(s->text[index]);
	const char *rest =
		s->rules[index] == PREFIX ? path + len : strrchr(path, '/') + 1;

	assert_true(slice_eq(m->rest, slice_from_str(rest)));
	assert_int_equal(m->group_count, s->rules[index] == REGEX ? 2 : 0);
	if (s->rules[index] == REGEX)
		assert_true(slice_eq(m->groups[1], slice_from_str(path + len)));
}

static void
check_path(const struct set *s, const char *path)
{
	size_t index = 0;
	enum route_kind kind = model(s, path, &index);
	struct route_match m = router_match(&s->router, slice_from_str(path));

	if (m.kind != kind)
		fail_msg("\"%s\": %d, not %d", path, m.kind, kind);
	if (kind == ROUTE_ROW) {
		assert_ptr_equal(m.row, &s->rows[index]);
		assert_true(slice_eq(m.to, slice_from_str(s->rows[index].to)));
	}
	if (kind == ROUTE_FOUND || kind == ROUTE_ADD_SLASH)
		assert_ptr_equal(m.route, &s->routes[index]);
	if (kind == ROUTE_FOUND)
		check_rest(s, &m, index, path);
}

static void
the_router_answers_as_a_search_of_all_rules(void **state)
{
	const char *env = getenv("WEBSRV_TEST_SEED");
	unsigned seed = env != NULL ? (unsigned)atol(env) : (unsigned)time(NULL);
	char path[PATH_SIZE];

	(void)state;
	print_message("WEBSRV_TEST_SEED=%u\n", seed);
	srand(seed);
	for (int round = 0; round < ROUNDS; round++) {
		struct set *s = set_new();

		for (int i = 0; i < PATHS; i++) {
			random_path(path, rand() % 4 == 0);
			check_path(s, path);
		}
		check_path(s, "/");
		set_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_router_answers_as_a_search_of_all_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
