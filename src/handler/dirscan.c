/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dirscan: getdents64 and fstatat into a dirlist, a step at a time. A step can be repeated:
 * when the budget is used up, snapshots that are only kept make room and the step goes on
 * where it was.
 */
#include "handler/dirscan.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strmap.h"
#include "handler/file_version.h"
#include "handler/staging.h"

#define RECORDS_SIZE ((size_t)16 * 1024)
#define STEP_MOVES 8192     /* of the merge sort */
#define MOVES_PER_CLOCK 128 /* between two looks at the clock */
#define KEPT_PART 8         /* of the budget: larger ones are not kept */

enum state { STATE_READING, STATE_SORTING, STATE_COMPLETE, STATE_FAILED };

/* What is needed while the directory is being read. */
struct reader {
	int fd;
	size_t at, len; /* of the records, those not yet looked at */
	_Alignas(struct dirent64) char records[RECORDS_SIZE];
	char name[]; /* the path beneath the root, with room for a name behind it */
};

struct dirscan {
	LIST_ENTRY(dirscan) others;
	TAILQ_ENTRY(dirscan) kept;
	struct dirscans *all;
	struct dirscan_key key; /* key.path is path[] */
	enum state state;
	int error;
	uint32_t refs;
	const void *driver;
	struct reader *reader; /* NULL but in STATE_READING */
	uint64_t completed_ms;
	uint32_t revalidate_ms;
	struct dirlist list;
	char path[];
};

/* --- memory and references --- */

static void
free_reader(struct dirscan *s)
{
	struct reader *r = s->reader;

	if (r == NULL)
		return;
	s->reader = NULL;
	if (r->fd >= 0)
		close(r->fd);
	free(r);
	dirlist_discharge(&s->list, sizeof(*r) + strlen(s->path) + DIRLIST_NAME_MAX + 1);
}

static int
new_reader(struct dirscan *s)
{
	size_t path_len = strlen(s->path);
	size_t size = sizeof(*s->reader) + path_len + DIRLIST_NAME_MAX + 1;
	int rc = dirlist_charge(&s->list, size);

	if (rc < 0)
		return rc;
	s->reader = malloc(size);
	if (s->reader == NULL) {
		dirlist_discharge(&s->list, size);
		return -ENOMEM;
	}
	memcpy(s->reader->name, s->path, path_len + 1);
	s->reader->at = s->reader->len = 0;
	s->reader->fd = fs_open_beneath(s->key.root->dirfd, s->path,
					O_RDONLY | O_DIRECTORY, s->key.root->symlinks);
	return s->reader->fd >= 0 ? file_root_judge(s->key.root, s->reader->fd, NULL)
				  : s->reader->fd;
}

static void
unref(struct dirscan *s)
{
	assert(s->refs > 0);
	if (--s->refs > 0)
		return;
	LIST_REMOVE(s, others);
	free_reader(s);
	dirlist_fini(&s->list);
	free(s);
}

void
dirscan_unref(struct dirscan *s, const void *who)
{
	if (s->driver == who)
		s->driver = NULL;
	unref(s);
}

static void
drop_kept(struct dirscan *s)
{
	TAILQ_REMOVE(&s->all->kept, s, kept);
	s->all->kept_count--;
	unref(s);
}

static bool
drop_oldest_kept(struct dirscans *all)
{
	if (TAILQ_EMPTY(&all->kept))
		return false;
	drop_kept(TAILQ_LAST(&all->kept, dirscan_queue));
	return true;
}

static bool
is_fresh(const struct dirscan *s, uint32_t revalidate_ms)
{
	return clock_mono_ms() - s->completed_ms < revalidate_ms;
}

static void
drop_stale(struct dirscans *all)
{
	struct dirscan *s = TAILQ_FIRST(&all->kept);

	while (s != NULL) {
		struct dirscan *next = TAILQ_NEXT(s, kept);

		if (!is_fresh(s, s->revalidate_ms))
			drop_kept(s);
		s = next;
	}
}

/* --- all of them --- */

