/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Media types by extension.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "http/mime.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
is_text(struct slice s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.ptr, text, s.len);
}

static void
extension_is_the_last_one_with_its_dot(void **state)
{
	static const char *const rows[][2] = {
		{ "index.html", ".html" },
		{ "a.tar.gz", ".gz" },
		{ "a.B", ".B" },
		{ ".htaccess.txt", ".txt" },
		{ "..a", ".a" },
		{ "dir/x.y", ".y" },
		{ "", "" },
		{ "README", "" },
		{ ".htaccess", "" },
		{ "a.", "" },
		{ ".", "" },
		{ "..", "" },
		{ "dir.d/file", "" },
		{ "dir/.html", "" },
		{ "/", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		is_text(mime_extension(slice_from_str(rows[i][0])), rows[i][1]);
}

static void
known_extensions_have_their_types(void **state)
{
	static const char *const rows[][2] = {
		{ ".html", "text/html" },
		{ ".HTML", "text/html" },
		{ ".Htm", "text/html" },
		{ ".css", "text/css" },
		{ ".js", "text/javascript" },
		{ ".mjs", "text/javascript" },
		{ ".json", "application/json" },
		{ ".svg", "image/svg+xml" },
		{ ".webp", "image/webp" },
		{ ".woff2", "font/woff2" },
		{ ".mp4", "video/mp4" },
		{ ".wasm", "application/wasm" },
		{ ".webmanifest", "application/manifest+json" },
		{ ".txt", "text/plain" },
		{ ".3g2", "video/3gpp2" },
		{ ".7z", "application/x-7z-compressed" },
		{ ".zst", "application/zstd" },
		{ ".c", "text/x-c" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		is_text(mime_lookup(slice_from_str(rows[i][0])), rows[i][1]);
}

static void
other_extensions_have_none(void **state)
{
	static const char *const rows[] = {
		"",   ".",  "html", ".htmlx", ".ht",           "..",
		".~", ".!", ".c ",  ".\xff",  ".webmanifestx", ".thisisaverylongone"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		is_text(mime_lookup(slice_from_str(rows[i])), "");
	is_text(mime_lookup(SLICE(".c\0")), "");
	is_text(mime_lookup(SLICE(".\0c")), "");
}

/* The table is sorted, so all of it can be found: walk every name of up to four letters
 * and count what is there. */
static void
table_is_found_by_its_search(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < 36 * 36 * 36; i++) {
		char ext[4] = { '.', letters[i % 36], letters[i / 36 % 36],
				letters[i / 36 / 36] };

		found += mime_lookup(slice_make(ext, 4)).len != 0;
	}
	assert_in_range(found, 130, 200);
}

static void
text_types_are_told(void **state)
{
	static const char *const text[] = { "text/html",
					    "text/plain",
					    "TEXT/CSS",
					    "text/javascript",
					    "image/svg+xml",
					    "application/javascript",
					    "application/xml",
					    "application/xhtml+xml",
					    "text/html; charset=utf-8",
					    "application/rss+xml ;a=b" };
	static const char *const other[] = {
		"",
		"text",
		"application/json",
		"application/manifest+json",
		"image/png",
		"application/octet-stream",
		"application/wasm",
		"+xm",
		"application/x; a=text/html",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(text); i++)
		assert_true(mime_is_text(slice_from_str(text[i])));
	for (size_t i = 0; i < COUNT(other); i++)
		assert_false(mime_is_text(slice_from_str(other[i])));
}

/* By name, so that a change of the table of types is seen, too. */
static void
only_what_can_hold_no_script_is_harmless(void **state)
{
	static const char *const shown[] = {
		"a.png", "a.jpg",  "a.jpeg", "a.gif", "a.webp", "a.avif",
		"a.bmp", "a.ico",  "a.apng", "a.mp3", "a.ogg",  "a.wav",
		"a.mp4", "a.webm", "a.mov",  "a.txt", "a.log",  "a.flac",
	};
	static const char *const saved[] = {
		"a.html",        "a.htm", "a.xhtml", "a.xht",  "a.shtml", "a.svg",
		"a.xml",         "a.xsl", "a.xslt",  "a.rdf",  "a.rss",   "a.atom",
		"a.mathml",      "a.js",  "a.mjs",   "a.css",  "a.wasm",  "a.pdf",
		"a.swf",         "a.mht", "a.mhtml", "a.eml",  "a.json",  "a.zip",
		"a.bin",         "a.md",  "a.csv",   "a.vtt",  "a.ics",   "a.dtd",
		"a.webmanifest", "a.jar", "a.exe",   "a.tiff",
	};
	static const char *const types[] = {
		"IMAGE/PNG",       "text/plain; charset=utf-8",
		"text/plain ;a=b", "Video/x-new",
		"image/x-icon",
	};
	static const char *const not [] = {
		"",
		"image/svg+xml",
		"image/png+xml",
		"image/",
		"image",
		"text/plainer",
		"text/html; a=text/plain",
		"audio",
		"audio/",
		"audios/x",
		"multipart/mixed",
		"text/plain, text/html",
		"video/mp4, text/html",
		"text/plain; a=b, text/html",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(shown); i++) {
		if (!mime_is_harmless(
			    mime_lookup(mime_extension(slice_from_str(shown[i])))))
			fail_msg("%s", shown[i]);
	}
	for (size_t i = 0; i < COUNT(saved); i++) {
		struct slice ext = mime_extension(slice_from_str(saved[i]));

		if (mime_lookup(ext).len == 0 || mime_is_harmless(mime_lookup(ext)))
			fail_msg("%s", saved[i]);
	}
	for (size_t i = 0; i < COUNT(types); i++)
		assert_true(mime_is_harmless(slice_from_str(types[i])));
	for (size_t i = 0; i < COUNT(not ); i++) {
		if (mime_is_harmless(slice_from_str(not [i])))
			fail_msg("%s", not [i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extension_is_the_last_one_with_its_dot),
		cmocka_unit_test(known_extensions_have_their_types),
		cmocka_unit_test(other_extensions_have_none),
		cmocka_unit_test(table_is_found_by_its_search),
		cmocka_unit_test(text_types_are_told),
		cmocka_unit_test(only_what_can_hold_no_script_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
