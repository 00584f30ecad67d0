/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store: names, begin, append, publish.
 */
#include "handler/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "handler/etag.h"
#include "handler/fs_status.h"
#include "http/cond.h"

int
store_open(struct store *s, const struct conf_upload *conf, const struct log *log)
{
	*s = (struct store){ .conf = conf, .log = log };
	s->dirfd = fs_open_dir(conf->directory);
	return s->dirfd < 0 ? s->dirfd : 0;
}

void
store_close(struct store *s)
{
	if (s->dirfd >= 0)
		close(s->dirfd);
	s->dirfd = -1;
}

static int
failed(struct store *s, const char *what, const char *name, int error)
{
	int status = fs_status(error);

	if (status == 404)
		status = 500; /* the directory itself is gone: not the client's doing */
	if (status >= 500 || status == 403)
		log_limited(s->log, &s->limit, LOG_LEVEL_ERROR, "upload: %s %s/%s: %s",
			    what, s->conf->directory, name, strerror(-error));
	return status;
}

/* RFC 9110 section 13.2: If-Match and If-None-Match guard against lost updates. */
static bool
preconditions_hold(const struct http_head *head, const struct stat *st)
{
	char etag[ETAG_MAX];
	struct cond_validators v = { .exists = st != NULL };

	if (st != NULL) {
		v.etag = etag_format(st, clock_unix(), etag);
		v.modified = st->st_mtim.tv_sec;
		v.has_modified = true;
	}
	return cond_evaluate(head, &v, clock_unix()) == COND_PROCEED;
}

int
store_check_name(struct store *s, const char *name, const struct http_head *head)
{
	struct stat st;

	if (fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return failed(s, "look for", name, -errno);
		return preconditions_hold(head, NULL) ? 0 : 412;
	}
	if (!preconditions_hold(head, &st))
		return 412;
	/* Only a file may be replaced, and never what a link points to. */
	return s->conf->conflict == CONF_CONFLICT_REPLACE && S_ISREG(st.st_mode) ? 0
										 : 409;
}

int
store_begin(struct store *s, struct fs_temp *t)
{
	int rc = fs_temp_open(t, s->dirfd, (mode_t)s->conf->mode);

	return rc == 0 ? 0 : failed(s, "create a file in", "", rc);
}

int
store_look(struct store *s)
{
	int rc = faccessat(s->dirfd, ".", W_OK | X_OK, AT_EACCESS);

	return rc == 0 ? 0 : failed(s, "create a file in", "", -errno);
}

int
store_foresee(struct store *s, const char *name, const struct http_head *head,
	      bool *replaced)
{
	*replaced = faccessat(s->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return store_check_name(s, name, head);
}

int
store_append(struct store *s, struct fs_temp *t, struct slice bytes)
{
	int rc = fs_write_full(t->fd, bytes.ptr, bytes.len);

	return rc == 0 ? 0 : failed(s, "write in", "", rc);
}

int
store_publish(struct store *s, struct fs_temp *t, const char *name,
	      const struct http_head *head, bool *replaced)
{
	/* Who says If-None-Match: * means to create: the kernel decides between two of them. */
	bool create_only =
		slice_eq(http_head_value(head, HTTP_FIELD_IF_NONE_MATCH), SLICE("*"));
	bool replace = s->conf->conflict == CONF_CONFLICT_REPLACE && !create_only;
	int status = store_check_name(s, name, head);
	int rc;

	if (status != 0)
		return status;
	rc = fs_temp_publish(t, name, replace, replaced);
	if (rc == -EEXIST && create_only)
		return 412;
	return rc == 0 ? 0 : failed(s, "publish", name, rc);
}
