/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn: life and input of a connection. Every callback ends in settle(), which sends
 * what was gathered and finishes or parks the connection when it can.
 */
#include "net/conn.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "core/limits.h"
#include "core/site.h"
#include "net/conn_io.h"
#include "net/h1.h"
#include "net/net.h"

#define LINGER_MS 10000
#define DRAIN_LINGER_MS 1000 /* the same while the server stops */
#define REFUSED_MAX                                                                      \
	64 /* connections beyond the limit that wait for their 503 to be read */

static const char *const end_texts[] = {
#define X(name, text) [CONN_END_##name] = text,
	CONN_ENDS(X)
#undef X
};

static const char *const end_names[] = {
#define X(name, text) [CONN_END_##name] = #name,
	CONN_ENDS(X)
#undef X
};
_Static_assert(CONN_END_COUNT <= COUNTER_ENDS_MAX, "raise COUNTER_ENDS_MAX");

const char *const *
conn_end_names(void)
{
	return end_names;
}

/* Who is being worked on at the end of a turn is looked at once more anyway. */
static void
put_later(struct conn *c)
{
	if (c->in_later || (c->working && (c->closed || c->finishing)))
		return;
	c->in_later = true;
	c->next_later = NULL;
	*c->net->later_tail = c;
	c->net->later_tail = &c->next_later;
}

static void
start_reading(struct conn *c)
{
	if (c->held) {
		bufferevent_enable(c->bev, EV_READ);
	} else if (!c->reading) {
		if (event_add(&c->read_event, NULL) < 0)
			conn_close(c, CONN_END_MEMORY);
		else
			c->reading = true;
	}
}

static void
stop_reading(struct conn *c)
{
	if (c->held && c->bev != NULL)
		bufferevent_disable(c->bev, EV_READ);
	if (c->reading)
		event_del(&c->read_event);
	c->reading = false;
}

void
conn_set_deadline(struct conn *c, uint64_t due_ms)
{
	if (!c->closed)
		wheel_set(&c->net->wheel, &c->timer, due_ms);
}

/* --- the end --- */

void
conn_close(struct conn *c, enum conn_end why)
{
	if (c->closed)
		return;
	c->closed = true;
	c->end = (uint8_t)why;
	/* The next one gathers in the same place. */
	if (c->net->out_owner == c) {
		c->net->out_owner = NULL;
		c->net->out_len = 0;
	}
	stop_reading(c);
	conn_drop_write_event(c);
	if (c->bev != NULL) {
		bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
		bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	}
	wheel_cancel(&c->net->wheel, &c->timer);
	put_later(c);
}

/* The peer sees that something is missing; and what it does not read takes no memory of the
 * kernel's any longer. */
static void
reset_peer(const struct conn *c)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void
free_conn(struct conn *c)
{
	struct net *n = c->net;
	char peer[PEER_TEXT_MAX];

	c->ops->closed(c, (enum conn_end)c->end);
	counter_add_closed(n->counters, c->end);
	if (log_wants(n->log, LOG_LEVEL_DEBUG))
		log_debug(n->log, "conn %llu %s close: %s", (unsigned long long)c->id,
			  peer_format(&c->peer, peer), end_texts[c->end]);
	limits_leave(n->site, c->client);
	conn_drop_bev(c);
	conn_drop_write_event(c);
	if (c->reset || c->end == CONN_END_WRITE_TIMEOUT)
		reset_peer(c);
	close(c->fd);
	*c->pprev = c->next;
	if (c->next != NULL)
		c->next->pprev = c->pprev;
	n->conn_count--;
	if (c->refused)
		n->refused_count--;
	else
		counter_sub(n->counters, COUNTER_CONNECTIONS_OPEN, 1);
	free(c);
}

void
conn_finish(struct conn *c, enum conn_end why, bool linger)
{
	if (c->closed || c->finishing)
		return;
	c->finishing = true;
	c->linger = linger && !c->eof;
	c->end = (uint8_t)why;
	/* Input is dropped from now on, but read: a peer that is still sending must be able to
	 * get to our answer. */
	c->pause = 0;
	put_later(c);
}

static void
end_output(struct conn *c)
{
	if (!c->linger || shutdown(c->fd, SHUT_WR) < 0) {
		conn_close(c, (enum conn_end)c->end);
		return;
	}
	c->lingering = true;
	conn_set_deadline(c, clock_mono_ms() +
				     (c->net->draining ? DRAIN_LINGER_MS : LINGER_MS));
}

/* --- input --- */

/* Bytes that the protocol cannot take yet wait in a bufferevent. */
static void
hold(struct conn *c, struct slice rest)
{
	struct bufferevent *bev = conn_take_bev(c);
	struct evbuffer *in;

	if (bev == NULL)
		return;
	stop_reading(c);
	c->held = true;
	in = bufferevent_get_input(bev);
	/* A bufferevent lets only its own socket add to its input. */
	evbuffer_unfreeze(in, 0);
	if (evbuffer_add(in, rest.ptr, rest.len) < 0)
		conn_close(c, CONN_END_MEMORY);
	evbuffer_freeze(in, 0);
	c->held_len = rest.len;
	if (conn_wants_input(c))
		bufferevent_enable(bev, EV_READ);
}

