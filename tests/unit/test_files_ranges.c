/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parts of files, RFC 9110 section 14: every byte of every part is compared, of files that are in
 * memory, that go out straight from the file, and that are copied because they are young.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

static const char config_text[] =
	"{\"cache\": {\"file_size\": 5000}, \"servers\": [{\"listen\": "
	"[\"127.0.0.1:80\"],"
	" \"headers\": {\"X-Content-Type-Options\": null},"
	" \"error_pages\": {\"404\": \"/page.html\"},"
	" \"routes\": ["
	"  {\"path\": \"/none/*\", \"files\": {\"root\": \"root\"},"
	"   \"limits\": {\"ranges\": 0}},"
	"  {\"path\": \"/two/*\", \"files\": {\"root\": \"root\"},"
	"   \"limits\": {\"ranges\": 2}},"
	"  {\"path\": \"/many/*\", \"files\": {\"root\": \"root\"},"
	"   \"limits\": {\"ranges\": 64}},"
	"  {\"path\": \"/*\", \"files\": {\"root\": \"root\"}}]},"
	" {\"listen\": [\"127.0.0.1:80\"], \"names\": [\"paged.example\"],"
	"  \"headers\": {\"X-Content-Type-Options\": null},"
	"  \"error_pages\": {\"416\": \"/page.html\"},"
	"  \"routes\": [{\"path\": \"/*\", \"files\": {\"root\": \"root\"}}]}]}";

#define SMALL ((size_t)1000)
#define BIG ((size_t)100000) /* more than one pull */

static char *pattern; /* what every file begins with */

static void
make_files(void)
{
	put_pattern("root/small", SMALL);
	put_pattern("root/big", BIG);
	put_pattern("root/young", BIG);
	put_pattern("root/text.txt", 100);
	put("root/empty", "");
	put("root/page.html", "page");
	tree_set_mtime(rig.dirfd, "root/young", time(NULL) + 1000, 0);
}

/* The bodies that a file can have: its name, its size and the kind. */
static const struct source {
	const char *target;
	size_t size;
	enum body_kind kind;
} sources[] = {
	{ "/small", SMALL, BODY_MEMORY },
	{ "/big", BIG, BODY_FILE },
	{ "/young", BIG, BODY_FILE },
};

static int
get_range(const char *target, const char *range)
{
	prepare(HTTP_GET, target);
	with_field(HTTP_FIELD_RANGE, range);
	return run();
}

/* --- one part --- */

static void
assert_part(const struct source *s, size_t first, size_t last)
{
	char content[80];

	snprintf(content, sizeof(content), "bytes %zu-%zu/%zu", first, last, s->size);
	assert_field("Content-Range", content);
	assert_field("Content-Type", "application/octet-stream");
	assert_int_equal(rig.t.kind, s->kind);
	assert_int_equal(rig.t.length, last - first + 1);
	assert_body(pattern + first, last - first + 1);
}

static void
one_part_is_those_bytes(void **state)
{
	static const struct {
		const char *range;
		size_t first, last;
	} rows[] = {
		{ "bytes=0-0", 0, 0 },
		{ "bytes=0-9", 0, 9 },
		{ "bytes=10-19", 10, 19 },
		{ "bytes=10-19,20-29", 10, 29 }, /* they touch */
		{ "bytes=500-999", 500, 999 },
		{ "bytes= 7-8 , ", 7, 8 },
		{ "BYTES=7-8", 7, 8 },
		{ "bytes=7-8,99999999999999999999999-", 7, 8 },
	};

	(void)state;
	for (size_t s = 0; s < COUNT(sources); s++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			assert_int_equal(get_range(sources[s].target, rows[i].range),
					 206);
			assert_part(&sources[s], rows[i].first, rows[i].last);
		}
	}
}

static void
part_may_be_counted_from_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		const struct source *s = &sources[i];

		assert_int_equal(get_range(s->target, "bytes=-1"), 206);
		assert_part(s, s->size - 1, s->size - 1);
		assert_int_equal(get_range(s->target, "bytes=-300"), 206);
		assert_part(s, s->size - 300, s->size - 1);
		assert_int_equal(get_range(s->target, "bytes=-999999999"), 206);
		assert_part(s, 0, s->size - 1);
		assert_int_equal(get_range(s->target, "bytes=990-"), 206);
		assert_part(s, 990, s->size - 1);
		assert_int_equal(get_range(s->target, "bytes=0-"), 206);
		assert_part(s, 0, s->size - 1);
		assert_int_equal(get_range(s->target, "bytes=5-99999999999999999999"),
				 206);
		assert_part(s, 5, s->size - 1);
	}
}

