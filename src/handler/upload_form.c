/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_form: the door of forms. A POST of multipart/form-data to the collection comes in, and
 * its files get their names together when the last byte is there: all of them, or none. Bytes
 * go to the files as they come; of fields that are no files nothing is kept.
 */
#include "handler/upload_form.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "handler/store_digest.h"
#include "handler/upload.h"
#include "http/multipart.h"
#include "http/param.h"

#define CHARSET_MAX 40 /* RFC 2978 section 2.3 */

struct form_file {
	struct store_file file;
	char path[UPLOAD_NAME_MAX + 1];
};

enum part_kind { PART_FIELD, PART_CHARSET, PART_FILE };

struct form {
	struct upload *upload; /* close() is called without the handler */
	struct multipart parser;
	enum part_kind part; /* PART_FILE: the last of the files */
	size_t fields_size;  /* bytes of fields so far */
	char charset[CHARSET_MAX];
	size_t charset_len;
	struct form_file *files[FORM_FILES_MAX];
	size_t count;
	struct store_digest digest; /* of the last of the files */
	struct publish publish;
	struct publish_item *items;
	struct form_answer answer;
};

/* On the exchange: the form itself is too large for its arena. */
struct form_request {
	const struct upload_door *door;
	struct form *form;
};

static struct form *
form_of(const struct exchange *ex)
{
	return ((struct form_request *)ex->data)->form;
}

bool
upload_is_multipart(const struct http_head *head)
{
	struct slice rest;
	struct slice type = http_head_value(head, HTTP_FIELD_CONTENT_TYPE);

	return slice_eq_nocase(param_split(type, &rest), SLICE("multipart/form-data"));
}

bool
upload_is_form(const struct exchange *ex)
{
	return ex->head.method == HTTP_POST && upload_is_collection(ex) &&
	       upload_is_multipart(&ex->head);
}

uint64_t
upload_form_body_max(const struct conf_upload *conf)
{
	/* A part's head has room for a field name of the form, too. */
	uint64_t around = (uint64_t)FORM_PARTS_MAX * (MULTIPART_HEAD_MAX + 256) +
			  FORM_FIELDS_MAX + 2 * MULTIPART_OUTSIDE_MAX;

	return FORM_FILES_MAX * conf->max_size + around;
}

/* --- open and close --- */

static void
free_form(struct form *f)
{
	publish_end(&f->publish);
	store_digest_fini(&f->digest);
	for (size_t i = 0; i < f->count; i++) {
		store_discard(&f->files[i]->file);
		free(f->files[i]);
	}
	f->upload->form_files -= f->count;
	form_answer_fini(&f->answer);
	free(f->items);
	free(f);
}

/* What is known before the body comes. */
static int
check_head(struct exchange *ex)
{
	struct store *s = &upload_of(ex)->store;
	uint64_t length = ex->head.body == HTTP_BODY_LENGTH ? ex->head.content_length : 0;
	int status = 0;

	/* RFC 9110 section 14.5: a part must not pass for the whole. */
	if (http_head_find(&ex->head, HTTP_FIELD_CONTENT_RANGE) != NULL)
		return upload_refuse(ex, 400, "A part of a form is not taken here.");
	if (ex->dry) {
		exchange_note(ex, TRACE_UPLOAD, "a form; not looked at: what is in it");
		status = store_look(s);
	}
	/* How much of it is files is not known yet: each is asked about again. */
	return status != 0 ? status
			   : upload_check_room(ex, length < s->conf->max_size
							   ? length
							   : s->conf->max_size);
}

static int
form_open(struct exchange *ex)
{
	struct form_request *r = arena_zalloc(&ex->arena, sizeof(*r));
	struct slice type = http_head_value(&ex->head, HTTP_FIELD_CONTENT_TYPE);
	enum multipart_error e;
	int status;

	if (r == NULL || (r->form = calloc(1, sizeof(*r->form))) == NULL)
		return 503;
	r->door = &upload_form;
	r->form->upload = upload_of(ex);
	e = multipart_init(&r->form->parser, type, FORM_PARTS_MAX);
	status = e != MULTIPART_OK ? upload_refuse(ex, 400, multipart_sentence(e))
				   : check_head(ex);
	if (status != 0)
		free_form(r->form);
	else
		ex->data = r;
	return status;
}

static void
form_close(struct exchange *ex, enum exchange_end why)
{
	(void)why; /* what was published is out of reach of discard */
	free_form(form_of(ex));
}

/* --- parts --- */

/* HTML: the form's "_charset_" names the encoding of its file names, too. */
static bool
is_other_charset(const struct form *f)
{
	return f->charset_len != 0 &&
	       !slice_eq_nocase(slice_make(f->charset, f->charset_len), SLICE("utf-8"));
}

static bool
has_name(const struct form *f, struct slice name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (slice_eq(slice_from_str(f->files[i]->path), name))
			return true;
	}
	return false;
}

static int
check_file(struct exchange *ex, const struct form *f, struct slice name)
{
	const struct upload *u = upload_of(ex);
	int status;

	if (is_other_charset(f) && !utf8_is_valid(name))
		return upload_refuse(ex, 400,
				     "The form is not in UTF-8: its page has to say "
				     "accept-charset=\"utf-8\".");
	status = upload_check_path(ex, name);
	if (status != 0)
		return status;
	if (f->count == FORM_FILES_MAX)
		return upload_refuse(ex, 413, "The form has too many files.");
	/* To replace one by the other would lose a file that was just sent. */
	if (u->store.conf->conflict != CONF_CONFLICT_RENAME && has_name(f, name))
		return upload_refuse(ex, 409, "The form has two files of the same name.");
	if (u->form_files >= FORM_OPEN_MAX)
		return upload_refuse_for_now(ex, 503, SLICE("1"),
					     "Too many files are on their way; please "
					     "try again soon.");
	return 0;
}

