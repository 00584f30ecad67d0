/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing: from a request to a complete snapshot, the fields of the answer, and the body that
 * is rendered row by row as the socket has room.
 */
#include "handler/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "handler/dirscan.h"
#include "handler/encoded.h"
#include "handler/etag.h"
#include "handler/fs_status.h"
#include "handler/listing_render.h"
#include "http/cond.h"
#include "http/negotiate.h"

#define PULL_ROWS_MAX 500 /* rendered by one pull */

struct listings {
	struct dirscans scans;
	struct log_limit memory_limit, error_limit;
};

enum stage { STAGE_HEAD, STAGE_ROWS, STAGE_TAIL, STAGE_END };

/* One request; in the arena of its exchange. */
struct listing {
	struct listing_source src;
	const struct listing_format *format;
	struct listing_page page;
	struct dirscan *scan; /* a reference; NULL when it is given back */
	/* the body: what is rendered, how much of it is taken, and what comes next */
	struct buf piece;
	size_t taken;
	enum stage stage;
	size_t row;
};

struct listings *
listings_new(size_t memory_max)
{
	struct listings *all = calloc(1, sizeof(*all));

	if (all != NULL)
		dirscans_init(&all->scans, memory_max);
	return all;
}

void
listings_free(struct listings *all)
{
	if (all == NULL)
		return;
	dirscans_fini(&all->scans);
	free(all);
}

void
listings_forget_root(struct listings *all, const struct file_root *root)
{
	dirscans_forget_root(&all->scans, root);
}

/* --- the request --- */

static void
take_parameter(struct listing_page *page, struct slice p)
{
	if (slice_eq(p, SLICE("sort=name")))
		page->sort = DIRLIST_BY_NAME;
	else if (slice_eq(p, SLICE("sort=size")))
		page->sort = DIRLIST_BY_SIZE;
	else if (slice_eq(p, SLICE("sort=date")) || slice_eq(p, SLICE("sort=modified")))
		page->sort = DIRLIST_BY_DATE;
	else if (slice_eq(p, SLICE("order=asc")))
		page->descending = false;
	else if (slice_eq(p, SLICE("order=desc")))
		page->descending = true;
}

static void
parse_query(struct listing_page *page, struct slice query)
{
	while (query.len > 0) {
		size_t n = slice_find(query, '&');

		take_parameter(page, slice_make(query.ptr, n));
		query = slice_from(query, n + 1);
	}
}

static const struct listing_format *
choose_format(const struct http_head *head)
{
	const struct slice types[] = { listing_html.media_type, listing_json.media_type };

	/* A document that was not asked for says more than a 406: RFC 9110 section 12.4.1. */
	return negotiate_media(head, types, 2) == 1 ? &listing_json : &listing_html;
}

static struct listing *
new_listing(struct exchange *ex, const struct listing_source *src)
{
	struct listing *l = arena_zalloc(&ex->arena, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->src = *src;
	l->format = choose_format(&ex->head);
	l->page.path = ex->path;
	l->page.rest = ex->rest;
	l->page.request = ex->head.path;
	parse_query(&l->page, ex->head.query);
	buf_init(&l->piece);
	return l;
}

/* No snapshot: the status to answer, which is `status` unless memory is what is short. */
static int
failed(const struct exchange *ex, const struct listing_source *src, int error, int status)
{
	exchange_note(ex, TRACE_FILE, "the directory cannot be listed: %s",
		      strerror(-error));
	if (error == -ENOBUFS) {
		log_limited(
			src->log, &src->all->memory_limit, LOG_LEVEL_WARNING,
			"listing %.*s: all listings together would take more than %zu "
			"bytes of memory; answering 503",
			SLICE_ARG(ex->path), src->all->scans.budget.max);
		return 503;
	}
	if (error == -ENOMEM)
		status = 503;
	if (status >= 500 || status == 403)
		log_limited(src->log, &src->all->error_limit, LOG_LEVEL_ERROR,
			    "listing %.*s: %s", SLICE_ARG(ex->path), strerror(-error));
	return status;
}

/* --- the body --- */

static void
release(void *owner)
{
	struct listing *l = owner;

	if (l->scan != NULL)
		dirscan_unref(l->scan, l);
	l->scan = NULL;
	buf_fini(&l->piece);
}

static void
render(struct listing *l)
{
	l->piece.len = l->taken = 0;
	switch (l->stage) {
	case STAGE_HEAD:
		l->format->head(&l->piece, &l->page);
		l->stage = STAGE_ROWS;
		break;
	case STAGE_ROWS:
		if (l->row < l->page.list->count) {
			l->format->row(&l->piece, &l->page, l->row++);
			break;
		}
		l->stage = STAGE_TAIL;
		/* fall through */
	case STAGE_TAIL:
		l->format->tail(&l->piece, &l->page);
		l->stage = STAGE_END;
		break;
	case STAGE_END:
		break;
	}
}

static ssize_t
pull(void *owner, char *out, size_t room)
{
	struct listing *l = owner;
	size_t rows = 0, done = 0;

	while (done < room) {
		size_t n = l->piece.len - l->taken;

		if (n == 0) {
			if (l->stage == STAGE_END || rows++ == PULL_ROWS_MAX)
				break;
			render(l);
			if (l->piece.failed)
				return -ENOMEM;
			continue;
		}
		n = n < room - done ? n : room - done;
		memcpy(out + done, l->piece.ptr + l->taken, n);
		l->taken += n;
		done += n;
	}
	return (ssize_t)done;
}

/* --- the answer --- */

/* Weak: the text also depends on how we put it. */
static struct slice
make_etag(struct exchange *ex, const struct listing *l)
{
	static const char letters[] = {
		[DIRLIST_BY_NAME] = 'n', [DIRLIST_BY_SIZE] = 's', [DIRLIST_BY_DATE] = 'd'
	};

	return slice_from_str(arena_printf(&ex->arena, "W/\"%016llx-%zx-%s%c%c\"",
					   (unsigned long long)l->page.list->digest,
					   l->page.list->count, l->format->revision,
					   letters[l->page.sort],
					   l->page.descending ? 'd' : 'a'));
}

static size_t
encoding_count(const struct listing *l)
{
	return l->format == &listing_html ? l->src.html_encodings : l->src.json_encodings;
}

static enum coding
pick_coding(const struct exchange *ex, const struct listing *l)
{
	struct negotiate_codings want;
	enum coding c;

	if (encoding_count(l) == 0 ||
	    http_head_find(&ex->head, HTTP_FIELD_ACCEPT_ENCODING) == NULL)
		return CODING_IDENTITY;
	negotiate_codings(&ex->head, &want);
	c = negotiate_pick_coding(&want, l->src.encodings, encoding_count(l));
	return c != CODING_COUNT && encoded_has_room(l->src.shared, c) ? c
								       : CODING_IDENTITY;
}

static int
add_metadata(struct exchange *ex, const struct listing *l, struct slice etag)
{
	struct slice vary = encoding_count(l) > 0 ? SLICE("Accept, Accept-Encoding")
						  : SLICE("Accept");
	int rc = 0;

	rc |= exchange_add_field(ex, HTTP_FIELD_ETAG, etag);
	rc |= exchange_add_field(ex, HTTP_FIELD_VARY, vary);
	rc |= exchange_add_field(ex, HTTP_FIELD_CACHE_CONTROL, SLICE("no-cache"));
	return rc;
}

static int
add_content_fields(struct exchange *ex, const struct listing *l, enum coding c)
{
	int rc = 0;

	rc |= exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE, l->format->content_type);
	rc |= exchange_add_field(ex, HTTP_FIELD_X_CONTENT_TYPE_OPTIONS, SLICE("nosniff"));
	if (c != CODING_IDENTITY)
		rc |= exchange_add_field(ex, HTTP_FIELD_CONTENT_ENCODING, coding_name(c));
	if (l->format == &listing_html) {
		/* Stricter than that of a site, whose own would take the style away. */
		ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CONTENT_SECURITY_POLICY);
		rc |= exchange_add_field(
			ex, HTTP_FIELD_CONTENT_SECURITY_POLICY,
			SLICE("default-src 'none'; style-src 'unsafe-inline'; "
			      "base-uri 'none'; form-action 'none'"));
	}
	return rc;
}

