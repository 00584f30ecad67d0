/* SPDX-License-Identifier: BSD-2-Clause
 *
 * partial_sweep: goes through the staging directory and removes what nobody will come back
 * for. Waits for the disk, so it is not for the loop. Every upload is locked before it is
 * judged: what someone appends to is left alone.
 */
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
static bool
sweep_stray(const struct sweep *s, const char *name)
{
	struct stat st;

	if (fstatat(s->staging, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_ctime + s->grace >= s->now ||
	    unlinkat(s->staging, name, 0) < 0)
		return false;
	s->out->freed += (uint64_t)st.st_size;
	return true;
}

/* What an upload has on disk. */
struct possession {
	bool part;
	uint64_t bytes;
};

static struct possession
look_at(const struct sweep *s, struct slice id)
{
	static const char *const endings[] = { ".part", ".info" };
	struct possession all = { 0 };
	char name[PARTIAL_ID_LEN + sizeof(".part")];
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%.*s%s", SLICE_ARG(id), endings[i]);
		if (fstatat(s->staging, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		all.part = all.part || i == 0;
		all.bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	}
	return all;
}

static void
note_gone(const struct sweep *s, const struct possession *it)
{
	s->out->parts += it->part;
	s->out->freed += it->bytes;
}

static void
sweep_upload(const struct sweep *s, struct slice id, const char *name)
{
	struct possession before = look_at(s, id);
	struct partial p;
	struct stat st;
	int rc = partial_open(&p, s->staging, id);

	if (rc == 0 && p.record.expires <= s->now) {
		partial_remove(&p);
		s->out->removed++;
		note_gone(s, &before);
	} else if (rc == 0 || rc == -EBUSY) {
		s->out->kept++;
		s->out->freed += p.cut;
		s->out->bytes +=
			p.fd >= 0 && fstat(p.fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	} else if (rc == -ENOENT && p.lost) {
		note_gone(s, &before);
	} else if (rc == -ENOENT) {
		s->out->parts += sweep_stray(s, name) && before.part;
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

/* One name of an upload stands for all: the bytes, or the record where they are published. */
static void
sweep_name(void *ctx, const char *name)
{
	const struct sweep *s = ctx;
	struct slice all = slice_from_str(name);
	struct slice id = slice_make(name, slice_find(all, '.'));
	struct slice ending = slice_from(all, id.len);

	if (slice_starts_with(all, SLICE(FS_TEMP_PREFIX)))
		sweep_temp(s, name);
	if (!partial_is_id(id))
		return; /* not ours */
	if (slice_eq(ending, SLICE(".part")) ||
	    (slice_eq(ending, SLICE(".info")) && !look_at(s, id).part))
		sweep_upload(s, id, name);
	else if (slice_eq(ending, SLICE(".new")) || slice_eq(ending, SLICE(".yield")))
		sweep_stray(s, name);
}

static void
count_name(void *ctx, const char *name)
{
	const struct sweep *s = ctx;
	struct slice all = slice_from_str(name);
	struct slice id = slice_make(name, slice_find(all, '.'));

	s->out->kept +=
		partial_is_id(id) && slice_eq(slice_from(all, id.len), SLICE(".part"));
}

int
partial_sweep(int staging, int64_t now, int64_t grace, struct partial_sweep *out)
{
	struct sweep s = { staging, now, grace, out };

	*out = (struct partial_sweep){ 0 };
	return fs_each_name(staging, sweep_name, &s);
}

int
partial_count(int staging, uint64_t *count)
{
	struct partial_sweep out = { 0 };
	struct sweep s = { .staging = staging, .out = &out };
	int rc = fs_each_name(staging, count_name, &s);

	*count = out.kept;
	return rc;
}
