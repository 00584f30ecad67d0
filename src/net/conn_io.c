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
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/counters.h"
#include "net/conn.h"
#include "net/net.h"

/* One turn sends at most this much of a file: others want their turn too. */
#define FILE_TURN ((uint64_t)1024 * 1024)
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
	bufferevent_set_max_single_write(c->bev, FILE_TURN);
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

/* Sends a and b in one call; what the socket does not take is queued. */
static void
send_two(struct conn *c, struct slice a, struct slice b, int flags)
{
	struct iovec iov[2] = { { (void *)(uintptr_t)a.ptr, a.len },
				{ (void *)(uintptr_t)b.ptr, b.len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = b.len != 0 ? 2 : 1 };
	size_t done;
	ssize_t n;

	do
		n = b.len != 0 ? sendmsg(c->fd, &msg, MSG_NOSIGNAL | flags)
			       : send(c->fd, a.ptr, a.len, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN) {
		conn_close(c, conn_end_from(errno));
		return;
	}
	done = n > 0 ? (size_t)n : 0;
	queue(c, slice_from(a, done));
	if (!c->closed)
		queue(c, slice_from(b, done > a.len ? done - a.len : 0));
}

static void
flush_with(struct conn *c, struct slice more, int flags)
{
	struct net *n = c->net;
	struct slice gathered = slice_make(n->out, n->out_owner == c ? n->out_len : 0);

	if (n->out_owner == c) {
		n->out_owner = NULL;
		n->out_len = 0;
	}
	if (c->closed)
		return;
	if (queued(c) > 0) {
		queue(c, gathered);
		if (!c->closed)
			queue(c, more);
	} else if (gathered.len == 0) {
		if (more.len > 0)
			send_two(c, more, slice_make(NULL, 0), flags);
	} else {
		send_two(c, gathered, more, flags);
	}
}

void
conn_flush(struct conn *c)
{
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
	count_sent(c, bytes.len);
	assert(n->out_owner == NULL || n->out_owner == c);
	if (bytes.len > NET_OUT_SIZE - n->out_len) {
		flush_with(c, bytes, 0);
		return;
	}
	if (bytes.len != 0)
		memcpy(n->out + n->out_len, bytes.ptr, bytes.len);
	n->out_len += bytes.len;
	n->out_owner = c;
}

static void
queue_file(struct conn *c, int fd, uint64_t offset, uint64_t len)
{
	struct bufferevent *bev = conn_take_bev(c);
	struct evbuffer_file_segment *seg;
	int rc = -1;

	if (bev == NULL)
		return;
	seg = evbuffer_file_segment_new(fd, (ev_off_t)offset, (ev_off_t)len,
					EVBUF_FS_DISABLE_MMAP | EVBUF_FS_DISABLE_LOCKING);
	if (seg != NULL) {
		rc = evbuffer_add_file_segment(bufferevent_get_output(bev), seg, 0,
					       (ev_off_t)len);
		evbuffer_file_segment_free(seg);
	}
	if (rc < 0)
		conn_close(c, CONN_END_MEMORY);
}

void
conn_send_file(struct conn *c, int fd, uint64_t offset, uint64_t len)
{
	uint64_t budget = len < FILE_TURN ? len : FILE_TURN;
	off_t at = (off_t)offset;

	if (c->closed || len == 0)
		return;
	count_sent(c, len);
	flush_with(c, slice_make(NULL, 0), MSG_MORE);
	while (!c->closed && budget > 0 && queued(c) == 0) {
		ssize_t n = sendfile(c->fd, fd, &at, budget);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			conn_close(c, n == 0 ? CONN_END_SOURCE : conn_end_from(errno));
			return;
		}
		budget -= (uint64_t)n;
		len -= (uint64_t)n;
	}
	if (!c->closed && len > 0)
		queue_file(c, fd, (uint64_t)at, len);
}

void
conn_queue_file(struct conn *c, int fd, uint64_t offset, uint64_t len)
{
	if (c->closed || len == 0)
		return;
	count_sent(c, len);
	flush_with(c, slice_make(NULL, 0), MSG_MORE);
	if (!c->closed)
		queue_file(c, fd, offset, len);
}
