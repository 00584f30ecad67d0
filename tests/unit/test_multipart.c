/* SPDX-License-Identifier: BSD-2-Clause
 *
 * multipart/form-data: each body is parsed whole, byte by byte, and in two pieces for every
 * place where it can be cut, and is always the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "multipart_log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PARTS_MAX 3
#define TYPE "multipart/form-data; boundary=b"

struct body_case {
	const char *name;
	struct slice body;
	const char *log;
};

#define CD "Content-Disposition: form-data; name="
#define BEGIN "--b\r\n" CD "a\r\n\r\n"
#define END "\r\n--b--\r\n"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

/* clang-format off */
static const struct body_case cases[] = {
#define ROW(name, body, log) { name, SLICE_LIT(body), log }
	ROW("field_has_a_value", BEGIN "value" END, "<a>value</><.>"),
	ROW("file_has_a_name_and_a_type", "--b\r\n" CD "\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nx" END,
	    "<f=a.txt:text/plain>x</><.>"),
	ROW("parts_follow_each_other", BEGIN "1\r\n--b\r\n" CD "c\r\n\r\n2" END, "<a>1</><c>2</><.>"),
	ROW("no_file_chosen_is_an_empty_file_name", "--b\r\n" CD "\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n" END,
	    "<f=:application/octet-stream></><.>"),
	ROW("fields_are_in_any_case_and_order", "--b\r\ncontent-type:\ta/b \r\nX-Other:\r\nCONTENT-DISPOSITION:" "FORM-DATA;NAME=a\r\n\r\n" END,
	    "<a:a/b></><.>"),
	ROW("part_of_no_bytes_ends_at_once", "--b\r\n" CD "a\r\n\r\n--b--", "<a></><.>"),
	ROW("last_boundary_needs_no_line_end", BEGIN "x\r\n--b--", "<a>x</><.>"),
	ROW("padding_behind_boundaries_is_skipped", "--b \t \r\n" CD "a\r\n\r\nx\r\n--b-- \t\r\n", "<a>x</><.>"),
	ROW("form_of_no_parts_is_one", "--b--\r\n", "<.>"),
	ROW("preamble_and_epilogue_mean_nothing", "hello\r\n--\r\n--a\r\n\r\n" BEGIN "x" END "bye\r\n--b\r\n", "<a>x</><.>"),
	ROW("line_end_before_the_first_boundary_passes", "\r\n" BEGIN "x" END, "<a>x</><.>"),
	ROW("name_may_be_empty", "--b\r\n" CD "\"\"\r\n\r\nx" END, "<>x</><.>"),
	ROW("identity_encodings_pass", "--b\r\n" CD "a\r\nContent-Transfer-Encoding: Binary\r\n\r\nx" END, "<a>x</><.>"),
	/* Data that is nearly a delimiter. */
	ROW("nearly_delimiters_are_data", BEGIN "\r\r\n\r\n-\r\n--\r\n--B\r\n-b\n--b\r--b--b" END, "<a>\r\r\n\r\n-\r\n--\r\n--B\r\n-b\n--b\r--b--b</><.>"),
	ROW("data_begins_with_half_a_delimiter", BEGIN "--c" END, "<a>--c</><.>"),
	ROW("data_begins_with_a_line_end", BEGIN "\r\n" END, "<a>\r\n</><.>"),
	ROW("data_ends_with_a_line_end", BEGIN "x\r\n" END, "<a>x\r\n</><.>"),
	ROW("data_ends_with_half_a_delimiter", BEGIN "x\r\n--\r\n-" END, "<a>x\r\n--\r\n-</><.>"),
	ROW("bare_line_feeds_end_no_data", BEGIN "x\n--b\n--b--\n" END, "<a>x\n--b\n--b--\n</><.>"),
	/* What is not whole. */
	ROW("nothing_is_not_whole", "", "The form is not complete."),
	ROW("data_without_end_is_not_whole", BEGIN "x\r\n--b", "<a>xThe form is not complete."),
	ROW("half_an_end_is_not_whole", BEGIN "x\r\n--b-", "<a>xThe form is not complete."),
	ROW("head_without_end_is_not_whole", "--b\r\n" CD "a\r\n", "The form is not complete."),
	ROW("part_without_end_is_not_whole", BEGIN "x\r\n--b\r\n", "<a>x</>The form is not complete."),
	/* Boundaries. */
	ROW("boundary_goes_on", BEGIN "x\r\n--bc\r\n", "<a>xA boundary in the form is followed by other bytes."),
	ROW("boundary_then_one_dash", BEGIN "x\r\n--b-\r\n", "<a>xA boundary in the form is followed by other bytes."),
	ROW("boundary_then_cr_alone", BEGIN "x\r\n--b\rx", "<a>xA boundary in the form is followed by other bytes."),
	ROW("padding_then_dashes", BEGIN "x\r\n--b --\r\n", "<a>xA boundary in the form is followed by other bytes."),
	ROW("last_boundary_then_bytes", BEGIN "x\r\n--b--b", "<a>x</><.>A boundary in the form is followed by other bytes."),
	ROW("last_boundary_then_cr_alone", BEGIN "x\r\n--b--\rx", "<a>x</><.>A boundary in the form is followed by other bytes."),
	/* Bare line feeds. */
	ROW("boundary_with_a_bare_line_feed", "--b\n" CD "a\n\nx\n--b--\n", "A line of the form does not end with CR LF."),
	ROW("head_with_a_bare_line_feed", "--b\r\n" CD "a\n\r\nx" END, "A line of the form does not end with CR LF."),
	ROW("empty_line_with_a_bare_line_feed", "--b\r\n" CD "a\r\n\nx" END, "A line of the form does not end with CR LF."),
	ROW("last_boundary_with_a_bare_line_feed", BEGIN "x\r\n--b--\n", "<a>x</><.>A line of the form does not end with CR LF."),
	/* Heads. */
	ROW("part_without_a_head", "--b\r\n\r\nx" END, "A part of the form has no name."),
	ROW("part_without_a_disposition", "--b\r\nContent-Type: a/b\r\n\r\nx" END, "A part of the form has no name."),
	ROW("part_without_a_name", "--b\r\nContent-Disposition: form-data; filename=a\r\n\r\nx" END, "A part of the form has no name."),
	ROW("part_that_is_an_attachment", "--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx" END, "The Content-Disposition of a part of the form is malformed."),
	ROW("two_dispositions", "--b\r\n" CD "a\r\n" CD "b\r\n\r\nx" END, "The Content-Disposition of a part of the form is malformed."),
	ROW("two_file_names", "--b\r\n" CD "a; filename=b; filename=c\r\n\r\nx" END, "The Content-Disposition of a part of the form is malformed."),
	ROW("folded_field", "--b\r\n" CD "a;\r\n filename=b\r\n\r\nx" END, "A header field of a part of the form is malformed."),
	ROW("field_without_a_colon", "--b\r\n" CD "a\r\nx\r\n\r\nx" END, "A header field of a part of the form is malformed."),
	ROW("blank_before_the_colon", "--b\r\n" CD "a\r\nx : y\r\n\r\nx" END, "A header field of a part of the form is malformed."),
	ROW("field_without_a_name", "--b\r\n" CD "a\r\n: y\r\n\r\nx" END, "A header field of a part of the form is malformed."),
	ROW("nul_in_a_field", "--b\r\n" CD "a\0\r\n\r\nx" END, "A header field of a part of the form is malformed."),
	ROW("cr_in_a_field", "--b\r\n" CD "a\r\r\n\r\nx" END, "A header field of a part of the form is malformed."),
	ROW("base64_is_refused", "--b\r\n" CD "a\r\nContent-Transfer-Encoding: base64\r\n\r\neA==" END, "A part of the form has a Content-Transfer-Encoding."),
	ROW("four_parts_are_one_too_many", BEGIN "\r\n" BEGIN "\r\n" BEGIN "\r\n" BEGIN, "<a></><a></><a>The form has too many parts."),
#undef ROW
};
/* clang-format on */

