/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Listings as text: whatever bytes a name has, the page keeps its shape and the link leads to
 * that name. What was rendered is parsed back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "handler/listing_render.h"
#include "http/chars.h"
#include "http/uri.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct rig {
	struct dirlist_budget budget;
	struct dirlist list;
	struct listing_page page;
	struct buf out;
} rig;

static int
begin(void **state)
{
	(void)state;
	rig.budget = (struct dirlist_budget){ .max = (size_t)16 * 1024 * 1024 };
	dirlist_init(&rig.list, &rig.budget);
	rig.page = (struct listing_page){ .path = SLICE("/"),
					  .request = SLICE("/"),
					  .list = &rig.list };
	buf_init(&rig.out);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	dirlist_fini(&rig.list);
	buf_fini(&rig.out);
	return 0;
}

static void
add(struct slice name, uint64_t size, int64_t modified, bool is_dir)
{
	struct dirlist_entry e = { .size = size, .modified = modified, .is_dir = is_dir };

	assert_int_equal(dirlist_add(&rig.list, name, &e), 0);
}

/* The whole document, NUL behind it. */
static const char *
render(const struct listing_format *f)
{
	rig.out.len = 0;
	f->head(&rig.out, &rig.page);
	for (size_t i = 0; i < rig.list.count; i++)
		f->row(&rig.out, &rig.page, i);
	f->tail(&rig.out, &rig.page);
	buf_add_char(&rig.out, '\0');
	assert_false(rig.out.failed);
	return rig.out.ptr;
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no %s in %s", part, strstr(text, "<body"));
}

static void
lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("%s", strstr(text, part));
}

/* --- hostile names --- */

#define PREFIX "a<" /* around the byte, so that references would swallow what follows */
#define SUFFIX "&lt;\"'>b"

/* Names with every byte that one can have, and what is worse than a byte. */
static const char *const worse[] = {
	"\xe2\x80\xae"
	"exe.txt",
	"\xe2\x81\xa6x\xe2\x81\xa9",
	"\xc2\x85",
	"\xed\xa0\x80",
	"\xf0\x9f\x98\x80",
	"\xc3\xa4",
	"\xc3",
	"\xe2\x82",
	"//x",
	"a:b",
	"javascript:x",
	"..x",
	" x ",
	"%41",
	"?sort=size",
	"#x",
	"x\r\ny",
	"</bdi></a><script>",
	"\"onclick=\"x",
	"\\x",
	"--><!--",
	"&#x41;",
	"CON",
	"~",
	"[x]",
	"\xd7\xa9",
};

static void
add_hostile(void)
{
	for (int c = 1; c < 256; c++) {
		char name[] = { PREFIX "?" SUFFIX };

		if (c == '/')
			continue;
		name[sizeof(PREFIX) - 1] = (char)c;
		add(slice_from_str(name), 1, 0, c % 2 == 0);
	}
	for (size_t i = 0; i < COUNT(worse); i++) {
		const char *slash = strrchr(worse[i], '/'); /* not in a name */

		if (slash == NULL)
			add(slice_from_str(worse[i]), 1, 0, false);
	}
}

