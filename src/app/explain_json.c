/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain_json: an explanation for programs. Members are always there, null when there is
 * nothing to say. Bytes that are not UTF-8 come out as the characters U+0080 to U+00FF.
 */
#include "app/explain_parts.h"
#include "conf/jsonout.h"

const char *
explain_handler_word(const struct handler *h)
{
	switch (h->ops->action) {
	case CONF_ACTION_FILES:
		return "files";
	case CONF_ACTION_UPLOAD:
		return "upload";
	case CONF_ACTION_REDIRECT:
		return "redirect";
	case CONF_ACTION_RESPOND:
		return "respond";
	case CONF_ACTION_STATUS:
		return "status";
	default:
		return "built in";
	}
}

struct conf_place
explain_row_place(const struct explain *x)
{
	const struct conf_redirect_row *row = x->trace.row;

	if (row == NULL)
		return (struct conf_place){ 0 };
	return (struct conf_place){
		.file = x->ex.vhost->conf->redirects_place.file,
		.line = row->line,
		.column = row->column,
	};
}

static void
write_text(struct jsonout *j, const char *key, const char *text)
{
	if (text != NULL)
		jsonout_string(j, key, slice_from_str(text));
	else
		jsonout_word(j, key, "null");
}

static void
write_slice(struct jsonout *j, const char *key, struct slice s)
{
	if (s.ptr != NULL)
		jsonout_string(j, key, s);
	else
		jsonout_word(j, key, "null");
}

static void
write_place(struct jsonout *j, const struct conf_place *place)
{
	write_text(j, "file", place->file);
	if (place->line != 0) {
		jsonout_number(j, "line", place->line);
		jsonout_number(j, "column", place->column);
	} else {
		jsonout_word(j, "line", "null");
		jsonout_word(j, "column", "null");
	}
}

/* --- what came --- */

static void
write_request(struct explain *x, struct jsonout *j)
{
	const struct explain_request *r = x->request;
	char peer[PEER_TEXT_MAX];

	jsonout_object(j, "request");
	write_text(j, "method", r->method);
	write_slice(j, "target", x->url.target);
	write_slice(j, "host", x->host);
	jsonout_array(j, "fields");
	for (size_t i = 0; i < x->field_count; i++)
		jsonout_string(j, NULL, explain_show_field(x->fields[i], &x->arena));
	jsonout_array_end(j);
	write_text(j, "from", x->address != NULL ? peer_format(&x->ex.peer, peer) : NULL);
	jsonout_object_end(j);
}

static void
write_listener(const struct explain *x, struct jsonout *j)
{
	if (x->address == NULL) {
		jsonout_word(j, "listener", "null");
		return;
	}
	jsonout_object(j, "listener");
	write_text(j, "address", x->address->listen->text);
	write_place(j, &x->address->listen->place);
	jsonout_object_end(j);
}

static void
write_server(const struct explain *x, struct jsonout *j)
{
	struct slice name = x->trace.name;
	const struct conf_server *s;

	if (x->address == NULL) {
		jsonout_word(j, "server", "null");
		jsonout_word(j, "path", "null");
		return;
	}
	s = x->ex.vhost->conf;
	jsonout_object(j, "server");
	write_text(j, "by",
		   name.len == 0        ? "default"
		   : name.ptr[0] == '.' ? "wildcard"
					: "name");
	/* "*.b" is kept as ".b" */
	write_slice(j, "matched", name);
	write_place(j, &s->place);
	jsonout_object_end(j);
	write_slice(j, "path", x->ex.path);
}

/* --- what was found --- */

