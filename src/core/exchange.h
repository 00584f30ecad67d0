/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange: one request and its answer; the seam between transports (HTTP/1.1, later
 * HTTP/2) and handlers. A transport fills in the head, begins the exchange, feeds the body
 * and pulls the answer. A handler sees neither Connection, Transfer-Encoding, HEAD nor
 * 100-continue.
 *
 *   NEW --begin--> RECEIVING --respond--> RESPONDING --finish--> ENDED
 *    |\_______________^______respond________/^        (finish: from every state)
 *    \--begin--> HELD |______________________|
 *
 * HELD: whether the request may go on is not known yet: a password is being checked, and no
 * handler is open; or the handler is, and has called exchange_hold(). Nothing is delivered to
 * it: the transport stops reading, keeps what came already, sends no 100 Continue, and does not
 * hold the wait against the peer. ops->later() is called when it is known; exchange_work()
 * then goes on where begin stopped, and leaves the state RECEIVING or RESPONDING as begin would
 * have. Who ends a held exchange just finishes it.
 *
 * Owned by the transport. Everything that a request needs lives in its arena.
 */
#ifndef WEBSRV_CORE_EXCHANGE_H
#define WEBSRV_CORE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/body.h"
#include "core/peer.h"
#include "core/router.h"
#include "core/site.h"
#include "core/trace.h"
#include "http/message.h"

#define EXCHANGE_FIELDS_MAX 24
#define EXCHANGE_KEPT_MAX 8
#define EXCHANGE_OWN(id) ((uint64_t)1 << (id))
#define EXCHANGE_WINDOW                                                                  \
	((uint64_t)256 * 1024) /* body bytes a handler may leave unconsumed */

struct auth;
struct auth_wait;
struct exchange;

enum exchange_state {
	EXCHANGE_NEW,
	EXCHANGE_HELD,
	EXCHANGE_RECEIVING,
	EXCHANGE_RESPONDING,
	EXCHANGE_ENDED
};

enum exchange_end {
	EXCHANGE_COMPLETE, /* the answer was handed to the transport whole */
	EXCHANGE_ABORTED /* anything else: peer gone, timeout, a body cut short, shutdown */
};

/* What the transport promises. */
struct exchange_ops {
	/* status, fields and body are final: frame the head, start pulling the body */
	void (*head)(struct exchange *);
	/* `n` bytes of the request body are done with: credit the peer */
	void (*consumed)(struct exchange *, size_t n);
	/* call exchange_work() in the next turn of the loop */
	void (*later)(struct exchange *);
	/* the same when `ms` have passed; the last one asked for counts */
	void (*after)(struct exchange *, unsigned ms);
	/* an interim answer, fields borrowed for the call; false: dropped, because it cannot leave
	 * soon, or the peer knows none */
	bool (*interim)(struct exchange *, int status, const struct http_field *fields,
			size_t count);
	/* this cannot be finished: break the connection so that the peer notices */
	void (*abort)(struct exchange *);
};