/* Takes the listing over, whatever comes of it. */
static int
respond_with(struct exchange *ex, struct listing *l, enum coding c)
{
	struct body body = body_pull(pull, l, release, BODY_UNKNOWN);

	if (c != CODING_IDENTITY) {
		struct body encoded = encoded_body(l->src.shared, &body, c);

		if (encoded.kind == BODY_NONE) {
			release(l);
			return 503;
		}
		body = encoded;
	}
	ex->body = body;
	exchange_respond(ex, 200);
	return 0;
}

static int
respond(struct exchange *ex, struct listing *l)
{
	struct cond_validators validators = { .exists = true };
	enum coding c = pick_coding(ex, l);
	enum cond_verdict verdict;
	char etag[ETAG_MAX];

	l->page.list = dirscan_list(l->scan);
	validators.etag = make_etag(ex, l);
	if (c != CODING_IDENTITY && validators.etag.len != 0)
		validators.etag = slice_from_str(arena_strdup(
			&ex->arena,
			etag_format_coded(validators.etag, coding_name(c), etag)));
	if (validators.etag.len == 0)
		return 503;
	verdict = cond_evaluate(&ex->head, &validators, clock_unix());
	exchange_note(ex, TRACE_ANSWER, "a listing of %zu names as %.*s",
		      l->page.list->count, SLICE_ARG(l->format->media_type));
	if (verdict == COND_PRECONDITION_FAILED)
		return 412;
	if (add_metadata(ex, l, validators.etag) < 0)
		return 500;
	if (verdict == COND_NOT_MODIFIED) {
		ex->data = NULL;
		release(l);
		exchange_respond(ex, 304);
		return 0;
	}
	if (add_content_fields(ex, l, c) < 0)
		return 500;
	ex->data = NULL;
	return respond_with(ex, l, c);
}

/* 0 or a status; in the latter case the listing is still the exchange's. */
static int
advance(struct exchange *ex, struct listing *l)
{
	int rc = dirscan_advance(l->scan, l);

	if (rc < 0)
		return failed(ex, &l->src, rc, 500);
	if (rc > 0)
		return respond(ex, l);
	exchange_later(ex);
	return 0;
}

int
listing_open(struct exchange *ex, const struct listing_source *src, const char *path)
{
	struct dirscan_key key = { .root = src->root,
				   .path = path,
				   .hidden = src->hidden,
				   .uploads = src->uploads };
	struct listing *l;
	int rc;

	if (ex->error_status != 0)
		return 404;
	l = new_listing(ex, src);
	if (l == NULL)
		return 503;
	key.sort = l->page.sort;
	key.descending = l->page.descending;
	rc = dirscan_get(&src->all->scans, &key, src->revalidate_ms, &l->scan);
	if (rc < 0)
		return failed(ex, src, rc, fs_status(rc));
	ex->data = l;
	rc = advance(ex, l);
	/* What open() refuses is not closed. */
	if (rc != 0)
		listing_close(ex);
	return rc;
}

int
listing_work(struct exchange *ex)
{
	return advance(ex, ex->data);
}

void
listing_close(struct exchange *ex)
{
	if (ex->data != NULL)
		release(ex->data);
	ex->data = NULL;
}
