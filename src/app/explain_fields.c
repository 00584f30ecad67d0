/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain_fields: the values of -H become the fields of a request; "@FILE" stands for the
 * lines of a file, so that a secret need not be an argument, which every local user can read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/explain_parts.h"
#include "base/buf.h"
#include "base/fs.h"
#include "http/chars.h"

#define FILE_MAX ((size_t)1 << 20)

static bool
complain(const char *what, const char *wrong)
{
	struct buf text;

	buf_init(&text);
	buf_add_escaped(&text, slice_from_str(what));
	fprintf(stderr, "websrv: --explain: -H %.*s%s%s\n", SLICE_ARG(buf_slice(&text)),
		*what != '\0' ? " " : "", wrong);
	buf_fini(&text);
	return false;
}

static bool
add_field(struct explain *x, struct slice field)
{
	if (x->field_count == EXPLAIN_FIELDS_MAX)
		return complain("is there too often:", "100 fields are enough");
	x->fields[x->field_count++] = field;
	return true;
}

/* Lines as people write them; empty ones say nothing. */
static bool
add_lines(struct explain *x, const char *name, struct slice text)
{
	while (text.len != 0) {
		size_t len = slice_find(text, '\n');
		struct slice line = slice_make(text.ptr, len);

		if (slice_ends_with(line, SLICE("\r")))
			line.len--;
		if (slice_find(line, '\r') != line.len ||
		    slice_find(line, '\0') != line.len)
			return complain(name, "is no text of lines \"Name: value\"");
		if (line.len != 0 && !add_field(x, line))
			return false;
		text = slice_from(text, len + 1);
	}
	return true;
}

/* Pipes are files, too: a shell gives them names. */
static int
read_file(const char *name, struct buf *out)
{
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	int rc = fd >= 0 ? fs_read_all(fd, FILE_MAX, out) : -errno;

	if (fd >= 0 && !is_stdin)
		close(fd);
	return rc;
}

static bool
add_file(struct explain *x, const char *arg)
{
	struct slice kept;
	struct buf text;
	bool ok = false;
	int rc;

	buf_init(&text);
	rc = read_file(arg + 1, &text);
	kept.len = text.len;
	kept.ptr = rc == 0 ? arena_strdup(&x->arena, buf_slice(&text)) : NULL;
	if (rc == 0 && kept.ptr == NULL)
		rc = -ENOMEM;
	if (rc < 0)
		(void)complain(arg, arena_printf(&x->arena, "cannot be read: %s",
						 strerror(-rc)));
	else
		ok = add_lines(x, arg, kept);
	if (text.ptr != NULL)
		explicit_bzero(text.ptr, text.len);
	buf_fini(&text);
	return ok;
}

bool
explain_read_fields(struct explain *x)
{
	for (size_t i = 0; i < x->request->field_count; i++) {
		const char *arg = x->request->fields[i];

		if (arg[0] == '@') {
			if (!add_file(x, arg))
				return false;
		} else if (strpbrk(arg, "\r\n") != NULL) {
			return complain("", "has a line end in it");
		} else if (!add_field(x, slice_from_str(arg))) {
			return false;
		}
	}
	return true;
}

/* Explanations are shown to others. */
struct slice
explain_show_field(struct slice field, struct arena *a)
{
	struct slice name = slice_make(field.ptr, slice_find(field, ':'));
	struct slice value = slice_trim(slice_from(field, name.len + 1));
	size_t scheme = char_token_len(value);
	const char *text;

	if (slice_eq_nocase(name, SLICE("Cookie")))
		scheme = 0;
	else if (!slice_eq_nocase(name, SLICE("Authorization")) &&
		 !slice_eq_nocase(name, SLICE("Proxy-Authorization")))
		return field;
	if (scheme == value.len || value.ptr[scheme] != ' ')
		scheme = 0; /* all of it may be the secret */
	text = arena_printf(a, "%.*s: %.*s%s(not shown)", SLICE_ARG(name), (int)scheme,
			    value.ptr, scheme != 0 ? " " : "");
	return text != NULL ? slice_from_str(text) : name;
}
