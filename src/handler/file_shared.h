/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_shared: what all files routes of one worker have together: the cache, the listings that
 * are being made, and how many answers are encoded on the way.
 */
#ifndef WEBSRV_HANDLER_FILE_SHARED_H
#define WEBSRV_HANDLER_FILE_SHARED_H

#include "base/counters.h"
#include "conf/config.h"

struct filecache;
struct listings;

struct file_shared {
	struct filecache *cache;
	struct listings *listings;
	unsigned streams; /* that are encoded on the way just now */
};

/* `workers` counter blocks tell of uploads; borrowed; NULL: nobody uploads. NULL: no memory. */
struct file_shared *file_shared_new(const struct conf_cache *conf,
				    const struct counter_block *counters, size_t workers)
	__attribute__((warn_unused_result));
void file_shared_free(struct file_shared *s);

#endif
