/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth_file: lines into entries. A line that is wrong could only keep somebody out, but who
 * wrote it believes that it lets him in, so it is an error.
 */
#include "core/auth_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/password.h"
#include "base/secret.h"
#include "conf/load.h"
#include "http/chars.h"

#define ERRORS_MAX 100 /* of one file are told */
#define TOKEN_KIND "sha256:"

struct reader {
	struct auth_file *file;
	struct auth_entry *entries;
	struct strmap names; /* of tokens, which are looked up by digest */
	struct arena *arena;
	struct buf *errors;
	uint32_t line;
	size_t wrong;
	bool no_memory;
};

const char *
auth_name_check(struct slice name)
{
	if (name.len == 0)
		return "is empty; write a name before the colon";
	if (name.len > AUTH_NAME_MAX)
		return "is longer than 255 bytes; write a shorter name";
	if (slice_find(name, ':') != name.len)
		return "has a colon, which ends a name; write another name";
	if (name.ptr[0] == '#')
		return "begins with \"#\", which is a comment; write another name";
	if (slice_trim(name).len != name.len)
		return "has a space at an end; remove it";
	return slice_has_control(name) ? "has a control character; remove it" : NULL;
}

static void
complain(struct reader *r, size_t at, const char *what, const char *wrong)
{
	struct conf_place place = { r->file->path, r->line, (uint32_t)at + 1, "" };

	if (++r->wrong <= ERRORS_MAX)
		conf_report(r->errors, &place, "%s %s", what, wrong);
}

/* The digest as bytes, or NULL with what is wrong. */
static const char *
take_digest(struct reader *r, struct slice text, const char **wrong)
{
	unsigned char *out;

	*wrong = NULL;
	if (!slice_starts_with(text, SLICE(TOKEN_KIND))) {
		*wrong = "is no \"sha256:DIGEST\"; tokens do not stand in this file as "
			 "they are: make one by \"websrvctl token\"";
		return NULL;
	}
	text = slice_from(text, sizeof(TOKEN_KIND) - 1);
	if (text.len != (size_t)2 * SECRET_DIGEST)
		*wrong = "does not have 64 hexadecimal digits; make the token anew by "
			 "\"websrvctl token\"";
	for (size_t i = 0; i < text.len && *wrong == NULL; i++) {
		if (char_hex(text.ptr[i]) < 0)
			*wrong = "has something else than hexadecimal digits; make the "
				 "token anew by \"websrvctl token\"";
	}
	out = *wrong == NULL ? arena_alloc(r->arena, SECRET_DIGEST) : NULL;
	if (out == NULL) {
		r->no_memory = *wrong == NULL;
		return NULL;
	}
	for (size_t i = 0; i < SECRET_DIGEST; i++)
		out[i] = (unsigned char)(char_hex(text.ptr[2 * i]) << 4 |
					 char_hex(text.ptr[2 * i + 1]));
	return (const char *)out;
}

static const char *
take_hash(struct reader *r, struct slice text, const char **wrong)
{
	const char *out;

	*wrong = password_check_hash(text);
	out = *wrong == NULL ? arena_strdup(r->arena, text) : NULL;
	r->no_memory = r->no_memory || (*wrong == NULL && out == NULL);
	return out;
}

/* Notes the entry unless its name, or its token, is there already. */
static void
add_entry(struct reader *r, struct auth_entry entry, size_t secret_at)
{
	struct auth_file *f = r->file;
	bool is_user = f->kind == AUTH_USERS;
	struct strmap *names = is_user ? &f->by_key : &r->names;
	uint32_t index = (uint32_t)f->count;
	char text[80];

	if (!strmap_add(names, entry.name, index)) {
		snprintf(text, sizeof(text), "is on line %u already; remove one",
			 (unsigned)r->entries[strmap_find(names, entry.name)].line);
		complain(r, 0, "this name", text);
		return;
	}
	/* Every line takes its index, so that those of the map stay true. */
	r->entries[f->count++] = entry;
	if (!is_user &&
	    !strmap_add(&f->by_key, slice_make(entry.secret, SECRET_DIGEST), index))
		complain(r, secret_at, "this token",
			 "has another name above; remove one");
}

static void
take_line(struct reader *r, struct slice line)
{
	struct auth_entry entry = { .line = r->line };
	size_t colon = slice_find(line, ':');
	struct slice name = slice_make(line.ptr, colon);
	struct slice rest = slice_from(line, colon + 1);
	bool is_user = r->file->kind == AUTH_USERS;
	const char *wrong;

	if (colon == line.len) {
		complain(r, 0, "this line",
			 is_user ? "has no colon; write USER:HASH, or let \"websrvctl "
				   "passwd\" do it"
				 : "has no colon; write NAME:sha256:DIGEST, or let "
				   "\"websrvctl token\" do it");
		return;
	}
	wrong = auth_name_check(name);
	if (wrong != NULL) {
		complain(r, 0, "this name", wrong);
		return;
	}
	entry.secret =
		is_user ? take_hash(r, rest, &wrong) : take_digest(r, rest, &wrong);
	entry.name = slice_make(arena_strdup(r->arena, name), name.len);
	r->no_memory = r->no_memory || entry.name.ptr == NULL;
	if (wrong != NULL)
		complain(r, colon + 1, is_user ? "this hash" : "what is behind the name",
			 wrong);
	else if (!r->no_memory)
		add_entry(r, entry, colon + 1);
}

