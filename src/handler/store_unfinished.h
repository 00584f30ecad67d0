/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_unfinished: "unfinished" of a store: how many unfinished uploads its staging directory
 * has, of all workers together, by the sums of base/quota.h. A helper thread counts the names
 * at the start, again while uploads are created, and soon after one was refused: so what a
 * worker that died has not said is found, and what another generation of workers does.
 */
#ifndef WEBSRV_HANDLER_STORE_UNFINISHED_H
#define WEBSRV_HANDLER_STORE_UNFINISHED_H

#include "handler/store.h"

struct pool;

/* From now on the store counts them. Without a pool who asks waits for the counting. */
void store_unfinished_share(struct store *s, const struct quota_view *view,
			    struct pool *pool);
/* Begins to count, and waits a little for the end, so that the first uploads need not. */
void store_unfinished_await(struct store *s);

/* May there be one more? 0; 503: nobody has counted yet; 507: there are as many as there may be. */
int store_unfinished_check(struct store *s);
/* The same, and after 0 it has a place until store_unfinished_settle(), which says whether it is
 * there now. */
int store_unfinished_enter(struct store *s);
void store_unfinished_settle(struct store *s, bool created);
/* `n` of those that count were published, or removed, after that mark: who counted meanwhile may
 * have missed them, and then they are not taken away twice. */
uint64_t store_unfinished_mark(const struct store *s);
void store_unfinished_leave(struct store *s, uint64_t mark, uint64_t n);

#endif
