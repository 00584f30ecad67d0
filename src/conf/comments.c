/* SPDX-License-Identifier: BSD-2-Clause
 *
 * comments: one pass over the text with three states: plain, string, comment. A string
 * that never ends is left for the JSON parser to complain about.
 */
#include "conf/comments.h"

#include <errno.h>

/* Offset just behind the string that begins at text[i]; a line end breaks it off. */
static size_t
skip_string(const char *text, size_t len, size_t i)
{
	for (i++; i < len && text[i] != '"' && text[i] != '\n'; i++) {
		if (text[i] == '\\' && i + 1 < len && text[i + 1] != '\n')
			i++;
	}
	return i < len ? i + 1 : len;
}

static size_t
blank_line(char *text, size_t len, size_t i)
{
	while (i < len && text[i] != '\n')
		text[i++] = ' ';
	return i;
}

/* Offset behind the comment, or 0 when it is not closed. */
static size_t
blank_block(char *text, size_t len, size_t i)
{
	size_t end = i + 2;

	while (end + 1 < len && !(text[end] == '*' && text[end + 1] == '/'))
		end++;
	if (end + 1 >= len)
		return 0;
	end += 2;
	for (; i < end; i++) {
		if (text[i] != '\n')
			text[i] = ' ';
	}
	return end;
}

int
comments_blank(char *text, size_t len, size_t *where)
{
	size_t i = 0;

	while (i < len) {
		if (text[i] == '"') {
			i = skip_string(text, len, i);
		} else if (text[i] == '/' && i + 1 < len && text[i + 1] == '/') {
			i = blank_line(text, len, i);
		} else if (text[i] == '/' && i + 1 < len && text[i + 1] == '*') {
			size_t end = blank_block(text, len, i);

			if (end == 0) {
				*where = i;
				return -EINVAL;
			}
			i = end;
		} else {
			i++;
		}
	}
	return 0;
}
