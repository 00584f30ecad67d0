/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that are encoded while they are served: which, for whom, small ones once; their tags and
 * parts; and what goes before it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compressed.h"

/* --- small files --- */

static void
small_file_is_encoded_once(void **state)
{
	char etag[ETAG_ROOM], again[ETAG_ROOM];
	size_t len;
	char *first;

	(void)state;
	get_etag("/text.txt", "gzip", etag);
	assert_decodes(TEXT);
	assert_int_equal(rig.t.kind, BODY_MEMORY);
	len = rig.t.body.len;
	assert_true(len < TEXT);
	first = malloc(len);
	assert_non_null(first);
	memcpy(first, rig.t.body.ptr, len);
	for (int i = 0; i < 3; i++) {
		get_etag("/text.txt", "gzip", again);
		assert_string_equal(again, etag);
		assert_body(first, len);
	}
	assert_int_equal(encoding.at_once, 1);
	assert_int_equal(encoding.streams, 0);
	free(first);
}

static void
encoded_form_has_the_fields_of_its_file(void **state)
{
	char plain[ETAG_ROOM], coded[ETAG_ROOM], expected[2 * ETAG_ROOM];

	(void)state;
	get_etag("/text.txt", NULL, plain);
	assert_int_equal(plain[0], '"');
	get_etag("/text.txt", "gzip", coded);
	snprintf(expected, sizeof(expected), "W/%.*s-gzip\"", (int)strlen(plain) - 1,
		 plain);
	assert_string_equal(coded, expected);
	assert_field("Content-Type", "text/plain; charset=utf-8");
	assert_field("Last-Modified", OLD_DATE);
	assert_field("Accept-Ranges", NULL); /* it has no parts */
}

static void
changed_file_is_encoded_again(void **state)
{
	(void)state;
	put_text("root/changing.txt", 500);
	get("/changing.txt", "gzip");
	assert_decodes(500);
	put_text("root/changing.txt", 600);
	get("/changing.txt", "gzip");
	assert_decodes(600);
	assert_int_equal(encoding.at_once, 2);
}

static void
only_listed_types_of_some_size_are_encoded(void **state)
{
	(void)state;
	assert_plain("/picture.png", "gzip", TEXT, false);
	assert_plain("/short.txt", "gzip", 99, false);
	assert_plain("/empty.txt", "gzip", 0, false);
	assert_plain("/off/text.txt", "gzip", TEXT, false);
	assert_int_equal(encoding.at_once, 0);
	get("/just.txt", "gzip");
	assert_decodes(100);
	get("/text.json", "gzip");
	assert_decodes(TEXT);
}

static void
only_who_takes_it_gets_it(void **state)
{
	(void)state;
	assert_plain("/text.txt", NULL, TEXT, true);
	assert_plain("/text.txt", "", TEXT, true);
	assert_plain("/text.txt", "br, zstd", TEXT, true);
	assert_plain("/text.txt", "gzip;q=0", TEXT, true);
	assert_plain("/text.txt", "gzip;q=0.5, identity", TEXT, true);
	assert_int_equal(encoding.at_once, 0);
	get("/text.txt", "identity;q=0.5, gzip;q=0.6");
	assert_decodes(TEXT);
	get("/text.txt", "identity;q=0, *");
	assert_decodes(TEXT);
	assert_int_equal(get("/text.txt", "identity;q=0, br"), 406);
	assert_field("Vary", "Accept-Encoding");
	assert_field("Content-Encoding", NULL);
}

static void
what_does_not_shrink_is_sent_as_it_is(void **state)
{
	char *pattern = make_pattern(5000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(get("/random.txt", "gzip"), 200);
		assert_field("Content-Encoding", NULL);
		assert_body(pattern, 5000);
	}
	assert_int_equal(encoding.at_once, 1); /* which is remembered */
	free(pattern);
}

static void
error_page_is_not_encoded(void **state)
{
	(void)state;
	assert_int_equal(get("/none", "gzip"), 404);
	assert_field("Content-Encoding", NULL);
	assert_field("Vary", NULL);
	assert_body(text, TEXT);
	assert_int_equal(encoding.at_once, 0);
}

/* --- conditions and ranges --- */

