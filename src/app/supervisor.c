/* SPDX-License-Identifier: BSD-2-Clause
 *
 * supervisor: one poll loop over a signalfd and a channel per worker.
 *
 *   RUNNING --TERM/INT/QUIT--> DRAINING --TERM/INT or deadline--> STOPPING --> gone
 */
#include "app/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/channel.h"
#include "app/daemonize.h"
#include "app/sockets.h"
#include "app/worker.h"
#include "base/buf.h"
#include "base/clients.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/fs.h"
#include "conf/load.h"

#define HEALTHY_MS 10000 /* who lived that long did not die at once */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define DRAIN_GRACE_MS 1000 /* beyond the workers' own deadline */
#define STOP_GRACE_MS 1000

enum phase { RUNNING, DRAINING, STOPPING };

struct slot {
	pid_t pid; /* 0: no worker */
	int channel;
	bool ready;
	uint64_t started_ms;
	uint64_t restart_ms; /* when pid is 0 */
	unsigned failures;   /* deaths in a row without a healthy life */
};

struct supervisor {
	const struct config *conf;
	struct logs *logs;
	struct sockets sockets;
	struct counter_block *counters;
	struct clients *clients;
	int64_t started; /* seconds since 1970 */
	struct slot *slots;
	size_t slot_count;
	int signal_fd;
	int ready_fd;
	enum phase phase;
	uint64_t deadline_ms; /* of the phase */
	int exit_status;
	bool served;    /* all workers were ready once */
	bool is_worker; /* we are the child: unwind */
};

/* --- workers --- */

static int
run_as_worker(struct supervisor *s, size_t index, int channel)
{
	struct worker_boot boot = {
		.conf = s->conf,
		.sockets = &s->sockets,
		.logs = s->logs,
		.counters = s->counters,
		.clients = s->clients,
		.slots = s->slot_count,
		.slot = index,
		.started = s->started,
		.channel = channel,
	};
	int status;

	s->is_worker = true;
	for (size_t i = 0; i < s->slot_count; i++) {
		if (s->slots[i].channel >= 0)
			close(s->slots[i].channel);
		s->slots[i].channel = -1;
	}
	close(s->signal_fd);
	s->signal_fd = -1;
	if (s->ready_fd >= 0)
		close(s->ready_fd);
	s->ready_fd = -1;
	sockets_keep(&s->sockets, index);
	status = worker_run(&boot);
	close(channel);
	return status;
}

static uint64_t
backoff_ms(const struct slot *slot)
{
	uint64_t ms = BACKOFF_MIN_MS;

	for (unsigned i = 1; i < slot->failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static void enter_phase(struct supervisor *s, enum phase phase);

/* A worker that never came to serve would not do so the next time either. */
static void
give_up(struct supervisor *s)
{
	static const char text[] =
		"websrv: the workers cannot start; the error log says why\n";

	log_error(&s->logs->errors, "the workers cannot start; giving up");
	if (s->ready_fd >= 0 && write(s->ready_fd, text, sizeof(text) - 1) < 0)
		log_error(&s->logs->errors, "cannot tell so in front: %s",
			  strerror(errno));
	s->exit_status = 1;
	enter_phase(s, STOPPING);
}

static void
spawn(struct supervisor *s, size_t index)
{
	struct slot *slot = &s->slots[index];
	int fds[2];
	int rc = channel_pair(fds);
	pid_t pid = -1;

	if (rc == 0) {
		pid = fork();
		if (pid < 0) {
			rc = -errno;
			close(fds[0]);
			close(fds[1]);
		}
	}
	if (rc < 0) {
		slot->failures++;
		slot->restart_ms = clock_mono_ms() + backoff_ms(slot);
		log_error(&s->logs->errors, "cannot start worker %zu: %s", index,
			  strerror(-rc));
		if (!s->served)
			give_up(s);
		return;
	}
	if (pid == 0) {
		close(fds[0]);
		s->exit_status = run_as_worker(s, index, fds[1]);
		return;
	}
	close(fds[1]);
	slot->pid = pid;
	slot->channel = fds[0];
	slot->ready = false;
	slot->started_ms = clock_mono_ms();
	log_debug(&s->logs->errors, "worker %zu started as process %ld", index,
		  (long)pid);
}

static void
tell_how_it_died(struct supervisor *s, size_t index, pid_t pid, int status)
{
	const struct log *log = &s->logs->errors;

	if (WIFSIGNALED(status))
		log_error(log, "worker %zu (process %ld) was killed by signal %d (%s)%s",
			  index, (long)pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
			  WCOREDUMP(status) ? ", core dumped" : "");
	else if (WEXITSTATUS(status) != 0 || s->phase == RUNNING)
		log_error(log, "worker %zu (process %ld) exited with status %d", index,
			  (long)pid, WEXITSTATUS(status));
}

static void
reap(struct supervisor *s, size_t index, int status)
{
	struct slot *slot = &s->slots[index];
	uint64_t now = clock_mono_ms();
	uint64_t wait;

	tell_how_it_died(s, index, slot->pid, status);
	close(slot->channel);
	slot->channel = -1;
	slot->pid = 0;
	/* What it had open is closed. */
	atomic_store(&s->counters[index].v[COUNTER_CONNECTIONS_OPEN], 0);
	clients_forget(s->clients, index);
	if (s->phase != RUNNING)
		return;
	if (!s->served && !slot->ready) {
		give_up(s);
		return;
	}
	slot->ready = false;
	slot->failures = now - slot->started_ms >= HEALTHY_MS ? 0 : slot->failures + 1;
	wait = slot->failures == 0 ? 0 : backoff_ms(slot);
	slot->restart_ms = now + wait;
	log_info(&s->logs->errors, "worker %zu starts again in %llu ms", index,
		 (unsigned long long)wait);
}

static void
reap_all(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < s->slot_count; i++) {
			if (s->slots[i].pid == pid)
				reap(s, i, status);
		}
	}
}

