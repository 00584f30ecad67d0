/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1_state: what h1.c, h1_time.c and h1_write.c share: the state of the request and of its answer.
 *
 *   in:  HEAD -> BODY -> DONE -> (next) HEAD        out: NONE -> BODY -> DONE
 */
#ifndef WEBSRV_NET_H1_STATE_H
#define WEBSRV_NET_H1_STATE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/exchange.h"
#include "http/chunked.h"
#include "http/h1parse.h"

struct conn;

/* A body that the client has begun to send and nobody wants is read up to this size to
 * keep the connection; a longer one ends it. */
#define H1_DISCARD_MAX ((uint64_t)256 * 1024)

enum h1_in { H1_IN_HEAD, H1_IN_BODY, H1_IN_DONE };
enum h1_out { H1_OUT_NONE, H1_OUT_BODY, H1_OUT_DONE };

struct h1 {
	struct conn *c;
	struct h1 *next_spare;
	const struct site_address *address; /* whose limits the parser has */
	enum h1_in in;
	enum h1_out out;
	bool keep_alive;        /* decided when the head of the answer is written */
	bool aborted;           /* the answer cannot be finished */
	bool has_begun;         /* the exchange has, and must be finished */
	bool waits;             /* `wait` is set */
	bool chunked_out;       /* the length of the answer was not known */
	uint64_t body_left;     /* of a body with Content-Length */
	uint64_t discarded;     /* body bytes read after the answer had begun */
	uint64_t head_due_ms;   /* when the head must be whole; 0 = none of it came */
	uint64_t last_input_ms; /* of body bytes */
	uint64_t rate_start_ms, rate_bytes; /* the window of body_min_rate */
	struct event wait;                  /* of exchange_later_after() */
	struct h1_parser parser;
	struct chunked chunked;
	struct exchange ex;
};

/* h1.c */

/* What came is not a request, or cannot be served: answers `status` and closes; `reason` is
 * for the log. h1_advance() is to be called next. */
void h1_refuse(struct h1 *h, int status, const char *reason);
/* Moves the answer on, and turns to the next request when both halves are done. */
void h1_advance(struct h1 *h);

/* h1_pump.c */

/* Moves the body of the answer on, as far as the socket and the turn permit; out is H1_OUT_DONE
 * when all of it went. */
void h1_pump(struct h1 *h);

/* h1_time.c */

/* The deadline of whatever the connection waits for now. */
void h1_set_timer(struct conn *c);
/* The server drains: an idle connection ends, at once or when it was silent for net->quiet_ms. */
void h1_end_quiet(struct conn *c);
/* It has passed: 408, a close, or another chance. */
void h1_time_out(struct conn *c);

/* h1_write.c */

/* Frames the head of ex's answer and sends it; decides keep_alive. */
void h1_write_head(struct h1 *h);
/* An interim response. */
void h1_write_interim(struct h1 *h, int status, const struct http_field *fields,
		      size_t count);

#endif