void
dirscans_init(struct dirscans *all, size_t memory_max)
{
	*all = (struct dirscans){ .budget = { .max = memory_max } };
	for (size_t i = 0; i < DIRSCAN_BUCKETS; i++)
		LIST_INIT(&all->buckets[i]);
	TAILQ_INIT(&all->kept);
}

void
dirscans_fini(struct dirscans *all)
{
	while (drop_oldest_kept(all))
		;
	assert(all->budget.used == 0);
}

void
dirscans_forget_root(struct dirscans *all, const struct file_root *root)
{
	struct dirscan *s = TAILQ_FIRST(&all->kept);

	while (s != NULL) {
		struct dirscan *next = TAILQ_NEXT(s, kept);

		if (s->key.root == root)
			drop_kept(s);
		s = next;
	}
}

static struct dirscan_bucket *
bucket(struct dirscans *all, const char *path)
{
	return &all->buckets[strmap_hash(slice_from_str(path)) % DIRSCAN_BUCKETS];
}

static bool
is_same_key(const struct dirscan_key *a, const struct dirscan_key *b)
{
	return a->root == b->root && a->uploads == b->uploads && a->hidden == b->hidden &&
	       a->sort == b->sort && a->descending == b->descending &&
	       strcmp(a->path, b->path) == 0;
}

static struct dirscan *
find(struct dirscans *all, const struct dirscan_key *key, uint32_t revalidate_ms)
{
	struct dirscan *s = LIST_FIRST(bucket(all, key->path));

	for (; s != NULL; s = LIST_NEXT(s, others)) {
		bool is_usable = s->state == STATE_COMPLETE ? is_fresh(s, revalidate_ms)
							    : s->state != STATE_FAILED;

		if (is_usable && is_same_key(&s->key, key))
			return s;
	}
	return NULL;
}

static int
make(struct dirscans *all, const struct dirscan_key *key, uint32_t revalidate_ms,
     struct dirscan **out)
{
	size_t path_size = strlen(key->path) + 1;
	struct dirscan *s = calloc(1, sizeof(*s) + path_size);
	int rc;

	if (s == NULL)
		return -ENOMEM;
	memcpy(s->path, key->path, path_size);
	s->all = all;
	s->key = *key;
	s->key.path = s->path;
	s->refs = 1;
	s->revalidate_ms = revalidate_ms;
	dirlist_init(&s->list, &all->budget);
	LIST_INSERT_HEAD(bucket(all, s->path), s, others);
	rc = dirlist_charge(&s->list, sizeof(*s) + path_size);
	if (rc == 0)
		rc = new_reader(s);
	if (rc < 0)
		unref(s);
	else
		*out = s;
	return rc;
}

int
dirscan_get(struct dirscans *all, const struct dirscan_key *key, uint32_t revalidate_ms,
	    struct dirscan **out)
{
	int rc;

	drop_stale(all);
	*out = find(all, key, revalidate_ms);
	if (*out != NULL) {
		(*out)->refs++;
		return 0;
	}
	do
		rc = make(all, key, revalidate_ms, out);
	while (rc == -ENOBUFS && drop_oldest_kept(all));
	return rc;
}

/* --- reading --- */

static bool
is_wanted(const struct dirscan *s, const struct dirent64 *d)
{
	const char *name = d->d_name;

	if (name[0] == '.' &&
	    (!s->key.hidden || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	     strcasecmp(name, STORE_STAGING) == 0))
		return false;
	return d->d_type == DT_REG || d->d_type == DT_DIR || d->d_type == DT_LNK ||
	       d->d_type == DT_UNKNOWN;
}

/* What a link leads to, opened as a request for its name would be. */
static int
stat_link(struct dirscan *s, struct slice name, struct stat *st)
{
	const struct file_root *root = s->key.root;
	char *end = s->reader->name + strlen(s->path);
	int fd, rc;

	if (root->symlinks == FS_SYMLINKS_REFUSE)
		return -ELOOP;
	memcpy(end, name.ptr, name.len + 1);
	fd = fs_open_beneath(root->dirfd, s->reader->name, O_PATH, root->symlinks);
	*end = '\0';
	if (fd < 0)
		return fd;
	rc = fstat(fd, st) == 0 ? 0 : -errno;
	close(fd);
	return rc;
}