/* What a handler promises. */
struct handler_ops {
	unsigned action; /* enum conf_action, or 0 */
	unsigned
		methods; /* set of HTTP_BIT() that it takes unless the route says otherwise */
	unsigned
		named_methods; /* and those that it takes only where the route names them */
	/* open() looks at exchange_is_too_long() itself, and has something to say about it */
	bool refuses_length;
	/* For one route, at start: 0 and *state, or -1 with a message in errors. May be NULL. */
	int (*create)(const struct handler_env *env, const struct conf_route *route,
		      void **state, struct buf *errors);
	void (*destroy)(void *state);
	/* Once, as the user that serves: warns of what is out of reach. May be NULL. */
	void (*check_access)(void *state);
	/* The largest body that it takes with this request, asked before open(); NULL: what
	 * the route says. */
	uint64_t (*body_max)(const struct exchange *);
	/* Now and then, for what no request asks for: returns in how many ms it wants to be called
	 * again, at the latest; UINT64_MAX: never. It must not wait. May be NULL. */
	uint64_t (*tick)(void *state);
	/* Is the request its own whatever by_method of the route says? Of a URL that it has made.
	 * "auth" holds for it as for a POST. May be NULL. */
	bool (*claims)(const struct exchange *);
	/* Set of HTTP_BIT(): all that is taken at a URL that it has made, for Allow; 0: what the route
	 * takes. May be NULL. */
	unsigned (*takes)(const struct exchange *);
	/* The method that is meant, where a field puts it in place of the request's own: asked before
	 * anything is decided by it. Never HEAD, since the client awaits a body. May be NULL. */
	enum http_method (*method)(const struct exchange *);
	/* Adds fields to the answer to OPTIONS: 0 or a status. May be NULL. */
	int (*options)(struct exchange *, const struct handler *);
	/* 0, or the status to answer with an error page. After 0 the handler has either
	 * responded, or asked for a turn (exchange_later), or waits for data(). Where ex->dry
	 * is set neither of them creates, removes or changes anything. */
	int (*open)(struct exchange *);
	/* The next bytes of the request body, valid during the call only. `last`: the body is
	 * whole (the slice may be empty), and it has to be answered now. 0, or the status to
	 * answer. May be NULL: the body is dropped. Who answers after all of the body by work()
	 * returns 0 here. Credits what it is done with through exchange_consumed(). */
	int (*data)(struct exchange *, struct slice bytes, bool last);
	/* A turn of the loop after exchange_later(): a bounded piece of work. 0 when it has
	 * responded or asked for another turn, or the status to answer. May be NULL. */
	int (*work)(struct exchange *);
	/* Exactly once after an open() that returned 0. May be NULL. */
	void (*close)(struct exchange *, enum exchange_end why);
};

struct exchange {
	/* the request, filled in by the transport */
	struct http_head head;
	struct peer peer;
	const struct site *site;
	const struct site_address *address;

	/* filled in by exchange_begin() */
	struct slice path; /* canonical: decoded, no dot segments */
	struct slice host; /* lower-case, without port */
	const struct vhost *vhost;
	const struct route *route;  /* NULL when none was found */
	struct slice rest;          /* what '*' of the route matched */
	const struct slice *groups; /* of its expression; valid in open() only */
	size_t group_count;

	/* who it is, once the route's "auth" has let him in; it lives as long as the site */
	struct slice user;
	const struct auth *granted; /* of the route; NULL: nobody was asked, or let in */
	struct slice user_asked;    /* who it would be, while held */
	struct auth_wait *auth_wait;

	/* the answer, set by the handler before exchange_respond() */
	int status;
	struct http_field fields[EXCHANGE_FIELDS_MAX];
	size_t field_count;
	const struct http_field
		*shared_fields; /* a further block, e.g. a cached file's */
	size_t shared_field_count;
	/* fields that stay when an error page answers: Content-Range of a 416 */
	struct http_field kept_fields[EXCHANGE_KEPT_MAX];
	size_t kept_field_count;
	/* set of EXCHANGE_OWN(id): only this answer can know them, no configured one fits */
	uint64_t own_fields;
	const char *
		reason; /* a sentence for the error page: static, or of the arena; or NULL */
	struct body body;

	/* the machine */
	enum exchange_state state;
	const struct exchange_ops *ops;
	const struct handler *handler; /* open; NULL when none is */
	const struct handler *claimed; /* by this one of the route, or NULL */
	unsigned taken;                /* methods of this URL; 0: those of the route */
	void *data;                    /* the handler's, for this exchange */
	uint32_t entered; /* of clients_enter(), by that handler; 0: nothing */
	int error_status; /* set while an error page answers: its status wins */
	bool close;       /* the connection must not be used again */
	bool waits;       /* for a turn of the loop to work() in */
	bool holds;       /* exchange_hold() */
	bool dry;         /* the request is explained, not served: nothing may change */
	struct trace *trace; /* of who explains, and set by him; NULL while serving */
	uint64_t body_max;   /* request body bytes: beyond it 413 */
	uint64_t received;   /* request body bytes so far */
	uint64_t unconsumed; /* of those, not yet credited */
	uint64_t sent;       /* response body bytes, counted by the transport */
	uint64_t started_ms; /* clock_mono_ms() of its first byte, set by the transport */
	struct arena arena;
};

/* --- for transports --- */

/* Empty, with an arena of at most `arena_max` bytes. */
void exchange_init(struct exchange *ex, const struct exchange_ops *ops, size_t arena_max);
/* Ready for the next request; keeps memory. The exchange must have ended or be new. */
void exchange_reset(struct exchange *ex);
void exchange_fini(struct exchange *ex);

