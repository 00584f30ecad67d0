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
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/number.h"
#include "base/secret.h"
#include "conf/load.h"
#include "core/limits.h"
#include "handler/handlers.h"
#include "handler/intent.h"
#include "handler/resume.h"
#include "handler/store_quota.h"
#include "handler/store_unfinished.h"
#include "handler/task.h"
#include "handler/upload_client.h"
#include "http/digest_hash.h"
#include "http/rufh.h"
#include "http/tus.h"
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
	quota_free(u->unfinished);
	free(u->types);
	free(u);
}

/* What is `shared`, if the directory has a part in it; a sum of its own for who explains, since
 * he has nobody to share with. False: out of memory. */
static bool
find_view(const struct upload *u, const struct handler_env *env,
	  enum store_quota_kind kind, struct quota *shared, struct quota **own,
	  struct quota_view *v)
{
	const struct conf_upload *conf = u->store.conf;
	bool limited = kind == STORE_QUOTA_BYTES
			       ? conf->quota != 0
			       : conf->resumable && conf->unfinished != 0;

	*v = (struct quota_view){ .quota = shared };
	if (shared != NULL) {
		v->directory = store_quota_find(env->conf, conf->directory, kind);
		v->worker = env->limits->worker;
		if (v->directory == SIZE_MAX)
			v->quota = NULL;
	} else if (env->explains && limited) {
		v->quota = *own = quota_new(1, 1, 0);
		return *own != NULL;
	}
	return true;
}

