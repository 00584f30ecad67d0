/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing_rig: requests for directories without a socket: a transport that only takes notes
 * drives a handler that does nothing but list, on a site built from a configuration and a
 * directory of files. Included once by a test program, after cmocka.h.
 */
#ifndef WEBSRV_TESTS_LISTING_RIG_H
#define WEBSRV_TESTS_LISTING_RIG_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remove_tree.h"
#include "base/buf.h"
#include "base/counters.h"
#include "base/fs.h"
#include "base/log.h"
#include "conf/load.h"
#include "handler/file_version.h"
#include "handler/handlers.h"
#include "handler/listing.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MANY 3000
#define MEMORY ((size_t)16 * 1024 * 1024)
#define TURNS_MAX 100000

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"error_pages\": {\"404\": \"/few/\"},"
	" \"routes\": [{\"path\": \"/*\", \"files\": {\"root\": \"root\"}},"
	"  {\"path\": \"/pub/x/*\", \"files\": {\"root\": \"root\"},"
	"   \"headers\": {\"Cache-Control\": \"max-age=9\"}}]}]}";

struct rig {
	struct exchange ex; /* first: the ops are called with its address */
	struct http_field request[4];
	unsigned heads, turns;
	struct buf fields, body; /* of the answer, NUL behind them */
	char dir[256];
	int dirfd;
	struct log log;
	struct config *conf;
	struct site *site;
	struct counter_block *counters;
	struct file_root root;
	struct listing_source source;
};

static struct rig rig;

static inline void
on_head(struct exchange *ex)
{
	assert_int_equal(ex->state, EXCHANGE_RESPONDING);
	((struct rig *)ex)->heads++;
}

static inline void
on_consumed(struct exchange *ex, size_t n)
{
	(void)ex;
	(void)n;
}

static inline void
on_later(struct exchange *ex)
{
	((struct rig *)ex)->turns++;
}

static inline void
on_abort(struct exchange *ex)
{
	(void)ex;
	fail();
}

static const struct exchange_ops ops = {
	.head = on_head, .consumed = on_consumed, .later = on_later, .abort = on_abort
};

/* --- a handler that lists --- */

static inline int
lister_create(const struct handler_env *env, const struct conf_route *route, void **state,
	      struct buf *errors)
{
	(void)env;
	(void)route;
	(void)errors;
	*state = &rig;
	return 0;
}

static inline int
lister_open(struct exchange *ex)
{
	const char *path = arena_strdup(&ex->arena, ex->rest);

	assert_non_null(path);
	return listing_open(ex, &rig.source, path);
}

static inline void
lister_close(struct exchange *ex, enum exchange_end why)
{
	(void)why;
	if (ex->data != NULL)
		listing_close(ex);
}

static const struct handler_ops lister = {
	.action = CONF_ACTION_FILES,
	.methods = HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_HEAD),
	.create = lister_create,
	.open = lister_open,
	.work = listing_work,
	.close = lister_close,
};

/* --- setting up --- */

