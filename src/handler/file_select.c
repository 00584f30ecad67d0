/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_select: which representation of a file to send, RFC 9110 section 12.5.3: the file as it
 * is, a sibling that somebody compressed before, or what we encode ourselves. Siblings go
 * through the same confined open as the file, and must not be older than it.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "handler/encoded.h"
#include "handler/files.h"
#include "http/mime.h"
#include "http/negotiate.h"

/* Beyond it encoding takes too long for one turn of the loop, and goes on while sending. */
#define ENCODE_AT_ONCE_MAX ((uint64_t)256 * 1024)

#define BIT(c) (1u << (c))

/* --- siblings --- */

/* A compressor that copies whole seconds of the time makes no file that is older. */
static bool
is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec != 0 && a->tv_nsec < b->tv_nsec);
}

/* A reference to the sibling of that coding, or NULL: none, or none to be trusted. */
static struct file_version *
open_sibling(struct exchange *ex, struct files *f, const char *path,
	     const struct file_version *v, enum coding c)
{
	struct slice ext = coding_extension(c);
	char *name = arena_printf(&ex->arena, "%s%.*s", path, SLICE_ARG(ext));
	struct file_version *sibling;
	int rc;

	if (name == NULL)
		return NULL;
	rc = filecache_open(f->shared->cache, &f->root, name, &sibling);
	if (rc < 0 && ex->trace != NULL)
		files_note_failed(ex, f, name, rc);
	if (rc != 0)
		return NULL;
	/* An empty file is in none of the codings. */
	if (sibling->size > 0 && !is_older(&sibling->id.mtime, &v->id.mtime)) {
		exchange_note(ex, TRACE_FILE, "%s: is there, %llu bytes", name,
			      (unsigned long long)sibling->size);
		return sibling;
	}
	exchange_note(ex, TRACE_FILE, "%s: is %s", name,
		      sibling->size > 0 ? "older than the file" : "empty");
	file_version_unref(sibling);
	return NULL;
}

static unsigned
find_siblings(struct exchange *ex, struct files *f, const char *path,
	      struct file_version *v)
{
	uint64_t now = clock_mono_ms(), stored;

	if (f->sibling_count == 0)
		return 0;
	stored = filecache_uploads(f->shared->cache);
	if (now < v->siblings_due_ms && stored == v->siblings_uploads)
		return v->siblings;
	v->siblings = 0;
	v->siblings_uploads = stored;
	v->siblings_due_ms = now + f->revalidate_ms;
	for (size_t i = 0; i < f->sibling_count; i++) {
		struct file_version *s = open_sibling(ex, f, path, v, f->siblings[i]);

		if (s == NULL)
			continue;
		v->siblings |= BIT(f->siblings[i]);
		file_version_unref(s);
	}
	return v->siblings;
}

/* --- encoding --- */

static bool
is_type_listed(const struct conf_strings *types, struct slice type)
{
	for (size_t i = 0; i < types->count; i++) {
		struct slice t = slice_from_str(types->items[i]);

		if (slice_ends_with(t, SLICE("/*"))) {
			t.len--;
			if (type.len > t.len &&
			    slice_eq_nocase(slice_make(type.ptr, t.len), t))
				return true;
		} else if (slice_eq_nocase(t, type)) {
			return true;
		}
	}
	return false;
}

bool
files_encodes(const struct files *f, struct slice type)
{
	type = slice_trim(slice_make(type.ptr, slice_find(type, ';')));
	return f->encoding_count > 0 && is_type_listed(&f->conf->compress.types, type);
}

static unsigned
find_encodings(const struct files *f, struct file_version *v)
{
	unsigned set = 0;

	if (f->encoding_count == 0 || v->size < f->conf->compress.min_size ||
	    v->size == 0)
		return 0;
	if (v->encodable == FILE_UNKNOWN)
		v->encodable = files_encodes(f, v->fields[FILE_FIELD_CONTENT_TYPE].value)
				       ? FILE_ENCODABLE
				       : FILE_NOT_ENCODABLE;
	if (v->encodable == FILE_NOT_ENCODABLE)
		return 0;
	for (size_t i = 0; i < f->encoding_count; i++)
		set |= BIT(f->encodings[i]);
	return set & ~v->not_worth;
}

/* A reference to the small file's encoded form; NULL when it would not be smaller, which is
 * remembered, or memory is short. */
