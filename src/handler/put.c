/* SPDX-License-Identifier: BSD-2-Clause
 *
 * put: the raw door of uploads. The body of a PUT becomes the file that the rest of the
 * path names: 201 with Location, 204 when it replaced one. A body that is cut short
 * leaves nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/counters.h"
#include "conf/load.h"
#include "core/exchange.h"
#include "handler/handlers.h"
#include "handler/store.h"
#include "handler/store_digest.h"
#include "http/upload_name.h"
#include "http/uri.h"

struct put {
	struct fs_temp temp;
	struct store_digest digest;
	char *name;
};

static int
put_create(const struct handler_env *env, const struct conf_route *route, void **state,
	   struct buf *errors)
{
	const struct conf_upload *conf = &route->upload;
	struct store *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL) {
		conf_report(errors, &conf->directory_place, "out of memory");
		return -1;
	}
	rc = store_open(s, conf, env->log);
	if (rc < 0 && !(env->explains && rc == -EACCES)) {
		conf_report(
			errors, &conf->directory_place,
			"cannot open the directory %s: %s; name one that can be opened",
			conf->directory, strerror(-rc));
		free(s);
		return -1;
	}
	*state = s;
	return 0;
}

static void
put_destroy(void *state)
{
	store_close(state);
	free(state);
}

static void
put_check_access(void *state)
{
	struct store *s = state;

	if (faccessat(s->dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		log_warning(s->log, "%s: the user that serves may not write there: %s",
			    s->conf->directory, strerror(errno));
}

/* Why a name is refused, and what is not looked at when only that is asked. */
static void
note_name(struct exchange *ex, const struct store *s, const char *name, int status)
{
	const char *why = "is free";

	if (status == 412)
		why = "the preconditions do not hold";
	else if (status == 409)
		why = "is there, and must not be replaced (\"conflict\")";
	else if (status != 0)
		why = "cannot be looked for";
	else if (faccessat(s->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		why = "is there, and is replaced";
	exchange_note(ex, TRACE_UPLOAD, "%s: %s", name, why);
}

/* Nothing is written where the request is only explained. */
static int
begin(struct exchange *ex, struct store *s, struct put *p)
{
	int status;

	if (!ex->dry)
		return store_begin(s, &p->temp);
	p->temp.fd = -1;
	status = store_look(s);
	if (status != 0)
		exchange_note(ex, TRACE_UPLOAD, "%s: user %u may not write there",
			      s->conf->directory, geteuid());
	else
		exchange_note(ex, TRACE_UPLOAD,
			      "not looked at: the body, its digest, the free space");
	return status;
}

static int
put_open(struct exchange *ex)
{
	struct store *s = ex->handler->state;
	struct put *p = arena_zalloc(&ex->arena, sizeof(*p));
	enum upload_name_error wrong;
	int status;

	exchange_note(ex, TRACE_UPLOAD, "into the directory %s%s", s->conf->directory,
		      s->dirfd < 0 ? ", which may not be opened" : "");
	if (s->dirfd < 0)
		return 403;
	/* RFC 9110 section 14.5: a part must not pass for the whole. */
	if (http_head_find(&ex->head, HTTP_FIELD_CONTENT_RANGE) != NULL) {
		exchange_note(ex, TRACE_UPLOAD, "a part of a file is not taken");
		return 400;
	}
	if (slice_find(ex->rest, '/') < ex->rest.len) {
		exchange_note(ex, TRACE_UPLOAD,
			      "%.*s: files go into the directory itself",
			      SLICE_ARG(ex->rest));
		return 409; /* RFC 4918 section 9.7.1: no collection of that name */
	}
	wrong = upload_name_check(ex->rest, 0);
	if (wrong != UPLOAD_NAME_OK) {
		exchange_note(ex, TRACE_UPLOAD, "\"%.*s\" is no name for a file: %s",
			      SLICE_ARG(ex->rest), upload_name_sentence(wrong));
		return 400;
	}
	if (p == NULL || (p->name = arena_strdup(&ex->arena, ex->rest)) == NULL)
		return 503;
	status = store_check_name(s, p->name, &ex->head);
	if (ex->trace != NULL)
		note_name(ex, s, p->name, status);
	if (status == 0)
		status = store_digest_begin(&p->digest, &ex->head);
	if (status == 0)
		status = begin(ex, s, p);
	if (status != 0)
		store_digest_fini(&p->digest);
	ex->data = p;
	return status;
}

/* The upload is whole without it, but some day somebody asks where the digests are. */
static void
tell_not_kept(struct store *s, int error)
{
	if (s->digests_told)
		return;
	s->digests_told = true;
	log_info(s->log, "upload: %s: digests cannot be kept with files: %s",
		 s->conf->directory, strerror(-error));
}

static int
publish(struct exchange *ex, struct store *s, struct put *p, bool *replaced)
{
	int status;

	if (ex->dry)
		return store_foresee(s, p->name, &ex->head, replaced);
	status = store_digest_end(&p->digest, p->temp.fd);
	if (status == 0)
		status = store_publish(s, &p->temp, p->name, &ex->head, replaced);
	return status;
}

static int
finish(struct exchange *ex, struct store *s, struct put *p)
{
	char *location = arena_alloc(&ex->arena, 3 * ex->path.len + 1);
	bool replaced = false;
	int status;

	if (location == NULL)
		return 503;
	status = publish(ex, s, p, &replaced);
	if (status != 0)
		return status;
	if (p->digest.keep_error < 0)
		tell_not_kept(s, p->digest.keep_error);
	counter_add(ex->site->env.counters, COUNTER_FILES_UPLOADED, 1);
	if (!replaced &&
	    exchange_add_field(
		    ex, HTTP_FIELD_LOCATION,
		    slice_make(location, uri_path_encode(ex->path, location))) < 0)
		return 500;
	exchange_respond(ex, replaced ? 204 : 201);
	return 0;
}

static int
put_data(struct exchange *ex, struct slice bytes, bool last)
{
	struct store *s = ex->handler->state;
	struct put *p = ex->data;
	int status = store_append(s, &p->temp, bytes);

	if (status != 0)
		return status;
	store_digest_add(&p->digest, bytes);
	exchange_consumed(ex, bytes.len);
	return last ? finish(ex, s, p) : 0;
}

static void
put_close(struct exchange *ex, enum exchange_end why)
{
	struct put *p = ex->data;

	(void)why; /* what was published is out of reach of discard */
	store_digest_fini(&p->digest);
	fs_temp_discard(&p->temp);
}

const struct handler_ops put_handler = {
	.action = CONF_ACTION_UPLOAD,
	.methods = HTTP_BIT(HTTP_PUT),
	.create = put_create,
	.destroy = put_destroy,
	.check_access = put_check_access,
	.open = put_open,
	.data = put_data,
	.close = put_close,
};
