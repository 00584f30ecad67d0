/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys of "files" that say what is sent instead of the file itself, and "download":
 * what is loaded, and what is said about mistakes. Which codings are built in is made up.
 */
#include "conf_errors.h"
#include "http/coding.h"

#define FILES(s) ROUTE("{\"path\": \"/*\", \"files\": {\"root\": \"x\",\n" s "}}")

static unsigned built_in; /* set of 1 << enum coding */

bool __wrap_coding_is_built_in(enum coding c);

bool
__wrap_coding_is_built_in(enum coding c)
{
	return (built_in & 1u << c) != 0;
}

static int
all_codings(void **state)
{
	(void)state;
	built_in = 1u << CODING_BR | 1u << CODING_ZSTD | 1u << CODING_GZIP;
	return 0;
}

static const struct conf_files *
files_of(const struct config *c)
{
	return &c->servers[0].routes[0].files;
}

static void
plain_files_are_not_listed_nor_compressed(void **state)
{
	struct config *c = good(FILES("\"hidden\": false"));
	const struct conf_files *f = files_of(c);

	(void)state;
	assert_false(f->listing);
	assert_null(f->fallback);
	assert_strings(&f->precompressed, "br zstd gzip");
	assert_false(f->compress.enabled);
	assert_int_equal(f->compress.encodings.count, 0);
	assert_false(c->servers[0].routes[0].download);
	conf_free(c);
}

static void
listing_and_download_are_switched_on(void **state)
{
	struct config *c =
		good(ROUTE("{\"path\": \"/*\", \"download\": true,"
			   " \"files\": {\"root\": \"x\", \"listing\": true}}"));

	(void)state;
	assert_true(files_of(c)->listing);
	assert_true(c->servers[0].routes[0].download);
	conf_free(c);
}

static void
fallback_is_stored_without_the_first_slash(void **state)
{
	static const char *const texts[] = {
		FILES("\"fallback\": \"/app/index.html\""),
		FILES("\"fallback\": \"app/index.html\""),
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct config *c = good(texts[i]);

		assert_string_equal(files_of(c)->fallback, "app/index.html");
		conf_free(c);
	}
}

static void
precompressed_keeps_the_order_of_the_file(void **state)
{
	struct config *c = good(FILES("\"precompressed\": [\"gzip\", \"br\"]"));

	(void)state;
	assert_strings(&files_of(c)->precompressed, "gzip br");
	conf_free(c);
	c = good(FILES("\"precompressed\": []"));
	assert_int_equal(files_of(c)->precompressed.count, 0);
	conf_free(c);
}

static void
precompressed_needs_no_library(void **state)
{
	struct config *c;

	(void)state;
	built_in = 0;
	c = good(FILES("\"precompressed\": [\"zstd\"]"));
	assert_strings(&files_of(c)->precompressed, "zstd");
	conf_free(c);
}

/* --- compress --- */

static void
compress_true_has_all_defaults(void **state)
{
	struct config *c = good(FILES("\"compress\": true"));
	const struct conf_compress *z = &files_of(c)->compress;

	(void)state;
	assert_true(z->enabled);
	assert_strings(&z->encodings, "zstd br gzip");
	assert_strings(&z->types,
		       "text/* application/json application/javascript application/xml "
		       "application/xhtml+xml application/rss+xml application/atom+xml "
		       "application/manifest+json application/ld+json "
		       "application/geo+json application/wasm image/svg+xml image/bmp "
		       "image/vnd.microsoft.icon font/ttf font/otf "
		       "application/vnd.ms-fontobject");
	assert_int_equal(z->min_size, 1024);
	conf_free(c);
}

static void
compress_false_and_empty_are_off(void **state)
{
	static const char *const texts[] = {
		FILES("\"compress\": false"),
		FILES("\"compress\": []"),
		FILES("\"compress\": {\"encodings\": []}"),
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct config *c = good(texts[i]);

		assert_false(files_of(c)->compress.enabled);
		conf_free(c);
	}
}

