/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Explanations: URLs as people write them, and the steps that a request leaves in a trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "app/explain_parts.h"
#include "rig.h"
#include "handler/store.h"

/* --- URLs --- */

static const struct url_case {
	const char *text, *authority, *host, *target; /* target NULL: it is refused */
	unsigned port;
} urls[] = {
	{ "/a/b?c=d", NULL, NULL, "/a/b?c=d", 0 },
	{ "*", NULL, NULL, "*", 0 },
	{ "/a#b", NULL, NULL, "/a", 0 },
	{ "http://a.example", "a.example", "a.example", "/", 80 },
	{ "HTTP://A.Example.:8080/X", "A.Example.:8080", "a.example", "/X", 8080 },
	{ "http://a?b", "a", "a", "/?b", 80 },
	{ "http://a:/b", "a:", "a", "/b", 80 },
	{ "http://[::1]:81/", "[::1]:81", "[::1]", "/", 81 },
	{ "http://[::1]", "[::1]", "[::1]", "/", 80 },
	{ "http://a/b#c/d", "a", "a", "/b", 80 },
	{ "https://a/", NULL, NULL, NULL, 0 },
	{ "http:///a", NULL, NULL, NULL, 0 },
	{ "http://u:p@a/", NULL, NULL, NULL, 0 },
	{ "http://a:65536/", NULL, NULL, NULL, 0 },
	{ "http://a b/", NULL, NULL, NULL, 0 },
	{ "a/b", NULL, NULL, NULL, 0 },
	{ "", NULL, NULL, NULL, 0 },
	{ "#", NULL, NULL, NULL, 0 },
};

static void
urls_are_taken_apart_as_clients_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		const struct url_case *c = &urls[i];
		struct explain_url url;
		struct arena a;
		const char *wrong;

		arena_init(&a, SIZE_MAX);
		wrong = explain_read_url(c->text, &a, &url);
		if ((wrong == NULL) != (c->target != NULL))
			fail_msg("%s: %s", c->text, wrong != NULL ? wrong : "taken");
		if (wrong == NULL &&
		    (!slice_eq(url.authority, slice_from_str(c->authority)) ||
		     !slice_eq(url.host, slice_from_str(c->host)) ||
		     !slice_eq(url.target, slice_from_str(c->target)) ||
		     url.port != c->port))
			fail_msg("%s", c->text);
		arena_fini(&a);
	}
}

/* --- steps --- */

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:0\"],"
	" \"error_pages\": {\"404\": \"/errors/404.html\", \"403\": \"/none\"},"
	" \"redirects\": {\"/old\": \"/new\"}, \"routes\": ["
	"{\"path\": \"/*\", \"files\": {\"root\": \".\", \"precompressed\": [\"gzip\"]}},"
	"{\"path\": \"/app/*\", \"files\": {\"root\": \".\", \"fallback\": \"/a.txt\","
	" \"precompressed\": []}},"
	"{\"path\": \"/refuse/*\", \"files\": {\"root\": \".\", \"symlinks\": "
	"\"refuse\"}},"
	"{\"path\": \"/up/*\", \"upload\": {\"directory\": \"up\", \"max_size\": 10, "
	"\"durable\": false}},"
	"{\"path\": \"/over/*\", \"upload\": {\"directory\": \"up\", \"conflict\": "
	"\"replace\"}},"
	"{\"path\": \"/in\", \"respond\": {\"status\": 200}, \"allow\": "
	"[\"10.0.0.0/8\"]},"
	"{\"path\": \"/out\", \"respond\": {\"status\": 200}, \"deny\": [\"unix\"]}]},"
	"{\"listen\": [\"127.0.0.1:0\"], \"names\": [\"b.example\", \"*.w.example\"],"
	" \"routes\": [{\"path\": \"/\", \"respond\": {\"status\": 200}}]}]}";

