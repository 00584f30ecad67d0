/* SPDX-License-Identifier: BSD-2-Clause
 *
 * counters: the shared mapping.
 */
#include "base/counters.h"

#include <sys/mman.h>

struct counter_block *
counters_new(size_t count)
{
	void *p = mmap(NULL, count * sizeof(struct counter_block), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

void
counters_free(struct counter_block *blocks, size_t count)
{
	if (blocks != NULL)
		munmap(blocks, count * sizeof(struct counter_block));
}
