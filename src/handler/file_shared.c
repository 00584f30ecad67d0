/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_shared: sizes that follow from the process rather than from the configuration.
 */
#include "handler/file_shared.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "handler/filecache.h"
#include "handler/listing.h"

/* One in so many descriptors may be a file that is kept open, */
#define FD_SHARE 8
/* but connections go first, and what else the process has open. */
#define OTHER_DESCRIPTORS 64
#define FDS_MIN 16
/* Of all listings that are being made or sent; 100 000 names take some 6 MiB. */
#define LISTINGS_MEMORY ((size_t)64 * 1024 * 1024)

static uint32_t
descriptors_to_keep(uint32_t connections)
{
	uint64_t taken = (uint64_t)connections + OTHER_DESCRIPTORS;
	uint64_t limit, share;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 0;
	limit = rl.rlim_cur > UINT32_MAX ? UINT32_MAX : rl.rlim_cur;
	share = limit / FD_SHARE;
	if (share > FDS_MIN && limit < taken + share)
		share = limit > taken + FDS_MIN ? limit - taken : FDS_MIN;
	return (uint32_t)share;
}

struct file_shared *
file_shared_new(const struct config *conf, const struct counter_block *counters,
		size_t workers)
{
	struct file_shared *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->cache =
		filecache_new(&conf->cache, descriptors_to_keep(conf->limits.connections),
			      counters, workers);
	s->listings = listings_new(LISTINGS_MEMORY);
	if (s->cache != NULL && s->listings != NULL)
		return s;
	file_shared_free(s);
	return NULL;
}

void
file_shared_free(struct file_shared *s)
{
	if (s == NULL)
		return;
	filecache_free(s->cache);
	listings_free(s->listings);
	free(s);
}
