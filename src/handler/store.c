/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store: room, names, begin, append, publish, delete.
 */
#include "handler/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "handler/etag.h"
#include "handler/fs_status.h"
#include "handler/store_kept.h"
#include "handler/store_quota.h"
#include "http/cond.h"

int
store_open(struct store *s, const struct conf_upload *conf, const struct log *log)
{
	*s = (struct store){ .conf = conf, .log = log, .staging = -1 };
	s->dirfd = fs_open_dir(conf->directory);
	return s->dirfd < 0 ? s->dirfd : 0;
}

void
store_close(struct store *s)
{
	if (s->dirfd >= 0)
		close(s->dirfd);
	if (s->staging >= 0)
		close(s->staging);
	s->dirfd = s->staging = -1;
}

/* A directory that was removed can still be looked into, but takes no files. */
static bool
is_in_place(const struct store *s)
{
	struct stat open, named;

	return s->staging >= 0 && fstat(s->staging, &open) == 0 &&
	       fstatat(s->dirfd, STORE_STAGING, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

int
store_staging(struct store *s)
{
	if (is_in_place(s))
		return s->staging;
	/* Someone tidied up. */
	if (s->staging >= 0)
		close(s->staging);
	s->staging = fs_open_dirs(s->dirfd, STORE_STAGING, true, 0700);
	return s->staging;
}

int
store_failed(struct store *s, const char *what, const char *path, int error)
{
	int status = fs_status(error);

	if (status == 404)
		status = 500; /* the directory itself is gone: not the client's doing */
	if (status >= 500 || status == 403)
		log_limited(s->log, &s->limit, LOG_LEVEL_ERROR, "upload: %s %s/%s: %s",
			    what, s->conf->directory, path, strerror(-error));
	return status;
}

/* --- room --- */

static uint64_t
free_bytes(const struct store *s)
{
	struct statvfs v;

	/* A file system without blocks, as ramfs is one, does not know. */
	if (fstatvfs(s->dirfd, &v) < 0 || v.f_blocks == 0)
		return UINT64_MAX; /* writing will tell */
	return (uint64_t)v.f_bavail * v.f_frsize;
}

static int
check_free(struct store *s, uint64_t more)
{
	uint64_t left;

	if (s->conf->reserve == 0 && more == 0)
		return 0;
	left = free_bytes(s);
	if (left >= more && left - more >= s->conf->reserve)
		return 0;
	log_limited(s->log, &s->limit, LOG_LEVEL_WARNING,
		    "upload: %s: %llu bytes are free, too few for %llu more with the "
		    "reserve of %llu",
		    s->conf->directory, (unsigned long long)left,
		    (unsigned long long)more, (unsigned long long)s->conf->reserve);
	return 507;
}

int
store_check_room(struct store *s, uint64_t size, uint64_t more)
{
	int status;

	if (size > s->conf->max_size || more > s->conf->max_size - size)
		return 413;
	status = store_quota_check(s, more);
	return status != 0 ? status : check_free(s, more);
}

/* --- names --- */

int
store_open_parent(struct store *s, const char *path, bool create, const char **name)
{
	char dir[STORE_DEPTH_MAX * (UPLOAD_NAME_MAX + 1)];
	mode_t mode = (mode_t)s->conf->mode;
	size_t len;

	*name = fs_last_name(path);
	len = (size_t)(*name - path);
	if (len > sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, len);
	dir[len > 0 ? len - 1 : 0] = '\0';
	/* Who may read the files may go where they are; the owner always may. */
	mode |= S_IRWXU | (mode & 0444) >> 2;
	return fs_open_dirs(s->dirfd, dir, create, mode & 0777);
}

static bool
asks_for_tag(const struct http_head *head)
{
	return http_head_find(head, HTTP_FIELD_IF_MATCH) != NULL ||
	       http_head_find(head, HTTP_FIELD_IF_NONE_MATCH) != NULL;
}

/* What is kept with the file of that name; *st is looked at anew, for another one may have the
 * name by now. Nothing of what may not be read: nobody was told a tag of it. */
static void
load_kept(const struct store *s, int dirfd, const char *name, struct stat *st,
	  struct digest_set *kept)
{
	struct stat now;
	int fd = openat(dirfd, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return;
	if (fstat(fd, &now) == 0 && S_ISREG(now.st_mode)) {
		*st = now;
		store_kept_load(fd, st, s->uploads, kept);
	}
	close(fd);
}

/* RFC 9110 section 13.2: If-Match and If-None-Match guard against lost updates. `there` is
 * what has the name; NULL: nothing. */
static bool
preconditions_hold(const struct store *s, const struct http_head *head, int dirfd,
		   const char *name, const struct stat *there)
{
	struct digest_set kept = { 0 };
	char etag[ETAG_MAX];
	struct cond_validators v = { .exists = there != NULL };

	if (there != NULL) {
		struct stat st = *there;

		if (S_ISREG(st.st_mode) && asks_for_tag(head))
			load_kept(s, dirfd, name, &st, &kept);
		v.etag = etag_format(&st, clock_unix(), &kept, etag);
		v.modified = st.st_mtim.tv_sec;
		v.has_modified = true;
	}
	return cond_evaluate(head, &v, clock_unix()) == COND_PROCEED;
}

static int
check_in(struct store *s, int dirfd, const char *name, const struct http_head *head)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return store_failed(s, "look for", name, -errno);
		return preconditions_hold(s, head, dirfd, name, NULL) ? 0 : 412;
	}
	if (!preconditions_hold(s, head, dirfd, name, &st))
		return 412;
	if (s->conf->conflict == CONF_CONFLICT_RENAME)
		return 0;
	/* Only a file may be replaced, and never what a link points to. */
	return s->conf->conflict == CONF_CONFLICT_REPLACE && S_ISREG(st.st_mode) ? 0
										 : 409;
}

/* A directory that is missing is as good as a name that is free, where it can be made. */
static int
parent_status(struct store *s, const char *path, const struct http_head *head, int error)
{
	if (error == -ENOENT && s->conf->create_directories)
		return preconditions_hold(s, head, -1, path, NULL) ? 0 : 412;
	if (error == -ENOENT || error == -ENOTDIR || error == -ELOOP)
		return 409; /* RFC 4918 section 9.7.1: no collection of that name */
	return store_failed(s, "look for", path, error);
}

int
store_check_name(struct store *s, const char *path, const struct http_head *head)
{
	const char *name;
	int fd = store_open_parent(s, path, false, &name);
	int status;

	if (fd < 0)
		return parent_status(s, path, head, fd);
	status = check_in(s, fd, name, head);
	close(fd);
	return status;
}

/* --- begin and append --- */

/* A file without a name needs no staging directory; where the file system cannot do without
 * names they stand there. */
static int
open_temp(struct store *s, struct fs_temp *t)
{
	mode_t mode = (mode_t)s->conf->mode;
	int rc = -EOPNOTSUPP, staging;

	if (s->staging < 0)
		rc = fs_temp_open_nameless(t, s->dirfd, mode);
	if (rc != -EOPNOTSUPP)
		return rc;
	staging = store_staging(s);
	return staging >= 0 ? fs_temp_open(t, staging, mode) : staging;
}

int
store_begin(struct store *s, struct store_file *f)
{
	int rc;

	*f = (struct store_file){ .temp = { .fd = -1 }, .look_at = STORE_LOOK_EVERY };
	rc = open_temp(s, &f->temp);
	return rc >= 0 ? 0 : store_failed(s, "create a file in", "", rc);
}

int
store_append(struct store *s, struct store_file *f, struct slice bytes)
{
	int rc, status = 0;

	if (f->size + bytes.len > s->conf->max_size)
		return 413;
	if (f->size + bytes.len >= f->look_at) {
		f->look_at = f->size + bytes.len + STORE_LOOK_EVERY;
		status = check_free(s, bytes.len);
	}
	if (status == 0)
		status = store_quota_grow(s, f, f->size + bytes.len);
	if (status != 0)
		return status;
	rc = fs_write_full(f->temp.fd, bytes.ptr, bytes.len);
	if (rc < 0)
		return store_failed(s, "write in", "", rc);
	f->size += bytes.len;
	return 0;
}

void
store_discard(struct store_file *f)
{
	fs_temp_discard(&f->temp);
	store_quota_settle(f, false);
}

/* --- publish --- */

static void
number_name(const char *name, unsigned n, struct store_result *out)
{
	char other[UPLOAD_NAME_MAX];
	struct slice next = upload_name_number(slice_from_str(name), n, 0, other);

	memcpy(out->name, next.ptr, next.len);
	out->name[next.len] = '\0';
}

/* The first of "a (2).txt", "a (3).txt" and so on that is free. */
static int
publish_renamed(struct store_file *f, int dirfd, const char *name,
		struct store_result *out)
{
	int rc = -EEXIST;

	for (unsigned n = 2; n < STORE_RENAME_TRIES && rc == -EEXIST; n++) {
		number_name(name, n, out);
		rc = fs_temp_publish(&f->temp, dirfd, out->name, false, NULL);
	}
	return rc;
}

/* A crash in between leaves it under its own name, too: then it is published once more. */
static int
exchange_lent(struct store_file *f, int dirfd, const char *name)
{
	int rc;

	f->old = (struct fs_temp){ .fd = f->temp.fd, .dirfd = f->temp.dirfd };
	rc = fs_temp_exchange(&f->old, dirfd, name);
	if (rc < 0)
		store_forget_old(f);
	else
		unlinkat(f->temp.dirfd, f->temp.name, 0);
	if (rc == 0)
		f->temp.name[0] = '\0';
	return rc;
}

static int
exchange_old(struct store_file *f, int dirfd, const char *name)
{
	if (!f->keeps_old)
		return -ENOSYS;
	return f->lent ? exchange_lent(f, dirfd, name)
		       : fs_temp_exchange(&f->temp, dirfd, name);
}

/* For a moment it has a name that nobody knows; a crash leaves it in the staging directory. */
static int
publish_over(struct store *s, struct store_file *f, int dirfd, const char *name,
	     struct store_result *out)
{
	int staging = store_staging(s), rc;
	uint64_t mark = store_quota_mark(s);
	struct stat old = { 0 };

	if (staging < 0)
		return staging;
	if (f->temp.name[0] == '\0')
		f->temp.dirfd = staging;
	(void)fstatat(dirfd, name, &old, AT_SYMLINK_NOFOLLOW);
	rc = exchange_old(f, dirfd, name);
	out->replaced = rc == 0;
	/* Another worker may have given that name to another file meanwhile. */
	if (rc == 0)
		(void)fstatat(staging, f->lent ? f->old.name : f->temp.name, &old,
			      AT_SYMLINK_NOFOLLOW);
	if (rc == -EINVAL || rc == -ENOSYS || rc == -ENOENT)
		rc = fs_temp_publish(&f->temp, dirfd, name, true, &out->replaced);
	if (rc == 0 && out->replaced) {
		store_quota_remove(s, mark, (uint64_t)old.st_size);
		/* What may be put back keeps it until then. */
		if (!f->keeps_old)
			store_kept_gone(s, &old);
	}
	return rc;
}

static int
publish_in(struct store *s, struct store_file *f, int dirfd, const char *name,
	   const struct http_head *head, struct store_result *out)
{
	/* Who says If-None-Match: * means to create: the kernel decides between two of them. */
	bool create_only =
		slice_eq(http_head_value(head, HTTP_FIELD_IF_NONE_MATCH), SLICE("*"));
	bool replace = s->conf->conflict == CONF_CONFLICT_REPLACE && !create_only;
	int status = check_in(s, dirfd, name, head);
	int rc;

	if (status != 0)
		return status;
	memcpy(out->name, name, strlen(name) + 1);
	rc = fs_temp_publish(&f->temp, dirfd, name, false, NULL);
	if (rc == -EEXIST && replace)
		rc = publish_over(s, f, dirfd, name, out);
	if (rc == -EEXIST && create_only)
		return 412;
	if (rc == -EEXIST && s->conf->conflict == CONF_CONFLICT_RENAME)
		rc = publish_renamed(f, dirfd, name, out);
	if (rc == 0)
		store_quota_settle(f, true);
	return rc == 0 ? 0 : store_failed(s, "publish", name, rc);
}

int
store_publish(struct store *s, struct store_file *f, const char *path,
	      const struct http_head *head, struct store_result *out)
{
	const char *name;
	int fd = store_open_parent(s, path, s->conf->create_directories, &name);
	int status;

	*out = (struct store_result){ 0 };
	if (fd < 0)
		return parent_status(s, path, head, fd);
	status = publish_in(s, f, fd, name, head, out);
	close(fd);
	/* "rename" has found another name. */
	if (status == 0 && f->kept == STORE_KEPT_BESIDE && strcmp(out->name, name) != 0)
		store_kept_save(s, f, path, out->name);
	return status;
}

/* The file has that name, and what it replaced or nothing is to have it: 0 or -errno. */
static int
unname(struct store_file *f, int dirfd, const char *name, bool replaced)
{
	struct fs_temp *t = f->lent ? &f->old : &f->temp;
	int rc = 0;

	if (replaced)
		rc = fs_temp_exchange(t, dirfd, name);
	else if (f->lent)
		return fs_move_new(dirfd, name, f->temp.dirfd, f->lent_name);
	else if (unlinkat(dirfd, name, 0) < 0)
		rc = -errno;
	if (rc < 0 || !f->lent)
		return rc;
	rc = fs_move_new(t->dirfd, t->name, f->temp.dirfd, f->lent_name);
	if (rc == 0)
		t->name[0] = '\0';
	return rc;
}

/* What comes back counts; where it does not fit any more, with the next count. A lent file is
 * in the directory whatever its name. */
static void
count_back(struct store *s, const struct store_file *f, uint64_t mark, uint64_t size,
	   int dirfd, const char *name, bool replaced)
{
	struct stat old;

	if (!f->lent)
		store_quota_remove(s, mark, size);
	if (replaced && fstatat(dirfd, name, &old, AT_SYMLINK_NOFOLLOW) == 0)
		(void)store_count_bytes(s, (uint64_t)old.st_size);
}

void
store_take_back(struct store *s, struct store_file *f, const char *path,
		const struct store_result *result)
{
	const struct fs_temp *kept = f->lent ? &f->old : &f->temp;
	struct stat mine, there;
	const char *last, *name = result->name;
	uint64_t mark = store_quota_mark(s);
	int dirfd, rc;

	/* The old one is gone, and none at all would be worse. */
	if (result->replaced && kept->name[0] == '\0')
		return;
	dirfd = store_open_parent(s, path, false, &last);
	if (dirfd < 0)
		return;
	if (fstat(f->temp.fd, &mine) == 0 &&
	    fstatat(dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    mine.st_dev == there.st_dev && mine.st_ino == there.st_ino) {
		rc = unname(f, dirfd, name, result->replaced);
		if (rc == 0) {
			count_back(s, f, mark, (uint64_t)there.st_size, dirfd, name,
				   result->replaced);
			store_kept_forget(s, f);
		} else {
			(void)store_failed(s, "put back a file in", name, rc);
		}
	}
	close(dirfd);
}

void
store_forget_old(struct store_file *f)
{
	if (f->old.name[0] != '\0')
		unlinkat(f->old.dirfd, f->old.name, 0);
	f->old.name[0] = '\0';
}

/* --- delete --- */

static int
delete_in(struct store *s, int dirfd, const char *name, const struct http_head *head,
	  bool dry)
{
	uint64_t mark = store_quota_mark(s);
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 404 : store_failed(s, "look for", name, -errno);
	if (!preconditions_hold(s, head, dirfd, name, &st))
		return 412;
	if (!S_ISREG(st.st_mode))
		return 409;
	if (dry)
		return 0;
	if (unlinkat(dirfd, name, 0) < 0)
		return store_failed(s, "remove", name, -errno);
	store_quota_remove(s, mark, (uint64_t)st.st_size);
	store_kept_gone(s, &st);
	return 0;
}

int
store_delete(struct store *s, const char *path, const struct http_head *head, bool dry)
{
	const char *name;
	int fd = store_open_parent(s, path, false, &name);
	int status;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 404;
	if (fd < 0)
		return store_failed(s, "look for", path, fd);
	status = delete_in(s, fd, name, head, dry);
	close(fd);
	return status;
}

/* --- looking ahead --- */

int
store_look(struct store *s)
{
	int rc = faccessat(s->dirfd, ".", W_OK | X_OK, AT_EACCESS);

	return rc == 0 ? 0 : store_failed(s, "create a file in", "", -errno);
}

static bool
is_taken(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
foresee_renamed(struct store *s, const char *path, struct store_result *out)
{
	const char *name;
	int fd = store_open_parent(s, path, false, &name);

	if (fd < 0)
		return; /* without the directory every name in it is free */
	for (unsigned n = 2; n < STORE_RENAME_TRIES && is_taken(fd, out->name); n++)
		number_name(name, n, out);
	close(fd);
}

int
store_foresee(struct store *s, const char *path, const struct http_head *head,
	      struct store_result *out)
{
	snprintf(out->name, sizeof(out->name), "%s", fs_last_name(path));
	if (s->conf->conflict == CONF_CONFLICT_RENAME)
		foresee_renamed(s, path, out);
	out->replaced =
		s->conf->conflict == CONF_CONFLICT_REPLACE && is_taken(s->dirfd, path);
	return store_check_name(s, path, head);
}
