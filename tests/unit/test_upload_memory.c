/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Uploads through every door when memory runs out at any allocation: who is told that it failed
 * finds nothing, and who finds it was told so. Skipped where allocations are not the program's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "form_rig.h"
#include "rows.h"
#include "watched_memory.h"

#define ALLOCATIONS_MAX 500

#define ROUTE(name, durable, conflict)                                                   \
	"{\"path\": \"/" name "/*\", \"upload\": {\"directory\": \"drop\", "             \
	"\"durable\": " durable ", \"conflict\": \"" conflict "\"}}"

/* clang-format off */
static const char all_routes[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"routes\": ["
	ROUTE("new", "false", "refuse") ","
	ROUTE("over", "false", "replace") ","
	ROUTE("other", "false", "rename") ","
	ROUTE("durable", "true", "replace") ","
	"{\"path\": \"/page/*\", \"upload\": {\"directory\": \"drop\", "
	"\"durable\": false, \"after\": \"/thanks\"}}]}]}";
/* clang-format on */

static int
setup_routes(void **state)
{
	(void)state;
	rig_open(all_routes, make_files);
	return 0;
}

/* --- doors --- */

static struct slice
no_form(const char *target)
{
	(void)target;
	rig.t.ex.head.body = HTTP_BODY_CHUNKED;
	return SLICE("new");
}

static struct slice
by_put(const char *target)
{
	prepare(HTTP_PUT, target);
	return no_form(target);
}

static struct slice
by_form(const char *target)
{
	prepare_form(target);
	return SLICE(FILE_OF("a") "new\r\n" FILE_OF("b") "new" END);
}

static struct slice
by_page(const char *target)
{
	prepare_form(target);
	with_field(HTTP_FIELD_ACCEPT, "text/html");
	return SLICE(FILE_OF("a") "new\r\n" FILE_OF("b") "new" END);
}

static struct slice
by_tus(const char *target)
{
	prepare(HTTP_POST, target);
	with_field(HTTP_FIELD_TUS_RESUMABLE, "1.0.0");
	with_field(HTTP_FIELD_UPLOAD_LENGTH, "3");
	with_field(HTTP_FIELD_UPLOAD_METADATA, "filename YQ=="); /* a */
	with_field(HTTP_FIELD_CONTENT_TYPE, "application/offset+octet-stream");
	return no_form(target);
}

static struct slice
by_draft(const char *target)
{
	prepare(HTTP_PUT, target);
	with_field(HTTP_FIELD_UPLOAD_DRAFT_INTEROP_VERSION, "8");
	with_field(HTTP_FIELD_UPLOAD_COMPLETE, "?1");
	return no_form(target);
}

struct door {
	const char *name, *target;
	struct slice (*prepare)(const char *target);
	bool has_old;
	size_t count; /* files that are there in the end */
};

static const struct door doors[] = {
	{ "put", "/new/a", by_put, false, 1 },
	{ "put_replaces", "/over/a", by_put, true, 1 },
	{ "put_renames", "/other/a", by_put, true, 2 },
	{ "put_that_is_durable", "/durable/a", by_put, true, 1 },
	{ "form", "/new/", by_form, false, 2 },
	{ "form_replaces", "/over/", by_form, true, 2 },
	{ "form_renames", "/other/", by_form, true, 3 },
	{ "form_that_is_durable", "/durable/", by_form, true, 2 },
	{ "page", "/new/", by_page, false, 2 },
	{ "page_after", "/page/", by_page, false, 2 },
	{ "tus", "/new/", by_tus, false, 1 },
	{ "tus_replaces", "/over/", by_tus, true, 1 },
	{ "tus_renames", "/other/", by_tus, true, 2 },
	{ "tus_that_is_durable", "/durable/", by_tus, true, 1 },
	{ "draft", "/new/a", by_draft, false, 1 },
	{ "draft_replaces", "/over/a", by_draft, true, 1 },
	{ "draft_renames", "/other/a", by_draft, true, 2 },
};

/* The status, or 0 when the connection was closed instead. */
static int
send_with(const struct door *d, size_t allocations, size_t filled)
{
	struct slice body = d->prepare(d->target);
	struct exchange *ex = &rig.t.ex;

	/* How much of the arena the answer finds is chance. */
	assert_non_null(arena_alloc(&ex->arena, filled));
	watch_memory(true, allocations);
	exchange_begin(ex);
	transport_work(&rig.t);
	if (ex->state == EXCHANGE_RECEIVING)
		exchange_body(ex, body, true);
	transport_work(&rig.t);
	memory.on = false;
	if (ex->state == EXCHANGE_RESPONDING)
		return finish();
	exchange_finish(ex, EXCHANGE_ABORTED);
	return 0;
}

/* True when it was stored. */
static bool
try_with(const struct door *d, size_t allocations, size_t filled)
{
	int status;

	if (d->has_old)
		put_file("drop/a", "old");
	status = send_with(d, allocations, filled);
	if (status == 201 || status == 204 || status == 303) {
		tree_assert_file(rig.dirfd,
				 d->has_old && strncmp(d->target, "/other", 6) == 0
					 ? "drop/a (2)"
					 : "drop/a",
				 "new");
		assert_int_equal(take_files(), d->count);
		return true;
	}
	if (d->has_old)
		tree_assert_file(rig.dirfd, "drop/a", "old");
	assert_int_equal(take_files(), d->has_old);
	return false;
}

static void
run_door(void **state)
{
	const struct door *d = *state;
	size_t step = strncmp(d->target, "/durable", 8) == 0 ? 1024 : 48, failed = 0;

	if (!MEMORY_IS_WATCHED)
		skip();
	for (size_t filled = 1; filled < 4096; filled += step) {
		size_t n = 0;

		while (!try_with(d, n, filled))
			assert_true(n++ < ALLOCATIONS_MAX);
		failed += n;
	}
	assert_true(failed > 0);
}

int
main(void)
{
	struct CMUnitTest tests[COUNT(doors)];

	for (size_t i = 0; i < COUNT(doors); i++) {
		tests[i] = row_test(doors[i].name, run_door, &doors[i]);
		tests[i].setup_func = setup_routes;
		tests[i].teardown_func = teardown;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
