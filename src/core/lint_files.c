/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lint_files: directories are compared by their real paths, since two names may be of one
 * directory. What cannot be looked at is no finding here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "core/exchange.h"
#include "core/lint.h"
#include "core/uploads.h"

/* --- paths --- */

/* The real path in the lint's arena; NULL when it is not there or may not be looked at. */
static const char *
real_path(struct lint *l, const char *path)
{
	char *real = realpath(path, NULL);
	const char *text = real != NULL ? lint_text(l, "%s", real) : NULL;

	free(real);
	return text;
}

/* The same for a file that need not be there yet. */
static const char *
real_file(struct lint *l, const char *path)
{
	const char *real = real_path(l, path);
	const char *slash = strrchr(path, '/');
	const char *dir;

	if (real != NULL || slash == NULL)
		return real;
	dir = real_path(l, lint_text(l, "%.*s", (int)(slash - path) + 1, path));
	return dir != NULL ? lint_text(l, "%s%s", strcmp(dir, "/") == 0 ? "" : dir, slash)
			   : NULL;
}

/* Is the file of that name beneath the root answered to who asks for it? */
static bool
is_served(const struct conf_route *r, const char *rest)
{
	/* These look only for what follows the last slash of the path. */
	if (!r->is_prefix && strchr(rest, '/') != NULL)
		return false;
	if (!r->is_prefix && r->path != NULL &&
	    strcmp(strrchr(r->path, '/') + 1, rest) != 0)
		return false;
	if (r->files.hidden)
		return true;
	if (r->path != NULL && strcmp(r->path, "/*") == 0 &&
	    strncmp(rest, ".well-known/", 12) == 0)
		rest += 12;
	return rest[0] != '.' && strstr(rest, "/.") == NULL;
}

/* --- uploads that are served without their guards --- */

/* Only "sandbox" gives a page an origin of its own. */
static bool
has_sandbox(const char *policy)
{
	const char *p = policy;

	while (*p != '\0') {
		p += strspn(p, " \t;,");
		if (strncasecmp(p, "sandbox", 7) == 0 && strchr(" \t;,", p[7]) != NULL) {
			size_t len = strcspn(p, ";,");
			const char *same = strcasestr(p, "allow-same-origin");

			return same == NULL || same >= p + len;
		}
		p += strcspn(p, ";,");
	}
	return false;
}

static const char *
policy_of(const struct conf_route *r)
{
	for (size_t i = 0; i < r->headers.count; i++) {
		if (strcasecmp(r->headers.items[i].name, "Content-Security-Policy") == 0)
			return r->headers.items[i].value;
	}
	return "";
}

static bool
is_attached(const struct conf_route *r)
{
	for (size_t i = 0; i < r->headers.count; i++) {
		const struct conf_pair *h = &r->headers.items[i];

		if (strcasecmp(h->name, "Content-Disposition") == 0)
			return strncasecmp(h->value, "attachment", 10) == 0;
	}
	return false;
}

/* One of both is enough: what is saved runs nothing, nor does what is in the sandbox. */
static bool
is_guarded(const struct config *conf, const struct conf_route *r)
{
	struct upload_guard g = upload_guard_of(conf, r);

	return g.sandbox || g.attachment || has_sandbox(policy_of(r)) || is_attached(r);
}

struct directory {
	const struct conf_route *route;
	const char *path; /* real */
};

struct directories {
	struct directory *roots, *uploads;
	size_t root_count, upload_count;
	struct lint_kind served; /* uploads */
};

static void
add_directory(struct lint *l, struct directory *list, size_t *count,
	      const struct conf_route *r, const char *path)
{
	path = real_path(l, path);
	if (path != NULL)
		list[(*count)++] = (struct directory){ r, path };
}

static bool
collect(struct lint *l, const struct config *conf, struct directories *d)
{
	size_t total = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		total += conf->servers[i].route_count;
	d->roots = arena_zalloc(&l->arena, (total + 1) * sizeof(*d->roots));
	d->uploads = arena_zalloc(&l->arena, (total + 1) * sizeof(*d->uploads));
	if (d->roots == NULL || d->uploads == NULL)
		return false;
	for (size_t i = 0; i < conf->server_count; i++) {
		for (size_t k = 0; k < conf->servers[i].route_count; k++) {
			const struct conf_route *r = &conf->servers[i].routes[k];

			if ((r->actions & CONF_ACTION_FILES) != 0)
				add_directory(l, d->roots, &d->root_count, r,
					      r->files.root);
			if ((r->actions & CONF_ACTION_UPLOAD) != 0)
				add_directory(l, d->uploads, &d->upload_count, r,
					      r->upload.directory);
		}
	}
	return true;
}

