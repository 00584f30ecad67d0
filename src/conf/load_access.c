/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_access: the items of "allow" and "deny": blocks of addresses, kept in the one form
 * that each has, so that what stands there twice is seen however it is written.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/cidr.h"
#include "conf/loader.h"

#define UNIX "unix"

static const char *
explain_no_address(struct slice s)
{
	if (slice_eq(s, SLICE("*")) || slice_eq(s, SLICE("all")))
		return "is no address; write \"0.0.0.0/0\", \"::/0\" and \"unix\" for "
		       "all";
	if (slice_starts_with(s, SLICE("[")))
		return "has brackets; write \"::1\", or \"2001:db8::/32\"";
	if (slice_starts_with(s, SLICE("unix:")))
		return "has a path; write \"unix\" for all unix sockets";
	return "is no numeric address, and names are not resolved; write one such as "
	       "\"192.0.2.7\", \"10.0.0.0/8\" or \"2001:db8::/32\", or \"unix\"";
}

/* What is wrong with it, and what would be right. */
static const char *
explain(struct load *l, struct slice s, enum cidr_result result, const struct cidr *c)
{
	char text[CIDR_TEXT_MAX];

	switch (result) {
	case CIDR_NO_ADDRESS:
		return explain_no_address(s);
	case CIDR_BAD_LENGTH:
		return load_text(l,
				 "has a bad prefix length; write a number from 0 to %d "
				 "behind the \"/\"",
				 c->family == AF_INET ? 32 : 128);
	case CIDR_HOST_BITS:
		return load_text(l,
				 "has bits set behind its prefix; write \"%s\", or "
				 "\"%.*s\" for this address alone",
				 cidr_format(c, text), (int)slice_find(s, '/'), s.ptr);
	case CIDR_MAPPED:
		return load_text(l, "is IPv4 in the form of IPv6; write \"%s\"",
				 cidr_format(c, text));
	case CIDR_OK:
		break;
	}
	return NULL;
}

void
access_set(struct load *l, const struct conf_key *key, void *target,
	   const struct conf_at *at, struct slice s)
{
	char text[CIDR_TEXT_MAX] = UNIX;
	const char *wrong = NULL, *item;
	struct cidr c;

	(void)key;
	if (!slice_eq(s, SLICE(UNIX))) {
		wrong = explain(l, s, cidr_parse(s, &c), &c);
		cidr_format(&c, text);
	}
	if (wrong != NULL) {
		load_error(l, at, "%s %s", load_quote(l, s), wrong);
		return;
	}
	item = load_strdup(l, slice_from_str(text));
	memcpy(target, &item, sizeof(item));
}

/* --- between the lists --- */

struct denied {
	struct cidr_set blocks;
	bool has_unix;
};

static bool
read_denied(struct load *l, const struct conf_strings *deny, struct denied *out)
{
	struct cidr *blocks = arena_alloc(&l->scratch, deny->count * sizeof(*blocks));
	size_t n = 0;

	*out = (struct denied){ .has_unix = false };
	for (size_t i = 0; blocks != NULL && i < deny->count; i++) {
		struct slice item = slice_from_str(deny->items[i]);

		if (slice_eq(item, SLICE(UNIX)))
			out->has_unix = true;
		else if (cidr_parse(item, &blocks[n]) == CIDR_OK)
			n++;
	}
	if (blocks != NULL && cidr_set_init(&out->blocks, blocks, n, &l->scratch) == 0)
		return true;
	l->failed = true;
	return false;
}

/* The item of "deny" that leaves nothing of this one, or NULL. */
static const char *
find_denier(struct load *l, const struct denied *denied, struct slice item)
{
	char text[CIDR_TEXT_MAX];
	const struct cidr *by;
	struct cidr c;

	if (slice_eq(item, SLICE(UNIX)))
		return denied->has_unix ? UNIX : NULL;
	if (cidr_parse(item, &c) != CIDR_OK)
		return NULL;
	by = cidr_set_find(&denied->blocks, &c);
	return by != NULL ? load_text(l, "%s", cidr_format(by, text)) : NULL;
}

void
access_check_route(struct load *l, const struct conf_route *r, const struct conf_at *at)
{
	struct denied denied;
	struct conf_at list;

	if (r->allow.count == 0 || r->deny.count == 0 ||
	    !load_member(at, "allow", &list) || !read_denied(l, &r->deny, &denied))
		return;
	for (const struct locate_node *n = list.node->first; n != NULL; n = n->next) {
		struct conf_at item = { n, json_array_get(list.json, n->index) };
		struct slice text = slice_from_str(r->allow.items[n->index]);
		const char *by = find_denier(l, &denied, text);

		if (by != NULL)
			load_error(
				l, &item,
				"%s is in \"deny\" as \"%s\", which is looked at first; "
				"remove one of them",
				load_quote(l, text), by);
	}
}
