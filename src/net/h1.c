/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1: the two half machines of a connection. Bytes go through take_head() and
 * take_body(); after each step h1_advance() pumps the answer and turns to the next request when
 * both halves are done. The exchange is never finished from inside one of its own calls.
 */
#include "net/h1.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/conn.h"
#include "net/h1_state.h"
#include "net/net.h"

#define SPARE_MAX 64
#define ARENA_EXTRA ((size_t)256 * 1024)
/* A small answer before it, or an interim one, which has not left yet. */
#define INTERIM_PENDING_MAX ((size_t)2048)

static struct h1 *
h1_of(struct exchange *ex)
{
	return (struct h1 *)((char *)ex - offsetof(struct h1, ex));
}

/* --- what the exchange asks of us --- */

static void
on_head(struct exchange *ex)
{
	struct h1 *h = h1_of(ex);

	h1_write_head(h);
	h->out = H1_OUT_BODY;
}

static void
on_consumed(struct exchange *ex, size_t n)
{
	(void)n;
	if (ex->unconsumed < EXCHANGE_WINDOW)
		conn_resume(h1_of(ex)->c, CONN_PAUSE_CREDIT);
}

static void
on_abort(struct exchange *ex)
{
	h1_of(ex)->aborted = true;
}

static void
on_later(struct exchange *ex)
{
	conn_ask_turn(h1_of(ex)->c);
}

static bool
on_interim(struct exchange *ex, int status, const struct http_field *fields, size_t count)
{
	struct h1 *h = h1_of(ex);

	/* RFC 9110 section 15.2: never to HTTP/1.0. Who does not read is told nothing more. */
	if (ex->head.minor == 0 || conn_pending(h->c) > INTERIM_PENDING_MAX)
		return false;
	h1_write_interim(h, status, fields, count);
	return true;
}

static void
on_wait(evutil_socket_t fd, short what, void *arg)
{
	struct h1 *h = arg;

	(void)fd;
	(void)what;
	h->waits = false;
	conn_ask_turn(h->c);
}

static void
on_after(struct exchange *ex, unsigned ms)
{
	struct h1 *h = h1_of(ex);
	struct timeval t = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	/* Without memory at once is better than never. */
	if (evtimer_add(&h->wait, &t) < 0)
		conn_ask_turn(h->c);
	else
		h->waits = true;
}

static const struct exchange_ops exchange_ops = {
	.head = on_head,
	.consumed = on_consumed,
	.later = on_later,
	.after = on_after,
	.interim = on_interim,
	.abort = on_abort,
};

/* --- birth and death --- */

static void
free_h1(struct h1 *h)
{
	h1_parser_fini(&h->parser);
	exchange_fini(&h->ex);
	free(h);
}

void
h1_free_spares(struct net *n)
{
	while (n->spare_h1 != NULL) {
		struct h1 *h = n->spare_h1;

		n->spare_h1 = h->next_spare;
		free_h1(h);
	}
}

static struct h1 *
new_h1(const struct net *n, const struct site_address *a)
{
	struct h1_limits limits = { a->uri_size, a->header_size, a->header_count };
	struct h1 *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	if (h1_parser_init(&h->parser, &limits) < 0) {
		free(h);
		return NULL;
	}
	h->address = a;
	evtimer_assign(&h->wait, n->base, on_wait, h);
	h->in = H1_IN_HEAD;
	/* A head, its field table and what is made of both. */
	exchange_init(&h->ex, &exchange_ops,
		      8 * a->header_size + a->header_count * sizeof(struct http_field) +
			      ARENA_EXTRA);
	return h;
}

/* Ready for a request. */
static void
reset(struct h1 *h)
{
	h1_parser_reset(&h->parser);
	exchange_reset(&h->ex);
	h->in = H1_IN_HEAD;
	h->out = H1_OUT_NONE;
	h->keep_alive = h->aborted = h->has_begun = h->chunked_out = false;
	h->body_left = h->discarded = h->head_due_ms = 0;
	h->rate_start_ms = h->rate_bytes = 0;
}

