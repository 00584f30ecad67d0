/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload: the handler of "upload": finds the door for a request, and has what all of them
 * need.
 */
#include "handler/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/counters.h"
#include "conf/load.h"
#include "core/limits.h"
#include "handler/handlers.h"
#include "handler/store_digest.h"
#include "handler/store_quota.h"
#include "handler/upload_client.h"
#include "http/uri.h"

static int
copy_types(struct upload *u, const struct conf_strings *types)
{
	u->types = calloc(types->count + 1, sizeof(*u->types));
	if (u->types == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < types->count; i++)
		u->types[u->type_count++] = slice_from_str(types->items[i]);
	return 0;
}

static void
upload_destroy(void *state)
{
	struct upload *u = state;

	store_close(&u->store);
	quota_free(u->quota);
	free(u->types);
	free(u);
}

/* Who explains has nobody to share with. 0 or -ENOMEM. */
static int
share_quota(struct upload *u, const struct handler_env *env)
{
	struct quota_view v = { .quota = env->quota };

	if (env->quota != NULL) {
		v.directory = store_quota_find(env->conf, u->store.conf->directory);
		v.worker = env->limits->worker;
	} else if (env->explains && u->store.conf->quota != 0) {
		v.quota = u->quota = quota_new(1, 1, 0);
		if (u->quota == NULL)
			return -ENOMEM;
	}
	if (v.quota != NULL && v.directory != SIZE_MAX)
		store_quota_share(&u->store, &v, env->pool);
	return 0;
}

static int
upload_create(const struct handler_env *env, const struct conf_route *route, void **state,
	      struct buf *errors)
{
	const struct conf_upload *conf = &route->upload;
	struct upload *u = calloc(1, sizeof(*u));
	int rc;

	if (u == NULL || copy_types(u, &conf->types) < 0) {
		conf_report(errors, &conf->directory_place, "out of memory");
		free(u);
		return -1;
	}
	u->route = route;
	rc = store_open(&u->store, conf, env->log);
	if (rc < 0 && !(env->explains && rc == -EACCES)) {
		conf_report(
			errors, &conf->directory_place,
			"cannot open the directory %s: %s; name one that can be opened",
			conf->directory, strerror(-rc));
		upload_destroy(u);
		return -1;
	}
	if (share_quota(u, env) < 0) {
		conf_report(errors, &conf->directory_place, "out of memory");
		upload_destroy(u);
		return -1;
	}
	*state = u;
	return 0;
}

