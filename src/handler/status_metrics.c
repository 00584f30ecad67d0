/* SPDX-License-Identifier: BSD-2-Clause
 *
 * status_metrics: the text exposition format of Prometheus, version 0.0.4. Labels and help
 * are our own words, without anything to escape.
 */
#include <inttypes.h>

#include "base/counters.h"
#include "config.h"
#include "handler/status.h"
#include "http/chars.h"

/* One line of a metric; those of one name stand together. */
struct sample {
	enum counter counter;
	const char *name;
	const char *label; /* with its braces, or "" */
	const char *type;
	const char *help;
};

static const struct sample samples[] = {
	{ COUNTER_CONNECTIONS_ACCEPTED, "connections_accepted_total", "", "counter",
	  "Connections that were accepted." },
	{ COUNTER_CONNECTIONS_OPEN, "connections_open", "", "gauge",
	  "Connections that are open now." },
	{ COUNTER_CONNECTIONS_REFUSED, "connections_refused_total", "", "counter",
	  "Connections beyond limits.connections." },
	{ COUNTER_CONNECTIONS_LIMITED, "connections_limited_total", "", "counter",
	  "Connections beyond limits.connections_per_address." },
	{ COUNTER_REQUESTS, "requests_total", "", "counter", "Requests that were read." },
	{ COUNTER_REQUESTS_LIMITED, "requests_limited_total", "", "counter",
	  "Requests beyond limits.requests_per_address." },
	{ COUNTER_RESPONSES_2XX, "responses_total", "{class=\"2xx\"}", "counter",
	  "Responses by the class of their status." },
	{ COUNTER_RESPONSES_3XX, "responses_total", "{class=\"3xx\"}", NULL, NULL },
	{ COUNTER_RESPONSES_4XX, "responses_total", "{class=\"4xx\"}", NULL, NULL },
	{ COUNTER_RESPONSES_5XX, "responses_total", "{class=\"5xx\"}", NULL, NULL },
	{ COUNTER_BYTES_RECEIVED, "received_bytes_total", "", "counter",
	  "Bytes that were received." },
	{ COUNTER_BYTES_SENT, "sent_bytes_total", "", "counter",
	  "Bytes that were sent." },
	{ COUNTER_FILES_UPLOADED, "files_uploaded_total", "", "counter",
	  "Files that were uploaded." },
	{ COUNTER_RELOAD_SUCCESSFUL, "config_last_reload_successful", "", "gauge",
	  "1, or 0 when the last reload was refused and the configuration before goes "
	  "on." },
	{ COUNTER_RELOAD_TIME, "config_last_reload_success_timestamp_seconds", "",
	  "gauge",
	  "When the configuration that serves was loaded, in seconds since 1970." },
};

static void
describe(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP websrv_%s %s\n# TYPE websrv_%s %s\n", name, help, name,
		   type);
}

static void
add_ends(struct buf *out, const struct server_status *s)
{
	describe(out, "connections_closed_total", "counter",
		 "Connections that ended, by the reason.");
	for (size_t i = 0; i < s->end_count; i++) {
		buf_add_str(out, "websrv_connections_closed_total{reason=\"");
		for (const char *p = s->end_names[i]; *p != '\0'; p++)
			buf_add_char(out, char_lower(*p));
		buf_printf(out, "\"} %" PRIu64 "\n",
			   counter_sum_closed(s->blocks, s->block_count, i));
	}
}

void
status_format_metrics(const struct server_status *s, struct buf *out)
{
	describe(out, "build_info", "gauge", "The version that runs; always 1.");
	buf_add_str(out, "websrv_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	describe(out, "start_time_seconds", "gauge",
		 "When the server was started, in seconds since 1970.");
	buf_printf(out, "websrv_start_time_seconds %" PRId64 "\n", s->started);
	describe(out, "workers", "gauge", "Worker processes, as configured.");
	buf_printf(out, "websrv_workers %zu\n", s->worker_count);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *m = &samples[i];

		if (m->help != NULL)
			describe(out, m->name, m->type, m->help);
		buf_printf(out, "websrv_%s%s %" PRIu64 "\n", m->name, m->label,
			   counter_sum(s->blocks, s->block_count, m->counter));
	}
	add_ends(out, s);
}