static void
check_log(const char *name, struct slice body, const char *log, size_t first, size_t step)
{
	struct multipart *m = malloc(sizeof(*m));
	size_t at = 0, n = first < body.len ? first : body.len;
	struct buf out;

	assert_non_null(m);
	buf_init(&out);
	assert_int_equal(multipart_init(m, SLICE(TYPE), PARTS_MAX), MULTIPART_OK);
	while (log_piece(m, body.ptr + at, n, &out) && at + n < body.len) {
		at += n;
		n = step < body.len - at ? step : body.len - at;
	}
	log_end(m, &out);
	if (strcmp(out.ptr, log) != 0)
		fail_msg("%s, cut at %zu and each %zu: '%s'", name, first, step, out.ptr);
	buf_fini(&out);
	free(m);
}

static void
bodies_are_read_however_they_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct body_case *c = &cases[i];

		check_log(c->name, c->body, c->log, 1, 1);
		check_log(c->name, c->body, c->log, 3, 3);
		for (size_t cut = 0; cut <= c->body.len; cut++)
			check_log(c->name, c->body, c->log, cut, SIZE_MAX);
	}
}

static void
boundary_is_that_of_content_type(void **state)
{
	static const struct {
		const char *type;
		enum multipart_error error;
		const char *boundary;
	} types[] = {
		{ "multipart/form-data; boundary=abc", MULTIPART_OK, "abc" },
		{ "Multipart/Form-Data;BOUNDARY=abc", MULTIPART_OK, "abc" },
		{ "multipart/form-data; boundary=\"a b:c\"", MULTIPART_OK, "a b:c" },
		{ "multipart/form-data; charset=utf-8; boundary=abc ;", MULTIPART_OK,
		  "abc" },
		{ "multipart/form-data; boundary=----WebKitFormBoundaryAbC0123456789xyz",
		  MULTIPART_OK, "----WebKitFormBoundaryAbC0123456789xyz" },
		{ "multipart/form-data; boundary=\"===============123==\"", MULTIPART_OK,
		  "===============123==" },
		{ "multipart/form-data; boundary===123?/()':,", MULTIPART_OK,
		  "==123?/()':," },
		{ "multipart/form-data; boundary=" FIFTY TEN TEN, MULTIPART_OK,
		  FIFTY TEN TEN },
		{ "multipart/form-data; boundary=" FIFTY TEN TEN "0", MULTIPART_BOUNDARY,
		  NULL },
		{ "multipart/form-data", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=\"\"", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=\"a \"", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=\"a\\b\"", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=\"a", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=a b", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=a@b", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=\xc3\xa4", MULTIPART_BOUNDARY, NULL },
		{ "multipart/form-data; boundary=a; boundary=b", MULTIPART_BOUNDARY,
		  NULL },
		{ "multipart/form-data; boundary=a; x", MULTIPART_BOUNDARY, NULL },
		{ "multipart/mixed; boundary=a", MULTIPART_TYPE, NULL },
		{ "multipart/form-data-x; boundary=a", MULTIPART_TYPE, NULL },
		{ "application/x-www-form-urlencoded", MULTIPART_TYPE, NULL },
		{ "", MULTIPART_TYPE, NULL },
	};
	struct multipart m;

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		enum multipart_error e =
			multipart_init(&m, slice_from_str(types[i].type), 1);

		if (e != types[i].error)
			fail_msg("'%s': %d", types[i].type, (int)e);
		assert_int_equal(multipart_finish(&m),
				 e == MULTIPART_OK ? MULTIPART_TRUNCATED : e);
		if (e == MULTIPART_OK)
			assert_true(slice_eq(
				slice_from(slice_make(m.delimiter, m.delimiter_len), 4),
				slice_from_str(types[i].boundary)));
	}
	assert_int_equal(multipart_init(&m, slice_make(NULL, 0), 1), MULTIPART_TYPE);
}

