/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers that take turns, and fields that outlive the answer they were made for: a handler that
 * does as it is told, one step after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_site.h"
#include "transport.h"

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"headers\": {\"X-Content-Type-Options\": null},"
	" \"error_pages\": {\"403\": \"/page\"},"
	" \"routes\": [{\"path\": \"/probe\", \"respond\": {}},"
	"  {\"path\": \"/page\", \"files\": {\"root\": \"/\"}}]}]}";

/* One step of the handler: its open, or one call of its work. */
enum step {
	LATER,        /* asks for a turn */
	LATER_TWICE,  /* the same, said twice */
	ANSWER,       /* 200 */
	LATER_ANSWER, /* asks for a turn, and answers all the same */
	FAIL,         /* exchange_fail(507) */
	FORBID,       /* returns 403 */
	RANGE,        /* returns 416, with the field that belongs to it */
	HOLD,         /* wants no body, but a turn */
	HOLD_ANSWER,  /* wants no body, and answers all the same */
	GO,           /* wants the body now */
	WAIT          /* for the body */
};

static struct {
	struct transport t;
	enum step steps[8];
	unsigned done; /* steps; the first is open */
	unsigned works, closes, pages;
	enum step page; /* what the page for 403 does */
	enum exchange_end why;
	struct made_site made;
} rig;

/* --- the handlers --- */

static int
take_step(struct exchange *ex, enum step step)
{
	switch (step) {
	case LATER_TWICE:
		exchange_later(ex);
		/* fallthrough */
	case LATER:
		exchange_later(ex);
		break;
	case LATER_ANSWER:
		exchange_later(ex);
		/* fallthrough */
	case ANSWER:
		ex->body = body_memory(SLICE("probe"));
		exchange_respond(ex, 200);
		break;
	case HOLD:
		exchange_hold(ex);
		exchange_later_after(ex, 20);
		break;
	case HOLD_ANSWER:
		exchange_hold(ex);
		return take_step(ex, ANSWER);
	case GO:
		exchange_unhold(ex);
		break;
	case FAIL:
		exchange_fail(ex, 507);
		break;
	case FORBID:
		return 403;
	case RANGE:
		assert_int_equal(exchange_add_field(ex, HTTP_FIELD_ETAG, SLICE("\"p\"")),
				 0);
		assert_int_equal(exchange_keep_field(ex, HTTP_FIELD_CONTENT_RANGE,
						     SLICE("bytes */5")),
				 0);
		return 416;
	case WAIT:
		break;
	}
	return 0;
}

static int
probe_open(struct exchange *ex)
{
	ex->data = &rig;
	return take_step(ex, rig.steps[rig.done++]);
}

static int
probe_work(struct exchange *ex)
{
	assert_ptr_equal(ex->data, &rig);
	assert_int_not_equal(ex->state, EXCHANGE_RESPONDING);
	rig.works++;
	return take_step(ex, rig.steps[rig.done++]);
}

static void
probe_close(struct exchange *ex, enum exchange_end why)
{
	assert_ptr_equal(ex->data, &rig);
	rig.closes++;
	rig.why = why;
}

static const struct handler_ops probe = {
	.action = CONF_ACTION_RESPOND,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_PUT),
	.open = probe_open,
	.work = probe_work,
	.close = probe_close,
};

static int
page_open(struct exchange *ex)
{
	rig.pages++;
	return take_step(ex, rig.page);
}

static int
page_work(struct exchange *ex)
{
	(void)ex;
	fail_msg("a page has no second turn");
	return 0;
}

static const struct handler_ops page = {
	.action = CONF_ACTION_FILES,
	.methods = HTTP_BIT(HTTP_GET),
	.open = page_open,
	.work = page_work,
};
static const struct handler_ops *const kinds[] = { &probe, &page, NULL };

static int
built_in_open(struct exchange *ex)
{
	ex->body = body_memory(SLICE("built in"));
	exchange_respond(ex, ex->error_status);
	return 0;
}

static const struct handler_ops built_in = { .open = built_in_open };

/* --- setting up --- */

