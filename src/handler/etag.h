/* SPDX-License-Identifier: BSD-2-Clause
 *
 * etag: the strong entity-tag of a file, the same for GET and for the preconditions of PUT.
 */
#ifndef WEBSRV_HANDLER_ETAG_H
#define WEBSRV_HANDLER_ETAG_H

#include <sys/stat.h>

#include "base/slice.h"

#define ETAG_MAX 80

/* From size, modification time in nanoseconds and inode. */
struct slice etag_format(const struct stat *st, char out[ETAG_MAX]);

#endif
