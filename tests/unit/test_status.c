/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The status pages: the text of the metrics, the page for people, health while draining.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>

#include "config.h"
#include "handler/status.h"
#include "rig.h"

#define BLOCKS 3

static const char config_text[] = "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
				  " \"headers\": {\"Content-Security-Policy\": "
				  "\"default-src 'self'\"}, \"routes\": ["
				  " {\"path\": \"/health\", \"status\": \"health\"},"
				  " {\"path\": \"/metrics\", \"status\": \"metrics\"},"
				  " {\"path\": \"/page\", \"status\": \"page\"}]}]}";

static const char *const end_names[] = { "DONE", "HEADER_TIMEOUT" };

static struct fixture {
	struct counter_block *blocks;
	struct server_status status;
	bool draining;
} fix;

static void
make_files(void)
{
}

static int
setup(void **state)
{
	(void)state;
	rig_open(config_text, make_files);
	fix.blocks = counters_new(BLOCKS);
	assert_non_null(fix.blocks);
	fix.status = (struct server_status){
		.blocks = fix.blocks,
		.block_count = BLOCKS,
		.worker_count = BLOCKS - 1,
		.end_names = end_names,
		.end_count = 2,
		.started = 1700000000,
		.draining = &fix.draining,
	};
	rig.site->env.status = &fix.status;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	counters_free(fix.blocks, BLOCKS);
	return rig_close();
}

/* The body of the last answer has this line. */
static bool
has_line(const char *line)
{
	size_t len = strlen(line);

	for (const char *p = rig.t.body.ptr; *p != '\0'; p = strchr(p, '\n') + 1) {
		if (strncmp(p, line, len) == 0 && p[len] == '\n')
			return true;
	}
	return false;
}

static int
ask(const char *target)
{
	int status;

	prepare(HTTP_GET, target);
	status = run();
	assert_field("Cache-Control", "no-store");
	return status;
}

static void
health_says_when_the_worker_drains(void **state)
{
	(void)state;
	assert_int_equal(ask("/health"), 200);
	assert_string_equal(rig.t.body.ptr, "ok\n");
	fix.draining = true;
	assert_int_equal(ask("/health"), 503);
	assert_string_equal(rig.t.body.ptr, "draining\n");
	assert_field("Content-Type", "text/plain; charset=utf-8");
	fix.draining = false;
	assert_int_equal(ask("/health"), 200);
}

static void
every_counter_is_in_the_metrics_summed(void **state)
{
	char number[32];

	(void)state;
	for (size_t c = 0; c < COUNTER_COUNT; c++) {
		for (size_t i = 0; i < BLOCKS; i++)
			atomic_store(&fix.blocks[i].v[c], (1000 + c) * 100 + i);
	}
	assert_int_equal(ask("/metrics"), 200);
	assert_field("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	for (size_t c = 0; c < COUNTER_COUNT; c++) {
		snprintf(number, sizeof(number), " %zu\n", (1000 + c) * 300 + 3);
		if (strstr(rig.t.body.ptr, number) == NULL)
			fail_msg("counter %zu:%s%s", c, number, rig.t.body.ptr);
	}
}

static void
metrics_have_names_labels_and_types(void **state)
{
	static const char *const lines[] = {
		"websrv_build_info{version=\"" PACKAGE_VERSION "\"} 1",
		"# TYPE websrv_start_time_seconds gauge",
		"websrv_start_time_seconds 1700000000",
		"websrv_workers 2",
		"# TYPE websrv_connections_open gauge",
		"websrv_connections_open 12",
		"# TYPE websrv_connections_accepted_total counter",
		"websrv_connections_accepted_total 20000000000",
		"# HELP websrv_responses_total Responses by the class of their status.",
		"# TYPE websrv_responses_total counter",
		"websrv_responses_total{class=\"2xx\"} 1",
		"websrv_responses_total{class=\"5xx\"} 4",
		"# TYPE websrv_connections_closed_total counter",
		"websrv_connections_closed_total{reason=\"done\"} 6",
		"websrv_connections_closed_total{reason=\"header_timeout\"} 3",
	};

	(void)state;
	for (size_t i = 0; i < BLOCKS; i++) {
		for (size_t c = 0; c < COUNTER_COUNT; c++)
			atomic_store(&fix.blocks[i].v[c], 0);
		atomic_store(&fix.blocks[i].v[COUNTER_CONNECTIONS_OPEN], 3 + i);
	}
	/* Beyond 32 bits. */
	counter_add(&fix.blocks[0], COUNTER_CONNECTIONS_ACCEPTED, 19999999999);
	counter_add(&fix.blocks[2], COUNTER_CONNECTIONS_ACCEPTED, 1);
	counter_add(&fix.blocks[1], COUNTER_RESPONSES_2XX, 1);
	counter_add(&fix.blocks[1], COUNTER_RESPONSES_5XX, 4);
	for (size_t n = 0; n < 6; n++)
		counter_add_closed(&fix.blocks[n % BLOCKS], 0);
	for (size_t n = 0; n < 3; n++)
		counter_add_closed(&fix.blocks[n], 1);
	assert_int_equal(ask("/metrics"), 200);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!has_line(lines[i]))
			fail_msg("no '%s' in:\n%s", lines[i], rig.t.body.ptr);
	}
}

