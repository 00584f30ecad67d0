/* SPDX-License-Identifier: BSD-2-Clause
 *
 * filecache: a hash table with chains, and a list in order of use for each kind of entry: who
 * asks for names that are not there must not push out the files. An entry holds one reference
 * to its version. Anybody chooses the names that are looked up: their hash has a secret key.
 */
#include "handler/filecache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/siphash.h"
#include "handler/fs_status.h"

#define MALLOC_COST 32
#define MISSING_SHARE 8 /* one in so many entries may be a name with nothing there */

enum kind { KIND_BYTES, KIND_FD, KIND_OTHER, KIND_COUNT };

struct entry {
	TAILQ_ENTRY(entry) used;
	struct entry *next; /* in the chain */
	uint64_t hash;
	const struct file_root *root;
	struct file_version *version; /* NULL: `error` is what an open said */
	uint64_t checked_ms;
	uint64_t uploads; /* that were known when it was checked */
	size_t cost;      /* bytes charged */
	int error;
	enum kind kind;
	size_t path_len;
	char path[];
};

TAILQ_HEAD(entry_list, entry);

struct shelf {
	struct entry_list used; /* most recently first */
	uint32_t count, max;
};

struct filecache {
	struct conf_cache conf;
	const struct counter_block *counters;
	size_t workers;
	uint64_t stored; /* uploads, when the present lookup began */
	struct siphash_key key;
	struct entry **buckets;
	uint32_t mask;
	uint64_t memory;
	struct shelf shelves[KIND_COUNT];
};

