/* SPDX-License-Identifier: BSD-2-Clause
 *
 * transport: a transport without a socket. It takes notes of what an exchange asks for, and
 * pulls bodies of every kind as the real one does. Included once by a test program.
 */
#ifndef WEBSRV_TESTS_TRANSPORT_H
#define WEBSRV_TESTS_TRANSPORT_H

#include <unistd.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "core/exchange.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TRANSPORT_FIELDS 8
#define TRANSPORT_TRIES 10000 /* -EAGAIN in a row, or turns: then nothing will come */

struct transport {
	struct exchange ex; /* first: the ops are called with its address */
	struct http_field request[TRANSPORT_FIELDS];
	unsigned heads, aborts;
	unsigned waits;     /* for some time */
	unsigned turns;     /* asked for, */
	bool wants_turn;    /* and the last one was not given yet */
	unsigned interims;  /* and what they said, */
	struct buf interim; /* "104\nName: value\n" each */
	uint64_t credited;
	enum body_kind kind;     /* of the answer when it began, */
	uint64_t length;         /* and what it promised, or BODY_UNKNOWN */
	struct buf fields, body; /* of the answer, fields as "Name: value\n" */
};

static inline void
transport_on_head(struct exchange *ex)
{
	struct transport *t = (struct transport *)ex;

	assert_int_equal(ex->state, EXCHANGE_RESPONDING);
	t->heads++;
	t->kind = ex->body.kind;
	t->length = ex->body.left;
}

static inline void
transport_on_consumed(struct exchange *ex, size_t n)
{
	((struct transport *)ex)->credited += n;
}

static inline void
transport_on_later(struct exchange *ex)
{
	struct transport *t = (struct transport *)ex;

	t->turns++;
	t->wants_turn = true;
}

/* No time passes here: who is held gets the next turn, others none. */
static inline void
transport_on_after(struct exchange *ex, unsigned ms)
{
	struct transport *t = (struct transport *)ex;

	assert_true(ms > 0);
	t->waits++;
	t->wants_turn = t->wants_turn || ex->holds;
}

static inline void
transport_note_field(void *ctx, const struct http_field *f)
{
	buf_printf(ctx, "%.*s: %.*s\n", SLICE_ARG(f->name), SLICE_ARG(f->value));
}

static inline bool
transport_on_interim(struct exchange *ex, int status, const struct http_field *fields,
		     size_t count)
{
	struct transport *t = (struct transport *)ex;

	assert_int_not_equal(ex->state, EXCHANGE_RESPONDING);
	t->interims++;
	buf_printf(&t->interim, "%d\n", status);
	for (size_t i = 0; i < count; i++)
		transport_note_field(&t->interim, &fields[i]);
	return true;
}

static inline void
transport_on_abort(struct exchange *ex)
{
	((struct transport *)ex)->aborts++;
}

static const struct exchange_ops transport_ops = {
	.head = transport_on_head,
	.consumed = transport_on_consumed,
	.later = transport_on_later,
	.after = transport_on_after,
	.interim = transport_on_interim,
	.abort = transport_on_abort,
};

static inline void
transport_init(struct transport *t, size_t arena_max)
{
	exchange_init(&t->ex, &transport_ops, arena_max);
	buf_init(&t->fields);
	buf_init(&t->body);
	buf_init(&t->interim);
}

static inline void
transport_fini(struct transport *t)
{
	exchange_fini(&t->ex);
	buf_fini(&t->fields);
	buf_fini(&t->body);
	buf_fini(&t->interim);
}

/* Ready for a request to the first address. */
static inline void
transport_prepare(struct transport *t, const struct site *site, enum http_method method,
		  const char *target)
{
	struct slice text = slice_from_str(target);
	size_t end = slice_find(text, '?');

	t->heads = t->aborts = t->turns = t->waits = t->interims = 0;
	t->interim.len = 0;
	t->wants_turn = false;
	t->credited = t->length = 0;
	t->kind = BODY_NONE;
	if (t->ex.state != EXCHANGE_NEW) /* in the middle when a test has failed */
		t->ex.state = EXCHANGE_ENDED;
	exchange_reset(&t->ex);
	t->ex.site = site;
	t->ex.address = &site->addresses[0];
	t->ex.head = (struct http_head){
		.method = method,
		.method_name = http_method_name(method),
		.target = text,
		.form = *target == '*' ? HTTP_TARGET_ASTERISK : HTTP_TARGET_ORIGIN,
		.path = slice_make(text.ptr, end),
		.query = slice_from(text, end + 1),
		.has_query = end < text.len,
		.host = SLICE("a.example"),
		.minor = 1,
		.fields = t->request,
	};
}

