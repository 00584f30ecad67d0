/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load: the ways in. Text is stripped of comments, parsed, located, and walked against
 * the table; what comes out is a whole configuration or the list of what is wrong.
 */
#include "conf/load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/regex.h"
#include "conf/comments.h"
#include "conf/include.h"
#include "conf/loader.h"
#include "conf/syntax.h"

#define DEFAULT_ADDRESS "127.0.0.1:8080"

struct source {
	const char *name; /* for messages */
	const char *base_dir;
	bool builtin;
	bool is_file;
};

static struct config *
config_new(const struct source *src)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	arena_init(&c->arena, SIZE_MAX);
	if (src->builtin)
		return c;
	c->file = arena_strdup(&c->arena, slice_from_str(src->name));
	if (c->file == NULL) {
		conf_free(c);
		return NULL;
	}
	return c;
}

void
conf_free(struct config *c)
{
	if (c == NULL)
		return;
	for (struct conf_regex *r = c->regexes; r != NULL; r = r->next)
		regex_free(r->regex);
	for (struct conf_redirect_map *m = c->redirect_maps; m != NULL; m = m->next)
		packmap_fini(&m->map);
	arena_fini(&c->arena);
	free(c);
}

static void
out_of_memory(const struct source *src, struct buf *errors)
{
	buf_printf(errors, "%s: out of memory; the configuration is not loaded\n",
		   src->name);
}

/* Parsed and located; from here on there is nothing but the table. */
static void
walk(struct load *l, struct slice text, json_t *json)
{
	struct conf_at at = { locate_build(text, &l->scratch), json };

	if (at.node == NULL)
		l->failed = true;
	else if (include_merge(l, &at))
		load_top(l, &at);
}

/* The table of files, with the main one. */
static void
start_files(struct load *l, const struct source *src)
{
	size_t n = src->is_file ? INCLUDE_FILES_MAX + 1 : 1;

	l->files = arena_zalloc(&l->scratch, n * sizeof(*l->files));
	if (l->files == NULL) {
		l->failed = true;
		return;
	}
	l->files[0].name = l->config->file;
	l->files[0].base_dir = src->base_dir;
	l->file_count = 1;
}

static struct config *
load_json(struct slice text, json_t *json, const struct source *src, struct buf *errors)
{
	struct load l = {
		.name = src->name,
		.builtin = src->builtin,
		.may_include = src->is_file,
		.out = errors,
		.names_tail = &l.names,
	};
	struct config *c = config_new(src);

	if (c == NULL) {
		out_of_memory(src, errors);
		return NULL;
	}
	arena_init(&l.scratch, SIZE_MAX);
	buf_init(&l.of_files);
	l.config = c;
	start_files(&l, src);
	if (!l.failed)
		walk(&l, text, json);
	if (l.failed || l.error_count != 0) {
		load_print_errors(&l, errors);
		buf_add_slice(errors, buf_slice(&l.of_files));
		conf_free(c);
		c = NULL;
	}
	buf_fini(&l.of_files);
	arena_fini(&l.scratch);
	return c;
}

