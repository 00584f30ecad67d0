/* SPDX-License-Identifier: BSD-2-Clause
 *
 * jsonout: the comma belongs to the value behind it, so that nothing has to know whether
 * it is the last one.
 */
#include "conf/jsonout.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/utf8.h"

void
jsonout_init(struct jsonout *j, struct buf *out)
{
	*j = (struct jsonout){ .out = out, .is_empty = true };
}

static void
line_break(struct jsonout *j)
{
	buf_add_char(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		buf_add_char(j->out, '\t');
}

static void
add_text(struct jsonout *j, struct slice s)
{
	if (!utf8_is_valid(s))
		j->has_invalid = true;
	buf_add_char(j->out, '"');
	buf_add_json(j->out, s);
	buf_add_char(j->out, '"');
}

/* What stands before a value. */
static void
begin(struct jsonout *j, const char *key)
{
	if (!j->is_empty)
		buf_add_str(j->out, j->in_line ? ", " : ",");
	if (j->depth != 0 && !j->in_line)
		line_break(j);
	j->is_empty = false;
	if (key == NULL)
		return;
	add_text(j, slice_from_str(key));
	buf_add_str(j->out, ": ");
}

static void
open_container(struct jsonout *j, const char *key, char c)
{
	begin(j, key);
	buf_add_char(j->out, c);
	j->depth++;
	j->is_empty = true;
}

static void
close_container(struct jsonout *j, char c)
{
	j->depth--;
	if (!j->is_empty && !j->in_line)
		line_break(j);
	buf_add_char(j->out, c);
	j->is_empty = false;
	j->in_line = false;
	if (j->depth == 0)
		buf_add_char(j->out, '\n');
}

void
jsonout_object(struct jsonout *j, const char *key)
{
	open_container(j, key, '{');
}

void
jsonout_object_end(struct jsonout *j)
{
	close_container(j, '}');
}

void
jsonout_array(struct jsonout *j, const char *key)
{
	open_container(j, key, '[');
}

void
jsonout_line(struct jsonout *j, const char *key)
{
	open_container(j, key, '[');
	j->in_line = true;
}

void
jsonout_array_end(struct jsonout *j)
{
	close_container(j, ']');
}

void
jsonout_string(struct jsonout *j, const char *key, struct slice s)
{
	begin(j, key);
	add_text(j, s);
}

void
jsonout_number(struct jsonout *j, const char *key, uint64_t n)
{
	begin(j, key);
	buf_printf(j->out, "%" PRIu64, n);
}

void
jsonout_word(struct jsonout *j, const char *key, const char *word)
{
	begin(j, key);
	buf_add_str(j->out, word);
}
