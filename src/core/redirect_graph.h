/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redirect_graph: all redirects of a site, and what becomes of the requests that they answer.
 *
 * Every row and every exact route that redirects is a node with at most one edge, so the whole
 * is walked once with marks. Prefixes and expressions stand for paths without number: what they
 * answer on the way from one node to the next is followed hop by hop, up to a limit that no
 * client reaches. Each request followed is a real one, so a loop that is found is there; of
 * prefixes one sample path is asked, of expressions what they would make of samples.
 */
#ifndef WEBSRV_CORE_REDIRECT_GRAPH_H
#define WEBSRV_CORE_REDIRECT_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/follow.h"

struct lint;

#define REDIRECT_NONE UINT32_MAX
#define REDIRECT_HOPS_MAX 256 /* clients give up after 20 or 50 */

enum redirect_fate {
	FATE_UNKNOWN,
	FATE_OPEN,    /* on the path that is being walked */
	FATE_ENDS,    /* `to` is the last node */
	FATE_CYCLE,   /* it is in one; `to` is its first */
	FATE_JOINS,   /* it leads into `to`, which never ends */
	FATE_ENDLESS, /* without coming to another node */
	FATE_UNSURE   /* it leads to a route that has been told about, or too far */
};

struct redirect_node {
	const struct vhost *vhost;
	struct slice path;                   /* a request that begins here */
	const struct conf_redirect_row *row; /* or */
	const struct route *route;
	uint32_t next, to;
	uint32_t redirects; /* up to the next node or the end; later to the very end */
	enum redirect_fate fate;
	enum follow_kind end; /* without a next one */
	bool plain;           /* no query is dropped, added or changed up to the end */
	bool is_sample;       /* the path stands for others */
	bool is_guess;        /* the route may never be asked for it */
};

struct redirect_graph {
	struct lint *lint; /* whose arena it uses, but for the nodes */
	const struct site *site;
	struct redirect_node *nodes;
	size_t count;
	uint32_t **by_route; /* by vhost and route */
	uint32_t *first;     /* by vhost: its rows' nodes begin here */
	struct slice *hosts; /* by vhost: what is asked for */
	uint32_t **
		told; /* by vhost and route: the walk that found it endless, from 1; or 0 */
	struct arena scratch; /* of one walk */
	size_t hops_left;
};

/* 0, or -1 without memory; fini is right in both cases. */
int redirect_graph_init(struct redirect_graph *g, struct lint *l,
			const struct site *site);
void redirect_graph_fini(struct redirect_graph *g);

/* The request that begins at a node. */
struct follow_place redirect_place(const struct redirect_graph *g,
				   const struct redirect_node *n);

#endif
