/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cached: a cache before a place with files. Included once by a test program.
 */
#ifndef WEBSRV_TESTS_CACHED_H
#define WEBSRV_TESTS_CACHED_H

#include "place.h"
#include "handler/filecache.h"

#define HOUR_MS 3600000
#define SMALL 1000 /* the largest file that is kept in memory */
#define FDS 10

static const struct conf_cache roomy = {
	.entries = 100, .memory = 1 << 20, .file_size = SMALL, .revalidate_ms = HOUR_MS
};

static inline struct filecache *
cache(const struct conf_cache *conf)
{
	struct filecache *fc = filecache_new(conf, FDS, NULL, 0);

	assert_non_null(fc);
	return fc;
}

static inline struct file_version *
get(struct filecache *fc, const struct place *p, const char *path)
{
	struct file_version *v = NULL;

	assert_int_equal(filecache_open(fc, &p->root, path, &v), 0);
	assert_non_null(v);
	return v;
}

/* The answer where no file is. */
static inline int
try(struct filecache *fc, const struct place *p, const char *path)
{
	struct file_version *none = NULL;
	int rc = filecache_open(fc, &p->root, path, &none);

	assert_null(none);
	return rc;
}

/* While the test holds one reference: does the cache hold another? */
static inline bool
is_kept(const struct file_version *v)
{
	return v->refs > 1;
}

#endif
