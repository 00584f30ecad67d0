/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_sweep: unfinished uploads whose time is over are removed, and so is what was kept beside
 * files that are gone (store_kept.h), by a helper, of one worker at a time: who has the lock on
 * a file in the staging directory. When it was last done is the time of that file, so that many
 * workers do not do it many times. Where uploads cannot be resumed there is still what a crash
 * leaves of others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "handler/intent.h"
#include "handler/partial.h"
#include "handler/store_kept.h"
#include "handler/store_quota.h"
#include "handler/store_unfinished.h"
#include "handler/task.h"
#include "handler/upload.h"

#define EVERY_MS ((uint64_t)10 * 60 * 1000)
#define GRACE_S 60
#define LOCK_NAME "sweep.lock"

struct job {
	int staging;
	int64_t every_s;
	const struct log *log;
	struct store *store; /* of release(): the site outlives the pool */
	/* Before anything was removed: */
	uint64_t quota_mark, unfinished_mark;
	struct partial_sweep result;
	struct intent_result intents;
	const char *directory; /* for the log */
};

static uint64_t
interval_ms(const struct conf_upload *conf)
{
	uint64_t quarter = conf->expire_ms / 4;

	return quarter < EVERY_MS ? quarter + 1 : EVERY_MS;
}

/* Has nobody done it just now? */
static bool
is_due(const struct job *job, int lock)
{
	struct stat st;

	return fstat(lock, &st) < 0 || st.st_size == 0 || st.st_mtime > clock_unix() ||
	       st.st_mtime + job->every_s / 2 <= clock_unix();
}

static int
run(void *arg)
{
	struct job *job = arg;
	int rc = intent_recover(job->staging, &job->intents);
	int lock = openat(job->staging, LOCK_NAME,
			  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (lock < 0)
		return -errno;
	if (flock(lock, LOCK_EX | LOCK_NB) == 0 && is_due(job, lock)) {
		rc = partial_sweep(job->staging, clock_unix(), GRACE_S, &job->result);
		store_kept_sweep(job->staging, clock_unix());
		/* Writing sets its time. */
		if (pwrite(lock, "\n", 1, 0) < 0)
			rc = -errno;
	}
	close(lock);
	return rc;
}

static void
release(void *arg)
{
	struct job *job = arg;

	intent_tell(job->log, job->directory, &job->intents);
	store_quota_remove(job->store, job->quota_mark,
			   job->result.freed + job->intents.gone);
	store_recount_bytes(job->store, 0, job->intents.back);
	store_unfinished_leave(job->store, job->unfinished_mark, job->result.parts);
	if (job->result.removed > 0)
		log_info(job->log, "upload: %llu unfinished uploads have expired",
			 (unsigned long long)job->result.removed);
	close(job->staging);
	free(job);
}

static void
sweep(struct upload *u)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return;
	*job = (struct job){ .log = u->store.log,
			     .directory = u->store.conf->directory,
			     .store = &u->store,
			     .quota_mark = store_quota_mark(&u->store),
			     .unfinished_mark = store_unfinished_mark(&u->store),
			     .every_s = (int64_t)(interval_ms(u->store.conf) / 1000) };
	/* Where nobody ever uploaded there is none, and none is made. */
	job->staging = openat(u->store.dirfd, STORE_STAGING,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (job->staging < 0)
		free(job);
	else
		task_send(u->pool, run, job, release);
}

uint64_t
upload_tick(void *state)
{
	struct upload *u = state;
	uint64_t now = clock_mono_ms();

	/* Also where none can be resumed: crashes leave other things, too, and unfinished ones may
	 * be from before that was so. */
	if (u->store.dirfd < 0)
		return UINT64_MAX;
	if (now >= u->sweep_due_ms) {
		sweep(u);
		u->sweep_due_ms = now + interval_ms(u->store.conf);
	}
	return u->sweep_due_ms - now;
}
