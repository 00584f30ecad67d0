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

#include "base/fs.h"
#include "conf/load.h"
#include "handler/files.h"
#include "handler/fs_status.h"
#include "handler/handlers.h"
#include "handler/listing.h"
#include "handler/staging.h"
#include "http/mime.h"
#include "http/uri.h"

/* --- listings --- */

static int
listing_begin(struct exchange *ex)
{
	struct files *f = ex->handler->state;
	struct listing_source source = {
		.all = f->shared->listings,
		.root = &f->root,
		.hidden = f->conf->hidden,
		.log = f->log,
		.revalidate_ms = f->revalidate_ms,
		.uploads = filecache_uploads(f->shared->cache),
		.shared = f->shared,
		.encodings = f->encodings,
	};
	char *path = arena_strdup(&ex->arena, ex->rest);

	if (files_encodes(f, SLICE("text/html")))
		source.html_encodings = f->encoding_count;
	if (files_encodes(f, SLICE("application/json")))
		source.json_encodings = f->encoding_count;
	return path != NULL ? listing_open(ex, &source, path) : 503;
}

static void
listing_end(struct exchange *ex, enum exchange_end why)
{
	(void)why;
	if (ex->data != NULL)
		listing_close(ex);
}

static const struct handler_ops listing_handler = {
	.open = listing_begin,
	.work = listing_work,
	.close = listing_end,
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

static size_t
read_codings(const struct conf_strings *names, enum coding *out)
{
	size_t count = 0;

	for (size_t i = 0; i < names->count && count < CODING_COUNT; i++) {
		enum coding c = coding_from(slice_from_str(names->items[i]));

		if (c != CODING_COUNT && c != CODING_IDENTITY)
			out[count++] = c;
	}
	return count;
}

/* Which of what is beneath the root may have been uploaded. */
static void
relate_to_uploads(struct files *f, const struct handler_env *env)
{
	enum upload_part part = UPLOADS_NONE;

	if (f->root.dirfd >= 0)
		part = upload_dirs_relate(env->uploads, f->root.dirfd);
	f->root.is_upload = part == UPLOADS_ALL;
	/* Links that lead anywhere can lead into one that is elsewhere. */
	if (part != UPLOADS_NONE ||
	    (f->root.symlinks == FS_SYMLINKS_FOLLOW && env->uploads->count != 0))
		f->root.uploads = env->uploads;
	f->guard = upload_guard_of(env->conf, f->route);
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

	if (fd < 0 && !(env->explains && fd == -EACCES)) {
		conf_report(
			errors, &conf->root_place,
			"cannot open the directory %s: %s; name one that can be opened",
			conf->root, strerror(-fd));
		return -1;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL) {
		if (fd >= 0)
			close(fd);
		conf_report(errors, &conf->root_place, "out of memory");
		return -1;
	}
	f->root = (struct file_root){ .dirfd = fd,
				      .symlinks = policies[conf->symlinks],
				      .type_of = type_of };
	f->conf = conf;
	f->route = route;
	f->is_at_top = route->path != NULL && strcmp(route->path, "/*") == 0;
	f->mime_types = &env->conf->mime_types;
	f->shared = env->files;
	f->revalidate_ms = env->conf->cache.revalidate_ms;
	f->log = env->log;
	f->listing = (struct handler){ .ops = &listing_handler, .state = f };
	f->sibling_count = read_codings(&conf->precompressed, f->siblings);
	if (conf->compress.enabled)
		f->encoding_count = read_codings(&conf->compress.encodings, f->encodings);
	relate_to_uploads(f, env);
	*state = f;
	return 0;
}

static void
files_destroy(void *state)
{
	struct files *f = state;

	filecache_forget_root(f->shared->cache, &f->root);
	listings_forget_root(f->shared->listings, &f->root);
	if (f->root.dirfd >= 0)
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

/* The segment that begins with a dot, or nothing; "/.well-known/" (RFC 8615) is meant to be seen.
 */
static struct slice
find_hidden(const struct files *f, const struct exchange *ex)
{
	struct slice rest = ex->rest;
	const char *end = rest.ptr + rest.len;

	if (f->is_at_top && slice_starts_with(rest, SLICE(".well-known/")))
		rest = slice_from(rest, sizeof(".well-known/") - 1);
	for (const char *p = rest.ptr; p < end; p++) {
		if (*p == '.' && (p == rest.ptr || p[-1] == '/'))
			return slice_make(
				p, slice_find(slice_make(p, (size_t)(end - p)), '/'));
	}
	return slice_make(NULL, 0);
}

int
files_open_failed(struct files *f, const char *path, int error)
{
	int status = fs_status(error);

	if (status >= 500 || status == 403)
		log_limited(f->log, &f->open_limit, LOG_LEVEL_ERROR, "%s/%s: %s",
			    f->conf->root, path, strerror(-error));
	return status == 409 ? 404 : status;
}

static int
open_failed(struct exchange *ex, struct files *f, const char *path, int error)
{
	if (ex->trace != NULL)
		files_note_failed(ex, f, path, error);
	return files_open_failed(f, path, error);
}

/* What an answer needs until it has left. */
static void
files_close(struct exchange *ex, enum exchange_end why)
{
	struct file_choice *c = ex->data;

	(void)why;
	if (c == NULL)
		return;
	file_version_unref(c->version);
	if (c->original != NULL)
		file_version_unref(c->original);
}

/* The URL of what answers, where the request's own is a more general one. */
static int
add_location(struct exchange *ex, struct file_choice *c, const char *path)
{
	struct slice prefix = slice_make(ex->path.ptr, ex->path.len - ex->rest.len);
	struct slice tail = slice_from_str(path);
	char *out = arena_alloc(&ex->arena, 3 * (prefix.len + tail.len) + 1);
	size_t len;

	if (out == NULL)
		return 503;
	len = uri_path_encode(prefix, out);
	len += uri_path_encode(tail, out + len);
	c->location = slice_make(out, len);
	return 0;
}

static char *
join(struct exchange *ex, const char *directory, const char *name)
{
	size_t before = strlen(directory), len = strlen(name);
	char *path = arena_alloc(&ex->arena, before + len + 1);

	if (path == NULL)
		return NULL;
	memcpy(path, directory, before);
	memcpy(path + before, name, len + 1);
	return path;
}

/* Takes over the reference to what is at `path`. `elsewhere`: that is not what was asked for by
 * name. */
static int
answer_version(struct exchange *ex, struct files *f, const char *path,
	       struct file_version *v, bool elsewhere)
{
	struct file_choice *c = arena_alloc(&ex->arena, sizeof(*c));
	int status;

	if (c == NULL) {
		file_version_unref(v);
		return 503;
	}
	if (ex->trace != NULL)
		files_note_version(ex, f, path, v);
	status = file_select(ex, f, path, v, c);
	c->name = slice_from_str(fs_last_name(path));
	if (status == 0 && elsewhere && ex->error_status == 0)
		status = add_location(ex, c, path);
	/* RFC 9110 section 12.5.5: also "not acceptable" depends on the field. */
	if (status == 406)
		(void)exchange_keep_field(ex, HTTP_FIELD_VARY, SLICE("Accept-Encoding"));
	ex->data = c;
	if (status == 0)
		status = file_answer(ex, f, c);
	if (status != 0) {
		files_close(ex, EXCHANGE_ABORTED);
		ex->data = NULL;
	}
	return status;
}

/* `path` ends with '/' or is empty: the first index file that is there answers. */
static int
answer_directory(struct exchange *ex, struct files *f, const char *path)
{
	for (size_t i = 0; i < f->conf->index.count; i++) {
		struct file_version *v;
		char *name = join(ex, path, f->conf->index.items[i]);
		int status = 404;
		int rc;

		if (name == NULL)
			return 503;
		rc = filecache_open(f->shared->cache, &f->root, name, &v);
		if (rc == 0)
			return answer_version(ex, f, name, v, true);
		if (rc != 1)
			status = open_failed(ex, f, name, rc);
		else
			exchange_note(ex, TRACE_FILE, "%s: is a directory", name);
		if (status != 404)
			return status;
	}
	exchange_note(ex, TRACE_FILE, "%s: no index file; it is %s",
		      path[0] != '\0' ? path : "the root",
		      f->conf->listing ? "listed" : "not listed: \"listing\" is off");
	return f->conf->listing && ex->error_status == 0
		       ? exchange_hand_over(ex, &f->listing)
		       : 404;
}

static int
answer_path(struct exchange *ex, struct files *f, const char *path)
{
	struct file_version *v;
	int rc;

	if (path[0] == '\0' || path[strlen(path) - 1] == '/')
		return answer_directory(ex, f, path);
	rc = filecache_open(f->shared->cache, &f->root, path, &v);
	if (rc == 0)
		return answer_version(ex, f, path, v, false);
	if (rc == 1) {
		exchange_note(ex, TRACE_FILE,
			      "%s: is a directory, whose name ends in \"/\"", path);
		return ex->error_status == 0 ? exchange_redirect_slash(ex) : 404;
	}
	return open_failed(ex, f, path, rc);
}

/* Nothing is there: one page answers for all, where an application draws what the path says. */
static int
answer_fallback(struct exchange *ex, struct files *f)
{
	struct file_version *v;
	int rc = filecache_open(f->shared->cache, &f->root, f->conf->fallback, &v);

	exchange_note(ex, TRACE_FILE, "the fallback is tried: /%s", f->conf->fallback);
	if (rc == 0)
		return answer_version(ex, f, f->conf->fallback, v, true);
	return rc == 1 ? 404 : open_failed(ex, f, f->conf->fallback, rc);
}

static int
files_open(struct exchange *ex)
{
	struct files *f = ex->handler->state;
	struct slice hidden;
	char *path;
	int status;

	exchange_note(ex, TRACE_FILE, "looked for beneath %s%s", f->conf->root,
		      f->root.dirfd < 0 ? ", which may not be opened" : "");
	if (f->root.dirfd < 0)
		return 403;
	hidden = f->conf->hidden ? staging_find(ex->rest) : find_hidden(f, ex);
	if (hidden.len != 0) {
		exchange_note(ex, TRACE_FILE, "hidden name \"%.*s\"", SLICE_ARG(hidden));
		return 404;
	}
	path = arena_strdup(&ex->arena, ex->rest);
	if (path == NULL)
		return 503;
	status = answer_path(ex, f, path);
	if (status == 404 && f->conf->fallback != NULL && ex->error_status == 0)
		status = answer_fallback(ex, f);
	return status;
}

const struct handler_ops files_handler = {
	.action = CONF_ACTION_FILES,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD),
	.create = files_create,
	.destroy = files_destroy,
	.check_access = files_check_access,
	.open = files_open,
	.close = files_close,
};