static int
begin_file(struct exchange *ex, struct form *f, struct slice name)
{
	struct upload *u = upload_of(ex);
	struct form_file *file;
	int status = check_file(ex, f, name);

	if (status != 0)
		return status;
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		return 503;
	memcpy(file->path, name.ptr, name.len); /* the check has bounded it */
	status = store_check_name(&u->store, file->path, &ex->head);
	if (status == 409)
		upload_refuse(ex, status,
			      "A file of that name is here already; nothing of the form "
			      "was stored.");
	if (status == 0)
		status = store_check_room(&u->store, 0, 0);
	if (status == 0)
		status = store_digest_expect(&f->digest, NULL, u->store.conf->digests);
	if (status == 0)
		status = store_begin(&u->store, &file->file);
	if (status != 0) {
		free(file);
		return status;
	}
	f->files[f->count++] = file;
	u->form_files++;
	f->part = PART_FILE;
	return 0;
}

static int
begin_part(struct exchange *ex, struct form *f)
{
	const struct multipart_part *part = &f->parser.part;

	f->part = part->is_charset ? PART_CHARSET : PART_FIELD;
	/* An input in which no file was chosen is sent with an empty name. */
	if (part->filename.ptr == NULL || part->filename.len == 0)
		return 0;
	return begin_file(ex, f, upload_name_last(part->filename));
}

static int
end_part(struct form *f)
{
	int status;

	if (f->part != PART_FILE)
		return 0;
	status = store_digest_check(&f->digest);
	f->files[f->count - 1]->file.digest = f->digest.found;
	store_digest_fini(&f->digest);
	return status;
}

static int
add_data(struct exchange *ex, struct form *f, struct slice data)
{
	if (f->part == PART_FILE) {
		store_digest_add(&f->digest, data);
		return store_append(&upload_of(ex)->store, &f->files[f->count - 1]->file,
				    data);
	}
	f->fields_size += data.len;
	if (f->fields_size > FORM_FIELDS_MAX)
		return upload_refuse(ex, 413, "The fields of the form are too large.");
	for (size_t i = 0; f->part == PART_CHARSET && i < data.len; i++) {
		if (f->charset_len < CHARSET_MAX)
			f->charset[f->charset_len++] = data.ptr[i];
	}
	return 0;
}

static int
take_bytes(struct exchange *ex, struct form *f, struct slice bytes)
{
	struct slice data;
	int status = 0;

	while (status == 0) {
		switch (multipart_parse(&f->parser, &bytes, &data)) {
		case MULTIPART_PART:
			status = begin_part(ex, f);
			break;
		case MULTIPART_DATA:
			status = add_data(ex, f, data);
			break;
		case MULTIPART_PART_END:
			status = end_part(f);
			break;
		case MULTIPART_END:
			break;
		case MULTIPART_MORE:
			return 0;
		case MULTIPART_BAD:
			return upload_refuse(ex, 400,
					     multipart_sentence(f->parser.error));
		}
	}
	return status;
}

/* --- the end of the form --- */

static int
answer(struct exchange *ex, struct form *f)
{
	for (size_t i = 0; i < f->count; i++)
		upload_count(ex);
	return form_answer(&f->answer, ex, f->items, f->count);
}

static int
finish(struct exchange *ex, struct form *f)
{
	enum multipart_error e = multipart_finish(&f->parser);
	int status;

	if (e != MULTIPART_OK)
		return upload_refuse(ex, 400, multipart_sentence(e));
	if (f->count == 0)
		return upload_refuse(ex, 400, "The form has no file.");
	f->items = calloc(f->count, sizeof(*f->items));
	if (f->items == NULL)
		return 503;
	for (size_t i = 0; i < f->count; i++) {
		f->items[i].file = &f->files[i]->file;
		f->items[i].path = f->files[i]->path;
	}
	status = form_answer_init(&f->answer, ex, f->items, f->count);
	if (status == 0)
		status = publish_begin(&f->publish, ex, &upload_of(ex)->store, f->items,
				       f->count);
	if (status != 0 || f->publish.state != PUBLISH_DONE)
		return status;
	return answer(ex, f);
}

static int
answer_dry(struct exchange *ex, struct form *f)
{
	int status = form_answer_init(&f->answer, ex, NULL, 0);

	return status == 0 ? form_answer(&f->answer, ex, NULL, 0) : status;
}

static int
form_data(struct exchange *ex, struct slice bytes, bool last)
{
	struct form *f = form_of(ex);
	int status = ex->dry ? 0 : take_bytes(ex, f, bytes);

	if (status != 0)
		return status;
	exchange_consumed(ex, bytes.len);
	if (!last)
		return 0;
	return ex->dry ? answer_dry(ex, f) : finish(ex, f);
}

static int
form_work(struct exchange *ex)
{
	struct form *f = form_of(ex);
	int status = publish_work(&f->publish, ex);

	if (status != 0 || f->publish.state != PUBLISH_DONE)
		return status;
	return answer(ex, f);
}

const struct upload_door upload_form = { form_open, form_data, form_work, form_close };
