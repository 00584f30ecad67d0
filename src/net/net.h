/* SPDX-License-Identifier: BSD-2-Clause
 *
 * net: one worker's event loop and what all its connections share. Single-threaded;
 * nothing here is locked. Objects that die during a loop turn are freed after it.
 */
#ifndef WEBSRV_NET_NET_H
#define WEBSRV_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/wheel.h"
#include "conf/config.h"

struct accesslog;
struct conn;
struct counter_block;
struct event;
struct event_base;
struct evconnlistener;
struct h1;
struct net_listener;
struct pool;
struct site;

#define NET_IN_SIZE ((size_t)64 * 1024)
#define NET_OUT_SIZE ((size_t)64 * 1024)
#define NET_PULLED_SIZE ((size_t)64 * 1024)
#define NET_POOLS 2     /* that are watched, at most */
#define NET_DATE_LEN 37 /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */

struct net {
	struct event_base *base;
	const struct site *site;
	const struct log *log;
	struct accesslog *accesslog;    /* may be NULL */
	struct counter_block *counters; /* this worker's */
	const struct counter_block *all_counters;
	size_t counter_blocks;

	struct net_listener *listeners;
	bool accepting_paused; /* out of descriptors */
	int fd_max;            /* a connection at or above it pauses accepting */
	struct event *accept_retry;
	struct event *on_pool[NET_POOLS]; /* NULL: that is all */
	struct log_limit accept_limit, full_limit;

	struct wheel wheel;
	struct event *tick;

	struct conn *conns; /* all that are open */
	size_t conn_count;
	size_t refused_count;             /* of those, answered 503 for lack of room */
	struct conn *later, **later_tail; /* to be looked at after this loop turn */
	uint64_t work_until_us;           /* of this turn; 0 = nobody has begun */
	uint64_t next_conn_id;
	struct h1 *spare_h1; /* free list */
	size_t spare_h1_count;

	char *in;     /* bytes just received, NET_IN_SIZE */
	char *pulled; /* bytes of a body that is pulled, NET_PULLED_SIZE */
	char *out;    /* bytes gathered for out_owner, NET_OUT_SIZE */
	size_t out_len;
	const struct conn *out_owner;

	int64_t date_second;
	char date[NET_DATE_LEN];

	bool draining;
	uint32_t quiet_ms; /* of a drain */
	bool stopped;
};

/* NULL with *why set when the event backend is not there or memory is short. Everything in
 * `site` and the pointers after it outlive the net. */
struct net *net_new(enum conf_backend backend, const struct site *site,
		    struct accesslog *accesslog, struct counter_block *counters,
		    const struct counter_block *all_counters, size_t counter_blocks,
		    const char **why);

/* Closes whatever is open. */
void net_free(struct net *n);

/* Accepts on a listening socket, which stays the caller's. `address` is an index into
 * site->addresses. 0 or -ENOMEM. */
int net_listen(struct net *n, int fd, size_t address);

/* What the pool has finished is taken up in the loop; of NET_POOLS pools. It is borrowed, and freed
 * after the net, which closes whatever waits for it. 0 or -ENOMEM. */
int net_watch_pool(struct net *n, struct pool *pool);

/* Runs until net_stop(), or until a drain has finished. */
void net_run(struct net *n);

/* No new connections; idle ones close at once, the others after their answer, all of them
 * after `deadline_ms`. Where others serve on, nobody should notice: a connection counts as idle
 * when it has been silent for `quiet_ms`, since a request may be on its way. Calling it again can
 * only bring the deadline forward. */
void net_drain(struct net *n, uint32_t deadline_ms, uint32_t quiet_ms);
void net_stop(struct net *n);

/* Is there time left in this turn of the loop for work that may as well wait? All connections
 * share it: who asks when there is none asks for a turn (conn_ask_turn). */
bool net_has_time(struct net *n);

/* "epoll", "poll", "select". */
const char *net_backend_name(const struct net *n);

/* Of libevent, for `websrv -V`. */
const char *net_library_version(void);

/* The Date field line of this second. */
const char *net_date_line(struct net *n);

/* Stops accepting for a moment: `error` is the errno of what ran out. */
void net_pause_accepting(struct net *n, int error);

#endif
