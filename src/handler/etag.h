/* SPDX-License-Identifier: BSD-2-Clause
 *
 * etag: the entity-tag of a file, the same for GET, for the preconditions of PUT, POST and DELETE,
 * and for the answers to them.
 */
#ifndef WEBSRV_HANDLER_ETAG_H
#define WEBSRV_HANDLER_ETAG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/slice.h"
#include "http/digest.h"

#define ETAG_MAX 96

/*
 * `kept` is what store_kept_load() found; NULL or empty for any other file.
 *
 * With a digest the tag is made of it, and strong from the first moment: `"sha-256:..."`, or
 * `"sha-512:..."` where there is only that one, with its first 256 bits as base64url. Else of
 * size, modification time in nanoseconds and inode, without a colon, so that no tag is one of
 * the other kind. That one is weak (RFC 9110 section 8.8.1) when the time says too little:
 * within a second of `now` (Unix seconds) the file may change again and keep its time, and 0
 * and 1 are what build systems set it to.
 */
struct slice etag_format(const struct stat *st, int64_t now,
			 const struct digest_set *kept, char out[ETAG_MAX]);

/* May the file change once more and keep its time? */
bool etag_is_young(const struct stat *st, int64_t now);

/* The tag of the same file in a content coding: weak, for encoders differ between builds. */
struct slice etag_format_coded(struct slice tag, struct slice coding, char out[ETAG_MAX]);

#endif
