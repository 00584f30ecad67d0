/* SPDX-License-Identifier: BSD-2-Clause
 *
 * etag: three numbers, delimited, so that no two different triples make the same tag.
 */
#include "handler/etag.h"

#include <stdio.h>

struct slice
etag_format(const struct stat *st, char out[ETAG_MAX])
{
	int n = snprintf(
		out, ETAG_MAX, "\"%llx-%llx.%lx-%llx\"", (unsigned long long)st->st_size,
		(unsigned long long)st->st_mtim.tv_sec,
		(unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ino);

	return slice_make(out, (size_t)n);
}
