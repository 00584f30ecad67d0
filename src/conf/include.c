/* SPDX-License-Identifier: BSD-2-Clause
 *
 * include: patterns in, a merged tree out. Both trees, that of the positions and that of
 * the values, are changed in step.
 */
#include "conf/include.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "conf/loader.h"

struct include {
	struct load *l;
	struct conf_at *top;
	struct conf_at item; /* the pattern that is at work */
	size_t bytes_left;   /* of all files */
	bool is_whole;
	bool is_full; /* no more files are taken */
};

/* The trees are those of this load, and nobody else has seen them yet. */
static struct locate_node *
own(const struct locate_node *node)
{
	return (struct locate_node *)node;
}

static void merge_objects(struct include *in, struct conf_at *to,
			  const struct conf_at *from);

/* A child of `to` now, at its end. */
static void
adopt(struct locate_node *to, struct locate_node *node)
{
	node->parent = to;
	node->next = NULL;
	node->index = to->count++;
	if (to->last != NULL)
		to->last->next = node;
	else
		to->first = node;
	to->last = node;
}

static void
append_items(struct include *in, struct conf_at *to, const struct conf_at *from)
{
	struct locate_node *next;

	if (json_array_extend(to->json, from->json) < 0) {
		in->l->failed = true;
		return;
	}
	for (struct locate_node *n = own(from->node)->first; n != NULL; n = next) {
		next = n->next;
		adopt(own(to->node), n);
	}
}

static void
merge_member(struct include *in, struct conf_at *to, const struct conf_at *from)
{
	const char *key = from->node->key.ptr;
	struct conf_at have = { .json = json_object_get(to->json, key) };

	if (have.json == NULL) {
		if (json_object_set(to->json, key, from->json) < 0)
			in->l->failed = true;
		else
			adopt(own(to->node), own(from->node));
		return;
	}
	have.node = locate_member(to->node, key);
	/* For editors, in every file. */
	if (strcmp(key, "$schema") == 0 && json_is_string(from->json))
		return;
	if (json_is_object(have.json) && json_is_object(from->json))
		merge_objects(in, &have, from);
	else if (json_is_array(have.json) && json_is_array(from->json))
		append_items(in, &have, from);
	else
		load_error_key(in->l, from->node, "is set already, at %s; remove one",
			       load_where_node(in->l, have.node));
}

/* The values have the last of several members of one name; the tree has all of them, and
 * keeps the same one after they have been reported. */
static void
drop_duplicates(struct include *in, struct locate_node *object)
{
	struct locate_node **link = &object->first;
	bool found = false;

	for (const struct locate_node *n = object->first; n != NULL; n = n->next)
		found = load_is_duplicate(in->l, n) || found;
	while (found && *link != NULL) {
		struct locate_node *n = *link;

		n->earlier = NULL;
		if (locate_member(object, n->key.ptr) == n)
			link = &n->next;
		else
			*link = n->next;
	}
}

static void
merge_objects(struct include *in, struct conf_at *to, const struct conf_at *from)
{
	struct locate_node *next;

	drop_duplicates(in, own(from->node));
	for (struct locate_node *n = own(from->node)->first; n != NULL; n = next) {
		struct conf_at member = { n, json_object_get(from->json, n->key.ptr) };

		next = n->next;
		merge_member(in, to, &member);
	}
}

static void
merge_top(struct include *in, const struct conf_at *from)
{
	const struct locate_node *nested;

	if (!json_is_object(from->json)) {
		load_error(in->l, from, "this is %s; write an object",
			   load_type_name(from->json));
		in->is_whole = false;
		return;
	}
	nested = locate_member(from->node, "include");
	if (nested != NULL) {
		load_error_key(in->l, nested,
			       "an included file includes no others; name them in "
			       "the \"include\" of %s",
			       in->l->name);
		in->is_whole = false;
		return;
	}
	merge_objects(in, in->top, from);
}

static void
set_file(struct locate_node *root, uint32_t file)
{
	struct locate_node *n = root;

	while (n != NULL) {
		n->file = file;
		if (n->first != NULL) {
			n = n->first;
			continue;
		}
		while (n != root && n->next == NULL)
			n = n->parent;
		n = n == root ? NULL : n->next;
	}
}

