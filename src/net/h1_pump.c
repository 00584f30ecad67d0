/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1_pump: the body of an answer, taken from where it comes when the socket has room. Of a
 * file or of bytes in memory nothing is kept in user space; of what a function makes, at most
 * one piece.
 */
#include <errno.h>
#include <stdio.h>

#include "base/fs.h"
#include "net/conn.h"
#include "net/h1_state.h"
#include "net/net.h"

/* Small answers that wait in user space. */
#define MEMORY_PENDING_MAX ((size_t)64 * 1024)
#define GATHER_MAX ((size_t)32 * 1024) /* larger bodies are not copied */
#define MEMORY_SLICE ((size_t)1024 * 1024)

/* Is there room for more in user space? What is only gathered goes out first: the socket may
 * well take it, and then no write event would ever call us back. */
static bool
has_room(struct conn *c, size_t max)
{
	if (conn_pending(c) >= max)
		conn_flush(c);
	return !c->closed && conn_pending(c) < max;
}

/* A small body leaves with its head, and perhaps with the next answers; of a large one nothing
 * is kept in user space. */
static void
pump_memory(struct h1 *h)
{
	struct body *b = &h->ex.body;
	size_t n = b->left < MEMORY_SLICE ? (size_t)b->left : MEMORY_SLICE;

	if (!has_room(h->c, MEMORY_PENDING_MAX))
		return;
	if (b->left <= GATHER_MAX)
		conn_send(h->c, slice_make(b->memory, n));
	else
		n = conn_send_some(h->c, slice_make(b->memory, n));
	b->memory += n;
	b->left -= n;
	h->ex.sent += n;
	/* The socket took all of it: no write event will call us back. */
	if (n == MEMORY_SLICE && b->left > 0)
		conn_ask_turn(h->c);
}

/* What was gathered leaves before: earlier answers, and the head of this one. */
static void
break_off(struct h1 *h, enum conn_end why)
{
	conn_flush(h->c);
	conn_close(h->c, why);
}

/* May bytes of the file be sent? What was sent cannot be taken back. */
static bool
is_intact(struct h1 *h)
{
	const struct body *b = &h->ex.body;
	int rc = b->file.check != NULL ? b->file.check(b->owner) : 0;

	if (rc == -EAGAIN)
		conn_ask_turn(h->c);
	else if (rc < 0)
		break_off(h, CONN_END_SOURCE);
	return rc == 0;
}

/* Read, and sent only when it was still the same file after that. What does not leave now is
 * read again. */
static uint64_t
send_copied(struct h1 *h)
{
	struct conn *c = h->c;
	struct body *b = &h->ex.body;
	uint64_t total = 0;

	while (b->left > total && net_has_time(c->net)) {
		uint64_t left = b->left - total;
		size_t want = left < NET_PULLED_SIZE ? (size_t)left : NET_PULLED_SIZE;
		ssize_t n = fs_pread_full(b->file.fd, c->net->pulled, want,
					  (off_t)(b->file.offset + total));
		size_t taken;

		if (n != (ssize_t)want) {
			break_off(h, CONN_END_SOURCE);
			return 0;
		}
		if (!is_intact(h))
			return total;
		taken = conn_send_some(c, slice_make(c->net->pulled, want));
		total += taken;
		if (taken < want)
			return total;
	}
	if (total < b->left)
		conn_ask_turn(c);
	return total;
}

static void
pump_file(struct h1 *h)
{
	struct body *b = &h->ex.body;
	uint64_t n = 0;

	if (b->file.copy)
		n = send_copied(h);
	else if (is_intact(h))
		n = conn_send_file(h->c, b->file.fd, b->file.offset, b->left);
	b->file.offset += n;
	b->left -= n;
	h->ex.sent += n;
}

/* Bytes that a function made: a chunk of their own where the length was not known. */
static void
send_pulled(struct h1 *h, const char *bytes, size_t n)
{
	struct conn *c = h->c;
	char head[24];

	h->ex.sent += n;
	if (!h->chunked_out) {
		conn_send(c, slice_make(bytes, n));
		return;
	}
	conn_send(c,
		  slice_make(head, (size_t)snprintf(head, sizeof(head), "%zx\r\n", n)));
	conn_send(c, slice_make(bytes, n));
	conn_send(c, SLICE("\r\n"));
}

static void
end_pulled(struct h1 *h)
{
	if (h->ex.body.left != BODY_UNKNOWN) {
		break_off(h, CONN_END_ABORTED); /* it promised more */
		return;
	}
	h->ex.body.left = 0;
	if (h->chunked_out)
		conn_send(h->c, SLICE("0\r\n\r\n"));
}

/* False when there is nothing more to pull now. */
static bool
pull_once(struct h1 *h)
{
	struct body *b = &h->ex.body;
	char *out = h->c->net->pulled;
	size_t room = b->left < BODY_ROOM ? (size_t)b->left : BODY_ROOM;
	ssize_t n = b->pull(b->owner, out, room);

	if (n > 0) {
		send_pulled(h, out, (size_t)n);
		if (b->left != BODY_UNKNOWN)
			b->left -= (uint64_t)n;
	} else if (n == 0) {
		end_pulled(h);
	} else if (n == -EAGAIN) {
		conn_ask_turn(h->c);
		return false;
	} else {
		break_off(h, CONN_END_SOURCE);
	}
	/* What a slow reader does not take now is all that we keep for him. */
	return b->left > 0 && has_room(h->c, 1);
}

static void
pump_pull(struct h1 *h)
{
	if (!has_room(h->c, 1))
		return;
	do {
		/* A fast reader must leave the others their turn. */
		if (!net_has_time(h->c->net)) {
			conn_ask_turn(h->c);
			return;
		}
	} while (pull_once(h));
}

void
h1_pump(struct h1 *h)
{
	const struct body *b = &h->ex.body;

	if (b->left > 0 && b->kind == BODY_FILE)
		pump_file(h);
	else if (b->left > 0 && b->kind == BODY_PULL)
		pump_pull(h);
	else if (b->left > 0)
		pump_memory(h);
	/* Also an answer without a body waits its turn: who sends requests and reads nothing
	 * must not fill our memory with heads. */
	if (b->left == 0 && has_room(h->c, MEMORY_PENDING_MAX))
		h->out = H1_OUT_DONE;
}