static uint32_t
at_most(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

struct filecache *
filecache_new(const struct conf_cache *conf, uint32_t fds,
	      const struct counter_block *counters, size_t workers)
{
	struct filecache *fc = calloc(1, sizeof(*fc));
	size_t size = 16;

	if (fc == NULL)
		return NULL;
	while (size < conf->entries && size < (1u << 20))
		size *= 2;
	fc->buckets = calloc(size, sizeof(struct entry *));
	if (fc->buckets == NULL || secret_random(&fc->key, sizeof(fc->key)) < 0) {
		free(fc->buckets);
		free(fc);
		return NULL;
	}
	fc->conf = *conf;
	fc->mask = (uint32_t)(size - 1);
	fc->counters = counters;
	fc->workers = workers;
	for (int k = 0; k < KIND_COUNT; k++)
		TAILQ_INIT(&fc->shelves[k].used);
	fc->shelves[KIND_BYTES].max = conf->entries;
	fc->shelves[KIND_FD].max = at_most(fds, conf->entries);
	fc->shelves[KIND_OTHER].max = (conf->entries + MISSING_SHARE - 1) / MISSING_SHARE;
	return fc;
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
	struct shelf *shelf = &fc->shelves[e->kind];

	*link = e->next;
	TAILQ_REMOVE(&shelf->used, e, used);
	shelf->count--;
	fc->memory -= e->cost;
	if (e->version != NULL) {
		e->version->kept_by = NULL;
		file_version_unref(e->version);
	}
	free(e);
}

static void
drop_entry(struct filecache *fc, const struct entry *e)
{
	drop(fc, find(fc, e->root, slice_make(e->path, e->path_len), e->hash));
}

static void
drop_last(struct filecache *fc, enum kind kind)
{
	drop_entry(fc, TAILQ_LAST(&fc->shelves[kind].used, entry_list));
}

/* Room for so many bytes on a shelf; the entry `but` stays. Cheap ones go last, and nothing goes
 * for them. */
static bool
make_room(struct filecache *fc, size_t cost, enum kind kind, const struct entry *but)
{
	size_t staying = but != NULL ? but->cost : 0;

	if (staying + cost > fc->conf.memory)
		return false;
	for (int k = kind == KIND_OTHER ? KIND_OTHER : 0; k < KIND_COUNT; k++) {
		struct entry_list *used = &fc->shelves[k].used;

		while (fc->memory + cost > fc->conf.memory && !TAILQ_EMPTY(used) &&
		       TAILQ_LAST(used, entry_list) != but)
			drop_last(fc, (enum kind)k);
	}
	return fc->memory + cost <= fc->conf.memory;
}

uint64_t
filecache_uploads(const struct filecache *fc)
{
	return fc->counters == NULL
		       ? 0
		       : counter_sum(fc->counters, fc->workers, COUNTER_FILES_UPLOADED);
}

static void
keep(struct filecache *fc, const struct file_root *root, struct slice path, uint64_t hash,
     struct file_version *v, int error)
{
	enum kind kind = v == NULL ? KIND_OTHER : v->fd >= 0 ? KIND_FD : KIND_BYTES;
	struct shelf *shelf = &fc->shelves[kind];
	size_t cost = sizeof(struct entry) + path.len + MALLOC_COST +
		      (v != NULL ? FILE_VERSION_COST : 0) +
		      (kind == KIND_BYTES ? v->size : 0);
	struct entry **link;
	struct entry *e;

	if (shelf->max == 0)
		return;
	while (shelf->count >= shelf->max)
		drop_last(fc, kind);
	if (!make_room(fc, cost, kind, NULL))
		return;
	e = malloc(sizeof(*e) + path.len + 1);
	if (e == NULL)
		return; /* served all the same, only not kept */
	*e = (struct entry){ .hash = hash,
			     .root = root,
			     .version = v,
			     .checked_ms = clock_mono_ms(),
			     .uploads = fc->stored,
			     .cost = cost,
			     .error = error,
			     .kind = kind,
			     .path_len = path.len };
	memcpy(e->path, path.ptr, path.len);
	e->path[path.len] = '\0';
	link = bucket(fc, hash);
	e->next = *link;
	*link = e;
	TAILQ_INSERT_HEAD(&shelf->used, e, used);
	shelf->count++;
	fc->memory += cost;
	if (v != NULL) {
		v->kept_by = e;
		v->refs++;
	}
}

void
filecache_keep_coded(struct filecache *fc, struct file_version *v, enum coding c,
		     struct file_version *coded)
{
	size_t cost = coded->size + FILE_VERSION_COST;
	struct entry *e = v->kept_by;

	if (e == NULL || v->coded[c] != NULL || !make_room(fc, cost, e->kind, e))
		return;
	v->coded[c] = coded;
	coded->refs++;
	e->cost += cost;
	fc->memory += cost;
}

/* --- looking up --- */

/* Is what the entry holds still so? */
static bool
is_current(const struct filecache *fc, struct entry *e)
{
	uint64_t now = clock_mono_ms();
	struct file_id id;

	/* Of a file that was written into the descriptor tells at once. */
	if (e->kind == KIND_FD && !file_version_is_unchanged(e->version))
		return false;
	if (now - e->checked_ms < fc->conf.revalidate_ms && e->uploads == fc->stored)
		return true;
	/* What is not there costs as much to look at as to look for. */
	if (e->version == NULL || e->version->is_young ||
	    file_version_look(e->root, e->path, &id) < 0)
		return false;
	e->checked_ms = now;
	e->uploads = fc->stored;
	return file_id_is_same(&id, &e->version->id);
}

/* Descriptors that are kept are no reason to refuse a request. */
static int
open_version(struct filecache *fc, const struct file_root *root, const char *path,
	     struct file_version **out)
{
	int rc = file_version_open(root, path, fc->conf.file_size, out);

	if ((rc != -EMFILE && rc != -ENFILE) || fc->shelves[KIND_FD].count == 0)
		return rc;
	while (fc->shelves[KIND_FD].count > 0)
		drop_last(fc, KIND_FD);
	return file_version_open(root, path, fc->conf.file_size, out);
}

static int
take(struct filecache *fc, struct entry *e, struct file_version **out)
{
	struct entry_list *used = &fc->shelves[e->kind].used;

	TAILQ_REMOVE(used, e, used);
	TAILQ_INSERT_HEAD(used, e, used);
	if (e->version == NULL)
		return e->error;
	e->version->refs++;
	*out = e->version;
	return 0;
}

int
filecache_open(struct filecache *fc, const struct file_root *root, const char *path,
	       struct file_version **out)
{
	struct slice key = slice_from_str(path);
	uint64_t hash = siphash(&fc->key, key);
	struct entry **link = find(fc, root, key, hash);
	int rc;

	/* Before anything is opened: what is stored meanwhile has to be noticed next time. */
	fc->stored = filecache_uploads(fc);
	if (*link != NULL && is_current(fc, *link))
		return take(fc, *link, out);
	if (*link != NULL)
		drop(fc, link);
	rc = open_version(fc, root, path, out);
	if (rc == -EISDIR)
		rc = 1;
	if (rc >= 0 || fs_status(rc) == 404)
		keep(fc, root, key, hash, rc == 0 ? *out : NULL, rc);
	return rc;
}

static void
forget(struct filecache *fc, const struct file_root *root, enum kind kind)
{
	struct entry *e = TAILQ_FIRST(&fc->shelves[kind].used);

	while (e != NULL) {
		struct entry *next = TAILQ_NEXT(e, used);

		if (root == NULL || e->root == root)
			drop_entry(fc, e);
		e = next;
	}
}

void
filecache_forget_root(struct filecache *fc, const struct file_root *root)
{
	for (int k = 0; k < KIND_COUNT; k++)
		forget(fc, root, (enum kind)k);
}

void
filecache_free(struct filecache *fc)
{
	if (fc == NULL)
		return;
	filecache_forget_root(fc, NULL);
	free(fc->buckets);
	free(fc);
}