static void
send_all(struct supervisor *s, const struct channel_message *m)
{
	for (size_t i = 0; i < s->slot_count; i++) {
		int rc = s->slots[i].pid != 0 ? channel_send(s->slots[i].channel, m) : 0;

		if (rc < 0 && rc != -EPIPE)
			log_error(&s->logs->errors,
				  "worker %zu: cannot send it a message: %s", i,
				  strerror(-rc));
	}
}

/* --- phases and signals --- */

static void
enter_phase(struct supervisor *s, enum phase phase)
{
	struct channel_message m = { .type = CHANNEL_STOP };

	s->phase = phase;
	if (phase == DRAINING) {
		m.type = CHANNEL_DRAIN;
		m.arg = s->conf->timeouts.shutdown_ms;
		s->deadline_ms = clock_mono_ms() + m.arg + DRAIN_GRACE_MS;
	} else {
		s->deadline_ms = clock_mono_ms() + STOP_GRACE_MS;
	}
	send_all(s, &m);
	sockets_close(&s->sockets, true);
}

static void
kill_all(struct supervisor *s)
{
	for (size_t i = 0; i < s->slot_count; i++) {
		if (s->slots[i].pid == 0)
			continue;
		log_error(&s->logs->errors,
			  "worker %zu (process %ld) does not end; killing it", i,
			  (long)s->slots[i].pid);
		kill(s->slots[i].pid, SIGKILL);
	}
	s->deadline_ms = clock_mono_ms() + STOP_GRACE_MS;
}

static void
on_stop_signal(struct supervisor *s, int signal)
{
	if (s->phase == RUNNING) {
		log_info(&s->logs->errors, "%s: finishing, at most %u ms",
			 signal == SIGTERM  ? "SIGTERM"
			 : signal == SIGINT ? "SIGINT"
					    : "SIGQUIT",
			 s->conf->timeouts.shutdown_ms);
		enter_phase(s, DRAINING);
	} else if (s->phase == DRAINING && signal != SIGQUIT) {
		log_info(&s->logs->errors, "a second signal: stopping now");
		enter_phase(s, STOPPING);
	}
}

static void
reopen_logs(struct supervisor *s)
{
	struct channel_message m = { .type = CHANNEL_LOGS };

	logs_reopen(s->logs, s->conf);
	if (s->logs->error_fd >= 0) {
		m.arg |= CHANNEL_ERROR_LOG;
		m.fds[m.fd_count++] = s->logs->error_fd;
	}
	if (s->logs->access_fd > STDERR_FILENO) {
		m.arg |= CHANNEL_ACCESS_LOG;
		m.fds[m.fd_count++] = s->logs->access_fd;
	}
	if (m.fd_count > 0)
		send_all(s, &m);
}

static void
on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		on_stop_signal(s, (int)info.ssi_signo);
		break;
	case SIGUSR1:
		reopen_logs(s);
		break;
	case SIGCHLD:
		reap_all(s);
		break;
	default:
		log_warning(&s->logs->errors, "signal %u has no meaning in this version",
			    info.ssi_signo);
	}
}

static void
announce(struct supervisor *s, const struct slot *slot)
{
	if (s->served) {
		log_info(&s->logs->errors, "worker %zu serves again",
			 (size_t)(slot - s->slots));
		return;
	}
	for (size_t i = 0; i < s->slot_count; i++) {
		if (!s->slots[i].ready)
			return;
	}
	s->served = true;
	log_info(&s->logs->errors, "ready: %zu worker%s", s->slot_count,
		 s->slot_count == 1 ? "" : "s");
	if (s->ready_fd < 0)
		return;
	if (write(s->ready_fd, DAEMONIZE_READY, 1) < 0)
		log_error(&s->logs->errors, "cannot tell that we are ready: %s",
			  strerror(errno));
	close(s->ready_fd);
	s->ready_fd = -1;
}

static void
on_worker_message(struct supervisor *s, struct slot *slot)
{
	struct channel_message m;
	int rc = channel_receive(slot->channel, &m);

	if (rc == 1 && m.type == CHANNEL_READY) {
		bool was_ready = slot->ready;

		slot->ready = true;
		if (!was_ready)
			announce(s, slot);
	}
}

