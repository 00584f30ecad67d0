/* SPDX-License-Identifier: BSD-2-Clause
 *
 * publish: sync the bytes, give the names, sync the directories. A helper works on copies of the
 * descriptors, so the request may end at any time.
 */
#include "handler/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/exchange.h"
#include "handler/intent.h"
#include "handler/store_kept.h"
#include "handler/store_sidecar.h"
#include "handler/task.h"

struct sync_job {
	struct intent *intent; /* NULL, or one that is removed when all is synced */
	size_t count;
	int fds[]; /* the job's own */
};

static void
free_job(void *arg)
{
	struct sync_job *job = arg;

	for (size_t i = 0; i < job->count; i++)
		close(job->fds[i]);
	intent_unref(job->intent);
	free(job);
}

static int
sync_all(void *arg)
{
	const struct sync_job *job = arg;

	for (size_t i = 0; i < job->count; i++) {
		if (fsync(job->fds[i]) < 0)
			return -errno;
	}
	return job->intent != NULL ? intent_remove(job->intent, true) : 0;
}

static struct sync_job *
new_job(size_t room)
{
	return calloc(1, sizeof(struct sync_job) + room * sizeof(int));
}

/* Takes `fd`, or -errno. */
static int
add_fd(struct sync_job *job, int fd)
{
	if (fd < 0)
		return fd;
	job->fds[job->count++] = fd;
	return 0;
}

/* A descriptor that is only a path cannot be synced itself. */
static int
add_directory(struct sync_job *job, int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return add_fd(job, fd >= 0 ? fd : -errno);
}

/* What was written down must be true before the first name is given. */
static int
collect_intent(const struct publish *p, struct sync_job *job)
{
	int rc = add_fd(job, intent_dup(p->intent));

	if (rc == 0)
		rc = add_directory(job, p->store->staging);
	return rc == 0 ? add_directory(job, p->store->dirfd) : rc;
}

static int
collect_files(const struct publish *p, struct sync_job *job)
{
	int rc = 0;

	for (size_t i = 0; i < p->count && rc == 0; i++) {
		int fd = fcntl(p->items[i].file->temp.fd, F_DUPFD_CLOEXEC, 0);

		rc = add_fd(job, fd >= 0 ? fd : -errno);
	}
	return rc == 0 && p->intent != NULL ? collect_intent(p, job) : rc;
}

/* What is kept beside files, in the staging directory; "rename" may have written it anew. What is
 * gone need not be on the disk. */
