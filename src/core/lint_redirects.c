/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint_redirects: redirects that never end, that lead on to further ones, that lead to nothing:
 * what redirect_graph found, in words.
 */
#include <inttypes.h>
#include <string.h>

#include "core/lint.h"
#include "core/redirect_graph.h"

#define NAMES_SHOWN 4 /* of a loop */

struct report {
	struct redirect_graph g;
	struct lint *lint;
	struct lint_kind loops, joins, chains, nothing, commas;
};

/* --- where things stand --- */

static const char *
row_pointer(struct lint *l, const char *table, const char *key)
{
	size_t len = strlen(table), used = len;
	char *out = arena_alloc(&l->arena, len + 2 * strlen(key) + 2);

	if (out == NULL) {
		l->failed = true;
		return "";
	}
	memcpy(out, table, len);
	out[used++] = '/';
	for (; *key != '\0'; key++) {
		/* RFC 6901 section 3 */
		if (*key == '~' || *key == '/') {
			out[used++] = '~';
			out[used++] = *key == '~' ? '0' : '1';
		} else {
			out[used++] = *key;
		}
	}
	out[used] = '\0';
	return out;
}

static struct conf_place
node_place(struct lint *l, const struct redirect_node *n)
{
	const struct conf_place *table = &n->vhost->conf->redirects_place;
	struct conf_place p;

	if (n->row == NULL)
		return n->route->conf->place;
	p = (struct conf_place){ table->file, n->row->line, n->row->column, NULL };
	if (table->pointer != NULL && n->row->key != NULL)
		p.pointer = row_pointer(l, table->pointer, n->row->key);
	return p;
}

/* As it is written. */
static const char *
node_name(const struct redirect_node *n)
{
	if (n->row != NULL)
		return n->row->from;
	return n->route->conf->path != NULL ? n->route->conf->path
					    : n->route->conf->path_regex;
}

/* --- reports --- */

static bool
is_same(const struct follow_place *a, const struct follow_place *b)
{
	return a->vhost == b->vhost && slice_eq(a->host, b->host) &&
	       slice_eq(a->path, b->path);
}

/* "/a -> /b -> /a"; *closed: that is all of it. */
static const char *
trail_text(struct report *r, struct follow_place start, bool *closed)
{
	const char *text = lint_text(r->lint, "%.*s", SLICE_ARG(start.path));
	struct follow_place at = start;

	*closed = false;
	for (size_t i = 1; i < NAMES_SHOWN && !*closed; i++) {
		at = follow(r->g.site, &at, &r->g.scratch).next;
		text = lint_text(r->lint, "%s -> %.*s", text, SLICE_ARG(at.path));
		*closed = is_same(&at, &start);
	}
	return text;
}

static const char *
cycle_text(struct report *r, uint32_t first)
{
	const struct redirect_node *n = &r->g.nodes[first];
	uint64_t count = n->redirects;
	const char *text;
	bool closed;

	arena_reset(&r->g.scratch);
	text = trail_text(r, redirect_place(&r->g, n), &closed);
	for (uint32_t i = n->next; i != first; i = r->g.nodes[i].next)
		count += r->g.nodes[i].redirects;
	return closed ? text
		      : lint_text(r->lint, "%s -> ... -> %.*s (%" PRIu64 " redirects)",
				  text, SLICE_ARG(n->path), count);
}

/* The same for what no node is part of. It goes round, or grows. */
static const char *
endless_text(struct report *r, const struct redirect_node *n)
{
	struct follow_place at[REDIRECT_HOPS_MAX + 2] = { redirect_place(&r->g, n) };
	size_t first = 0, last = REDIRECT_HOPS_MAX + 1;
	const char *text;
	bool closed;

	arena_reset(&r->g.scratch);
	for (size_t i = 0; i < last; i++)
		at[i + 1] = follow(r->g.site, &at[i], &r->g.scratch).next;
	while (!is_same(&at[first], &at[last]))
		first++;
	text = trail_text(r, at[first == last ? 0 : first], &closed);
	return closed ? text : lint_text(r->lint, "%s -> ...", text);
}

static void
report_loop(struct report *r, const struct redirect_node *n)
{
	struct conf_place place = node_place(r->lint, n);

	if (!lint_count(r->lint, &r->loops, &place))
		return;
	if (n->fate == FATE_CYCLE && n->next == n->to && n->redirects == 1)
		lint_shown(r->lint, &r->loops, &place,
			   "\"%s\" leads to itself, and a request for it never ends; "
			   "write another target, or remove it",
			   node_name(n));
	else
		lint_shown(r->lint, &r->loops, &place,
			   "\"%s\" leads into redirects that never end: %s; let one of "
			   "them lead elsewhere",
			   node_name(n),
			   n->fate == FATE_CYCLE ? cycle_text(r, n->to)
						 : endless_text(r, n));
}

static void
report_join(struct report *r, const struct redirect_node *n)
{
	struct conf_place place = node_place(r->lint, n);
	struct conf_place of = node_place(r->lint, &r->g.nodes[n->to]);

	if (lint_count(r->lint, &r->joins, &place))
		lint_shown(r->lint, &r->joins, &place,
			   "\"%s\" leads into the redirects of \"%s\" at %s, which never "
			   "end",
			   node_name(n), node_name(&r->g.nodes[n->to]),
			   lint_where(r->lint, &of));
}

/* Where the redirects that begin at a node lead to in the end, as a Location; empty when that
 * cannot be written for the node itself. */
