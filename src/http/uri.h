/* SPDX-License-Identifier: BSD-2-Clause
 *
 * uri: the one place where a request path becomes canonical, and text becomes part of
 * a URL again. Decoded once, here, and nowhere else: access rules, routing and the
 * file system all see the same bytes (shared rule 2 of the security notes).
 */
#ifndef WEBSRV_HTTP_URI_H
#define WEBSRV_HTTP_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/*
 * Canonical form of an encoded path that begins with '/': percent-decoded once, "." and
 * ".." resolved (RFC 3986 section 5.2.4, on the decoded bytes), runs of '/' collapsed, a
 * trailing '/' kept (also for a final "." or ".."). Writes at most path.len bytes to `out`
 * (not NUL-terminated) and the count to *len. `out` may not overlap `path`.
 * 0, or 400: %00, %2F, a bad escape, a path above the root, no leading '/', a raw '?',
 * or a raw byte that may not stand in a target; *len is then where the segment begins that
 * is to blame. Other control bytes may come out.
 */
int uri_path_canonical(struct slice path, char *out, size_t *len);

/*
 * Percent-encodes what may not stand raw in a path: everything but unreserved, '/',
 * and !$&'()*+,;=:@ . Worst case 3 * s.len bytes; returns the count written.
 * CR, LF, space, '"', '\\' and non-ASCII bytes cannot come out.
 */
size_t uri_path_encode(struct slice s, char *out);

/* The same for a query as it was received: '%' and '?' stay, what may not stand raw is
 * encoded. Worst case 3 * s.len bytes; returns the count. */
size_t uri_query_encode(struct slice s, char *out);

/* Decoded text as a value within a query: what would end it is encoded too. */
size_t uri_query_value_encode(struct slice s, char *out);

/*
 * The host of an authority (uri-host [":" port]) lower-cased, port and a final dot
 * dropped; IPv6 literals keep their brackets. Writes at most authority.len bytes to `out`;
 * returns the count.
 */
size_t uri_host_normalise(struct slice authority, char *out);

/* uri-host [":" port] of RFC 3986 section 3.2.2 with a non-empty host (nor only "."), no
 * userinfo; a port is at most 65535 and may be empty. IPvFuture and zones are refused. */
bool uri_is_authority(struct slice s);

/* One byte of a URL path segment, query or target as it may stand raw on the wire:
 * pchar, '/', '?', '%', and the bytes that browsers send raw although RFC 3986 wants
 * them encoded: " < > [ ] \ ^ ` { | } and 0x80-0xff. Never CTL, SP, DEL or '#'. */
bool uri_is_target_byte(unsigned char c);

#endif
