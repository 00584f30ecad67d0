/* SPDX-License-Identifier: BSD-2-Clause
 *
 * template: a target of a redirect with places to fill in, compiled once, and what a request
 * makes of it. Text goes in; no byte of a request comes out unencoded, so none of it can
 * end a field or choose a host. Nothing is freed: parts live in the caller's arena.
 */
#ifndef WEBSRV_HTTP_TEMPLATE_H
#define WEBSRV_HTTP_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

#define TEMPLATE_OUT_MAX ((size_t)64 << 10) /* bytes of an expanded target */

enum template_kind {
	TEMPLATE_TEXT,
	TEMPLATE_STAR, /* '*': what the '*' of a path matched */
	TEMPLATE_HOST, /* ${host}: without its port */
	TEMPLATE_PATH, /* ${path}: canonical, begins with '/' */
	TEMPLATE_QUERY,
	TEMPLATE_GROUP /* ${1}, ${name}: what a group of a regular expression matched */
};

struct template_part {
	enum template_kind kind;
	bool in_query;     /* behind a '?' or '#' of the template */
	uint32_t group;    /* TEMPLATE_GROUP: its number */
	struct slice text; /* as written; of TEMPLATE_TEXT what comes out */
};

struct template
{
	const struct template_part *parts;
	size_t count;
	bool has_query; /* there is a ${query} */
};

/* The number of a named or numbered group, or -1. NULL: there are no groups. */
struct template_groups {
	int (*find)(const void *arg, struct slice name);
	const void *arg;
};

/*
 * Compiles `text`, which must outlive the template. NULL, or what is wrong, to be printed
 * behind the quoted *piece: an unknown name, a "${" without "}", a single '$'. Groups are
 * known by `groups` alone. *out has no parts when memory is exhausted (NULL is returned).
 */
const char *template_compile(struct slice text, const struct template_groups *groups,
			     struct arena *a, struct template *out, struct slice *piece);

/* NULL, or what is wrong with where the target leads: it must begin with one '/', with
 * ${path}, or with http:// or https:// and a host that nothing but ${host} may choose. */
const char *template_check_target(const struct template *t, struct slice *piece);

/* What a request has to fill in; decoded but for the query. */
struct template_values {
	struct slice star, host, path, query;
	const struct slice *groups; /* [0] is the whole match; unset ones are empty */
	size_t group_count;
};

/*
 * The target, in `a`. 0; 400 when the host would not be valid; 414 when the target would
 * be longer than TEMPLATE_OUT_MAX; 503 without memory. A target that begins with '/' begins
 * with exactly one.
 */
int template_expand(const struct template *t, const struct template_values *v,
		    struct arena *a, struct slice *out)
	__attribute__((warn_unused_result));

#endif