/* How the root has to do with uploads to the directory, or NULL: nobody can fetch them. */
static const char *
relate(struct lint *l, const struct directory *root, const struct directory *up)
{
	const char *in = fs_path_beneath(up->path, root->path);

	if (in != NULL && *in == '\0')
		return "serves what is uploaded to the same directory";
	if (in != NULL)
		return is_served(root->route, lint_text(l, "%s/any", in))
			       ? lint_text(l, "serves what is uploaded to %s beneath it",
					   up->path)
			       : NULL;
	return fs_path_beneath(root->path, up->path) != NULL
		       ? lint_text(l, "lies inside the upload directory %s", up->path)
		       : NULL;
}

static void
check_pair(struct lint *l, struct directories *d, const struct directory *root,
	   const struct directory *up)
{
	const struct conf_place *place = &root->route->files.root_place;
	const char *how = relate(l, root, up);

	if (how == NULL || !lint_count(l, &d->served, place))
		return;
	lint_shown(l, &d->served, place,
		   "%s (at %s), and \"headers\" take both guards away: a page among "
		   "them would run its scripts as one of this site; leave "
		   "\"Content-Disposition\" or \"Content-Security-Policy\" out, or name "
		   "another directory",
		   how, lint_where(l, &up->route->upload.directory_place));
}

static void
check_uploads(struct lint *l, const struct config *conf, struct directories *d)
{
	for (size_t i = 0; i < d->root_count; i++) {
		if (is_guarded(conf, d->roots[i].route))
			continue;
		for (size_t k = 0; k < d->upload_count; k++)
			check_pair(l, d, &d->roots[i], &d->uploads[k]);
	}
	lint_rest(l, &d->served);
}

/* --- files that are nobody's business --- */

static void
check_private(struct lint *l, const struct directories *d, const char *what,
	      const char *path)
{
	const char *real = path != NULL ? real_file(l, path) : NULL;

	for (size_t i = 0; real != NULL && i < d->root_count; i++) {
		const struct conf_route *r = d->roots[i].route;
		const char *in = fs_path_beneath(real, d->roots[i].path);

		if (in != NULL && is_served(r, in))
			lint_warning(
				l, &r->files.root_place,
				"%s %s lies in here and can be fetched by anybody who "
				"reaches this route; keep it elsewhere",
				what, path);
	}
}

static bool
is_new_file(const struct config *conf, size_t server, const char *file)
{
	if (file == NULL || (conf->file != NULL && strcmp(file, conf->file) == 0))
		return false;
	for (size_t i = 0; i < server; i++) {
		if (conf->servers[i].place.file != NULL &&
		    strcmp(conf->servers[i].place.file, file) == 0)
			return false;
	}
	return true;
}

/* Each once, however many routes name it. */
static void
check_secrets(struct lint *l, const struct directories *d, const struct auth_files *all)
{
	for (const struct auth_file *f = all->first; f != NULL; f = f->next)
		check_private(l, d,
			      f->kind == AUTH_USERS ? "the file of users"
						    : "the file of tokens",
			      f->path);
}

static void
check_privates(struct lint *l, const struct site *site, const struct directories *d)
{
	const struct config *conf = site->conf;

	check_private(l, d, "the configuration", conf->file);
	for (size_t i = 0; conf->file != NULL && i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		if (is_new_file(conf, i, s->place.file))
			check_private(l, d, "the configuration", s->place.file);
		if (s->redirect_count != 0 && s->redirects_place.file != s->place.file)
			check_private(l, d, "the table of redirects",
				      s->redirects_place.file);
	}
	check_secrets(l, d, &site->auth_files);
	if (conf->logs.error.target == CONF_LOG_FILE)
		check_private(l, d, "the error log", conf->logs.error.path);
	if (conf->logs.access.enabled && conf->logs.access.target == CONF_LOG_FILE)
		check_private(l, d, "the access log", conf->logs.access.path);
	check_private(l, d, "the pid file", conf->pid_file);
}

