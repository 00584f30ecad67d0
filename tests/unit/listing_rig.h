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

#include "temp_dir.h"
#include "made_site.h"
#include "transport.h"
#include "base/fs.h"
#include "base/log.h"
#include "handler/file_version.h"
#include "handler/handlers.h"
#include "handler/listing.h"

#define MANY 3000
#define MEMORY ((size_t)16 * 1024 * 1024)

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"error_pages\": {\"404\": \"/few/\"},"
	" \"routes\": [{\"path\": \"/*\", \"files\": {\"root\": \"root\"}},"
	"  {\"path\": \"/pub/x/*\", \"files\": {\"root\": \"root\"},"
	"   \"headers\": {\"Cache-Control\": \"max-age=9\"}}]}]}";

struct rig {
	struct transport t;
	char dir[TREE_PATH_MAX];
	int dirfd;
	struct log log;
	struct made_site made;
	struct file_root root;
	struct listing_source source;
};

static struct rig rig;

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

static inline int
setup(void **state)
{
	static const struct handler_ops *const kinds[] = { &lister, NULL };

	(void)state;
	rig.dirfd = tree_open(rig.dir);
	make_files();
	rig.log = (struct log){ openat(rig.dirfd, "log", O_RDWR | O_CREAT | O_CLOEXEC,
				       0600),
				LOG_LEVEL_WARNING };
	assert_true(rig.log.fd >= 0);
	made_site_open(&rig.made, config_text, rig.dir,
		       (struct handler_env){ .log = &rig.log }, kinds, &errpage_handler);
	rig.root.dirfd = openat(rig.dirfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	transport_init(&rig.t, (size_t)64 * 1024);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	transport_fini(&rig.t);
	made_site_close(&rig.made);
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
	if (rig.t.ex.state != EXCHANGE_NEW && rig.t.ex.state != EXCHANGE_ENDED)
		exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	listings_free(rig.source.all);
	return 0;
}

/* --- one request --- */

static inline void
prepare(enum http_method method, const char *target)
{
	transport_prepare(&rig.t, rig.made.site, method, target);
}

static inline void
with_field(enum http_field_id id, const char *value)
{
	transport_with_field(&rig.t, id, value);
}

/* Turns, the body pulled in pieces of `room`, and the end. Returns the status. */
static inline int
run(size_t room)
{
	transport_begin(&rig.t);
	if (rig.t.kind == BODY_PULL) {
		assert_true(rig.t.length == BODY_UNKNOWN);
		assert_null(rig.t.ex.data);
	}
	return transport_finish_by(&rig.t, room);
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