static void
upload_check_access(void *state)
{
	struct store *s = &((struct upload *)state)->store;

	store_quota_await(s);
	if (faccessat(s->dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		log_warning(s->log, "%s: the user that serves may not write there: %s",
			    s->conf->directory, strerror(errno));
}

/* --- for the doors --- */

bool
upload_is_collection(const struct exchange *ex)
{
	return ex->rest.len == 0 || !ex->route->conf->is_prefix;
}

int
upload_refuse(struct exchange *ex, int status, const char *why)
{
	ex->reason = why;
	exchange_note(ex, TRACE_UPLOAD, "%s", why);
	return status;
}

int
upload_check_path(struct exchange *ex, struct slice path)
{
	const struct upload *u = upload_of(ex);
	enum upload_name_error e;

	if (!u->store.conf->create_directories && slice_find(path, '/') < path.len)
		/* RFC 4918 section 9.7.1: no collection of that name */
		return upload_refuse(ex, 409,
				     "Files go into the directory itself here: the name "
				     "may have no slash.");
	e = upload_name_check_path(path, STORE_DEPTH_MAX, 0);
	if (e != UPLOAD_NAME_OK)
		return upload_refuse(ex, 400, upload_name_sentence(e));
	if (u->type_count != 0 && !upload_name_has_type(path, u->types, u->type_count))
		return upload_refuse(ex, 415, upload_name_sentence(UPLOAD_NAME_TYPE));
	return 0;
}

int
upload_check_length(struct exchange *ex)
{
	uint64_t length = ex->head.body == HTTP_BODY_LENGTH ? ex->head.content_length : 0;

	return store_check_room(&upload_of(ex)->store, 0, length);
}

int
upload_add_location(struct exchange *ex, enum http_field_id field, const char *path,
		    const char *name)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	size_t base = ex->path.len - ex->rest.len;
	size_t name_len = strlen(name);
	char *plain = arena_alloc(&ex->arena, base + dir + name_len);
	char *location = arena_alloc(&ex->arena, 3 * (base + dir + name_len) + 1);
	size_t len;

	if (plain == NULL || location == NULL)
		return 503;
	memcpy(plain, ex->path.ptr, base);
	memcpy(plain + base, path, dir);
	memcpy(plain + base + dir, name, name_len);
	len = uri_path_encode(slice_make(plain, base + dir + name_len), location);
	return exchange_add_field(ex, field, slice_make(location, len)) < 0 ? 500 : 0;
}

void
upload_count(struct exchange *ex, const struct store_digest *digest)
{
	struct store *s = &upload_of(ex)->store;

	counter_add(ex->site->env.counters, COUNTER_FILES_UPLOADED, 1);
	/* The upload is whole without it, but some day somebody asks where the digests are. */
	if (digest->keep_error == 0 || s->digests_told)
		return;
	s->digests_told = true;
	log_info(s->log, "upload: %s: digests cannot be kept with files: %s",
		 s->conf->directory, strerror(-digest->keep_error));
}

/* --- the handler --- */

struct request {
	const struct upload_door *door;
};

static const struct upload_door *
door_of(const struct exchange *ex)
{
	return ((const struct request *)ex->data)->door;
}

static const struct upload_door *
find_door(const struct exchange *ex)
{
	if (upload_is_form(ex))
		return &upload_form;
	return ex->head.method == HTTP_DELETE ? &upload_delete : &upload_raw;
}

static uint64_t
upload_body_max(const struct exchange *ex)
{
	const struct conf_upload *conf = &ex->route->conf->upload;

	return upload_is_form(ex) ? upload_form_body_max(conf) : conf->max_size;
}

/* What is asked for any door, before it opens: 0 or a status. */
static int
check_limits(struct exchange *ex)
{
	struct store *s = &upload_of(ex)->store;

	if (s->dirfd < 0)
		return 403;
	if (ex->head.method == HTTP_DELETE)
		return 0;
	if (store_quota_ready(s) != 0) {
		if (exchange_keep_field(ex, HTTP_FIELD_RETRY_AFTER, SLICE("1")) < 0)
			return 500;
		return upload_refuse(ex, 503,
				     "The server does not know yet how much is stored "
				     "here; please try again in a moment.");
	}
	if (s->conf->quota != 0 && s->quota.quota != NULL)
		exchange_note(ex, TRACE_UPLOAD, "\"quota\": %llu of %llu bytes are used",
			      (unsigned long long)quota_used(&s->quota),
			      (unsigned long long)s->conf->quota);
	return upload_client_enter(ex);
}

static int
upload_open(struct exchange *ex)
{
	const struct store *s = &upload_of(ex)->store;
	int status = upload_check_origin(ex);

	if (status != 0)
		return status;
	exchange_note(ex, TRACE_UPLOAD, "into the directory %s%s", s->conf->directory,
		      s->dirfd < 0 ? ", which may not be opened" : "");
	status = check_limits(ex);
	if (status == 0)
		status = find_door(ex)->open(ex);
	/* Our close() is called only when it opened, and is ours still. */
	if (status != 0 || ex->handler->ops != &upload_handler)
		upload_client_leave(ex);
	return status;
}

static int
upload_data(struct exchange *ex, struct slice bytes, bool last)
{
	return door_of(ex)->data(ex, bytes, last);
}

static int
upload_work(struct exchange *ex)
{
	return door_of(ex)->work(ex);
}

static void
upload_close(struct exchange *ex, enum exchange_end why)
{
	upload_client_leave(ex);
	door_of(ex)->close(ex, why);
}

const struct handler_ops upload_handler = {
	.action = CONF_ACTION_UPLOAD,
	.methods = HTTP_BIT(HTTP_PUT) | HTTP_BIT(HTTP_POST),
	.named_methods = HTTP_BIT(HTTP_DELETE),
	.create = upload_create,
	.destroy = upload_destroy,
	.check_access = upload_check_access,
	.body_max = upload_body_max,
	.open = upload_open,
	.data = upload_data,
	.work = upload_work,
	.close = upload_close,
};
