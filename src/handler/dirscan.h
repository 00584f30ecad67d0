/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dirscan: a directory of a root as an immutable snapshot, read and put in order in bounded
 * steps. Requests for the same thing share one snapshot, under way or fresh; it goes with the
 * last reference. Links are listed as what they lead to, as far as the root's policy lets them.
 */
#ifndef WEBSRV_HANDLER_DIRSCAN_H
#define WEBSRV_HANDLER_DIRSCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "handler/dirlist.h"

#define DIRSCAN_STEP_ENTRIES 500
#define DIRSCAN_STEP_US 1000
#define DIRSCAN_BUCKETS 64
#define DIRSCAN_KEPT_MAX 4 /* snapshots that are kept while nobody uses them */

struct dirscan;
struct file_root;

LIST_HEAD(dirscan_bucket, dirscan);
TAILQ_HEAD(dirscan_queue, dirscan);

/* All snapshots of one worker. */
struct dirscans {
	struct dirlist_budget budget;
	struct dirscan_bucket buckets[DIRSCAN_BUCKETS];
	struct dirscan_queue kept; /* newest first */
	size_t kept_count;
};

/* What tells one snapshot from another. */
struct dirscan_key {
	const struct file_root *root;
	const char *path; /* beneath the root: "" or with '/' at its end */
	bool hidden;      /* names that begin with a dot are listed too */
	enum dirlist_sort sort;
	bool descending;
	uint64_t uploads; /* that had been stored when it was asked for */
};

void dirscans_init(struct dirscans *all, size_t memory_max);
/* Nobody may hold a snapshot any more. */
void dirscans_fini(struct dirscans *all);

/* Forgets the snapshots of a root that goes away. */
void dirscans_forget_root(struct dirscans *all, const struct file_root *root);

/*
 * A reference to a snapshot, nothing of which may have been read yet: one under way, or one
 * that was complete less than `revalidate_ms` ago, or a new one. 0; -ENOBUFS when memory_max
 * does not allow for it; -errno of opening the directory: -ENOTDIR, -EACCES...
 */
int dirscan_get(struct dirscans *all, const struct dirscan_key *key,
		uint32_t revalidate_ms, struct dirscan **out)
	__attribute__((warn_unused_result));

/*
 * A turn of the loop for one holder of a reference, `who`. However many wait for a snapshot,
 * one of them drives it: about DIRSCAN_STEP_ENTRIES entries or DIRSCAN_STEP_US a turn. 1 when
 * the snapshot is complete, 0 when further turns are needed; -ENOBUFS, -ENOMEM, or -errno of
 * reading the directory, then and later.
 */
int dirscan_advance(struct dirscan *s, const void *who)
	__attribute__((warn_unused_result));

/* Only of a complete one; valid as long as the reference. */
const struct dirlist *dirscan_list(const struct dirscan *s);

/* `who` as in dirscan_advance(): another takes over from a driver that leaves. */
void dirscan_unref(struct dirscan *s, const void *who);

#endif
