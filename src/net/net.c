/* SPDX-License-Identifier: BSD-2-Clause
 *
 * net: the loop, the listeners, the tick. One turn: libevent runs what is ready, then
 * the connections that asked for it are looked at again, parked or freed.
 */
#include "net/net.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/pool.h"
#include "core/accesslog.h"
#include "core/site.h"
#include "http/date.h"
#include "net/conn.h"
#include "net/h1.h"

#define ACCEPT_RETRY_MS 500
#define WORK_US 2000 /* of a turn, for encoding, listings and the like */
#define FILE_FDS 8   /* descriptors kept back for files and uploads */

struct net_listener {
	struct net_listener *next;
	int fd;
	struct net *net;
	struct evconnlistener *ev;
	const struct site_address *address;
};

/* --- loop --- */

/* FD_SET beyond FD_SETSIZE is a buffer overflow in libevent's select backend: the kernel
 * must not hand out such descriptors. */
static void
limit_descriptors_for_select(struct net *n)
{
	struct rlimit rl;

	if (strcmp(net_backend_name(n), "select") != 0 ||
	    getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur <= FD_SETSIZE)
		return;
	log_info(n->log, "select: at most %d descriptors for this worker", FD_SETSIZE);
	rl.rlim_cur = FD_SETSIZE;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
		log_error(n->log, "setrlimit: %s", strerror(errno));
}

static struct event_base *
make_base(enum conf_backend backend)
{
	static const char *const all[] = { "epoll", "poll", "select" };
	const char *want = backend == CONF_BACKEND_EPOLL    ? "epoll"
			   : backend == CONF_BACKEND_POLL   ? "poll"
			   : backend == CONF_BACKEND_SELECT ? "select"
							    : NULL;
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (cfg == NULL)
		return NULL;
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV);
	for (size_t i = 0; want != NULL && i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i], want) != 0)
			event_config_avoid_method(cfg, all[i]);
	}
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	uint64_t now = clock_mono_ms();
	struct wheel_timer *t;

	(void)fd;
	(void)what;
	while ((t = wheel_expire(&n->wheel, now)) != NULL)
		conn_on_deadline(
			(struct conn *)((char *)t - offsetof(struct conn, timer)));
	if (n->accesslog != NULL)
		accesslog_flush(n->accesslog);
}

static void
on_accept_retry(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd;
	(void)what;
	n->accepting_paused = false;
	for (struct net_listener *l = n->listeners; l != NULL; l = l->next)
		evconnlistener_enable(l->ev);
}

/* Connections leave some descriptors to the files that they ask for. */
static int
highest_conn_fd(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur > INT_MAX)
		return INT_MAX;
	return (int)rl.rlim_cur - FILE_FDS;
}

struct net *
net_new(enum conf_backend backend, const struct site *site, struct accesslog *accesslog,
	struct counter_block *counters, const struct counter_block *all_counters,
	size_t counter_blocks, const char **why)
{
	struct net *n = calloc(1, sizeof(*n));

	*why = "out of memory";
	if (n == NULL)
		return NULL;
	n->site = site;
	n->log = site->env.log;
	n->accesslog = accesslog;
	n->counters = counters;
	n->all_counters = all_counters;
	n->counter_blocks = counter_blocks;
	n->date_second = -1;
	n->later_tail = &n->later;
	wheel_init(&n->wheel, clock_mono_ms());
	n->in = malloc(NET_IN_SIZE);
	n->out = malloc(NET_OUT_SIZE);
	n->pulled = malloc(NET_PULLED_SIZE);
	n->base = make_base(backend);
	if (n->base == NULL) {
		*why = "the event backend is not available";
		goto fail;
	}
	n->tick = event_new(n->base, -1, EV_PERSIST, on_tick, n);
	n->accept_retry = evtimer_new(n->base, on_accept_retry, n);
	limit_descriptors_for_select(n);
	n->fd_max = highest_conn_fd();
	if (n->in != NULL && n->out != NULL && n->pulled != NULL && n->tick != NULL &&
	    n->accept_retry != NULL)
		return n;
fail:
	net_free(n);
	return NULL;
}

static void
on_pool(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pool_finish(arg);
}

int
net_watch_pool(struct net *n, struct pool *pool)
{
	struct event **e = n->on_pool;

	while (*e != NULL)
		e++;
	assert(e < n->on_pool + NET_POOLS);
	*e = event_new(n->base, pool_fd(pool), EV_READ | EV_PERSIST, on_pool, pool);
	return *e != NULL && event_add(*e, NULL) == 0 ? 0 : -ENOMEM;
}

bool
net_has_time(struct net *n)
{
	uint64_t now = clock_mono_us();

	if (n->work_until_us == 0)
		n->work_until_us = now + WORK_US;
	return now < n->work_until_us;
}

/* Who is put there again meanwhile waits for the next turn: others come first. So they do when
 * the time is over: who waits for a turn then is the first of the next. */
static void
work_later(struct net *n)
{
	struct conn *c = n->later, *waiting = NULL, **end = &waiting;

	n->later = NULL;
	n->later_tail = &n->later;
	while (c != NULL) {
		struct conn *next = c->next_later;

		if (c->asks_turn && !c->closed && !net_has_time(n)) {
			*end = c;
			end = &c->next_later;
		} else {
			conn_work_later(c);
		}
		c = next;
	}
	if (waiting != NULL) {
		*end = n->later;
		if (n->later == NULL)
			n->later_tail = end;
		n->later = waiting;
	}
	n->work_until_us = 0;
}

