/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_version: open, look, read, compare.
 */
#include "handler/file_version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/uploads.h"
#include "handler/etag.h"
#include "handler/staging.h"
#include "handler/store_kept.h"
#include "http/date.h"

#define READ_TRIES 3
#define UNSURE_MS 20

struct version_block {
	struct file_version v;             /* first */
	char *text;                        /* of the fields */
	char (*samples)[FILE_SAMPLE_SIZE]; /* FILE_SAMPLES of a file that is not read */
};

_Static_assert(sizeof(struct version_block) <= FILE_VERSION_COST / 2,
	       "FILE_VERSION_COST is too low");

void
file_version_unref(struct file_version *v)
{
	struct version_block *b = (struct version_block *)v;

	if (--v->refs > 0)
		return;
	for (size_t c = 0; c < CODING_COUNT; c++) {
		if (v->coded[c] != NULL)
			file_version_unref(v->coded[c]);
	}
	if (v->fd >= 0)
		close(v->fd);
	free((void *)(uintptr_t)v->bytes);
	free(b->text);
	free(b->samples);
	free(v->digest);
	free(b);
}

static struct file_id
id_from(const struct stat *st)
{
	return (struct file_id){ st->st_dev, st->st_ino, st->st_size, st->st_mtim,
				 st->st_ctim };
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
file_id_is_same(const struct file_id *a, const struct file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_same_time(&a->mtime, &b->mtime) && is_same_time(&a->ctime, &b->ctime);
}

static struct slice
base_name(const char *path)
{
	return slice_from_str(fs_last_name(path));
}

static struct http_field
field(enum http_field_id id, struct slice value)
{
	return (struct http_field){ http_field_name(id), value, id, false };
}

static int
set_fields(struct version_block *b, struct slice etag, struct slice type)
{
	struct http_field *f = b->v.fields;
	char modified[HTTP_DATE_LEN];
	size_t len = 0;
	char *p;

	/* RFC 9110 section 8.8.2.1: never later than the Date of the answer. */
	http_date_format(b->v.modified, modified);
	f[FILE_FIELD_ETAG] = field(HTTP_FIELD_ETAG, etag);
	f[FILE_FIELD_LAST_MODIFIED] =
		field(HTTP_FIELD_LAST_MODIFIED, slice_make(modified, HTTP_DATE_LEN));
	f[FILE_FIELD_CONTENT_TYPE] = field(HTTP_FIELD_CONTENT_TYPE, type);
	f[FILE_FIELD_ACCEPT_RANGES] = field(HTTP_FIELD_ACCEPT_RANGES, SLICE("bytes"));
	for (size_t i = 0; i < FILE_FIELD_COUNT; i++)
		len += http_field_line_len(&f[i]);
	b->text = p = malloc(len);
	if (p == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < FILE_FIELD_COUNT; i++)
		p = http_field_join(&f[i], p);
	return 0;
}

/* --- reading --- */

/* Reads all of a small file; 0, -EAGAIN when it changed meanwhile, -errno. */
static int
read_bytes(struct version_block *b)
{
	size_t size = (size_t)b->v.size;
	char *bytes = malloc(size + 1);
	struct file_id after;
	struct stat st;
	ssize_t n;

	if (bytes == NULL)
		return -ENOMEM;
	n = fs_pread_full(b->v.fd, bytes, size, 0);
	if (n < 0 || fstat(b->v.fd, &st) < 0) {
		free(bytes);
		return n < 0 ? (int)n : -EIO;
	}
	after = id_from(&st);
	if ((size_t)n != size || !file_id_is_same(&after, &b->v.id)) {
		free(bytes);
		return -EAGAIN;
	}
	b->v.bytes = bytes;
	close(b->v.fd);
	b->v.fd = -1;
	return 0;
}

/* The first bytes, the middle, the last. */
static off_t
sample_offset(const struct version_block *b, unsigned i)
{
	uint64_t span = b->v.size > FILE_SAMPLE_SIZE ? b->v.size - FILE_SAMPLE_SIZE : 0;

	return (off_t)(span * i / (FILE_SAMPLES - 1));
}

/* Of the version itself: what was appended to a short one is no part of it. */
static int
take_samples(const struct version_block *b, char out[FILE_SAMPLES][FILE_SAMPLE_SIZE])
{
	size_t len = b->v.size < FILE_SAMPLE_SIZE ? (size_t)b->v.size : FILE_SAMPLE_SIZE;

	memset(out, 0, (size_t)FILE_SAMPLES * FILE_SAMPLE_SIZE);
	for (unsigned i = 0; i < FILE_SAMPLES; i++) {
		ssize_t n = fs_pread_full(b->v.fd, out[i], len, sample_offset(b, i));

		if (n < 0)
			return (int)n;
	}
	return 0;
}

bool
file_version_is_unchanged(const struct file_version *v)
{
	struct stat st;

	return fstat(v->fd, &st) == 0 && st.st_size == v->id.size &&
	       is_same_time(&st.st_mtim, &v->id.mtime);
}

static int
keep_samples(struct version_block *b)
{
	b->samples = malloc((size_t)FILE_SAMPLES * FILE_SAMPLE_SIZE);
	return b->samples != NULL ? take_samples(b, b->samples) : -ENOMEM;
}

/* A write sets the time before the size: what is being appended looks for a moment as if it
 * were written over. */
static int
wait_for_size(struct file_version *v)
{
	uint64_t now = clock_mono_ms();

	if (v->unsure_since_ms == 0)
		v->unsure_since_ms = now;
	return now - v->unsure_since_ms < UNSURE_MS ? -EAGAIN : -EIO;
}

int
file_version_check(struct file_version *v)
{
	const struct version_block *b = (const struct version_block *)v;
	char now[FILE_SAMPLES][FILE_SAMPLE_SIZE];
	struct stat st;

	if (fstat(v->fd, &st) < 0)
		return -errno;
	if (st.st_size == v->id.size && is_same_time(&st.st_mtim, &v->id.mtime))
		return 0;
	if (st.st_size < v->id.size || take_samples(b, now) < 0 ||
	    memcmp(now, b->samples[0], sizeof(now)) != 0)
		return -EIO;
	return st.st_size > v->id.size ? 0 : wait_for_size(v);
}

/* --- uploads --- */

/* Where it cannot be told, as without /proc, it is not trusted. */
int
file_root_judge(const struct file_root *root, int fd, bool *is_upload)
{
	bool in_one = root->is_upload;
	char path[PATH_MAX];

	if (root->uploads != NULL) {
		bool known = fs_path_of(fd, path) == 0;

		/* A link may lead there, too. */
		if (known && staging_find(slice_from_str(path)).len != 0)
			return -ENOENT;
		in_one = in_one || !known || upload_dirs_hold(root->uploads, path);
	}
	if (is_upload != NULL)
		*is_upload = in_one;
	return 0;
}

/* What is kept with an upload; no other file costs a look at it. */
static int
load_digest(const struct file_root *root, const struct stat *st, struct file_version *v)
{
	struct digest_set kept;

	if (!v->is_upload || !store_kept_load(v->fd, st, root->uploads, &kept))
		return 0;
	v->digest = malloc(sizeof(kept));
	if (v->digest == NULL)
		return -ENOMEM;
	*v->digest = kept;
	return 0;
}

/* --- making --- */

/* Takes ownership of fd. */
static int
make(const struct file_root *root, const char *path, int fd, const struct stat *st,
     uint64_t bytes_max, struct file_version **out)
{
	struct version_block *b = calloc(1, sizeof(*b));
	int64_t now = clock_unix();
	char etag[ETAG_MAX];
	char *type;
	int rc;

	if (b == NULL) {
		close(fd);
		return -ENOMEM;
	}
	b->v = (struct file_version){ .size = (uint64_t)st->st_size,
				      .modified = st->st_mtim.tv_sec < now
							  ? st->st_mtim.tv_sec
							  : now,
				      .fd = fd,
				      .id = id_from(st),
				      .is_young = etag_is_young(st, now),
				      .refs = 1 };
	type = root->type_of(root, base_name(path));
	rc = type != NULL ? file_root_judge(root, fd, &b->v.is_upload) : -ENOMEM;
	if (rc == 0)
		rc = load_digest(root, st, &b->v);
	if (rc == 0)
		rc = set_fields(b, etag_format(st, now, b->v.digest, etag),
				slice_from_str(type));
	free(type);
	if (rc == 0)
		rc = b->v.size <= bytes_max ? read_bytes(b) : keep_samples(b);
	if (rc == 0)
		*out = &b->v;
	else
		file_version_unref(&b->v);
	return rc;
}

static int
open_as(const struct file_root *root, const char *path, int flags, struct stat *st)
{
	int fd = fs_open_beneath(root->dirfd, path, flags, root->symlinks);
	int rc;

	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0)
		rc = -errno;
	else if (S_ISREG(st->st_mode))
		return fd;
	else
		rc = S_ISDIR(st->st_mode) ? -EISDIR : -ENOENT;
	close(fd);
	return rc;
}

