/* SPDX-License-Identifier: BSD-2-Clause
 *
 * staging: its name in a path.
 */
#include "handler/staging.h"

struct slice
staging_find(struct slice path)
{
	while (path.len > 0) {
		size_t len = slice_find(path, '/');
		struct slice segment = slice_make(path.ptr, len);

		if (slice_eq_nocase(segment, SLICE(STORE_STAGING)))
			return segment;
		path = slice_from(path, len < path.len ? len + 1 : len);
	}
	return slice_make(NULL, 0);
}