static int
setup(void **state)
{
	(void)state;
	made_site_open(&rig.made, config_text, "/", (struct handler_env){ 0 }, kinds,
		       &built_in);
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

/* Begins a request; what the handler does first, and then by turns. */
static void
begin(enum step first, enum step second, enum step third)
{
	rig.steps[0] = first;
	rig.steps[1] = second;
	rig.steps[2] = third;
	rig.page = ANSWER;
	rig.done = rig.works = rig.closes = rig.pages = 0;
	transport_prepare(&rig.t, rig.made.site, HTTP_PUT, "/probe");
	rig.t.ex.head.body = HTTP_BODY_CHUNKED;
	exchange_begin(&rig.t.ex);
}

static void
end(enum exchange_end why)
{
	exchange_finish(&rig.t.ex, why);
	assert_int_equal(rig.closes, 1);
	assert_int_equal(rig.why, why);
}

/* --- turns --- */

static void
work_is_called_once_for_each_time_it_was_asked_for(void **state)
{
	(void)state;
	begin(LATER, LATER, WAIT);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	assert_int_equal(rig.t.turns, 1);
	assert_int_equal(rig.works, 0); /* never from within */
	for (int i = 0; i < 3; i++)
		exchange_work(&rig.t.ex); /* the last one was not asked for */
	assert_int_equal(rig.works, 2);
	assert_int_equal(rig.t.turns, 2);
	end(EXCHANGE_ABORTED);
}

static void
asking_twice_gives_one_turn(void **state)
{
	(void)state;
	begin(LATER_TWICE, WAIT, WAIT);
	exchange_work(&rig.t.ex);
	exchange_work(&rig.t.ex);
	assert_int_equal(rig.works, 1);
	end(EXCHANGE_ABORTED);
}

static void
turn_that_nobody_asked_for_does_nothing(void **state)
{
	(void)state;
	exchange_work(&rig.t.ex); /* not even begun */
	begin(WAIT, ANSWER, WAIT);
	exchange_work(&rig.t.ex);
	assert_int_equal(rig.works, 0);
	assert_int_equal(rig.t.heads, 0);
	end(EXCHANGE_ABORTED);
}

static void
answer_may_come_in_a_turn(void **state)
{
	(void)state;
	begin(LATER, LATER, ANSWER);
	transport_work(&rig.t);
	assert_int_equal(rig.works, 2);
	assert_int_equal(transport_finish(&rig.t), 200);
	assert_string_equal(rig.t.body.ptr, "probe");
	assert_int_equal(rig.closes, 1);
	assert_int_equal(rig.why, EXCHANGE_COMPLETE);
}

static void
body_goes_on_coming_while_a_turn_is_awaited(void **state)
{
	(void)state;
	begin(LATER, LATER, ANSWER);
	exchange_body(&rig.t.ex, SLICE("abc"), false);
	exchange_work(&rig.t.ex);
	exchange_body(&rig.t.ex, SLICE("de"), true);
	assert_int_equal(rig.t.credited, 5); /* it has no use for them */
	exchange_work(&rig.t.ex);
	assert_int_equal(transport_finish(&rig.t), 200);
}

static void
body_waits_for_a_handler_that_holds(void **state)
{
	(void)state;
	begin(HOLD, HOLD, GO);
	assert_int_equal(rig.t.ex.state, EXCHANGE_HELD);
	assert_int_equal(rig.t.waits, 1);
	exchange_work(&rig.t.ex);
	assert_int_equal(rig.t.ex.state, EXCHANGE_HELD);
	exchange_work(&rig.t.ex);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	assert_int_equal(rig.works, 2);
	end(EXCHANGE_ABORTED);
}

static void
handler_that_holds_may_answer(void **state)
{
	static const enum step answers[] = { ANSWER, HOLD_ANSWER };

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		begin(HOLD, answers[i], WAIT);
		transport_work(&rig.t);
		assert_int_equal(transport_finish(&rig.t), 200);
	}
	begin(HOLD_ANSWER, WAIT, WAIT);
	assert_int_equal(transport_finish(&rig.t), 200);
}

static void
handler_that_holds_may_fail(void **state)
{
	(void)state;
	begin(HOLD, FAIL, WAIT);
	transport_work(&rig.t);
	assert_int_equal(transport_finish(&rig.t), 507);
	begin(HOLD, FORBID, WAIT);
	transport_work(&rig.t);
	assert_int_equal(transport_finish(&rig.t), 403);
	assert_int_equal(rig.closes, 1);
}

static void
exchange_that_is_aborted_ends_in_its_own_turn(void **state)
{
	(void)state;
	begin(WAIT, WAIT, WAIT);
	exchange_abort(&rig.t.ex);
	assert_int_equal(rig.t.aborts, 1);
	assert_int_equal(rig.t.turns, 1);
	assert_int_equal(rig.closes, 0);
	end(EXCHANGE_ABORTED);
}

static void
nobody_works_after_the_end(void **state)
{
	static const enum exchange_end ends[] = { EXCHANGE_COMPLETE, EXCHANGE_ABORTED };

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		begin(LATER, ANSWER, WAIT);
		end(ends[i]);
		exchange_work(&rig.t.ex);
		assert_int_equal(rig.works, 0);
		exchange_reset(&rig.t.ex);
		exchange_work(&rig.t.ex);
		assert_int_equal(rig.works, 0);
		assert_int_equal(rig.t.heads, 0);
	}
}

