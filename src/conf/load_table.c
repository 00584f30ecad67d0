/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_table: a table of redirects in a file of its own, as an object of JSON or as lines
 * "FROM TO [STATUS]". Errors have positions in that file. Rows are one array, and their
 * text is packed, so a large table costs little more than its size.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/number.h"
#include "conf/check.h"
#include "conf/loader.h"

#define ERRORS_MAX 100 /* of one file are told, the others counted */
#define WORDS_MAX 4    /* of a line; one more than it may have */

struct table {
	struct load *l; /* the load of this file */
	const struct conf_choice *codes;
	int code; /* of rows that say none */
	struct conf_redirect_row *rows;
	size_t count;
	const char **written; /* where in the file a row begins */
	char *text;           /* where the next row's text goes, which is then packed */
};

struct word {
	struct slice text;
	uint32_t column;
};

/* --- lines --- */

static size_t
split(struct slice line, struct word words[WORDS_MAX])
{
	size_t n = 0, i = 0;

	while (n < WORDS_MAX) {
		size_t start;

		while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
			i++;
		if (i == line.len || line.ptr[i] == '#')
			break;
		start = i;
		while (i < line.len && line.ptr[i] != ' ' && line.ptr[i] != '\t')
			i++;
		words[n].text = slice_make(line.ptr + start, i - start);
		words[n++].column = (uint32_t)start + 1;
	}
	return n;
}

static void
word_error(struct table *t, uint32_t line, const struct word *w, const char *wrong)
{
	struct conf_place place = { t->l->name, line, w->column, "" };

	load_error_place(t->l, &place, "%s %s", load_quote(t->l, w->text), wrong);
}

static const char *
set_code(const struct table *t, struct conf_redirect_row *row, struct slice word)
{
	uint64_t value;

	if (number_dec(word, 999, &value) == 0) {
		for (const struct conf_choice *c = t->codes; c->word != NULL; c++) {
			if (c->value == value) {
				row->status = (int)value;
				return NULL;
			}
		}
	}
	return "is not a status of a redirect; write 301, 302, 303, 307 or 308";
}

/* NUL-terminated, until it is packed. */
static const char *
keep(struct table *t, struct slice s)
{
	char *text = t->text;

	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	t->text += s.len + 1;
	return text;
}

/* The row's text goes behind that of the rows before: it is never longer than the line, but for
 * what was converted. */
static void
add_row(struct table *t, uint32_t line, const struct word *words, size_t count)
{
	struct conf_redirect_row row = { .status = t->code,
					 .line = line,
					 .column = words[0].column };
	struct slice to = words[1].text;
	size_t len = 0;
	const char *wrong[3] = { NULL };
	bool clean = true;

	wrong[0] = row_canonical(words[0].text, t->text, &len);
	wrong[1] = load_host_to_ascii(t->l, &to, true);
	if (wrong[1] == NULL)
		wrong[1] = check_row_target(to);
	wrong[2] = count > 2 ? set_code(t, &row, words[2].text) : NULL;
	for (size_t i = 0; i < 3; i++) {
		if (wrong[i] != NULL) {
			word_error(t, line, &words[i], wrong[i]);
			clean = false;
		}
	}
	if (!clean)
		return;
	row.from = t->text;
	t->text += len;
	*t->text++ = '\0';
	/* What was converted has a place in the same scratch memory already. */
	row.to = to.ptr == words[1].text.ptr ? keep(t, to) : to.ptr;
	t->written[t->count] = words[0].text.ptr;
	t->rows[t->count++] = row;
}

static void
take_line(struct table *t, uint32_t number, struct slice line)
{
	struct word words[WORDS_MAX];
	size_t count;

	if (slice_ends_with(line, SLICE("\r")))
		line.len--;
	count = split(line, words);
	if (count == 1)
		word_error(t, number, &words[0],
			   "has no target; write \"FROM TO\" or \"FROM TO STATUS\"");
	else if (count == WORDS_MAX && words[0].text.ptr[0] != '/')
		word_error(
			t, number, &words[0],
			"is not a path; begin the row with one: \"FROM TO\" or \"FROM TO "
			"STATUS\"");
	else if (count == WORDS_MAX)
		word_error(t, number, &words[3],
			   "is too much for a row; write \"FROM TO\" or \"FROM TO "
			   "STATUS\"");
	else if (count != 0)
		add_row(t, number, words, count);
}

static size_t
count_lines(struct slice text)
{
	size_t n = 0;

	for (; text.len != 0; n++)
		text = slice_from(text, slice_find(text, '\n') + 1);
	return n;
}

static void
take_lines(struct table *t, struct slice text)
{
	size_t lines = count_lines(text);
	uint32_t number = 0;

	t->rows = load_alloc(t->l, lines, sizeof(*t->rows));
	t->written = arena_alloc(&t->l->scratch, lines * sizeof(*t->written));
	/* Two words and what is between and behind them; the last line may have no end. */
	t->text = arena_alloc(&t->l->scratch, text.len + 1);
	if (t->rows == NULL || t->written == NULL || t->text == NULL) {
		t->l->failed = true;
		return;
	}
	while (text.len != 0) {
		size_t len = slice_find(text, '\n');

		take_line(t, ++number, slice_make(text.ptr, len));
		text = slice_from(text, len + 1);
	}
}

