/* SPDX-License-Identifier: BSD-2-Clause
 *
 * slots: fork, and what can be said about a child. A block of counters belongs to a slot and
 * keeps its sums when it goes to the next: totals never go back, and one process at a time
 * writes to it.
 */
#include "app/slots.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/channel.h"
#include "app/worker.h"
#include "base/clients.h"
#include "base/clock.h"
#include "base/quota.h"

#define HEALTHY_MS 10000 /* who lived that long did not die at once */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define DRAIN_GRACE_MS 1000 /* beyond the workers' own deadline */
#define STOP_GRACE_MS 1000

int
slots_take_blocks(struct supervisor *s, struct generation *g)
{
	size_t block = BLOCK_SUPERVISOR + 1;

	for (size_t i = 0; i < g->slot_count; i++) {
		while (block < BLOCKS_MAX && s->block_taken[block])
			block++;
		if (block == BLOCKS_MAX)
			return -ENOSPC;
		g->slots[i].block = block;
		s->block_taken[block] = true;
		if (block >= s->block_count)
			s->block_count = block + 1;
	}
	g->block_count = s->block_count;
	return 0;
}

/* The child has no business with the workers and the files of others. */
static void
let_go(struct supervisor *s, struct generation *own)
{
	struct generation *all[] = { s->current, s->coming };

	s->is_worker = true;
	s->yielding = NULL;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] != own)
			generation_free(all[i]);
	}
	s->current = own;
	s->coming = NULL;
	while (s->ending != NULL) {
		struct generation *g = s->ending;

		s->ending = g->next;
		generation_free(g);
	}
	for (size_t i = 0; i < own->slot_count; i++) {
		if (own->slots[i].channel >= 0)
			close(own->slots[i].channel);
		own->slots[i].channel = -1;
	}
	close(s->signal_fd);
	s->signal_fd = -1;
	if (s->ready_fd >= 0)
		close(s->ready_fd);
	s->ready_fd = -1;
}

static int
run_as_worker(struct supervisor *s, struct generation *g, size_t index, int channel)
{
	struct worker_boot boot = {
		.conf = g->conf,
		.sockets = &g->sockets,
		.logs = &g->logs,
		.counters = s->counters,
		.clients = g->clients,
		.quota = g->quota,
		.unfinished = g->unfinished,
		.blocks = g->block_count,
		.block = g->slots[index].block,
		.slots = g->slot_count,
		.slot = index,
		.started = s->started,
		.channel = channel,
		.waits = g->state == GENERATION_STARTING,
	};
	int status;

	let_go(s, g);
	sockets_keep(&g->sockets, index);
	status = worker_run(&boot);
	close(channel);
	return status;
}

int
slot_spawn(struct supervisor *s, struct generation *g, size_t index)
{
	struct slot *slot = &g->slots[index];
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
		log_error(&g->logs.errors, "cannot start worker %zu: %s", index,
			  strerror(-rc));
		return rc;
	}
	if (pid == 0) {
		close(fds[0]);
		s->exit_status = run_as_worker(s, g, index, fds[1]);
		return 0;
	}
	close(fds[1]);
	slot->pid = pid;
	slot->channel = fds[0];
	slot->ready = slot->yielded = slot->hung_up = false;
	slot->started_ms = clock_mono_ms();
	log_debug(&g->logs.errors, "worker %zu started as process %ld", index, (long)pid);
	return 0;
}

void
slot_back_off(struct slot *slot)
{
	uint64_t now = clock_mono_ms();
	bool was_healthy = slot->ready && now - slot->started_ms >= HEALTHY_MS;
	uint64_t ms = BACKOFF_MIN_MS;

	slot->ready = false;
	slot->failures = was_healthy ? 0 : slot->failures + 1;
	for (unsigned i = 1; i < slot->failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	slot->restart_ms = now + (was_healthy ? 0 : ms);
}

static void
tell_how_it_died(const struct generation *g, size_t index, int status)
{
	const struct log *log = &g->logs.errors;
	long pid = (long)g->slots[index].pid;
	bool is_wanted =
		g->state == GENERATION_DRAINING || g->state == GENERATION_STOPPING;

	if (WIFSIGNALED(status))
		log_error(log, "worker %zu (process %ld) was killed by signal %d (%s)%s",
			  index, pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
			  WCOREDUMP(status) ? ", core dumped" : "");
	else if (WEXITSTATUS(status) != 0 || !is_wanted)
		log_error(log, "worker %zu (process %ld) exited with status %d", index,
			  pid, WEXITSTATUS(status));
}

void
slot_reap(struct supervisor *s, struct generation *g, size_t index, int status)
{
	struct slot *slot = &g->slots[index];

	tell_how_it_died(g, index, status);
	close(slot->channel);
	slot->channel = -1;
	slot->pid = 0;
	slot->yielded = true;
	/* What it had open is closed. */
	clients_forget(g->clients, index);
	if (g->quota != NULL)
		quota_forget(g->quota, index);
	if (g->unfinished != NULL)
		quota_forget(g->unfinished, index);
	atomic_store(&s->counters[slot->block].v[COUNTER_CONNECTIONS_OPEN], 0);
}

void
slots_send(struct generation *g, const struct channel_message *m)
{
	for (size_t i = 0; i < g->slot_count; i++) {
		int rc = g->slots[i].pid != 0 ? channel_send(g->slots[i].channel, m) : 0;

		if (rc < 0 && rc != -EPIPE)
			log_error(&g->logs.errors,
				  "worker %zu: cannot send it a message: %s", i,
				  strerror(-rc));
	}
}

void
slots_end(struct generation *g, enum channel_type how, uint32_t ms)
{
	struct channel_message m = { .type = how, .arg = ms };
	uint64_t deadline = clock_mono_ms() + STOP_GRACE_MS;
	bool was_ending =
		g->state == GENERATION_DRAINING || g->state == GENERATION_STOPPING;

	if (how != CHANNEL_STOP)
		deadline = clock_mono_ms() + ms + DRAIN_GRACE_MS;
	if (!was_ending || deadline < g->deadline_ms)
		g->deadline_ms = deadline;
	if (g->state != GENERATION_STOPPING)
		g->state =
			how == CHANNEL_STOP ? GENERATION_STOPPING : GENERATION_DRAINING;
	slots_send(g, &m);
	sockets_close(&g->sockets, true);
}

void
slots_kill(struct generation *g)
{
	for (size_t i = 0; i < g->slot_count; i++) {
		if (g->slots[i].pid == 0)
			continue;
		log_error(&g->logs.errors,
			  "worker %zu (process %ld) does not end; killing it", i,
			  (long)g->slots[i].pid);
		kill(g->slots[i].pid, SIGKILL);
	}
	g->deadline_ms = clock_mono_ms() + STOP_GRACE_MS;
}

void
slots_bury(struct supervisor *s, struct generation *g)
{
	for (size_t i = 0; i < g->slot_count; i++) {
		if (g->slots[i].block != BLOCK_SUPERVISOR)
			s->block_taken[g->slots[i].block] = false;
	}
	generation_free(g);
}
