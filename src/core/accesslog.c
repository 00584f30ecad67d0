/* SPDX-License-Identifier: BSD-2-Clause
 *
 * accesslog: whatever the client sent is escaped, so that a line is always one line and
 * a quoted part always ends where it seems to.
 */
#include "core/accesslog.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "core/exchange.h"

void
accesslog_init(struct accesslog *a, int fd, enum conf_access_format format,
	       const struct log *errors)
{
	*a = (struct accesslog){ .errors = errors, .format = format, .second = -1 };
	linelog_init(&a->lines, fd);
}

void
accesslog_fini(struct accesslog *a)
{
	linelog_fini(&a->lines, a->errors);
}

void
accesslog_flush(struct accesslog *a)
{
	linelog_flush(&a->lines, a->errors);
}

/* "31/Jan/2026:12:00:00 +0000" or, for JSON, "2026-01-31T12:00:00Z". */
static const char *
date_text(struct accesslog *a)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t now = clock_unix();
	time_t t = (time_t)now;
	struct tm tm;

	if (now == a->second)
		return a->date;
	gmtime_r(&t, &tm);
	if (a->format == CONF_ACCESS_JSON)
		strftime(a->date, sizeof(a->date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	else
		snprintf(a->date, sizeof(a->date), "%02d/%s/%d:%02d:%02d:%02d +0000",
			 tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900,
			 tm.tm_hour, tm.tm_min, tm.tm_sec);
	a->second = now;
	return a->date;
}

static void
add_quoted(struct buf *b, struct slice s)
{
	buf_add_str(b, " \"");
	if (s.len == 0)
		buf_add_char(b, '-');
	buf_add_escaped(b, s);
	buf_add_char(b, '"');
}

/* The column has no quotes around it, so a space would make two of it. */
static void
add_user(struct buf *b, struct slice user)
{
	if (user.len == 0)
		buf_add_char(b, '-');
	while (user.len > 0) {
		size_t n = slice_find(user, ' ');

		buf_add_escaped(b, slice_make(user.ptr, n));
		if (n < user.len)
			buf_add_str(b, "\\x20");
		user = slice_from(user, n + 1);
	}
}

static void
write_combined(struct accesslog *a, struct buf *b, const struct exchange *ex)
{
	const struct http_head *h = &ex->head;
	char peer[PEER_TEXT_MAX];

	buf_printf(b, "%s - ", peer_format(&ex->peer, peer));
	add_user(b, ex->user);
	buf_printf(b, " [%s] \"", date_text(a));
	if (h->target.len == 0) {
		buf_add_char(b, '-'); /* it never became a request */
	} else {
		buf_add_escaped(b, h->method_name);
		buf_add_char(b, ' ');
		buf_add_escaped(b, h->target);
		buf_printf(b, " HTTP/1.%d", h->minor);
	}
	buf_printf(b, "\" %03d %llu", ex->status, (unsigned long long)ex->sent);
	add_quoted(b, http_head_value(h, HTTP_FIELD_REFERER));
	add_quoted(b, http_head_value(h, HTTP_FIELD_USER_AGENT));
	buf_add_char(b, '\n');
}

static void
add_member(struct buf *b, const char *name, struct slice value)
{
	if (value.ptr == NULL)
		return;
	buf_printf(b, ",\"%s\":\"", name);
	buf_add_json(b, value);
	buf_add_char(b, '"');
}

static void
write_json(struct accesslog *a, struct buf *b, const struct exchange *ex)
{
	const struct http_head *h = &ex->head;
	char peer[PEER_TEXT_MAX];

	buf_printf(b, "{\"time\":\"%s\",\"remote\":\"%s\"", date_text(a),
		   peer_format(&ex->peer, peer));
	add_member(b, "user", ex->user);
	add_member(b, "host", ex->host);
	if (h->target.len != 0) {
		add_member(b, "method", h->method_name);
		add_member(b, "target", h->target);
		buf_printf(b, ",\"protocol\":\"HTTP/1.%d\"", h->minor);
	}
	buf_printf(b,
		   ",\"status\":%d,\"sent\":%llu,\"received\":%llu,\"duration_ms\":%llu",
		   ex->status, (unsigned long long)ex->sent,
		   (unsigned long long)ex->received,
		   (unsigned long long)(clock_mono_ms() - ex->started_ms));
	add_member(b, "referer", http_head_value(h, HTTP_FIELD_REFERER));
	add_member(b, "user_agent", http_head_value(h, HTTP_FIELD_USER_AGENT));
	buf_add_str(b, "}\n");
}

void
accesslog_write(struct accesslog *a, const struct exchange *ex)
{
	struct buf *b = linelog_begin(&a->lines);

	if (a->format == CONF_ACCESS_JSON)
		write_json(a, b, ex);
	else
		write_combined(a, b, ex);
	linelog_commit(&a->lines, a->errors);
}