static void
charset_is_noted(void **state)
{
	struct slice in = SLICE("--b\r\n" CD "_charset_\r\n\r\nutf-8\r\n--b\r\n" CD
				"a\r\nContent-Type: text/plain; charset=\"x-y\"\r\n\r\n");
	struct slice data;
	struct multipart m;

	(void)state;
	assert_int_equal(multipart_init(&m, SLICE(TYPE), 2), MULTIPART_OK);
	assert_int_equal(multipart_parse(&m, &in, &data), MULTIPART_PART);
	assert_true(m.part.is_charset);
	assert_int_equal(m.part.charset.len, 0);
	assert_int_equal(multipart_parse(&m, &in, &data), MULTIPART_DATA);
	assert_true(slice_eq(data, SLICE("utf-8")));
	assert_int_equal(multipart_parse(&m, &in, &data), MULTIPART_PART_END);
	assert_int_equal(multipart_parse(&m, &in, &data), MULTIPART_PART);
	assert_false(m.part.is_charset);
	assert_true(slice_eq(m.part.charset, SLICE("x-y")));
}

/* `before`, `count` times 'x', `after`. */
static void
check_long(const char *before, size_t count, const char *after, const char *log)
{
	struct buf body;

	buf_init(&body);
	buf_add_str(&body, before);
	for (size_t i = 0; i < count; i++)
		buf_add_char(&body, 'x');
	buf_add_str(&body, after);
	check_log(before, buf_slice(&body), log, 1, 1);
	check_log(before, buf_slice(&body), log, body.len, 1);
	check_log(before, buf_slice(&body), log, 4000, 200);
	buf_fini(&body);
}

