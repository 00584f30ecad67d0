/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain: the steps: the request's head as bytes, the site as a start makes it, the user that
 * the workers become, an exchange until it is answered, and what is printed of it.
 */
#include "app/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/explain_parts.h"
#include "app/privileges.h"
#include "app/start.h"
#include "base/buf.h"
#include "http/h1parse.h"

#define ARENA_EXTRA ((size_t)256 * 1024)

/* --- the transport --- */

static struct explain *
explain_of(struct exchange *ex)
{
	return (struct explain *)((char *)ex - offsetof(struct explain, ex));
}

static void
on_head(struct exchange *ex)
{
	explain_of(ex)->length = ex->body.left;
}

static void
on_consumed(struct exchange *ex, size_t n)
{
	(void)ex;
	(void)n;
}

static void
on_later(struct exchange *ex)
{
	explain_of(ex)->wants_turn = true;
}

/* Nobody is waited for. */
static void
on_after(struct exchange *ex, unsigned ms)
{
	(void)ex;
	(void)ms;
}

static void
on_abort(struct exchange *ex)
{
	explain_of(ex)->aborted = true;
}

/* Nobody would see it: what is explained is the answer. */
static bool
on_interim(struct exchange *ex, int status, const struct http_field *fields, size_t count)
{
	(void)ex;
	(void)status;
	(void)fields;
	(void)count;
	return false;
}

static const struct exchange_ops exchange_ops = {
	.head = on_head,
	.consumed = on_consumed,
	.later = on_later,
	.after = on_after,
	.interim = on_interim,
	.abort = on_abort,
};

/* --- the request --- */

static bool
has_field(const struct explain *x, struct slice name)
{
	for (size_t i = 0; i < x->field_count; i++) {
		struct slice f = x->fields[i];

		if (slice_eq_nocase(slice_make(f.ptr, slice_find(f, ':')), name))
			return true;
	}
	return false;
}

/* The head as a client would send it. */
static void
write_head(struct explain *x, struct buf *out)
{
	const struct explain_request *r = x->request;

	if (!has_field(x, SLICE("Host")))
		x->host = x->url.authority.ptr != NULL
				  ? x->url.authority
				  : explain_own_host(x->address->listen, &x->arena);
	buf_printf(out, "%s %.*s HTTP/1.1\r\n", r->method, SLICE_ARG(x->url.target));
	if (x->host.ptr != NULL)
		buf_printf(out, "Host: %.*s\r\n", SLICE_ARG(x->host));
	for (size_t i = 0; i < x->field_count; i++)
		buf_printf(out, "%.*s\r\n", SLICE_ARG(x->fields[i]));
	buf_add_str(out, "\r\n");
}

static void
refuse(struct explain *x, int status, const char *reason)
{
	trace_note(&x->trace, TRACE_REQUEST, "refused by the parser: %s", reason);
	exchange_refuse(&x->ex, status);
}

static void
run_exchange(struct explain *x)
{
	struct exchange *ex = &x->ex;

	exchange_begin(ex);
	if (ex->state == EXCHANGE_RECEIVING)
		exchange_body(ex, slice_make("", 0), true);
	while (x->wants_turn) {
		x->wants_turn = false;
		exchange_work(ex);
	}
}

/* As the transport of HTTP/1.1 does with what it received. */
static void
parse(struct explain *x, struct h1_parser *p, struct slice bytes)
{
	struct http_field *fields;
	int status = 0;

	switch (h1_parse(p, bytes)) {
	case H1_BAD:
		refuse(x, p->status, p->reason);
		return;
	case H1_MORE:
		refuse(x, 400, "the head does not end");
		return;
	case H1_OK:
		break;
	}
	fields = arena_alloc(&x->ex.arena, (p->field_count + 1) * sizeof(*fields));
	if (fields == NULL)
		refuse(x, 503, "out of memory");
	else if ((status = h1_head(p, bytes.ptr, fields, &x->ex.head)) != 0)
		refuse(x, status, p->reason);
	else
		run_exchange(x);
}

static struct peer
peer_for(const struct explain *x)
{
	const char *from = x->request->from;
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (from == NULL && x->address->listen->family != CONF_UNIX)
		from = x->address->listen->family == CONF_INET6 ? "::1" : "127.0.0.1";
	if (from != NULL && inet_pton(AF_INET, from, &in.sin_addr) == 1)
		return peer_from_sockaddr((struct sockaddr *)&in, sizeof(in));
	if (from != NULL && inet_pton(AF_INET6, from, &in6.sin6_addr) == 1)
		return peer_from_sockaddr((struct sockaddr *)&in6, sizeof(in6));
	return (struct peer){ .family = AF_UNIX };
}

