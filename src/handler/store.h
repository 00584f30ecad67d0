/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store: the directory of an "upload". Bytes are appended to a file without a name of its own,
 * in a staging directory of the same file system that no URL leads to; it gets its name in one
 * atomic step when it is whole, and leaves nothing behind when it is not.
 *
 * Paths are relative, of names that upload_name_check() passes: "a.txt", or "a/b.txt" where the
 * store makes directories. All functions return 0 or an HTTP status unless they say otherwise;
 * what is the server's own trouble is logged.
 */
#ifndef WEBSRV_HANDLER_STORE_H
#define WEBSRV_HANDLER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/quota.h"
#include "base/slice.h"
#include "conf/config.h"
#include "handler/staging.h"
#include "http/digest.h"
#include "http/message.h"
#include "http/upload_name.h"

#define STORE_DEPTH_MAX 16 /* names in a path */
/* bytes between two looks at free space */
#define STORE_LOOK_EVERY ((uint64_t)8 * 1024 * 1024)
#define STORE_LENT_NAME_MAX 40
#define STORE_RENAME_TRIES 1000 /* other names that "rename" makes, from 2 on */

struct pool;
struct upload_dirs;

struct store {
	int dirfd;
	int staging;                    /* -1: not needed yet */
	const struct conf_upload *conf; /* borrowed */
	const struct log *log;          /* borrowed */
	struct log_limit limit;
	bool digests_told;                 /* that none can be kept */
	const struct upload_dirs *uploads; /* of the site, borrowed; may be NULL */
	struct quota_view quota;           /* zeroed: nothing is counted; store_quota.h */
	struct quota_view unfinished;      /* likewise; store_unfinished.h */
	struct pool *pool;                 /* who counts, borrowed */
};

/* Where its digest is: with the file, as an attribute, or beside it, in the staging directory. */
enum store_kept { STORE_KEPT_NOT, STORE_KEPT_WITHIN, STORE_KEPT_BESIDE };

/* One file on its way. */
struct store_file {
	struct fs_temp temp;
	uint64_t size;
	uint64_t look_at;  /* of the size: when free space is asked for again */
	uint64_t promised; /* bytes of the "quota"; until it is published or discarded */
	struct store *owner; /* who promised them; NULL: nobody */
	bool keeps_old;      /* what it replaces is there until discard, to be put back */
	/* Of an unfinished upload: never without any name. Its name is given back to it when it is
	 * taken back, and what it replaced waits under another one. */
	bool lent;
	char lent_name[STORE_LENT_NAME_MAX];
	struct fs_temp old;       /* name empty: none */
	struct digest_set digest; /* of the whole, as far as it is known */
	enum store_kept kept;
};

struct store_result {
	bool replaced;
	char name[UPLOAD_NAME_MAX + 1]; /* the last of the path: "rename" may change it */
};

/* 0 or -errno. */
int store_open(struct store *s, const struct conf_upload *conf, const struct log *log);
void store_close(struct store *s);

/* The staging directory, made when it is not there: a descriptor of the store, or -errno. */
int store_staging(struct store *s);

/* Is there room for `more` bytes in a file that has `size` of them? 413 beyond max_size, 507
 * when less than "reserve" would be left on the file system, or more than "quota" would be
 * used. */
int store_check_room(struct store *s, uint64_t size, uint64_t more);

/* To be asked before the body comes: 412 when the request's preconditions do not hold for
 * what has that name now, 409 when it may not be replaced. */
int store_check_name(struct store *s, const char *path, const struct http_head *head);

int store_begin(struct store *s, struct store_file *f);
/* For who knows how long it will be, after store_begin(): `bytes` of the "quota" are kept for
 * it. 0 or 507. Without that store_append() asks as it goes. */
int store_promise(struct store *s, struct store_file *f, uint64_t bytes);
int store_append(struct store *s, struct store_file *f, struct slice bytes);
/* Asks again what store_check_name() asked, as close to the moment as can be. */
int store_publish(struct store *s, struct store_file *f, const char *path,
		  const struct http_head *head, struct store_result *out);
/* A file that was published as `name`, in the directory of `path`, loses that name again, if it
 * still has it. What it replaced has it again, where the file system could keep that. */
void store_take_back(struct store *s, struct store_file *f, const char *path,
		     const struct store_result *result);
/* What a lent file replaced, if it is there still, is gone. For others store_discard() does that. */
void store_forget_old(struct store_file *f);
/* What was not published is gone; a second time does nothing. */
void store_discard(struct store_file *f);

/* For unfinished uploads, which stay (partial.h): to be called before partial_append() of `n`
 * bytes: 0, and they count for the "quota"; or 507. What was not written after all, was cut off
 * or removed is given back. To publish or to close one changes nothing. */
int store_count_bytes(struct store *s, uint64_t n);
void store_uncount_bytes(struct store *s, uint64_t n);
/* What had counted as `before` bytes has `after` now: that is so, and not refused. */
void store_recount_bytes(struct store *s, uint64_t before, uint64_t after);

/* Removes a file, nothing else: 404, 409, 412. `dry`: only says what it would say. */
int store_delete(struct store *s, const char *path, const struct http_head *head,
		 bool dry);

/* Where nothing may be written: what store_begin() and store_publish() would answer as far as
 * that can be seen from outside. */
int store_look(struct store *s);
int store_foresee(struct store *s, const char *path, const struct http_head *head,
		  struct store_result *out);

/* The directory that `path` is in, and its last name: a descriptor to close, or -errno. */
int store_open_parent(struct store *s, const char *path, bool create, const char **name);

/* errno to status, logged when it is the server's trouble. `what`: "write in". */
int store_failed(struct store *s, const char *what, const char *path, int error);

#endif
