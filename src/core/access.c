/* SPDX-License-Identifier: BSD-2-Clause
 *
 * access: lists made ready, and the decision.
 */
#include "core/access.h"

#include <assert.h>
#include <sys/socket.h>

static int
init_list(struct access_list *list, const struct conf_strings *items, struct arena *arena)
{
	struct cidr *blocks = arena_alloc(arena, (items->count + 1) * sizeof(*blocks));
	size_t n = 0;

	if (blocks == NULL)
		return -1;
	for (size_t i = 0; i < items->count; i++) {
		struct slice item = slice_from_str(items->items[i]);

		if (slice_eq(item, SLICE("unix"))) {
			list->has_unix = true;
		} else {
			enum cidr_result result = cidr_parse(item, &blocks[n++]);

			/* A block that is left out of "deny" would let somebody in. */
			assert(result == CIDR_OK);
		}
	}
	return cidr_set_init(&list->blocks, blocks, n, arena);
}

const struct access *
access_new(const struct conf_strings *allow, const struct conf_strings *deny,
	   struct arena *arena)
{
	struct access *a = arena_zalloc(arena, sizeof(*a));

	if (a == NULL || init_list(&a->allow, allow, arena) < 0 ||
	    init_list(&a->deny, deny, arena) < 0)
		return NULL;
	a->is_limited = allow->count != 0;
	return a;
}

static bool
has_peer(const struct access_list *list, const struct peer *peer,
	 const struct cidr **block)
{
	struct cidr host;

	if (peer->family == AF_UNIX)
		return list->has_unix;
	host = cidr_host(peer->family, peer->address);
	*block = cidr_set_find(&list->blocks, &host);
	return *block != NULL;
}

struct access_verdict
access_decide(const struct access *a, const struct peer *peer)
{
	struct access_verdict v = { .rule = ACCESS_NOT_DENIED };

	if (has_peer(&a->deny, peer, &v.block))
		v.rule = ACCESS_DENIED;
	else if (a->is_limited)
		v.rule = has_peer(&a->allow, peer, &v.block) ? ACCESS_ALLOWED
							     : ACCESS_NOT_ALLOWED;
	v.permits = v.rule == ACCESS_ALLOWED || v.rule == ACCESS_NOT_DENIED;
	return v;
}