/* 0 or -ENOMEM. The exchange has been answered then. */
static int
answer(struct explain *x, struct buf *head)
{
	const struct site_address *a = x->address;
	struct h1_limits limits = { a->uri_size, a->header_size, a->header_count };
	struct h1_parser parser;

	write_head(x, head);
	if (head->failed || h1_parser_init(&parser, &limits) < 0)
		return -ENOMEM;
	exchange_init(&x->ex, &exchange_ops,
		      8 * a->header_size + a->header_count * sizeof(struct http_field) +
			      ARENA_EXTRA);
	exchange_reset(&x->ex);
	x->ex.dry = true;
	x->ex.trace = &x->trace;
	x->ex.site = x->site;
	x->ex.address = a;
	x->ex.peer = peer_for(x);
	parse(x, &parser, buf_slice(head));
	h1_parser_fini(&parser);
	return 0;
}

/* --- the explanation --- */

static int
print(struct explain *x)
{
	struct buf out;

	buf_init(&out);
	if (x->request->json)
		explain_write_json(x, &out);
	else
		explain_write_text(x, &out);
	return cli_print(&out);
}

static int
explain_site(struct explain *x)
{
	struct buf head;
	int status = 1;

	buf_init(&head);
	explain_find_listener(x);
	if (x->address == NULL) {
		(void)print(x);
	} else if (answer(x, &head) < 0 || x->trace.failed) {
		fputs("websrv: out of memory\n", stderr);
	} else {
		status = print(x);
		if (status == 0 && (x->ex.status >= 400 || x->aborted))
			status = 1;
	}
	if (x->ex.state == EXCHANGE_RECEIVING || x->ex.state == EXCHANGE_RESPONDING)
		exchange_finish(&x->ex, EXCHANGE_COMPLETE);
	exchange_fini(&x->ex);
	buf_fini(&head);
	return status;
}

/* The workers are another user: what he may is what counts, as far as we can tell. */
static int
become_worker(struct explain *x, const struct log *log)
{
	if (x->conf->user == NULL)
		return 0;
	if (geteuid() != 0) {
		trace_note(
			&x->trace, TRACE_NOTE,
			"looked at as user %u; the workers are %s when started as root",
			geteuid(), x->conf->user);
		return 0;
	}
	if (privileges_drop(x->conf, log) == 0)
		return 0;
	fprintf(stderr, "websrv: cannot become user %s\n", x->conf->user);
	return 1;
}

static int
open_site(struct explain *x)
{
	/* What the error log would say is said as a step. */
	struct logs logs = { .error_fd = -1, .access_fd = -1 };
	struct start start;
	struct buf errors;
	int status = CLI_EXIT_CONFIG;

	logs.errors =
		(struct log){ open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR };
	if (logs.errors.fd < 0) {
		fprintf(stderr, "websrv: /dev/null: %s\n", strerror(errno));
		return 1;
	}
	buf_init(&errors);
	if (start_open_explained(&start, x->conf, &logs, &errors) == 0) {
		x->site = start.site;
		status = become_worker(x, &logs.errors);
		if (status == 0)
			status = explain_site(x);
	} else {
		fwrite(errors.ptr, 1, errors.len, stderr);
		if (geteuid() != 0 && x->conf->user != NULL)
			fputs("websrv: the start is as root; explain as root, too\n",
			      stderr);
	}
	buf_fini(&errors);
	start_close(&start);
	close(logs.errors.fd);
	return status;
}

/* What is wrong may be copied from anywhere, and must not write to the terminal as it likes. */
static int
complain(const char *what, const char *wrong)
{
	struct buf text;

	buf_init(&text);
	buf_add_escaped(&text, slice_from_str(what));
	fprintf(stderr, "websrv: --explain: %.*s %s\n", SLICE_ARG(buf_slice(&text)),
		wrong);
	buf_fini(&text);
	return CLI_EXIT_USAGE;
}

/* 0, or the exit status of a wrong usage. */
static int
check(struct explain *x)
{
	const struct explain_request *r = x->request;
	const char *wrong = explain_read_url(r->url, &x->arena, &x->url);
	unsigned char address[16];

	if (wrong != NULL)
		return complain(r->url, wrong);
	if (r->from != NULL && strcmp(r->from, "unix") != 0 &&
	    inet_pton(AF_INET, r->from, address) != 1 &&
	    inet_pton(AF_INET6, r->from, address) != 1)
		return complain(r->from,
				"is no address; write 192.0.2.7, 2001:db8::7 or unix");
	return explain_read_fields(x) ? 0 : CLI_EXIT_USAGE;
}

int
explain_run(const struct explain_request *r, const struct config *conf)
{
	struct explain x = { .request = r, .conf = conf };
	int status;

	trace_init(&x.trace);
	arena_init(&x.arena, SIZE_MAX);
	status = check(&x);
	if (status == 0)
		status = open_site(&x);
	arena_fini(&x.arena);
	trace_fini(&x.trace);
	return status;
}