static void *
alloc_or_die(size_t size)
{
	static const char message[] =
		"websrv: out of memory while the configuration is read\n";
	void *p = malloc(size);

	if (p == NULL) {
		(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
		_exit(EXIT_FAILURE);
	}
	return p;
}

/* The lexer of jansson 2.14 writes beyond a string that it could not grow, so it must
 * not see a failure. Whoever has set an allocator of his own knows what he does. */
static json_t *
parse(const char *text, size_t len, json_error_t *error)
{
	json_malloc_t own_malloc;
	json_free_t own_free;
	json_t *json;

	json_get_alloc_funcs(&own_malloc, &own_free);
	if (own_malloc == malloc)
		json_set_alloc_funcs(alloc_or_die, own_free);
	json = json_loadb(text, len, 0, error);
	json_set_alloc_funcs(own_malloc, own_free);
	return json;
}

static void
report_open_comment(struct slice text, size_t where, const char *name, struct buf *errors)
{
	struct locate_pos pos = locate_offset(text, where);

	buf_printf(errors,
		   "%s:%" PRIu32 ":%" PRIu32
		   ": syntax: this comment is never closed; end it with \"*/\"\n",
		   name, pos.line, pos.column);
}

json_t *
load_parse(char *text, size_t len, const char *name, struct buf *errors)
{
	struct slice s = slice_make(text, len);
	json_error_t error;
	json_t *json;
	size_t where = len;
	bool is_open = comments_blank(text, len, &where) < 0;

	/* What is wrong before it may be why it is taken for a comment: a quote is missing. */
	json = parse(text, where, &error);
	if (is_open && (json != NULL || syntax_is_at_end(&error))) {
		report_open_comment(s, where, name, errors);
		json_decref(json);
		return NULL;
	}
	if (json == NULL)
		syntax_report(s, &error, name, errors);
	return json;
}

/* `text` is the caller's to change: its comments are blanked. */
static struct config *
load_blanked(char *text, size_t len, const struct source *src, struct buf *errors)
{
	json_t *json = load_parse(text, len, src->name, errors);
	struct config *c;

	if (json == NULL)
		return NULL;
	c = load_json(slice_make(text, len), json, src, errors);
	json_decref(json);
	return c;
}

static struct config *
load_source(struct slice text, const struct source *src, struct buf *errors)
{
	char *copy = malloc(text.len + 1);
	struct config *c;

	if (copy == NULL) {
		out_of_memory(src, errors);
		return NULL;
	}
	if (text.len != 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	c = load_blanked(copy, text.len, src, errors);
	free(copy);
	return c;
}

struct config *
conf_load_text(struct slice text, const char *name, const char *base_dir,
	       struct buf *errors)
{
	struct source src = { .name = name, .base_dir = base_dir };

	return load_source(text, &src, errors);
}

/* Not only regular files: it may come through a pipe. */
static int
read_config(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = fd >= 0 ? fs_read_all(fd, LOAD_FILE_MAX, out) : -errno;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* `path`, of `len` bytes, seen from the current directory. NULL: errno is set. */
static char *
absolute(const char *path, size_t len)
{
	char *cwd, *full = NULL;

	if (len != 0 && path[0] == '/')
		return strndup(path, len);
	cwd = getcwd(NULL, 0);
	if (cwd == NULL || len == 0 || (len == 1 && path[0] == '.'))
		return cwd;
	if (asprintf(&full, "%s/%.*s", strcmp(cwd, "/") == 0 ? "" : cwd, (int)len, path) <
	    0)
		full = NULL;
	free(cwd);
	return full;
}

/* The directory of a file, absolute; NULL: errno is set. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == path)
		return strdup("/");
	return absolute(path, slash != NULL ? (size_t)(slash - path) : 0);
}

struct config *
conf_load_file(const char *path, struct buf *errors)
{
	char *dir = directory_of(path);
	struct source src = { .name = path, .base_dir = dir, .is_file = true };
	struct config *c = NULL;
	struct buf text;
	int rc;

	buf_init(&text);
	rc = dir != NULL ? read_config(path, &text) : -errno;
	if (rc == 0)
		c = load_source(buf_slice(&text), &src, errors);
	else
		buf_printf(errors,
			   "%s: the file cannot be read (%s); name a readable one with "
			   "-c\n",
			   path, strerror(-rc));
	buf_fini(&text);
	free(dir);
	return c;
}

/* A socket's path is meant from the current directory, as the shell completed it. */
static char *
address_text(const char *address)
{
	char *path, *text = NULL;

	if (strncmp(address, "unix:", 5) != 0 || address[5] == '\0')
		return strdup(address);
	path = absolute(address + 5, strlen(address + 5));
	if (path == NULL || asprintf(&text, "unix:%s", path) < 0)
		text = NULL;
	free(path);
	return text;
}

/* The directory is given as the base of a relative path, since its name may be any
 * bytes while JSON is UTF-8. */
static char *
directory_text(const char *address)
{
	json_t *json = json_pack("{s:i, s:[{s:[s], s:[{s:s, s:{s:s, s:b}}]}]}", "workers",
				 1, "servers", "listen", address, "routes", "path", "/*",
				 "files", "root", ".", "listing", 1);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

struct config *
conf_for_directory(const char *address, const char *dir, struct buf *errors)
{
	struct source src = { .name = "DIR", .builtin = true };
	char *where = address_text(address != NULL ? address : DEFAULT_ADDRESS);
	char *base = absolute(dir, strlen(dir));
	char *text = where != NULL ? directory_text(where) : NULL;
	struct config *c = NULL;

	src.base_dir = base;
	if (*dir == '\0')
		buf_add_str(errors, "DIR: is empty; name the directory to serve\n");
	else if (base == NULL || where == NULL)
		buf_printf(errors,
			   "DIR: the current directory cannot be told (%s); name "
			   "DIR with its full path\n",
			   strerror(errno));
	else if (text == NULL)
		buf_add_str(errors, "-l: is not UTF-8; write an address such as "
				    "\"" DEFAULT_ADDRESS "\"\n");
	else
		c = load_source(slice_from_str(text), &src, errors);
	free(text);
	free(base);
	free(where);
	return c;
}

const char *
conf_library_version(void)
{
	return jansson_version_str();
}
