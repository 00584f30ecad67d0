/* SPDX-License-Identifier: BSD-2-Clause
 *
 * partial_sweep: goes through the staging directory and removes what nobody will come back
 * for. Waits for the disk, so it is not for the loop. Every upload is locked before it is
 * judged: what someone appends to is left alone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handler/partial.h"

#define TEMP_GRACE (48 * 3600) /* seconds; body_idle is far below */

struct sweep {
	int staging;
	int64_t now, grace;
	struct partial_sweep *out;
};

/* Halves of uploads are there for a moment while one is made. */
static void
sweep_stray(const struct sweep *s, const char *name)
{
	struct stat st;

	if (fstatat(s->staging, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_ctime + s->grace < s->now)
		unlinkat(s->staging, name, 0);
}

static void
sweep_upload(const struct sweep *s, struct slice id, const char *name)
{
	struct partial p;
	struct stat st;
	int rc = partial_open(&p, s->staging, id);

	if (rc == 0 && p.record.expires <= s->now) {
		partial_remove(&p);
		s->out->removed++;
	} else if (rc == 0 || rc == -EBUSY) {
		s->out->kept++;
		s->out->bytes +=
			p.fd >= 0 && fstat(p.fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	} else if (rc == -ENOENT) {
		sweep_stray(s, name);
	} else {
		s->out->kept++; /* no descriptor, no memory: that says nothing about it */
	}
	partial_close(&p);
}

/* A file of a request that a crash cut short. Who still writes to one does so more often than
 * that. Its change time, for what a form replaced waits here, too, and is old. */
static void
sweep_temp(const struct sweep *s, const char *name)
{
	struct sweep patient = *s;

	if (patient.grace < TEMP_GRACE)
		patient.grace = TEMP_GRACE;
	sweep_stray(&patient, name);
}

static bool
has_part(const struct sweep *s, struct slice id)
{
	char name[PARTIAL_ID_LEN + sizeof(".part")];
	struct stat st;

	snprintf(name, sizeof(name), "%.*s.part", SLICE_ARG(id));
	return fstatat(s->staging, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One name of an upload stands for all: the bytes, or the record where they are published. */
static void
sweep_name(const struct sweep *s, const char *name)
{
	struct slice all = slice_from_str(name);
	struct slice id = slice_make(name, slice_find(all, '.'));
	struct slice ending = slice_from(all, id.len);

	if (slice_starts_with(all, SLICE(FS_TEMP_PREFIX)))
		sweep_temp(s, name);
	if (!partial_is_id(id))
		return; /* not ours */
	if (slice_eq(ending, SLICE(".part")) ||
	    (slice_eq(ending, SLICE(".info")) && !has_part(s, id)))
		sweep_upload(s, id, name);
	else if (slice_eq(ending, SLICE(".new")) || slice_eq(ending, SLICE(".yield")))
		sweep_stray(s, name);
}

int
partial_sweep(int staging, int64_t now, int64_t grace, struct partial_sweep *out)
{
	struct sweep s = { staging, now, grace, out };
	int fd = openat(staging, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int rc = 0;

	*out = (struct partial_sweep){ 0 };
	if (dir == NULL) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (errno = 0, (e = readdir(dir)) != NULL)
		sweep_name(&s, e->d_name);
	if (errno != 0)
		rc = -errno;
	closedir(dir);
	return rc;
}
