/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn: one connection: how bytes move, and when it ends. What the bytes mean is the
 * protocol's business (struct conn_ops).
 *
 * An idle or quick connection is just a descriptor and one read event: what arrives is
 * read into the worker's buffer and the answer goes straight to the socket. It takes a
 * bufferevent when something has to wait: input that makes no whole request yet, or output
 * that the socket would not take. It gives it back when both are empty.
 *
 *   parked:  read_event -> net->in -> ops->input -> net->out -> send
 *   holding: bufferevent input -> ops->input      output -> bufferevent
 */
#ifndef WEBSRV_NET_CONN_H
#define WEBSRV_NET_CONN_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/wheel.h"
#include "core/peer.h"

struct bufferevent;
struct conf_timeouts;
struct conn;
struct net;
struct site_address;

/* Why a connection ended; the text goes into the log, the name into metrics. */
#define CONN_ENDS(X)                                                                     \
	X(DONE, "answered, not kept alive")                                              \
	X(PEER, "closed by the peer")                                                    \
	X(IDLE, "idle timeout")                                                          \
	X(HEADER_TIMEOUT, "header timeout")                                              \
	X(BODY_TIMEOUT, "request body timeout")                                          \
	X(BODY_RATE, "request body slower than body_min_rate")                           \
	X(WRITE_TIMEOUT, "write timeout")                                                \
	X(LINGER, "the peer did not close after the last answer")                        \
	X(REFUSED, "request refused")                                                    \
	X(IO, "i/o error")                                                               \
	X(SOURCE, "the file changed while it was sent")                                  \
	X(ABORTED, "answer broken off")                                                  \
	X(DRAINED, "the server stops")                                                   \
	X(MEMORY, "out of memory")

enum conn_end {
#define X(name, text) CONN_END_##name,
	CONN_ENDS(X)
#undef X
		CONN_END_COUNT
};

/* The CONN_END_COUNT names, "HEADER_TIMEOUT"; counter_block.closed counts by them. */
const char *const *conn_end_names(void);

/* Reading goes on only while no bit is set. */
enum conn_pause {
	CONN_PAUSE_BUSY = 1 << 0,   /* an answer has to leave before the next request */
	CONN_PAUSE_CREDIT = 1 << 1, /* the handler has a window of unconsumed body */
	CONN_PAUSE_HELD = 1 << 2    /* whether the request may go on is not known yet */
};

struct conn_ops {
	/* Takes bytes; returns how many. The rest comes again, with more behind it. */
	size_t (*input)(struct conn *, struct slice);
	/* True: input() wants all bytes that wait in one piece. */
	bool (*wants_contiguous)(const struct conn *);
	/* The socket took output: there is room for more. */
	void (*writable)(struct conn *);
	/* The turn of the loop that conn_ask_turn() asked for. */
	void (*turn)(struct conn *);
	/* The peer will send nothing more, and input() has had all there was. */
	void (*eof)(struct conn *);
	/* The same, while the protocol is CONN_PAUSE_HELD: eof() comes too, later. */
	void (*left)(struct conn *);
	/* The deadline has passed. */
	void (*timeout)(struct conn *);
	/* The server drains: end soon. */
	void (*drain)(struct conn *);
	/* The end of every callback, when what could be sent was sent: set the deadline. */
	void (*settled)(struct conn *);
	/* Last call, outside of any other: let go of everything. */
	void (*closed)(struct conn *, enum conn_end why);
};

struct conn {
	struct event read_event;
	struct net *net;
	const struct site_address *address;
	const struct conf_timeouts *timeouts; /* of the server last asked */
	const struct conn_ops *ops;
	void *protocol;            /* of ops */
	struct bufferevent *bev;   /* NULL while parked */
	struct event *write_event; /* NULL unless a file goes out */
	struct wheel_timer timer;
	struct conn *next, **pprev; /* in net->conns */
	struct conn *next_later;
	uint64_t id;
	uint32_t client;         /* of limits_enter() */
	size_t held_len;         /* input that waits in bev, as of our last look */
	uint64_t sent_total;     /* bytes of output that we were given */
	uint64_t turn_start;     /* sent_total when this loop turn began */
	uint64_t delivered_seen; /* h1_time.c: what the peer had... */
	uint64_t handed_seen;    /* ...and the kernel when... */
	uint64_t write_due_ms;   /* ...this deadline was set */
	uint32_t requests;       /* begun so far */
	struct peer peer;
	int fd;
	uint8_t pause;      /* set of enum conn_pause */
	uint8_t end;        /* enum conn_end, once finishing or closed */
	bool reading : 1;   /* read_event is added */
	bool held : 1;      /* input goes through the bufferevent */
	bool eof : 1;       /* the peer sends nothing more */
	bool eof_told : 1;  /* and the protocol knows */
	bool finishing : 1; /* close when the output has left; input is dropped */
	bool linger : 1;    /* then wait for the peer's close */
	bool lingering : 1;
	bool refused : 1;
	bool closed : 1;
	bool in_later : 1;
	bool fresh : 1;       /* nothing was read yet */
	bool write_timed : 1; /* write_due_ms counts */
	bool kick : 1;        /* held input must be looked at again */
	bool wants_write : 1; /* write_event counts */
	bool working : 1;     /* within conn_work_later() */
	bool reset : 1;       /* a plain close would look like a good end */
	bool asks_turn : 1;   /* ops->turn is to be called after this turn of the loop */
};

/* Takes ownership of `fd` in every case. */
void conn_open(struct net *n, int fd, const struct site_address *address,
	       const struct peer *peer);

/* Safe from any callback: detaches now, frees after the loop turn. */
void conn_close(struct conn *c, enum conn_end why);

/* Closes when all output has left. With `linger` the peer gets the time to read it: its
 * input is read and dropped until it closes too (RFC 9112 section 9.6). */
void conn_finish(struct conn *c, enum conn_end why, bool linger);

void conn_pause(struct conn *c, enum conn_pause why);
void conn_resume(struct conn *c, enum conn_pause why);

/* ops->turn is called after this turn of the loop. */
void conn_ask_turn(struct conn *c);

/* May the protocol take more input now? */
static inline bool
conn_wants_input(const struct conn *c)
{
	return !c->closed && !c->finishing && c->pause == 0;
}

/*
 * Output. Bytes are copied; they leave at the end of the callback in one system call if the
 * socket permits. Failures close the connection.
 */
void conn_send(struct conn *c, struct slice bytes);
/* Sends what the socket takes now and keeps nothing of the rest: returns how many bytes went.
 * When that is not all, ops->writable comes when there is room for more. */
size_t conn_send_some(struct conn *c, struct slice bytes);
/* The same of a file, up to a turn's share. */
uint64_t conn_send_file(struct conn *c, int fd, uint64_t offset, uint64_t len);
/* Sends what was gathered so far. */
void conn_flush(struct conn *c);

/* Has this connection had its share of the loop turn? Then input() leaves the rest for the
 * next one. */
bool conn_turn_is_over(const struct conn *c);

/* Bytes that the socket has not taken yet. */
size_t conn_pending(const struct conn *c);

/* ops->timeout is called once, at `due_ms` (clock_mono_ms), unless it is set again. */
void conn_set_deadline(struct conn *c, uint64_t due_ms);

/* The server stops: an idle connection ends now, a busy one after its answer. */
void conn_drain(struct conn *c);

/* After the loop turn: parks, kicks, frees. For net.c. */
void conn_work_later(struct conn *c);
void conn_on_deadline(struct conn *c);

#endif
