/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_kept: the text, and where it goes.
 */
#include "handler/store_kept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "core/uploads.h"
#include "handler/store.h"
#include "handler/store_sidecar.h"

#define ATTRIBUTE "user.websrv.digest"
#define STAMP_MAX 64 /* "SIZE SECONDS.NANOSECONDS " */
#define KEPT_MAX (STAMP_MAX + DIGEST_COUNT * (DIGEST_TEXT_MAX + 2))
#define SWEEP_GRACE_S                                                                    \
	3600 /* a file of many gigabytes may be synced before it has its name */

_Static_assert(KEPT_MAX <= SIDECAR_TEXT_MAX, "a sidecar has room for the text");

/* --- text --- */

static struct slice
format_stamp(const struct stat *st, char out[STAMP_MAX])
{
	int n = snprintf(out, STAMP_MAX, "%" PRIu64 " %jd.%09ld ", (uint64_t)st->st_size,
			 (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);

	return slice_make(out, (size_t)n);
}

static struct slice
format_text(const struct digest_set *set, const struct stat *st, char out[KEPT_MAX])
{
	size_t n = format_stamp(st, out).len;

	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((set->present & DIGEST_BIT(a)) == 0)
			continue;
		if (out[n - 1] == ':') {
			out[n++] = ',';
			out[n++] = ' ';
		}
		n += digest_format(a, set->value[a], out + n).len;
	}
	return slice_make(out, n);
}

static bool
read_text(struct slice text, const struct stat *st, struct digest_set *out)
{
	char stamp[STAMP_MAX];
	struct slice begin = format_stamp(st, stamp);

	return slice_starts_with(text, begin) &&
	       digest_parse(slice_from(text, begin.len), out) == 0 && out->present != 0;
}

static bool
is_true(struct slice text, const struct stat *st)
{
	struct digest_set set;

	return read_text(text, st, &set);
}

/* --- save --- */

static int
save_beside(struct store *s, const struct stat *st, struct slice text, const char *path,
	    const char *name)
{
	char whole[SIDECAR_MAX];
	int dir = (int)(fs_last_name(path) - path);
	int staging = store_staging(s);

	if (staging < 0)
		return staging;
	if (snprintf(whole, sizeof(whole), "%.*s%s", dir, path, name) >=
	    (int)sizeof(whole))
		return -ENAMETOOLONG;
	return sidecar_write(staging, st, text, whole);
}

static void
tell_once(struct store *s, int error)
{
	if (s->digests_told)
		return;
	s->digests_told = true;
	log_info(s->log,
		 "upload: %s: digests can be kept neither with files nor in %s: %s",
		 s->conf->directory, STORE_STAGING, strerror(-error));
}

/* Times of writes are those of the last tick of the kernel's clock: whoever writes into the file
 * within the same one would not change it. A time between two ticks is nobody else's, where the
 * file system has such. */
static void
set_time(int fd)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };

	if (clock_gettime(CLOCK_REALTIME, &times[1]) == 0)
		(void)!futimens(fd, times);
}

void
store_kept_save(struct store *s, struct store_file *f, const char *path, const char *name)
{
	bool again = f->kept != STORE_KEPT_NOT;
	char room[KEPT_MAX];
	struct slice text;
	struct stat st;
	int rc;

	f->kept = STORE_KEPT_NOT;
	if (f->digest.present == 0)
		return;
	if (!again)
		set_time(f->temp.fd);
	if (fstat(f->temp.fd, &st) < 0)
		return;
	text = format_text(&f->digest, &st, room);
	if (fs_set_attribute(f->temp.fd, ATTRIBUTE, text.ptr, text.len) == 0) {
		f->kept = STORE_KEPT_WITHIN;
		return;
	}
	/* Whatever the reason is: there are none, or no room for this one. */
	rc = save_beside(s, &st, text, path, name);
	if (rc == 0)
		f->kept = STORE_KEPT_BESIDE;
	else
		tell_once(s, rc);
}

void
store_kept_forget(const struct store *s, struct store_file *f)
{
	struct stat st;

	if (f->kept == STORE_KEPT_BESIDE && fstat(f->temp.fd, &st) == 0)
		sidecar_remove(s->dirfd, &st);
	f->kept = STORE_KEPT_NOT;
}

void
store_kept_gone(const struct store *s, const struct stat *st)
{
	/* Under another name it is still there. */
	if (S_ISREG(st->st_mode) && st->st_nlink <= 1)
		sidecar_remove(s->dirfd, st);
}

/* --- load --- */

static bool
load_beside(const struct stat *st, const struct upload_dirs *dirs, struct digest_set *out)
{
	struct sidecar sidecar;

	for (size_t i = 0; dirs != NULL && i < dirs->count; i++) {
		if (sidecar_read(dirs->items[i].fd, st, &sidecar) == 0 &&
		    read_text(sidecar.text, st, out))
			return true;
	}
	return false;
}

bool
store_kept_load(int fd, const struct stat *st, const struct upload_dirs *dirs,
		struct digest_set *out)
{
	char text[KEPT_MAX];
	ssize_t n = fs_get_attribute(fd, ATTRIBUTE, text, sizeof(text));

	if (n >= 0 && read_text(slice_make(text, (size_t)n), st, out))
		return true;
	if (load_beside(st, dirs, out))
		return true;
	*out = (struct digest_set){ 0 };
	return false;
}

void
store_kept_sweep(int staging, int64_t now)
{
	/* What cannot be removed now can be next time. */
	(void)sidecar_sweep(staging, now, SWEEP_GRACE_S, is_true);
}