/* Those that may be entries: a file of blank lines takes no memory. */
static size_t
count_lines(struct slice text)
{
	size_t n = 0;

	while (text.len != 0) {
		size_t len = slice_find(text, '\n');

		n += memchr(text.ptr, ':', len) != NULL;
		text = slice_from(text, len + 1);
	}
	return n;
}

static void
take_lines(struct reader *r, struct slice text)
{
	while (text.len != 0 && !r->no_memory) {
		size_t len = slice_find(text, '\n');
		struct slice line = slice_make(text.ptr, len);

		r->line++;
		if (slice_ends_with(line, SLICE("\r")))
			line.len--;
		if (slice_trim(line).len != 0 && line.ptr[0] != '#')
			take_line(r, line);
		text = slice_from(text, len + 1);
	}
}

static void
make_key(struct auth_file *f)
{
	struct secret_hash h;

	secret_hash_init(&h);
	for (size_t i = 0; i < f->count && f->kind == AUTH_USERS; i++)
		secret_hash_add(&h, f->entries[i].secret,
				strlen(f->entries[i].secret) + 1);
	secret_hash_end(&h, f->key);
}

int
auth_file_parse(struct auth_file *f, struct slice text, struct arena *arena,
		struct buf *errors)
{
	size_t lines = count_lines(text);
	struct reader r = { .file = f, .arena = arena, .errors = errors };

	r.entries = arena_zalloc(arena, (lines + 1) * sizeof(*r.entries));
	f->entries = r.entries;
	if (r.entries == NULL || strmap_init(&f->by_key, lines) < 0 ||
	    strmap_init(&r.names, lines) < 0)
		r.no_memory = true;
	else
		take_lines(&r, text);
	strmap_fini(&r.names);
	make_key(f);
	if (r.no_memory)
		buf_add_str(errors, "out of memory\n");
	if (r.wrong > ERRORS_MAX)
		buf_printf(errors, "%s: %zu more errors\n", f->path,
			   r.wrong - ERRORS_MAX);
	return r.wrong == 0 && !r.no_memory ? 0 : -1;
}

static void
load(struct auth_file *f, const struct conf_place *place, struct arena *arena,
     struct buf *errors)
{
	struct buf text;
	struct stat st;
	int rc;

	buf_init(&text);
	rc = fs_read_regular(AT_FDCWD, f->path, AUTH_FILE_MAX, &text, &st);
	f->is_exposed = rc == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0;
	if (rc == -EINVAL)
		conf_report(errors, place, "%s is no regular file; name one", f->path);
	else if (rc == -ENOENT)
		conf_report(
			errors, place,
			"%s is not there; make it by \"websrvctl %s\", or name another",
			f->path, f->kind == AUTH_USERS ? "passwd" : "token");
	else if (rc < 0)
		conf_report(errors, place,
			    "%s cannot be read (%s); name a readable file, or make "
			    "it by \"websrvctl %s\"",
			    f->path, strerror(-rc),
			    f->kind == AUTH_USERS ? "passwd" : "token");
	if (rc < 0 || auth_file_parse(f, buf_slice(&text), arena, errors) < 0)
		f->failed = true;
	buf_fini(&text);
}

const struct auth_file *
auth_files_find(const struct auth_files *all, enum auth_file_kind kind, const char *path)
{
	for (const struct auth_file *f = all->first; f != NULL; f = f->next) {
		if (f->kind == kind && strcmp(f->path, path) == 0)
			return f;
	}
	return NULL;
}

const struct auth_file *
auth_files_get(struct auth_files *all, enum auth_file_kind kind, const char *path,
	       const struct conf_place *place, struct arena *arena, struct buf *errors)
{
	const struct auth_file *known = auth_files_find(all, kind, path);
	struct auth_file *f;

	if (known != NULL)
		return known->failed ? NULL : known;
	f = arena_zalloc(arena, sizeof(*f));
	if (f == NULL) {
		buf_add_str(errors, "out of memory\n");
		return NULL;
	}
	f->kind = kind;
	f->path = path;
	load(f, place, arena, errors);
	f->next = all->first;
	all->first = f;
	return f->failed ? NULL : f;
}

void
auth_files_fini(struct auth_files *all)
{
	for (struct auth_file *f = all->first; f != NULL; f = f->next)
		strmap_fini(&f->by_key);
	all->first = NULL;
}

const struct auth_entry *
auth_file_user(const struct auth_file *f, struct slice name)
{
	uint32_t found = strmap_find(&f->by_key, name);

	return found != STRMAP_NONE ? &f->entries[found] : NULL;
}

const struct auth_entry *
auth_file_stand_in(const struct auth_file *f, struct slice name)
{
	unsigned char digest[SECRET_DIGEST];
	struct secret_mac m;
	size_t n = 0;

	secret_mac_init(&m, f->key);
	secret_hash_add(&m.hash, name.ptr, name.len);
	secret_mac_end(&m, digest);
	memcpy(&n, digest, sizeof(n));
	return &f->entries[n % f->count];
}

/* How long the look-up takes tells something about digests, which nobody can choose. */
const struct auth_entry *
auth_file_token(const struct auth_file *f, struct slice token)
{
	unsigned char digest[SECRET_DIGEST];
	uint32_t found;

	secret_digest(token, digest);
	found = strmap_find(&f->by_key, slice_make((const char *)digest, sizeof(digest)));
	if (found == STRMAP_NONE ||
	    !secret_eq(f->entries[found].secret, digest, sizeof(digest)))
		return NULL;
	return &f->entries[found];
}