static void
what_surrounds_the_form_has_bounds(void **state)
{
	(void)state;
	check_long("", MULTIPART_OUTSIDE_MAX, END, "<.>");
	check_long("", MULTIPART_OUTSIDE_MAX + 1, END,
		   "The form does not begin with its boundary.");
	check_long("--b--\r\n", MULTIPART_OUTSIDE_MAX, "", "<.>");
	check_long("--b--\r\n", MULTIPART_OUTSIDE_MAX + 1, "",
		   "<.>Too much follows the form.");
}

static void
head_of_a_part_has_bounds(void **state)
{
	const char *begin = "--b\r\n" CD "a\r\nb:";
	const char *end = "\r\n\r\ny" END;
	size_t others = strlen(CD "a\r\nb:\r\n\r\n");

	(void)state;
	check_long(begin, MULTIPART_HEAD_MAX - others, end, "<a>y</><.>");
	check_long(begin, MULTIPART_HEAD_MAX - others + 1, end,
		   "The head of a part of the form is too long.");
	check_long("--b\r\n", 3 * MULTIPART_HEAD_MAX, "",
		   "The head of a part of the form is too long.");
}

static void
head_of_a_part_has_so_many_fields(void **state)
{
	struct buf body;

	(void)state;
	for (size_t count = MULTIPART_FIELDS_MAX; count < MULTIPART_FIELDS_MAX + 2;
	     count++) {
		buf_init(&body);
		buf_add_str(&body, "--b\r\n" CD "a\r\n");
		for (size_t i = 1; i < count; i++)
			buf_add_str(&body, "x:\r\n");
		buf_add_str(&body, "\r\ny" END);
		check_log("fields", buf_slice(&body),
			  count == MULTIPART_FIELDS_MAX
				  ? "<a>y</><.>"
				  : "A part of the form has too many header fields.",
			  7, 7);
		buf_fini(&body);
	}
}

static void
no_parts_at_all_may_be_wanted(void **state)
{
	struct slice in = SLICE(BEGIN), data;
	struct multipart m;

	(void)state;
	assert_int_equal(multipart_init(&m, SLICE(TYPE), 0), MULTIPART_OK);
	assert_int_equal(multipart_parse(&m, &in, &data), MULTIPART_BAD);
	assert_int_equal(m.error, MULTIPART_PARTS);
	assert_int_equal(multipart_finish(&m), MULTIPART_PARTS);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_read_however_they_are_cut),
		cmocka_unit_test(boundary_is_that_of_content_type),
		cmocka_unit_test(charset_is_noted),
		cmocka_unit_test(what_surrounds_the_form_has_bounds),
		cmocka_unit_test(head_of_a_part_has_bounds),
		cmocka_unit_test(head_of_a_part_has_so_many_fields),
		cmocka_unit_test(no_parts_at_all_may_be_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
