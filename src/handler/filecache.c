/* SPDX-License-Identifier: BSD-2-Clause
 *
 * filecache: a hash table with chains and an LRU list. The table holds one reference to
 * each version in it.
 */
#include "handler/filecache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strmap.h"
#include "handler/etag.h"
#include "http/date.h"

#define READ_TRIES 3
#define ENTRY_OVERHEAD 512 /* bytes, charged to cache.memory beside the file's own */

/* What tells one version of a file from another. */
struct file_id {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

/* One allocation: the version, its identity and the text of its fields. */
struct version_block {
	struct file_version v;
	struct file_id id;
	char etag[ETAG_MAX];
	char modified[HTTP_DATE_LEN];
	char *type;
};

struct entry {
	TAILQ_ENTRY(entry) lru;
	struct entry *next; /* in the chain */
	uint64_t hash;
	const struct file_root *root;
	struct file_version *version;
	uint64_t checked_ms;
	size_t path_len;
	char path[];
};

TAILQ_HEAD(entry_list, entry);

struct filecache {
	struct conf_cache conf;
	struct entry **buckets;
	uint32_t mask;
	uint32_t count;
	uint64_t memory;
	struct entry_list lru; /* most recently used first */
};

struct filecache *
filecache_new(const struct conf_cache *conf)
{
	struct filecache *fc = calloc(1, sizeof(*fc));
	size_t size = 16;

	if (fc == NULL)
		return NULL;
	while (size < conf->entries && size < (1u << 20))
		size *= 2;
	fc->buckets = calloc(size, sizeof(struct entry *));
	if (fc->buckets == NULL) {
		free(fc);
		return NULL;
	}
	fc->conf = *conf;
	fc->mask = (uint32_t)(size - 1);
	TAILQ_INIT(&fc->lru);
	return fc;
}

/* --- versions --- */

void
file_version_unref(struct file_version *v)
{
	if (--v->refs > 0)
		return;
	if (v->fd >= 0)
		close(v->fd);
	free((void *)(uintptr_t)v->bytes);
	free(((struct version_block *)v)->type); /* v is its first member */
	free(v);
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

static bool
is_same_id(const struct file_id *a, const struct file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_same_time(&a->mtime, &b->mtime) && is_same_time(&a->ctime, &b->ctime);
}

static struct slice
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slice_from_str(slash != NULL ? slash + 1 : path);
}

static int
set_fields(struct version_block *b, const struct file_root *root, const char *path,
	   const struct stat *st)
{
	b->type = root->type_of(root, base_name(path));
	if (b->type == NULL)
		return -ENOMEM;
	http_date_format(b->id.mtime.tv_sec, b->modified);
	b->v.fields[FILE_FIELD_ETAG] =
		(struct http_field){ SLICE("ETag"), etag_format(st, b->etag),
				     HTTP_FIELD_ETAG };
	b->v.fields[FILE_FIELD_LAST_MODIFIED] =
		(struct http_field){ SLICE("Last-Modified"),
				     slice_make(b->modified, HTTP_DATE_LEN),
				     HTTP_FIELD_LAST_MODIFIED };
	b->v.fields[FILE_FIELD_CONTENT_TYPE] =
		(struct http_field){ SLICE("Content-Type"), slice_from_str(b->type),
				     HTTP_FIELD_CONTENT_TYPE };
	return 0;
}

/* Reads all of a small file; 0, -EAGAIN when it changed meanwhile, -errno. */
static int
read_bytes(struct version_block *b, int fd)
{
	size_t size = (size_t)b->id.size;
	char *bytes = malloc(size + 1);
	struct file_id after;
	struct stat st;
	ssize_t n;

	if (bytes == NULL)
		return -ENOMEM;
	n = fs_pread_full(fd, bytes, size, 0);
	if (n < 0 || fstat(fd, &st) < 0) {
		free(bytes);
		return n < 0 ? (int)n : -EIO;
	}
	after = id_from(&st);
	if ((size_t)n != size || !is_same_id(&after, &b->id)) {
		free(bytes);
		return -EAGAIN;
	}
	b->v.bytes = bytes;
	return 0;
}

/* Takes ownership of fd. */
static int
make_version(const struct file_root *root, const char *path, int fd,
	     const struct stat *st, uint64_t bytes_max, struct file_version **out)
{
	struct version_block *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL) {
		close(fd);
		return -ENOMEM;
	}
	b->id = id_from(st);
	b->v = (struct file_version){ .size = (uint64_t)st->st_size,
				      .modified = st->st_mtim.tv_sec,
				      .fd = fd,
				      .id = &b->id,
				      .refs = 1 };
	rc = set_fields(b, root, path, st);
	if (rc == 0 && b->v.size <= bytes_max)
		rc = read_bytes(b, fd);
	if (b->v.bytes != NULL) {
		close(fd);
		b->v.fd = -1;
	}
	if (rc == 0)
		*out = &b->v;
	else
		file_version_unref(&b->v);
	return rc;
}

