/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing_render: what both languages of a listing say alike, times and links.
 */
#include "handler/listing_render.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http/uri.h"

#define YEAR_0 INT64_C(-62167219200)
#define YEAR_9999_END INT64_C(253402300799)

void
listing_format_time(int64_t unix_seconds, char out[LISTING_TIME_MAX])
{
	time_t t = (time_t)(unix_seconds < YEAR_0          ? YEAR_0
			    : unix_seconds > YEAR_9999_END ? YEAR_9999_END
							   : unix_seconds);
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	(void)gmtime_r(&t, &tm);
	strftime(out, LISTING_TIME_MAX, "0000-%m-%dT%H:%M:%SZ", &tm);
	/* %Y would not pad a year before 1000. */
	for (int i = 3, year = tm.tm_year + 1900; i >= 0; i--, year /= 10)
		out[i] = (char)('0' + year % 10);
}

struct slice
listing_format_link(const struct dirlist_entry *e, char out[LISTING_LINK_MAX])
{
	size_t n = 2;

	/* Without the "./" a name could begin with a scheme. */
	memcpy(out, "./", 2);
	n += uri_path_encode(dirlist_name(e), out + n);
	if (e->is_dir)
		out[n++] = '/';
	return slice_make(out, n);
}
