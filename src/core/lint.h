/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint: what a configuration means that loads and whose site stands: redirects that never
 * end, what is never asked, what would be served and should not be. Findings are collected with
 * their places and printed in the order of the files. Nothing is changed, bound or created.
 */
#ifndef WEBSRV_CORE_LINT_H
#define WEBSRV_CORE_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "conf/config.h"

struct buf;
struct lint_finding;
struct site;

enum lint_level {
	LINT_WARNING, /* it works, but hardly as it is meant */
	LINT_ERROR    /* it cannot work */
};

#define LINT_SHOWN_MAX 20 /* of one kind; the others are counted */

struct lint {
	struct arena arena;
	const char *file; /* the main one, whose findings come first; may be NULL */
	struct lint_finding *findings;
	size_t finding_count;    /* of the list */
	size_t warnings, errors; /* also those that are only counted */
	bool failed;             /* out of memory: not all is there */
};

/* Findings that can be many, such as one for each row of a table. */
struct lint_kind {
	enum lint_level level;
	const char *many; /* "chains of redirects" */
	size_t count;
	struct conf_place rest; /* of the first that is not shown */
};

void lint_init(struct lint *l, const struct config *conf);
void lint_fini(struct lint *l);

/* A finding. The place is copied, not its strings. */
void lint_warning(struct lint *l, const struct conf_place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void lint_error(struct lint *l, const struct conf_place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Counts one of a kind at its place. True: it is to be shown, by lint_shown(). */
bool lint_count(struct lint *l, struct lint_kind *kind, const struct conf_place *place);
/* The text of what has been counted. */
void lint_shown(struct lint *l, const struct lint_kind *kind,
		const struct conf_place *place, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Says how many more there are, if there are. */
void lint_rest(struct lint *l, const struct lint_kind *kind);

/* Text in the lint's arena; never NULL. */
const char *lint_text(struct lint *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "FILE:LINE:COLUMN" */
const char *lint_where(struct lint *l, const struct conf_place *place);

/* A line for each, as conf_report() writes them; `marked`: with "warning: " before the text
 * of a warning. */
void lint_print(struct lint *l, bool marked, struct buf *out);

/* The checks; each may be left out. */

/* lint_redirects.c: loops, chains, targets that nothing answers. Follows the router. */
void lint_redirects(struct lint *l, const struct site *site);
/* lint_routes.c: routes and addresses that are never asked. */
void lint_routes(struct lint *l, const struct site *site);
/* lint_auth.c: secrets that others may read, or hear. */
void lint_auth(struct lint *l, const struct site *site);
/* lint_files.c: what the file system has to say: uploads that are served, private files
 * beneath a root, pages that are not there. */
void lint_files(struct lint *l, const struct site *site);

#endif