static void
compress_as_an_array_is_its_encodings(void **state)
{
	struct config *c = good(FILES("\"compress\": [\"gzip\", \"br\"]"));
	const struct conf_compress *z = &files_of(c)->compress;

	(void)state;
	assert_true(z->enabled);
	assert_strings(&z->encodings, "gzip br");
	assert_int_equal(z->types.count, 17);
	assert_int_equal(z->min_size, 1024);
	conf_free(c);
}

static void
compress_as_an_object_says_it_all(void **state)
{
	struct config *c = good(FILES("\"compress\": {\"encodings\": [\"br\"],"
				      " \"types\": [\"Text/*\", \"model/OBJ\"],"
				      " \"min_size\": 0}"));
	const struct conf_compress *z = &files_of(c)->compress;

	(void)state;
	assert_true(z->enabled);
	assert_strings(&z->encodings, "br");
	assert_strings(&z->types, "text/* model/obj");
	assert_int_equal(z->min_size, 0);
	conf_free(c);
	c = good(FILES("\"compress\": {}"));
	assert_true(files_of(c)->compress.enabled);
	assert_strings(&files_of(c)->compress.encodings, "zstd br gzip");
	conf_free(c);
}

static void
default_encodings_are_those_that_are_built_in(void **state)
{
	struct config *c;

	(void)state;
	built_in = 1u << CODING_GZIP | 1u << CODING_BR;
	c = good(FILES("\"compress\": true"));
	assert_strings(&files_of(c)->compress.encodings, "br gzip");
	conf_free(c);
}

static void
coding_that_is_not_built_in_is_an_error(void **state)
{
	static const struct error_case cases[] = {
		{ "compress_true_without_any_coding", FILES("\"compress\": true"),
		  "t.json:3:13: /servers/0/routes/0/files/compress: no coding is built "
		  "in; run configure with --with-zlib, --with-brotli or --with-zstd, or "
		  "write false\n" },
		{ "compress_object_without_any_coding",
		  FILES("\"compress\": {\"min_size\": 1}"),
		  "t.json:3:13: /servers/0/routes/0/files/compress: no coding is built "
		  "in; run configure with --with-zlib, --with-brotli or --with-zstd, or "
		  "write false\n" },
		{ "compress_with_codings_that_are_not_there",
		  FILES("\"compress\": [\"br\", \"zstd\", \"gzip\"]"),
		  "t.json:3:14: /servers/0/routes/0/files/compress/0: \"br\" is not "
		  "built in; run configure with --with-brotli, or remove it\n"
		  "t.json:3:20: /servers/0/routes/0/files/compress/1: \"zstd\" is not "
		  "built in; run configure with --with-zstd, or remove it\n"
		  "t.json:3:28: /servers/0/routes/0/files/compress/2: \"gzip\" is not "
		  "built in; run configure with --with-zlib, or remove it\n" },
		{ "compress_with_codings_that_are_not_there_as_an_object",
		  FILES("\"compress\": {\"encodings\": [\"gzip\"]}"),
		  "t.json:3:28: /servers/0/routes/0/files/compress/encodings/0: \"gzip\" "
		  "is not built in; run configure with --with-zlib, or remove it\n" },
	};

	(void)state;
	built_in = 0;
	CHECK(cases);
}

/* --- mistakes --- */

