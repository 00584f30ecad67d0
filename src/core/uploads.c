/* SPDX-License-Identifier: BSD-2-Clause
 *
 * uploads: directories are compared as the kernel knows them, by device and inode at the start
 * and by the names that it has for open ones later: both follow them when they are renamed.
 */
#include "core/uploads.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"

#define DEPTH_MAX (PATH_MAX / 2)

/* --- directories --- */

static void
add(struct upload_dirs *d, const char *path)
{
	int fd = fs_open_dir(path);
	struct stat st;
	bool known = false;

	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0)
		known = true;
	for (size_t i = 0; i < d->count && !known; i++)
		known = d->items[i].dev == st.st_dev && d->items[i].ino == st.st_ino;
	if (known)
		close(fd);
	else
		d->items[d->count++] = (struct upload_dir){ fd, st.st_dev, st.st_ino };
}

int
upload_dirs_open(struct upload_dirs *d, const struct config *conf, struct arena *a)
{
	size_t total = 0;

	*d = (struct upload_dirs){ 0 };
	for (size_t i = 0; i < conf->server_count; i++)
		total += conf->servers[i].route_count;
	d->items = arena_alloc(a, (total + 1) * sizeof(*d->items));
	if (d->items == NULL)
		return -1;
	for (size_t i = 0; i < conf->server_count; i++) {
		for (size_t k = 0; k < conf->servers[i].route_count; k++) {
			const struct conf_route *r = &conf->servers[i].routes[k];

			if ((r->actions & CONF_ACTION_UPLOAD) != 0)
				add(d, r->upload.directory);
		}
	}
	return 0;
}

void
upload_dirs_close(struct upload_dirs *d)
{
	for (size_t i = 0; i < d->count; i++)
		close(d->items[i].fd);
	d->count = 0;
}

/* Is the directory that one, or somewhere beneath it? Who may not go further up does not see
 * it, and could not have opened it by its name either. */
static bool
is_beneath(int dirfd, dev_t dev, ino_t ino)
{
	int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, before = { 0 };
	bool found = false;

	for (int depth = 0; fd >= 0 && depth < DEPTH_MAX; depth++) {
		int up;

		if (fstat(fd, &st) < 0)
			break;
		found = st.st_dev == dev && st.st_ino == ino;
		/* Above the top is the top. */
		if (found || (depth > 0 && st.st_dev == before.st_dev &&
			      st.st_ino == before.st_ino))
			break;
		before = st;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

enum upload_part
upload_dirs_relate(const struct upload_dirs *d, int dirfd)
{
	enum upload_part part = UPLOADS_NONE;
	struct stat root;

	if (fstat(dirfd, &root) < 0)
		return d->count == 0 ? UPLOADS_NONE : UPLOADS_ALL;
	for (size_t i = 0; i < d->count; i++) {
		if (is_beneath(dirfd, d->items[i].dev, d->items[i].ino))
			return UPLOADS_ALL;
		if (is_beneath(d->items[i].fd, root.st_dev, root.st_ino))
			part = UPLOADS_SOME;
	}
	return part;
}

bool
upload_dirs_hold(const struct upload_dirs *d, const char *path)
{
	char dir[PATH_MAX];

	for (size_t i = 0; i < d->count; i++) {
		if (fs_path_of(d->items[i].fd, dir) < 0 ||
		    fs_path_beneath(path, dir) != NULL)
			return true;
	}
	return false;
}

/* --- what the route says --- */

static const struct conf_pairs *
headers_of_server(const struct config *conf, const struct conf_route *route)
{
	static const struct conf_pairs none = { 0 };

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		for (size_t k = 0; k < s->route_count; k++) {
			if (&s->routes[k] == route)
				return &s->headers;
		}
	}
	return &none;
}

static const char *
value_of(const struct conf_pairs *headers, const char *name)
{
	for (size_t i = 0; i < headers->count; i++) {
		if (strcasecmp(headers->items[i].name, name) == 0)
			return headers->items[i].value;
	}
	return NULL;
}

/* A header that the route has from its server has the very value of it. */
static bool
is_said_by_route(const struct conf_pairs *server, const struct conf_route *route,
		 const char *name)
{
	return value_of(&route->headers, name) != value_of(server, name);
}

struct upload_guard
upload_guard_of(const struct config *conf, const struct conf_route *route)
{
	const struct conf_pairs *server = headers_of_server(conf, route);

	return (struct upload_guard){
		.nosniff = !is_said_by_route(server, route, "X-Content-Type-Options"),
		.sandbox = !is_said_by_route(server, route, "Content-Security-Policy"),
		.policy = value_of(server, "Content-Security-Policy"),
		.attachment = !is_said_by_route(server, route, "Content-Disposition"),
		.own_type = value_of(&route->headers, "Content-Type"),
	};
}