static void
collect_sidecars(const struct publish *p, struct sync_job *job)
{
	struct stat st;
	int fd = -1;

	for (size_t i = 0; i < p->count; i++) {
		const struct store_file *f = p->items[i].file;

		if (f->kept != STORE_KEPT_BESIDE || fstat(f->temp.fd, &st) < 0)
			continue;
		fd = sidecar_open(p->store->dirfd, &st);
		if (fd >= 0)
			job->fds[job->count++] = fd;
	}
	if (fd >= 0)
		fd = openat(p->store->dirfd, STORE_STAGING,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		job->fds[job->count++] = fd;
}

/* That of the name, and those above it, which may be new. */
static int
collect_directories_of(const struct publish *p, const char *path, struct sync_job *job)
{
	const char *end = path;
	int rc = 0;

	while (rc == 0 && end != NULL) {
		char *dir = strndup(path, (size_t)(end - path));
		int fd = dir != NULL ? fs_open_dirs(p->store->dirfd, dir, false, 0)
				     : -ENOMEM;

		free(dir);
		if (fd < 0)
			return fd;
		rc = add_directory(job, fd);
		close(fd);
		end = strchr(end == path ? path : end + 1, '/');
	}
	return rc;
}

static int
collect_directories(const struct publish *p, struct sync_job *job)
{
	int rc = 0;

	for (size_t i = 0; i < p->count && rc == 0; i++) {
		/* Files of a form have no directories: one for all. */
		if (i == 0 || strchr(p->items[i].path, '/') != NULL)
			rc = collect_directories_of(p, p->items[i].path, job);
	}
	collect_sidecars(p, job);
	if (rc == 0 && p->intent != NULL)
		job->intent = intent_ref(p->intent);
	return rc;
}

/* Descriptors at most: for a file and what is beside it, for each directory above a name, and for
 * that of what is beside; three of the intent. */
static size_t
descriptors(const struct publish *p)
{
	size_t n = 4;

	for (size_t i = 0; i < p->count; i++)
		n += 2 + slice_count(slice_from_str(p->items[i].path), '/');
	return n;
}

static int
start_sync(struct publish *p, struct exchange *ex, enum publish_state state,
	   int (*collect)(const struct publish *p, struct sync_job *job))
{
	struct sync_job *job = new_job(descriptors(p));
	int rc = job != NULL ? collect(p, job) : -ENOMEM;

	if (rc < 0 && job != NULL)
		free_job(job);
	if (rc == 0)
		rc = task_start(&p->task, ex, ex->site->env.pool, sync_all, job,
				free_job);
	if (rc < 0)
		return store_failed(p->store, "sync in", "", rc);
	p->state = state;
	return 0;
}

/* --- the intent --- */

/* What is there now, where that may be replaced. */
static uint64_t
inode_of(const struct publish *p, const char *path)
{
	struct stat st;

	return p->store->conf->conflict == CONF_CONFLICT_REPLACE &&
			       fstatat(p->store->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) ==
				       0
		       ? st.st_ino
		       : 0;
}

static int
describe(struct publish *p, struct buf *text)
{
	bool renames = p->store->conf->conflict == CONF_CONFLICT_RENAME;
	int rc = 0;

	for (size_t i = 0; i < p->count && rc == 0; i++) {
		struct fs_temp *t = &p->items[i].file->temp;

		/* What it replaces waits there. */
		if (t->name[0] == '\0')
			t->dirfd = p->store->staging;
		rc = intent_add(text, t, p->items[i].path, renames,
				inode_of(p, p->items[i].path));
	}
	return rc;
}

static int
write_intent(struct publish *p)
{
	int staging = store_staging(p->store);
	struct buf text;
	int rc = staging < 0 ? staging : 0;

	buf_init(&text);
	if (rc == 0)
		rc = describe(p, &text);
	if (rc == 0)
		rc = intent_new(&p->intent, staging, &text);
	buf_fini(&text);
	return rc == 0 ? 0 : store_failed(p->store, "write in", STORE_STAGING, rc);
}

static void
release_intent(struct publish *p)
{
	intent_unref(p->intent);
	p->intent = NULL;
}

/* Nothing is to be done any more. One that cannot be removed is found by the next sweep, which
 * then finds all as it was. */
static void
drop_intent(struct publish *p)
{
	int rc = p->intent != NULL ? intent_remove(p->intent, false) : 0;

	if (rc < 0)
		(void)store_failed(p->store, "remove a file in", STORE_STAGING, rc);
	release_intent(p);
}

/* The names were taken back: the intent goes when that is true after a loss of power, too. */
static void
sync_and_drop(struct publish *p, struct exchange *ex)
{
	struct sync_job *job = new_job(descriptors(p));
	int rc = job != NULL ? collect_directories(p, job) : -ENOMEM;

	if (rc == 0)
		task_send(ex->site->env.pool, sync_all, job, free_job);
	else if (job != NULL)
		free_job(job);
	release_intent(p);
}

/* --- digests --- */

/* Before the sync, so that it is on the disk with the file; and before the name, so that nobody
 * sees the file without. */
static void
keep_digests(const struct publish *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct publish_item *item = &p->items[i];

		store_kept_save(p->store, item->file, item->path,
				fs_last_name(item->path));
	}
}

/* Those that have no name. */
static void
forget_digests(const struct publish *p, size_t from)
{
	for (size_t i = from; i < p->count; i++)
		store_kept_forget(p->store, p->items[i].file);
}

