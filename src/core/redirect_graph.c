/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redirect_graph: nodes, then edges, then fates.
 */
#include "core/redirect_graph.h"

#include <stdlib.h>
#include <string.h>

#include "core/exchange.h"
#include "core/lint.h"
#include "http/uri.h"

#define HOPS_ALL 1000000 /* through prefixes and expressions, in all */
#define SAMPLE "any"
#define GROUPS_MAX 32 /* of a guess; the others are empty */

static size_t
index_of(const struct redirect_graph *g, const struct vhost *v)
{
	return (size_t)(v - g->site->vhosts);
}

struct follow_place
redirect_place(const struct redirect_graph *g, const struct redirect_node *n)
{
	return (struct follow_place){ n->vhost, g->hosts[index_of(g, n->vhost)],
				      n->path };
}

/* --- nodes --- */

static bool
is_redirect(const struct route *r)
{
	const struct handler *h = r->by_method[HTTP_GET];

	return h != NULL && h->ops->action == CONF_ACTION_REDIRECT;
}

static struct redirect_node *
add_node(struct redirect_graph *g, const struct vhost *v, const struct route *r,
	 struct slice path)
{
	struct redirect_node *n = &g->nodes[g->count++];

	*n = (struct redirect_node){
		.vhost = v, .route = r, .path = path, .next = REDIRECT_NONE
	};
	return n;
}

static void
add_prefix(struct redirect_graph *g, const struct vhost *v, const struct route *r)
{
	const char *text = lint_text(g->lint, "%.*s" SAMPLE, SLICE_ARG(r->prefix));
	struct slice path = slice_from_str(text);

	/* Else something more to the point answers that one. */
	if (router_match(&v->router, path).route == r)
		add_node(g, v, r, path)->is_sample = true;
}

/* What would come out for groups of that text, if it leads back to this server. */
static void
add_regex(struct redirect_graph *g, const struct vhost *v, const struct route *r,
	  struct slice text)
{
	struct slice groups[GROUPS_MAX];
	struct template_values values = { .star = text,
					  .host = g->hosts[index_of(g, v)],
					  .path = SLICE("/" SAMPLE),
					  .groups = groups,
					  .group_count = GROUPS_MAX };
	struct slice target;
	size_t len;
	struct redirect_node *n;

	for (size_t i = 0; i < GROUPS_MAX; i++)
		groups[i] = text;
	if (template_expand(&r->conf->redirect.target, &values, &g->lint->arena,
			    &target) != 0 ||
	    target.len == 0 || target.ptr[0] != '/')
		return;
	target.len = slice_find(target, '#');
	target.len = slice_find(target, '?');
	n = add_node(g, v, r, slice_make(NULL, 0));
	n->is_guess = true;
	n->path.ptr = arena_alloc(&g->lint->arena, target.len + 1);
	if (n->path.ptr == NULL ||
	    uri_path_canonical(target, (char *)(uintptr_t)n->path.ptr, &len) != 0)
		g->count--;
	else
		n->path.len = len;
}

static void
add_routes(struct redirect_graph *g, const struct vhost *v)
{
	size_t index = index_of(g, v);

	for (size_t i = 0; i < v->conf->route_count; i++) {
		const struct route *r = &v->routes[i];

		g->by_route[index][i] = REDIRECT_NONE;
		if (!is_redirect(r))
			continue;
		if (r->conf->regex != NULL) {
			add_regex(g, v, r, SLICE("1"));
			add_regex(g, v, r, SLICE(SAMPLE));
		} else if (r->conf->is_prefix) {
			add_prefix(g, v, r);
		} else if (router_match(&v->router, r->prefix).route == r) {
			g->by_route[index][i] = (uint32_t)g->count;
			add_node(g, v, r, r->prefix);
		}
	}
}

static void
add_vhost(struct redirect_graph *g, const struct vhost *v)
{
	size_t index = index_of(g, v);

	g->hosts[index] = follow_host(g->site, v, &g->lint->arena);
	g->first[index] = (uint32_t)g->count;
	for (size_t i = 0; i < v->conf->redirect_count; i++) {
		const struct conf_redirect_row *row = &v->conf->redirects[i];

		add_node(g, v, NULL, slice_from_str(row->from))->row = row;
	}
	add_routes(g, v);
}

