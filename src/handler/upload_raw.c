/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_raw: the plain door. The body of a PUT becomes the file that the rest of the path
 * names, that of a POST to the collection the one that Content-Disposition names, or one with
 * a name that is made up: 201 with Location, 204 when it replaced one. A body that is cut
 * short leaves nothing. And DELETE, which takes files away again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handler/publish.h"
#include "handler/store_digest.h"
#include "handler/upload.h"
#include "http/disposition.h"

struct raw {
	const struct upload_door *door;
	struct store_file file;
	struct store_digest digest;
	struct publish publish;
	struct publish_item item;
};

/* --- names --- */

/* What Content-Disposition names; an empty slice when it names nothing. 0 or a status. */
static int
read_disposition(struct exchange *ex, struct slice *name)
{
	struct slice value = http_head_value(&ex->head, HTTP_FIELD_CONTENT_DISPOSITION);
	struct disposition d = { 0 };
	char *text = arena_strdup(&ex->arena, value);

	*name = slice_make("", 0);
	if (text == NULL)
		return 503;
	if (value.len == 0)
		return 0;
	if (disposition_parse(text, value.len, false, &d) < 0)
		return upload_refuse(ex, 400, "The Content-Disposition is malformed.");
	if (d.filename.ptr != NULL)
		*name = upload_name_last(d.filename);
	return 0;
}

static int
choose_path(struct exchange *ex, const char **path)
{
	struct slice name = ex->rest;
	bool is_post = ex->head.method == HTTP_POST && upload_is_collection(ex);
	int status = is_post ? read_disposition(ex, &name) : 0;

	if (status != 0)
		return status;
	if (is_post && name.len == 0) {
		*path = upload_make_name(ex);
		return *path != NULL ? 0 : 503;
	}
	status = upload_check_path(ex, name);
	if (status != 0)
		return status;
	*path = arena_strdup(&ex->arena, name);
	return *path != NULL ? 0 : 503;
}

