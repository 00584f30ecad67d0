/* SPDX-License-Identifier: BSD-2-Clause
 *
 * follow: where a GET is sent to next, if the site answers it with a redirect. The site's own
 * routers and templates decide, as they do for a request; nothing is served.
 */
#ifndef WEBSRV_CORE_FOLLOW_H
#define WEBSRV_CORE_FOLLOW_H

#include <stdbool.h>

#include "base/arena.h"
#include "core/router.h"
#include "core/site.h"

/* A request: whose it is, for which host, and its canonical path. */
struct follow_place {
	const struct vhost *vhost;
	struct slice host, path;
};

enum follow_kind {
	FOLLOW_HERE,    /* to another place of this site */
	FOLLOW_AWAY,    /* to another site */
	FOLLOW_ANSWER,  /* it is no redirect */
	FOLLOW_NOTHING, /* no route answers: 404 */
	FOLLOW_FAILED   /* no valid target comes out, or memory is exhausted */
};

struct follow_step {
	enum follow_kind kind;
	const struct conf_redirect_row *row; /* what answered; or */
	const struct route *route;           /* this; NULL when nothing does */
	/* of FOLLOW_HERE and FOLLOW_AWAY: */
	struct slice target;      /* the Location of a request without a query */
	bool plain;               /* the query is kept, and the target has none */
	struct follow_place next; /* FOLLOW_HERE */
};

/* What comes out lives in `a` or in the site. One thread at a time, as the router. */
struct follow_step follow(const struct site *site, const struct follow_place *at,
			  struct arena *a);

/* A host that this server is asked for; empty when none is known for sure. In `a`. */
struct slice follow_host(const struct site *site, const struct vhost *v, struct arena *a);

#endif
