/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random tables of redirects against a follower that knows nothing of routers and graphs: it
 * compares strings, and gives up after many redirects. The seed is printed; WEBSRV_TEST_SEED
 * repeats a run.
 */
#include "lint_rig.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 3000
#define RULES_MAX 12
#define PATH_MAX_LEN 32
#define LONG_MAX 16384
#define HOPS_MAX 1000 /* far more than small tables take */

enum kind { ROW, EXACT, PREFIX, ANSWER };

struct rule {
	enum kind kind;
	char from[PATH_MAX_LEN]; /* of a prefix with its last slash, without the star */
	char to[PATH_MAX_LEN];   /* may end in a star, if it is a prefix */
};

struct set {
	struct rule rules[RULES_MAX];
	size_t count;
};

/* --- a follower --- */

/* The rule that answers; bare: by adding a slash. */
static const struct rule *
model_match(const struct set *s, const char *path, bool *bare)
{
	const struct rule *best = NULL;
	size_t len = strlen(path);

	*bare = false;
	for (int kind = ROW; kind <= EXACT; kind++) {
		for (size_t i = 0; i < s->count; i++) {
			if (s->rules[i].kind == (enum kind)kind &&
			    strcmp(s->rules[i].from, path) == 0)
				return &s->rules[i];
		}
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct rule *r = &s->rules[i];
		size_t n = strlen(r->from);

		if (r->kind < PREFIX)
			continue;
		if (n == len + 1 && strncmp(r->from, path, len) == 0) {
			*bare = true;
			return r;
		}
		if (strncmp(r->from, path, n) == 0 &&
		    (best == NULL || n > strlen(best->from)))
			best = r;
	}
	return best;
}

enum outcome { ENDS, NOT_FOUND, NEVER };

static enum outcome
model_follow(const struct set *s, const char *start, size_t *redirects)
{
	static char path[LONG_MAX + PATH_MAX_LEN], next[LONG_MAX + PATH_MAX_LEN];
	bool bare;

	strcpy(path, start);
	for (*redirects = 0; *redirects < HOPS_MAX; ++*redirects) {
		const struct rule *r = model_match(s, path, &bare);
		size_t n;

		if (r == NULL)
			return NOT_FOUND;
		if (r->kind == ANSWER && !bare)
			return ENDS;
		strcpy(next, bare ? path : r->to);
		n = strlen(next);
		if (bare)
			strcat(next, "/");
		else if (next[n - 1] == '*')
			strcpy(next + n - 1, path + strlen(r->from));
		assert_true(strlen(next) < LONG_MAX);
		strcpy(path, next);
	}
	return NEVER;
}

/* --- random tables --- */

static void
random_path(char *out, int depth, bool slash)
{
	*out = '\0';
	for (int i = 0; i < depth; i++)
		sprintf(out + strlen(out), "/%c", 'a' + rand() % 3);
	if (slash || depth == 0)
		strcat(out, "/");
}

static bool
is_taken(const struct set *s, const struct rule *r)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct rule *other = &s->rules[i];

		if (strcmp(other->from, r->from) == 0 &&
		    (other->kind == r->kind ||
		     (other->kind >= PREFIX && r->kind >= PREFIX)))
			return true;
	}
	return false;
}

static void
fill(struct set *s, bool only_rows)
{
	size_t count = 2 + (size_t)rand() % (RULES_MAX - 2);

	s->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct rule r = { .kind = only_rows ? (rand() % 4 == 0 ? ANSWER : ROW)
						    : (enum kind)(rand() % 4) };

		random_path(r.from, 1 + rand() % 2, r.kind >= PREFIX || rand() % 4 == 0);
		random_path(r.to, rand() % 3, rand() % 2 == 0);
		if (r.kind == PREFIX && r.to[strlen(r.to) - 1] == '/' && rand() % 3 != 0)
			strcat(r.to, "*");
		if (!is_taken(s, &r))
			s->rules[s->count++] = r;
	}
}