/* Why a name is refused, and what is not looked at when only that is asked. */
static void
note_name(struct exchange *ex, const char *path, int status)
{
	struct store *s = &upload_of(ex)->store;
	const char *why = "is free";

	if (status == 412)
		why = "the preconditions do not hold";
	else if (status == 409)
		why = "is there, and must not be replaced (\"conflict\")";
	else if (status != 0)
		why = "cannot be looked for";
	else if (faccessat(s->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		why = s->conf->conflict == CONF_CONFLICT_RENAME
			      ? "is there; another name is made of it"
			      : "is there, and is replaced";
	exchange_note(ex, TRACE_UPLOAD, "%s: %s", path, why);
}

int
upload_choose_path(struct exchange *ex, const char **path)
{
	int status;

	/* RFC 9110 section 14.5: a part must not pass for the whole. */
	if (http_head_find(&ex->head, HTTP_FIELD_CONTENT_RANGE) != NULL)
		return upload_refuse(ex, 400, "A part of a file is not taken here.");
	status = choose_path(ex, path);
	if (status != 0)
		return status;
	status = store_check_name(&upload_of(ex)->store, *path, &ex->head);
	if (ex->trace != NULL)
		note_name(ex, *path, status);
	return status;
}

/* --- open --- */

/* Nothing is written where the request is only explained. */
static int
begin(struct exchange *ex, struct raw *r)
{
	struct store *s = &upload_of(ex)->store;
	int status;

	if (!ex->dry) {
		status = store_begin(s, &r->file);
		if (status == 0 && ex->head.body == HTTP_BODY_LENGTH)
			status = store_promise(s, &r->file, ex->head.content_length);
		if (status != 0)
			store_discard(&r->file);
		return status;
	}
	r->file.temp.fd = -1;
	status = store_look(s);
	if (status != 0)
		exchange_note(ex, TRACE_UPLOAD, "%s: user %u may not write there",
			      s->conf->directory, geteuid());
	else
		exchange_note(ex, TRACE_UPLOAD, "not looked at: the body, its digest");
	return status;
}

static int
raw_open(struct exchange *ex)
{
	struct raw *r = arena_zalloc(&ex->arena, sizeof(*r));
	int status;

	if (r == NULL)
		return 503;
	r->door = &upload_raw;
	status = upload_choose_path(ex, &r->item.path);
	r->item.file = &r->file;
	if (status == 0)
		status = upload_check_length(ex);
	if (status == 0) {
		status = store_digest_begin(&r->digest, &ex->head,
					    upload_of(ex)->store.conf->digests);
		if (status == 400)
			status = upload_refuse(
				ex, 400,
				"Content-Digest or Repr-Digest is malformed, or they "
				"contradict each other.");
	}
	if (status == 0)
		status = begin(ex, r);
	if (status != 0)
		store_digest_fini(&r->digest);
	ex->data = r;
	return status;
}

/* --- data --- */

static int
answer(struct exchange *ex, struct raw *r)
{
	const struct store_result *result = &r->item.result;
	int status = 0;

	if (!result->replaced && ex->route->conf->is_prefix)
		status = upload_add_location(ex, HTTP_FIELD_LOCATION, r->item.path,
					     result->name);
	else if (!result->replaced && ex->head.method == HTTP_PUT)
		status = upload_add_location(ex, HTTP_FIELD_LOCATION, "", result->name);
	if (status == 0)
		status = upload_tell_stored(ex, &r->file);
	if (status != 0)
		return status;
	upload_count(ex);
	exchange_respond(ex, result->replaced ? 204 : 201);
	return 0;
}

static int
finish(struct exchange *ex, struct raw *r)
{
	struct store *s = &upload_of(ex)->store;
	int status;

	if (ex->dry) {
		status = store_foresee(s, r->item.path, &ex->head, &r->item.result);
		return status != 0 ? status : answer(ex, r);
	}
	status = store_digest_check(&r->digest);
	if (status == 400)
		return upload_refuse(
			ex, 400, "The body has another digest than the request says.");
	if (status != 0)
		return status;
	r->file.digest = r->digest.found;
	status = upload_reserve_answer(ex, r->item.path, 0);
	if (status == 0)
		status = publish_begin(&r->publish, ex, s, &r->item, 1);
	if (status != 0 || r->publish.state != PUBLISH_DONE)
		return status;
	return answer(ex, r);
}

static int
raw_data(struct exchange *ex, struct slice bytes, bool last)
{
	struct raw *r = ex->data;
	int status = 0;

	if (bytes.len > 0 && !ex->dry)
		status = store_append(&upload_of(ex)->store, &r->file, bytes);
	if (status != 0)
		return status;
	store_digest_add(&r->digest, bytes);
	exchange_consumed(ex, bytes.len);
	return last ? finish(ex, r) : 0;
}

static int
raw_work(struct exchange *ex)
{
	struct raw *r = ex->data;
	int status = publish_work(&r->publish, ex);

	if (status != 0 || r->publish.state != PUBLISH_DONE)
		return status;
	return answer(ex, r);
}

static void
raw_close(struct exchange *ex, enum exchange_end why)
{
	struct raw *r = ex->data;

	(void)why; /* what was published is out of reach of discard */
	publish_end(&r->publish);
	store_digest_fini(&r->digest);
	store_discard(&r->file);
}

const struct upload_door upload_raw = { raw_open, raw_data, raw_work, raw_close };

/* --- delete --- */

struct removal {
	const struct upload_door *door;
	const char *path;
};

static int
delete_open(struct exchange *ex)
{
	struct removal *r = arena_zalloc(&ex->arena, sizeof(*r));

	if (r == NULL || (r->path = arena_strdup(&ex->arena, ex->rest)) == NULL)
		return 503;
	r->door = &upload_delete;
	ex->data = r;
	/* No other name was ever stored. */
	return upload_name_check_path(ex->rest, STORE_DEPTH_MAX, 0) == UPLOAD_NAME_OK
		       ? 0
		       : 404;
}

/* When the body, if there is one, has gone by. */
static int
delete_data(struct exchange *ex, struct slice bytes, bool last)
{
	const struct removal *r = ex->data;
	int status;

	exchange_consumed(ex, bytes.len);
	if (!last)
		return 0;
	status = store_delete(&upload_of(ex)->store, r->path, &ex->head, ex->dry);
	if (status == 409)
		return upload_refuse(ex, 409,
				     "That is no file; nothing else is deleted.");
	if (status == 0)
		exchange_respond(ex, 204);
	return status;
}

static void
delete_close(struct exchange *ex, enum exchange_end why)
{
	(void)ex;
	(void)why;
}

const struct upload_door upload_delete = { delete_open, delete_data, NULL, delete_close };