static void
make_files(void)
{
	assert_int_equal(mkdirat(rig.dirfd, "up", 0755), 0);
	assert_int_equal(mkdirat(rig.dirfd, "d", 0755), 0);
	assert_int_equal(mkdirat(rig.dirfd, "errors", 0755), 0);
	put("a.txt", "a");
	put("a.txt.gz", "");
	put("up/taken", "x");
	put("errors/404.html", "not here");
	assert_int_equal(symlinkat("/etc/passwd", rig.dirfd, "leaves"), 0);
	assert_int_equal(symlinkat("a.txt", rig.dirfd, "stays"), 0);
	assert_int_equal(symlinkat("again", rig.dirfd, "again"), 0);
	assert_int_equal(mkfifoat(rig.dirfd, "fifo", 0644), 0);
}

static struct trace trace;

/* Explains; the status. */
static int
explain(enum http_method method, const char *target)
{
	trace_init(&trace);
	rig.t.ex.trace = &trace;
	rig.t.ex.dry = true;
	rig.t.ex.peer.family = AF_UNIX;
	prepare(method, target);
	return run();
}

static void
forget(void)
{
	trace_fini(&trace);
	rig.t.ex.trace = NULL;
	rig.t.ex.dry = false;
}

static size_t
count_steps(const char *text)
{
	size_t n = 0;

	for (const struct trace_step *s = trace.first; s != NULL; s = s->next)
		n += strstr(s->text, text) != NULL;
	return n;
}

static const struct step_case {
	enum http_method method;
	const char *target;
	int status;
	const char *steps[4];
} steps[] = {
	{ HTTP_GET,
	  "/a.txt",
	  200,
	  { "prefix /*", "a.txt: is there, 1 bytes", "gz: is empty" } },
	{ HTTP_GET, "/stays", 200, { "stays: is there" } },
	{ HTTP_GET, "/old", 302, { "table has \"/old\": 302 to /new" } },
	{ HTTP_GET, "/none/x", 404, { "no row for it (of 1)", "none: is not there" } },
	{ HTTP_GET, "/a.txt/x", 404, { "a.txt/x: is no directory" } },
	{ HTTP_GET, "/d", 308, { "d: is a directory" } },
	{ HTTP_GET, "/d/", 404, { "d/index.html: is not there", "\"listing\" is off" } },
	{ HTTP_GET, "/x/.git/y", 404, { "hidden name \".git\"" } },
	{ HTTP_GET, "/leaves", 404, { "leaves: a symbolic link leads out of the root" } },
	{ HTTP_GET, "/again", 404, { "again: a symbolic link that leads to itself" } },
	{ HTTP_GET, "/refuse/stays", 404, { "\"symlinks\" is \"refuse\"" } },
	{ HTTP_GET, "/fifo", 404, { "fifo: is neither a file nor a directory" } },
	{ HTTP_GET, "/app/x", 200, { "x: is not there", "fallback is tried: /a.txt" } },
	{ HTTP_GET, "/app", 308, { "prefix /app/* without its last \"/\"" } },
	{ HTTP_GET, "/a/%2Fb/c", 400, { "segment \"%2Fb\"" } },
	{ HTTP_GET, "/a/../../b", 400, { "segment \"..\"" } },
	{ HTTP_GET,
	  "/n",
	  404,
	  { "404: \"error_pages\" has /errors/404.html", "errors/404.html: is there" } },
	{ HTTP_GET,
	  "/in",
	  403,
	  { "none of the 1 of \"allow\": refused", "403: the built-in page" } },
	{ HTTP_GET, "/out", 403, { "unix: is in unix of \"deny\": refused" } },
	{ HTTP_GET, "/up/x", 405, { "GET is not taken, only POST, PUT" } },
	{ HTTP_OPTIONS, "/up/x", 204, { "OPTIONS is answered" } },
	{ HTTP_PUT, "/up/new", 201, { "new: is free", "not looked at" } },
	{ HTTP_PUT, "/up/taken", 409, { "taken: is there, and must not be replaced" } },
	{ HTTP_PUT, "/over/taken", 204, { "taken: is there, and is replaced" } },
	{ HTTP_PUT, "/up/.x", 400, { "begins with a dot" } },
	{ HTTP_PUT, "/up/a/b", 409, { "Files go into the directory itself" } },
};

static void
every_refusal_has_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		const struct step_case *c = &steps[i];
		int status = explain(c->method, c->target);

		if (status != c->status)
			fail_msg("%s: %d", c->target, status);
		for (size_t k = 0; c->steps[k] != NULL; k++) {
			if (count_steps(c->steps[k]) != 1)
				fail_msg("%s: %s: %zu times", c->target, c->steps[k],
					 count_steps(c->steps[k]));
		}
		assert_false(trace.failed);
		forget();
	}
}