static void
part_has_the_validators_of_its_file(void **state)
{
	char etag[ETAG_ROOM];

	(void)state;
	prepare(HTTP_GET, "/big");
	run();
	take_etag(etag);
	get_range("/big", "bytes=5-6");
	assert_field("ETag", etag);
	assert_field("Last-Modified", OLD_DATE);
	assert_field("Vary", NULL);
	get_range("/text.txt", "bytes=5-6");
	assert_field("Content-Type", "text/plain; charset=utf-8");
}

/* --- several parts --- */

struct span {
	size_t first, last;
};

/* What a part begins with, taken from the front of *s. */
static void
take_text(struct slice *s, const char *text)
{
	size_t len = strlen(text);

	if (!slice_starts_with(*s, slice_from_str(text)))
		fail_msg("'%.*s', not '%s'", (int)(s->len < len ? s->len : len), s->ptr,
			 text);
	*s = slice_from(*s, len);
}

static void
assert_parts(const struct source *s, const char *type, const struct span *spans,
	     size_t count)
{
	struct slice rest = buf_slice(&rig.t.body), field = answered("Content-Type");
	char boundary[100], text[300];

	take_text(&field, "multipart/byteranges; boundary=");
	assert_in_range(field.len, 1, 70);
	snprintf(boundary, sizeof(boundary), "%.*s", SLICE_ARG(field));
	assert_int_equal(strcspn(boundary, " \"()<>@,;:\\/[]?="), strlen(boundary));
	assert_field("Content-Range", NULL);
	assert_int_equal(rig.t.length, rig.t.body.len);
	for (size_t i = 0; i < count; i++) {
		size_t len = spans[i].last - spans[i].first + 1;

		snprintf(text, sizeof(text),
			 "\r\n--%s\r\nContent-Type: %s\r\n"
			 "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
			 boundary, type, spans[i].first, spans[i].last, s->size);
		take_text(&rest, text);
		assert_true(rest.len >= len);
		assert_memory_equal(rest.ptr, pattern + spans[i].first, len);
		rest = slice_from(rest, len);
	}
	snprintf(text, sizeof(text), "\r\n--%s--\r\n", boundary);
	take_text(&rest, text);
	assert_int_equal(rest.len, 0);
}

static void
several_parts_are_one_multipart(void **state)
{
	static const struct {
		const char *range;
		struct span spans[4];
		size_t count;
	} rows[] = {
		{ "bytes=0-0,2-2", { { 0, 0 }, { 2, 2 } }, 2 },
		{ "bytes=500-600, 10-20 ,30-40,700-700",
		  { { 500, 600 }, { 10, 20 }, { 30, 40 }, { 700, 700 } },
		  4 },
		{ "bytes=500-510,0-10,505-520", { { 500, 520 }, { 0, 10 } }, 2 },
		{ "bytes=0-1,99999999999999999999-,3-4", { { 0, 1 }, { 3, 4 } }, 2 },
		{ "bytes=0-399,600-999", { { 0, 399 }, { 600, 999 } }, 2 },
	};

	(void)state;
	for (size_t s = 0; s < COUNT(sources); s++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			assert_int_equal(get_range(sources[s].target, rows[i].range),
					 206);
			assert_parts(&sources[s], "application/octet-stream",
				     rows[i].spans, rows[i].count);
		}
	}
}

static void
parts_may_be_larger_than_one_pull(void **state)
{
	static const struct span spans[] = { { 0, 39999 },
					     { 40001, 60000 },
					     { 99999, 99999 } };

	(void)state;
	for (size_t i = 1; i < COUNT(sources); i++) {
		assert_int_equal(
			get_range(sources[i].target, "bytes=0-39999,40001-60000,-1"),
			206);
		assert_parts(&sources[i], "application/octet-stream", spans,
			     COUNT(spans));
	}
}

