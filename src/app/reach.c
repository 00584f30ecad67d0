/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reach: directories are opened by who we are, as a worker opens them before it drops its
 * privileges; then they are looked at as who serves. The answers are in shared memory.
 */
#include "app/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/privileges.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/lint.h"

struct look {
	const char *path;
	const struct conf_place *place;
	const char *verb;
	int mode;  /* of access(2) */
	int fd;    /* -1: it cannot be opened */
	int error; /* what came out */
};

struct looks {
	struct look *items; /* shared with the child */
	size_t count, size;
};

static size_t
count_routes(const struct config *conf)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		n += conf->servers[i].route_count;
	return n;
}

static void
add_route(struct looks *all, const struct conf_route *r)
{
	if ((r->actions & CONF_ACTION_FILES) != 0)
		all->items[all->count++] = (struct look){
			.path = r->files.root,
			.place = &r->files.root_place,
			.verb = r->files.listing ? "list" : "enter",
			.mode = r->files.listing ? R_OK | X_OK : X_OK,
		};
	if ((r->actions & CONF_ACTION_UPLOAD) != 0)
		all->items[all->count++] = (struct look){
			.path = r->upload.directory,
			.place = &r->upload.directory_place,
			.verb = "write to",
			.mode = W_OK | X_OK,
		};
}

/* False: we could not become who serves. */
static bool
look_at_all(struct looks *all, const struct config *conf, bool drop)
{
	struct log quiet = { STDERR_FILENO, LOG_LEVEL_ERROR };

	for (size_t i = 0; i < all->count; i++)
		all->items[i].fd = fs_open_dir(all->items[i].path);
	if (drop && privileges_drop(conf, &quiet) < 0)
		return false;
	for (size_t i = 0; i < all->count; i++) {
		struct look *k = &all->items[i];

		if (k->fd >= 0 && faccessat(k->fd, ".", k->mode, AT_EACCESS) < 0)
			k->error = errno;
		if (k->fd >= 0)
			close(k->fd);
	}
	return true;
}

static void
look_as_user(struct lint *l, struct looks *all, const struct config *conf)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(look_at_all(all, conf, true) ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || status != 0)
		lint_warning(l, &conf->user_place,
			     "nobody could look whether \"%s\" may read what is served: "
			     "no process could become that user",
			     conf->user);
}

static void
report(struct lint *l, const struct looks *all, const char *user)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct look *k = &all->items[i];

		if (k->error != 0)
			lint_warning(l, k->place,
				     "\"%s\", who serves, may not %s %s: %s; change its "
				     "owner or mode, or write another directory",
				     user, k->verb, k->path, strerror(k->error));
	}
}

void
reach_check(struct lint *l, const struct config *conf)
{
	const struct passwd *pw =
		conf->user != NULL ? getpwnam(conf->user) : getpwuid(geteuid());
	bool drop = geteuid() == 0 && conf->user != NULL;
	struct looks all = { .size = (2 * count_routes(conf) + 1) * sizeof(struct look) };

	if (pw == NULL ? conf->user != NULL : !drop && pw->pw_uid != geteuid())
		return;
	all.items = mmap(NULL, all.size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all.items == MAP_FAILED) {
		l->failed = true;
		return;
	}
	for (size_t i = 0; i < conf->server_count; i++) {
		for (size_t k = 0; k < conf->servers[i].route_count; k++)
			add_route(&all, &conf->servers[i].routes[k]);
	}
	if (drop)
		look_as_user(l, &all, conf);
	else
		(void)look_at_all(&all, conf, false);
	report(l, &all, lint_text(l, "%s", pw != NULL ? pw->pw_name : "this user"));
	munmap(all.items, all.size);
}
