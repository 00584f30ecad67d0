/* SPDX-License-Identifier: BSD-2-Clause
 *
 * logs: the log files of the process tree. The supervisor opens and reopens them;
 * workers inherit the descriptors or get new ones over their channel.
 */
#ifndef WEBSRV_APP_LOGS_H
#define WEBSRV_APP_LOGS_H

#include "base/log.h"
#include "base/slice.h"
#include "conf/config.h"

struct buf;

struct logs {
	struct log errors;
	int error_fd;  /* owned; -1 for stderr and syslog */
	int access_fd; /* owned unless it is stderr; -1 = off */
};

/* Before anything is configured: stderr, level info. */
void logs_init(struct logs *l);
/* 0, or -1 with a positioned message in `errors` for each log that cannot be opened. */
int logs_open(struct logs *l, const struct config *conf, struct buf *errors);
void logs_close(struct logs *l);

/* Opens the paths again; a log that cannot be opened stays the old one, and the error log
 * says so. */
void logs_reopen(struct logs *l, const struct config *conf);

/* Takes over descriptors from the supervisor; -1 leaves a log as it is. */
void logs_take(struct logs *l, int error_fd, int access_fd);

/* Each line of a text as an event of its own. */
void logs_tell(const struct log *log, enum log_level level, struct slice lines);

#endif
