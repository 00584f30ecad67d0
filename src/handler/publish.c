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
#include <unistd.h>

#include "core/exchange.h"
#include "handler/task.h"

struct sync_job {
	size_t count;
	int fds[]; /* the job's own */
};

static void
free_job(void *arg)
{
	struct sync_job *job = arg;

	for (size_t i = 0; i < job->count; i++)
		close(job->fds[i]);
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
	return 0;
}

static struct sync_job *
new_job(size_t room)
{
	return calloc(1, sizeof(struct sync_job) + room * sizeof(int));
}

/* Takes `fd`; a negative one is an error already. */
static int
add_fd(struct sync_job *job, int fd)
{
	if (fd < 0)
		return -errno;
	job->fds[job->count++] = fd;
	return 0;
}

static int
collect_files(const struct publish *p, struct sync_job *job)
{
	int rc = 0;

	for (size_t i = 0; i < p->count && rc == 0; i++)
		rc = add_fd(job, fcntl(p->items[i].file->temp.fd, F_DUPFD_CLOEXEC, 0));
	return rc;
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
		/* A descriptor that is only a path cannot be synced itself. */
		rc = add_fd(job, openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
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
	return rc;
}

/* Descriptors at most: one for a file, one for each directory above a name. */
static size_t
descriptors(const struct publish *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		n++;
		for (const char *c = p->items[i].path; *c != '\0'; c++)
			n += *c == '/';
	}
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

/* --- names --- */

static void
take_back(struct publish *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct publish_item *item = &p->items[i];

		store_take_back(p->store, item->file, item->path, &item->result);
	}
}

static int
give_names(struct publish *p, struct exchange *ex)
{
	for (size_t i = 0; i < p->count; i++) {
		struct publish_item *item = &p->items[i];
		int status = store_publish(p->store, item->file, item->path, &ex->head,
					   &item->result);

		if (status != 0) {
			take_back(p, i);
			return status;
		}
	}
	return 0;
}

static int
name_them(struct publish *p, struct exchange *ex)
{
	int status = give_names(p, ex);

	if (status != 0)
		return status;
	if (p->store->conf->durable)
		return start_sync(p, ex, PUBLISH_NAMING, collect_directories);
	p->state = PUBLISH_DONE;
	return 0;
}

int
publish_begin(struct publish *p, struct exchange *ex, struct store *store,
	      struct publish_item *items, size_t count)
{
	*p = (struct publish){ .store = store, .items = items, .count = count };
	/* Of several a later one may fail when the first have their names. */
	for (size_t i = 0; i < count; i++)
		items[i].file->keeps_old = count > 1;
	if (store->conf->durable)
		return start_sync(p, ex, PUBLISH_SYNCING, collect_files);
	return name_them(p, ex);
}

int
publish_work(struct publish *p, struct exchange *ex)
{
	int rc;

	if (!task_take(&p->task, &rc))
		return 0;
	if (rc < 0 && p->state == PUBLISH_NAMING)
		take_back(p, p->count);
	if (rc < 0)
		return store_failed(p->store, "sync in", "", rc);
	if (p->state == PUBLISH_SYNCING)
		return name_them(p, ex);
	p->state = PUBLISH_DONE;
	return 0;
}

void
publish_end(struct publish *p)
{
	task_forget(&p->task);
}
