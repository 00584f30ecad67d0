/* SPDX-License-Identifier: BSD-2-Clause
 *
 * generation: born empty, freed as a whole.
 */
#include "app/generation.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clients.h"
#include "base/clock.h"
#include "base/quota.h"
#include "conf/load.h"
#include "config.h"
#include "handler/store_quota.h"

struct generation *
generation_new(struct config *conf)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		conf_free(conf);
		return NULL;
	}
	g->conf = conf;
	logs_init(&g->logs);
	return g;
}

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->slot_count; i++) {
		if (g->slots[i].channel >= 0)
			close(g->slots[i].channel);
	}
	free(g->slots);
	clients_free(g->clients);
	quota_free(g->quota);
	quota_free(g->unfinished);
	sockets_close(&g->sockets, false);
	start_close(&g->start);
	logs_close(&g->logs);
	conf_free(g->conf);
	free(g);
}

/* What reading and checking the configuration took, and nobody needs any more: for a large table
 * of redirects some megabytes, which would stay in the heap for good. */
static void
give_memory_back(void)
{
#ifdef HAVE_MALLOC_TRIM
	(void)malloc_trim(0);
#endif
}

/* NULL where no directory has such a limit. 0 or -ENOMEM. */
static int
make_quota(const struct generation *g, enum store_quota_kind kind, struct quota **out)
{
	size_t directories = store_quota_count(g->conf, kind);

	if (directories == 0)
		return 0;
	*out = quota_new(g->conf->workers, directories, clock_mono_ms());
	return *out != NULL ? 0 : -ENOMEM;
}

int
generation_make_slots(struct generation *g)
{
	g->slots = calloc(g->conf->workers, sizeof(*g->slots));
	g->clients = clients_new(g->conf->workers);
	if (g->slots == NULL || g->clients == NULL ||
	    make_quota(g, STORE_QUOTA_BYTES, &g->quota) < 0 ||
	    make_quota(g, STORE_QUOTA_UNFINISHED, &g->unfinished) < 0)
		return -ENOMEM;
	g->slot_count = g->conf->workers;
	for (size_t i = 0; i < g->slot_count; i++)
		g->slots[i].channel = -1;
	give_memory_back();
	return 0;
}

bool
generation_has_workers(const struct generation *g)
{
	for (size_t i = 0; i < g->slot_count; i++) {
		if (g->slots[i].pid != 0)
			return true;
	}
	return false;
}