static void
nobody_works_after_a_failure(void **state)
{
	(void)state;
	begin(LATER, ANSWER, WAIT);
	exchange_fail(&rig.t.ex, 503);
	assert_int_equal(rig.closes, 1);
	exchange_work(&rig.t.ex);
	assert_int_equal(rig.works, 0);
	assert_int_equal(transport_finish(&rig.t), 503);
	assert_int_equal(rig.closes, 1);
	begin(LATER, ANSWER, WAIT);
	exchange_refuse(&rig.t.ex, 408); /* the transport lost its patience */
	exchange_work(&rig.t.ex);
	assert_int_equal(rig.works, 0);
	assert_int_equal(transport_finish(&rig.t), 408);
}

static void
nobody_works_after_the_answer(void **state)
{
	(void)state;
	begin(LATER_ANSWER, FAIL, WAIT);
	exchange_work(&rig.t.ex);
	assert_int_equal(rig.works, 0);
	assert_int_equal(rig.t.aborts, 0);
	assert_int_equal(transport_finish(&rig.t), 200);
}

static void
status_of_a_turn_answers_an_error_page(void **state)
{
	(void)state;
	begin(LATER, FORBID, WAIT);
	transport_work(&rig.t);
	assert_int_equal(rig.pages, 1);
	assert_int_equal(rig.closes, 1);
	assert_int_equal(rig.why, EXCHANGE_ABORTED);
	assert_int_equal(transport_finish(&rig.t), 403);
	assert_string_equal(rig.t.body.ptr, "probe"); /* of the page */
	assert_int_equal(rig.closes, 1);
	begin(LATER, FAIL, WAIT);
	transport_work(&rig.t);
	assert_int_equal(transport_finish(&rig.t), 507);
	assert_string_equal(rig.t.body.ptr, "built in");
	assert_int_equal(rig.closes, 1);
}

static void
page_that_wants_turns_gives_way_to_the_built_in_one(void **state)
{
	(void)state;
	begin(WAIT, WAIT, WAIT);
	rig.page = LATER;
	exchange_fail(&rig.t.ex, 403);
	assert_int_equal(rig.pages, 1);
	exchange_work(&rig.t.ex);
	assert_int_equal(transport_finish(&rig.t), 403);
	assert_string_equal(rig.t.body.ptr, "built in");
}

/* --- fields that stay --- */

static void
kept_fields_are_on_the_error_page(void **state)
{
	static const enum step first[] = { RANGE, LATER };

	(void)state;
	for (size_t i = 0; i < COUNT(first); i++) { /* in open, and in a turn */
		begin(first[i], RANGE, WAIT);
		transport_work(&rig.t);
		assert_int_equal(transport_finish(&rig.t), 416);
		assert_string_equal(rig.t.fields.ptr, "Content-Range: bytes */5\n");
		assert_string_equal(rig.t.body.ptr, "built in");
	}
}

static void
next_request_keeps_nothing(void **state)
{
	(void)state;
	begin(RANGE, WAIT, WAIT);
	assert_int_equal(transport_finish(&rig.t), 416);
	begin(ANSWER, WAIT, WAIT);
	assert_int_equal(transport_finish(&rig.t), 200);
	assert_string_equal(rig.t.fields.ptr, "");
}

static void
kept_fields_are_few_and_without_control_bytes(void **state)
{
	struct exchange *ex = &rig.t.ex;

	(void)state;
	begin(WAIT, WAIT, WAIT);
	assert_int_equal(exchange_keep_field(ex, HTTP_FIELD_VARY, SLICE("a\r\nX: b")),
			 -1);
	assert_int_equal(ex->kept_field_count, 0);
	for (int i = 0; i < EXCHANGE_KEPT_MAX; i++)
		assert_int_equal(exchange_keep_field(ex, HTTP_FIELD_VARY, SLICE("x")), 0);
	assert_int_equal(exchange_keep_field(ex, HTTP_FIELD_VARY, SLICE("x")), -1);
	end(EXCHANGE_ABORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_is_called_once_for_each_time_it_was_asked_for),
		cmocka_unit_test(asking_twice_gives_one_turn),
		cmocka_unit_test(turn_that_nobody_asked_for_does_nothing),
		cmocka_unit_test(answer_may_come_in_a_turn),
		cmocka_unit_test(body_goes_on_coming_while_a_turn_is_awaited),
		cmocka_unit_test(body_waits_for_a_handler_that_holds),
		cmocka_unit_test(handler_that_holds_may_answer),
		cmocka_unit_test(handler_that_holds_may_fail),
		cmocka_unit_test(exchange_that_is_aborted_ends_in_its_own_turn),
		cmocka_unit_test(nobody_works_after_the_end),
		cmocka_unit_test(nobody_works_after_a_failure),
		cmocka_unit_test(nobody_works_after_the_answer),
		cmocka_unit_test(status_of_a_turn_answers_an_error_page),
		cmocka_unit_test(page_that_wants_turns_gives_way_to_the_built_in_one),
		cmocka_unit_test(kept_fields_are_on_the_error_page),
		cmocka_unit_test(next_request_keeps_nothing),
		cmocka_unit_test(kept_fields_are_few_and_without_control_bytes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