/* Held input that had to wait for its turn is looked at in the next one. */
static void
kick_after_turn(struct conn *c)
{
	if (!c->held || !conn_wants_input(c) || !conn_turn_is_over(c) ||
	    evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
		return;
	c->kick = true;
	put_later(c);
}

static void
take_held(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len;

	c->kick = false;
	c->turn_start = c->sent_total;
	while ((len = evbuffer_get_length(in)) > 0 && conn_wants_input(c) &&
	       !conn_turn_is_over(c)) {
		size_t want = c->ops->wants_contiguous(c)
				      ? len
				      : evbuffer_get_contiguous_space(in);
		unsigned char *p = evbuffer_pullup(in, (ev_ssize_t)want);
		size_t used;

		if (p == NULL) {
			conn_close(c, CONN_END_MEMORY);
			return;
		}
		used = c->ops->input(c, slice_make((const char *)p, want));
		evbuffer_drain(in, used);
		if (used == 0)
			break;
	}
	if (c->finishing)
		evbuffer_drain(in, evbuffer_get_length(in));
	if (!c->closed && !conn_wants_input(c) && !c->finishing)
		bufferevent_disable(c->bev, EV_READ);
	c->held_len = evbuffer_get_length(in);
	kick_after_turn(c);
}

static bool
is_parkable(const struct conn *c)
{
	return c->bev != NULL && !c->closed &&
	       evbuffer_get_length(bufferevent_get_input(c->bev)) == 0 &&
	       evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;
}

/* Requests that came before the end are answered first: it is told when the protocol can do
 * no more with what is held. */
static void
tell_eof(struct conn *c)
{
	if (!c->eof || c->eof_told || c->kick || !conn_wants_input(c))
		return;
	c->eof_told = true;
	c->ops->eof(c);
}

/* The end of every callback. */
static void
settle(struct conn *c)
{
	tell_eof(c);
	conn_flush(c);
	if (c->closed)
		return;
	if (c->finishing && !c->lingering && conn_pending(c) == 0)
		end_output(c);
	if (!c->closed)
		c->ops->settled(c);
	if (c->write_event != NULL && !c->wants_write)
		conn_drop_write_event(c);
	if (is_parkable(c))
		put_later(c);
}

static void
on_eof(struct conn *c)
{
	c->eof = true;
	stop_reading(c);
	if (c->lingering)
		conn_close(c, (enum conn_end)c->end);
	else
		c->linger = false;
}

static void
take_input(struct conn *c, struct slice in)
{
	size_t used;

	counter_add(c->net->counters, COUNTER_BYTES_RECEIVED, in.len);
	if (c->finishing)
		return;
	c->turn_start = c->sent_total;
	used = c->ops->input(c, in);
	if (used < in.len && !c->closed && !c->finishing)
		hold(c, slice_from(in, used));
	kick_after_turn(c);
}

/* What came while reading is paused stays where it is; but who has left while he was held is
 * not waited for. Behind bytes that he sent before that cannot be seen. */
static void
peek(struct conn *c)
{
	char byte;
	ssize_t n = 1;

	if ((c->pause & CONN_PAUSE_HELD) != 0)
		n = recv(c->fd, &byte, 1, MSG_PEEK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	stop_reading(c);
	if (n == 0)
		c->ops->left(c);
	else if (n < 0)
		conn_close(c, conn_end_from(errno));
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	ssize_t n;

	(void)what;
	if (c->pause != 0) {
		peek(c);
		return;
	}
	n = recv(fd, c->net->in, NET_IN_SIZE, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		conn_close(c, conn_end_from(errno));
	else if (n == 0)
		on_eof(c);
	else
		take_input(c, slice_make(c->net->in, (size_t)n));
	settle(c);
}

void
conn_on_bev_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	size_t len = evbuffer_get_length(bufferevent_get_input(bev));

	counter_add(c->net->counters, COUNTER_BYTES_RECEIVED, len - c->held_len);
	take_held(c);
	settle(c);
}

void
conn_on_writable(struct conn *c)
{
	c->turn_start = c->sent_total;
	c->ops->writable(c);
	settle(c);
}

void
conn_on_bev_write(struct bufferevent *bev, void *arg)
{
	(void)bev;
	conn_on_writable(arg);
}

void
conn_on_bev_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	if ((what & BEV_EVENT_EOF) != 0)
		on_eof(c);
	else
		conn_close(c, conn_end_from(errno));
	settle(c);
}

/* --- pause and resume --- */

void
conn_pause(struct conn *c, enum conn_pause why)
{
	/* A parked connection stops reading only if something really comes: most answers
	 * are gone before the next request. */
	c->pause |= (uint8_t)why;
	if (c->held)
		stop_reading(c);
}

void
conn_resume(struct conn *c, enum conn_pause why)
{
	if ((c->pause & why) == 0)
		return;
	c->pause &= (uint8_t)~why;
	if (!conn_wants_input(c))
		return;
	if (!c->eof)
		start_reading(c);
	if (c->held) {
		/* No read callback will come for bytes that are here already. */
		c->kick = true;
		put_later(c);
	}
}

void
conn_ask_turn(struct conn *c)
{
	if (c->closed)
		return;
	c->asks_turn = true;
	put_later(c);
}

static void
take_turn(struct conn *c)
{
	c->asks_turn = false;
	c->turn_start = c->sent_total;
	c->ops->turn(c);
}

static void
park(struct conn *c)
{
	if (!is_parkable(c))
		return;
	c->held = false;
	c->kick = false;
	conn_drop_bev(c);
	if (!c->eof && c->pause == 0)
		start_reading(c);
}

static void
drain_now(struct conn *c)
{
	if (c->closed)
		return;
	if (c->lingering)
		conn_set_deadline(c, clock_mono_ms() + DRAIN_LINGER_MS);
	else
		c->ops->drain(c);
}

void
conn_drain(struct conn *c)
{
	/* An idle one is looked at as if it were fresh: its request may be here, unread. */
	if (c->protocol == NULL && c->bev == NULL && !c->finishing && !c->closed) {
		c->fresh = true;
		put_later(c);
	}
	if (!c->fresh)
		drain_now(c);
}

static void
read_first(struct conn *c)
{
	c->fresh = false;
	if (conn_wants_input(c))
		on_readable(c->fd, 0, c);
	if (!c->closed && !c->eof)
		start_reading(c);
	if (c->net->draining)
		drain_now(c);
}

void
conn_work_later(struct conn *c)
{
	c->in_later = false;
	c->working = true;
	if (c->fresh && !c->closed)
		read_first(c);
	if (!c->closed && c->asks_turn)
		take_turn(c);
	if (!c->closed && c->kick && c->bev != NULL)
		take_held(c);
	if (!c->closed)
		settle(c);
	c->working = false;
	if (c->closed) {
		if (!c->in_later)
			free_conn(c);
		return;
	}
	if (c->finishing && !c->eof)
		start_reading(c);
	park(c);
}

void
conn_on_deadline(struct conn *c)
{
	if (c->lingering)
		conn_close(c, CONN_END_LINGER);
	else
		c->ops->timeout(c);
	settle(c);
}

/* --- the beginning --- */

/* limits.connections holds for the whole process tree: the blocks are summed. */
static bool
has_room(struct net *n)
{
	uint64_t open =
		counter_sum(n->all_counters, n->counter_blocks, COUNTER_CONNECTIONS_OPEN);
	uint32_t max = n->site->conf->limits.connections;

	if (open <= max)
		return true;
	counter_add(n->counters, COUNTER_CONNECTIONS_REFUSED, 1);
	log_limited(n->log, &n->full_limit, LOG_LEVEL_WARNING,
		    "limits.connections: %u connections are open; answering 503", max);
	return false;
}

/* 503, politely; when even the refused are too many, a plain close. They do not count as
 * open: who is refused must not keep others out. */
static void
refuse(struct conn *c)
{
	struct net *n = c->net;

	c->refused = true;
	n->refused_count++;
	counter_sub(n->counters, COUNTER_CONNECTIONS_OPEN, 1);
	if (n->refused_count > REFUSED_MAX)
		conn_close(c, CONN_END_REFUSED);
	else
		h1_refuse_busy(c);
}

static void
link_conn(struct net *n, struct conn *c)
{
	c->net = n;
	c->id = ++n->next_conn_id;
	c->next = n->conns;
	c->pprev = &n->conns;
	if (c->next != NULL)
		c->next->pprev = &c->next;
	n->conns = c;
	n->conn_count++;
	counter_add(n->counters, COUNTER_CONNECTIONS_ACCEPTED, 1);
	counter_add(n->counters, COUNTER_CONNECTIONS_OPEN, 1);
}

void
conn_open(struct net *n, int fd, const struct site_address *address,
	  const struct peer *peer)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL || event_assign(&c->read_event, n->base, fd, EV_READ | EV_PERSIST,
				      on_readable, c) < 0) {
		free(c);
		close(fd);
		return;
	}
	c->fd = fd;
	c->address = address;
	c->timeouts = &address->fallback->conf->timeouts;
	c->peer = *peer;
	link_conn(n, c);
	h1_start(c);
	if (!has_room(n) || !limits_enter(n->site, peer, &c->client))
		refuse(c);
	/* More often than not the request is there already. But not from inside the accept loop:
	 * who is answered there connects again, and the loop might never end. */
	c->fresh = true;
	put_later(c);
	settle(c);
}