static void
write_route(const struct explain *x, struct jsonout *j)
{
	const struct conf_route *r = x->ex.route != NULL ? x->ex.route->conf : NULL;
	struct conf_place place = explain_row_place(x);

	if (r == NULL && x->trace.row == NULL) {
		jsonout_word(j, "route", "null");
		return;
	}
	jsonout_object(j, "route");
	if (r == NULL) {
		write_text(j, "key", "redirects");
		write_text(j, "pattern", x->trace.row->from);
		write_place(j, &place);
	} else {
		write_text(j, "key", r->path != NULL ? "path" : "path_regex");
		write_text(j, "pattern", r->path != NULL ? r->path : r->path_regex);
		write_place(j, &r->place);
	}
	write_slice(j, "rest", x->trace.rest);
	jsonout_object_end(j);
}

static void
write_access(const struct explain *x, struct jsonout *j)
{
	static const char *const rules[] = {
		[ACCESS_DENIED] = "denied",
		[ACCESS_ALLOWED] = "allowed",
		[ACCESS_NOT_ALLOWED] = "not allowed",
		[ACCESS_NOT_DENIED] = "not denied",
	};
	const struct access_verdict *v = &x->trace.access;
	char block[CIDR_TEXT_MAX];

	if (!x->trace.has_access) {
		jsonout_word(j, "access", "null");
		return;
	}
	jsonout_object(j, "access");
	jsonout_word(j, "permits", v->permits ? "true" : "false");
	write_text(j, "rule", rules[v->rule]);
	write_text(j, "block", v->block != NULL ? cidr_format(v->block, block) : NULL);
	jsonout_object_end(j);
}

static void
write_file(const struct explain *x, struct jsonout *j)
{
	write_text(j, "handler",
		   x->trace.handler != NULL ? explain_handler_word(x->trace.handler)
					    : NULL);
	if (x->trace.file == NULL) {
		jsonout_word(j, "file", "null");
		return;
	}
	jsonout_object(j, "file");
	write_text(j, "path", x->trace.file);
	jsonout_number(j, "size", x->trace.file_size);
	jsonout_object_end(j);
}

static void
write_steps(const struct explain *x, struct jsonout *j)
{
	jsonout_array(j, "steps");
	for (const struct trace_step *s = x->trace.first; s != NULL; s = s->next) {
		jsonout_object(j, NULL);
		write_text(j, "kind", trace_kind_word(s->kind));
		write_text(j, "text", s->text);
		jsonout_object_end(j);
	}
	jsonout_array_end(j);
}

static void
write_field(void *ctx, const struct http_field *f)
{
	struct jsonout *j = ctx;

	jsonout_object(j, NULL);
	jsonout_string(j, "name", f->name);
	jsonout_string(j, "value", f->value);
	jsonout_object_end(j);
}

static void
write_answer(const struct explain *x, struct jsonout *j)
{
	struct slice line;

	if (x->address == NULL) {
		jsonout_word(j, "answer", "null");
		return;
	}
	line = x->ex.vhost->server_line;
	jsonout_object(j, "answer");
	jsonout_number(j, "status", (uint64_t)x->ex.status);
	write_text(j, "reason", http_status_reason(x->ex.status));
	jsonout_array(j, "fields");
	if (line.len != 0) {
		struct http_field server = { .name = SLICE("Server") };

		line = slice_from(line, sizeof("Server: ") - 1);
		server.value = slice_make(line.ptr, line.len - 2);
		write_field(j, &server);
	}
	exchange_each_field(&x->ex, write_field, j);
	jsonout_array_end(j);
	if (x->length == BODY_UNKNOWN)
		jsonout_word(j, "length", "null");
	else
		jsonout_number(j, "length", x->length);
	jsonout_object_end(j);
}

void
explain_write_json(struct explain *x, struct buf *out)
{
	struct jsonout j;

	jsonout_init(&j, out);
	jsonout_object(&j, NULL);
	write_request(x, &j);
	write_listener(x, &j);
	write_server(x, &j);
	write_route(x, &j);
	write_access(x, &j);
	write_file(x, &j);
	write_steps(x, &j);
	write_answer(x, &j);
	jsonout_object_end(&j);
}