static void
the_page_is_for_people_and_comes_anew(void **state)
{
	static const char *const parts[] = {
		"<meta http-equiv=\"refresh\" content=\"5\">",
		"color-scheme:light dark",
		"<meta name=\"viewport\"",
		">Serving</b>websrv " PACKAGE_VERSION,
		"Workers</th><td>2</td>",
	};

	(void)state;
	assert_int_equal(ask("/page"), 200);
	assert_field("Content-Type", "text/html; charset=utf-8");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(rig.t.body.ptr, parts[i]) == NULL)
			fail_msg("no %s in:\n%s", parts[i], rig.t.body.ptr);
	}
	assert_null(strstr(rig.t.body.ptr, "<script"));
	fix.draining = true;
	assert_int_equal(ask("/page"), 200);
	assert_non_null(strstr(rig.t.body.ptr, ">Draining</b>"));
	fix.draining = false;
}

static void
the_page_has_round_numbers(void **state)
{
	static const struct {
		int64_t up;
		uint64_t bytes;
		const char *duration, *size;
	} cases[] = {
		{ -5, 0, "0 min 0 s", "0 B" },
		{ 59, 1023, "0 min 59 s", "1023 B" },
		{ 60, 1024, "1 min 0 s", "1.0 KiB" },
		{ 3600 + 61, 1536, "1 h 1 min", "1.5 KiB" },
		{ 86400 * 3 + 3600 * 4, 10 * 1024 * 1024, "3 d 4 h", "10 MiB" },
		{ 86399, UINT64_MAX, "23 h 59 min", "16383 PiB" },
	};
	char text[80];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&b);
		for (size_t k = 0; k < BLOCKS; k++)
			atomic_store(&fix.blocks[k].v[COUNTER_BYTES_SENT],
				     k == 0 ? cases[i].bytes : 0);
		status_format_page(&fix.status, fix.status.started + cases[i].up, &b);
		buf_add_char(&b, '\0');
		assert_false(b.failed);
		snprintf(text, sizeof(text), "<td>%s</td>", cases[i].duration);
		assert_non_null(strstr(b.ptr, text));
		snprintf(text, sizeof(text), "Sent</th><td>%s</td>", cases[i].size);
		assert_non_null(strstr(b.ptr, text));
		buf_fini(&b);
	}
}

/* The site's would take the style away. */
static void
the_page_has_a_policy_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(ask("/page"), 200);
	assert_field("Content-Security-Policy",
		     "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
		     "form-action 'none'");
	assert_int_equal(ask("/metrics"), 200);
	assert_field("Content-Security-Policy", "default-src 'self'");
}

static void
where_nothing_is_served_there_is_no_status(void **state)
{
	(void)state;
	rig.site->env.status = NULL;
	prepare(HTTP_GET, "/metrics");
	assert_int_equal(run(), 503);
	prepare(HTTP_GET, "/page");
	assert_int_equal(run(), 503);
	assert_int_equal(ask("/health"), 200);
	rig.site->env.status = &fix.status;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_says_when_the_worker_drains),
		cmocka_unit_test(every_counter_is_in_the_metrics_summed),
		cmocka_unit_test(metrics_have_names_labels_and_types),
		cmocka_unit_test(the_page_is_for_people_and_comes_anew),
		cmocka_unit_test(the_page_has_round_numbers),
		cmocka_unit_test(the_page_has_a_policy_of_its_own),
		cmocka_unit_test(where_nothing_is_served_there_is_no_status),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
