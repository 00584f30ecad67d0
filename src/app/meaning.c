/* SPDX-License-Identifier: BSD-2-Clause
 *
 * meaning: tries what a start would do, without leaving a trace. What only root may do is tried
 * by who asks; a test by another user warns of it.
 */
#include "app/meaning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/logs.h"
#include "app/reach.h"
#include "app/sockets.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/number.h"
#include "core/lint.h"
#include "core/site.h"

#define COMM_MAX 64

/* --- what a start would open --- */

static bool
is_refused(int error)
{
	return (error == -EACCES || error == -EPERM) && geteuid() != 0;
}

/* `by_root`: it is meant to be started as root. */
static void
complain(struct lint *l, const struct conf_place *place, bool by_root, const char *what,
	 const char *which, int error)
{
	if (by_root && is_refused(error))
		lint_warning(l, place,
			     "%s %s as this user: %s; a start as root is not tested by "
			     "this",
			     what, which, strerror(-error));
	else if (error == -EADDRINUSE)
		lint_error(l, place,
			   "%s %s: %s; stop the program that listens there, or write "
			   "another address",
			   what, which, strerror(-error));
	else if (error == -EADDRNOTAVAIL)
		lint_error(l, place,
			   "%s %s: %s; no interface of this machine has it, so write "
			   "another one",
			   what, which, strerror(-error));
	else
		lint_error(l, place, "%s %s: %s", what, which, strerror(-error));
}

/* Could it be opened for writing, and created if need be? 0 or -errno. */
static int
try_file(struct lint *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
	}
	if (errno != ENOENT || slash == NULL)
		return -errno;
	path = lint_text(l, "%.*s", (int)(slash - path) + 1, path);
	return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static void
check_file(struct lint *l, const struct config *conf, const struct conf_place *place,
	   const char *what, const char *path)
{
	int rc = try_file(l, path);

	if (rc < 0)
		complain(l, place, conf->user != NULL, what, path, rc);
}

static void
check_files(struct lint *l, const struct config *conf)
{
	const struct conf_logs *logs = &conf->logs;

	if (conf->pid_file != NULL)
		check_file(l, conf, &conf->pid_file_place, "cannot write the pid file",
			   conf->pid_file);
	if (logs->error.target == CONF_LOG_FILE)
		check_file(l, conf, &logs->error.place, "cannot open the error log",
			   logs->error.path);
	if (logs->access.enabled && logs->access.target == CONF_LOG_FILE)
		check_file(l, conf, &logs->access.place, "cannot open the access log",
			   logs->access.path);
}

/* --- addresses --- */

static bool
read_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = f != NULL && fgets(out, (int)size, f) != NULL;

	if (f != NULL)
		fclose(f);
	if (ok)
		out[strcspn(out, "\n")] = '\0';
	return ok;
}

/* Does the pid file name a process of our own name? Then it is what is in our way, and makes
 * room when it is stopped: an address that it holds as another user is no mistake. */
static bool
is_running(struct lint *l, const struct config *conf)
{
	char pid[COMM_MAX], own[COMM_MAX], other[COMM_MAX];
	uint64_t number;

	return conf->pid_file != NULL && read_line(conf->pid_file, pid, sizeof(pid)) &&
	       number_dec(slice_from_str(pid), INT32_MAX, &number) == 0 &&
	       read_line("/proc/self/comm", own, sizeof(own)) &&
	       read_line(lint_text(l, "/proc/%s/comm", pid), other, sizeof(other)) &&
	       strcmp(own, other) == 0;
}

static bool
is_first(const struct config *conf, const struct conf_server *server,
	 const struct conf_listen *l)
{
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->listen_count; k++) {
			if (s == server && &s->listens[k] == l)
				return true;
			if (conf_listen_is_same(&s->listens[k], l))
				return false;
		}
	}
	return true;
}

static void
check_listen(struct lint *l, const struct config *conf, const struct conf_listen *listen)
{
	int rc = sockets_try(listen);
	bool by_root = conf->user != NULL || listen->family != CONF_UNIX;

	if (rc < 0 && !(rc == -EADDRINUSE && is_running(l, conf)))
		complain(l, &listen->place, by_root, "cannot listen on", listen->text,
			 rc);
}

static void
check_listens(struct lint *l, const struct config *conf)
{
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->listen_count; k++) {
			if (is_first(conf, s, &s->listens[k]))
				check_listen(l, conf, &s->listens[k]);
		}
	}
}

/* --- the whole --- */

static void
check_site(struct lint *l, const struct site *site)
{
	if (site == NULL)
		return;
	lint_redirects(l, site);
	lint_routes(l, site);
	lint_files(l, site);
	lint_auth(l, site);
}

int
meaning_test(const struct config *conf, const struct site *site, struct buf *out,
	     size_t *warnings)
{
	struct lint l;
	int rc;

	lint_init(&l, conf);
	check_site(&l, site);
	check_listens(&l, conf);
	check_files(&l, conf);
	reach_check(&l, conf);
	lint_print(&l, true, out);
	*warnings = l.warnings;
	rc = l.errors != 0 || l.failed ? -1 : 0;
	lint_fini(&l);
	return rc;
}

int
meaning_start(const struct config *conf, const struct site *site, const struct log *log,
	      struct buf *errors)
{
	struct lint l;
	struct buf text;
	int rc;

	lint_init(&l, conf);
	buf_init(&text);
	check_site(&l, site);
	rc = l.errors != 0 || l.failed ? -1 : 0;
	lint_print(&l, rc < 0, rc < 0 ? errors : &text);
	logs_tell(log, LOG_LEVEL_WARNING, buf_slice(&text));
	buf_fini(&text);
	lint_fini(&l);
	return rc;
}
