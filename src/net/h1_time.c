/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1_time: how long the peer may take: for a head, for a body (idle time and minimum
 * rate), for taking an answer, and between two requests.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "net/conn.h"
#include "net/h1_state.h"
#include "net/net.h"

#define RATE_WINDOW_MS 10000

/* Bytes of our answers that the peer has got, as far as the kernel can tell. */
static uint64_t
delivered(const struct conn *c)
{
	int in_kernel = 0;

	if (ioctl(c->fd, SIOCOUTQ, &in_kernel) < 0)
		in_kernel = 0;
	return c->sent_total - conn_pending(c) - (uint64_t)in_kernel;
}

static bool
is_writing(const struct conn *c)
{
	const struct h1 *h = c->protocol;

	return c->finishing || conn_pending(c) > 0 ||
	       (h != NULL && h->out == H1_OUT_BODY);
}

/* Only progress of the output puts this deadline off, never input that drips in. What the
 * kernel took stands for progress here: to ask for more after every slice would cost a system
 * call each. */
static uint64_t
write_due(struct conn *c, uint64_t now)
{
	uint64_t handed = c->sent_total - conn_pending(c);

	if (!c->write_timed)
		c->delivered_seen = delivered(c);
	if (!c->write_timed || handed > c->handed_seen) {
		c->write_timed = true;
		c->handed_seen = handed;
		c->write_due_ms = now + c->timeouts->write_idle_ms;
	}
	return c->write_due_ms;
}

static void
check_output_progress(struct conn *c)
{
	uint64_t now = clock_mono_ms();
	uint64_t done = delivered(c);

	if (done > c->delivered_seen) {
		c->delivered_seen = done;
		c->write_due_ms = now + c->timeouts->write_idle_ms;
	}
	if (now >= write_due(c, now))
		conn_close(c, CONN_END_WRITE_TIMEOUT);
}

static uint64_t
body_due(const struct h1 *h)
{
	const struct conf_timeouts *t = h->c->timeouts;
	uint64_t due = h->last_input_ms + t->body_idle_ms;

	if (t->body_min_rate != 0 && due > h->rate_start_ms + RATE_WINDOW_MS)
		due = h->rate_start_ms + RATE_WINDOW_MS;
	return due;
}

/* While the server drains nothing puts off the end of an idle connection. */
static uint64_t
idle_due(const struct conn *c, uint64_t now)
{
	uint64_t due = now + c->timeouts->idle_ms;

	return c->net->draining && wheel_timer_is_set(&c->timer) && c->timer.due_ms < due
		       ? c->timer.due_ms
		       : due;
}

void
h1_end_quiet(struct conn *c)
{
	/* The timer was set when it was last heard of. */
	uint64_t due = c->timer.due_ms - c->timeouts->idle_ms + c->net->quiet_ms;

	if (c->protocol != NULL || c->finishing)
		return;
	if (c->net->quiet_ms != 0 && conn_pending(c) == 0 &&
	    c->timer.due_ms >= c->timeouts->idle_ms && clock_mono_ms() < due)
		conn_set_deadline(c, due);
	else
		conn_finish(c, CONN_END_DRAINED, true);
}

void
h1_set_timer(struct conn *c)
{
	const struct h1 *h = c->protocol;
	uint64_t now = clock_mono_ms();

	if (c->closed || c->lingering)
		return;
	if (is_writing(c)) {
		conn_set_deadline(c, write_due(c, now));
		return;
	}
	c->write_timed = false;
	if (h == NULL)
		conn_set_deadline(c, idle_due(c, now));
	else if (h->in == H1_IN_HEAD)
		conn_set_deadline(c, h->head_due_ms != 0 ? h->head_due_ms
							 : now + c->timeouts->idle_ms);
	else if (h->in == H1_IN_BODY)
		conn_set_deadline(c, body_due(h));
}

static void
refuse_late(struct h1 *h, enum conn_end why)
{
	struct conn *c = h->c;

	/* RFC 9110 section 15.5.9; with an answer under way there is nothing left to say. */
	if (h->out == H1_OUT_NONE) {
		h1_refuse(h, 408,
			  why == CONN_END_HEADER_TIMEOUT ? "header timeout"
							 : "body timeout");
		h1_advance(h);
		if (c->finishing)
			c->end = (uint8_t)why;
	} else {
		conn_close(c, why);
	}
}

static void
check_body_progress(struct h1 *h)
{
	const struct conf_timeouts *t = h->c->timeouts;
	uint64_t now = clock_mono_ms();
	uint64_t window = now - h->rate_start_ms;

	if ((h->c->pause & (CONN_PAUSE_CREDIT | CONN_PAUSE_HELD)) != 0) {
		/* We are the slow ones. */
		h->last_input_ms = h->rate_start_ms = now;
		h->rate_bytes = 0;
	} else if (now >= h->last_input_ms + t->body_idle_ms) {
		refuse_late(h, CONN_END_BODY_TIMEOUT);
	} else if (t->body_min_rate != 0 && window >= RATE_WINDOW_MS) {
		if (h->rate_bytes * 1000 / window < t->body_min_rate)
			refuse_late(h, CONN_END_BODY_RATE);
		h->rate_start_ms = now;
		h->rate_bytes = 0;
	}
}

void
h1_time_out(struct conn *c)
{
	struct h1 *h = c->protocol;

	if (is_writing(c))
		check_output_progress(c);
	else if (h == NULL)
		conn_finish(c, c->net->draining ? CONN_END_DRAINED : CONN_END_IDLE,
			    c->net->draining);
	else if (h->in == H1_IN_HEAD)
		refuse_late(h, CONN_END_HEADER_TIMEOUT);
	else if (h->in == H1_IN_BODY)
		check_body_progress(h);
	/* else the request is whole, and we are the slow ones */
}
