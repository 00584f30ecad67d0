/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rig: a site made of a configuration and a directory of files, with a transport that asks it.
 * Included once by a test program.
 */
#ifndef WEBSRV_TESTS_RIG_H
#define WEBSRV_TESTS_RIG_H

#include "rows.h"
#include "tree.h"
#include "transport.h"
#include "made_site.h"
#include "base/log.h"
#include "handler/file_shared.h"
#include "handler/handlers.h"

struct rig {
	struct transport t;
	char dir[TREE_PATH_MAX];
	int dirfd;
	struct config *conf;
	struct site *site;
	struct file_shared *files;
	struct counter_block *counters;
	struct log log;
};

static struct rig rig;

/* --- files --- */

static inline void
put_bytes(const char *name, const char *bytes, size_t len)
{
	tree_put(rig.dirfd, name, bytes, len);
}

static inline void
put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static inline void
put_pattern(const char *name, size_t len)
{
	char *bytes = make_pattern(len);

	put_bytes(name, bytes, len);
	free(bytes);
}

/* --- the site --- */

static inline void
rig_open(const char *config_text, void (*make_files)(void))
{
	struct handler_env env;

	alarm(300); /* a FIFO that hangs must not stand still */
	rig.dirfd = tree_open(rig.dir);
	make_files();
	rig.log =
		(struct log){ open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR };
	rig.counters = counters_new(1);
	assert_non_null(rig.counters);
	rig.conf = make_config(config_text, rig.dir);
	rig.files = file_shared_new(rig.conf, rig.counters, 1);
	assert_non_null(rig.files);
	env = (struct handler_env){ .conf = rig.conf,
				    .log = &rig.log,
				    .counters = rig.counters,
				    .files = rig.files };
	rig.site = make_site(&env, handler_kinds, &errpage_handler);
	transport_init(&rig.t, (size_t)64 * 1024);
}

static inline int
rig_close(void)
{
	transport_fini(&rig.t);
	site_free(rig.site);
	file_shared_free(rig.files);
	counters_free(rig.counters, 1);
	conf_free(rig.conf);
	close(rig.log.fd);
	close(rig.dirfd);
	return remove_tree(rig.dir);
}

/* Runs tests that share one site. */
#define run_with_rig(tests, config_text, make_files)                                     \
	(rig_serves = (struct rig_served){ config_text, make_files },                    \
	 cmocka_run_group_tests(tests, rig_set_up, rig_tear_down))

static struct rig_served {
	const char *config_text;
	void (*make_files)(void);
} rig_serves;

static inline int
rig_set_up(void **state)
{
	(void)state;
	rig_open(rig_serves.config_text, rig_serves.make_files);
	return 0;
}

static inline int
rig_tear_down(void **state)
{
	(void)state;
	return rig_close();
}

/* --- requests --- */

static inline void
prepare(enum http_method method, const char *target)
{
	transport_prepare(&rig.t, rig.site, method, target);
}

static inline void
with_field(enum http_field_id id, const char *value)
{
	transport_with_field(&rig.t, id, value);
}

static inline int
finish(void)
{
	return transport_finish(&rig.t);
}

/* Without a body. */
static inline int
run(void)
{
	transport_begin(&rig.t);
	return finish();
}

/* --- answers --- */

/* The value of a field of the last answer, "" when it has none; it stands there once. */
static inline struct slice
answered(const char *name)
{
	size_t len = strlen(name);
	struct slice found = slice_make("", 0);
	const char *line = rig.t.fields.ptr;

	while (*line != '\0') {
		const char *end = strchr(line, '\n');

		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			if (found.len != 0)
				fail_msg("twice: %s", name);
			found = slice_make(line + len + 2,
					   (size_t)(end - line) - len - 2);
		}
		line = end + 1;
	}
	return found;
}

/* NULL: it is not there. */
static inline void
assert_field(const char *name, const char *value)
{
	struct slice found = answered(name);

	if (!slice_eq(found, slice_from_str(value != NULL ? value : "")))
		fail_msg("%s: '%.*s', not '%s'", name, SLICE_ARG(found),
			 value != NULL ? value : "");
}

static inline void
assert_body(const char *bytes, size_t len)
{
	assert_int_equal(rig.t.body.len, len);
	assert_memory_equal(rig.t.body.ptr, bytes, len);
}

#define ETAG_ROOM 128

/* The entity-tag of the last answer. */
static inline void
take_etag(char out[ETAG_ROOM])
{
	struct slice tag = answered("ETag");

	assert_in_range(tag.len, 3, ETAG_ROOM - 1);
	snprintf(out, ETAG_ROOM, "%.*s", SLICE_ARG(tag));
}

/* --- tables of answers --- */

struct asked {
	enum http_field_id id;
	const char *value; /* "@" in it is the entity-tag that a plain GET gets */
};

/* clang-format off */
#define PLAIN { { 0 } }
#define WITH(id, value) { { HTTP_FIELD_##id, value } }
#define WITH_BOTH(id, value, other, second) \
	{ { HTTP_FIELD_##id, value }, { HTTP_FIELD_##other, second } }
/* clang-format on */

struct answer_case {
	const char *name;
	enum http_method method;
	const char *target;
	struct asked asked[2]; /* fields of the request */
	int status;
	const char *has, *lacks; /* in the fields */
	const char *body;        /* how it begins; NULL: not looked at */
};

static inline void
expand(const char *value, const char *etag, struct buf *out)
{
	out->len = 0;
	for (; *value != '\0'; value++) {
		if (*value == '@')
			buf_add_str(out, etag);
		else
			buf_add_char(out, *value);
	}
	buf_add_char(out, '\0');
}

static inline void
run_case(void **state)
{
	const struct answer_case *c = *state;
	char etag[ETAG_ROOM] = "";
	struct buf values[2];
	int status;

	for (int i = 0; i < 2; i++) {
		buf_init(&values[i]);
		if (c->asked[i].value == NULL)
			continue;
		if (strchr(c->asked[i].value, '@') != NULL && etag[0] == '\0') {
			prepare(HTTP_GET, c->target);
			run();
			take_etag(etag);
		}
		expand(c->asked[i].value, etag, &values[i]);
	}
	prepare(c->method, c->target);
	for (int i = 0; i < 2; i++) {
		if (c->asked[i].value != NULL)
			with_field(c->asked[i].id, values[i].ptr);
	}
	status = run();
	if (status != c->status)
		fail_msg("%d", status);
	if (c->has != NULL && strstr(rig.t.fields.ptr, c->has) == NULL)
		fail_msg("%s", rig.t.fields.ptr);
	if (c->lacks != NULL && strstr(rig.t.fields.ptr, c->lacks) != NULL)
		fail_msg("%s", rig.t.fields.ptr);
	if (c->body != NULL && strncmp(rig.t.body.ptr, c->body, strlen(c->body)) != 0)
		fail_msg("%s", rig.t.body.ptr);
	if (c->body != NULL && *c->body == '\0')
		assert_string_equal(rig.t.body.ptr, "");
	buf_fini(&values[0]);
	buf_fini(&values[1]);
}

/* Behind the `count` tests that are there. */
static inline void
add_cases(struct CMUnitTest *tests, size_t count, const struct answer_case *cases,
	  size_t case_count)
{
	for (size_t i = 0; i < case_count; i++)
		tests[count + i] = row_test(cases[i].name, run_case, &cases[i]);
}

#endif
