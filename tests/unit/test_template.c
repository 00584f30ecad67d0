/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Templates: one row is a target and what a request makes of it, or what is wrong with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/template.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Groups "1", "2" and "id", which is the second. */
static int
find_group(const void *arg, struct slice name)
{
	(void)arg;
	if (slice_eq(name, SLICE("1")))
		return 1;
	return slice_eq(name, SLICE("2")) || slice_eq(name, SLICE("id")) ? 2 : -1;
}

static const struct template_groups groups = { find_group, NULL };

/* As checked by the configuration: the sentence, or NULL. */
static const char *
compile(const char *text, struct arena *a, struct template *t, struct slice *piece)
{
	const char *wrong;

	*piece = slice_from_str(text);
	wrong = template_compile(*piece, &groups, a, t, piece);
	if (wrong != NULL)
		return wrong;
	*piece = slice_from_str(text);
	return template_check_target(t, piece);
}

struct expansion {
	const char *to;
	const char *star, *host, *path, *query, *group;
	const char *want;
};

static const struct expansion expansions[] = {
	{ "/new", "x", "h", "/p", "q", "g", "/new" },
	{ "/b/*/c", "x/y", "h", "/p", "", "", "/b/x/y/c" },
	{ "/b/*", "a b\r\nX: y", "h", "/p", "", "", "/b/a%20b%0D%0AX:%20y" },
	{ "/b?u=*", "a&b=c+d;e?f#g", "h", "/p", "", "",
	  "/b?u=a%26b%3Dc%2Bd%3Be%3Ff%23g" },
	{ "/b?u=${path}", "", "h", "/p&q", "", "", "/b?u=/p%26q" },
	{ "/b#${path}", "", "h", "/p&q", "", "", "/b#/p%26q" },
	{ "https://${host}${path}", "", "h.example", "/a b", "", "",
	  "https://h.example/a%20b" },
	{ "https://${host}:8443${path}?${query}", "", "[::1]", "/a", "x=1&y=%20", "",
	  "https://[::1]:8443/a?x=1&y=%20" },
	{ "https://www.${host}/", "", "h", "/", "", "", "https://www.h/" },
	{ "https://e.example/${host}", "", "[::1]", "/", "", "",
	  "https://e.example/%5B::1%5D" },
	{ "https://e.example/?${query}", "", "", "/", "a=\r\nb \"", "",
	  "https://e.example/?a=%0D%0Ab%20%22" },
	{ "${path}?moved", "", "h", "/a", "", "", "/a?moved" },
	{ "/p/${1}/${id}", "", "h", "/", "", "g%h", "/p/g%25h/two" },
	{ "/${1}", "", "h", "/", "", "/evil.example/", "/evil.example/" },
	{ "/${1}", "", "h", "/", "", "///evil.example", "/evil.example" },
	{ "/${1}", "", "h", "/", "", "\\evil.example", "/%5Cevil.example" },
	{ "/?${1}", "", "h", "/", "", "//x", "/?//x" },
	{ "/$$/$${1}", "", "h", "/", "", "g", "/$/${1}" },
};

static void
targets_are_filled_in_and_encoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expansions); i++) {
		const struct expansion *e = &expansions[i];
		struct slice g[3] = { SLICE("all"), slice_from_str(e->group),
				      SLICE("two") };
		struct template_values v = {
			.star = slice_from_str(e->star),
			.host = slice_from_str(e->host),
			.path = slice_from_str(e->path),
			.query = slice_from_str(e->query),
			.groups = g,
			.group_count = COUNT(g),
		};
		struct arena a;
		struct template t;
		struct slice piece, out;

		arena_init(&a, SIZE_MAX);
		assert_null(compile(e->to, &a, &t, &piece));
		assert_int_equal(template_expand(&t, &v, &a, &out), 0);
		assert_int_equal(out.len, strlen(e->want));
		assert_memory_equal(out.ptr, e->want, out.len);
		arena_fini(&a);
	}
}

struct refusal {
	const char *to, *piece, *wrong; /* the sentence begins so */
};

