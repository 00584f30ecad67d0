/* SPDX-License-Identifier: BSD-2-Clause
 *
 * include: other files that are part of a configuration. They are merged into the tree of
 * the main file before the table is walked: objects member by member, arrays one behind the
 * other; anything else may be said once only. Every node keeps its file, so that
 * positions, and what relative paths are relative to, stay those of where it stands.
 */
#ifndef WEBSRV_CONF_INCLUDE_H
#define WEBSRV_CONF_INCLUDE_H

#include <stdbool.h>

struct conf_at;
struct load;

#define INCLUDE_FILES_MAX 1000

/* Merges what "include" of `top` names. Errors are noted; false when a file could not be
 * read, so that what is missing is no error of its own. */
bool include_merge(struct load *l, struct conf_at *top);

#endif