static void
files_are_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "listing_as_a_word", FILES("\"listing\": \"html\""),
		  "t.json:3:12: /servers/0/routes/0/files/listing: this is a string; "
		  "write true or false\n" },
		{ "fallback_empty", FILES("\"fallback\": \"\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"\" names no file; "
		  "write one beneath \"root\", such as \"/index.html\"\n" },
		{ "fallback_of_a_slash", FILES("\"fallback\": \"/\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"/\" names no file; "
		  "write one beneath \"root\", such as \"/index.html\"\n" },
		{ "fallback_of_a_directory", FILES("\"fallback\": \"/app/\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"/app/\" ends in "
		  "\"/\"; write the path of a file\n" },
		{ "fallback_above_the_root", FILES("\"fallback\": \"../x\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"../x\" has a \".\" "
		  "or \"..\" segment; write the path that it leads to\n" },
		{ "fallback_with_a_dot_segment", FILES("\"fallback\": \"/a/./x\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"/a/./x\" has a "
		  "\".\" or \"..\" segment; write the path that it leads to\n" },
		{ "fallback_with_two_slashes", FILES("\"fallback\": \"a//x\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"a//x\" has an "
		  "empty segment; write one \"/\" between segments\n" },
		{ "fallback_that_begins_with_two_slashes", FILES("\"fallback\": \"//x\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"//x\" has an empty "
		  "segment; write one \"/\" between segments\n" },
		{ "fallback_with_a_query", FILES("\"fallback\": \"/x?y\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"/x?y\" has a query "
		  "or fragment, which no file has; write the path alone\n" },
		{ "fallback_with_a_fragment", FILES("\"fallback\": \"/x#y\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"/x#y\" has a query "
		  "or fragment, which no file has; write the path alone\n" },
		{ "fallback_with_a_line_end", FILES("\"fallback\": \"/x\\n\""),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: \"/x\\u000a\" has a "
		  "control character; write the path of a file\n" },
		{ "fallback_as_a_list", FILES("\"fallback\": [\"x\"]"),
		  "t.json:3:13: /servers/0/routes/0/files/fallback: this is an array; "
		  "write a string\n" },
		{ "precompressed_misspelt", FILES("\"precompressed\": [\"gzp\"]"),
		  "t.json:3:19: /servers/0/routes/0/files/precompressed/0: \"gzp\" is "
		  "not known here; did you mean \"gzip\"?\n" },
		{ "precompressed_unknown", FILES("\"precompressed\": [\"deflate\"]"),
		  "t.json:3:19: /servers/0/routes/0/files/precompressed/0: \"deflate\" "
		  "is not known here; write one of \"br\", \"zstd\", \"gzip\"\n" },
		{ "precompressed_twice",
		  FILES("\"precompressed\": [\"br\", \"gzip\", \"br\"]"),
		  "t.json:3:33: /servers/0/routes/0/files/precompressed/2: \"br\" is "
		  "there twice; remove one\n" },
		{ "precompressed_of_a_number", FILES("\"precompressed\": [1]"),
		  "t.json:3:19: /servers/0/routes/0/files/precompressed/0: this is a "
		  "number; write one of \"br\", \"zstd\", \"gzip\"\n" },
		{ "precompressed_as_a_bool", FILES("\"precompressed\": true"),
		  "t.json:3:18: /servers/0/routes/0/files/precompressed: this is true; "
		  "write an array with some of \"br\", \"zstd\", \"gzip\"\n" },
		{ "download_without_files",
		  ROUTE("{\"path\": \"/\", \"status\": \"health\", \"download\": true}"),
		  "t.json:2:47: /servers/0/routes/0/download: there is nothing to "
		  "download without \"files\"; add it, or remove this key\n" },
		{ "download_of_uploads",
		  ROUTE("{\"path\": \"/*\", \"upload\": {\"directory\": \"x\"}, "
			"\"download\": true}"),
		  "t.json:2:58: /servers/0/routes/0/download: there is nothing to "
		  "download without \"files\"; add it, or remove this key\n" },
	};

	(void)state;
	CHECK(cases);
}

static void
compress_is_checked(void **state)
{
	static const struct error_case cases[] = {
		{ "compress_as_a_word", FILES("\"compress\": \"gzip\""),
		  "t.json:3:13: /servers/0/routes/0/files/compress: this is a string; "
		  "write true, false, an array of encodings or an object\n" },
		{ "compress_null", FILES("\"compress\": null"),
		  "t.json:3:13: /servers/0/routes/0/files/compress: this is null; write "
		  "true, false, an array of encodings or an object, or leave it out\n" },
		{ "compress_misspelt", FILES("\"compress\": [\"zst\"]"),
		  "t.json:3:14: /servers/0/routes/0/files/compress/0: \"zst\" is not "
		  "known here; did you mean \"zstd\"?\n" },
		{ "compress_twice", FILES("\"compress\": [\"br\", \"br\"]"),
		  "t.json:3:20: /servers/0/routes/0/files/compress/1: \"br\" is there "
		  "twice; remove one\n" },
		{ "compress_of_a_number", FILES("\"compress\": [5]"),
		  "t.json:3:14: /servers/0/routes/0/files/compress/0: this is a number; "
		  "write one of \"br\", \"zstd\", \"gzip\"\n" },
		{ "compress_with_an_unknown_key", FILES("\"compress\": {\"level\": 5}"),
		  "t.json:3:14: /servers/0/routes/0/files/compress/level: unknown key; "
		  "write one of \"encodings\", \"types\", \"min_size\"\n" },
		{ "compress_with_a_misspelt_key",
		  FILES("\"compress\": {\"encoding\": [\"br\"]}"),
		  "t.json:3:14: /servers/0/routes/0/files/compress/encoding: unknown "
		  "key; did you mean \"encodings\"?\n" },
		{ "compress_encodings_as_a_word",
		  FILES("\"compress\": {\"encodings\": \"br\"}"),
		  "t.json:3:27: /servers/0/routes/0/files/compress/encodings: this is a "
		  "string; write an array with some of \"br\", \"zstd\", \"gzip\"\n" },
		{ "compress_no_types", FILES("\"compress\": {\"types\": []}"),
		  "t.json:3:23: /servers/0/routes/0/files/compress/types: \"types\" is "
		  "empty; write at least one\n" },
		{ "compress_of_every_type", FILES("\"compress\": {\"types\": [\"*/*\"]}"),
		  "t.json:3:24: /servers/0/routes/0/files/compress/types/0: \"*/*\" "
		  "would take what is compressed already; name types, such as "
		  "\"text/*\"\n" },
		{ "compress_of_a_type_with_half_a_star",
		  FILES("\"compress\": {\"types\": [\"image/*+xml\"]}"),
		  "t.json:3:24: /servers/0/routes/0/files/compress/types/0: "
		  "\"image/*+xml\" has a \"*\" that is not the whole subtype; write "
		  "\"text/*\"\n" },
		{ "compress_of_a_type_with_a_charset",
		  FILES("\"compress\": {\"types\": [\"text/css; charset=utf-8\"]}"),
		  "t.json:3:24: /servers/0/routes/0/files/compress/types/0: \"text/css; "
		  "charset=utf-8\" has a parameter; write the type alone, such as "
		  "\"text/html\"\n" },
		{ "compress_of_no_type", FILES("\"compress\": {\"types\": [\"html\"]}"),
		  "t.json:3:24: /servers/0/routes/0/files/compress/types/0: \"html\" is "
		  "not a media type; write type/subtype, such as \"text/html\"\n" },
		{ "compress_of_a_type_twice",
		  FILES("\"compress\": {\"types\": [\"text/css\", \"TEXT/css\"]}"),
		  "t.json:3:36: /servers/0/routes/0/files/compress/types/1: \"text/css\" "
		  "is there twice; remove one\n" },
		{ "compress_min_size_misspelt",
		  FILES("\"compress\": {\"min_size\": \"1k\"}"),
		  "t.json:3:26: /servers/0/routes/0/files/compress/min_size: \"1k\" is "
		  "not understood; write a size from 0 to 1T: bytes, or a string such as "
		  "\"10M\"\n" },
	};

	(void)state;
	CHECK(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain_files_are_not_listed_nor_compressed,
				       all_codings),
		cmocka_unit_test_setup(listing_and_download_are_switched_on, all_codings),
		cmocka_unit_test_setup(fallback_is_stored_without_the_first_slash,
				       all_codings),
		cmocka_unit_test_setup(precompressed_keeps_the_order_of_the_file,
				       all_codings),
		cmocka_unit_test_setup(precompressed_needs_no_library, all_codings),
		cmocka_unit_test_setup(compress_true_has_all_defaults, all_codings),
		cmocka_unit_test_setup(compress_false_and_empty_are_off, all_codings),
		cmocka_unit_test_setup(compress_as_an_array_is_its_encodings,
				       all_codings),
		cmocka_unit_test_setup(compress_as_an_object_says_it_all, all_codings),
		cmocka_unit_test_setup(default_encodings_are_those_that_are_built_in,
				       all_codings),
		cmocka_unit_test_setup(coding_that_is_not_built_in_is_an_error,
				       all_codings),
		cmocka_unit_test_setup(files_are_checked, all_codings),
		cmocka_unit_test_setup(compress_is_checked, all_codings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