/* The word that the row begins with. */
static void
line_is_there(const void *arg, size_t i, size_t first)
{
	const struct table *t = arg;
	const struct conf_redirect_row *row = &t->rows[i];
	struct conf_place place = { t->l->name, row->line, row->column, "" };
	size_t len = strcspn(t->written[i], " \t");

	load_error_place(t->l, &place,
			 "%s is the same path as that of line %" PRIu32
			 " once it is decoded; remove one",
			 load_quote(t->l, slice_make(t->written[i], len)),
			 t->rows[first].line);
}

/* --- JSON --- */

/* Rows of a table in JSON are loaded like those of the configuration itself. */
static void
take_json(struct load *l, const struct conf_key *key, struct conf_server *s,
	  struct buf *text, struct buf *errors)
{
	json_t *json = load_parse(text->ptr, text->len, l->name, errors);
	struct conf_at at = { NULL, json };

	if (json == NULL) {
		l->error_count++;
		return;
	}
	at.node = locate_build(buf_slice(text), &l->scratch);
	if (at.node == NULL) {
		l->failed = true;
	} else {
		load_items(l, key, s, &at);
		rows_pack_object(l, s, at.node);
	}
	json_decref(json);
}

/* Does it begin with '{', but for blanks and comments? No row of a line does. */
static bool
is_json(struct slice s)
{
	for (;;) {
		while (s.len != 0 && strchr(" \t\r\n", s.ptr[0]) != NULL)
			s = slice_from(s, 1);
		if (slice_starts_with(s, SLICE("//"))) {
			s = slice_from(s, slice_find(s, '\n'));
		} else if (slice_starts_with(s, SLICE("/*"))) {
			const char *end = memmem(s.ptr, s.len, "*/", 2);

			if (end == NULL)
				return false;
			s = slice_from(s, (size_t)(end - s.ptr) + 2);
		} else {
			return slice_starts_with(s, SLICE("{"));
		}
	}
}

/* --- files --- */

static void
take_text(struct load *l, const struct conf_key *key, struct conf_server *s,
	  struct buf *text, struct buf *errors)
{
	const struct conf_key *status = conf_key_find(key->section, SLICE("status"));
	struct table t = { .l = l, .codes = status->choices };
	uint64_t code = 0;

	s->redirects_place = (struct conf_place){ .file = l->name };
	if (slice_starts_with(buf_slice(text), SLICE("\xef\xbb\xbf"))) {
		load_error_place(
			l, &(struct conf_place){ l->name, 1, 1, "" },
			"the file begins with a byte order mark; save it as UTF-8 "
			"without one");
		return;
	}
	if (is_json(buf_slice(text))) {
		s->redirects_place.pointer = "";
		take_json(l, key, s, text, errors);
		return;
	}
	(void)number_dec(slice_from_str(status->fallback), 999, &code);
	t.code = (int)code;
	take_lines(&t, buf_slice(text));
	s->redirects = t.rows;
	s->redirect_count = t.count;
	rows_pack(l, s, line_is_there, &t);
}

/* Errors of the file are printed behind those of the configuration. */
static void
take_file(struct load *l, const struct conf_key *key, struct conf_server *s,
	  const char *path, struct buf *text)
{
	struct conf_file file = { .name = path, .path = path };
	struct load of_file = { .config = l->config,
				.name = path,
				.files = &file,
				.file_count = 1,
				.server = l->server,
				.error_max = ERRORS_MAX };

	arena_init(&of_file.scratch, SIZE_MAX);
	take_text(&of_file, key, s, text, &l->of_files);
	if (of_file.error_count != 0 || of_file.failed)
		load_print_errors(&of_file, &l->of_files);
	if (of_file.error_count > ERRORS_MAX)
		buf_printf(&l->of_files, "%s: %zu more errors\n", path,
			   of_file.error_count - ERRORS_MAX);
	l->error_count += of_file.error_count;
	l->failed = l->failed || of_file.failed || l->of_files.failed;
	arena_fini(&of_file.scratch);
}

void
redirects_set_file(struct load *l, const struct conf_key *key, void *target,
		   const struct conf_at *at, struct slice name)
{
	const char *path = load_path(l, at, name);
	struct buf text;
	int rc;

	if (path == NULL)
		return;
	buf_init(&text);
	rc = fs_read_regular(AT_FDCWD, path, LOAD_FILE_MAX, &text, NULL);
	if (rc == -EINVAL)
		load_error(l, at, "%s is no regular file; name one, or write an object",
			   load_quote(l, name));
	else if (rc < 0)
		load_error(l, at,
			   "%s cannot be read (%s); name a readable file, or write an "
			   "object",
			   load_quote(l, name), strerror(-rc));
	else
		take_file(l, key, target, path, &text);
	buf_fini(&text);
}
