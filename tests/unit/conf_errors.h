/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of the configuration share: a snippet goes in, all that is said about it has
 * to be what is expected, word for word. Included once by a test program.
 */
#ifndef WEBSRV_TESTS_CONF_ERRORS_H
#define WEBSRV_TESTS_CONF_ERRORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/load.h"

/* Each snippet begins on line 2 of an otherwise good file. */
#define TOP(s) "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"]}],\n" s "}"

#define ROUTE(s)                                                                         \
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"routes\": [\n" s "]}]}"

#define SERVER(s) "{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],\n" s "}]}"

struct error_case {
	const char *name, *text, *expected;
};

/* NULL when nothing was wrong. */
static inline char *
errors_of(struct slice text)
{
	struct buf errors;
	struct config *c;

	buf_init(&errors);
	c = conf_load_text(text, "t.json", "/etc", &errors);
	if (c != NULL) {
		assert_int_equal(errors.len, 0);
		conf_free(c);
		return NULL;
	}
	buf_add_char(&errors, '\0');
	assert_false(errors.failed);
	return errors.ptr;
}

/* A configuration that has to be right, to be freed with conf_free(). */
static inline struct config *
good(const char *text)
{
	struct buf errors;
	struct config *c;

	buf_init(&errors);
	c = conf_load_text(slice_from_str(text), "t.json", "/etc", &errors);
	if (c == NULL)
		fail_msg("%.*s", (int)errors.len, errors.ptr);
	buf_fini(&errors);
	return c;
}

/* The strings, with spaces between them. */
static inline void
assert_strings(const struct conf_strings *s, const char *expected)
{
	char text[600] = "";

	for (size_t i = 0; i < s->count; i++) {
		strcat(text, i != 0 ? " " : "");
		strcat(text, s->items[i]);
	}
	assert_string_equal(text, expected);
}

static inline void
check(const struct error_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *errors = errors_of(slice_from_str(cases[i].text));

		if (errors == NULL || strcmp(errors, cases[i].expected) != 0)
			fail_msg("%s:\nexpected %sbut got %s", cases[i].name,
				 cases[i].expected,
				 errors != NULL ? errors : "no error\n");
		free(errors);
	}
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
