/* SPDX-License-Identifier: BSD-2-Clause
 *
 * status_page: the counters as a page for people, in the dress of the error pages. It comes
 * anew every five seconds, without a script.
 */
#include <inttypes.h>

#include "base/counters.h"
#include "config.h"
#include "handler/status.h"

static const char head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"refresh\" content=\"5\">\n"
	"<title>websrv status</title>\n<style>\n"
	":root{color-scheme:light dark}\n"
	"body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;min-height:90vh;display:grid;"
	"place-content:center;padding:1.5rem}\n"
	"h1{font-size:1.6rem;font-weight:600;margin:0}\n"
	"h1 b{font-size:3rem;font-weight:200;display:block;line-height:1.1;"
	"color:#0a7d6c}\n"
	"table{margin:1rem 0 0;border-collapse:collapse}\n"
	"th{font-weight:400;opacity:.8;text-align:left;padding:.15rem 2rem .15rem 0}\n"
	"td{text-align:right;font-variant-numeric:tabular-nums}\n"
	"tr+tr{border-top:1px solid #8884}\n"
	"</style>\n</head>\n<body>\n<main>\n";

/* "3 d 4 h", "12 min 5 s": two units are enough. */
static void
add_duration(struct buf *out, int64_t seconds)
{
	int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (days > 0)
		buf_printf(out, "%" PRId64 " d %" PRId64 " h", days, hours % 24);
	else if (hours > 0)
		buf_printf(out, "%" PRId64 " h %" PRId64 " min", hours, minutes % 60);
	else
		buf_printf(out, "%" PRId64 " min %" PRId64 " s", minutes, seconds % 60);
}

/* "512 B", "1.5 KiB", "12 MiB". */
static void
add_bytes(struct buf *out, uint64_t n)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	uint64_t rest = 0;
	size_t u = 0;

	while (n >= 1024 && u + 1 < sizeof(units) / sizeof(units[0])) {
		rest = n % 1024;
		n /= 1024;
		u++;
	}
	if (u > 0 && n < 10)
		buf_printf(out, "%" PRIu64 ".%" PRIu64, n, rest * 10 / 1024);
	else
		buf_printf(out, "%" PRIu64, n);
	buf_printf(out, " %s", units[u]);
}

static void
add_row(struct buf *out, const struct server_status *s, const char *name,
	enum counter counter)
{
	uint64_t n = counter_sum(s->blocks, s->block_count, counter);

	buf_printf(out, "<tr><th scope=\"row\">%s</th><td>", name);
	if (counter == COUNTER_BYTES_RECEIVED || counter == COUNTER_BYTES_SENT)
		add_bytes(out, n);
	else
		buf_printf(out, "%" PRIu64, n);
	buf_add_str(out, "</td></tr>\n");
}

void
status_format_page(const struct server_status *s, int64_t now, struct buf *out)
{
	static const struct {
		const char *name;
		enum counter counter;
	} rows[] = {
		{ "Open connections", COUNTER_CONNECTIONS_OPEN },
		{ "Connections so far", COUNTER_CONNECTIONS_ACCEPTED },
		{ "of them refused", COUNTER_CONNECTIONS_REFUSED },
		{ "refused for their address", COUNTER_CONNECTIONS_LIMITED },
		{ "Requests", COUNTER_REQUESTS },
		{ "of them too fast", COUNTER_REQUESTS_LIMITED },
		{ "Answers 2xx, success", COUNTER_RESPONSES_2XX },
		{ "Answers 3xx, redirects", COUNTER_RESPONSES_3XX },
		{ "Answers 4xx, client errors", COUNTER_RESPONSES_4XX },
		{ "Answers 5xx, server errors", COUNTER_RESPONSES_5XX },
		{ "Received", COUNTER_BYTES_RECEIVED },
		{ "Sent", COUNTER_BYTES_SENT },
		{ "Files uploaded", COUNTER_FILES_UPLOADED },
	};

	buf_add_str(out, head);
	buf_printf(out, "<h1><b>%s</b>websrv " PACKAGE_VERSION "</h1>\n<table>\n",
		   *s->draining ? "Draining" : "Serving");
	/* A clock that was set back shows no nonsense. */
	buf_add_str(out, "<tr><th scope=\"row\">Up for</th><td>");
	add_duration(out, now > s->started ? now - s->started : 0);
	buf_printf(out,
		   "</td></tr>\n<tr><th scope=\"row\">Workers</th><td>%zu</td></tr>\n",
		   s->worker_count);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add_row(out, s, rows[i].name, rows[i].counter);
	buf_add_str(out, "</table>\n</main>\n</body>\n</html>\n");
}
