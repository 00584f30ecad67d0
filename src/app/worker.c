/* SPDX-License-Identifier: BSD-2-Clause
 *
 * worker: boot as a list of steps, then the loop.
 */
#include "app/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/channel.h"
#include "app/privileges.h"
#include "base/buf.h"
#include "base/counters.h"
#include "base/pool.h"
#include "core/accesslog.h"
#include "core/auth_verify.h"
#include "core/limits.h"
#include "core/site.h"
#include "handler/file_shared.h"
#include "handler/handlers.h"
#include "net/conn.h"
#include "net/net.h"

#define HELPERS 2 /* threads of each kind for what would keep the loop waiting */
#define JOBS_WAITING 1024
#define QUIET_MS 1000 /* a client that was silent for so long has no request on its way */

struct worker {
	const struct worker_boot *boot;
	struct file_shared *files;
	struct pool *pool;      /* for the disk */
	struct pool *passwords; /* of their own: nobody who logs in waits for a disk */
	struct auth_shared *auth;
	bool draining; /* the server stops; read by the health page */
	bool yielded;  /* so was the supervisor told */
	struct server_status status;
	struct limits limits;
	struct site *site;
	struct accesslog accesslog;
	struct net *net;
	struct event *on_channel;
	struct event *on_term;
	struct event *on_tick;
};

