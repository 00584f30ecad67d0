/* SPDX-License-Identifier: BSD-2-Clause
 *
 * supervisor: start, one poll loop over a signalfd and a channel per worker, and end. What
 * comes in there is for events.c; reload.c changes the configuration.
 */
#include "app/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/daemonize.h"
#include "app/events.h"
#include "app/reload.h"
#include "app/slots.h"
#include "app/supervisor_state.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "conf/load.h"

static void
bury_ended(struct supervisor *s)
{
	for (struct generation **p = &s->ending; *p != NULL;) {
		struct generation *g = *p;

		if (g == s->yielding || generation_has_workers(g)) {
			p = &g->next;
			continue;
		}
		*p = g->next;
		slots_bury(s, g);
	}
}

/* --- the loop --- */

/* The nearest of the deadlines, for poll. */
static int
poll_timeout(const struct supervisor *s)
{
	uint64_t now = clock_mono_ms();
	uint64_t due = reload_due_ms(s);

	for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;) {
		if (g->state != GENERATION_SERVING && g->deadline_ms < due)
			due = g->deadline_ms;
		for (size_t i = 0; g == s->current && i < g->slot_count; i++) {
			if (s->phase == RUNNING && g->slots[i].pid == 0 &&
			    g->slots[i].restart_ms < due)
				due = g->slots[i].restart_ms;
		}
	}
	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)(due - now) + 1;
}

static void
work_off_deadlines(struct supervisor *s)
{
	uint64_t now = clock_mono_ms();

	for (size_t i = 0; s->phase == RUNNING && i < s->current->slot_count; i++) {
		const struct slot *slot = &s->current->slots[i];

		if (slot->pid == 0 && now >= slot->restart_ms)
			events_spawn(s, i);
		if (s->is_worker)
			return;
	}
	for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;) {
		if ((g->state == GENERATION_DRAINING ||
		     g->state == GENERATION_STOPPING) &&
		    now >= g->deadline_ms)
			slots_kill(g);
	}
	reload_end(s);
	bury_ended(s);
	reload_begin(s);
}

static size_t
slots_of_all(const struct supervisor *s)
{
	size_t count = 0;

	for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;)
		count += g->slot_count;
	return count;
}

/* Whom a pollfd belongs to. */
struct polled {
	struct generation *generation;
	struct slot *slot;
};

static void
wait_for_events(struct supervisor *s, struct pollfd *fds, struct polled *whose)
{
	nfds_t count = 1;

	fds[0] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
	for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;) {
		for (size_t i = 0; i < g->slot_count; i++) {
			struct slot *slot = &g->slots[i];

			/* One that hung up would wake us until its worker is reaped. */
			if (slot->channel < 0 || slot->hung_up)
				continue;
			fds[count] =
				(struct pollfd){ .fd = slot->channel, .events = POLLIN };
			whose[count++] = (struct polled){ g, slot };
		}
	}
	if (poll(fds, count, poll_timeout(s)) <= 0)
		return;
	for (nfds_t i = 1; i < count; i++) {
		if (fds[i].revents != 0)
			events_on_message(s, whose[i].generation, whose[i].slot);
	}
	if (fds[0].revents != 0)
		events_on_signal(s);
}

/* One turn; false when there is no memory for it. */
static bool
turn(struct supervisor *s)
{
	size_t count = slots_of_all(s) + 1;
	struct pollfd *fds = malloc(count * sizeof(*fds));
	struct polled *whose = malloc(count * sizeof(*whose));
	bool ok = fds != NULL && whose != NULL;

	if (ok)
		wait_for_events(s, fds, whose);
	free(fds);
	free(whose);
	return ok;
}

static bool
has_workers(const struct supervisor *s)
{
	for (struct generation *g = NULL; (g = supervisor_next(s, g)) != NULL;) {
		if (generation_has_workers(g))
			return true;
	}
	return false;
}

