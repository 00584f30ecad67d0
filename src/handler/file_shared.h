/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_shared: what all files routes of one worker have together: the cache, the listings that
 * are being made, and the memory of answers that are encoded on the way.
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
	size_t stream_memory; /* of what is encoded on the way just now, bytes */
};

/* All that is encoded on the way at a time may take so much memory: some 160 answers in gzip, 20 in
 * zstd, 10 in br. */
#define FILE_STREAMS_MEMORY ((size_t)64 * 1024 * 1024)

/* `workers` counter blocks tell of uploads; borrowed; NULL: nobody uploads. NULL: no memory. */
struct file_shared *file_shared_new(const struct config *conf,
				    const struct counter_block *counters, size_t workers)
	__attribute__((warn_unused_result));
void file_shared_free(struct file_shared *s);

#endif
