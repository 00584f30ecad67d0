/* SPDX-License-Identifier: BSD-2-Clause
 *
 * start: the checks before serving.
 */
#include "app/start.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/privileges.h"
#include "base/buf.h"
#include "base/clock.h"
#include "handler/file_shared.h"
#include "handler/handlers.h"
#include "net/conn.h"

#define OTHER_DESCRIPTORS 64 /* roots, logs, sockets, uploads */

static int
open_site(struct start *s, const struct config *conf, struct logs *logs, bool explains,
	  struct buf *errors)
{
	struct handler_env env = { .conf = conf,
				   .log = &logs->errors,
				   .counters = &s->counters,
				   .status = &s->status,
				   .explains = explains };
	int users;

	*s = (struct start){ 0 };
	s->status = (struct server_status){ .blocks = &s->counters,
					    .block_count = 1,
					    .end_names = conn_end_names(),
					    .end_count = CONN_END_COUNT,
					    .started = clock_unix(),
					    .draining = &s->draining };
	users = privileges_check(conf, errors);
	s->files = file_shared_new(conf, NULL, 0);
	if (s->files == NULL) {
		buf_add_str(errors, "out of memory\n");
		return -1;
	}
	env.files = s->files;
	s->site = site_new(conf, &env, handler_kinds, &errpage_handler, errors);
	return s->site != NULL && users == 0 ? 0 : -1;
}

int
start_open(struct start *s, const struct config *conf, struct logs *logs,
	   struct buf *errors)
{
	return open_site(s, conf, logs, false, errors);
}

int
start_open_explained(struct start *s, const struct config *conf, struct logs *logs,
		     struct buf *errors)
{
	return open_site(s, conf, logs, true, errors);
}

void
start_close(struct start *s)
{
	site_free(s->site);
	file_shared_free(s->files);
	*s = (struct start){ 0 };
}

void
start_warn(const struct config *conf, const struct log *log)
{
	if (geteuid() == 0 && conf->user == NULL)
		log_warning(log,
			    "started as root, and no \"user\" is configured: the workers "
			    "stay root");
	if (geteuid() != 0 && conf->user != NULL)
		log_warning(log, "not started as root: \"user\" has no effect");
}

void
start_raise_limits(const struct config *conf, const struct log *log)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return;
	if (rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
			log_warning(log, "setrlimit: %s", strerror(errno));
	}
	if (rl.rlim_cur < (rlim_t)conf->limits.connections + OTHER_DESCRIPTORS)
		log_warning(log,
			    "the limit of open files (%llu) is too low for "
			    "limits.connections (%u); raise it, or lower that",
			    (unsigned long long)rl.rlim_cur, conf->limits.connections);
}
