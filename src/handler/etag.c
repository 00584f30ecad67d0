/* SPDX-License-Identifier: BSD-2-Clause
 *
 * etag: three numbers, delimited, so that no two different triples make the same tag.
 */
#include "handler/etag.h"

#include <stdio.h>

bool
etag_is_young(const struct stat *st, int64_t now)
{
	return st->st_mtim.tv_sec >= now - 1;
}

struct slice
etag_format(const struct stat *st, int64_t now, char out[ETAG_MAX])
{
	bool says_nothing = st->st_mtim.tv_sec == 0 || st->st_mtim.tv_sec == 1;
	bool weak = says_nothing || etag_is_young(st, now);
	int n = snprintf(
		out, ETAG_MAX, "%s\"%llx-%llx.%lx-%llx\"", weak ? "W/" : "",
		(unsigned long long)st->st_size, (unsigned long long)st->st_mtim.tv_sec,
		(unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ino);

	return slice_make(out, (size_t)n);
}

struct slice
etag_format_coded(struct slice tag, struct slice coding, char out[ETAG_MAX])
{
	bool weak = slice_starts_with(tag, SLICE("W/"));
	struct slice inside = slice_from(tag, weak ? 3 : 1);
	int n = snprintf(out, ETAG_MAX, "W/\"%.*s-%.*s\"", (int)inside.len - 1,
			 inside.ptr, SLICE_ARG(coding));

	return slice_make(out, (size_t)n);
}