/* What vanished meanwhile, or cannot be looked at, is left out; 0 then too. */
static int
read_entry(struct dirscan *s, const struct dirent64 *d)
{
	struct slice name = slice_from_str(d->d_name);
	struct dirlist_entry e;
	struct stat st;

	if (!is_wanted(s, d) || name.len > DIRLIST_NAME_MAX)
		return 0;
	if (fstatat(s->reader->fd, name.ptr, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISLNK(st.st_mode) && stat_link(s, name, &st) < 0)
		return 0;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	e.is_dir = S_ISDIR(st.st_mode);
	e.size = e.is_dir ? 0 : (uint64_t)st.st_size;
	e.modified = st.st_mtim.tv_sec;
	return dirlist_add(&s->list, name, &e);
}

/* 1 at the end of the directory; 0 when there are records; -errno. */
static int
fill(struct reader *r)
{
	ssize_t n;

	if (r->at < r->len)
		return 0;
	n = getdents64(r->fd, r->records, sizeof(r->records));
	/* POSIX readdir(): a directory that was removed is at its end. */
	if (n == 0 || (n < 0 && errno == ENOENT))
		return 1;
	if (n < 0)
		return -errno;
	r->at = 0;
	r->len = (size_t)n;
	return 0;
}

/* 1 when all is read, 0 when it is time for others, -errno. */
static int
read_some(struct dirscan *s, uint64_t until_us)
{
	struct reader *r = s->reader;

	for (unsigned i = 0; i < DIRSCAN_STEP_ENTRIES; i++) {
		const struct dirent64 *d;
		int rc = fill(r);

		if (rc == 0) {
			d = (const void *)(r->records + r->at);
			rc = read_entry(s, d);
			if (rc == 0)
				r->at += d->d_reclen;
		}
		if (rc != 0)
			return rc;
		if (clock_mono_us() >= until_us)
			break;
	}
	return 0;
}

/* --- steps --- */

static bool
sort_some(struct dirscan *s, uint64_t until_us)
{
	for (unsigned i = 0; i < STEP_MOVES / MOVES_PER_CLOCK; i++) {
		if (dirlist_sort_step(&s->list, MOVES_PER_CLOCK))
			return true;
		if (clock_mono_us() >= until_us)
			break;
	}
	return false;
}

static void
complete(struct dirscan *s)
{
	struct dirscans *all = s->all;

	s->state = STATE_COMPLETE;
	s->completed_ms = clock_mono_ms();
	if (s->revalidate_ms == 0 || s->list.charged > all->budget.max / KEPT_PART)
		return;
	s->refs++;
	TAILQ_INSERT_HEAD(&all->kept, s, kept);
	if (++all->kept_count > DIRSCAN_KEPT_MAX)
		drop_oldest_kept(all);
}

/* 0 or -errno; after -ENOBUFS it can be called again. */
static int
step(struct dirscan *s, uint64_t until_us)
{
	int rc;

	if (s->state == STATE_READING) {
		rc = read_some(s, until_us);
		if (rc <= 0)
			return rc;
		rc = dirlist_sort_begin(&s->list, s->key.sort, s->key.descending);
		if (rc < 0)
			return rc;
		free_reader(s);
		s->state = STATE_SORTING;
	}
	if (sort_some(s, until_us))
		complete(s);
	return 0;
}

int
dirscan_advance(struct dirscan *s, const void *who)
{
	int rc;

	if (s->driver == NULL)
		s->driver = who;
	if (s->driver == who &&
	    (s->state == STATE_READING || s->state == STATE_SORTING)) {
		uint64_t until_us = clock_mono_us() + DIRSCAN_STEP_US;

		do
			rc = step(s, until_us);
		while (rc == -ENOBUFS && drop_oldest_kept(s->all));
		if (rc < 0) {
			s->state = STATE_FAILED;
			s->error = rc;
			free_reader(s);
		}
	}
	return s->state == STATE_FAILED ? s->error : s->state == STATE_COMPLETE;
}

const struct dirlist *
dirscan_list(const struct dirscan *s)
{
	assert(s->state == STATE_COMPLETE);
	return &s->list;
}