static void
a_range_that_is_not_followed_is_told(void **state)
{
	(void)state;
	trace_init(&trace);
	rig.t.ex.trace = &trace;
	prepare(HTTP_GET, "/a.txt");
	with_field(HTTP_FIELD_RANGE, "lines=1");
	with_field(HTTP_FIELD_ACCEPT_ENCODING, "br;q=0");
	assert_int_equal(run(), 200);
	assert_int_equal(count_steps("Range: all is sent: "), 1);
	assert_int_equal(count_steps("Accept-Encoding: as it is"), 1);
	forget();
}

static void
what_is_served_has_no_steps(void **state)
{
	unsigned evaluated = 0;

	(void)state;
	prepare(HTTP_GET, "/a.txt");
	exchange_note(&rig.t.ex, TRACE_NOTE, "%u", ++evaluated);
	assert_int_equal(evaluated, 0);
	assert_null(rig.t.ex.trace);
	assert_int_equal(run(), 200);
}

static void
an_explained_upload_leaves_nothing(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(fstatat(rig.dirfd, "up/taken", &before, 0), 0);
	assert_int_equal(explain(HTTP_PUT, "/up/new"), 201);
	assert_field("Location", "/up/new");
	forget();
	assert_int_equal(explain(HTTP_PUT, "/over/taken"), 204);
	forget();
	assert_int_equal(fstatat(rig.dirfd, "up/taken", &after, 0), 0);
	assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
	assert_int_equal(tree_count(rig.dirfd, "up", STORE_STAGING), 1);
	/* And the same one that is served does. */
	prepare(HTTP_PUT, "/up/new");
	assert_int_equal(run(), 201);
	assert_int_equal(tree_count(rig.dirfd, "up", STORE_STAGING), 2);
	assert_int_equal(unlinkat(rig.dirfd, "up/new", 0), 0);
}

static void
the_file_and_the_name_are_told(void **state)
{
	char path[TREE_PATH_MAX + 8];

	(void)state;
	snprintf(path, sizeof(path), "%s/a.txt", rig.dir);
	explain(HTTP_GET, "/a.txt");
	assert_string_equal(trace.file, path);
	assert_int_equal(trace.file_size, 1);
	assert_int_equal(trace.name.len, 0);
	assert_non_null(trace.handler);
	forget();
	/* What was found for a request that fails is not what answers. */
	trace_init(&trace);
	rig.t.ex.trace = &trace;
	prepare(HTTP_GET, "/a.txt");
	with_field(HTTP_FIELD_IF_MATCH, "\"x\"");
	assert_int_equal(run(), 412);
	assert_null(trace.file);
	forget();
}

static void
the_part_of_the_host_that_matched_is_told(void **state)
{
	static const char *const hosts[][2] = {
		{ "b.example", "b.example" },
		{ "x.y.w.example", ".w.example" },
		{ "w.example", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct slice name;

		(void)site_find_vhost(rig.site, &rig.site->addresses[0],
				      slice_from_str(hosts[i][0]), &name);
		if (!slice_eq(name, slice_from_str(hosts[i][1])))
			fail_msg("%s: %.*s", hosts[i][0], SLICE_ARG(name));
	}
}

static void
a_trace_without_memory_says_so(void **state)
{
	(void)state;
	trace_init(&trace);
	trace.arena.max = 0;
	trace_note(&trace, TRACE_NOTE, "x");
	assert_true(trace.failed);
	assert_null(trace.first);
	trace_fini(&trace);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart_as_clients_do),
		cmocka_unit_test(every_refusal_has_its_words),
		cmocka_unit_test(a_range_that_is_not_followed_is_told),
		cmocka_unit_test(what_is_served_has_no_steps),
		cmocka_unit_test(an_explained_upload_leaves_nothing),
		cmocka_unit_test(the_file_and_the_name_are_told),
		cmocka_unit_test(the_part_of_the_host_that_matched_is_told),
		cmocka_unit_test(a_trace_without_memory_says_so),
	};

	return run_with_rig(tests, config_text, make_files);
}
