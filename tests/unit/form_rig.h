/* SPDX-License-Identifier: BSD-2-Clause
 *
 * form_rig: a site that takes forms, a directory to count files in, and requests whose bytes come
 * in pieces. Included once by a test program.
 */
#ifndef WEBSRV_TESTS_FORM_RIG_H
#define WEBSRV_TESTS_FORM_RIG_H

#include <dirent.h>

#include "rig.h"
#include "handler/store.h"

#define TYPE "multipart/form-data; boundary=b"
#define CD "Content-Disposition: form-data; name="
#define FIELD(name) "--b\r\n" CD #name "\r\n\r\n"
#define FILE_OF(name) "--b\r\n" CD "f; filename=\"" name "\"\r\n\r\n"
#define END "\r\n--b--\r\n"

static const char config_text[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"routes\": ["
	"  {\"path\": \"/drop/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false,"
	"   \"max_size\": 20}},"
	"  {\"path\": \"/over/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false,"
	"   \"conflict\": \"replace\"}, \"files\": {\"root\": \"drop\"}},"
	"  {\"path\": \"/other/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false,"
	"   \"conflict\": \"rename\"}},"
	"  {\"path\": \"/jpg/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false,"
	"   \"types\": [\".jpg\"], \"create_directories\": true}},"
	"  {\"path\": \"/after/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false,"
	"   \"after\": \"/thanks.html#there\"}},"
	"  {\"path\": \"/in\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false}},"
	"  {\"path\": \"/cors/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false},"
	"   \"cors\": [\"https://a.example\"]},"
	"  {\"path\": \"/cors-user/*\", \"upload\": {\"directory\": \"drop\","
	"   \"durable\": false}, \"cors\": {\"origins\": [\"https://a.example\"],"
	"   \"credentials\": true}},"
	"  {\"path\": \"/cors-put/*\", \"upload\": {\"directory\": \"drop\", "
	"   \"durable\": false},"
	"   \"cors\": {\"origins\": [\"https://a.example\"], \"methods\": [\"PUT\"]}}"
	"]}]}";

/* Two files and a field, with data that is nearly a boundary. */
static const char form[] =
	FIELD(a) "value\r\n" FILE_OF("one") "1\r\n-b\r\r\n" FILE_OF("two") "\r\n--c2" END;

/* --- the directory --- */

static inline void
make_files(void)
{
	assert_int_equal(mkdirat(rig.dirfd, "drop", 0755), 0);
}

static inline int
setup(void **state)
{
	(void)state;
	rig_open(config_text, make_files);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	return rig_close();
}

/* How many files there are; they are removed. */
static inline size_t
take_files(void)
{
	int fd = openat(rig.dirfd, "drop", O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(fd);
	size_t n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		assert_int_equal(unlinkat(fd, e->d_name, 0), 0);
		n++;
	}
	closedir(d);
	return n;
}

/* What a replaced file leaves in the staging directory, which is there by then. */
static inline size_t
count_staged(void)
{
	return tree_count(rig.dirfd, "drop/" STORE_STAGING, NULL);
}

static inline void
put_file(const char *path, const char *text)
{
	int fd = openat(rig.dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_int_equal(fs_write_full(fd, text, strlen(text)), 0);
	close(fd);
}

/* --- requests --- */

static inline void
prepare_form(const char *target)
{
	prepare(HTTP_POST, target);
	with_field(HTTP_FIELD_CONTENT_TYPE, TYPE);
	rig.t.ex.head.body = HTTP_BODY_CHUNKED;
}

/* As the wire brings it: memory that ends where the piece does. */
static inline void
piece(const char *bytes, size_t len, bool last)
{
	char *copy = malloc(len + (len == 0));

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	if (rig.t.ex.state == EXCHANGE_RECEIVING)
		exchange_body(&rig.t.ex, slice_make(copy, len), last);
	free(copy);
}

static inline int
send_prepared(const char *body, size_t len)
{
	exchange_begin(&rig.t.ex);
	piece(body, len, true);
	transport_work(&rig.t);
	return finish();
}

static inline int
send_form(const char *target, const char *body)
{
	prepare_form(target);
	return send_prepared(body, strlen(body));
}

static inline void
assert_both(void)
{
	tree_assert_file(rig.dirfd, "drop/one", "1\r\n-b\r");
	tree_assert_file(rig.dirfd, "drop/two", "\r\n--c2");
	assert_int_equal(take_files(), 2);
}

#endif