static void
parts_have_the_type_of_the_file(void **state)
{
	static const struct span spans[] = { { 1, 2 }, { 4, 5 } };
	static const struct source text = { "/text.txt", 100, BODY_PULL };

	(void)state;
	assert_int_equal(get_range(text.target, "bytes=1-2,4-5"), 206);
	assert_parts(&text, "text/plain; charset=utf-8", spans, COUNT(spans));
}

static void
boundaries_differ(void **state)
{
	char first[200];

	(void)state;
	get_range("/small", "bytes=0-0,2-2");
	snprintf(first, sizeof(first), "%.*s", SLICE_ARG(answered("Content-Type")));
	get_range("/small", "bytes=0-0,2-2");
	assert_false(slice_eq(answered("Content-Type"), slice_from_str(first)));
}

/* However little the transport takes at a time. */
static void
parts_are_the_same_in_small_pulls(void **state)
{
	static const struct span spans[] = { { 1, 90 }, { 500, 999 } };

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++) {
		for (size_t room = 1; room < 200; room += 33) {
			prepare(HTTP_GET, sources[i].target);
			with_field(HTTP_FIELD_RANGE, "bytes=1-90,500-999");
			transport_begin(&rig.t);
			transport_note_fields(&rig.t);
			rig.t.body.len = 0;
			assert_int_equal(transport_pull_all(&rig.t, room), 0);
			assert_parts(&sources[i], "application/octet-stream", spans,
				     COUNT(spans));
			exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
		}
	}
}

/* --- no part --- */

static void
range_that_is_not_understood_is_the_whole_file(void **state)
{
	static const char *const rows[] = {
		"bytes=",     "bytes=a-b",   "bytes=5-4", "bytes=-",
		"bytes=1",    "bytes=1-2,x", "lines=1-2", "bytes 1-2",
		"bytes=+1-2", "bytes=1-2-3", "",          "bytes=0x1-0x2",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (get_range("/small", rows[i]) != 200)
			fail_msg("%s", rows[i]);
		assert_field("Content-Range", NULL);
		assert_field("Accept-Ranges", "bytes");
		assert_body(pattern, SMALL);
	}
	prepare(HTTP_GET, "/small");
	with_field(HTTP_FIELD_RANGE, "bytes=1-2");
	with_field(HTTP_FIELD_RANGE, "bytes=3-4");
	assert_int_equal(run(), 200);
}

static void
range_behind_the_end_is_416_with_the_size(void **state)
{
	static const char *const rows[] = { "bytes=1000-", "bytes=1000-1001", "bytes=-0",
					    "bytes=5000-6000,7000-",
					    "bytes=99999999999999999999-" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (get_range("/small", rows[i]) != 416)
			fail_msg("%s", rows[i]);
		assert_field("Content-Range", "bytes */1000");
		assert_field("ETag", NULL);
		assert_field("Last-Modified", NULL);
		assert_field("Accept-Ranges", NULL);
		assert_non_null(strstr(rig.t.body.ptr, "416"));
	}
	assert_int_equal(get_range("/empty", "bytes=0-"), 416);
	assert_field("Content-Range", "bytes */0");
}

static void
configured_page_of_a_416_has_the_size_too(void **state)
{
	(void)state;
	prepare(HTTP_GET, "/small");
	rig.t.ex.head.host = SLICE("paged.example");
	with_field(HTTP_FIELD_RANGE, "bytes=1000-");
	assert_int_equal(run(), 416);
	assert_string_equal(rig.t.fields.ptr, "Content-Type: text/html; charset=utf-8\n"
					      "Content-Range: bytes */1000\n");
	assert_body("page", 4);
	prepare(HTTP_GET, "/nothing"); /* and no other answer has it */
	assert_int_equal(run(), 404);
	assert_field("Content-Range", NULL);
}

static void
head_and_error_pages_have_no_parts(void **state)
{
	(void)state;
	prepare(HTTP_HEAD, "/big");
	with_field(HTTP_FIELD_RANGE, "bytes=1-2");
	assert_int_equal(run(), 200);
	assert_int_equal(rig.t.length, BIG);
	assert_field("Content-Range", NULL);
	prepare(HTTP_HEAD, "/big");
	with_field(HTTP_FIELD_RANGE, "bytes=999999-");
	assert_int_equal(run(), 200);
	assert_int_equal(get_range("/nothing", "bytes=1-2"), 404);
	assert_field("Content-Range", NULL);
	assert_body("page", 4);
}

