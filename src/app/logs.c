/* SPDX-License-Identifier: BSD-2-Clause
 *
 * logs: open, reopen, close.
 */
#include "app/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/load.h"

void
logs_init(struct logs *l)
{
	*l = (struct logs){ .errors = { STDERR_FILENO, LOG_LEVEL_INFO },
			    .error_fd = -1,
			    .access_fd = -1 };
}

/* Append: several processes write whole lines to one file. A pipe that nobody reads is an error,
 * and nothing to wait for: the supervisor would hear no signal meanwhile. */
static int
open_log(const char *path)
{
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		      0640);
	int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

	if (fd >= 0 && (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd >= 0 ? fd : -errno;
}

static void
replace_fd(int *fd, int with)
{
	if (*fd > STDERR_FILENO)
		close(*fd);
	*fd = with;
}

int
logs_open(struct logs *l, const struct config *conf, struct buf *errors)
{
	int rc = 0;
	int fd;

	l->errors.level = (enum log_level)conf->logs.error.level;
	if (conf->logs.error.target == CONF_LOG_SYSLOG) {
		openlog("websrv", LOG_PID | LOG_NDELAY, LOG_DAEMON);
		l->errors.fd = -1;
	} else if (conf->logs.error.target == CONF_LOG_FILE) {
		fd = open_log(conf->logs.error.path);
		if (fd < 0) {
			conf_report(errors, &conf->logs.error.place,
				    "cannot open the error log %s: %s",
				    conf->logs.error.path, strerror(-fd));
			rc = -1;
		} else {
			replace_fd(&l->error_fd, fd);
			l->errors.fd = fd;
		}
	}
	if (!conf->logs.access.enabled)
		return rc;
	fd = conf->logs.access.target == CONF_LOG_FILE ? open_log(conf->logs.access.path)
						       : STDERR_FILENO;
	if (fd < 0) {
		conf_report(errors, &conf->logs.access.place,
			    "cannot open the access log %s: %s", conf->logs.access.path,
			    strerror(-fd));
		return -1;
	}
	replace_fd(&l->access_fd, fd);
	return rc;
}

void
logs_close(struct logs *l)
{
	replace_fd(&l->error_fd, -1);
	replace_fd(&l->access_fd, -1);
	logs_init(l);
}

void
logs_take(struct logs *l, int error_fd, int access_fd)
{
	if (error_fd >= 0) {
		l->errors.fd = error_fd;
		replace_fd(&l->error_fd, error_fd);
	}
	if (access_fd >= 0)
		replace_fd(&l->access_fd, access_fd);
}

static int
reopen(struct logs *l, const char *path)
{
	int fd = open_log(path);

	if (fd < 0)
		log_error(&l->errors, "cannot reopen %s: %s; the old file stays in use",
			  path, strerror(-fd));
	return fd;
}

void
logs_reopen(struct logs *l, const struct config *conf)
{
	int error_fd = -1, access_fd = -1;

	if (conf->logs.error.target == CONF_LOG_FILE)
		error_fd = reopen(l, conf->logs.error.path);
	if (conf->logs.access.enabled && conf->logs.access.target == CONF_LOG_FILE)
		access_fd = reopen(l, conf->logs.access.path);
	logs_take(l, error_fd, access_fd);
	log_info(&l->errors, "logs reopened");
}

void
logs_tell(const struct log *log, enum log_level level, struct slice lines)
{
	void (*tell)(const struct log *, const char *, ...) =
		level == LOG_LEVEL_ERROR ? log_error : log_warning;

	while (lines.len > 0) {
		size_t n = slice_find(lines, '\n');

		tell(log, "%.*s", (int)n, lines.ptr);
		lines = slice_from(lines, n + 1);
	}
}