static void
encoded_form_is_known_by_its_tag(void **state)
{
	static const char *const targets[] = { "/text.txt", "/middle.txt", "/big.txt" };
	char plain[ETAG_ROOM], coded[ETAG_ROOM];

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		get_etag(targets[i], NULL, plain);
		get_etag(targets[i], "gzip", coded);
		encoding.streams = 0;
		assert_int_equal(
			get_if(targets[i], "gzip", HTTP_FIELD_IF_NONE_MATCH, coded), 304);
		assert_field("ETag", coded);
		assert_field("Vary", "Accept-Encoding");
		assert_field("Last-Modified", OLD_DATE);
		assert_int_equal(encoding.streams, 0);
		assert_int_equal(
			get_if(targets[i], NULL, HTTP_FIELD_IF_NONE_MATCH, coded), 200);
		assert_int_equal(
			get_if(targets[i], "gzip", HTTP_FIELD_IF_NONE_MATCH, plain), 200);
		assert_int_equal(get_if(targets[i], "gzip", HTTP_FIELD_IF_MATCH, coded),
				 412); /* it is weak */
		assert_int_equal(get_if(targets[i], "gzip", HTTP_FIELD_IF_MODIFIED_SINCE,
					OLD_DATE),
				 304);
		assert_int_equal(rig.files->stream_memory, 0);
	}
}

static void
parts_are_those_of_the_file(void **state)
{
	static const char *const targets[] = { "/text.txt", "/middle.txt", "/big.txt" };

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		assert_int_equal(
			get_if(targets[i], "gzip", HTTP_FIELD_RANGE, "bytes=10-19"), 206);
		assert_field("Content-Encoding", NULL);
		assert_field("Vary", "Accept-Encoding");
		assert_body(text + 10, 10);
	}
	assert_int_equal(encoding.at_once + encoding.streams, 0);
	prepare(HTTP_HEAD, "/text.txt"); /* which has no parts */
	with_field(HTTP_FIELD_ACCEPT_ENCODING, "gzip");
	with_field(HTTP_FIELD_RANGE, "bytes=10-19");
	assert_int_equal(run(), 200);
	assert_decodes(TEXT);
}

static void
who_refuses_the_file_itself_gets_no_parts_of_it(void **state)
{
	static const struct {
		const char *target;
		size_t size;
	} rows[] = { { "/text.txt", TEXT }, { "/big.txt", BIG } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(get_if(rows[i].target, "gzip, identity;q=0",
					HTTP_FIELD_RANGE, "bytes=0-1"),
				 200);
		assert_decodes(rows[i].size);
		assert_field("Content-Range", NULL);
	}
}

/* --- beside siblings --- */

static void
sibling_goes_before_encoding(void **state)
{
	(void)state;
	assert_int_equal(get("/sib/text.txt", "gzip, br"), 200);
	assert_field("Content-Encoding", "br");
	assert_body("br text", 7);
	assert_int_equal(encoding.at_once, 0);
	assert_int_equal(get("/sib/text.txt", "gzip, br;q=0.9"), 200);
	assert_decodes(TEXT);
	assert_int_equal(get("/sib/text.txt", "gzip"), 200);
	assert_decodes(TEXT);
	assert_plain("/sib/text.txt", NULL, TEXT, true);
	/* A part of the sibling can be had, one of what is encoded cannot. */
	assert_int_equal(
		get_if("/sib/text.txt", "gzip, br;q=0.9", HTTP_FIELD_RANGE, "bytes=0-1"),
		206);
	assert_field("Content-Encoding", "br");
	assert_body("br", 2);
}

/* --- trouble --- */

static void
trouble_with_encoding_sends_the_file(void **state)
{
	(void)state;
	encoding.encode_error = -ENOMEM;
	assert_plain("/text.txt", "gzip", TEXT, true);
	encoding.encode_error = 0;
	encoding.no_version = true;
	assert_plain("/text.txt", "gzip", TEXT, true);
	encoding.no_version = false;
	get("/text.txt", "gzip"); /* it was not for ever */
	assert_decodes(TEXT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_file_is_encoded_once),
		TEST(encoded_form_has_the_fields_of_its_file),
		TEST(changed_file_is_encoded_again),
		TEST(only_listed_types_of_some_size_are_encoded),
		TEST(only_who_takes_it_gets_it),
		TEST(what_does_not_shrink_is_sent_as_it_is),
		TEST(error_page_is_not_encoded),
		TEST(encoded_form_is_known_by_its_tag),
		TEST(parts_are_those_of_the_file),
		TEST(who_refuses_the_file_itself_gets_no_parts_of_it),
		TEST(sibling_goes_before_encoding),
		TEST(trouble_with_encoding_sends_the_file),
	};

	if (!coding_is_built_in(CODING_GZIP))
		return SKIPPED;
	return cmocka_run_group_tests(tests, setup, teardown);
}