/* --- names --- */

static void
take_back(struct publish *p, struct exchange *ex, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct publish_item *item = &p->items[i];

		store_take_back(p->store, item->file, item->path, &item->result);
	}
	p->state = PUBLISH_IDLE;
	if (p->intent != NULL && count > 0 && p->store->conf->durable)
		sync_and_drop(p, ex);
	else
		drop_intent(p);
}

static int
give_names(struct publish *p, struct exchange *ex)
{
	for (size_t i = 0; i < p->count; i++) {
		struct publish_item *item = &p->items[i];
		const struct http_head *head =
			item->head != NULL ? item->head : &ex->head;
		int status = store_publish(p->store, item->file, item->path, head,
					   &item->result);

		if (status != 0) {
			take_back(p, ex, i);
			forget_digests(p, i);
			return status;
		}
	}
	return 0;
}

/* What was kept to be put back is not needed any more, and goes when the files are closed. */
static void
be_done(struct publish *p)
{
	struct stat old;

	release_intent(p);
	p->state = PUBLISH_DONE;
	for (size_t i = 0; i < p->count; i++) {
		const struct store_file *f = p->items[i].file;
		const struct fs_temp *t = f->lent ? &f->old : &f->temp;

		if (t->name[0] != '\0' &&
		    fstatat(t->dirfd, t->name, &old, AT_SYMLINK_NOFOLLOW) == 0)
			store_kept_gone(p->store, &old);
	}
}

/* An intent that stays would take the names away again. */
static int
finish(struct publish *p, struct exchange *ex)
{
	int rc = p->intent != NULL ? intent_remove(p->intent, false) : 0;

	if (rc < 0) {
		take_back(p, ex, p->count);
		return store_failed(p->store, "remove a file in", STORE_STAGING, rc);
	}
	be_done(p);
	return 0;
}

static int
name_them(struct publish *p, struct exchange *ex)
{
	int status = give_names(p, ex);

	/* From here on there is nothing to forget but what is taken back. */
	p->state = PUBLISH_IDLE;
	if (status == 0 && p->store->conf->durable) {
		status = start_sync(p, ex, PUBLISH_NAMING, collect_directories);
		if (status != 0)
			take_back(p, ex, p->count);
		return status;
	}
	return status == 0 ? finish(p, ex) : status;
}

int
publish_begin(struct publish *p, struct exchange *ex, struct store *store,
	      struct publish_item *items, size_t count)
{
	int status = 0;

	*p = (struct publish){ .store = store, .items = items, .count = count };
	/* Of several a later one may fail when the first have their names; and so may the sync of
	 * the directory. */
	for (size_t i = 0; i < count; i++)
		items[i].file->keeps_old = count > 1 || store->conf->durable;
	keep_digests(p);
	if (count > 1)
		status = write_intent(p);
	if (status == 0 && store->conf->durable)
		status = start_sync(p, ex, PUBLISH_SYNCING, collect_files);
	else if (status == 0)
		return name_them(p, ex);
	if (status != 0) {
		forget_digests(p, 0);
		drop_intent(p);
	}
	return status;
}

int
publish_work(struct publish *p, struct exchange *ex)
{
	int rc;

	if (!task_take(&p->task, &rc))
		return 0;
	if (rc < 0 && p->state == PUBLISH_NAMING)
		take_back(p, ex, p->count);
	else if (rc < 0)
		drop_intent(p);
	if (rc < 0)
		return store_failed(p->store, "sync in", "", rc);
	if (p->state == PUBLISH_SYNCING)
		return name_them(p, ex);
	be_done(p); /* the helper has removed the intent */
	return 0;
}

void
publish_end(struct publish *p)
{
	if (p->state == PUBLISH_SYNCING)
		forget_digests(p, 0);
	task_forget(&p->task);
	/* No name was given yet, or all; and before what they replaced is discarded. */
	drop_intent(p);
	for (size_t i = 0; i < p->count; i++)
		store_forget_old(p->items[i].file);
}