static inline void
write_file(const char *name, size_t size)
{
	int fd = openat(rig.dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static inline void
make_files(void)
{
	static const char *const dirs[] = { "root", "root/few", "root/.well-known",
					    "root/few/sub", "root/many" };
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	char name[64];

	for (size_t i = 0; i < COUNT(dirs); i++)
		assert_int_equal(mkdirat(rig.dirfd, dirs[i], 0755), 0);
	write_file("root/few/a<b>.txt", 1400000);
	write_file("root/few/Z", 7);
	write_file("root/few/.secret", 7);
	assert_int_equal(utimensat(rig.dirfd, "root/few/Z", times, 0), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "root/many/file-%04d.txt", i);
		assert_int_equal(mknodat(rig.dirfd, name, S_IFREG | 0644, 0), 0);
	}
}

static inline void
build(void)
{
	static const struct handler_ops *const kinds[] = { &lister, NULL };
	struct handler_env env = { .log = &rig.log, .counters = rig.counters };
	struct buf errors;

	buf_init(&errors);
	rig.conf = conf_load_text(slice_from_str(config_text), "test", rig.dir, &errors);
	if (rig.conf != NULL) {
		env.conf = rig.conf;
		rig.site = site_new(rig.conf, &env, kinds, &errpage_handler, &errors);
	}
	if (rig.site == NULL)
		fail_msg("%.*s", (int)errors.len, errors.ptr);
	buf_fini(&errors);
}

static inline int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(rig.dir, sizeof(rig.dir), "%s/websrv-list-XXXXXX",
		 tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(rig.dir));
	rig.dirfd = open(rig.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	make_files();
	rig.log = (struct log){ openat(rig.dirfd, "log", O_RDWR | O_CREAT | O_CLOEXEC,
				       0600),
				LOG_LEVEL_WARNING };
	assert_true(rig.log.fd >= 0);
	rig.counters = counters_new(1);
	assert_non_null(rig.counters);
	build();
	rig.root.dirfd = openat(rig.dirfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	exchange_init(&rig.ex, &ops, 64 * 1024);
	buf_init(&rig.fields);
	buf_init(&rig.body);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	exchange_fini(&rig.ex);
	buf_fini(&rig.fields);
	buf_fini(&rig.body);
	site_free(rig.site);
	counters_free(rig.counters, 1);
	conf_free(rig.conf);
	close(rig.log.fd);
	close(rig.root.dirfd);
	close(rig.dirfd);
	return remove_tree(rig.dir);
}

static inline void
use(size_t memory_max, uint32_t revalidate_ms)
{
	rig.source = (struct listing_source){ .all = listings_new(memory_max),
					      .root = &rig.root,
					      .log = &rig.log,
					      .revalidate_ms = revalidate_ms };
	assert_non_null(rig.source.all);
}

static inline int
begin(void **state)
{
	(void)state;
	use(MEMORY, 0);
	return 0;
}

/* listings_free() asserts that every snapshot is given back. */
static inline int
end(void **state)
{
	(void)state;
	if (rig.ex.state != EXCHANGE_NEW && rig.ex.state != EXCHANGE_ENDED)
		exchange_finish(&rig.ex, EXCHANGE_ABORTED);
	listings_free(rig.source.all);
	return 0;
}

/* --- one request --- */

static inline void
prepare(enum http_method method, const char *target)
{
	struct slice t = slice_from_str(target);
	size_t mark = slice_find(t, '?');

	rig.heads = rig.turns = 0;
	exchange_reset(&rig.ex);
	rig.ex.site = rig.site;
	rig.ex.address = &rig.site->addresses[0];
	rig.ex.head = (struct http_head){
		.method = method,
		.method_name = http_method_name(method),
		.target = t,
		.form = HTTP_TARGET_ORIGIN,
		.path = slice_make(t.ptr, mark),
		.query = slice_from(t, mark + 1),
		.has_query = mark < t.len,
		.host = SLICE("a.example"),
		.minor = 1,
		.fields = rig.request,
	};
}

static inline void
with_field(enum http_field_id id, const char *value)
{
	rig.request[rig.ex.head.field_count++] =
		(struct http_field){ http_field_name(id), slice_from_str(value), id,
				     false };
}

static inline void
note_field(void *ctx, const struct http_field *f)
{
	buf_printf(ctx, "%.*s: %.*s\n", SLICE_ARG(f->name), SLICE_ARG(f->value));
}

static inline void
pull_body(size_t room)
{
	struct body *b = &rig.ex.body;
	char *bytes = malloc(room);
	ssize_t n = 0;

	assert_non_null(bytes);
	rig.body.len = 0;
	if (b->kind == BODY_MEMORY)
		buf_add(&rig.body, b->memory, (size_t)b->left);
	if (b->kind == BODY_PULL) {
		assert_true(b->left == BODY_UNKNOWN);
		assert_null(rig.ex.data);
		while ((n = b->pull(b->owner, bytes, room)) > 0) {
			assert_true((size_t)n <= room);
			buf_add(&rig.body, bytes, (size_t)n);
		}
	}
	assert_int_equal(n, 0);
	buf_add_char(&rig.body, '\0');
	free(bytes);
}

/* Turns, the body pulled in pieces of `room`, and the end. Returns the status. */
static inline int
run(size_t room)
{
	int status;

	exchange_begin(&rig.ex);
	while (rig.ex.state == EXCHANGE_RECEIVING) {
		assert_true(rig.ex.waits && rig.turns < TURNS_MAX);
		exchange_work(&rig.ex);
	}
	status = rig.ex.status;
	rig.fields.len = 0;
	exchange_each_field(&rig.ex, note_field, &rig.fields);
	buf_add_char(&rig.fields, '\0');
	pull_body(room);
	exchange_finish(&rig.ex, EXCHANGE_COMPLETE);
	assert_int_equal(rig.heads, 1);
	return status;
}

static inline int
request(const char *target)
{
	prepare(HTTP_GET, target);
	return run(65536);
}

static inline void
has(const struct buf *b, const char *part)
{
	if (part != NULL && strstr(b->ptr, part) == NULL)
		fail_msg("no '%s' in %s", part, b->ptr);
}

static inline void
lacks(const struct buf *b, const char *part)
{
	if (part != NULL && strstr(b->ptr, part) != NULL)
		fail_msg("'%s' in %s", part, b->ptr);
}

#define list_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