static void
last_bytes_of_an_empty_file_are_all_of_it(void **state)
{
	(void)state;
	assert_int_equal(get_range("/empty", "bytes=-5"), 200);
	assert_body("", 0);
}

/* --- limits --- */

static void
ranges_are_limited_by_their_number(void **state)
{
	char range[1000] = "bytes=";

	(void)state;
	assert_int_equal(get_range("/two/small", "bytes=1-2,5-6"), 206);
	assert_int_equal(get_range("/two/small", "bytes=1-2,5-6,8-9"), 200);
	assert_body(pattern, SMALL);
	for (size_t i = 0; i < 64; i++) {
		size_t len = strlen(range);

		snprintf(range + len, sizeof(range) - len, "%s%zu-%zu", i > 0 ? "," : "",
			 2 * i, 2 * i);
	}
	assert_int_equal(get_range("/small", range), 200); /* more than the default */
	assert_int_equal(get_range("/many/small", range), 206);
	strcat(range, ",900-901");
	assert_int_equal(get_range("/many/small", range), 200);
}

static void
without_ranges_the_field_is_ignored(void **state)
{
	(void)state;
	assert_int_equal(get_range("/none/small", "bytes=1-2"), 200);
	assert_body(pattern, SMALL);
	assert_int_equal(get_range("/none/small", "bytes=5000-"), 200);
	/* Then it must not be offered either. */
	assert_field("Accept-Ranges", NULL);
}

/* --- If-Range --- */

static int
get_if_range(const char *target, const char *validator)
{
	prepare(HTTP_GET, target);
	with_field(HTTP_FIELD_RANGE, "bytes=1-2");
	with_field(HTTP_FIELD_IF_RANGE, validator);
	return run();
}

static void
part_is_sent_if_the_file_is_the_same(void **state)
{
	char etag[ETAG_ROOM], weak[ETAG_ROOM + 2];

	(void)state;
	prepare(HTTP_GET, "/small");
	run();
	take_etag(etag);
	snprintf(weak, sizeof(weak), "W/%s", etag);
	assert_int_equal(get_if_range("/small", etag), 206);
	assert_int_equal(get_if_range("/small", OLD_DATE), 206);
	assert_int_equal(get_if_range("/small", "\"x\""), 200);
	assert_int_equal(get_if_range("/small", weak), 200);
	assert_int_equal(get_if_range("/small", "*"), 200);
	assert_int_equal(get_if_range("/small", "Sun, 06 Nov 1994 08:49:38 GMT"), 200);
	assert_int_equal(get_if_range("/small", "Sun, 06 Nov 1994 08:49:36 GMT"), 200);
	prepare(HTTP_GET, "/small"); /* then even a bad range is no error */
	with_field(HTTP_FIELD_RANGE, "bytes=5000-");
	with_field(HTTP_FIELD_IF_RANGE, "\"x\"");
	assert_int_equal(run(), 200);
	prepare(HTTP_GET, "/young"); /* a weak tag is not enough */
	run();
	take_etag(etag);
	assert_int_equal(get_if_range("/young", etag), 200);
	assert_body(pattern, BIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_part_is_those_bytes),
		cmocka_unit_test(part_may_be_counted_from_the_end),
		cmocka_unit_test(part_has_the_validators_of_its_file),
		cmocka_unit_test(several_parts_are_one_multipart),
		cmocka_unit_test(parts_may_be_larger_than_one_pull),
		cmocka_unit_test(parts_have_the_type_of_the_file),
		cmocka_unit_test(boundaries_differ),
		cmocka_unit_test(parts_are_the_same_in_small_pulls),
		cmocka_unit_test(range_that_is_not_understood_is_the_whole_file),
		cmocka_unit_test(range_behind_the_end_is_416_with_the_size),
		cmocka_unit_test(configured_page_of_a_416_has_the_size_too),
		cmocka_unit_test(head_and_error_pages_have_no_parts),
		cmocka_unit_test(last_bytes_of_an_empty_file_are_all_of_it),
		cmocka_unit_test(ranges_are_limited_by_their_number),
		cmocka_unit_test(without_ranges_the_field_is_ignored),
		cmocka_unit_test(part_is_sent_if_the_file_is_the_same),
	};
	int failed;

	pattern = make_pattern(BIG);
	failed = run_with_rig(tests, config_text, make_files);
	free(pattern);
	return failed;
}