static bool
alloc_graph(struct redirect_graph *g)
{
	const struct site *s = g->site;
	struct arena *a = &g->lint->arena;
	size_t total = 0;

	g->by_route = arena_zalloc(a, (s->vhost_count + 1) * sizeof(*g->by_route));
	g->told = arena_zalloc(a, (s->vhost_count + 1) * sizeof(*g->told));
	g->first = arena_zalloc(a, (s->vhost_count + 1) * sizeof(*g->first));
	g->hosts = arena_zalloc(a, (s->vhost_count + 1) * sizeof(*g->hosts));
	if (g->by_route == NULL || g->told == NULL || g->first == NULL ||
	    g->hosts == NULL)
		return false;
	for (size_t i = 0; i < s->vhost_count; i++) {
		size_t routes = s->vhosts[i].conf->route_count;

		g->by_route[i] = arena_zalloc(a, (routes + 1) * sizeof(**g->by_route));
		g->told[i] = arena_zalloc(a, (routes + 1) * sizeof(**g->told));
		if (g->by_route[i] == NULL || g->told[i] == NULL)
			return false;
		total += s->vhosts[i].conf->redirect_count + 2 * routes;
	}
	g->nodes = calloc(total + 1, sizeof(*g->nodes));
	return g->nodes != NULL && total < REDIRECT_NONE;
}

/* --- edges --- */

/* The node of the place that this step began at, or REDIRECT_NONE. */
static uint32_t
node_of(const struct redirect_graph *g, const struct follow_place *at,
	const struct follow_step *s)
{
	size_t v = index_of(g, at->vhost);

	/* Nodes are about requests for one host. */
	if (!slice_eq(at->host, g->hosts[v]))
		return REDIRECT_NONE;
	if (s->row != NULL)
		return g->first[v] + (uint32_t)(s->row - at->vhost->conf->redirects);
	return s->route != NULL ? g->by_route[v][s->route - at->vhost->routes]
				: REDIRECT_NONE;
}

static uint32_t *
told_by(const struct redirect_graph *g, const struct vhost *v, const struct route *r)
{
	return &g->told[index_of(g, v)][r - v->routes];
}

/* What comes again and again is told once, not again for everything that leads there. */
static bool
was_told(const struct redirect_graph *g, const struct follow_place *at,
	 const struct follow_step *s, uint32_t now)
{
	uint32_t by = s->route != NULL ? *told_by(g, at->vhost, s->route) : 0;

	return by != 0 && by != now && g->nodes[by - 1].fate == FATE_ENDLESS;
}

/* From a node up to the next one, or to the end. */
static void
walk(struct redirect_graph *g, struct redirect_node *n)
{
	struct follow_place at = redirect_place(g, n);
	uint32_t now = (uint32_t)(n - g->nodes) + 1;

	arena_reset(&g->scratch);
	n->plain = true;
	for (uint32_t hops = 0; n->fate == FATE_UNKNOWN; hops++) {
		struct follow_step s = follow(g->site, &at, &g->scratch);

		if (hops != 0) {
			n->next = node_of(g, &at, &s);
			if (n->next != REDIRECT_NONE)
				return;
		}
		n->end = s.kind;
		if (s.kind == FOLLOW_HERE || s.kind == FOLLOW_AWAY) {
			n->redirects++;
			n->plain = n->plain && s.plain;
		}
		if (s.kind != FOLLOW_HERE)
			return;
		if (was_told(g, &at, &s, now) || (hops != 0 && g->hops_left == 0))
			n->fate = FATE_UNSURE;
		else if (hops == REDIRECT_HOPS_MAX)
			n->fate = FATE_ENDLESS;
		else if (hops > REDIRECT_HOPS_MAX / 2 && s.route != NULL)
			*told_by(g, at.vhost, s.route) = now;
		g->hops_left -= hops != 0 && g->hops_left != 0;
		at = s.next;
	}
}

