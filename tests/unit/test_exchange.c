/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the machine between transports and handlers promises to both: a transport that
 * takes notes drives a handler that counts through every way that a request can end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "made_site.h"
#include "transport.h"
#include "rows.h"

#define BODY_MAX ((size_t)4 * 1024 * 1024)

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\","
	"  {\"address\": \"127.0.0.1:81\", \"interim_104\": false}],"
	" \"headers\": {\"X-Server\": \"s\", \"Vary\": \"Server\","
	"  \"X-Content-Type-Options\": null},"
	" \"error_pages\": {\"403\": \"/page\", \"409\": \"/page/\"},"
	" \"routes\": ["
	"  {\"path\": \"/probe\", \"respond\": {}, \"limits\": {\"body_size\": \"4M\"},"
	"   \"headers\": {\"vary\": \"Route\", \"X-Route\": \"r\", \"X-Server\": null}},"
	"  {\"path\": \"/plain\", \"respond\": {}, \"methods\": [\"GET\"]},"
	"  {\"path\": \"/page\", \"files\": {\"root\": \"/\"}}]}]}";

/* What the handler does. */
enum plan {
	ANSWER,         /* in open */
	REFUSE,         /* a status from open */
	REFUSE_READY,   /* the same with half an answer made */
	ANSWER_AT_LAST, /* in data */
	REFUSE_DATA,    /* a status from data */
	FAIL_IN_DATA,   /* exchange_fail() */
	TELL,           /* 104 in open, answers in data */
	FAIL_LATE,      /* exchange_fail() after the answer */
	KEEP            /* takes bytes and credits none */
};

static struct rig {
	struct transport t;
	enum plan plan;
	int refusal; /* the status of REFUSE */
	unsigned opens, closes, releases, pages;
	bool told;
	enum exchange_end why;
	uint64_t most_unconsumed;
	struct made_site made;
} rig;

/* --- the handler --- */

static void
on_release(void *owner)
{
	((struct rig *)owner)->releases++;
}

static void
make_answer(struct exchange *ex)
{
	assert_int_equal(exchange_add_field(ex, HTTP_FIELD_ETAG, SLICE("\"p\"")), 0);
	assert_int_equal(exchange_add_field(ex, HTTP_FIELD_VARY, SLICE("Handler")), 0);
	ex->body = body_memory(SLICE("probe"));
	ex->body.release = on_release;
	ex->body.owner = &rig;
}

static const struct http_field hint = { SLICE_LIT("Location"), SLICE_LIT("/there"),
					HTTP_FIELD_LOCATION, false };

static int
probe_open(struct exchange *ex)
{
	rig.opens++;
	ex->data = &rig.plan;
	if (rig.plan == REFUSE_READY)
		make_answer(ex);
	if (rig.plan == REFUSE || rig.plan == REFUSE_READY)
		return rig.refusal;
	if (rig.plan == ANSWER || rig.plan == FAIL_LATE) {
		make_answer(ex);
		exchange_respond(ex, 200);
	}
	if (rig.plan == FAIL_LATE)
		exchange_fail(ex, 500);
	if (rig.plan == TELL)
		rig.told = exchange_interim(ex, 104, &hint, 1);
	return 0;
}

static int
probe_data(struct exchange *ex, struct slice bytes, bool last)
{
	assert_ptr_equal(ex->data, &rig.plan);
	if (ex->unconsumed > rig.most_unconsumed)
		rig.most_unconsumed = ex->unconsumed;
	if (rig.plan == REFUSE_DATA)
		return 507;
	if (rig.plan == FAIL_IN_DATA) {
		exchange_fail(ex, 507);
		return 0;
	}
	if (rig.plan != ANSWER_AT_LAST && rig.plan != TELL)
		return 0;
	exchange_consumed(ex, bytes.len);
	if (last) {
		make_answer(ex);
		exchange_respond(ex, 201);
	}
	return 0;
}