static struct slice
last_target(struct report *r, const struct redirect_node *n)
{
	const struct redirect_node *last = &r->g.nodes[n->to];
	struct follow_place at = redirect_place(&r->g, last);
	struct slice target = slice_make(NULL, 0);

	if (!n->plain || n->is_sample)
		return target;
	for (;;) {
		struct follow_step s = follow(r->g.site, &at, &r->g.scratch);

		if (s.kind != FOLLOW_HERE && s.kind != FOLLOW_AWAY)
			break;
		target = s.target;
		if (s.kind == FOLLOW_AWAY)
			return target;
		at = s.next;
	}
	/* A path means something else on another server. */
	return at.vhost == n->vhost ? target : slice_make(NULL, 0);
}

static void
report_chain(struct report *r, const struct redirect_node *n)
{
	struct conf_place place = node_place(r->lint, n);
	struct follow_place at = redirect_place(&r->g, n);
	struct follow_step one, two;
	struct slice last;
	const char *text;

	if (!lint_count(r->lint, &r->chains, &place))
		return;
	arena_reset(&r->g.scratch);
	one = follow(r->g.site, &at, &r->g.scratch);
	two = follow(r->g.site, &one.next, &r->g.scratch);
	text = lint_text(r->lint, "\"%.*s\" leads to %.*s, which leads to %.*s",
			 SLICE_ARG(n->path), SLICE_ARG(one.target),
			 SLICE_ARG(two.target));
	if (n->redirects > 2)
		text = lint_text(r->lint, "%s and on, %u redirects in all", text,
				 n->redirects);
	last = last_target(r, n);
	if (last.len != 0)
		lint_shown(r->lint, &r->chains, &place, "%s: write \"%.*s\"", text,
			   SLICE_ARG(last));
	else
		lint_shown(r->lint, &r->chains, &place, "%s: name the end at once", text);
}

/* Does anything that is answered begin with what all targets of the route begin with? */
static bool
may_be_answered(const struct redirect_node *n)
{
	const struct conf_server *conf = n->vhost->conf;
	const struct template *target = &n->route->conf->redirect.target;
	struct slice text = target->parts[0].text;

	if (target->count == 1 && target->parts[0].kind == TEMPLATE_TEXT)
		return false;
	if (n->vhost->router.regex_count != 0 || text.len == 0 || text.ptr[0] != '/')
		return true;
	for (size_t i = 0; i < conf->route_count; i++) {
		if (slice_starts_with(n->vhost->routes[i].prefix, text))
			return true;
	}
	for (size_t i = 0; i < conf->redirect_count; i++) {
		if (slice_starts_with(slice_from_str(conf->redirects[i].from), text))
			return true;
	}
	return false;
}

static void
report_nothing(struct report *r, const struct redirect_node *n)
{
	struct conf_place place;
	struct follow_place at = redirect_place(&r->g, n);
	struct follow_step s;

	if (n->is_sample && may_be_answered(n))
		return;
	place = node_place(r->lint, n);
	if (!lint_count(r->lint, &r->nothing, &place))
		return;
	arena_reset(&r->g.scratch);
	s = follow(r->g.site, &at, &r->g.scratch);
	lint_shown(r->lint, &r->nothing, &place,
		   "\"%.*s\" leads to %.*s, where no route answers: 404; write another "
		   "target, or add a route",
		   SLICE_ARG(n->path), SLICE_ARG(s.target));
}

/* As tables of other programs separate words and end rows; here it is part of the path. */
static bool
is_punctuated(const char *s)
{
	size_t len = strlen(s);

	return len != 0 && strchr(",;", s[len - 1]) != NULL;
}

static void
report_punctuation(struct report *r, const struct redirect_node *n)
{
	const char *text = n->row->from;
	struct conf_place place;

	if (!is_punctuated(text))
		text = n->row->to;
	if (!is_punctuated(text))
		return;
	place = node_place(r->lint, n);
	if (lint_count(r->lint, &r->commas, &place))
		lint_shown(r->lint, &r->commas, &place,
			   "\"%s\" ends in \"%c\", which is part of it here: write "
			   "nothing but blanks between and behind them",
			   text, text[strlen(text) - 1]);
}

static void
report(struct report *r)
{
	for (size_t i = 0; i < r->g.count; i++) {
		const struct redirect_node *n = &r->g.nodes[i];

		if ((n->fate == FATE_CYCLE && n->to == i) || n->fate == FATE_ENDLESS)
			report_loop(r, n);
		else if (n->fate == FATE_JOINS)
			report_join(r, n);
		else if (n->fate == FATE_ENDS && n->redirects > 1)
			report_chain(r, n);
		else if (n->fate == FATE_ENDS && n->redirects == 1 &&
			 n->end == FOLLOW_NOTHING)
			report_nothing(r, n);
		if (n->row != NULL)
			report_punctuation(r, n);
	}
	lint_rest(r->lint, &r->commas);
	lint_rest(r->lint, &r->loops);
	lint_rest(r->lint, &r->joins);
	lint_rest(r->lint, &r->chains);
	lint_rest(r->lint, &r->nothing);
}

void
lint_redirects(struct lint *l, const struct site *site)
{
	struct report r = {
		.lint = l,
		.loops = { .level = LINT_ERROR, .many = "loops of redirects" },
		.joins = { .level = LINT_ERROR, .many = "that lead into such redirects" },
		.chains = { .level = LINT_WARNING, .many = "chains of redirects" },
		.commas = { .level = LINT_WARNING,
			    .many = "rows that end in a comma or semicolon" },
		.nothing = { .level = LINT_WARNING,
			     .many = "redirects that lead to nothing" },
	};

	if (redirect_graph_init(&r.g, l, site) == 0)
		report(&r);
	else
		l->failed = true;
	redirect_graph_fini(&r.g);
}
