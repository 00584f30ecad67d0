/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dump_text: the way back for what the loader stores in more than one member, or not as
 * it is written: text that loads into the same again.
 */
#include "base/buf.h"
#include "conf/loader.h"
#include "http/uri.h"

void
listen_get_address(const void *target, struct buf *out)
{
	const struct conf_listen *listen = target;

	if (listen->family == CONF_UNIX)
		buf_printf(out, "unix:%s", listen->host);
	else
		buf_printf(out, listen->family == CONF_INET6 ? "[%s]:%u" : "%s:%u",
			   listen->host, listen->port);
}

static void
add_log(struct buf *out, enum conf_log_target target, const char *path)
{
	if (target == CONF_LOG_STDERR)
		buf_add_str(out, "stderr");
	else if (target == CONF_LOG_SYSLOG)
		buf_add_str(out, "syslog");
	else
		buf_add_str(out, path);
}

void
log_get_error(const void *target, struct buf *out)
{
	const struct conf_logs *logs = target;

	add_log(out, logs->error.target, logs->error.path);
}

void
log_get_access(const void *target, struct buf *out)
{
	const struct conf_logs *logs = target;

	add_log(out, logs->access.target, logs->access.path);
}

/* A decoded path; "*" at its end would be taken for a route of its own. */
void
row_get_name(const void *target, struct buf *out)
{
	const struct conf_redirect_row *row = target;

	for (const char *p = row->from; *p != '\0'; p++) {
		char code[3];

		if (*p == '*')
			buf_add_str(out, "%2A");
		else
			buf_add(out, code, uri_path_encode(slice_make(p, 1), code));
	}
}
