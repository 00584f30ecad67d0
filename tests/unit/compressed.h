/* SPDX-License-Identifier: BSD-2-Clause
 *
 * compressed: a site that compresses, what is counted and fails on demand within it, and a
 * decoder. It needs the linker's --wrap (see Makefile.am). Included once by a test program.
 */
#ifndef WEBSRV_TESTS_COMPRESSED_H
#define WEBSRV_TESTS_COMPRESSED_H

#include "config.h"
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

#include "rig.h"
#include "handler/files.h"
#include "http/coding.h"

#define SKIPPED 77 /* what a test program exits with that cannot test anything */

/* What was encoded, and what is to fail. */
static struct {
	unsigned at_once, streams;
	int encode_error;
	bool no_encoder, no_version;
} encoding;

int __real_coding_encode(enum coding c, struct slice in, struct buf *out);
int __wrap_coding_encode(enum coding c, struct slice in, struct buf *out);
struct encoder *__real_encoder_new(enum coding c);
struct encoder *__wrap_encoder_new(enum coding c);
struct file_version *__real_file_version_encoded(const struct file_version *v,
						 enum coding c, char *bytes, size_t len);
struct file_version *__wrap_file_version_encoded(const struct file_version *v,
						 enum coding c, char *bytes, size_t len);

int
__wrap_coding_encode(enum coding c, struct slice in, struct buf *out)
{
	encoding.at_once++;
	return encoding.encode_error != 0 ? encoding.encode_error
					  : __real_coding_encode(c, in, out);
}

struct encoder *
__wrap_encoder_new(enum coding c)
{
	encoding.streams++;
	return encoding.no_encoder ? NULL : __real_encoder_new(c);
}

struct file_version *
__wrap_file_version_encoded(const struct file_version *v, enum coding c, char *bytes,
			    size_t len)
{
	if (!encoding.no_version)
		return __real_file_version_encoded(v, c, bytes, len);
	free(bytes); /* it takes them over in every case */
	return NULL;
}

static const char config_text[] =
	"{\"cache\": {\"revalidate\": \"0s\", \"file_size\": \"512K\"},"
	" \"servers\": [{\"listen\": [\"127.0.0.1:80\"],"
	" \"headers\": {\"X-Content-Type-Options\": null},"
	" \"error_pages\": {\"404\": \"/text.txt\"},"
	" \"routes\": ["
	"  {\"path\": \"/sib/*\", \"files\": {\"root\": \"root\","
	"   \"precompressed\": [\"br\"], \"compress\": [\"gzip\"]}},"
	"  {\"path\": \"/off/*\", \"files\": {\"root\": \"root\","
	"   \"precompressed\": [], \"compress\": false}},"
	"  {\"path\": \"/*\", \"files\": {\"root\": \"root\", \"precompressed\": [],"
	"   \"compress\": {\"encodings\": [\"gzip\"], \"min_size\": 100,"
	"    \"types\": [\"text/*\", \"application/json\"]}}}]}]}";

/* Sizes of files: the largest that is encoded at once, one that is in memory all the same, and
 * one that is not. */
#define TEXT ((size_t)10000)
#define AT_ONCE ((size_t)256 * 1024)
#define MIDDLE ((size_t)300000)
#define BIG ((size_t)1500000)

static char *text; /* what every file begins with */

/* Bytes that shrink, but not to next to nothing. */
static inline char *
make_text(size_t len)
{
	char *bytes = make_pattern(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)('a' + (bytes[i] & 15));
	return bytes;
}

static inline void
put_text(const char *name, size_t len)
{
	put_bytes(name, text, len);
}

static inline void
make_files(void)
{
	put_text("root/text.txt", TEXT);
	put_text("root/text.json", TEXT);
	put_text("root/picture.png", TEXT);
	put_text("root/short.txt", 99);
	put_text("root/just.txt", 100);
	put_text("root/at-once.txt", AT_ONCE);
	put_text("root/middle.txt", MIDDLE);
	put_text("root/big.txt", BIG);
	put("root/empty.txt", "");
	put_pattern("root/random.txt", 5000);
	put("root/text.txt.br", "br text");
}

static inline int
setup(void **state)
{
	(void)state;
	text = make_text(BIG);
	rig_open(config_text, make_files);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	free(text);
	return rig_close();
}

static inline int
forget(void **state)
{
	(void)state;
	memset(&encoding, 0, sizeof(encoding));
	filecache_forget_root(rig.files->cache, NULL);
	rig.files->stream_memory = 0;
	return 0;
}

static inline void
ask(const char *target, const char *codings)
{
	prepare(HTTP_GET, target);
	if (codings != NULL)
		with_field(HTTP_FIELD_ACCEPT_ENCODING, codings);
}

static inline int
get(const char *target, const char *codings)
{
	ask(target, codings);
	return run();
}

static inline void
get_etag(const char *target, const char *codings, char etag[ETAG_ROOM])
{
	assert_int_equal(get(target, codings), 200);
	take_etag(etag);
}

static inline int
get_if(const char *target, const char *codings, enum http_field_id id, const char *value)
{
	ask(target, codings);
	with_field(id, value);
	return run();
}

/* The last answer is the first `len` bytes in gzip, and nothing behind them. */
static inline void
assert_decodes(size_t len)
{
#ifdef HAVE_ZLIB
	z_stream z = { 0 };
	char *out = malloc(len + 1);

	assert_non_null(out);
	assert_field("Content-Encoding", "gzip");
	assert_field("Vary", "Accept-Encoding");
	assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
	z.next_in = (unsigned char *)rig.t.body.ptr;
	z.avail_in = (unsigned)rig.t.body.len;
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)len + 1;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(out, text, len);
	inflateEnd(&z);
	free(out);
#else
	fail_msg("%zu bytes and no zlib", len);
#endif
}

static inline void
assert_plain(const char *target, const char *codings, size_t len, bool varies)
{
	if (get(target, codings) != 200)
		fail_msg("%s: %d", target, rig.t.ex.status);
	assert_field("Content-Encoding", NULL);
	assert_field("Vary", varies ? "Accept-Encoding" : NULL);
	assert_field("Accept-Ranges", "bytes");
	assert_body(text, len);
}

#define TEST(f) cmocka_unit_test_setup(f, forget)

#endif