static void
merge_text(struct include *in, struct buf *text)
{
	struct load *l = in->l;
	uint32_t file = (uint32_t)l->file_count - 1;
	struct locate_node *root;
	json_t *json = load_parse(text->ptr, text->len, l->files[file].name, l->out);

	if (json == NULL) {
		l->error_count++;
		in->is_whole = false;
		return;
	}
	root = locate_build(buf_slice(text), &l->scratch);
	if (root == NULL) {
		l->failed = true;
	} else {
		set_file(root, file);
		merge_top(in, &(struct conf_at){ root, json });
	}
	json_decref(json);
}

/* How the file is called in messages: as if the main one had named it. */
static const char *
shown_name(struct include *in, const char *path, bool is_relative)
{
	struct load *l = in->l;
	const char *slash = strrchr(l->name, '/');
	size_t base = strlen(l->files[0].base_dir);
	const char *name;

	if (!is_relative)
		return load_strdup(l, slice_from_str(path));
	base += base != 1;
	name = arena_printf(&l->config->arena, "%.*s%s",
			    slash != NULL ? (int)(slash - l->name) + 1 : 0, l->name,
			    path + base);
	if (name == NULL)
		l->failed = true;
	return name;
}

/* All of it: what a long path ends with says which of the files it is. */
static const char *
quote_file(struct include *in, const char *path, bool is_relative)
{
	const char *name = shown_name(in, path, is_relative);

	return load_text(in->l, "\"%s\"", name != NULL ? name : path);
}

/* Of those that were taken before, or NULL. */
static const struct conf_file *
find_file(const struct load *l, const struct stat *st)
{
	for (size_t i = 1; i < l->file_count; i++) {
		const struct conf_file *f = &l->files[i];

		if (f->device == st->st_dev && f->inode == st->st_ino)
			return f;
	}
	return NULL;
}

static bool
is_main(const struct load *l, const struct stat *st)
{
	struct stat ours;

	return stat(l->name, &ours) == 0 && ours.st_dev == st->st_dev &&
	       ours.st_ino == st->st_ino;
}

/* A row in the table of files, or false after noting why not. */
static bool
add_file(struct include *in, const char *path, bool is_relative)
{
	struct load *l = in->l;
	const char *slash = strrchr(path, '/');
	struct conf_file *file = &l->files[l->file_count];
	const struct conf_file *earlier;
	struct stat st = { 0 };
	/* What is not there is told by who opens it. */
	bool is_known = stat(path, &st) == 0;

	if (is_known && is_main(l, &st)) {
		load_error(l, &in->item,
			   "%s is this file itself; name files that are part of it",
			   quote_file(in, path, is_relative));
		return false;
	}
	earlier = is_known ? find_file(l, &st) : NULL;
	if (earlier != NULL) {
		load_error(l, &in->item, "%s is included twice%s; name it once",
			   quote_file(in, path, is_relative),
			   strcmp(earlier->path, path) == 0
				   ? ""
				   : load_text(l, ", before as \"%s\"", earlier->name));
		return false;
	}
	if (l->file_count > INCLUDE_FILES_MAX) {
		load_error(l, &in->item,
			   "there are more than %d files; put some of them together",
			   INCLUDE_FILES_MAX);
		in->is_full = true;
		return false;
	}
	file->name = shown_name(in, path, is_relative);
	file->path = load_strdup(l, slice_from_str(path));
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->base_dir = load_strdup(
		l, slice_make(path, slash == path ? 1 : (size_t)(slash - path)));
	l->file_count++;
	return !l->failed;
}

static void
merge_file(struct include *in, const char *path, bool is_relative)
{
	struct buf text;
	int rc;

	if (!add_file(in, path, is_relative)) {
		in->is_whole = false;
		return;
	}
	buf_init(&text);
	rc = fs_read_regular(AT_FDCWD, path, in->bytes_left, &text, NULL);
	if (rc == 0) {
		in->bytes_left -= text.len;
		merge_text(in, &text);
	} else {
		const char *quoted = quote_file(in, path, is_relative);

		if (rc == -EINVAL)
			load_error(in->l, &in->item,
				   "%s is no regular file; name one, or those of a "
				   "directory as in \"conf.d/*.json\"",
				   quoted);
		else
			load_error(in->l, &in->item,
				   "%s cannot be read (%s); name a readable one", quoted,
				   strerror(-rc));
		in->is_whole = false;
	}
	buf_fini(&text);
}