/* --- the loop --- */

/* The nearest of the deadlines, for poll. */
static int
poll_timeout(const struct supervisor *s)
{
	uint64_t now = clock_mono_ms();
	uint64_t due = s->phase == RUNNING ? UINT64_MAX : s->deadline_ms;

	for (size_t i = 0; s->phase == RUNNING && i < s->slot_count; i++) {
		if (s->slots[i].pid == 0 && s->slots[i].restart_ms < due)
			due = s->slots[i].restart_ms;
	}
	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)(due - now) + 1;
}

static void
work_off_deadlines(struct supervisor *s)
{
	uint64_t now = clock_mono_ms();

	if (s->phase == RUNNING) {
		for (size_t i = 0; i < s->slot_count && !s->is_worker; i++) {
			if (s->slots[i].pid == 0 && now >= s->slots[i].restart_ms)
				spawn(s, i);
		}
	} else if (now >= s->deadline_ms) {
		kill_all(s);
	}
}

static bool
has_workers(const struct supervisor *s)
{
	for (size_t i = 0; i < s->slot_count; i++) {
		if (s->slots[i].pid != 0)
			return true;
	}
	return false;
}

static void
wait_for_events(struct supervisor *s, struct pollfd *polled)
{
	polled[0] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
	for (size_t i = 0; i < s->slot_count; i++) {
		/* A channel that ended would wake us until its worker is reaped. */
		polled[i + 1] =
			(struct pollfd){ .fd = s->slots[i].ready ? -1
								 : s->slots[i].channel,
					 .events = POLLIN };
	}
	if (poll(polled, s->slot_count + 1, poll_timeout(s)) <= 0)
		return;
	for (size_t i = 0; i < s->slot_count; i++) {
		if ((polled[i + 1].revents & POLLIN) != 0)
			on_worker_message(s, &s->slots[i]);
	}
	if (polled[0].revents != 0)
		on_signal(s);
}

static void
run(struct supervisor *s)
{
	struct pollfd *polled = calloc(s->slot_count + 1, sizeof(*polled));

	if (polled == NULL) {
		log_error(&s->logs->errors, "out of memory");
		s->exit_status = 1;
		return;
	}
	while (s->phase == RUNNING || has_workers(s)) {
		work_off_deadlines(s);
		if (s->is_worker)
			break;
		wait_for_events(s, polled);
	}
	free(polled);
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
	s->slot_count = s->conf->workers;
	s->slots = calloc(s->slot_count, sizeof(*s->slots));
	s->counters = counters_new(s->slot_count);
	s->clients = clients_new(s->slot_count);
	for (size_t i = 0; s->slots != NULL && i < s->slot_count; i++)
		s->slots[i].channel = -1;
	return s->slots != NULL && s->counters != NULL && s->clients != NULL ? 0 : -1;
}

static void
write_pid_file(struct supervisor *s, struct buf *errors)
{
	const char *path = s->conf->pid_file;
	char text[32];
	int rc = 0, fd, len;

	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		rc = -errno;
	} else {
		len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
		rc = fs_write_full(fd, text, (size_t)len);
		close(fd);
	}
	if (rc < 0)
		conf_report(errors, &s->conf->pid_file_place,
			    "cannot write the pid file %s: %s", path, strerror(-rc));
}

static int
start(struct supervisor *s, const struct site *site)
{
	struct buf errors;

	buf_init(&errors);
	/* First: a signal from here on ends in an orderly stop. */
	s->signal_fd = block_signals();
	if (s->signal_fd < 0)
		buf_printf(&errors, "signalfd: %s\n", strerror(-s->signal_fd));
	else if (make_slots(s) < 0)
		buf_add_str(&errors, "out of memory\n");
	else if (sockets_open(&s->sockets, site, s->slot_count, &s->logs->errors,
			      &errors) == 0)
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
	for (size_t i = 0; i < s->slot_count && s->slots != NULL; i++) {
		if (s->slots[i].channel >= 0)
			close(s->slots[i].channel);
	}
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->ready_fd >= 0)
		close(s->ready_fd);
	sockets_close(&s->sockets, !s->is_worker);
	counters_free(s->counters, s->slot_count);
	clients_free(s->clients);
	free(s->slots);
}

int
supervisor_run(const struct config *conf, const struct site *site, struct logs *logs,
	       int ready_fd)
{
	struct supervisor s = {
		.conf = conf,
		.logs = logs,
		.signal_fd = -1,
		.ready_fd = ready_fd,
		.started = clock_unix(),
	};

	if (start(&s, site) == 0) {
		/* From here on there is only the log to complain to. */
		if (ready_fd >= 0 && daemonize_detach() < 0)
			log_warning(&logs->errors, "cannot let go of the terminal");
		run(&s);
		if (!s.is_worker && conf->pid_file != NULL)
			unlink(conf->pid_file);
		if (!s.is_worker)
			log_info(&logs->errors, "stopped");
	}
	fini(&s);
	return s.exit_status;
}
