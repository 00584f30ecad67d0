/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain_text: an explanation for people: short lines, a word in front of each. What comes
 * from a request or a file name cannot move the cursor of a terminal.
 */
#include <inttypes.h>

#include "app/explain_parts.h"
#include "base/buf.h"
#include "base/utf8.h"

#define INDENT 11

/* Control characters, those that reorder text, and bytes that are not UTF-8. */
static bool
is_harmless(const char *p, size_t n)
{
	const unsigned char *c = (const unsigned char *)p;

	if (n == 1)
		return c[0] >= 0x20 && c[0] != 0x7f;
	if (n == 2)
		return c[0] != 0xc2 || c[1] >= 0xa0;
	if (n == 3 && c[0] == 0xe2 && (c[1] == 0x80 || c[1] == 0x81))
		return !((c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
			 (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
	return n != 0;
}

static void
add(struct buf *b, struct slice s)
{
	while (s.len > 0) {
		size_t n = utf8_len(s);

		if (is_harmless(s.ptr, n))
			buf_add(b, s.ptr, n);
		else
			for (size_t i = 0; i < (n != 0 ? n : 1); i++)
				buf_printf(b, "\\x%02x", (unsigned char)s.ptr[i]);
		s = slice_from(s, n != 0 ? n : 1);
	}
}

static void
add_str(struct buf *b, const char *s)
{
	add(b, slice_from_str(s));
}

static void
begin(struct buf *b, const char *word)
{
	buf_printf(b, "%-*s", INDENT, word);
}

static void
end(struct buf *b)
{
	buf_add_char(b, '\n');
}

static void
add_place(struct buf *b, const struct conf_place *place)
{
	if (place->file == NULL)
		return;
	buf_add_str(b, " (");
	add_str(b, place->file);
	if (place->line != 0)
		buf_printf(b, ":%" PRIu32, place->line);
	buf_add_char(b, ')');
}

/* --- what came --- */

static void
write_request(struct explain *x, struct buf *b)
{
	const struct explain_request *r = x->request;
	char peer[PEER_TEXT_MAX];

	begin(b, "request");
	add_str(b, r->method);
	buf_add_char(b, ' ');
	add(b, x->url.target);
	end(b);
	if (x->host.ptr != NULL) {
		begin(b, "");
		buf_add_str(b, "Host: ");
		add(b, x->host);
		end(b);
	}
	for (size_t i = 0; i < x->field_count; i++) {
		begin(b, "");
		add(b, explain_show_field(x->fields[i], &x->arena));
		end(b);
	}
	if (x->address == NULL)
		return;
	begin(b, "from");
	buf_add_str(b, peer_format(&x->ex.peer, peer));
	end(b);
	begin(b, "listener");
	add_str(b, x->address->listen->text);
	add_place(b, &x->address->listen->place);
	end(b);
}

static void
write_server(const struct explain *x, struct buf *b)
{
	const struct conf_server *s = x->ex.vhost->conf;
	struct slice name = x->trace.name;

	begin(b, "server");
	if (name.len == 0) {
		buf_add_str(b, "the default of the listener");
		if (x->ex.host.len == 0) {
			buf_add_str(b, ": the request names no host that can be read");
		} else if (x->address->names.count > 0) {
			buf_add_str(b, ": no server there has the name ");
			add(b, x->ex.host);
		}
	} else {
		if (name.ptr[0] == '.')
			buf_add_char(b, '*');
		add(b, name);
	}
	add_place(b, &s->place);
	end(b);
	if (x->ex.path.ptr == NULL)
		return;
	begin(b, "path");
	add(b, x->ex.path);
	end(b);
}

/* --- what was found --- */

static void
write_route(const struct explain *x, struct buf *b)
{
	struct conf_place place = explain_row_place(x);
	const struct conf_route *r = x->ex.route != NULL ? x->ex.route->conf : NULL;

	begin(b, "route");
	if (x->trace.row != NULL) {
		buf_add_str(b, "redirects ");
		add_str(b, x->trace.row->from);
		add_place(b, &place);
	} else if (r != NULL) {
		buf_add_str(b, r->path != NULL ? "path " : "path_regex ");
		add_str(b, r->path != NULL ? r->path : r->path_regex);
		add_place(b, &r->place);
	} else {
		buf_add_str(b, "none");
	}
	end(b);
	if (x->trace.handler == NULL)
		return;
	begin(b, "handler");
	buf_add_str(b, explain_handler_word(x->trace.handler));
	end(b);
}

static void
write_field(void *ctx, const struct http_field *f)
{
	begin(ctx, "");
	add(ctx, f->name);
	buf_add_str(ctx, ": ");
	add(ctx, f->value);
	end(ctx);
}

static void
write_answer(const struct explain *x, struct buf *b)
{
	struct slice server = x->ex.vhost->server_line;

	if (x->trace.file != NULL) {
		begin(b, "file");
		add_str(b, x->trace.file);
		buf_printf(b, " (%" PRIu64 " bytes)", x->trace.file_size);
		end(b);
	}
	begin(b, "answer");
	buf_printf(b, "%d %s\n", x->ex.status, http_status_reason(x->ex.status));
	if (server.len != 0) {
		begin(b, "");
		add(b, slice_make(server.ptr, server.len - 2));
		end(b);
	}
	exchange_each_field(&x->ex, write_field, b);
	begin(b, "body");
	if (x->length == BODY_UNKNOWN)
		buf_add_str(b, "made while it is sent\n");
	else
		buf_printf(b, "%" PRIu64 " bytes%s\n", x->length,
			   x->ex.head.method == HTTP_HEAD ? ", not sent" : "");
}

void
explain_write_text(struct explain *x, struct buf *b)
{
	write_request(x, b);
	if (x->address != NULL)
		write_server(x, b);
	for (const struct trace_step *s = x->trace.first; s != NULL; s = s->next) {
		begin(b, s == x->trace.first ? "steps" : "");
		buf_printf(b, "%-9s", trace_kind_word(s->kind));
		add_str(b, s->text);
		end(b);
	}
	if (x->address == NULL)
		return;
	write_route(x, b);
	write_answer(x, b);
}
