/* SPDX-License-Identifier: BSD-2-Clause
 *
 * files: GET and HEAD of files beneath a root. The request's rest path comes in, one version
 * of one file goes out, or a redirect to a directory's own name. Every name is opened beneath
 * the root by the kernel; nothing here compares paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/load.h"
#include "core/exchange.h"
#include "handler/filecache.h"
#include "handler/fs_status.h"
#include "handler/handlers.h"
#include "http/cond.h"
#include "http/mime.h"

struct files {
	struct file_root root; /* first: type_of() is called with its address */
	const struct conf_files *conf;
	const struct conf_pairs *mime_types;
	struct filecache *cache;
	const struct log *log;
	struct log_limit open_limit;
	bool is_at_top; /* the route is the whole site: "/.well-known/" is in it */
};

/* --- start and stop --- */

static struct slice
media_type(const struct files *f, struct slice name)
{
	struct slice ext = mime_extension(name);
	struct slice type;

	for (size_t i = 0; i < f->mime_types->count; i++) {
		if (slice_eq_nocase(slice_from_str(f->mime_types->items[i].name), ext))
			return slice_from_str(f->mime_types->items[i].value);
	}
	type = mime_lookup(ext);
	return type.len != 0 ? type : slice_from_str(f->conf->default_type);
}

static char *
type_of(const struct file_root *root, struct slice name)
{
	const struct files *f = (const struct files *)root;
	struct slice type = media_type(f, name);
	bool charset = f->conf->charset[0] != '\0' && mime_is_text(type) &&
		       slice_find(type, ';') == type.len;
	char *text = NULL;

	if (asprintf(&text, charset ? "%.*s; charset=%s" : "%.*s%s", SLICE_ARG(type),
		     charset ? f->conf->charset : "") < 0)
		return NULL;
	return text;
}

static int
files_create(const struct handler_env *env, const struct conf_route *route, void **state,
	     struct buf *errors)
{
	static const enum fs_symlinks policies[] = {
		[CONF_SYMLINKS_INSIDE] = FS_SYMLINKS_INSIDE,
		[CONF_SYMLINKS_REFUSE] = FS_SYMLINKS_REFUSE,
		[CONF_SYMLINKS_FOLLOW] = FS_SYMLINKS_FOLLOW,
	};
	const struct conf_files *conf = &route->files;
	int fd = fs_open_dir(conf->root);
	struct files *f;

	if (fd < 0) {
		conf_report(errors, &conf->root_place, "cannot open the directory %s: %s",
			    conf->root, strerror(-fd));
		return -1;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL) {
		close(fd);
		conf_report(errors, &conf->root_place, "out of memory");
		return -1;
	}
	f->root = (struct file_root){ fd, policies[conf->symlinks], type_of };
	f->conf = conf;
	f->is_at_top = strcmp(route->path, "/*") == 0;
	f->mime_types = &env->conf->mime_types;
	f->cache = env->filecache;
	f->log = env->log;
	*state = f;
	return 0;
}

static void
files_destroy(void *state)
{
	struct files *f = state;

	filecache_forget_root(f->cache, &f->root);
	close(f->root.dirfd);
	free(f);
}

static void
files_check_access(void *state)
{
	const struct files *f = state;

	if (faccessat(f->root.dirfd, ".", X_OK, AT_EACCESS) < 0)
		log_warning(f->log, "%s: the user that serves may not enter it: %s",
			    f->conf->root, strerror(errno));
}

/* --- a request --- */

/* A segment that begins with a dot; "/.well-known/" (RFC 8615) is meant to be seen. */
static bool
is_hidden(const struct files *f, const struct exchange *ex)
{
	struct slice rest = ex->rest;
	const char *end = rest.ptr + rest.len;

	if (f->is_at_top && slice_starts_with(rest, SLICE(".well-known/")))
		rest = slice_from(rest, sizeof(".well-known/") - 1);
	for (const char *p = rest.ptr; p < end; p++) {
		if (*p == '.' && (p == rest.ptr || p[-1] == '/'))
			return true;
	}
	return false;
}

/* The status for a failed open; what is our own trouble is logged. */
static int
open_failed(struct files *f, const char *path, int error)
{
	int status = fs_status(error);

	if (status >= 500 || status == 403)
		log_limited(f->log, &f->open_limit, LOG_LEVEL_ERROR, "%s/%s: %s",
			    f->conf->root, path, strerror(-error));
	return status == 409 ? 404 : status;
}

static void
release_version(void *owner)
{
	file_version_unref(owner);
}

static int
answer_version(struct exchange *ex, struct file_version *v)
{
	struct cond_validators validators = {
		.exists = true,
		.etag = v->fields[FILE_FIELD_ETAG].value,
		.modified = v->modified,
		.has_modified = true,
	};
	enum cond_verdict verdict = COND_PROCEED;

	ex->body.release = release_version;
	ex->body.owner = v;
	/* An error page is not the representation that was asked about. */
	if (ex->error_status != 0) {
		ex->shared_fields = &v->fields[FILE_FIELD_CONTENT_TYPE];
		ex->shared_field_count = 1;
	} else {
		verdict = cond_evaluate(&ex->head, &validators, clock_unix());
		ex->shared_fields = v->fields;
		ex->shared_field_count = FILE_FIELD_COUNT;
	}
	if (verdict == COND_PRECONDITION_FAILED)
		return 412;
	if (verdict == COND_NOT_MODIFIED) {
		/* RFC 9110 section 15.4.5: the validators, nothing about the content. */
		ex->shared_field_count = FILE_FIELD_CONTENT_TYPE;
		exchange_respond(ex, 304);
		return 0;
	}
	ex->body = v->bytes != NULL ? body_memory(slice_make(v->bytes, v->size))
				    : body_file(v->fd, 0, v->size);
	ex->body.release = release_version;
	ex->body.owner = v;
	exchange_respond(ex, 200);
	return 0;
}

/* `path` ends with '/' or is empty: the first index file that is there answers. */
static int
answer_index(struct exchange *ex, struct files *f, const char *path)
{
	int status = 404;

	for (size_t i = 0; i < f->conf->index.count; i++) {
		struct file_version *v;
		char *name =
			arena_printf(&ex->arena, "%s%s", path, f->conf->index.items[i]);
		int rc;

		if (name == NULL)
			return 503;
		rc = filecache_open(f->cache, &f->root, name, &v);
		if (rc == 0)
			return answer_version(ex, v);
		if (rc != 1)
			status = open_failed(f, name, rc);
		if (status != 404)
			break;
	}
	return status;
}

static int
files_open(struct exchange *ex)
{
	struct files *f = ex->handler->state;
	struct file_version *v;
	char *path;
	int rc;

	if (!f->conf->hidden && is_hidden(f, ex))
		return 404;
	path = arena_strdup(&ex->arena, ex->rest);
	if (path == NULL)
		return 503;
	if (ex->rest.len == 0 || ex->rest.ptr[ex->rest.len - 1] == '/')
		return answer_index(ex, f, path);
	rc = filecache_open(f->cache, &f->root, path, &v);
	if (rc == 0)
		return answer_version(ex, v);
	if (rc == 1)
		return ex->error_status == 0 ? exchange_redirect_slash(ex) : 404;
	return open_failed(f, path, rc);
}

const struct handler_ops files_handler = {
	.action = CONF_ACTION_FILES,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD),
	.create = files_create,
	.destroy = files_destroy,
	.check_access = files_check_access,
	.open = files_open,
};
