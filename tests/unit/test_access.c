/* SPDX-License-Identifier: BSD-2-Clause
 *
 * "allow" and "deny": the decision for an address, and that it comes before whatever else a
 * route would do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "core/access.h"
#include "rig.h"

#define NONE                                                                             \
	{                                                                                \
		0                                                                        \
	}
#define LIST(...)                                                                        \
	{                                                                                \
		(const char *const[]){ __VA_ARGS__ },                                    \
			sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)    \
	}

/* As accept() tells of it: an address, or "unix". */
static struct peer
peer_of(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr un = { .sa_family = AF_UNIX };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return peer_from_sockaddr((const void *)&in, sizeof(in));
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		return peer_from_sockaddr((const void *)&in6, sizeof(in6));
	assert_string_equal(text, "unix");
	return peer_from_sockaddr(&un, sizeof(un.sa_family));
}

/* --- the decision --- */

static const struct decision {
	const char *name;
	struct conf_strings allow, deny;
	const char *permitted, *refused; /* addresses, separated by spaces */
} decisions[] = {
	{ "allow_alone", LIST("10.0.0.0/8", "::1"), NONE, "10.0.0.0 10.255.255.255 ::1",
	  "9.255.255.255 11.0.0.0 127.0.0.1 ::2 :: unix" },
	{ "deny_alone", NONE, LIST("10.0.0.0/8", "2001:db8::/32"),
	  "9.255.255.255 ::1 2001:db9:: unix 127.0.0.1", "10.1.2.3 2001:db8::7" },
	{ "deny_comes_first", LIST("10.0.0.0/8"), LIST("10.1.0.0/16"),
	  "10.0.0.1 10.2.0.0", "10.1.0.0 10.1.255.255 192.0.2.1" },
	{ "unix_allowed", LIST("unix"), NONE, "unix", "127.0.0.1 ::1 0.0.0.0 ::" },
	{ "unix_denied", NONE, LIST("unix"), "127.0.0.1 ::1", "unix" },
	{ "unix_is_no_address", LIST("0.0.0.0/0", "::/0"), NONE, "1.2.3.4 ::5", "unix" },
	{ "mapped_peers_are_ipv4", LIST("127.0.0.0/8"), NONE, "::ffff:127.0.0.1",
	  "::ffff:128.0.0.1 ::127.0.0.1" },
	{ "mapped_peers_are_not_ipv6", NONE, LIST("::/0"), "::ffff:127.0.0.1 127.0.0.1",
	  "::1" },
};

static void
check_peers(const struct access *a, const char *name, const char *peers, bool expected)
{
	struct slice rest = slice_from_str(peers);
	char text[64];

	while (rest.len != 0) {
		size_t n = slice_find(rest, ' ');
		struct peer p;

		snprintf(text, sizeof(text), "%.*s", (int)n, rest.ptr);
		p = peer_of(text);
		if (access_decide(a, &p).permits != expected)
			fail_msg("%s: %s", name, text);
		rest = slice_from(rest, n + 1);
	}
}

static void
deny_is_looked_at_before_allow(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		const struct decision *d = &decisions[i];
		const struct access *a;
		struct arena arena;

		arena_init(&arena, SIZE_MAX);
		a = access_new(&d->allow, &d->deny, &arena);
		assert_non_null(a);
		check_peers(a, d->name, d->permitted, true);
		check_peers(a, d->name, d->refused, false);
		arena_fini(&arena);
	}
}

static void
without_memory_there_is_no_decision(void **state)
{
	const struct conf_strings some = LIST("10.0.0.0/8"), none = NONE;
	struct arena arena;

	(void)state;
	arena_init(&arena, 0);
	assert_null(access_new(&some, &none, &arena));
	arena_fini(&arena);
}

/* --- in a site --- */

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"error_pages\": {\"403\": \"/pages/403\", \"404\": \"/own/404\"},"
	" \"redirects\": {\"/own/row\": \"/to\"},"
	" \"routes\": ["
	"  {\"path\": \"/own/*\", \"files\": {\"root\": \"root\"},"
	"   \"upload\": {\"directory\": \"root\"}, \"cors\": true,"
	"   \"headers\": {\"X-Own\": \"1\"}, \"allow\": [\"10.0.0.0/8\", \"unix\"],"
	"   \"deny\": [\"10.9.0.0/16\"]},"
	"  {\"path\": \"/own/open\", \"respond\": {\"body\": \"open\"}},"
	"  {\"path\": \"/away/*\", \"redirect\": {\"to\": \"/x/*\"}, \"deny\": "
	"[\"::1\"]},"
	"  {\"path\": \"/status\", \"status\": \"health\", \"allow\": [\"::1\"]},"
	"  {\"path\": \"/pages/403\", \"respond\": {\"body\": \"not you\"}}]}]}";

