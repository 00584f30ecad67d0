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

/* Bytes of our answer that the peer has not got yet, as far as the kernel can tell. */
static uint64_t
unsent(const struct conn *c)
{
	int in_kernel = 0;

	if (ioctl(c->fd, SIOCOUTQ, &in_kernel) < 0)
		in_kernel = 0;
	return conn_pending(c) + (uint64_t)in_kernel;
}

void
h1_set_timer(struct conn *c)
{
	const struct conf_timeouts *t = c->timeouts;
	struct h1 *h = c->protocol;
	uint64_t now = clock_mono_ms();

	if (c->closed || c->lingering)
		return;
	if (h == NULL) {
		conn_set_deadline(c, now + t->idle_ms);
	} else if (c->finishing || h->out == H1_OUT_BODY) {
		/* Nothing is queued yet: all of it may still leave at once. */
		h->unsent_seen = c->bev != NULL ? unsent(c) : UINT64_MAX;
		conn_set_deadline(c, now + t->write_idle_ms);
	} else if (h->in == H1_IN_HEAD) {
		conn_set_deadline(c, h->head_due_ms != 0 ? h->head_due_ms
							 : now + t->idle_ms);
	} else if (h->in == H1_IN_BODY) {
		uint64_t due = h->last_input_ms + t->body_idle_ms;

		if (t->body_min_rate != 0 && due > h->rate_start_ms + RATE_WINDOW_MS)
			due = h->rate_start_ms + RATE_WINDOW_MS;
		conn_set_deadline(c, due);
	}
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
check_write_progress(struct h1 *h)
{
	uint64_t left = unsent(h->c);

	if (left >= h->unsent_seen)
		conn_close(h->c, CONN_END_WRITE_TIMEOUT);
	h->unsent_seen = left;
}

static void
check_body_progress(struct h1 *h)
{
	const struct conf_timeouts *t = h->c->timeouts;
	uint64_t now = clock_mono_ms();
	uint64_t window = now - h->rate_start_ms;

	if ((h->c->pause & CONN_PAUSE_CREDIT) != 0) {
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

	if (h == NULL)
		conn_close(c, CONN_END_IDLE);
	else if (c->finishing || h->out == H1_OUT_BODY)
		check_write_progress(h);
	else if (h->in == H1_IN_HEAD)
		refuse_late(h, CONN_END_HEADER_TIMEOUT);
	else
		check_body_progress(h);
}