/* Routes the request and opens its handler. head, peer, site and address are set. When it
 * returns the state is RECEIVING (feed the body), RESPONDING or HELD. */
void exchange_begin(struct exchange *ex);

/* The next bytes of the request body; only in RECEIVING. For a request without a body,
 * call it once with an empty slice and last set. */
void exchange_body(struct exchange *ex, struct slice bytes, bool last);

/* What ops->later asked for; in any state, it does nothing when nobody waits any more. */
void exchange_work(struct exchange *ex);

/* Answers a request that could not be parsed, or an error found by the transport. The
 * connection closes afterwards. Only before RESPONDING. */
void exchange_refuse(struct exchange *ex, int status);

/* The last call: closes the handler, releases the body, writes the access log. */
void exchange_finish(struct exchange *ex, enum exchange_end why);

/* --- for who held it --- */

/* It is known what the exchange is held for: it goes on in the next turn of the loop. */
void exchange_release(struct exchange *ex);

/* A step on the way to the answer, in words: for who asks why (core/trace.h). The arguments
 * are evaluated only then. */
#define exchange_note(ex, kind, ...)                                                     \
	do {                                                                             \
		if ((ex)->trace != NULL)                                                 \
			trace_note((ex)->trace, (kind), __VA_ARGS__);                    \
	} while (0)

/* --- for handlers --- */

/* Adds a field. `value` must live as long as the exchange. A value with a control byte is a
 * bug in the handler and is refused: response splitting ends here. -1 when there are too
 * many or it is refused. */
int exchange_add_field(struct exchange *ex, enum http_field_id id, struct slice value);

/* The same for a field that an error page must carry too: Content-Range of a 416. */
int exchange_keep_field(struct exchange *ex, enum http_field_id id, struct slice value);

/* Tells the peer something before the answer: 104 with these fields, which are copied. Only before
 * RESPONDING. False: he is not told. HTTP/1.0 has no such thing, a listener may have it switched
 * off ("interim_104"), and who does not read gets none. */
bool exchange_interim(struct exchange *ex, int status, const struct http_field *fields,
		      size_t count);

/* The body will be longer than the route takes, as the request says itself: 413. */
static inline bool
exchange_is_too_long(const struct exchange *ex)
{
	return ex->head.body == HTTP_BODY_LENGTH &&
	       ex->head.content_length > ex->body_max;
}

/* The handler cannot answer yet: its work() is called in the next turn of the loop. */
void exchange_later(struct exchange *ex);

/* Likewise, when `ms` have passed or anything else gives it a turn. */
void exchange_later_after(struct exchange *ex, unsigned ms);

/* The peer sends nothing more, and may be gone, while the exchange is HELD. What it waits for may
 * be given up for others; it goes on as ever. */
void exchange_peer_left(struct exchange *ex);

/* From within open(): no body is wanted before exchange_unhold() (see HELD above); a turn
 * must have been asked for. From within work(): now it is. */
void exchange_hold(struct exchange *ex);
void exchange_unhold(struct exchange *ex);

/* Ends another exchange, without an answer if there was none: soon, not in this call. */
void exchange_abort(struct exchange *ex);

/* From within open(): lets another handler answer; it gets work(), data() and close(). Returns
 * what its open() does; when that is a status, the exchange is the caller's again. */
int exchange_hand_over(struct exchange *ex, const struct handler *to);

/* The answer is final. ex->body may be set before. */
void exchange_respond(struct exchange *ex, int status);

/* Answers with an error page instead; or aborts when an answer has begun already. */
void exchange_fail(struct exchange *ex, int status);

/* Answers with a redirect: `path_or_url` as it goes into Location; the request's query is
 * appended when keep_query is set. Returns 0 or the status of a failure. */
int exchange_redirect(struct exchange *ex, int status, struct slice path_or_url,
		      bool keep_query);

/* The same to the request's own path with a '/' behind it: 308. */
int exchange_redirect_slash(struct exchange *ex);

/* `n` bytes that data() was given are done with. */
void exchange_consumed(struct exchange *ex, size_t n);

/* The field list of the answer as it goes out, with the route's "headers" laid over and
 * what "cors" adds: calls `emit` for each. The field is valid during the call only. */
void exchange_each_field(const struct exchange *ex,
			 void (*emit)(void *ctx, const struct http_field *f), void *ctx);

#endif