/* --- pages that are not there --- */

static bool
is_missing(const struct conf_files *f, const char *path)
{
	static const enum fs_symlinks policies[] = {
		[CONF_SYMLINKS_INSIDE] = FS_SYMLINKS_INSIDE,
		[CONF_SYMLINKS_REFUSE] = FS_SYMLINKS_REFUSE,
		[CONF_SYMLINKS_FOLLOW] = FS_SYMLINKS_FOLLOW,
	};
	int dirfd = fs_open_dir(f->root);
	int fd;

	if (dirfd < 0)
		return false;
	fd = fs_open_beneath(dirfd, path, O_PATH, policies[f->symlinks]);
	if (fd >= 0)
		close(fd);
	close(dirfd);
	return fd == -ENOENT || fd == -ENOTDIR;
}

static void
check_fallback(struct lint *l, const struct conf_files *f)
{
	if (f->fallback != NULL && is_missing(f, f->fallback))
		lint_warning(l, &f->root_place,
			     "the fallback \"/%s\" is not there, so what is not there "
			     "stays 404; put a file there, or write another \"fallback\"",
			     f->fallback);
}

static const char *
index_names(struct lint *l, const struct conf_strings *names)
{
	const char *text = "";

	for (size_t i = 0; i < names->count; i++)
		text = lint_text(l, "%s%s\"%s\"", text, i == 0 ? "" : ", ",
				 names->items[i]);
	return text;
}

/* Only of the front page: a directory of pictures needs none. */
static void
check_index(struct lint *l, const struct vhost *v)
{
	struct route_match m = router_match(&v->router, SLICE("/"));
	const struct conf_files *f = m.kind == ROUTE_FOUND ? &m.route->conf->files : NULL;

	if (f == NULL || (m.route->conf->actions & CONF_ACTION_FILES) == 0 ||
	    m.rest.len != 0 || f->listing || f->fallback != NULL || f->index.count == 0)
		return;
	for (size_t i = 0; i < f->index.count; i++) {
		if (!is_missing(f, f->index.items[i]))
			return;
	}
	lint_warning(
		l, &f->root_place,
		"has no front page, so \"/\" is answered by 404: none of %s is in %s; "
		"put one there, or add \"listing\": true",
		index_names(l, &f->index), f->root);
}

/* Error pages come by the same way as they do for a request. */
static void
check_error_page(struct lint *l, const struct vhost *v, const struct conf_pair *page)
{
	struct route_match m = router_match(&v->router, slice_from_str(page->value));
	const struct handler *h =
		m.kind == ROUTE_FOUND ? m.route->by_method[HTTP_GET] : NULL;
	const char *rest = lint_text(l, "%.*s", SLICE_ARG(m.rest));

	if (h == NULL ||
	    (h->ops->action & (CONF_ACTION_FILES | CONF_ACTION_RESPOND)) == 0)
		lint_warning(l, &page->place,
			     "no route with \"files\" or \"respond\" answers %s, so the "
			     "built-in page is sent; write another path, or add a route",
			     page->value);
	else if (h->ops->action == CONF_ACTION_FILES &&
		 (!is_served(m.route->conf, rest) ||
		  is_missing(&m.route->conf->files, rest)))
		lint_warning(l, &page->place,
			     "%s is not there, so the built-in page is sent: there is no "
			     "%s/%s; put a file there, or write another path",
			     page->value, m.route->conf->files.root, rest);
}

static void
check_pages(struct lint *l, const struct vhost *v)
{
	for (size_t i = 0; i < v->conf->route_count; i++) {
		if ((v->conf->routes[i].actions & CONF_ACTION_FILES) != 0)
			check_fallback(l, &v->conf->routes[i].files);
	}
	check_index(l, v);
	for (size_t i = 0; i < v->conf->error_pages.count; i++)
		check_error_page(l, v, &v->conf->error_pages.items[i]);
}

void
lint_files(struct lint *l, const struct site *site)
{
	struct directories d = { .served = { .level = LINT_WARNING,
					     .many = "roots with uploads" } };

	if (!collect(l, site->conf, &d)) {
		l->failed = true;
		return;
	}
	check_uploads(l, site->conf, &d);
	check_privates(l, site, &d);
	for (size_t i = 0; i < site->vhost_count; i++)
		check_pages(l, &site->vhosts[i]);
}
