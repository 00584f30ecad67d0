/* SPDX-License-Identifier: BSD-2-Clause
 *
 * supervisor: the parent of all workers. Opens what needs privilege, forks one worker per
 * slot, restarts those that die, answers signals. It reads no byte from the network.
 */
#ifndef WEBSRV_APP_SUPERVISOR_H
#define WEBSRV_APP_SUPERVISOR_H

#include "conf/config.h"

struct buf;
struct generation;

struct supervisor_boot {
	/* Reads the configuration again, for a reload: the config, or NULL with messages. */
	struct config *(*load)(void *arg, struct buf *errors);
	void *load_arg;
	/* In the background (else -1): gets one byte when all workers serve, and is closed. */
	int ready_fd;
};

/*
 * Runs until it is told to stop; the exit status. Takes over `first`, whose `start` and `logs`
 * are open. In a worker process this returns too, with the worker's exit status: the caller
 * cleans up alike. Errors at start are printed to stderr.
 */
int supervisor_run(struct generation *first, const struct supervisor_boot *boot);

#endif