static void
run(struct supervisor *s)
{
	static const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };

	while (s->phase == RUNNING || has_workers(s)) {
		work_off_deadlines(s);
		if (s->is_worker)
			break;
		/* The workers serve on; memory may come back. */
		if (!turn(s))
			nanosleep(&pause, NULL);
	}
}

/* --- start and end --- */

static int
block_signals(void)
{
	static const int handled[] = { SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
				       SIGUSR1, SIGUSR2, SIGCHLD };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaddset(&set, handled[i]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ,
	       SIG_IGN); /* a log at the limit of file sizes is an error, not the end */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd >= 0 ? fd : -errno;
}

static int
make_slots(struct supervisor *s)
{
	s->counters = counters_new(BLOCKS_MAX);
	if (s->counters == NULL || generation_make_slots(s->current) < 0)
		return -ENOMEM;
	reload_count(s, true);
	return slots_take_blocks(s, s->current);
}

static void
write_pid_file(struct supervisor *s, struct buf *errors)
{
	const struct config *conf = s->current->conf;
	const char *path = conf->pid_file;
	char text[32];
	int rc = 0, fd, len;

	if (path == NULL)
		return;
	s->pid_file = strdup(path);
	if (s->pid_file == NULL) {
		buf_add_str(errors, "out of memory\n");
		return;
	}
	/* A pipe would wait for a reader, and signals are blocked already. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644);
	if (fd < 0) {
		rc = -errno;
	} else {
		len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
		rc = fs_write_full(fd, text, (size_t)len);
		close(fd);
	}
	if (rc < 0)
		conf_report(errors, &conf->pid_file_place,
			    "cannot write the pid file %s: %s", path, strerror(-rc));
}

static int
start(struct supervisor *s)
{
	struct generation *g = s->current;
	struct buf errors;

	buf_init(&errors);
	/* First: a signal from here on ends in an orderly stop. */
	s->signal_fd = block_signals();
	if (s->signal_fd < 0)
		buf_printf(&errors, "signalfd: %s\n", strerror(-s->signal_fd));
	else if (make_slots(s) < 0)
		buf_add_str(&errors, "out of memory\n");
	else if (sockets_open(&g->sockets, g->start.site, g->slot_count, NULL,
			      &g->logs.errors, &errors) == 0)
		write_pid_file(s, &errors);
	if (errors.len > 0)
		fwrite(errors.ptr, 1, errors.len, stderr);
	s->exit_status = errors.len > 0 ? 1 : 0;
	buf_fini(&errors);
	return s->exit_status == 0 ? 0 : -1;
}

static void
fini(struct supervisor *s)
{
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->ready_fd >= 0)
		close(s->ready_fd);
	if (!s->is_worker)
		sockets_close(&s->current->sockets, true);
	/* All others are buried: they have no workers. */
	while (s->ending != NULL) {
		struct generation *g = s->ending;

		s->ending = g->next;
		generation_free(g);
	}
	generation_free(s->current);
	counters_free(s->counters, BLOCKS_MAX);
	free(s->pid_file);
}

int
supervisor_run(struct generation *first, const struct supervisor_boot *boot)
{
	struct supervisor s = {
		.boot = boot,
		.current = first,
		.block_count = BLOCK_SUPERVISOR + 1,
		.signal_fd = -1,
		.ready_fd = boot->ready_fd,
		.started = clock_unix(),
	};

	first->state = GENERATION_SERVING;
	if (start(&s) == 0) {
		/* From here on there is only the log to complain to. */
		if (boot->ready_fd >= 0 && daemonize_detach() < 0)
			log_warning(supervisor_log(&s), "cannot let go of the terminal");
		run(&s);
		if (!s.is_worker && s.pid_file != NULL)
			unlink(s.pid_file);
		if (!s.is_worker)
			log_info(supervisor_log(&s), "stopped");
	}
	fini(&s);
	return s.exit_status;
}