static void
make_files(void)
{
	put("root/a", "aaa");
	put("root/404", "secret page");
}

static int
ask(const char *peer, enum http_method method, const char *target)
{
	prepare(method, target);
	rig.t.ex.peer = peer_of(peer);
	return run();
}

static void
who_is_refused_gets_the_error_page(void **state)
{
	(void)state;
	assert_int_equal(ask("192.0.2.1", HTTP_GET, "/own/a"), 403);
	assert_string_equal(rig.t.body.ptr, "not you");
	assert_field("X-Own", "1");
	assert_int_equal(ask("10.9.0.1", HTTP_GET, "/own/a"), 403);
	assert_int_equal(ask("10.1.0.1", HTTP_GET, "/own/a"), 200);
	assert_string_equal(rig.t.body.ptr, "aaa");
	assert_int_equal(ask("unix", HTTP_GET, "/own/a"), 200);
}

static void
it_is_decided_before_anything_else_of_the_route(void **state)
{
	(void)state;
	/* Not 404, 308, 405, 204: who is refused does not learn what is there. */
	assert_int_equal(ask("192.0.2.1", HTTP_GET, "/own/nothing"), 403);
	assert_int_equal(ask("192.0.2.1", HTTP_GET, "/own"), 403);
	assert_int_equal(ask("192.0.2.1", HTTP_DELETE, "/own/a"), 403);
	assert_field("Allow", NULL);
	assert_int_equal(ask("192.0.2.1", HTTP_OPTIONS, "/own/a"), 403);
	assert_int_equal(ask("10.1.0.1", HTTP_GET, "/own"), 308);
	assert_int_equal(ask("10.1.0.1", HTTP_DELETE, "/own/a"), 405);
	assert_int_equal(ask("10.1.0.1", HTTP_OPTIONS, "/own/a"), 204);
	assert_int_equal(ask("::1", HTTP_GET, "/away/y"), 403);
	assert_field("Location", NULL);
	assert_int_equal(ask("::1", HTTP_GET, "/away"), 403);
	assert_int_equal(ask("::2", HTTP_GET, "/away/y"), 302);
	assert_int_equal(ask("::2", HTTP_GET, "/status"), 403);
	assert_int_equal(ask("::1", HTTP_GET, "/status"), 200);
}

static void
a_preflight_needs_permission_too(void **state)
{
	static const char *const targets[] = { "/own/a", "/own" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		prepare(HTTP_OPTIONS, targets[i % 2]);
		with_field(HTTP_FIELD_ORIGIN, "https://a.example");
		with_field(HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD, "GET");
		rig.t.ex.peer = peer_of(i < 2 ? "192.0.2.1" : "10.0.0.1");
		assert_int_equal(run(), i < 2 ? 403 : 204);
	}
}

static void
a_body_of_who_is_refused_is_not_read(void **state)
{
	(void)state;
	prepare(HTTP_PUT, "/own/new");
	rig.t.ex.peer = peer_of("192.0.2.1");
	rig.t.ex.head.body = HTTP_BODY_LENGTH;
	rig.t.ex.head.content_length = 3;
	exchange_begin(&rig.t.ex);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RESPONDING);
	assert_int_equal(finish(), 403);
	assert_int_equal(ask("10.0.0.1", HTTP_GET, "/own/new"), 404);
}

static void
other_routes_and_rows_are_for_everybody(void **state)
{
	(void)state;
	assert_int_equal(ask("192.0.2.1", HTTP_GET, "/own/open"), 200);
	assert_int_equal(ask("192.0.2.1", HTTP_GET, "/own/row"), 302);
	assert_int_equal(ask("192.0.2.1", HTTP_OPTIONS, "*"), 204);
}

static void
an_error_page_of_a_limited_route_is_for_who_may_see_it(void **state)
{
	(void)state;
	assert_int_equal(ask("10.0.0.1", HTTP_GET, "/none"), 404);
	assert_string_equal(rig.t.body.ptr, "secret page");
	assert_int_equal(ask("192.0.2.1", HTTP_GET, "/none"), 404);
	assert_null(strstr(rig.t.body.ptr, "secret"));
	assert_non_null(strstr(rig.t.body.ptr, "404 Not Found"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deny_is_looked_at_before_allow),
		cmocka_unit_test(without_memory_there_is_no_decision),
		cmocka_unit_test(who_is_refused_gets_the_error_page),
		cmocka_unit_test(it_is_decided_before_anything_else_of_the_route),
		cmocka_unit_test(a_preflight_needs_permission_too),
		cmocka_unit_test(a_body_of_who_is_refused_is_not_read),
		cmocka_unit_test(other_routes_and_rows_are_for_everybody),
		cmocka_unit_test(an_error_page_of_a_limited_route_is_for_who_may_see_it),
	};

	return run_with_rig(tests, config_text, make_files);
}
