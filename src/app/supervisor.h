/* SPDX-License-Identifier: BSD-2-Clause
 *
 * supervisor: the parent of all workers. Opens what needs privilege, forks one worker per
 * slot, restarts those that die, answers signals. It reads no byte from the network.
 */
#ifndef WEBSRV_APP_SUPERVISOR_H
#define WEBSRV_APP_SUPERVISOR_H

#include "app/logs.h"
#include "conf/config.h"

struct site;

/*
 * Runs until it is told to stop; the exit status. `logs` are open; `site` tells the
 * addresses. In the background `ready_fd` (else -1) gets one byte when all workers serve, and
 * is closed. In a worker process this returns too, with the worker's exit status: the
 * caller cleans up alike. Errors at start are printed to stderr.
 */
int supervisor_run(const struct config *conf, const struct site *site, struct logs *logs,
		   int ready_fd);

#endif
