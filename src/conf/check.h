/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check: the grammars of configuration strings, each a conf_check_fn: NULL when the
 * string is good, else what is wrong with it and what would be right, to be printed
 * behind the quoted string. Pure functions.
 */
#ifndef WEBSRV_CONF_CHECK_H
#define WEBSRV_CONF_CHECK_H

#include <stdbool.h>

#include "base/slice.h"

const char *check_not_empty(struct slice s);
/* The same, of what cannot be left out. */
const char *check_needed(struct slice s);
/* The name of a user or a group, which the system is asked for. */
const char *check_account(struct slice s);
/* A decoded, canonical path: '/' first, no empty or dot segments, nothing that only a URL has:
 * a query, a fragment, an escape. */
const char *check_path(struct slice s);
/* The same; its last segment may be "*". */
const char *check_route_path(struct slice s);
/* The bytes that a target of a redirect may have, and at most one '*'. */
const char *check_target_bytes(struct slice s);
/* Where a row of a table may lead; a '*' is never in the host. */
const char *check_redirect_to(struct slice s);
/* The same, but nothing in it is filled in. */
const char *check_after(struct slice s);
/* The name of a file in a directory. */
const char *check_file_name(struct slice s);
/* A response field that is the administrator's to set. */
const char *check_header_name(struct slice s);
const char *check_header_value(struct slice s);
const char *check_cache_control(struct slice s);
/* What stands in a challenge; quotes are escaped there. */
const char *check_realm(struct slice s);
/* type/subtype, perhaps with parameters. */
const char *check_media_type(struct slice s);
/* type/subtype or "type/" and a star, no parameters. */
const char *check_type_pattern(struct slice s);
/* A coding that is built in. */
const char *check_coding(struct slice s);
/* A path beneath a root, with or without a '/' first. */
const char *check_fallback(struct slice s);
/* The name of any field, or "*". */
const char *check_field_name(struct slice s);
/* "*", or an origin as browsers send it: scheme, host, and a port unless it is that of the
 * scheme (RFC 6454 section 6.2). */
const char *check_origin(struct slice s);
/* "" or a token. */
const char *check_charset(struct slice s);
/* ".ext" */
const char *check_extension(struct slice s);
/* "404", "4xx" */
const char *check_ending(struct slice s);
const char *check_error_status(struct slice s);
/* A host name of any case, or "*." before one, or an address as in Host. */
const char *check_server_name(struct slice s);

/* Does it end in a segment that is just "*"? */
bool path_is_prefix(struct slice path);

#endif