/* The directory of the main file may hold what glob(3) takes for wildcards. */
static char *
full_pattern(struct include *in, struct slice pattern)
{
	struct buf b;

	buf_init(&b);
	if (pattern.ptr[0] != '/') {
		for (const char *p = in->l->files[0].base_dir; *p != '\0'; p++) {
			if (strchr("*?[]\\", *p) != NULL)
				buf_add_char(&b, '\\');
			buf_add_char(&b, *p);
		}
		if (strcmp(in->l->files[0].base_dir, "/") != 0)
			buf_add_char(&b, '/');
	}
	buf_add_slice(&b, pattern);
	buf_add_char(&b, '\0');
	if (b.failed) {
		in->l->failed = true;
		buf_fini(&b);
		return NULL;
	}
	return b.ptr;
}

/* Behind a wildcard a directory that is not there has no files; any other failure would hide
 * some. */
static int
on_glob_error(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is the directory that the pattern begins with, up to its first wildcard, there? `full` is
 * cut. */
static bool
has_directory(char *full)
{
	size_t wild = 0, end = 0;
	glob_t found = { .gl_pathc = 0 };
	int rc;

	for (; full[wild] != '\0' && strchr("*?[", full[wild]) == NULL; wild++) {
		if (full[wild] == '/')
			end = wild;
		if (full[wild] == '\\' && full[wild + 1] != '\0')
			wild++;
	}
	full[end != 0 ? end : 1] = '\0';
	rc = glob(full, GLOB_NOSORT, NULL, &found);
	globfree(&found);
	return rc == 0;
}

static void
no_files(struct include *in, struct slice pattern, char *full, int rc)
{
	const char *quoted = load_quote(in->l, pattern);

	if (rc == GLOB_NOSPACE) {
		in->l->failed = true;
	} else if (rc == GLOB_ABORTED) {
		load_error(in->l, &in->item,
			   "%s names a directory that cannot be read; whoever starts "
			   "the server must be able to",
			   quoted);
		in->is_whole = false;
	} else if (strpbrk(pattern.ptr, "*?[") == NULL) {
		load_error(in->l, &in->item,
			   "%s is not there; write the name of a file, or a pattern such "
			   "as \"conf.d/*.json\"",
			   quoted);
		in->is_whole = false;
	} else if (!has_directory(full)) {
		load_error(in->l, &in->item,
			   "%s names a directory that is not there; make it, if only for "
			   "later files, or correct the name",
			   quoted);
		in->is_whole = false;
	}
}

static void
merge_pattern(struct include *in, struct slice pattern)
{
	char *full = full_pattern(in, pattern);
	glob_t found = { .gl_pathc = 0 };
	int rc;

	if (full == NULL)
		return;
	rc = glob(full, GLOB_NOSORT, on_glob_error, &found);
	if (rc != 0)
		no_files(in, pattern, full, rc);
	free(full);
	if (rc != 0) {
		globfree(&found);
		return;
	}
	/* Not in the order of some locale. */
	qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), by_name);
	for (size_t i = 0; i < found.gl_pathc && !in->l->failed && !in->is_full; i++)
		merge_file(in, found.gl_pathv[i], pattern.ptr[0] != '/');
	globfree(&found);
}

static void
merge_item(struct include *in)
{
	struct slice pattern = slice_make(json_string_value(in->item.json),
					  json_string_length(in->item.json));

	if (!json_is_string(in->item.json))
		load_error(in->l, &in->item, "this is %s; write a string",
			   load_type_name(in->item.json));
	else if (pattern.len == 0)
		load_error(in->l, &in->item,
			   "\"\" is empty; write a pattern such as \"conf.d/*.json\"");
	else
		merge_pattern(in, pattern);
	if (!json_is_string(in->item.json) || pattern.len == 0)
		in->is_whole = false;
}

bool
include_merge(struct load *l, struct conf_at *top)
{
	struct include in = { .l = l, .top = top, .is_whole = true };
	struct conf_at list;

	/* A value of another type is for the walk to find. */
	if (!json_is_object(top->json) || !load_member(top, "include", &list) ||
	    !json_is_array(list.json))
		return true;
	if (!l->may_include) {
		load_error(l, &list, "only a file can include others; remove this key");
		return true;
	}
	in.bytes_left = LOAD_FILE_MAX;
	for (const struct locate_node *n = list.node->first;
	     n != NULL && !l->failed && !in.is_full; n = n->next) {
		in.item = (struct conf_at){ n, json_array_get(list.json, n->index) };
		merge_item(&in);
	}
	return in.is_whole;
}
