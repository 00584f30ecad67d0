/* SPDX-License-Identifier: BSD-2-Clause
 *
 * etag: the entity-tag of a file, the same for GET and for the preconditions of PUT.
 */
#ifndef WEBSRV_HANDLER_ETAG_H
#define WEBSRV_HANDLER_ETAG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/slice.h"

#define ETAG_MAX 96

/*
 * From size, modification time in nanoseconds and inode. Weak (RFC 9110 section 8.8.1) when the
 * time says too little: within a second of `now` (Unix seconds) the file may change again and
 * keep its time, and 0 and 1 are what build systems set it to.
 */
struct slice etag_format(const struct stat *st, int64_t now, char out[ETAG_MAX]);

/* Is that tag weak because the file is so young? It will be strong later. */
bool etag_is_young(const struct stat *st, int64_t now);

/* The tag of the same file in a content coding: weak, for encoders differ between builds. */
struct slice etag_format_coded(struct slice tag, struct slice coding, char out[ETAG_MAX]);

#endif