/* The tick runs only while there is something to time. */
static void
update_tick(struct net *n)
{
	static const struct timeval every = { .tv_usec = WHEEL_TICK_MS * 1000 };
	bool wanted = n->conn_count > 0;

	if (wanted == (event_pending(n->tick, EV_TIMEOUT, NULL) != 0))
		return;
	if (wanted) {
		event_add(n->tick, &every);
		return;
	}
	event_del(n->tick);
	if (n->accesslog != NULL)
		accesslog_flush(n->accesslog);
}

void
net_run(struct net *n)
{
	while (!n->stopped && !(n->draining && n->conn_count == 0)) {
		int how = n->later != NULL ? EVLOOP_NONBLOCK : EVLOOP_ONCE;

		if (event_base_loop(n->base, how) < 0) {
			log_error(n->log, "event loop: %s", strerror(errno));
			break;
		}
		work_later(n);
		update_tick(n);
	}
}

void
net_stop(struct net *n)
{
	n->stopped = true;
	event_base_loopbreak(n->base);
}

static void
on_drain_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd;
	(void)what;
	if (n->conn_count > 0)
		log_warning(n->log, "shutdown deadline: breaking off %zu connections",
			    n->conn_count);
	for (struct conn *c = n->conns; c != NULL; c = c->next)
		conn_close(c, CONN_END_DRAINED);
}

static void
free_listeners(struct net *n)
{
	while (n->listeners != NULL) {
		struct net_listener *l = n->listeners;

		n->listeners = l->next;
		evconnlistener_free(l->ev);
		free(l);
	}
}

/* Whoever is in the queue already has been promised an answer by the kernel. */
static void
accept_queued(struct net_listener *l)
{
	for (uint32_t i = 0; i < l->address->listen->backlog; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct peer peer;
		int fd = accept4(l->fd, (struct sockaddr *)&ss, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN)
				log_warning(l->net->log, "accept while stopping: %s",
					    strerror(errno));
			return;
		}
		peer = peer_from_sockaddr((struct sockaddr *)&ss, len);
		conn_open(l->net, fd, l->address, &peer);
	}
}

void
net_drain(struct net *n, uint32_t deadline_ms, uint32_t quiet_ms)
{
	struct timeval tv = { .tv_sec = deadline_ms / 1000,
			      .tv_usec = (deadline_ms % 1000) * 1000 };

	if (!n->draining) {
		for (struct net_listener *l = n->listeners; l != NULL; l = l->next)
			accept_queued(l);
		free_listeners(n);
		n->draining = true;
	}
	n->quiet_ms = quiet_ms;
	for (struct conn *c = n->conns; c != NULL; c = c->next)
		conn_drain(c);
	work_later(n);
	update_tick(n);
	if (event_base_once(n->base, -1, EV_TIMEOUT, on_drain_deadline, n, &tv) < 0)
		net_stop(n);
}

void
net_free(struct net *n)
{
	if (n == NULL)
		return;
	for (struct conn *c = n->conns; c != NULL; c = c->next)
		conn_close(c, CONN_END_DRAINED);
	while (n->later != NULL)
		work_later(n);
	free_listeners(n);
	h1_free_spares(n);
	if (n->tick != NULL)
		event_free(n->tick);
	if (n->accept_retry != NULL)
		event_free(n->accept_retry);
	for (size_t i = 0; i < NET_POOLS; i++) {
		if (n->on_pool[i] != NULL)
			event_free(n->on_pool[i]);
	}
	if (n->base != NULL)
		event_base_free(n->base);
	free(n->in);
	free(n->out);
	free(n->pulled);
	free(n);
}

/* --- listeners --- */

static void
on_accept(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *sa, int len,
	  void *arg)
{
	struct net_listener *l = arg;
	struct peer peer = peer_from_sockaddr(sa, (socklen_t)len);

	(void)ev;
	conn_open(l->net, fd, l->address, &peer);
	if (fd >= l->net->fd_max && !l->net->accepting_paused)
		net_pause_accepting(l->net, EMFILE);
	update_tick(l->net);
}

void
net_pause_accepting(struct net *n, int error)
{
	static const struct timeval retry = { .tv_usec = ACCEPT_RETRY_MS * 1000 };

	log_limited(n->log, &n->accept_limit, LOG_LEVEL_ERROR,
		    "accept: %s; no new connections for %d ms (%zu are open)",
		    strerror(error), ACCEPT_RETRY_MS, n->conn_count);
	n->accepting_paused = true;
	for (struct net_listener *l = n->listeners; l != NULL; l = l->next)
		evconnlistener_disable(l->ev);
	event_add(n->accept_retry, &retry);
}

static void
on_accept_error(struct evconnlistener *ev, void *arg)
{
	struct net_listener *l = arg;
	int error = EVUTIL_SOCKET_ERROR();

	(void)ev;
	net_pause_accepting(l->net, error);
}

int
net_listen(struct net *n, int fd, size_t address)
{
	struct net_listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return -ENOMEM;
	l->net = n;
	l->fd = fd;
	l->address = &n->site->addresses[address];
	/* Backlog 0: the socket listens already. */
	l->ev = evconnlistener_new(n->base, on_accept, l, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (l->ev == NULL) {
		free(l);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(l->ev, on_accept_error);
	l->next = n->listeners;
	n->listeners = l;
	return 0;
}

/* --- small things --- */

const char *
net_backend_name(const struct net *n)
{
	return event_base_get_method(n->base);
}

const char *
net_library_version(void)
{
	return event_get_version();
}

const char *
net_date_line(struct net *n)
{
	int64_t now = clock_unix();

	if (now != n->date_second) {
		memcpy(n->date, "Date: ", 6);
		http_date_format(now, n->date + 6);
		memcpy(n->date + 6 + HTTP_DATE_LEN, "\r\n", 2);
		n->date_second = now;
	}
	return n->date;
}