int
file_version_look(const struct file_root *root, const char *path, struct file_id *id)
{
	struct stat st;
	int fd = open_as(root, path, O_PATH, &st);

	if (fd < 0)
		return fd;
	close(fd);
	*id = id_from(&st);
	return 0;
}

int
file_version_open(const struct file_root *root, const char *path, uint64_t bytes_max,
		  struct file_version **out)
{
	struct file_id id;
	struct stat st;
	int rc = -EAGAIN;

	if (staging_find(slice_from_str(path)).len != 0)
		return -ENOENT;
	/* A file that is being written all the time is served from its descriptor at last. One that
	 * was replaced since it was opened waits in the staging directory, to be put back if that
	 * fails: its name is another one's by now. */
	for (int i = 0; i <= READ_TRIES && (rc == -EAGAIN || rc == -ENOENT); i++) {
		/* Opening a device or a FIFO can do things: look first. */
		int fd = file_version_look(root, path, &id);

		if (fd == 0)
			fd = open_as(root, path, O_RDONLY, &st);
		if (fd < 0)
			return fd;
		rc = make(root, path, fd, &st, i < READ_TRIES ? bytes_max : 0, out);
		/* Between the look at it and the samples: they may be another version's. */
		if (rc == 0 && i < READ_TRIES && (*out)->fd >= 0 &&
		    !file_version_is_unchanged(*out)) {
			file_version_unref(*out);
			rc = -EAGAIN;
		}
	}
	return rc;
}

struct file_version *
file_version_encoded(const struct file_version *v, enum coding c, char *bytes, size_t len)
{
	struct version_block *b = calloc(1, sizeof(*b));
	struct slice tag = v->fields[FILE_FIELD_ETAG].value;
	char etag[ETAG_MAX];

	if (b == NULL) {
		free(bytes);
		return NULL;
	}
	b->v = (struct file_version){ .size = len,
				      .modified = v->modified,
				      .bytes = bytes,
				      .fd = -1,
				      .id = v->id,
				      .is_young = v->is_young,
				      .is_upload = v->is_upload,
				      .refs = 1 };
	if (set_fields(b, etag_format_coded(tag, coding_name(c), etag),
		       v->fields[FILE_FIELD_CONTENT_TYPE].value) == 0)
		return &b->v;
	file_version_unref(&b->v);
	return NULL;
}
