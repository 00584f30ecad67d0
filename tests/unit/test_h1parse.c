/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Request heads, good and bad. Every case is parsed whole and one byte at a time, each
 * time from a fresh allocation of exactly the bytes that have arrived, so that neither
 * the cut nor the address matters and a sanitizer sees every read beyond the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rows.h"
#include "http/h1parse.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MORE (-1)
#define FIELDS_MAX 8

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define END "\r\n"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static const struct h1_limits limits = { .uri_size = 100,
					 .header_size = 400,
					 .field_count = FIELDS_MAX };

struct outcome {
	int status; /* 0, the refusal, or MORE */
	size_t consumed;
	size_t seen; /* bytes there were when it was told */
	struct http_field fields[FIELDS_MAX];
	struct http_head head;
	char *base; /* what head points into */
};

struct head_case {
	const char *name;
	struct slice in;
	int status;
};

/* clang-format off */
static const struct head_case cases[] = {
#define CASE(name, in, status) { name, SLICE_LIT(in), status }
	/* The request line. */
	CASE("plain_get_is_whole", GET HOST END, 0),
	CASE("request_line_alone_wants_more", GET, MORE),
	CASE("nothing_wants_more", "", MORE),
	CASE("two_leading_empty_lines_are_skipped", "\r\n\r\n" GET HOST END, 0),
	CASE("three_leading_empty_lines_are_too_many", "\r\n\r\n\r", 400),
	CASE("leading_bare_lf_is_refused", "\n", 400),
	CASE("leading_bare_cr_is_refused", "\rG", 400),
	CASE("leading_space_is_refused", " ", 400),
	CASE("two_spaces_after_method_are_refused", "GET  ", 400),
	CASE("tab_after_method_is_refused", "GET\t", 400),
	CASE("two_spaces_before_version_are_refused", "GET /  ", 400),
	CASE("tab_before_version_is_refused", "GET /\t", 400),
	CASE("space_in_target_is_refused", "GET /a b", 400),
	CASE("space_after_version_is_refused", "GET / HTTP/1.1 ", 400),
	CASE("request_line_without_version_is_refused", "GET /\r", 400),
	CASE("request_line_without_target_is_refused", "GET\r", 400),
	CASE("request_line_ending_in_bare_lf_is_refused", "GET / HTTP/1.1\n", 400),
	CASE("request_line_ending_in_bare_cr_is_refused", "GET / HTTP/1.1\rH", 400),
	CASE("nul_in_method_is_refused_at_once", "GE\0", 400),
	CASE("nul_in_target_is_refused_at_once", "GET /\0", 400),
	CASE("del_in_target_is_refused_at_once", "GET /\x7f", 400),
	CASE("escape_in_target_is_refused_at_once", "GET /\x1b", 400),
	CASE("fragment_in_target_is_refused_at_once", "GET /a#", 400),
	CASE("high_bytes_in_target_pass", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST END, 0),
	CASE("bytes_that_browsers_send_raw_pass",
	     "GET /\"<>[]\\^`{|}?\"<>[]\\^`{|} HTTP/1.1\r\n" HOST END, 0),
	CASE("tls_hello_is_refused_at_once", "\x16", 400),
	CASE("socks_hello_is_refused_at_once", "\x05", 400),
	CASE("parenthesis_in_method_is_refused", "G(", 400),
	CASE("method_of_32_bytes_may_go_on", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF ", MORE),
	CASE("method_of_33_bytes_is_not_implemented",
	     "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", 501),
	CASE("unknown_method_is_not_implemented", "BREW / HTTP/1.1\r\n" HOST END, 501),
	CASE("lower_case_method_is_not_implemented", "get / HTTP/1.1\r\n" HOST END, 501),
	CASE("connect_is_not_implemented", "CONNECT a:1 HTTP/1.1\r\n" HOST END, 501),
	CASE("trace_is_parsed", "TRACE / HTTP/1.1\r\n" HOST END, 0),
	CASE("target_at_its_limit_may_go_on", "GET " FIFTY FIFTY " ", MORE),
	CASE("target_over_its_limit_is_414_at_once", "GET " FIFTY FIFTY "0", 414),
	/* Versions. */
	CASE("version_1_0_is_parsed", "GET / HTTP/1.0\r\n" END, 0),
	CASE("version_1_9_is_parsed", "GET / HTTP/1.9\r\n" HOST END, 0),
	CASE("version_2_0_is_505", "GET / HTTP/2.0\r\n", 505),
	CASE("version_0_9_is_505", "GET / HTTP/0.9\r\n", 505),
	CASE("http2_preface_is_505", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
	CASE("lower_case_http_is_refused", "GET / h", 400),
	CASE("two_digit_minor_version_is_refused", "GET / HTTP/1.10", 400),
	CASE("two_digit_major_version_is_refused", "GET / HTTP/11", 400),
	CASE("version_with_letter_is_refused", "GET / HTTP/1.x", 400),
	CASE("version_with_comma_is_refused", "GET / HTTP/1,", 400),
	CASE("version_cut_short_is_refused", "GET / HTTP/1.\r", 400),
	/* Field lines: row 8 of the security notes. */
	CASE("space_before_colon_is_refused", GET "Content-Length ", 400),
	CASE("tab_before_colon_is_refused", GET "Host\t", 400),
	CASE("folded_line_is_refused", GET HOST " ", 400),
	CASE("line_folded_by_tab_is_refused", GET HOST "\t", 400),
	CASE("space_before_first_field_is_refused", GET " ", 400),
	CASE("empty_field_name_is_refused", GET ":", 400),
	CASE("field_line_without_colon_is_refused", GET "Host\r", 400),
	CASE("bare_lf_after_name_is_refused", GET "Host\n", 400),
	CASE("bare_lf_after_value_is_refused", GET "Host: a\n", 400),
	CASE("bare_cr_in_value_is_refused", GET "Host: a\rb", 400),
	CASE("nul_in_value_is_refused_at_once", GET "Host: a\0", 400),
	CASE("nul_far_into_a_value_is_refused_at_once", GET "X: " FIFTY "\0", 400),
	CASE("del_in_value_is_refused_at_once", GET "X: " TEN "\x7f", 400),
	CASE("escape_in_value_is_refused_at_once", GET "X: " TEN "\x1b", 400),
	CASE("control_byte_in_name_is_refused_at_once", GET "Ho\x01", 400),
	CASE("high_byte_in_name_is_refused_at_once", GET "Ho\xc3", 400),
	CASE("quote_in_name_is_refused", GET "\"", 400),
	CASE("high_bytes_and_tabs_in_value_pass",
	     GET HOST "X: \xff\x80\t" FIFTY "\t\xfe" TEN "\r\n" END, 0),
	CASE("empty_value_passes", GET HOST "X:\r\n" END, 0),
	CASE("blank_value_passes", GET HOST "X: \t \r\n" END, 0),
	CASE("lf_after_head_cr_is_required", GET HOST "\rX", 400),
	CASE("bare_lf_as_end_of_head_is_refused", GET HOST "\n", 400),
	CASE("as_many_fields_as_allowed_pass",
	     GET HOST "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:\r\n" END, 0),
	CASE("one_field_too_many_is_431_at_once",
	     GET HOST "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:\r\nH", 431),
	CASE("head_over_its_limit_is_431_at_once",
	     GET HOST "X: " FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY TEN TEN "01", 431),
	/* Host. */
	CASE("missing_host_is_refused_in_1_1", GET END, 400),
	CASE("two_hosts_are_refused", GET HOST HOST END, 400),
	CASE("two_hosts_are_refused_in_1_0", "GET / HTTP/1.0\r\n" HOST HOST END, 400),
	CASE("empty_host_is_refused", GET "Host: \r\n" END, 400),
	CASE("host_with_userinfo_is_refused", GET "Host: u@a\r\n" END, 400),
	CASE("host_with_space_is_refused", GET "Host: a b\r\n" END, 400),
	CASE("host_with_path_is_refused", GET "Host: a/b\r\n" END, 400),
	CASE("host_list_with_space_is_refused", GET "Host: a, b\r\n" END, 400),
	CASE("host_with_port_passes", GET "Host: a:8080\r\n" END, 0),
	CASE("host_with_bad_port_is_refused", GET "Host: a:80x\r\n" END, 400),
	CASE("ipv6_host_passes", GET "Host: [::1]:80\r\n" END, 0),
	/* Framing: row 6 of the security notes. */
	CASE("content_length_is_read", POST HOST "Content-Length: 5\r\n" END, 0),
	CASE("content_length_with_leading_zero_passes",
	     POST HOST "Content-Length: 010\r\n" END, 0),
	CASE("content_length_with_plus_is_refused",
	     POST HOST "Content-Length: +5\r\n" END, 400),
	CASE("negative_content_length_is_refused",
	     POST HOST "Content-Length: -5\r\n" END, 400),
	CASE("hex_content_length_is_refused",
	     POST HOST "Content-Length: 0x10\r\n" END, 400),
	CASE("empty_content_length_is_refused",
	     POST HOST "Content-Length: \r\n" END, 400),
	CASE("content_length_list_is_refused",
	     POST HOST "Content-Length: 5, 5\r\n" END, 400),
	CASE("content_length_with_inner_space_is_refused",
	     POST HOST "Content-Length: 5 5\r\n" END, 400),
	CASE("two_equal_content_lengths_are_refused",
	     POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n" END, 400),
	CASE("two_different_content_lengths_are_refused",
	     POST HOST "Content-Length: 5\r\ncontent-length: 6\r\n" END, 400),
	CASE("largest_content_length_passes",
	     POST HOST "Content-Length: 9223372036854775807\r\n" END, 0),
	CASE("content_length_beyond_63_bits_is_refused",
	     POST HOST "Content-Length: 9223372036854775808\r\n" END, 400),
	CASE("content_length_of_thirty_digits_is_refused",
	     POST HOST "Content-Length: " TEN TEN TEN "\r\n" END, 400),
	CASE("length_and_coding_are_refused",
	     POST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END, 400),
	CASE("coding_and_length_are_refused",
	     POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END, 400),
	CASE("length_and_unknown_coding_are_refused",
	     POST HOST "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n" END, 400),
	CASE("two_codings_in_two_fields_are_refused",
	     POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END,
	     400),
	CASE("coding_in_1_0_is_refused",
	     "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END, 400),
#define CODING(name, value, status) \
	CASE(name, POST HOST "Transfer-Encoding:" value "\r\n" END, status)
	CODING("chunked_coding_is_read", " chunked", 0),
	CODING("chunked_coding_in_any_case_is_read", "CHUNKED\t", 0),
	CODING("unknown_coding_before_chunked_is_501", " gzip, chunked", 501),
	CODING("unknown_coding_alone_is_501", " gzip", 501),
	CODING("unknown_coding_with_parameter_is_501", " foo;a=b", 501),
	CODING("identity_coding_is_501", " identity", 501),
	CODING("coding_that_ends_in_chunked_is_501", " xchunked", 501),
	CODING("coding_that_begins_with_chunked_is_501", " chunkedx", 501),
	CODING("coding_after_chunked_is_refused", " chunked, gzip", 400),
	CODING("chunked_twice_is_refused", " chunked, chunked", 400),
	CODING("chunked_with_parameter_is_refused", " chunked;a=b", 400),
	CODING("empty_coding_is_refused", "", 400),
	CODING("empty_coding_before_chunked_is_refused", " ,chunked", 400),
	CODING("empty_coding_after_chunked_is_refused", " chunked,", 400),
	CODING("quoted_chunked_is_refused", " \"chunked\"", 400),
	CODING("two_words_as_coding_are_refused", " chunked identity", 400),
	/* Target forms and expectations. */
	CASE("asterisk_with_options_passes", "OPTIONS * HTTP/1.1\r\n" HOST END, 0),
	CASE("asterisk_with_get_is_refused", "GET * HTTP/1.1\r\n" HOST END, 400),
	CASE("asterisk_with_more_is_refused", "OPTIONS *a HTTP/1.1\r\n" HOST END, 400),
	CASE("authority_form_is_refused", "GET a:80 HTTP/1.1\r\n" HOST END, 400),
	CASE("relative_target_is_refused", "GET a/b HTTP/1.1\r\n" HOST END, 400),
	CASE("other_scheme_is_refused", "GET ftp://a/ HTTP/1.1\r\n" HOST END, 400),
	CASE("absolute_form_without_host_field_is_refused",
	     "GET http://a/ HTTP/1.1\r\n" END, 400),
	CASE("absolute_form_with_bad_host_field_is_refused",
	     "GET http://a/ HTTP/1.1\r\nHost: a b\r\n" END, 400),
	CASE("absolute_form_without_authority_is_refused",
	     "GET http:///x HTTP/1.1\r\n" HOST END, 400),
	CASE("absolute_form_with_userinfo_is_refused",
	     "GET http://u:p@a/ HTTP/1.1\r\n" HOST END, 400),
	CASE("absolute_form_with_backslash_authority_is_refused",
	     "GET http://a\\b/ HTTP/1.1\r\n" HOST END, 400),
	CASE("expectation_100_continue_passes",
	     POST HOST "Expect: 100-Continue\r\n" END, 0),
	CASE("other_expectation_is_417", POST HOST "Expect: 200-ok\r\n" END, 417),
	CASE("other_expectation_in_a_list_is_417",
	     POST HOST "Expect: 100-continue, x\r\n" END, 417),
	CASE("other_expectation_is_ignored_in_1_0",
	     "POST / HTTP/1.0\r\nExpect: x\r\n" END, 0),
	CASE("upgrade_is_ignored",
	     GET HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" END, 0),
};
/* clang-format on */

/* A copy in an allocation of its own and exact size. */
static char *
copy(struct slice s, size_t n)
{
	char *p = malloc(n != 0 ? n : 1);

	assert_non_null(p);
	if (n != 0)
		memcpy(p, s.ptr, n);
	return p;
}

/* Parses `in` as it grows in steps of `step` bytes. outcome_fini() frees o->base. */
static void
feed(struct slice in, size_t step, struct outcome *o)
{
	enum h1_result rc = H1_MORE;
	struct h1_parser p;

	*o = (struct outcome){ .status = MORE };
	assert_int_equal(h1_parser_init(&p, &limits), 0);
	while (rc == H1_MORE && o->seen < in.len) {
		o->seen = step < in.len - o->seen ? o->seen + step : in.len;
		free(o->base);
		o->base = copy(in, o->seen);
		rc = h1_parse(&p, slice_make(o->base, o->seen));
	}
	if (rc == H1_BAD) {
		o->status = p.status;
		assert_non_null(p.reason);
	} else if (rc == H1_OK) {
		assert_in_range(p.field_count, 0, FIELDS_MAX);
		o->consumed = p.consumed;
		free(o->base);
		o->base = copy(in, p.consumed);
		o->status = h1_head(&p, o->base, o->fields, &o->head);
		assert_true(o->status == 0 || p.reason != NULL);
	}
	h1_parser_fini(&p);
}

static void
same_slice(struct slice a, const char *base_a, struct slice b, const char *base_b)
{
	assert_int_equal(a.len, b.len);
	if (a.len != 0)
		assert_memory_equal(a.ptr, b.ptr, a.len);
	/* Inside of the head at the same place, or static text in both. */
	if (a.len != 0 && a.ptr >= base_a && a.ptr < base_a + 400)
		assert_int_equal(a.ptr - base_a, b.ptr - base_b);
}

static void
same_outcome(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->status, b->status);
	if (a->status != 0)
		return;
	assert_int_equal(a->consumed, b->consumed);
	assert_int_equal(a->head.field_count, b->head.field_count);
	for (size_t i = 0; i < a->head.field_count; i++) {
		same_slice(a->fields[i].name, a->base, b->fields[i].name, b->base);
		same_slice(a->fields[i].value, a->base, b->fields[i].value, b->base);
		assert_int_equal(a->fields[i].id, b->fields[i].id);
	}
	same_slice(a->head.target, a->base, b->head.target, b->base);
	same_slice(a->head.path, a->base, b->head.path, b->base);
	same_slice(a->head.host, a->base, b->head.host, b->base);
	assert_int_equal(a->head.body, b->head.body);
	assert_int_equal(a->head.content_length, b->head.content_length);
	assert_int_equal(a->head.keep_alive, b->head.keep_alive);
}

static void
check_every_cut(struct slice in, struct outcome *whole)
{
	static const size_t steps[] = { 1, 2, 3, 7, 16 };
	struct outcome pieces;

	feed(in, in.len != 0 ? in.len : 1, whole);
	for (size_t i = 0; i < COUNT(steps); i++) {
		feed(in, steps[i], &pieces);
		same_outcome(whole, &pieces);
		free(pieces.base);
	}
}

static void
run_case(void **state)
{
	const struct head_case *c = *state;
	struct outcome o, bytewise;

	check_every_cut(c->in, &o);
	assert_int_equal(o.status, c->status);
	if (c->status == 0)
		assert_int_equal(o.consumed, c->in.len);
	free(o.base);
	/* No verdict before the last byte: the cases end with the offender. */
	feed(c->in, 1, &bytewise);
	if (c->status != 505)
		assert_int_equal(bytewise.seen, c->in.len);
	free(bytewise.base);
}

static struct outcome
parse_good(const char *text)
{
	struct outcome o;

	feed(slice_from_str(text), strlen(text), &o);
	assert_int_equal(o.status, 0);
	return o;
}

static void
is_text(struct slice s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	if (s.len != 0)
		assert_memory_equal(s.ptr, text, s.len);
}

static void
fields_come_out_trimmed_and_in_order(void **state)
{
	struct outcome o = parse_good(GET "hOsT: \t a \t \r\nX-y:z z\r\nX-y:\r\n" END);

	(void)state;
	assert_int_equal(o.head.field_count, 3);
	is_text(o.fields[0].name, "hOsT");
	is_text(o.fields[0].value, "a");
	assert_int_equal(o.fields[0].id, HTTP_FIELD_HOST);
	is_text(o.fields[1].value, "z z");
	assert_int_equal(o.fields[1].id, HTTP_FIELD_OTHER);
	is_text(o.fields[2].value, "");
	is_text(o.head.method_name, "GET");
	is_text(o.head.target, "/");
	free(o.base);
}

static void
bytes_behind_the_head_are_left_alone(void **state)
{
	struct slice in = SLICE(GET HOST END "GET /next\0\xff");
	struct outcome o;

	(void)state;
	check_every_cut(in, &o);
	assert_int_equal(o.status, 0);
	assert_int_equal(o.consumed, strlen(GET HOST END));
	free(o.base);
}

static void
target_is_split_at_the_first_question_mark(void **state)
{
	static const struct {
		const char *start, *path, *query, *host;
		bool has_query;
		enum http_target_form form;
	} rows[] = {
		{ "GET /a?b?c", "/a", "b?c", "a", true, HTTP_TARGET_ORIGIN },
		{ "GET /a?", "/a", "", "a", true, HTTP_TARGET_ORIGIN },
		{ "GET /a", "/a", "", "a", false, HTTP_TARGET_ORIGIN },
		{ "GET //b/c", "//b/c", "", "a", false, HTTP_TARGET_ORIGIN },
		{ "GET http://b", "/", "", "b", false, HTTP_TARGET_ABSOLUTE },
		{ "GET HTTP://b?x", "/", "x", "b", true, HTTP_TARGET_ABSOLUTE },
		{ "GET hTTps://B:8/?x/", "/", "x/", "B:8", true, HTTP_TARGET_ABSOLUTE },
		{ "GET http://[::1]/y", "/y", "", "[::1]", false, HTTP_TARGET_ABSOLUTE },
		{ "OPTIONS *", "*", "", "a", false, HTTP_TARGET_ASTERISK },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o;

		snprintf(text, sizeof(text), "%s HTTP/1.1\r\n" HOST END, rows[i].start);
		o = parse_good(text);
		is_text(o.head.path, rows[i].path);
		is_text(o.head.query, rows[i].query);
		is_text(o.head.host, rows[i].host);
		assert_int_equal(o.head.has_query, rows[i].has_query);
		assert_int_equal(o.head.form, rows[i].form);
		free(o.base);
	}
}

static void
persistence_follows_version_and_options(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} rows[] = {
		{ GET HOST END, true },
		{ GET HOST "Connection: close\r\n" END, false },
		{ GET HOST "Connection: foo , CLOSE\r\n" END, false },
		{ GET HOST "Connection: foo\r\nConnection: close\r\n" END, false },
		{ GET HOST "Connection: closed\r\n" END, true },
		{ GET HOST "Connection: keep-alive, close\r\n" END, false },
		{ "GET / HTTP/1.0\r\n" END, false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" END, true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n" END, false },
		{ "GET / HTTP/1.5\r\n" HOST END, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o = parse_good(rows[i].text);

		assert_int_equal(o.head.keep_alive, rows[i].keep_alive);
		free(o.base);
	}
}

static void
framing_is_told(void **state)
{
	static const struct {
		const char *text;
		enum http_body_kind body;
		uint64_t length;
		bool expect;
	} rows[] = {
#define EXPECT "Expect: 100-continue\r\n"
		{ POST HOST END, HTTP_BODY_NONE, 0, false },
		{ POST HOST EXPECT END, HTTP_BODY_NONE, 0, false },
		{ POST HOST "Content-Length: 0\r\n" EXPECT END, HTTP_BODY_LENGTH, 0,
		  false },
		{ POST HOST EXPECT "Content-Length: 0012\r\n" END, HTTP_BODY_LENGTH, 12,
		  true },
		{ POST HOST "Content-Length: 9223372036854775807\r\n" END,
		  HTTP_BODY_LENGTH, INT64_MAX, false },
		{ POST HOST "Transfer-Encoding: chunked\r\n" EXPECT END,
		  HTTP_BODY_CHUNKED, 0, true },
		{ "PUT / HTTP/1.0\r\nContent-Length: 3\r\n" EXPECT END, HTTP_BODY_LENGTH,
		  3, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outcome o = parse_good(rows[i].text);

		assert_int_equal(o.head.body, rows[i].body);
		assert_int_equal(o.head.content_length, rows[i].length);
		assert_int_equal(o.head.expect_continue, rows[i].expect);
		free(o.base);
	}
}

static void
head_of_1_0_without_host_has_an_empty_one(void **state)
{
	struct outcome o = parse_good("GET / HTTP/1.0\r\n" END);

	(void)state;
	is_text(o.head.host, "");
	assert_non_null(o.head.host.ptr);
	assert_int_equal(o.head.minor, 0);
	free(o.base);
}

static void
reset_parser_takes_the_next_head(void **state)
{
	struct slice bad = SLICE("\x16"), good = SLICE(GET HOST "A: b\r\n" END);
	struct h1_parser p;

	(void)state;
	assert_int_equal(h1_parser_init(&p, &limits), 0);
	assert_int_equal(h1_parse(&p, good), H1_OK);
	assert_int_equal(p.field_count, 2);
	h1_parser_reset(&p);
	assert_int_equal(h1_parse(&p, bad), H1_BAD);
	h1_parser_reset(&p);
	assert_int_equal(h1_parse(&p, good), H1_OK);
	assert_int_equal(p.field_count, 2);
	h1_parser_fini(&p);
}

static void
limits_of_any_size_are_kept(void **state)
{
	static const struct {
		struct h1_limits limits;
		int status;
	} rows[] = {
		{ { 1, 1, 1 }, 414 },
		{ { 1, SIZE_MAX, 1 }, 0 },
		{ { SIZE_MAX, SIZE_MAX, 4 }, 0 },
		{ { SIZE_MAX, sizeof(GET HOST END) - 1, 1 }, 0 },
		{ { SIZE_MAX, sizeof(GET HOST END) - 2, 1 }, 431 },
		{ { SIZE_MAX, 6, 1 }, 414 },
	};
	struct slice in = SLICE(GET HOST END);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct h1_parser p;
		enum h1_result rc = H1_MORE;

		assert_int_equal(h1_parser_init(&p, &rows[i].limits), 0);
		assert_int_equal(h1_parse(&p, in), rows[i].status ? H1_BAD : H1_OK);
		assert_int_equal(p.status, rows[i].status);
		h1_parser_reset(&p);
		for (size_t n = 0; n <= in.len && rc == H1_MORE; n++)
			rc = h1_parse(&p, slice_make(in.ptr, n));
		assert_int_equal(p.status, rows[i].status);
		h1_parser_fini(&p);
	}
}

static void
mutated_heads_get_one_verdict_however_they_are_cut(void **state)
{
	static const char bytes[] = "\r\n \t:,;/?#%\0\x7f\xff"
				    "0aZ*\"";
	uint64_t seed = 0x9e3779b97f4a7c15;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		const struct head_case *c = &cases[round % COUNT(cases)];
		char text[600];
		size_t len = c->in.len;
		struct outcome o;

		memcpy(text, c->in.ptr, len);
		for (unsigned edits = 0; edits < 1 + round % 3 && len > 0; edits++) {
			size_t at;
			char byte;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			at = (size_t)(seed >> 33) % len;
			byte = bytes[(seed >> 20) % (sizeof(bytes) - 1)];
			if (seed >> 63 == 0) {
				text[at] = byte;
			} else {
				memmove(text + at + 1, text + at, len - at);
				text[at] = byte;
				len++;
			}
		}
		check_every_cut(slice_make(text, len), &o);
		free(o.base);
	}
}

/* Whatever its neighbours are: values are read eight bytes at a time. */
static void
byte_of_a_value_is_judged_alike_wherever_it_stands(void **state)
{
	static const unsigned char around[] = { 'a', ' ', '~', 0x80, 0xff };

	(void)state;
	for (unsigned i = 0; i < COUNT(around) * 256; i++) {
		unsigned char byte = (unsigned char)(i / COUNT(around));
		bool good = (byte >= 0x20 && byte != 0x7f) || byte == '\t';

		for (size_t at = 0; at < 20; at++) {
			char text[] = GET HOST "X: b12345678901234567890e\r\n\r\n";
			char *value = text + sizeof(GET HOST "X: b") - 1;
			struct outcome o;

			memset(value, around[i % COUNT(around)], 20);
			value[at] = (char)byte;
			feed(SLICE(text), sizeof(text) - 1, &o);
			assert_int_equal(o.status, good ? 0 : 400);
			if (good)
				assert_int_equal(o.fields[1].value.len, 22);
			free(o.base);
		}
	}
}

/* A refused head is still answered: Accept is read, the access log wants Referer. */
static void
fields_of_a_refused_head_are_all_valid(void **state)
{
	static const char text[] =
		POST HOST "Expect: x\r\nAccept: text/html\r\nReferer: b\r\n" END;
	struct http_field fields[FIELDS_MAX];
	struct h1_parser p;
	struct http_head head;

	(void)state;
	memset(fields, 0xff, sizeof(fields));
	assert_int_equal(h1_parser_init(&p, &limits), 0);
	assert_int_equal(h1_parse(&p, SLICE(text)), H1_OK);
	assert_int_equal(h1_head(&p, text, fields, &head), 417);
	assert_int_equal(head.field_count, 4);
	assert_true(
		slice_eq(http_head_value(&head, HTTP_FIELD_ACCEPT), SLICE("text/html")));
	assert_true(slice_eq(http_head_value(&head, HTTP_FIELD_REFERER), SLICE("b")));
	h1_parser_fini(&p);
}

int
main(void)
{
	static const struct CMUnitTest singles[] = {
		cmocka_unit_test(fields_come_out_trimmed_and_in_order),
		cmocka_unit_test(bytes_behind_the_head_are_left_alone),
		cmocka_unit_test(target_is_split_at_the_first_question_mark),
		cmocka_unit_test(persistence_follows_version_and_options),
		cmocka_unit_test(framing_is_told),
		cmocka_unit_test(head_of_1_0_without_host_has_an_empty_one),
		cmocka_unit_test(fields_of_a_refused_head_are_all_valid),
		cmocka_unit_test(reset_parser_takes_the_next_head),
		cmocka_unit_test(limits_of_any_size_are_kept),
		cmocka_unit_test(byte_of_a_value_is_judged_alike_wherever_it_stands),
		cmocka_unit_test(mutated_heads_get_one_verdict_however_they_are_cut),
	};

	static struct CMUnitTest tests[COUNT(singles) + COUNT(cases)];

	memcpy(tests, singles, sizeof(singles));
	for (size_t i = 0; i < COUNT(cases); i++)
		tests[COUNT(singles) + i] = row_test(cases[i].name, run_case, &cases[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