/* 0 or -ENOMEM. */
static int
share_quota(struct upload *u, const struct handler_env *env)
{
	struct quota_view bytes, unfinished;

	if (!find_view(u, env, STORE_QUOTA_BYTES, env->quota, &u->quota, &bytes) ||
	    !find_view(u, env, STORE_QUOTA_UNFINISHED, env->unfinished, &u->unfinished,
		       &unfinished))
		return -ENOMEM;
	store_quota_share(&u->store, &bytes, env->pool);
	store_unfinished_share(&u->store, &unfinished, env->pool);
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
	u->pool = env->pool;
	rc = store_open(&u->store, conf, env->log);
	u->store.uploads = env->uploads;
	if (rc < 0 && !(env->explains && rc == -EACCES)) {
		conf_report(
			errors, &conf->directory_place,
			"cannot open the directory %s: %s; name one that can be opened",
			conf->directory, strerror(-rc));
		upload_destroy(u);
		return -1;
	}
	if (conf->digests != 0 && digest_hash_library() == NULL) {
		conf_report(errors, &conf->digest_place,
			    "this build has no libcrypto, so it computes no digests; "
			    "leave \"digest\" out");
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

/* Before the first request sees what a crash left. */
static void
take_back_intents(struct store *s)
{
	int staging = openat(s->dirfd, STORE_STAGING,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct intent_result result;

	if (staging < 0)
		return; /* nobody ever uploaded, or nobody may */
	(void)intent_recover(staging, &result);
	intent_tell(s->log, s->conf->directory, &result);
	close(staging);
	/* Of a worker that died while others go on: the first count is still to come else. */
	if (s->quota.quota == NULL || !quota_is_counted(&s->quota))
		return;
	store_recount_bytes(s, result.gone, result.back);
}

static void
upload_check_access(void *state)
{
	struct store *s = &((struct upload *)state)->store;

	take_back_intents(s);
	store_quota_await(s);
	store_unfinished_await(s);
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
upload_keep_number(struct exchange *ex, enum http_field_id id, uint64_t n)
{
	char *text = arena_alloc(&ex->arena, 20);

	if (text == NULL)
		return 503;
	return exchange_keep_field(ex, id, slice_make(text, number_format(n, text))) < 0
		       ? 500
		       : 0;
}

int
upload_refuse(struct exchange *ex, int status, const char *why)
{
	ex->reason = why;
	exchange_note(ex, TRACE_UPLOAD, "%s", why);
	return status;
}

int
upload_refuse_for_now(struct exchange *ex, int status, struct slice seconds,
		      const char *why)
{
	if (exchange_keep_field(ex, HTTP_FIELD_RETRY_AFTER, seconds) < 0)
		return 500;
	return upload_refuse(ex, status, why);
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
	if (u->type_count == 0 || upload_name_has_type(path, u->types, u->type_count))
		return 0;
	exchange_note(ex, TRACE_UPLOAD, "%.*s: ends in none of the %zu of \"types\"",
		      SLICE_ARG(path), u->type_count);
	return upload_refuse(ex, 415, upload_name_sentence(UPLOAD_NAME_TYPE));
}

/* Which of the limits it was that the store has refused by. */
static void
note_room(struct exchange *ex, uint64_t more)
{
	const struct store *s = &upload_of(ex)->store;
	uint64_t quota = s->conf->quota;
	uint64_t used = quota != 0 && s->quota.quota != NULL ? quota_used(&s->quota) : 0;
	const char *what = "the disk has room for";

	if (quota != 0 && (used > quota || more > quota - used))
		what = "\"quota\" allows";
	else if (s->conf->reserve != 0)
		what = "\"reserve\" leaves on the disk";
	exchange_note(ex, TRACE_UPLOAD, "%llu bytes are more than %s",
		      (unsigned long long)more, what);
}

int
upload_check_room(struct exchange *ex, uint64_t more)
{
	int status = store_check_room(&upload_of(ex)->store, 0, more);

	if (status == 507 && ex->trace != NULL)
		note_room(ex, more);
	return status;
}

int
upload_check_length(struct exchange *ex)
{
	uint64_t length = ex->head.body == HTTP_BODY_LENGTH ? ex->head.content_length : 0;

	return upload_check_room(ex, length);
}

const char *
upload_make_name(struct exchange *ex)
{
	const struct upload *u = upload_of(ex);
	time_t now = (time_t)clock_unix();
	struct tm tm;
	char when[32];
	uint64_t r;

	if (secret_random(&r, sizeof(r)) < 0 || gmtime_r(&now, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm) == 0)
		return NULL;
	return arena_printf(&ex->arena, "upload-%s-%016llx%.*s", when,
			    (unsigned long long)r,
			    u->type_count != 0 ? (int)u->types[0].len : 0,
			    u->type_count != 0 ? u->types[0].ptr : "");
}

int
upload_make_url(struct exchange *ex, const char *path, const char *name,
		struct slice *url)
{
	size_t dir = (size_t)(fs_last_name(path) - path);
	size_t base = ex->path.len - ex->rest.len;
	size_t name_len = strlen(name);
	char *plain = arena_alloc(&ex->arena, base + dir + name_len);
	char *encoded = arena_alloc(&ex->arena, 3 * (base + dir + name_len) + 1);

	if (plain == NULL || encoded == NULL)
		return 503;
	memcpy(plain, ex->path.ptr, base);
	memcpy(plain + base, path, dir);
	memcpy(plain + base + dir, name, name_len);
	*url = slice_make(
		encoded,
		uri_path_encode(slice_make(plain, base + dir + name_len), encoded));
	return 0;
}

int
upload_reserve_answer(struct exchange *ex, const char *path, size_t more)
{
	size_t base = ex->path.len - ex->rest.len;
	size_t dir = (size_t)(fs_last_name(path) - path);
	size_t url = 4 * (base + dir + UPLOAD_NAME_MAX) + 1;

	return arena_reserve(&ex->arena, url + 2 * ARENA_ALIGN + more) < 0 ? 503 : 0;
}

int
upload_add_location(struct exchange *ex, enum http_field_id field, const char *path,
		    const char *name)
{
	struct slice url;
	int status = upload_make_url(ex, path, name, &url);

	if (status != 0)
		return status;
	return exchange_add_field(ex, field, url) < 0 ? 500 : 0;
}

void
upload_count(struct exchange *ex)
{
	counter_add(ex->site->env.counters, COUNTER_FILES_UPLOADED, 1);
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

/* The protocol of an upload that can be resumed, or NULL. Both have Upload-Offset. */
static const struct upload_door *
find_resumable(const struct exchange *ex)
{
	enum http_method method = ex->head.method;
	struct rufh_request req;
	struct slice id;

	if (tus_is_spoken(&ex->head) && (resume_is_url(ex, &id) || method == HTTP_POST))
		return &upload_tus;
	rufh_read(&ex->head, &req);
	if (resume_is_url(ex, &id))
		return method == HTTP_PATCH && !req.partial && !req.has_complete
			       ? &upload_tus
			       : &upload_rufh;
	/* A form is no file: one that came in parts could not be unpacked, so none is resumed. */
	return req.has_complete && !upload_is_form(ex) &&
			       (method == HTTP_PUT || method == HTTP_POST)
		       ? &upload_rufh
		       : NULL;
}

static const struct upload_door *
find_door(const struct exchange *ex)
{
	const struct upload_door *door = resume_is_on(ex) ? find_resumable(ex) : NULL;

	if (door != NULL)
		return door;
	if (upload_is_form(ex))
		return &upload_form;
	if (ex->head.method == HTTP_DELETE)
		return &upload_delete;
	return upload_wants_page(ex) ? &upload_form_page : &upload_raw;
}

static bool
is_part(const struct http_head *head)
{
	struct rufh_request req;

	rufh_read(head, &req);
	return req.has_complete && !req.complete;
}

static uint64_t
upload_body_max(const struct exchange *ex)
{
	const struct conf_upload *conf = &ex->route->conf->upload;

	if (upload_is_form(ex))
		return upload_form_body_max(conf);
	/* The doors count what has no length, and their 413 says more. */
	return ex->head.body == HTTP_BODY_CHUNKED ? UINT64_MAX : conf->max_size;
}

/* Before the body comes, which would have to wait, or be lost, afterwards. */
static int
check_disk(struct exchange *ex)
{
	struct upload *u = upload_of(ex);

	if (task_is_welcome(u->pool))
		return 0;
	log_limited(u->store.log, &u->store.limit, LOG_LEVEL_WARNING,
		    "upload: %s: too many uploads wait for the disk; answering 503",
		    u->store.conf->directory);
	return upload_refuse_for_now(ex, 503, SLICE("5"),
				     "The disk is busy with other uploads; please try "
				     "again in a moment.");
}

/* What is asked for any door, before it opens: 0 or a status. */
static int
check_limits(struct exchange *ex)
{
	struct store *s = &upload_of(ex)->store;
	bool writes = ex->head.method == HTTP_PUT || ex->head.method == HTTP_POST ||
		      ex->head.method == HTTP_PATCH;
	struct slice id;
	int status = 0;

	if (s->dirfd < 0)
		return 403;
	/* To tell where an upload stands that is written down. */
	if (writes || (resume_asks_offset(ex) && resume_is_url(ex, &id)))
		status = check_disk(ex);
	if (status != 0 || !writes)
		return status;
	if (store_quota_ready(s) != 0)
		return upload_refuse_for_now(
			ex, 503, SLICE("1"),
			"The server does not know yet how much is stored here; please "
			"try again in a moment.");
	if (s->conf->quota != 0 && s->quota.quota != NULL)
		exchange_note(ex, TRACE_UPLOAD, "\"quota\": %llu of %llu bytes are used",
			      (unsigned long long)quota_used(&s->quota),
			      (unsigned long long)s->conf->quota);
	return upload_client_enter(ex);
}

static int
open_door(struct exchange *ex)
{
	const struct upload_door *door = find_door(ex);

	if (door == &upload_form && is_part(&ex->head))
		return upload_refuse(ex, 400, "A form is taken in one piece only.");
	/* An empty file of a made-up name, or a part, would not be what it means. */
	if (!resume_is_on(ex) && (tus_is_spoken(&ex->head) || is_part(&ex->head)))
		return upload_refuse(ex, 400, "Resumable uploads are not taken here.");
	/* The file would be the form, with its boundaries. */
	if (door == &upload_raw && ex->head.method == HTTP_POST &&
	    upload_is_multipart(&ex->head))
		return upload_refuse(ex, 400,
				     "Forms are taken by the collection itself, not by a "
				     "name in it.");
	if (exchange_is_too_long(ex))
		return door == &upload_rufh ? upload_rufh_too_long(ex) : 413;
	return door->open(ex);
}

/* A 413 says how much it may be: who made the limit is not who meets it. */
static int
explain_size(struct exchange *ex, int status)
{
	const char *why;

	if (status != 413 || ex->reason != NULL)
		return status;
	why = arena_printf(&ex->arena, "A file may have at most %llu bytes here.",
			   (unsigned long long)upload_of(ex)->store.conf->max_size);
	return why != NULL ? upload_refuse(ex, 413, why) : 413;
}

static int
upload_open(struct exchange *ex)
{
	const struct store *s = &upload_of(ex)->store;
	int status = 0;

	/* tus, "Tus-Resumable": in every answer. */
	if (resume_is_on(ex) && find_resumable(ex) == &upload_tus)
		status = upload_tus_say_version(ex);
	if (status == 0)
		status = upload_check_origin(ex);
	if (status != 0)
		return status;
	exchange_note(ex, TRACE_UPLOAD, "into the directory %s%s", s->conf->directory,
		      s->dirfd < 0 ? ", which may not be opened" : "");
	status = check_limits(ex);
	if (status == 0)
		status = explain_size(ex, open_door(ex));
	/* Our close() is called only when it opened, and is ours still. */
	if (status != 0 || ex->handler->ops != &upload_handler)
		upload_client_leave(ex);
	return status;
}

static int
upload_data(struct exchange *ex, struct slice bytes, bool last)
{
	return explain_size(ex, door_of(ex)->data(ex, bytes, last));
}

static int
upload_work(struct exchange *ex)
{
	return explain_size(ex, door_of(ex)->work(ex));
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
	.tick = upload_tick,
	.claims = upload_claims,
	.takes = upload_takes,
	.method = upload_method,
	.options = upload_options,
	.refuses_length = true,
	.open = upload_open,
	.data = upload_data,
	.work = upload_work,
	.close = upload_close,
};