static struct file_version *
encode(struct files *f, struct file_version *v, enum coding c)
{
	struct file_version *coded = v->coded[c];
	struct buf out;

	if (coded != NULL) {
		coded->refs++;
		return coded;
	}
	buf_init(&out);
	if (coding_encode(c, slice_make(v->bytes, (size_t)v->size), &out) == 0) {
		if (out.len < v->size) {
			char *fit = realloc(out.ptr, out.len);

			coded = file_version_encoded(v, c, fit != NULL ? fit : out.ptr,
						     out.len);
			buf_init(&out); /* the bytes were taken over */
		} else {
			v->not_worth |= BIT(c);
		}
	}
	buf_fini(&out);
	if (coded != NULL)
		filecache_keep_coded(f->shared->cache, v, c, coded);
	return coded;
}

/* --- choosing --- */

struct offer {
	unsigned siblings, encodings; /* sets of BIT(coding) */
	enum coding list[CODING_COUNT];
	size_t count;
	bool busy; /* one could not be made for want of memory */
};

static void
add(struct offer *o, const enum coding *order, size_t count, unsigned set)
{
	unsigned listed = 0;

	for (size_t i = 0; i < o->count; i++)
		listed |= BIT(o->list[i]);
	for (size_t i = 0; i < count; i++) {
		if ((set & ~listed & BIT(order[i])) != 0)
			o->list[o->count++] = order[i];
	}
}

/* Makes `c` the choice if it can be had. */
static bool
take(struct exchange *ex, struct files *f, const char *path, struct offer *o,
     enum coding c, struct file_choice *choice)
{
	struct file_version *v = choice->version, *other;
	bool is_sibling = (o->siblings & BIT(c)) != 0;

	if (is_sibling) {
		o->siblings &= ~BIT(c);
		other = open_sibling(ex, f, path, v, c);
	} else {
		o->encodings &= ~BIT(c);
		bool at_once = v->bytes != NULL && v->size <= ENCODE_AT_ONCE_MAX;

		choice->encode = !at_once && encoded_has_room(f->shared, c);
		o->busy = o->busy || (!at_once && !choice->encode);
		other = at_once ? encode(f, v, c) : NULL;
	}
	if (other == NULL && !choice->encode)
		return false;
	choice->coding = c;
	choice->encoded = !is_sibling;
	if (ex->trace != NULL)
		files_note_coding(ex, f, path, choice, other);
	if (other == NULL)
		return true;
	choice->version = other;
	choice->original = v;
	return true;
}

/* Nobody refuses anything without a weight. */
static bool
may_refuse(const struct http_head *head)
{
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *f = &head->fields[i];

		if (f->id == HTTP_FIELD_ACCEPT_ENCODING &&
		    slice_find(f->value, ';') < f->value.len)
			return true;
	}
	return false;
}

int
file_select(struct exchange *ex, struct files *f, const char *path,
	    struct file_version *v, struct file_choice *choice)
{
	bool wants_part = ex->head.method == HTTP_GET &&
			  http_head_find(&ex->head, HTTP_FIELD_RANGE) != NULL;
	struct negotiate_codings want;
	struct offer o = { 0 };

	*choice = (struct file_choice){ .version = v };
	if (ex->error_status != 0)
		return 0; /* who gets an error has asked for something else */
	o.siblings = find_siblings(ex, f, path, v);
	o.encodings = find_encodings(f, v);
	choice->varies = (o.siblings | o.encodings) != 0;
	if (http_head_find(&ex->head, HTTP_FIELD_ACCEPT_ENCODING) == NULL ||
	    (!choice->varies && !may_refuse(&ex->head)))
		return 0;
	negotiate_codings(&ex->head, &want);
	/* What is made on the way has no parts: who wants one gets the file itself. */
	if (wants_part && want.q[CODING_IDENTITY] != 0)
		o.encodings = 0;
	for (;;) {
		enum coding c;

		o.count = 0;
		add(&o, f->siblings, f->sibling_count, o.siblings);
		add(&o, f->encodings, f->encoding_count, o.encodings);
		c = negotiate_pick_coding(&want, o.list, o.count);
		if (c == CODING_IDENTITY) {
			exchange_note(ex, TRACE_ANSWER, "Accept-Encoding: as it is");
			return 0;
		}
		if (c == CODING_COUNT) {
			exchange_note(ex, TRACE_FILE, "no form of it is acceptable");
			return o.busy ? 503 : 406;
		}
		if (take(ex, f, path, &o, c, choice))
			return 0;
	}
}