/* Is the route of a guess really one of those that come again and again? */
static bool
recurs(const struct redirect_graph *g, const struct redirect_node *n)
{
	return *told_by(g, n->vhost, n->route) == (uint32_t)(n - g->nodes) + 1;
}

static void
walk_all(struct redirect_graph *g)
{
	/* Routes first, and those that are surely asked: what is wrong with one is told at its
	 * own place. */
	for (size_t i = 0; i < g->count; i++) {
		if (g->nodes[i].row == NULL && !g->nodes[i].is_guess)
			walk(g, &g->nodes[i]);
	}
	for (size_t i = 0; i < g->count; i++) {
		struct redirect_node *n = &g->nodes[i];

		if (!n->is_guess)
			continue;
		walk(g, n);
		if (n->fate != FATE_ENDLESS || !recurs(g, n))
			n->fate = FATE_UNSURE;
	}
	for (size_t i = 0; i < g->count; i++) {
		if (g->nodes[i].row != NULL)
			walk(g, &g->nodes[i]);
	}
}

/* --- fates --- */

/* All of a cycle, from its first in the order of the files. */
static void
settle_cycle(struct redirect_graph *g, uint32_t start)
{
	uint32_t first = start;

	for (uint32_t i = g->nodes[start].next; i != start; i = g->nodes[i].next)
		first = i < first ? i : first;
	for (uint32_t i = start; g->nodes[i].fate == FATE_OPEN; i = g->nodes[i].next) {
		g->nodes[i].fate = FATE_CYCLE;
		g->nodes[i].to = first;
	}
}

/* What the fate of a node is when the next one's is known. */
static void
settle_node(struct redirect_graph *g, uint32_t i)
{
	struct redirect_node *n = &g->nodes[i];
	const struct redirect_node *next =
		n->next != REDIRECT_NONE ? &g->nodes[n->next] : NULL;

	n->to = next != NULL ? next->to : i;
	n->fate = FATE_ENDS;
	if (next == NULL)
		return;
	switch (next->fate) {
	case FATE_ENDS:
		n->redirects += next->redirects;
		n->plain = n->plain && next->plain;
		break;
	case FATE_CYCLE:
	case FATE_JOINS:
		n->fate = FATE_JOINS;
		break;
	case FATE_ENDLESS:
		n->fate = FATE_JOINS;
		n->to = n->next;
		break;
	case FATE_UNKNOWN:
	case FATE_OPEN:
	case FATE_UNSURE:
		n->fate = FATE_UNSURE;
		break;
	}
}

/* `stack` has room for all nodes. */
static void
settle(struct redirect_graph *g, uint32_t start, uint32_t *stack)
{
	size_t depth = 0;
	uint32_t i = start;

	while (i != REDIRECT_NONE && g->nodes[i].fate == FATE_UNKNOWN) {
		g->nodes[i].fate = FATE_OPEN;
		stack[depth++] = i;
		i = g->nodes[i].next;
	}
	if (i != REDIRECT_NONE && g->nodes[i].fate == FATE_OPEN)
		settle_cycle(g, i);
	while (depth-- > 0) {
		if (g->nodes[stack[depth]].fate == FATE_OPEN)
			settle_node(g, stack[depth]);
	}
}

/* --- the whole --- */

int
redirect_graph_init(struct redirect_graph *g, struct lint *l, const struct site *site)
{
	uint32_t *stack = NULL;

	*g = (struct redirect_graph){ .lint = l, .site = site, .hops_left = HOPS_ALL };
	arena_init(&g->scratch, SIZE_MAX);
	if (!alloc_graph(g))
		return -1;
	for (size_t i = 0; i < site->vhost_count; i++)
		add_vhost(g, &site->vhosts[i]);
	stack = malloc((g->count + 1) * sizeof(*stack));
	if (stack == NULL)
		return -1;
	walk_all(g);
	for (size_t i = 0; i < g->count; i++)
		settle(g, (uint32_t)i, stack);
	free(stack);
	return 0;
}

void
redirect_graph_fini(struct redirect_graph *g)
{
	free(g->nodes);
	arena_fini(&g->scratch);
}
