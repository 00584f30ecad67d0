/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_io: output. Small pieces are gathered in the worker's buffer and leave with one
 * send; what does not fit the socket goes to the bufferevent, and everything after it
 * queues behind.
 */
#include "net/conn_io.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/counters.h"
#include "net/conn.h"
#include "net/net.h"

/* One turn sends at most this much of a file: others want their turn too. */
#define FILE_TURN ((uint64_t)2 * 1024 * 1024)
/* The write callback comes when so little is left, so the socket never runs dry. */
#define LOW_WATER ((size_t)256 * 1024)
/* Output of one connection in one turn, after which its further requests have to wait. */
#define TURN_MAX ((uint64_t)1024 * 1024)
#define READ_MAX ((size_t)64 * 1024)

struct bufferevent *
conn_take_bev(struct conn *c)
{
	if (c->bev != NULL)
		return c->bev;
	c->bev = bufferevent_socket_new(c->net->base, c->fd, 0);
	if (c->bev == NULL) {
		conn_close(c, CONN_END_MEMORY);
		return NULL;
	}
	bufferevent_setcb(c->bev, conn_on_bev_read, conn_on_bev_write, conn_on_bev_event,
			  c);
	bufferevent_setwatermark(c->bev, EV_WRITE, LOW_WATER, 0);
	bufferevent_set_max_single_read(c->bev, READ_MAX);
	bufferevent_disable(c->bev, EV_READ);
	return c->bev;
}

void
conn_drop_bev(struct conn *c)
{
	if (c->bev == NULL)
		return;
	bufferevent_free(c->bev);
	c->bev = NULL;
}

static size_t
queued(const struct conn *c)
{
	return c->bev != NULL ? evbuffer_get_length(bufferevent_get_output(c->bev)) : 0;
}

size_t
conn_pending(const struct conn *c)
{
	size_t gathered = c->net->out_owner == c ? c->net->out_len : 0;

	return queued(c) + gathered;
}

static void
queue(struct conn *c, struct slice bytes)
{
	struct bufferevent *bev;

	if (bytes.len == 0)
		return;
	bev = conn_take_bev(c);
	if (bev != NULL && bufferevent_write(bev, bytes.ptr, bytes.len) < 0)
		conn_close(c, CONN_END_MEMORY);
}

/* Sends a and b in one call. What the socket does not take of a is queued; returns how much it
 * took of b. */
static size_t
send_two(struct conn *c, struct slice a, struct slice b, int flags)
{
	struct iovec iov[2] = { { (void *)(uintptr_t)a.ptr, a.len },
				{ (void *)(uintptr_t)b.ptr, b.len } };
	struct msghdr msg = { .msg_iov = a.len != 0 ? iov : iov + 1,
			      .msg_iovlen = a.len != 0 && b.len != 0 ? 2 : 1 };
	struct slice only = a.len != 0 ? a : b;
	size_t done;
	ssize_t n;

	do
		n = msg.msg_iovlen == 2
			    ? sendmsg(c->fd, &msg, MSG_NOSIGNAL | flags)
			    : send(c->fd, only.ptr, only.len, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN) {
		conn_close(c, conn_end_from(errno));
		return 0;
	}
	done = n > 0 ? (size_t)n : 0;
	queue(c, slice_from(a, done));
	return done > a.len ? done - a.len : 0;
}

/* Sends what was gathered, and `more`: how much of that the socket took. */
static size_t
flush_with(struct conn *c, struct slice more, int flags)
{
	struct net *n = c->net;
	struct slice gathered = slice_make(n->out, n->out_owner == c ? n->out_len : 0);

	if (n->out_owner == c) {
		n->out_owner = NULL;
		n->out_len = 0;
	}
	if (c->closed || gathered.len + more.len == 0)
		return 0;
	counter_add(n->counters, COUNTER_BYTES_SENT, gathered.len);
	if (queued(c) == 0)
		return send_two(c, gathered, more, flags);
	queue(c, gathered);
	return 0;
}

void
conn_flush(struct conn *c)
{
	if (c->net->out_owner == c)
		flush_with(c, slice_make(NULL, 0), 0);
}

static void
count_sent(struct conn *c, uint64_t n)
{
	c->sent_total += n;
	counter_add(c->net->counters, COUNTER_BYTES_SENT, n);
}

bool
conn_turn_is_over(const struct conn *c)
{
	return c->sent_total - c->turn_start >= TURN_MAX;
}

void
conn_send(struct conn *c, struct slice bytes)
{
	struct net *n = c->net;

	if (c->closed)
		return;
	assert(n->out_owner == NULL || n->out_owner == c);
	if (bytes.len > NET_OUT_SIZE - n->out_len) {
		size_t taken = flush_with(c, bytes, 0);

		count_sent(c, bytes.len);
		if (!c->closed)
			queue(c, slice_from(bytes, taken));
		return;
	}
	if (bytes.len != 0)
		memcpy(n->out + n->out_len, bytes.ptr, bytes.len);
	n->out_len += bytes.len;
	n->out_owner = c;
	c->sent_total += bytes.len; /* counted for all connections when it leaves */
}

/* --- what is not copied --- */

static void
on_socket_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->wants_write = false;
	conn_on_writable(c);
}

/* Whole segments only, while a file goes out in slices: the kernel would push the odd bytes at
 * the end of every 64 KiB. A Unix socket has no such thing. */
static void
cork(const struct conn *c, int on)
{
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* The event stays while a file goes out: to add and delete it for every slice would cost two
 * system calls each. */
static void
ask_for_room(struct conn *c)
{
	c->wants_write = true;
	if (c->write_event != NULL)
		return;
	c->write_event = event_new(c->net->base, c->fd, EV_WRITE | EV_PERSIST,
				   on_socket_writable, c);
	if (c->write_event == NULL || event_add(c->write_event, NULL) < 0)
		conn_close(c, CONN_END_MEMORY);
	else
		cork(c, 1);
}

void
conn_drop_write_event(struct conn *c)
{
	c->wants_write = false;
	if (c->write_event == NULL)
		return;
	cork(c, 0);
	event_free(c->write_event);
	c->write_event = NULL;
}

size_t
conn_send_some(struct conn *c, struct slice bytes)
{
	size_t taken = flush_with(c, bytes, 0);

	count_sent(c, taken);
	if (!c->closed && taken < bytes.len)
		ask_for_room(c);
	return taken;
}

uint64_t
conn_send_file(struct conn *c, int fd, uint64_t offset, uint64_t len)
{
	uint64_t budget = len < FILE_TURN ? len : FILE_TURN;
	off_t at = (off_t)offset;
	uint64_t sent;

	flush_with(c, slice_make(NULL, 0), MSG_MORE);
	/* What is queued goes first; its write callback comes when there is room. */
	if (c->closed || queued(c) > 0)
		return 0;
	while (budget > 0) {
		ssize_t n = sendfile(c->fd, fd, &at, budget);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			conn_close(c, n == 0 ? CONN_END_SOURCE : conn_end_from(errno));
			break;
		}
		budget -= (uint64_t)n;
	}
	sent = (uint64_t)at - offset;
	count_sent(c, sent);
	if (!c->closed && sent < len)
		ask_for_room(c);
	return sent;
}