/* A terminal sends INT and QUIT to the whole group; the supervisor decides what they mean. */
static void
set_signals(void)
{
	static const int ignored[] = { SIGINT,  SIGQUIT, SIGHUP, SIGUSR1,
				       SIGUSR2, SIGPIPE, SIGXFSZ };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
tell(const struct worker *w, enum channel_type what)
{
	struct channel_message m = { .type = what };
	int rc = channel_send(w->boot->channel, &m);

	if (rc < 0 && rc != -EPIPE)
		log_error(&w->boot->logs->errors,
			  "cannot tell the supervisor how far we are: %s", strerror(-rc));
	return rc;
}

/* From now on connecting is refused or the work of others, not left waiting for an answer that
 * never comes. */
static void
drain(struct worker *w, uint32_t deadline_ms, uint32_t quiet_ms)
{
	/* First: who waits in the queue is answered in there. A server that goes on is healthy. */
	w->draining = quiet_ms == 0;
	net_drain(w->net, deadline_ms, quiet_ms);
	sockets_close(w->boot->sockets, false);
	if (!w->yielded)
		tell(w, CHANNEL_YIELDED);
	w->yielded = true;
}

static void
take_logs(struct worker *w, const struct channel_message *m)
{
	/* In the order of struct logs; arg tells which of them came. */
	int next = 0;
	int error_fd = (m->arg & CHANNEL_ERROR_LOG) != 0 && next < m->fd_count
			       ? m->fds[next++]
			       : -1;
	int access_fd = (m->arg & CHANNEL_ACCESS_LOG) != 0 && next < m->fd_count
				? m->fds[next++]
				: -1;

	if (access_fd >= 0) {
		accesslog_flush(&w->accesslog);
		w->accesslog.lines.fd = access_fd;
	}
	logs_take(w->boot->logs, error_fd, access_fd);
}

static int
listen_all(struct worker *w)
{
	for (size_t i = 0; i < w->site->address_count; i++) {
		const struct listening *at = &w->boot->sockets->at[i];

		for (size_t k = 0; k < at->count; k++) {
			if (at->fds[k] >= 0 && net_listen(w->net, at->fds[k], i) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* A worker that cannot is replaced by the next. */
static void
serve(struct worker *w)
{
	if (w->net->draining || listen_all(w) == 0)
		return;
	log_error(&w->boot->logs->errors, "out of memory");
	net_stop(w->net);
}

static void
on_channel(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct channel_message m;
	int rc = channel_receive(fd, &m);

	(void)what;
	if (rc == -EAGAIN || rc == -EINTR)
		return;
	if (rc < 0)
		log_error(&w->boot->logs->errors,
			  "a message of the supervisor is lost: %s; if it was about "
			  "logs, send "
			  "USR1 again",
			  strerror(-rc));
	if (rc < 0)
		return;
	if (rc == 0) {
		/* The supervisor is gone: nobody would restart or stop us. */
		log_error(&w->boot->logs->errors, "the supervisor is gone; finishing");
		event_del(w->on_channel);
		drain(w, w->boot->conf->timeouts.shutdown_ms, 0);
		return;
	}
	switch ((enum channel_type)m.type) {
	case CHANNEL_DRAIN:
		drain(w, m.arg, 0);
		break;
	case CHANNEL_YIELD:
		drain(w, m.arg, QUIET_MS);
		break;
	case CHANNEL_STOP:
		net_stop(w->net);
		break;
	case CHANNEL_LOGS:
		take_logs(w, &m);
		break;
	case CHANNEL_SERVE:
		serve(w);
		break;
	case CHANNEL_READY:
	case CHANNEL_YIELDED:
		break;
	}
}

static void
on_term(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	drain(w, w->boot->conf->timeouts.shutdown_ms, 0);
}

/* What handlers do on their own: again when the first of them wants to. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	uint64_t ms = site_tick(w->site);
	struct timeval t = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

	(void)fd;
	(void)what;
	if (ms != UINT64_MAX)
		(void)evtimer_add(w->on_tick, &t);
}

static bool
takes_uploads(const struct config *conf)
{
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->route_count; k++) {
			if ((s->routes[k].actions & CONF_ACTION_UPLOAD) != 0)
				return true;
		}
	}
	return false;
}

static int
open_site(struct worker *w)
{
	const struct worker_boot *b = w->boot;
	struct handler_env env = { .conf = b->conf,
				   .log = &b->logs->errors,
				   .counters = &b->counters[b->block],
				   .status = &w->status,
				   .limits = &w->limits,
				   .quota = b->quota,
				   .unfinished = b->unfinished };
	struct buf errors;

	w->files = file_shared_new(b->conf, takes_uploads(b->conf) ? b->counters : NULL,
				   b->blocks);
	w->pool = pool_new(HELPERS, JOBS_WAITING);
	w->passwords = pool_new(HELPERS, JOBS_WAITING);
	if (w->passwords != NULL)
		w->auth = auth_shared_new(w->passwords);
	if (w->files == NULL || w->pool == NULL || w->auth == NULL) {
		log_error(env.log, "out of memory");
		return -1;
	}
	env.files = w->files;
	env.pool = w->pool;
	env.auth = w->auth;
	buf_init(&errors);
	w->site = site_new(b->conf, &env, handler_kinds, &errpage_handler, &errors);
	if (w->site == NULL)
		logs_tell(env.log, LOG_LEVEL_ERROR, buf_slice(&errors));
	else if (b->logs->access_fd >= 0)
		w->site->accesslog = &w->accesslog;
	buf_fini(&errors);
	return w->site != NULL ? 0 : -1;
}

static int
open_net(struct worker *w)
{
	const struct worker_boot *b = w->boot;
	const char *why;

	w->net = net_new(b->conf->backend, w->site, w->site->accesslog,
			 &b->counters[b->block], b->counters, b->blocks, &why);
	if (w->net == NULL) {
		log_error(&b->logs->errors, "event loop: %s", why);
		return -EINVAL;
	}
	if (net_watch_pool(w->net, w->pool) < 0 ||
	    net_watch_pool(w->net, w->passwords) < 0 || (!b->waits && listen_all(w) < 0))
		return -ENOMEM;
	w->on_channel =
		event_new(w->net->base, b->channel, EV_READ | EV_PERSIST, on_channel, w);
	w->on_term = evsignal_new(w->net->base, SIGTERM, on_term, w);
	w->on_tick = evtimer_new(w->net->base, on_tick, w);
	if (w->on_channel == NULL || w->on_term == NULL || w->on_tick == NULL ||
	    event_add(w->on_channel, NULL) < 0 || event_add(w->on_term, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static int
boot(struct worker *w)
{
	const struct worker_boot *b = w->boot;
	const struct log *log = &b->logs->errors;
	int rc;

	if (open_site(w) < 0)
		return -1;
	rc = open_net(w);
	if (rc < 0) {
		log_error(log, "cannot set up the event loop: %s", strerror(-rc));
		return -1;
	}
	if (privileges_drop(b->conf, log) < 0)
		return -1;
	site_check_access(w->site);
	on_tick(-1, 0, w);
	log_debug(log, "worker %zu serves with %s", b->slot, net_backend_name(w->net));
	return tell(w, CHANNEL_READY);
}

static void
fini(struct worker *w)
{
	if (w->on_channel != NULL)
		event_free(w->on_channel);
	if (w->on_term != NULL)
		event_free(w->on_term);
	if (w->on_tick != NULL)
		event_free(w->on_tick);
	net_free(w->net);
	pool_free(w->pool);
	pool_free(w->passwords);
	auth_shared_free(w->auth);
	accesslog_fini(&w->accesslog);
	site_free(w->site);
	file_shared_free(w->files);
	libevent_global_shutdown();
}

int
worker_run(const struct worker_boot *b)
{
	struct worker w = { .boot = b,
			    .limits = { .clients = b->clients, .worker = b->slot } };
	int rc;

	w.status = (struct server_status){
		.blocks = b->counters,
		.block_count = b->blocks,
		.worker_count = b->slots,
		.end_names = conn_end_names(),
		.end_count = CONN_END_COUNT,
		.started = b->started,
		.draining = &w.draining,
	};

	set_signals();
	/* The block of a worker that died still says what it had open. */
	atomic_store(&b->counters[b->block].v[COUNTER_CONNECTIONS_OPEN], 0);
	accesslog_init(&w.accesslog, b->logs->access_fd, b->conf->logs.access.format,
		       &b->logs->errors);
	rc = boot(&w);
	if (rc == 0)
		net_run(w.net);
	else
		log_error(&b->logs->errors, "worker %zu cannot start", b->slot);
	fini(&w);
	return rc == 0 ? 0 : 1;
}