static inline void
transport_with_field(struct transport *t, enum http_field_id id, const char *value)
{
	assert_true(t->ex.head.field_count < TRANSPORT_FIELDS);
	t->request[t->ex.head.field_count++] = (struct http_field){
		.name = http_field_name(id), .value = slice_from_str(value), .id = id
	};
}

/* The turns that were asked for. */
static inline void
transport_work(struct transport *t)
{
	for (int i = 0; t->wants_turn; i++) {
		assert_true(i < TRANSPORT_TRIES);
		t->wants_turn = false;
		exchange_work(&t->ex);
	}
}

/* A request without a body, until it is answered. */
static inline void
transport_begin(struct transport *t)
{
	exchange_begin(&t->ex);
	if (t->ex.state == EXCHANGE_RECEIVING)
		exchange_body(&t->ex, slice_make(NULL, 0), true);
	transport_work(t);
}

/* The next turns of the loop are waited for. */
static inline bool
transport_is_same(const struct body *b)
{
	int rc = b->file.check != NULL ? b->file.check(b->owner) : 0;

	for (int i = 0; rc == -EAGAIN && i < 1000; i++) {
		usleep(1000);
		rc = b->file.check(b->owner);
	}
	return rc == 0;
}

/* A piece of a file. What is sent straight from it is asked about before, what is copied after
 * it was read. */
static inline ssize_t
transport_read(struct body *b, char *out, size_t room)
{
	ssize_t n;

	if (!b->file.copy && !transport_is_same(b))
		return -EIO;
	n = fs_pread_full(b->file.fd, out, b->left < room ? (size_t)b->left : room,
			  (off_t)b->file.offset);
	if (n == 0 || (b->file.copy && !transport_is_same(b)))
		return -EIO;
	if (n > 0)
		b->file.offset += (uint64_t)n;
	return n;
}

/* The next bytes of the answer, at most `room`: their count, 0 at the end, -errno. */
static inline ssize_t
transport_pull(struct transport *t, size_t room)
{
	struct body *b = &t->ex.body;
	char *out;
	ssize_t n;

	if (b->left == 0)
		return 0;
	if (b->left < room)
		room = (size_t)b->left;
	out = malloc(room); /* one byte beyond it is seen by AddressSanitizer */
	assert_non_null(out);
	n = (ssize_t)room;
	if (b->kind == BODY_MEMORY) {
		memcpy(out, b->memory, room);
		b->memory += room;
	} else {
		n = b->kind == BODY_FILE ? transport_read(b, out, room)
					 : b->pull(b->owner, out, room);
	}
	assert_true(n <= (ssize_t)room);
	if (n > 0)
		buf_add(&t->body, out, (size_t)n);
	if (n > 0 && b->left != BODY_UNKNOWN)
		b->left -= (uint64_t)n;
	if (n == 0) {
		assert_true(b->left == BODY_UNKNOWN); /* else it promised more */
		b->left = 0;
	}
	free(out);
	return n;
}

/* All of the rest: 0, or the -errno that ended it. */
static inline int
transport_pull_all(struct transport *t, size_t room)
{
	ssize_t n = 1;

	for (int tries = 0; n > 0 || n == -EAGAIN; tries++) {
		assert_true(tries < TRANSPORT_TRIES);
		n = transport_pull(t, room);
		if (n > 0)
			tries = 0;
	}
	return (int)n;
}

static inline void
transport_note_fields(struct transport *t)
{
	t->fields.len = 0;
	exchange_each_field(&t->ex, transport_note_field, &t->fields);
	buf_add_char(&t->fields, '\0');
	assert_false(t->fields.failed);
}

/* Takes the answer in pieces of `room`, as long as it promised to be, and ends the exchange. The
 * status. The body has a NUL behind it, which is not counted. */
static inline int
transport_finish_by(struct transport *t, size_t room)
{
	int status = t->ex.status;

	assert_int_equal(t->ex.state, EXCHANGE_RESPONDING);
	transport_note_fields(t);
	t->body.len = 0;
	assert_int_equal(transport_pull_all(t, room), 0);
	if (t->length != BODY_UNKNOWN)
		assert_int_equal(t->body.len, t->length);
	buf_add_char(&t->body, '\0');
	assert_false(t->body.failed);
	t->body.len--;
	exchange_finish(&t->ex, EXCHANGE_COMPLETE);
	assert_int_equal(t->ex.state, EXCHANGE_ENDED);
	assert_int_equal(t->heads, 1);
	assert_int_equal(t->aborts, 0);
	return status;
}

static inline int
transport_finish(struct transport *t)
{
	return transport_finish_by(t, BODY_ROOM);
}

#endif