static bool
reorders(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* What a reader should see of a name, in UTF-8. */
static void
add_seen(struct buf *b, struct slice name)
{
	while (name.len > 0) {
		const unsigned char *p = (const unsigned char *)name.ptr;
		size_t n = utf8_len(name);
		bool bad = n == 0 || *p < 0x20 || *p == 0x7f ||
			   (*p == 0xc2 && p[1] < 0xa0) ||
			   (n == 3 && reorders((*p & 15u) << 12 | (p[1] & 63u) << 6 |
					       (p[2] & 63u)));

		if (bad)
			buf_add_str(b, "\xef\xbf\xbd");
		else
			buf_add(b, p, n);
		name = slice_from(name, n != 0 ? n : 1);
	}
}

/* HTML text between `from` and the next `stop`, references resolved; fails on what is none. */
static const char *
unescape(const char *from, const char *stop, struct buf *b)
{
	static const char *const references[][2] = {
		{ "&amp;", "&" },   { "&lt;", "<" },  { "&gt;", ">" },
		{ "&quot;", "\"" }, { "&#39;", "'" }, { "&#xfffd;", "\xef\xbf\xbd" },
	};
	const char *end = strstr(from, stop);

	assert_non_null(end);
	b->len = 0;
	while (from < end) {
		size_t i = 0;

		assert_null(strchr("<>\"'", *from));
		assert_true((unsigned char)*from >= 0x20);
		if (*from != '&') {
			buf_add_char(b, *from++);
			continue;
		}
		while (i < COUNT(references) &&
		       strncmp(from, references[i][0], strlen(references[i][0])) != 0)
			i++;
		assert_true(i < COUNT(references));
		buf_add_str(b, references[i][1]);
		from += strlen(references[i][0]);
	}
	buf_add_char(b, '\0');
	return end + strlen(stop);
}

/* The name that a link leads to. */
static void
follow(const char *link, struct buf *b)
{
	assert_int_equal(strncmp(link, "./", 2), 0);
	b->len = 0;
	for (const char *p = link + 2; *p != '\0'; p++) {
		assert_true(uri_is_target_byte((unsigned char)*p) && *p != '?' &&
			    strchr("\"<>[]\\^`{|}", *p) == NULL);
		if (*p == '%') {
			int high = char_hex(p[1]), low = char_hex(p[2]);

			assert_true(high >= 0 && low >= 0);
			buf_add_char(b, (char)(high * 16 + low));
			p += 2;
		} else {
			buf_add_char(b, *p);
		}
	}
	buf_add_char(b, '\0');
}

static void
assert_link(const char *link, const struct dirlist_entry *e, struct buf *b)
{
	struct slice name = dirlist_name(e);

	follow(link, b);
	assert_int_equal(b->len - 1, name.len + e->is_dir);
	assert_memory_equal(b->ptr, name.ptr, name.len);
	if (e->is_dir)
		assert_string_equal(b->ptr + name.len, "/");
}

static void
html_of_any_name_is_text_and_a_link_to_it(void **state)
{
	const char *p;
	struct buf got, want, link;

	(void)state;
	buf_init(&got);
	buf_init(&want);
	buf_init(&link);
	add_hostile();
	p = render(&listing_html);
	assert_true(utf8_is_valid(slice_from_str(p)));
	assert_int_equal(strlen(p), rig.out.len - 1);
	p = strstr(p, "<tbody>\n") + strlen("<tbody>\n");
	for (size_t i = 0; i < rig.list.count; i++) {
		const struct dirlist_entry *e = dirlist_at(&rig.list, i);
		const char *open = e->is_dir ? "<tr><td><a class=\"d\" href=\""
					     : "<tr><td><a href=\"";

		assert_int_equal(strncmp(p, open, strlen(open)), 0);
		p = unescape(p + strlen(open), "\"><bdi>", &got);
		assert_link(got.ptr, e, &link);
		p = unescape(p, "</bdi>", &got);
		want.len = 0;
		add_seen(&want, dirlist_name(e));
		buf_add_char(&want, '\0');
		assert_string_equal(got.ptr, want.ptr);
		p = strchr(p, '\n') + 1; /* one row is one line */
	}
	assert_int_equal(strncmp(p, "</tbody>\n", 9), 0);
	buf_fini(&got);
	buf_fini(&want);
	buf_fini(&link);
}

static void
json_of_any_name_is_valid_and_a_link_to_it(void **state)
{
	const char *text;
	struct buf link;
	json_t *all;
	size_t lines = 0;

	(void)state;
	buf_init(&link);
	add_hostile();
	text = render(&listing_json);
	for (const char *p = text; *p != '\0'; p++) {
		assert_true((*p >= 0x20 && *p < 0x7f) || *p == '\n');
		lines += *p == '\n';
	}
	assert_int_equal(lines, rig.list.count + 2);
	all = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(all);
	assert_int_equal(json_array_size(all), rig.list.count);
	for (size_t i = 0; i < rig.list.count; i++) {
		const struct dirlist_entry *e = dirlist_at(&rig.list, i);
		json_t *o = json_array_get(all, i);
		const char *type = json_string_value(json_object_get(o, "type"));
		const char *name = json_string_value(json_object_get(o, "name"));

		assert_link(json_string_value(json_object_get(o, "href")), e, &link);
		assert_string_equal(type, e->is_dir ? "directory" : "file");
		assert_int_equal(json_object_get(o, "size") == NULL, e->is_dir);
		if (utf8_is_valid(dirlist_name(e)))
			assert_memory_equal(name, e->name, e->name_len);
	}
	json_decref(all);
	buf_fini(&link);
}

static void
path_is_text_too(void **state)
{
	const char *text;

	(void)state;
	rig.page.path = SLICE("/x\xff</title>/\xe2\x80\xae\"'&\n/");
	rig.page.rest = SLICE("\xe2\x80\xae\"'&\n/");
	rig.page.request = SLICE("/x%ff%3c/title>/%22/");
	text = render(&listing_html);
	has(text, "<title>Index of /x&#xfffd;&lt;/title&gt;/"
		  "&#xfffd;&quot;&#39;&amp;&#xfffd;/</title>");
	has(text, "<a href=\"../\"><bdi>/x&#xfffd;&lt;/title&gt;/</bdi></a>");
	lacks(text, "%22");
}

/* --- what is shown --- */

static void
sizes_are_rounded_to_three_digits_or_four(void **state)
{
	static const struct {
		uint64_t size;
		const char *cell;
	} cases[] = {
		{ 0, "\"0 bytes\">0&nbsp;B<" },
		{ 1, "\"1 byte\">1&nbsp;B<" },
		{ 999, "\"999 bytes\">999&nbsp;B<" },
		{ 1000, ">1.0&nbsp;kB<" },
		{ 1049, ">1.0&nbsp;kB<" },
		{ 1050, ">1.1&nbsp;kB<" },
		{ 999949, ">999.9&nbsp;kB<" },
		{ 999950, ">1.0&nbsp;MB<" },
		{ 1400000, "\"1400000 bytes\">1.4&nbsp;MB<" },
		{ UINT64_C(123456789012), ">123.5&nbsp;GB<" },
		{ UINT64_C(999949999999999), ">999.9&nbsp;TB<" },
		{ UINT64_C(999950000000000), ">1.0&nbsp;PB<" },
		{ UINT64_MAX, "\"18446744073709551615 bytes\">18.4&nbsp;EB<" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		begin(state);
		add(SLICE("x"), cases[i].size, 0, false);
		has(render(&listing_html), cases[i].cell);
		end(state);
	}
	begin(state);
}

static void
times_are_utc_and_clamped(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1769860800, "2026-01-31T12:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "9999-12-31T23:59:59Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
		{ -62167219200, "0000-01-01T00:00:00Z" },
		{ -62135596800, "0001-01-01T00:00:00Z" },
		{ INT64_MIN, "0000-01-01T00:00:00Z" },
	};
	char text[LISTING_TIME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		listing_format_time(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
	add(SLICE("x"), 5, 1769860859, false);
	has(render(&listing_html), "<td><time datetime=\"2026-01-31T12:00:59Z\">"
				   "2026-01-31 12:00</time></td>");
	has(render(&listing_json), "{\"name\": \"x\", \"href\": \"./x\", "
				   "\"type\": \"file\", \"size\": 5, "
				   "\"modified\": \"2026-01-31T12:00:59Z\"}\n]\n");
}

static void
counts_stand_at_the_end(void **state)
{
	const char *text = render(&listing_html);

	(void)state;
	has(text, "This directory is empty.");
	lacks(text, "<thead>");
	assert_string_equal(render(&listing_json), "[\n]\n");
	add(SLICE("d"), 0, 0, true);
	has(render(&listing_html), ">1 directory</p>");
	add(SLICE("f"), 1, 0, false);
	has(render(&listing_html), ">1 directory, 1 file, 1&nbsp;B</p>");
	add(SLICE("e"), 0, 0, true);
	add(SLICE("g"), 4100000, 0, false);
	has(render(&listing_html), ">2 directories, 2 files, 4.1&nbsp;MB</p>");
	lacks(rig.out.ptr, "is empty");
}

#define NAME_LINK "<a href=\"?sort=name&amp;order="
#define SIZE_LINK "<a href=\"?sort=size&amp;order="
#define DATE_LINK "<a href=\"?sort=date&amp;order="
#define ASCENDING "<th scope=\"col\" aria-sort=\"ascending\">"
#define DESCENDING "<th scope=\"col\" aria-sort=\"descending\">"
#define OTHER "<th scope=\"col\">"

static void
columns_sort_and_toggle(void **state)
{
	static const struct {
		enum dirlist_sort sort;
		bool descending;
		const char *name, *size, *date, *directory;
	} cases[] = {
		{ DIRLIST_BY_NAME, false, ASCENDING NAME_LINK "desc",
		  OTHER SIZE_LINK "desc", OTHER DATE_LINK "desc", "./d/\"" },
		{ DIRLIST_BY_NAME, true, DESCENDING NAME_LINK "asc",
		  OTHER SIZE_LINK "desc", OTHER DATE_LINK "desc",
		  "./d/?sort=name&amp;order=desc\"" },
		{ DIRLIST_BY_SIZE, true, OTHER NAME_LINK "asc",
		  DESCENDING SIZE_LINK "asc", OTHER DATE_LINK "desc",
		  "./d/?sort=size&amp;order=desc\"" },
		{ DIRLIST_BY_DATE, false, OTHER NAME_LINK "asc", OTHER SIZE_LINK "desc",
		  ASCENDING DATE_LINK "desc", "./d/?sort=date&amp;order=asc\"" },
	};

	(void)state;
	add(SLICE("d"), 0, 0, true);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *text;

		rig.page.sort = cases[i].sort;
		rig.page.descending = cases[i].descending;
		text = render(&listing_html);
		has(text, cases[i].name);
		has(text, cases[i].size);
		has(text, cases[i].date);
		has(text, cases[i].directory);
	}
	has(render(&listing_json), "\"./d/\"");
}

/* --- ways up --- */

#define CRUMB(href, text) "<a href=\"" href "\"><bdi>" text "</bdi></a>"
#define HERE(text) "<span aria-current=\"page\"><bdi>" text "</bdi></span>"
#define UP(href) "<td colspan=\"3\"><a class=\"u\" href=\"" href "\""

static void
ways_up_are_relative_and_end_at_the_root(void **state)
{
	static const struct {
		const char *path, *rest, *request, *crumbs, *up;
	} cases[] = {
		{ "/", "", "/", "<h1>" HERE("/") "</h1>", NULL },
		{ "/pub/x/", "", "/pub/x/", "<h1>" HERE("/pub/x/") "</h1>", NULL },
		{ "/a/", "a/", "/a/", "<h1>" CRUMB("../", "/") HERE("a/") "</h1>",
		  UP("../") },
		{ "/pub/a/b/", "a/b/", "/pub/a/b/",
		  "<h1>" CRUMB("../../", "/pub/") CRUMB("../", "a/") HERE("b/") "</h1>",
		  UP("../") },
		{ "/a/b/", "a/b/", "//a///b//",
		  "<h1>" CRUMB("../../../../../", "/") CRUMB("../../", "a/") HERE("b/"),
		  UP("../../") },
		{ "/a/", "a/", "/a/b/..", CRUMB("../", "/"), UP("../") },
		{ "/a/", "a/", "", CRUMB("", "/"), UP("") },
		{ "/a/", "a/", "a", CRUMB("", "/"), UP("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *text;

		rig.page.path = slice_from_str(cases[i].path);
		rig.page.rest = slice_from_str(cases[i].rest);
		rig.page.request = slice_from_str(cases[i].request);
		text = render(&listing_html);
		has(text, cases[i].crumbs);
		if (cases[i].up != NULL)
			has(text, cases[i].up);
		else
			lacks(text, "class=\"u\"");
	}
	rig.page.sort = DIRLIST_BY_DATE;
	has(render(&listing_html), UP("?sort=date&amp;order=asc"));
}

static void
deep_paths_have_few_crumbs(void **state)
{
	char path[2001] = "/";
	const char *text;
	size_t links = 0;

	(void)state;
	for (size_t i = 0; i < 999; i++)
		memcpy(path + 1 + 2 * i, i == 0 ? "f/" : "x/", 3);
	rig.page.path = rig.page.request = slice_from_str(path);
	rig.page.rest = slice_from(rig.page.path, 1);
	text = render(&listing_html);
	assert_true(rig.out.len < 16000);
	has(text, "../\"><bdi>/</bdi></a><span>&hellip;</span><a href=");
	lacks(text, "<bdi>f/");
	for (const char *p = text; (p = strstr(p, "<bdi>x/")) != NULL; p++)
		links++;
	assert_int_equal(links, 24);
}

#define render_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		render_test(html_of_any_name_is_text_and_a_link_to_it),
		render_test(json_of_any_name_is_valid_and_a_link_to_it),
		render_test(path_is_text_too),
		render_test(sizes_are_rounded_to_three_digits_or_four),
		render_test(times_are_utc_and_clamped),
		render_test(counts_stand_at_the_end),
		render_test(columns_sort_and_toggle),
		render_test(ways_up_are_relative_and_end_at_the_root),
		render_test(deep_paths_have_few_crumbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
