/* SPDX-License-Identifier: BSD-2-Clause
 *
 * events: what happens to the supervisor, and what follows from it.
 *
 *   RUNNING --TERM/INT/QUIT--> DRAINING --TERM/INT or deadline--> STOPPING --> gone
 */
#include "app/events.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/channel.h"
#include "app/daemonize.h"
#include "app/notify.h"
#include "app/reload.h"
#include "app/slots.h"
#include "base/clock.h"

/* --- phases --- */

static void
enter_phase(struct supervisor *s, enum phase phase)
{
	enum channel_type how = phase == DRAINING ? CHANNEL_DRAIN : CHANNEL_STOP;

	notify_send(supervisor_log(s), "STOPPING=1\nSTATUS=finishing");
	s->phase = phase;
	reload_give_up(s);
	for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;)
		slots_end(g, how, s->current->conf->timeouts.shutdown_ms);
}

/* A worker that never came to serve would not do so the next time either. */
static void
give_up(struct supervisor *s)
{
	static const char text[] =
		"websrv: the workers cannot start; the error log says why\n";

	log_error(supervisor_log(s), "the workers cannot start; giving up");
	if (s->ready_fd >= 0 && write(s->ready_fd, text, sizeof(text) - 1) < 0)
		log_error(supervisor_log(s), "cannot tell so in front: %s",
			  strerror(errno));
	s->exit_status = 1;
	enter_phase(s, STOPPING);
}

void
events_spawn(struct supervisor *s, size_t index)
{
	if (slot_spawn(s, s->current, index) == 0)
		return;
	slot_back_off(&s->current->slots[index]);
	if (!s->served)
		give_up(s);
}

/* --- workers that end --- */

static void
replace(struct supervisor *s, size_t index)
{
	struct slot *slot = &s->current->slots[index];
	uint64_t now = clock_mono_ms();

	if (!s->served && !slot->ready) {
		give_up(s);
		return;
	}
	slot_back_off(slot);
	log_info(supervisor_log(s), "worker %zu starts again in %llu ms", index,
		 (unsigned long long)(slot->restart_ms > now ? slot->restart_ms - now
							     : 0));
}

static void
on_end(struct supervisor *s, struct generation *g, size_t index, int status)
{
	slot_reap(s, g, index, status);
	if (g->state == GENERATION_SERVING)
		replace(s, index);
	else if (g->state == GENERATION_STARTING)
		reload_refuse(s, "a worker of the new configuration cannot start");
}

static void
reap(struct supervisor *s, pid_t pid, int status)
{
	for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;) {
		for (size_t i = 0; i < g->slot_count; i++) {
			if (g->slots[i].pid == pid) {
				on_end(s, g, i, status);
				return;
			}
		}
	}
}

/* --- signals --- */

static void
on_stop_signal(struct supervisor *s, int signal)
{
	if (s->phase == RUNNING) {
		log_info(supervisor_log(s), "%s: finishing, at most %u ms",
			 signal == SIGTERM  ? "SIGTERM"
			 : signal == SIGINT ? "SIGINT"
					    : "SIGQUIT",
			 s->current->conf->timeouts.shutdown_ms);
		enter_phase(s, DRAINING);
	} else if (s->phase == DRAINING && signal != SIGQUIT) {
		log_info(supervisor_log(s), "a second signal: stopping now");
		enter_phase(s, STOPPING);
	}
}

static void
reopen_logs(struct generation *g)
{
	struct channel_message m = { .type = CHANNEL_LOGS };

	logs_reopen(&g->logs, g->conf);
	if (g->logs.error_fd >= 0) {
		m.arg |= CHANNEL_ERROR_LOG;
		m.fds[m.fd_count++] = g->logs.error_fd;
	}
	if (g->logs.access_fd > STDERR_FILENO) {
		m.arg |= CHANNEL_ACCESS_LOG;
		m.fds[m.fd_count++] = g->logs.access_fd;
	}
	if (m.fd_count > 0)
		slots_send(g, &m);
}

void
events_on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(s->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		on_stop_signal(s, (int)info.ssi_signo);
		break;
	case SIGHUP:
		s->reload_wanted = s->phase == RUNNING;
		break;
	case SIGUSR1:
		for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;)
			reopen_logs(g);
		break;
	case SIGCHLD:
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			reap(s, pid, status);
		break;
	default:
		log_warning(supervisor_log(s), "signal %u has no meaning in this version",
			    info.ssi_signo);
	}
}

/* --- messages --- */

static void
announce(struct supervisor *s, const struct slot *slot)
{
	struct generation *g = s->current;
	const char *plural = g->slot_count == 1 ? "" : "s";

	if (s->served) {
		log_info(supervisor_log(s), "worker %zu serves again",
			 (size_t)(slot - g->slots));
		return;
	}
	for (size_t i = 0; i < g->slot_count; i++) {
		if (!g->slots[i].ready)
			return;
	}
	s->served = true;
	log_info(supervisor_log(s), "ready: %zu worker%s", g->slot_count, plural);
	notify_send(supervisor_log(s), "READY=1\nSTATUS=serving with %zu worker%s",
		    g->slot_count, plural);
	if (s->ready_fd < 0)
		return;
	if (write(s->ready_fd, DAEMONIZE_READY, 1) < 0)
		log_error(supervisor_log(s), "cannot tell that we are ready: %s",
			  strerror(errno));
	close(s->ready_fd);
	s->ready_fd = -1;
}

void
events_on_message(struct supervisor *s, struct generation *g, struct slot *slot)
{
	struct channel_message m;
	int rc = channel_receive(slot->channel, &m);

	if (rc == 0)
		slot->hung_up = true;
	if (rc != 1)
		return;
	/* A worker has none to send; one that was taken over must not use up ours. */
	for (int32_t i = 0; i < m.fd_count; i++)
		close(m.fds[i]);
	if (m.type == CHANNEL_YIELDED)
		slot->yielded = true;
	if (m.type != CHANNEL_READY || slot->ready)
		return;
	slot->ready = true;
	if (g == s->current && g->state == GENERATION_SERVING)
		announce(s, slot);
	else if (g == s->coming)
		reload_on_ready(s);
}