static struct h1 *
take_spare(struct net *n, const struct site_address *address)
{
	for (struct h1 **link = &n->spare_h1; *link != NULL;
	     link = &(*link)->next_spare) {
		struct h1 *h = *link;

		if (h->address != address)
			continue;
		*link = h->next_spare;
		n->spare_h1_count--;
		return h;
	}
	return NULL;
}

static struct h1 *
take_h1(struct conn *c)
{
	struct net *n = c->net;
	struct h1 *h = c->protocol;

	if (h != NULL)
		return h;
	h = take_spare(n, c->address);
	if (h == NULL)
		h = new_h1(n, c->address);
	if (h == NULL) {
		conn_close(c, CONN_END_MEMORY);
		return NULL;
	}
	h->c = c;
	h->ex.peer = c->peer;
	h->ex.site = n->site;
	h->ex.address = c->address;
	c->protocol = h;
	return h;
}

/* Between two requests a connection costs nothing here. It is reset already: a spare keeps no
 * memory of its last request. */
static void
release_h1(struct conn *c)
{
	struct net *n = c->net;
	struct h1 *h = c->protocol;

	c->protocol = NULL;
	if (h->waits)
		evtimer_del(&h->wait);
	h->waits = false;
	if (n->spare_h1_count >= SPARE_MAX) {
		free_h1(h);
		return;
	}
	h->next_spare = n->spare_h1;
	n->spare_h1 = h;
	n->spare_h1_count++;
}

static void
finish_exchange(struct h1 *h, enum exchange_end why)
{
	if (!h->has_begun)
		return;
	h->has_begun = false;
	exchange_finish(&h->ex, why);
}

/* --- the answer --- */

static void
end_connection(struct h1 *h)
{
	const struct exchange *ex = &h->ex;
	enum conn_end why = ex->close             ? CONN_END_REFUSED
			    : h->c->net->draining ? CONN_END_DRAINED
						  : CONN_END_DONE;
	/* Who announced the close himself and was heard out sends nothing more. Anybody else
	 * may be sending just now, and a reset would take the answer from him. */
	bool linger = ex->close || ex->head.keep_alive || h->in != H1_IN_DONE;

	finish_exchange(h, EXCHANGE_COMPLETE);
	conn_finish(h->c, why, linger);
}

void
h1_advance(struct h1 *h)
{
	struct conn *c = h->c;

	if (h->aborted)
		conn_close(c, CONN_END_ABORTED);
	if (c->closed || c->finishing)
		return;
	if (h->out == H1_OUT_BODY)
		h1_pump(h);
	if (c->closed)
		return;
	if (h->out == H1_OUT_DONE && (!h->keep_alive || c->net->draining)) {
		end_connection(h);
	} else if (h->out == H1_OUT_DONE && h->in == H1_IN_DONE) {
		finish_exchange(h, EXCHANGE_COMPLETE);
		reset(h);
		conn_resume(c, CONN_PAUSE_BUSY);
	} else if (h->in == H1_IN_DONE) {
		conn_pause(c, CONN_PAUSE_BUSY);
	}
}

/* --- the request --- */

/* When the first byte of it came. */
static void
note_start(struct h1 *h)
{
	if (h->ex.started_ms == 0)
		h->ex.started_ms = clock_mono_ms();
}

static void
begin_exchange(struct h1 *h)
{
	assert(!h->has_begun);
	note_start(h);
	h->has_begun = true;
	h->c->requests++;
}

void
h1_refuse(struct h1 *h, int status, const char *reason)
{
	struct conn *c = h->c;
	char peer[PEER_TEXT_MAX];

	if (log_wants(c->net->log, LOG_LEVEL_DEBUG))
		log_debug(c->net->log, "conn %llu %s %d: %s", (unsigned long long)c->id,
			  peer_format(&c->peer, peer), status, reason);
	if (!h->has_begun)
		begin_exchange(h);
	exchange_refuse(&h->ex, status);
	/* Nothing more is read, however long the answer takes to leave. */
	h->in = H1_IN_DONE;
}