static void
write_rules(const struct set *s, bool rows, struct buf *b)
{
	const char *comma = "";

	for (size_t i = 0; i < s->count; i++) {
		const struct rule *r = &s->rules[i];
		const char *star = r->kind >= PREFIX ? "*" : "";

		if ((r->kind == ROW) != rows)
			continue;
		if (rows)
			buf_printf(b, "%s\"%s\":\"%s\"", comma, r->from, r->to);
		else if (r->kind == ANSWER)
			buf_printf(b, "%s{\"path\":\"%s*\",\"respond\":{}}", comma,
				   r->from);
		else
			buf_printf(b,
				   "%s{\"path\":\"%s%s\",\"redirect\":{\"to\":\"%s\"}}",
				   comma, r->from, star, r->to);
		comma = ",";
	}
}

static void
open_set(struct lint_rig *r, const struct set *s)
{
	struct buf text;

	buf_init(&text);
	buf_add_str(&text,
		    "{\"servers\":[{\"listen\":[\"127.0.0.1:81\"],\"redirects\":{");
	write_rules(s, true, &text);
	buf_add_str(&text, "},\"routes\":[");
	write_rules(s, false, &text);
	buf_add_str(&text, "]}]}");
	buf_add_char(&text, '\0');
	lint_rig_open(r, text.ptr, "/", lint_redirects);
	buf_fini(&text);
}

/* --- the comparison --- */

/* A path that this rule is asked for, or false: another one answers it. */
static bool
start_of(const struct set *s, const struct rule *r, char *start)
{
	bool bare;

	sprintf(start, "%s%s", r->from, r->kind == PREFIX ? "any" : "");
	return r->kind != ANSWER && model_match(s, start, &bare) == r && !bare;
}

static void
check_errors(const struct set *s, const struct lint_rig *r)
{
	char start[2 * PATH_MAX_LEN];
	bool never = false;
	size_t n;

	for (size_t i = 0; i < s->count; i++)
		never = never || (start_of(s, &s->rules[i], start) &&
				  model_follow(s, start, &n) == NEVER);
	if (never != (r->lint.errors != 0))
		fail_msg("%s", never ? "a loop was not found" : r->text.ptr);
}

/* The row that the redirect of a row comes to, or NULL. */
static const struct rule *
next_row(const struct set *s, const struct rule *r)
{
	char path[PATH_MAX_LEN + 1];
	const struct rule *m;
	bool bare;

	strcpy(path, r->to);
	m = model_match(s, path, &bare);
	if (bare)
		m = model_match(s, strcat(path, "/"), &bare);
	return m != NULL && m->kind == ROW ? m : NULL;
}

/* Is it part of a cycle? *first: of its rows the first in the file. */
static bool
is_member(const struct set *s, const struct rule *r, bool *first)
{
	const struct rule *at = next_row(s, r);

	*first = true;
	for (size_t i = 0; i < s->count && at != NULL && at != r; i++) {
		*first = *first && at > r;
		at = next_row(s, at);
	}
	return at == r;
}

/* Of rows alone every number is known: a cycle is one error, what leads into one another. */
static void
check_rows(const struct set *s, const struct lint_rig *r)
{
	size_t errors = 0, warnings = 0;
	size_t n;
	bool first;

	for (size_t i = 0; i < s->count; i++) {
		enum outcome o;

		if (s->rules[i].kind != ROW)
			continue;
		o = model_follow(s, s->rules[i].from, &n);
		if (o == NEVER)
			errors += !is_member(s, &s->rules[i], &first) || first;
		else
			warnings += n > 1 || o == NOT_FOUND;
	}
	if (r->lint.errors != errors || r->lint.warnings != warnings)
		print_message("%s", r->text.ptr);
	assert_int_equal(r->lint.errors, errors);
	assert_int_equal(r->lint.warnings, warnings);
}

static void
rounds(bool only_rows, void (*check)(const struct set *s, const struct lint_rig *r))
{
	srand(seed_of_run());
	for (int i = 0; i < ROUNDS; i++) {
		struct lint_rig r;
		struct set s;

		fill(&s, only_rows);
		open_set(&r, &s);
		check(&s, &r);
		lint_rig_close(&r);
	}
}

static void
errors_are_told_if_some_request_never_ends(void **state)
{
	(void)state;
	rounds(false, check_errors);
}

static void
every_row_is_told_for_what_it_is(void **state)
{
	(void)state;
	rounds(true, check_rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_told_if_some_request_never_ends),
		cmocka_unit_test(every_row_is_told_for_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