static const struct refusal refusals[] = {
	{ "", "", "is neither" },
	{ "new", "new", "is neither" },
	{ "//a", "//a", "begins with \"//\"" },
	{ "${1}", "${1}", "is neither" },
	{ "${host}/x", "${host}/x", "is neither" },
	{ "javascript:${1}", "javascript:${1}", "is neither" },
	{ "/${nam}", "${nam}", "is not known" },
	{ "/${}", "${}", "is not known" },
	{ "/${3}", "${3}", "is not known" },
	{ "/${host", "${host", "is never closed" },
	{ "/${", "${", "is never closed" },
	{ "/a$", "$", "has a \"$\"" },
	{ "/a$b", "$b", "has a \"$\"" },
	{ "/a$$$", "$", "has a \"$\"" },
	{ "https://*/", "https://*/", "has a \"*\" in its host" },
	{ "https://a.example${1}", "${1}", "stands in the host" },
	{ "https://a.example${query}", "${query}", "stands in the host" },
	{ "https://${1}/", "${1}", "stands in the host" },
	{ "https://", "https://", "has no valid host" },
	{ "https://${path}", "https://${path}", "has no valid host" },
	{ "https://u@${host}/", "https://u@${host}/", "has no valid host" },
	{ "https://a:${host}/", "https://a:${host}/", "has no valid host" },
};

static void
what_is_wrong_is_said_with_the_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct arena a;
		struct template t;
		struct slice piece;
		const char *wrong;

		arena_init(&a, SIZE_MAX);
		wrong = compile(r->to, &a, &t, &piece);
		if (wrong == NULL)
			fail_msg("\"%s\" is taken", r->to);
		if (strncmp(wrong, r->wrong, strlen(r->wrong)) != 0)
			fail_msg("\"%s\": %s", r->to, wrong);
		assert_true(slice_eq(piece, slice_from_str(r->piece)));
		arena_fini(&a);
	}
}

static int
expand_status(const char *to, struct template_values v, size_t arena_max)
{
	struct arena a;
	struct template t;
	struct slice piece, out;
	struct arena mine;
	int status;

	arena_init(&mine, SIZE_MAX);
	arena_init(&a, arena_max);
	assert_null(compile(to, &mine, &t, &piece));
	status = template_expand(&t, &v, &a, &out);
	arena_fini(&a);
	arena_fini(&mine);
	return status;
}

static void
a_host_that_is_none_is_a_bad_request(void **state)
{
	static const char *const hosts[] = { "", "a/b", "a@b", "a b", "a\r\nb", "a?b" };

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct template_values v = { .host = slice_from_str(hosts[i]),
					     .path = SLICE("/") };

		assert_int_equal(expand_status("https://${host}/", v, SIZE_MAX), 400);
	}
}

static void
a_target_that_grows_too_long_is_refused(void **state)
{
	static char text[TEMPLATE_OUT_MAX + 2];
	struct template_values v = { .host = SLICE("h") };

	(void)state;
	memset(text, 'a', sizeof(text));
	v.path = slice_make(text, TEMPLATE_OUT_MAX);
	assert_int_equal(expand_status("${path}", v, SIZE_MAX), 0);
	v.path.len++;
	assert_int_equal(expand_status("${path}", v, SIZE_MAX), 414);
	v.path.len = TEMPLATE_OUT_MAX / 2;
	assert_int_equal(expand_status("${path}${path}", v, SIZE_MAX), 0);
	assert_int_equal(expand_status("${path}x${path}", v, SIZE_MAX), 414);
	memset(text, ' ', sizeof(text));
	assert_int_equal(expand_status("${path}", v, SIZE_MAX), 414);
	v.path.len = 100;
	assert_int_equal(expand_status("${path}", v, 16), 503);
}

static void
bytes_of_a_request_never_come_out_raw(void **state)
{
	static const char *const tos[] = { "/*",         "/?*",      "/x${1}",
					   "/#${2}",     "/${path}", "https://h/${id}",
					   "/?${query}", "/${query}" };
	char all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	for (size_t i = 0; i < COUNT(tos); i++) {
		struct slice every = slice_make(all, sizeof(all));
		struct slice g[3] = { every, every, every };
		struct template_values v = { every, SLICE("h"), every, every, g, 3 };
		struct arena a;
		struct template t;
		struct slice piece, out;

		arena_init(&a, SIZE_MAX);
		assert_null(compile(tos[i], &a, &t, &piece));
		assert_int_equal(template_expand(&t, &v, &a, &out), 0);
		assert_true(out.len > 256);
		for (size_t k = 0; k < out.len; k++) {
			assert_true(out.ptr[k] > ' ' && out.ptr[k] < 0x7f);
			assert_null(memchr("\\\"<>", out.ptr[k], 4));
		}
		arena_fini(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_filled_in_and_encoded),
		cmocka_unit_test(what_is_wrong_is_said_with_the_piece),
		cmocka_unit_test(a_host_that_is_none_is_a_bad_request),
		cmocka_unit_test(a_target_that_grows_too_long_is_refused),
		cmocka_unit_test(bytes_of_a_request_never_come_out_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