static void
start_body(struct h1 *h)
{
	struct exchange *ex = &h->ex;

	h->in = H1_IN_BODY;
	h->body_left = ex->head.body == HTTP_BODY_LENGTH ? ex->head.content_length : 0;
	if (ex->head.body == HTTP_BODY_CHUNKED)
		chunked_init(&h->chunked);
	else if (h->body_left == 0)
		h->in = H1_IN_DONE;
	if (h->in == H1_IN_BODY)
		h->rate_start_ms = h->last_input_ms = clock_mono_ms();
	h->rate_bytes = 0;
}

/* The exchange has begun: what it waits for comes next. */
static void
ask_for_body(struct h1 *h)
{
	struct exchange *ex = &h->ex;

	if (ex->state != EXCHANGE_RECEIVING)
		return;
	if (h->in == H1_IN_DONE)
		exchange_body(ex, slice_make("", 0), true);
	else if (ex->head.expect_continue)
		h1_write_interim(h, 100, NULL, 0);
}

/* The time that it was held is ours, not the peer's. */
static void
go_on(struct h1 *h)
{
	h->rate_start_ms = h->last_input_ms = clock_mono_ms();
	conn_resume(h->c, CONN_PAUSE_HELD);
	ask_for_body(h);
}

static void
start_request(struct h1 *h, struct slice bytes)
{
	struct exchange *ex = &h->ex;
	struct http_field *fields;
	const char *head;
	int status;

	begin_exchange(h);
	head = arena_strdup(&ex->arena, bytes);
	fields = arena_alloc(&ex->arena, (h->parser.field_count + 1) * sizeof(*fields));
	if (head == NULL || fields == NULL) {
		h1_refuse(h, 503, "out of memory");
		return;
	}
	status = h1_head(&h->parser, head, fields, &ex->head);
	if (status != 0) {
		h1_refuse(h, status, h->parser.reason);
		return;
	}
	start_body(h);
	exchange_begin(ex);
	h->c->timeouts = &ex->vhost->conf->timeouts;
	if (ex->state == EXCHANGE_HELD)
		conn_pause(h->c, CONN_PAUSE_HELD);
	else
		ask_for_body(h);
}

/* Bytes of `in` that were taken; 0: more are needed. */
static size_t
take_head(struct h1 *h, struct slice in)
{
	note_start(h);
	switch (h1_parse(&h->parser, in)) {
	case H1_MORE:
		if (h->head_due_ms == 0)
			h->head_due_ms = h->ex.started_ms + h->c->timeouts->header_ms;
		return 0;
	case H1_BAD:
		h1_refuse(h, h->parser.status, h->parser.reason);
		return in.len;
	case H1_OK:
		break;
	}
	start_request(h, slice_make(in.ptr, h->parser.consumed));
	return h->parser.consumed;
}

static void
feed(struct h1 *h, struct slice bytes, bool last)
{
	struct exchange *ex = &h->ex;

	if (last)
		h->in = H1_IN_DONE;
	h->rate_bytes += bytes.len;
	h->last_input_ms = clock_mono_ms();
	if (ex->state == EXCHANGE_RECEIVING) {
		exchange_body(ex, bytes, last);
		if (ex->state == EXCHANGE_RECEIVING && ex->unconsumed >= EXCHANGE_WINDOW)
			conn_pause(h->c, CONN_PAUSE_CREDIT);
		return;
	}
	h->discarded += bytes.len;
	if (h->discarded > H1_DISCARD_MAX)
		h->keep_alive = false;
}

static size_t
take_chunked(struct h1 *h, struct slice in)
{
	size_t total = in.len;
	struct slice data;

	while (h->in == H1_IN_BODY && conn_wants_input(h->c)) {
		switch (chunked_decode(&h->chunked, &in, &data)) {
		case CHUNKED_DATA:
			feed(h, data, false);
			break;
		case CHUNKED_MORE:
			return total;
		case CHUNKED_END:
			feed(h, slice_make("", 0), true);
			break;
		case CHUNKED_BAD:
			h->keep_alive = false;
			h->ex.close = true;
			if (h->ex.state == EXCHANGE_RECEIVING)
				h1_refuse(h, 400, h->chunked.reason);
			h->in = H1_IN_DONE;
			return total;
		}
	}
	return total - in.len;
}