/* The descriptor of a regular file, 0 and more; -EISDIR; -errno. */
static int
open_regular(const struct file_root *root, const char *path, struct stat *st)
{
	int fd = fs_open_beneath(root->dirfd, path, O_RDONLY, root->symlinks);
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

static int
open_version(const struct filecache *fc, const struct file_root *root, const char *path,
	     struct file_version **out)
{
	struct stat st;
	int rc = -EAGAIN;

	/* A file that is being written all the time is served from its descriptor at last. */
	for (int i = 0; i <= READ_TRIES && rc == -EAGAIN; i++) {
		int fd = open_regular(root, path, &st);

		if (fd < 0)
			return fd;
		rc = make_version(root, path, fd, &st,
				  i < READ_TRIES ? fc->conf.file_size : 0, out);
	}
	return rc;
}

/* --- the table --- */

static struct entry **
bucket(struct filecache *fc, uint64_t hash)
{
	return &fc->buckets[(hash ^ (hash >> 32)) & fc->mask];
}

static struct entry **
find(struct filecache *fc, const struct file_root *root, struct slice path, uint64_t hash)
{
	struct entry **e = bucket(fc, hash);

	while (*e != NULL && ((*e)->hash != hash || (*e)->root != root ||
			      !slice_eq(slice_make((*e)->path, (*e)->path_len), path)))
		e = &(*e)->next;
	return e;
}

static void
drop(struct filecache *fc, struct entry **link)
{
	struct entry *e = *link;

	*link = e->next;
	TAILQ_REMOVE(&fc->lru, e, lru);
	fc->count--;
	fc->memory -= e->version->size + ENTRY_OVERHEAD;
	file_version_unref(e->version);
	free(e);
}

static void
drop_entry(struct filecache *fc, const struct entry *e)
{
	drop(fc, find(fc, e->root, slice_make(e->path, e->path_len), e->hash));
}

static void
keep(struct filecache *fc, const struct file_root *root, struct slice path, uint64_t hash,
     struct file_version *v)
{
	uint64_t cost = v->size + ENTRY_OVERHEAD;
	struct entry **link;
	struct entry *e;

	if (v->bytes == NULL || fc->conf.entries == 0 || cost > fc->conf.memory)
		return;
	while (fc->count > 0 &&
	       (fc->count >= fc->conf.entries || fc->memory + cost > fc->conf.memory))
		drop_entry(fc, TAILQ_LAST(&fc->lru, entry_list));
	e = malloc(sizeof(*e) + path.len + 1);
	if (e == NULL)
		return; /* served all the same, only not kept */
	*e = (struct entry){ .hash = hash,
			     .root = root,
			     .version = v,
			     .checked_ms = clock_mono_ms(),
			     .path_len = path.len };
	memcpy(e->path, path.ptr, path.len);
	e->path[path.len] = '\0';
	link = bucket(fc, hash);
	e->next = *link;
	*link = e;
	TAILQ_INSERT_HEAD(&fc->lru, e, lru);
	fc->count++;
	fc->memory += cost;
	v->refs++;
}

/* Is the file still the one that the entry holds? */
static bool
is_current(const struct filecache *fc, struct entry *e)
{
	uint64_t now = clock_mono_ms();
	struct file_id id;
	struct stat st;
	int fd;

	if (now - e->checked_ms < fc->conf.revalidate_ms)
		return true;
	fd = open_regular(e->root, e->path, &st);
	if (fd < 0)
		return false;
	close(fd);
	id = id_from(&st);
	e->checked_ms = now;
	return is_same_id(&id, e->version->id);
}

int
filecache_open(struct filecache *fc, const struct file_root *root, const char *path,
	       struct file_version **out)
{
	struct slice key = slice_from_str(path);
	uint64_t hash = strmap_hash(key);
	struct entry **link = find(fc, root, key, hash);
	int rc;

	if (*link != NULL && is_current(fc, *link)) {
		struct entry *e = *link;

		TAILQ_REMOVE(&fc->lru, e, lru);
		TAILQ_INSERT_HEAD(&fc->lru, e, lru);
		e->version->refs++;
		*out = e->version;
		return 0;
	}
	if (*link != NULL)
		drop(fc, link);
	rc = open_version(fc, root, path, out);
	if (rc == 0)
		keep(fc, root, key, hash, *out);
	return rc == -EISDIR ? 1 : rc;
}

void
filecache_forget_root(struct filecache *fc, const struct file_root *root)
{
	struct entry *e = TAILQ_FIRST(&fc->lru);

	while (e != NULL) {
		struct entry *next = TAILQ_NEXT(e, lru);

		if (e->root == root)
			drop_entry(fc, e);
		e = next;
	}
}

void
filecache_free(struct filecache *fc)
{
	if (fc == NULL)
		return;
	while (!TAILQ_EMPTY(&fc->lru))
		drop_entry(fc, TAILQ_FIRST(&fc->lru));
	free(fc->buckets);
	free(fc);
}