static void
probe_close(struct exchange *ex, enum exchange_end why)
{
	assert_ptr_equal(ex->data, &rig.plan);
	rig.closes++;
	rig.why = why;
}

static const struct handler_ops probe = {
	.action = CONF_ACTION_RESPOND,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_PUT),
	.open = probe_open,
	.data = probe_data,
	.close = probe_close,
};

/* The page for 403: fails itself when it is told so. */
static int
page_open(struct exchange *ex)
{
	rig.pages++;
	if (rig.plan == REFUSE_READY) {
		exchange_fail(ex, 404);
		return 0;
	}
	ex->body = body_memory(SLICE("page"));
	exchange_respond(ex, 200);
	return 0;
}

static const struct handler_ops page = {
	.action = CONF_ACTION_FILES,
	.methods = HTTP_BIT(HTTP_GET),
	.open = page_open,
};
static const struct handler_ops *const kinds[] = { &probe, &page, NULL };

static int
no_page_open(struct exchange *ex)
{
	assert_int_not_equal(ex->error_status, 0);
	return 503;
}

static const struct handler_ops no_page = { .open = no_page_open };

/* --- setting up --- */

static int
setup(void **state)
{
	(void)state;
	made_site_open(&rig.made, config_text, "/", (struct handler_env){ 0 }, kinds,
		       &no_page);
	transport_init(&rig.t, (size_t)64 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	transport_fini(&rig.t);
	made_site_close(&rig.made);
	return 0;
}

static void
prepare(enum plan plan, enum http_method method, const char *path)
{
	rig.plan = plan;
	rig.refusal = 403;
	rig.opens = rig.closes = rig.releases = rig.pages = 0;
	rig.most_unconsumed = 0;
	transport_prepare(&rig.t, rig.made.site, method, path);
}

static void
begin(enum plan plan)
{
	prepare(plan, HTTP_PUT, "/probe");
	rig.t.ex.head.body = HTTP_BODY_CHUNKED;
	exchange_begin(&rig.t.ex);
}

static const char *
fields(void)
{
	transport_note_fields(&rig.t);
	return rig.t.fields.ptr;
}

/* --- every way to end --- */

struct end_case {
	const char *name;
	enum plan plan;
	const char *body; /* NULL: it does not come */
	bool last;        /* and it is whole */
	int refuse;       /* then the transport refuses, with this status */
	enum exchange_end end;
	int status;
	unsigned heads, aborts, closes, releases;
	enum exchange_end why; /* as the handler is told */
};

#define DONE EXCHANGE_COMPLETE
#define CUT EXCHANGE_ABORTED

/* clang-format off */
static const struct end_case ends[] = {
	{ "answer_that_was_sent_is_complete", ANSWER, NULL, false, 0, DONE, 200, 1, 0, 1, 1, DONE },
	{ "answer_that_was_not_sent_is_aborted", ANSWER, NULL, false, 0, CUT, 200, 1, 0, 1, 1, CUT },
	{ "answer_after_the_body_is_complete", ANSWER_AT_LAST, "abc", true, 0, DONE, 201, 1, 0, 1, 1, DONE },
	{ "answer_after_the_body_may_be_cut", ANSWER_AT_LAST, "abc", true, 0, CUT, 201, 1, 0, 1, 1, CUT },
	{ "body_that_never_begins_is_aborted", ANSWER_AT_LAST, NULL, false, 0, CUT, 499, 0, 0, 1, 0, CUT },
	{ "body_that_is_cut_short_is_aborted", ANSWER_AT_LAST, "abc", false, 0, CUT, 499, 0, 0, 1, 0, CUT },
	{ "refusal_in_open_closes_nothing", REFUSE, NULL, false, 0, DONE, 403, 1, 0, 0, 0, CUT },
	{ "refusal_in_open_releases_what_was_made", REFUSE_READY, NULL, false, 0, DONE, 403, 1, 0, 0, 1, CUT },
	{ "refusal_in_data_closes_before_the_error", REFUSE_DATA, "abc", false, 0, DONE, 507, 1, 0, 1, 0, CUT },
	{ "refusal_of_the_last_bytes_closes_too", REFUSE_DATA, "abc", true, 0, CUT, 507, 1, 0, 1, 0, CUT },
	{ "failure_in_data_closes_once", FAIL_IN_DATA, "abc", false, 0, DONE, 507, 1, 0, 1, 0, CUT },
	{ "failure_after_the_answer_aborts", FAIL_LATE, NULL, false, 0, CUT, 200, 1, 1, 1, 1, CUT },
	{ "refusal_by_the_transport_closes_the_handler", KEEP, "abc", false, 408, DONE, 408, 1, 0, 1, 0, CUT },
	{ "refusal_after_the_answer_aborts", ANSWER, NULL, false, 400, CUT, 200, 1, 1, 1, 1, CUT },
};
/* clang-format on */

static void
run_end(void **state)
{
	const struct end_case *c = *state;

	begin(c->plan);
	if (c->body != NULL)
		exchange_body(&rig.t.ex, slice_from_str(c->body), c->last);
	if (c->refuse != 0)
		exchange_refuse(&rig.t.ex, c->refuse);
	exchange_finish(&rig.t.ex, c->end);
	assert_int_equal(rig.t.ex.state, EXCHANGE_ENDED);
	assert_int_equal(rig.opens, 1);
	assert_int_equal(rig.t.ex.status, c->status);
	assert_int_equal(rig.t.heads, c->heads);
	assert_int_equal(rig.t.aborts, c->aborts);
	assert_int_equal(rig.closes, c->closes);
	assert_int_equal(rig.releases, c->releases);
	if (c->closes != 0)
		assert_int_equal(rig.why, c->why);
	assert_null(rig.t.ex.data);
	exchange_reset(&rig.t.ex); /* closes and releases nothing again */
	assert_int_equal(rig.closes, c->closes);
	assert_int_equal(rig.releases, c->releases);
}

/* --- errors --- */

static void
request_that_never_was_one_is_refused(void **state)
{
	(void)state;
	prepare(ANSWER, HTTP_METHOD_UNKNOWN, "");
	exchange_refuse(&rig.t.ex, 501);
	assert_int_equal(rig.t.ex.status, 501);
	assert_true(rig.t.ex.close);
	assert_non_null(
		strstr(fields(), "X-Server: s\n")); /* of the address's first server */
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

static void
errors_keep_their_status_and_some_end_the_connection(void **state)
{
	static const struct {
		enum plan plan;
		int status;
		unsigned pages, left;
		bool close;
	} rows[] = {
		{ REFUSE, 403, 1, 4, false },
		{ REFUSE_READY, 403, 1, 0, false }, /* the page fails: not asked again */
		{ REFUSE, 409, 0, 0, false },       /* no route leads to the page */
		{ REFUSE, 404, 0, 0, false },
		{ REFUSE, 400, 0, 0, true },
		{ REFUSE, 412, 0, 0, false },
		{ REFUSE, 413, 0, 0, true },
		{ REFUSE, 500, 0, 0, false },
		{ REFUSE, 501, 0, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		prepare(rows[i].plan, HTTP_GET, "/probe");
		rig.refusal = rows[i].status;
		exchange_begin(&rig.t.ex);
		assert_int_equal(rig.pages, rows[i].pages);
		assert_int_equal(rig.t.ex.status, rows[i].status);
		assert_int_equal(rig.t.ex.body.left, rows[i].left);
		assert_int_equal(rig.t.ex.close, rows[i].close);
		assert_null(strstr(fields(), "ETag"));
		exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	}
}

static void
route_takes_only_its_own_methods(void **state)
{
	(void)state;
	prepare(ANSWER, HTTP_PUT, "/plain");
	exchange_begin(&rig.t.ex);
	assert_int_equal(rig.t.ex.status, 405);
	assert_non_null(strstr(fields(), "Allow: GET, OPTIONS\n"));
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

static void
answers_are_counted_by_class(void **state)
{
	uint64_t requests = counter_sum(rig.made.counters, 1, COUNTER_REQUESTS);
	uint64_t good = counter_sum(rig.made.counters, 1, COUNTER_RESPONSES_2XX);
	uint64_t bad = counter_sum(rig.made.counters, 1, COUNTER_RESPONSES_4XX);

	(void)state;
	begin(ANSWER);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	begin(REFUSE);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	begin(KEEP);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_int_equal(counter_sum(rig.made.counters, 1, COUNTER_REQUESTS),
			 requests + 3);
	assert_int_equal(counter_sum(rig.made.counters, 1, COUNTER_RESPONSES_2XX),
			 good + 1);
	assert_int_equal(counter_sum(rig.made.counters, 1, COUNTER_RESPONSES_4XX),
			 bad + 2);
}

/* --- the body's credit --- */

/* Sends up to `total` bytes, as long as the window allows. */
static uint64_t
send_within_window(uint64_t total)
{
	static char bytes[60000];
	uint64_t sent = 0;

	while (sent < total && rig.t.ex.state == EXCHANGE_RECEIVING) {
		uint64_t room = EXCHANGE_WINDOW - rig.t.ex.unconsumed, n = total - sent;

		if (n > sizeof(bytes))
			n = sizeof(bytes);
		if (n > room)
			n = room;
		if (n == 0)
			break;
		sent += n;
		exchange_body(&rig.t.ex, slice_make(bytes, (size_t)n), sent == total);
	}
	return sent;
}

static void
handler_that_credits_gets_the_whole_body(void **state)
{
	(void)state;
	begin(ANSWER_AT_LAST);
	assert_int_equal(send_within_window(BODY_MAX), BODY_MAX);
	assert_int_equal(rig.t.credited, BODY_MAX);
	assert_int_equal(rig.t.ex.unconsumed, 0);
	assert_int_equal(rig.t.ex.status, 201);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

static void
handler_that_does_not_credit_gets_one_window(void **state)
{
	(void)state;
	begin(KEEP);
	assert_int_equal(send_within_window(BODY_MAX), EXCHANGE_WINDOW);
	assert_int_equal(rig.t.ex.unconsumed, EXCHANGE_WINDOW);
	assert_int_equal(rig.most_unconsumed, EXCHANGE_WINDOW);
	assert_int_equal(rig.t.credited, 0);
	exchange_consumed(&rig.t.ex, 1000); /* later, in two steps */
	exchange_consumed(&rig.t.ex, 24);
	assert_int_equal(rig.t.credited, 1024);
	assert_int_equal(send_within_window(BODY_MAX), 1024);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
}

static void
body_beyond_the_limit_never_reaches_the_handler(void **state)
{
	(void)state;
	begin(KEEP);
	assert_int_equal(rig.t.ex.body_max, BODY_MAX);
	rig.t.ex.body_max = 10; /* as if the limit were that */
	exchange_body(&rig.t.ex, SLICE("0123456789"), false);
	assert_int_equal(rig.most_unconsumed, 10);
	exchange_body(&rig.t.ex, SLICE("x"), true);
	assert_int_equal(rig.most_unconsumed, 10);
	assert_int_equal(rig.closes, 1);
	assert_int_equal(rig.t.ex.status, 413);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

/* --- the fields of the answer --- */

static int
add_etag(struct slice value)
{
	return exchange_add_field(&rig.t.ex, HTTP_FIELD_ETAG, value);
}

static void
control_bytes_and_too_many_fields_are_refused(void **state)
{
	static const char *const bad[] = { "a\r\nX: b", "\n", "a\r", "\x1b[2J", "a\x7f" };
	static const char *const good[] = { "", "a\tb c", "\xc3\xa4~!" };
	struct slice split = SLICE("/a\r\nX: y");

	(void)state;
	begin(KEEP);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(add_etag(slice_from_str(bad[i])), -1);
	assert_int_equal(add_etag(SLICE("a\0b")), -1);
	assert_int_equal(rig.t.ex.field_count, 0);
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(add_etag(slice_from_str(good[i])), 0);
	assert_int_equal(rig.t.ex.field_count, COUNT(good));
	assert_int_equal(exchange_redirect(&rig.t.ex, 302, split, false), 500);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	while (rig.t.ex.field_count < EXCHANGE_FIELDS_MAX)
		assert_int_equal(add_etag(SLICE("x")), 0);
	assert_int_equal(add_etag(SLICE("x")), -1);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
}

static void
route_lays_its_fields_over_the_others(void **state)
{
	const struct http_field shared[] = {
		{ SLICE("Last"), SLICE("then"), HTTP_FIELD_OTHER, false },
		{ SLICE("VARY"), SLICE("File"), HTTP_FIELD_VARY, false },
		{ SLICE("x-ROUTE"), SLICE("laid over"), HTTP_FIELD_OTHER, false },
	};

	(void)state;
	begin(ANSWER);
	rig.t.ex.shared_fields = shared;
	rig.t.ex.shared_field_count = COUNT(shared);
	/* Vary is a list that everybody adds to. */
	assert_string_equal(fields(),
			    "Last: then\nVARY: File\nETag: \"p\"\nVary: Handler\n"
			    "vary: Route\nX-Route: r\n");
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	prepare(ANSWER, HTTP_GET, "/plain"); /* only the server's */
	exchange_begin(&rig.t.ex);
	assert_string_equal(fields(),
			    "ETag: \"p\"\nVary: Handler\nX-Server: s\nVary: Server\n");
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

static void
next_request_inherits_nothing(void **state)
{
	(void)state;
	begin(REFUSE);
	exchange_refuse(&rig.t.ex, 400);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	assert_true(rig.t.ex.close);
	prepare(ANSWER, HTTP_GET, "/plain");
	assert_int_equal(rig.t.ex.field_count, 0);
	exchange_begin(&rig.t.ex);
	assert_false(rig.t.ex.close);
	assert_int_equal(rig.t.ex.status, 200);
	assert_int_equal(rig.t.ex.body.left, 5);
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
}

static void
interim_answer_comes_before_the_answer_unless_the_listener_has_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		prepare(TELL, HTTP_PUT, "/probe");
		rig.t.ex.address = &rig.made.site->addresses[i];
		exchange_begin(&rig.t.ex);
		assert_int_equal(rig.told, i == 0);
		assert_int_equal(rig.t.interims, i == 0);
		if (i == 0)
			assert_memory_equal(rig.t.interim.ptr, "104\nLocation: /there\n",
					    rig.t.interim.len);
		assert_int_equal(rig.t.heads, 0);
		exchange_body(&rig.t.ex, slice_make("", 0), true);
		assert_int_equal(transport_finish(&rig.t), 201);
	}
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(request_that_never_was_one_is_refused),
		cmocka_unit_test(errors_keep_their_status_and_some_end_the_connection),
		cmocka_unit_test(route_takes_only_its_own_methods),
		cmocka_unit_test(
			interim_answer_comes_before_the_answer_unless_the_listener_has_none),
		cmocka_unit_test(answers_are_counted_by_class),
		cmocka_unit_test(handler_that_credits_gets_the_whole_body),
		cmocka_unit_test(handler_that_does_not_credit_gets_one_window),
		cmocka_unit_test(body_beyond_the_limit_never_reaches_the_handler),
		cmocka_unit_test(control_bytes_and_too_many_fields_are_refused),
		cmocka_unit_test(route_lays_its_fields_over_the_others),
		cmocka_unit_test(next_request_inherits_nothing),
	};
	static struct CMUnitTest tests[COUNT(ends) + COUNT(others)];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < COUNT(ends); i++)
		tests[COUNT(others) + i] = row_test(ends[i].name, run_end, &ends[i]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