static size_t
take_body(struct h1 *h, struct slice in)
{
	size_t n;

	if (h->ex.head.body == HTTP_BODY_CHUNKED)
		return take_chunked(h, in);
	n = in.len < h->body_left ? in.len : (size_t)h->body_left;
	h->body_left -= n;
	feed(h, slice_make(in.ptr, n), h->body_left == 0);
	return n;
}

/* --- what the connection asks of us --- */

/* Nothing is kept between two requests, and the clock is set. */
static void
on_settled(struct conn *c)
{
	struct h1 *h = c->protocol;

	if (h != NULL && !h->has_begun && h->in == H1_IN_HEAD && h->head_due_ms == 0 &&
	    !c->finishing)
		release_h1(c);
	h1_set_timer(c);
}

static size_t
on_input(struct conn *c, struct slice in)
{
	size_t total = in.len;
	size_t used = total;

	while (in.len > 0 && used > 0 && conn_wants_input(c) && !conn_turn_is_over(c)) {
		struct h1 *h = take_h1(c);

		if (h == NULL)
			break;
		used = h->in == H1_IN_HEAD ? take_head(h, in) : take_body(h, in);
		in = slice_from(in, used);
		h1_advance(h);
	}
	if (c->finishing && in.len > 0)
		c->linger = true;
	return total - in.len;
}

static bool
wants_contiguous(const struct conn *c)
{
	const struct h1 *h = c->protocol;

	return h == NULL || h->in == H1_IN_HEAD;
}

static void
on_writable(struct conn *c)
{
	if (c->protocol != NULL)
		h1_advance(c->protocol);
}

static void
on_turn(struct conn *c)
{
	struct h1 *h = c->protocol;

	if (h == NULL || !h->has_begun || c->finishing)
		return;
	if (h->ex.state == EXCHANGE_HELD) {
		exchange_work(&h->ex);
		if (h->ex.state != EXCHANGE_HELD)
			go_on(h);
	} else {
		exchange_work(&h->ex);
	}
	h1_advance(h);
}

static void
on_eof(struct conn *c)
{
	struct h1 *h = c->protocol;

	if (h != NULL && h->out != H1_OUT_NONE) {
		/* The request was cut short, but its answer is under way: finish that. */
		h->in = H1_IN_DONE;
		h->keep_alive = false;
		h1_advance(h);
	} else {
		/* Earlier answers may still wait for the socket. */
		conn_finish(c, CONN_END_PEER, false);
	}
}

static void
on_left(struct conn *c)
{
	struct h1 *h = c->protocol;

	if (h != NULL && h->has_begun)
		exchange_peer_left(&h->ex);
}

static void
on_timeout(struct conn *c)
{
	h1_time_out(c);
}

static void
on_closed(struct conn *c, enum conn_end why)
{
	struct h1 *h = c->protocol;

	(void)why;
	if (h != NULL) {
		/* To HTTP/1.0 the close is the end of the body. */
		c->reset = h->out == H1_OUT_BODY && !h->chunked_out &&
			   h->ex.body.left == BODY_UNKNOWN;
		finish_exchange(h, EXCHANGE_ABORTED);
		reset(h);
		release_h1(c);
	}
}

static const struct conn_ops h1_ops = {
	.input = on_input,
	.wants_contiguous = wants_contiguous,
	.writable = on_writable,
	.turn = on_turn,
	.eof = on_eof,
	.left = on_left,
	.timeout = on_timeout,
	.drain = h1_end_quiet,
	.settled = on_settled,
	.closed = on_closed,
};

void
h1_start(struct conn *c)
{
	c->ops = &h1_ops;
	h1_set_timer(c);
}

void
h1_refuse_busy(struct conn *c)
{
	struct h1 *h = take_h1(c);

	if (h == NULL)
		return;
	h1_refuse(h, 503, "too many connections");
	h1_advance(h);
}
