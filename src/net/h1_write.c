/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1_write: the head of an answer on the wire, RFC 9112 sections 4 to 6: status line, our
 * own fields, the handler's, and the framing that only the transport knows.
 */
#include <string.h>

#include "base/number.h"
#include "net/conn.h"
#include "net/h1_state.h"
#include "net/net.h"

static void
send_status_line(struct conn *c, int status)
{
	struct slice line = http_status_line(status);
	char unknown[] = { 'H',
			   'T',
			   'T',
			   'P',
			   '/',
			   '1',
			   '.',
			   '1',
			   ' ',
			   (char)('0' + status / 100 % 10),
			   (char)('0' + status / 10 % 10),
			   (char)('0' + status % 10),
			   ' ',
			   '\r',
			   '\n' };

	conn_send(c, line.len != 0 ? line : slice_make(unknown, sizeof(unknown)));
}

/* Lines that lie one behind the other leave in one piece. */
struct field_sender {
	struct conn *c;
	struct slice lines; /* joined, not sent yet */
};

static void
send_lines(struct field_sender *s)
{
	if (s->lines.len != 0)
		conn_send(s->c, s->lines);
	s->lines.len = 0;
}

static void
send_field(void *ctx, const struct http_field *f)
{
	struct field_sender *s = ctx;

	if (f->joined && f->name.ptr == s->lines.ptr + s->lines.len) {
		s->lines.len += http_field_line_len(f);
		return;
	}
	send_lines(s);
	if (f->joined) {
		s->lines = slice_make(f->name.ptr, http_field_line_len(f));
		return;
	}
	conn_send(s->c, f->name);
	conn_send(s->c, SLICE(": "));
	conn_send(s->c, f->value);
	conn_send(s->c, SLICE("\r\n"));
}

void
h1_write_interim(struct h1 *h, int status, const struct http_field *fields, size_t count)
{
	struct field_sender s = { .c = h->c };

	send_status_line(h->c, status);
	for (size_t i = 0; i < count; i++)
		send_field(&s, &fields[i]);
	send_lines(&s);
	conn_send(h->c, SLICE("\r\n"));
}

/* May the connection be used again after this answer? */
static bool
can_keep_alive(const struct h1 *h)
{
	const struct exchange *ex = &h->ex;
	const struct vhost *v = ex->vhost;

	if (ex->close || !ex->head.keep_alive || h->c->net->draining || h->c->eof_told)
		return false;
	if (v->conf->limits.requests_per_connection != 0 &&
	    h->c->requests >= v->conf->limits.requests_per_connection)
		return false;
	if (h->in != H1_IN_BODY)
		return true;
	/* RFC 9110 section 10.1.1: who was not told to continue may send the body or not, and
	 * we could not tell it from the next request. */
	if (ex->head.expect_continue)
		return false;
	return ex->head.body == HTTP_BODY_CHUNKED || h->body_left <= H1_DISCARD_MAX;
}

#define FRAMING_MAX 96 /* the longest of each line, and some */

static char *
put(char *out, struct slice s)
{
	memcpy(out, s.ptr, s.len);
	return out + s.len;
}

/* The end of a head. */
static void
send_framing(struct h1 *h)
{
	char text[FRAMING_MAX], *p = text;
	int status = h->ex.status;

	/* RFC 9110 section 8.6: no Content-Length in 204; in 304 it would be that of the
	 * answer to a GET, which the handler has not looked for. */
	if (h->chunked_out) {
		p = put(p, SLICE("Transfer-Encoding: chunked\r\n"));
	} else if (status != 204 && status != 304 && h->ex.body.left != BODY_UNKNOWN) {
		p = put(p, SLICE("Content-Length: "));
		p += number_format(h->ex.body.left, p);
		p = put(p, SLICE("\r\n"));
	}
	if (!h->keep_alive)
		p = put(p, SLICE("Connection: close\r\n"));
	else if (h->ex.head.minor == 0)
		p = put(p, SLICE("Connection: keep-alive\r\n"));
	p = put(p, SLICE("\r\n"));
	conn_send(h->c, slice_make(text, (size_t)(p - text)));
}

void
h1_write_head(struct h1 *h)
{
	struct exchange *ex = &h->ex;
	struct conn *c = h->c;
	struct field_sender s = { .c = c };
	bool has_body =
		ex->head.method != HTTP_HEAD && ex->status != 204 && ex->status != 304;

	h->keep_alive = can_keep_alive(h);
	if (has_body && ex->body.left == BODY_UNKNOWN) {
		/* RFC 9112 section 6.1: HTTP/1.0 knows only the end of the connection. */
		h->chunked_out = ex->head.minor > 0;
		h->keep_alive = h->keep_alive && h->chunked_out;
	}
	send_status_line(c, ex->status);
	conn_send(c, ex->vhost->server_line);
	conn_send(c, slice_make(net_date_line(c->net), NET_DATE_LEN));
	exchange_each_field(ex, send_field, &s);
	send_lines(&s);
	send_framing(h);
	if (!has_body)
		ex->body.left = 0;
}
