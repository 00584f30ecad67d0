/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Negotiation: one row of a table is one request, the weights that it gives, and what is
 * chosen from several offers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rows.h"
#include "http/negotiate.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LINES_MAX 4
#define OFFERS_MAX 4

/* Lines of one field, between two others. */
struct request {
	struct http_field fields[LINES_MAX + 2];
	struct http_head head;
};

static void
request_init(struct request *r, enum http_field_id id,
	     const char *const values[LINES_MAX])
{
	size_t n = 0;

	r->fields[n++] = (struct http_field){ SLICE_LIT("te"), SLICE_LIT("gzip;q=0, */*"),
					      HTTP_FIELD_TE, false };
	for (size_t i = 0; i < LINES_MAX && values[i] != NULL; i++) {
		r->fields[n++] =
			(struct http_field){ http_field_name(id),
					     slice_from_str(values[i]), id, false };
	}
	r->fields[n++] = (struct http_field){ SLICE_LIT("x"), SLICE_LIT("br, */*"),
					      HTTP_FIELD_OTHER, false };
	r->head = (struct http_head){ .method = HTTP_GET,
				      .fields = r->fields,
				      .field_count = n };
}

/* --- weights --- */

#define REFUSED (-1) /* the element counts for nothing */

static const struct {
	const char *text;
	int q;
} weights[] = {
	{ "0", 0 },
	{ "0.", 0 },
	{ "0,5", 0 }, /* two elements */
	{ "0.0", 0 },
	{ "0.00", 0 },
	{ "0.000", 0 },
	{ "0.001", 1 },
	{ "0.01", 10 },
	{ "0.010", 10 },
	{ "0.1", 100 },
	{ "0.12", 120 },
	{ "0.123", 123 },
	{ "0.5", 500 },
	{ "0.9", 900 },
	{ "0.99", 990 },
	{ "0.999", 999 },
	{ "1", 1000 },
	{ "1.", 1000 },
	{ "1.0", 1000 },
	{ "1.00", 1000 },
	{ "1.000", 1000 },
	{ "", REFUSED },
	{ ".", REFUSED },
	{ ".5", REFUSED },
	{ "00", REFUSED },
	{ "01", REFUSED },
	{ "00.5", REFUSED },
	{ "10", REFUSED },
	{ "2", REFUSED },
	{ "9.999", REFUSED },
	{ "1.1", REFUSED },
	{ "1.01", REFUSED },
	{ "1.001", REFUSED },
	{ "0.1234", REFUSED },
	{ "0.0000", REFUSED },
	{ "1.0000", REFUSED },
	{ "-0", REFUSED },
	{ "-1", REFUSED },
	{ "+1", REFUSED },
	{ "0.5.", REFUSED },
	{ "0.5x", REFUSED },
	{ "0. 5", REFUSED },
	{ " 0.5", REFUSED },
	{ "0x1", REFUSED },
	{ "1e0", REFUSED },
	{ "a", REFUSED },
	{ "0.a", REFUSED },
	{ "\"0.5\"", REFUSED },
	{ "\"1\"", REFUSED },
	{ "0.\xd9\xa1", REFUSED },
	{ "0.5 0.6", REFUSED },
	{ "99999999999999999999999999999999999", REFUSED },
};

/* `format` takes the name of a coding and the weight. */
static int
coding_weight(const char *format, const char *weight)
{
	char value[128];
	const char *const lines[LINES_MAX] = { value };
	struct negotiate_codings want;
	struct request r;

	snprintf(value, sizeof(value), format, "gzip", weight);
	request_init(&r, HTTP_FIELD_ACCEPT_ENCODING, lines);
	negotiate_codings(&r.head, &want);
	return want.q[CODING_GZIP];
}

/* Found by comparison with a type whose weight is known and which wins a tie. */
static int
media_weight(const char *format, const char *weight)
{
	const struct slice types[] = { SLICE_LIT("x/y"), SLICE_LIT("a/b") };
	int low = 0;

	for (int q = 1000; q > 0; q--) {
		char value[128], other[32];
		const char *const lines[LINES_MAX] = { value, other };
		struct request r;

		snprintf(value, sizeof(value), format, "a/b", weight);
		snprintf(other, sizeof(other), "x/y;q=%d.%03d", q / 1000, q % 1000);
		request_init(&r, HTTP_FIELD_ACCEPT, lines);
		if (negotiate_media(&r.head, types, 2) == 0)
			low = q;
	}
	/* The lowest that was chosen is the weight of the other; 0 and 0.001 look alike. */
	return low == 1 ? 0 : low;
}

static void
weights_are_read_in_every_form(void **state)
{
	static const char *const formats[] = { "%s;q=%s", "%s;Q=%s", "%s ; q=%s",
					       "%s\t;\tq=%s" };

	(void)state;
	for (size_t i = 0; i < COUNT(weights); i++) {
		int q = weights[i].q == REFUSED ? 0 : weights[i].q;

		for (size_t j = 0; j < COUNT(formats); j++)
			assert_int_equal(coding_weight(formats[j], weights[i].text), q);
		if (q != 1)
			assert_int_equal(media_weight(formats[0], weights[i].text), q);
	}
}

/* 0 excludes what "*" allows; an element that is passed over excludes nothing. */
static void
refused_weight_is_no_weight_of_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(weights); i++) {
		int q = weights[i].q == REFUSED ? 700 : weights[i].q;

		assert_int_equal(coding_weight("%s;q=%s, *;q=0.7", weights[i].text), q);
		if (q != 1)
			assert_int_equal(
				media_weight("%s;q=%s, */*;q=0.7", weights[i].text), q);
	}
}

/* --- codings --- */

#define ID CODING_IDENTITY
#define GZ CODING_GZIP
#define ZS CODING_ZSTD
#define BR CODING_BR
#define NO CODING_COUNT

struct coding_case {
	const char *name;
	const char *lines[LINES_MAX];
	uint16_t q[4]; /* identity, gzip, zstd, br */
	bool identity_is_named;
	enum coding
		picks[4]; /* of { zstd, br, gzip }, { gzip }, nothing, { identity, br } */
};

static const struct {
	size_t count;
	enum coding codings[OFFERS_MAX];
} offers[] = { { 3, { ZS, BR, GZ } }, { 1, { GZ } }, { 0, { 0 } }, { 2, { ID, BR } } };

/* clang-format off */
static const struct coding_case coding_cases[] = {
#define Q(...) { __VA_ARGS__ }
#define ROW(name, value, q, named, ...) \
	{ "coding_" name, { value }, q, named, { __VA_ARGS__ } }
	ROW("no_field_is_identity_though_all_is_acceptable", NULL, Q(1000, 1, 1, 1), true,
	    ID, ID, ID, ID),
	ROW("empty_field_is_identity_alone", "", Q(1000, 0, 0, 0), false, ID, ID, ID, ID),
	ROW("empty_elements_are_identity_alone", ", ,\t,", Q(1000, 0, 0, 0), false, ID, ID,
	    ID, ID),
	ROW("one", "gzip", Q(1000, 1000, 0, 0), false, GZ, GZ, ID, ID),
	ROW("of_a_browser", "gzip, deflate, br, zstd", Q(1000, 1000, 1000, 1000), false, ZS,
	    GZ, ID, BR),
	ROW("ties_follow_the_server", "br, gzip, zstd", Q(1000, 1000, 1000, 1000), false, ZS,
	    GZ, ID, BR),
	ROW("ties_of_less_than_one_follow_the_server", "br;q=0.5, gzip;q=0.500, zstd;q=0.4",
	    Q(1000, 500, 400, 500), false, BR, GZ, ID, BR),
	ROW("the_highest_weight_wins", "zstd;q=0.8, br;q=0.9, gzip", Q(1000, 1000, 800, 900),
	    false, GZ, GZ, ID, BR),
	ROW("a_thousandth_decides", "zstd;q=0.998, br;q=0.999", Q(1000, 0, 998, 999), false,
	    BR, ID, ID, BR),
	ROW("low_weight_is_better_than_unnamed_identity", "gzip;q=0.001",
	    Q(1000, 1, 0, 0), false, GZ, GZ, ID, ID),
	ROW("zero_refuses", "gzip;q=0", Q(1000, 0, 0, 0), false, ID, ID, ID, ID),
	ROW("zero_refuses_one_of_two", "gzip;q=0, br", Q(1000, 0, 0, 1000), false, BR, ID, ID,
	    BR),
	/* identity */
	ROW("identity_alone", "identity", Q(1000, 0, 0, 0), true, ID, ID, ID, ID),
	ROW("identity_as_good_comes_after_what_is_offered", "identity, gzip",
	    Q(1000, 1000, 0, 0), true, GZ, GZ, ID, ID),
	ROW("identity_offered_first_wins_a_tie", "identity, br", Q(1000, 0, 0, 1000), true,
	    BR, ID, ID, ID),
	ROW("identity_better_wins", "gzip;q=0.9, identity", Q(1000, 900, 0, 0), true, ID, ID,
	    ID, ID),
	ROW("identity_worse_loses", "gzip;q=0.9, identity;q=0.1", Q(100, 900, 0, 0), true, GZ,
	    GZ, ID, ID),
	ROW("identity_worse_is_better_than_nothing", "identity;q=0.1", Q(100, 0, 0, 0), true,
	    ID, ID, ID, ID),
	ROW("identity_refused", "identity;q=0", Q(0, 0, 0, 0), true, NO, NO, NO, NO),
	ROW("identity_refused_leaves_another", "identity;q=0, gzip", Q(0, 1000, 0, 0), true,
	    GZ, GZ, NO, NO),
	ROW("identity_in_capitals", "IDENTITY;q=0, gzip", Q(0, 1000, 0, 0), true, GZ, GZ, NO,
	    NO),
	/* "*" */
	ROW("star_allows_all", "*", Q(1000, 1000, 1000, 1000), true, ZS, GZ, ID, ID),
	ROW("star_with_a_weight", "*;q=0.3", Q(300, 300, 300, 300), true, ZS, GZ, ID, ID),
	ROW("star_is_for_what_is_not_named", "gzip;q=0.2, *;q=0.7", Q(700, 200, 700, 700),
	    true, ZS, ID, ID, ID),
	ROW("star_before_is_the_same", "*;q=0.7, gzip;q=0.2", Q(700, 200, 700, 700), true, ZS,
	    ID, ID, ID),
	ROW("star_does_not_raise_a_refused_one", "*, br;q=0, identity;q=0.5",
	    Q(500, 1000, 1000, 0), true, ZS, GZ, ID, ID),
	ROW("star_refused_refuses_identity", "*;q=0", Q(0, 0, 0, 0), true, NO, NO, NO, NO),
	ROW("star_refused_leaves_what_is_named", "gzip, *;q=0", Q(0, 1000, 0, 0), true, GZ,
	    GZ, NO, NO),
	ROW("star_refused_leaves_identity_that_is_named", "identity;q=0.5, *;q=0",
	    Q(500, 0, 0, 0), true, ID, ID, ID, ID),
	ROW("identity_refused_among_all", "*, identity;q=0", Q(0, 1000, 1000, 1000), true, ZS,
	    GZ, NO, BR),
	/* Names */
	ROW("x_gzip_is_gzip", "x-gzip", Q(1000, 1000, 0, 0), false, GZ, GZ, ID, ID),
	ROW("names_in_any_case", "GZip;q=0.5, X-GZIP;q=0.4, Br, ZSTD;Q=0.1",
	    Q(1000, 500, 100, 1000), false, BR, GZ, ID, BR),
	ROW("unknown_names_pass", "deflate, compress, x-compress, dcb, exi",
	    Q(1000, 0, 0, 0), false, ID, ID, ID, ID),
	ROW("longer_and_shorter_names_are_others", "gzipp, gzi, brr, b, zstd1, **",
	    Q(1000, 0, 0, 0), false, ID, ID, ID, ID),
	/* Named twice */
	ROW("twice_has_the_highest", "gzip;q=0.2, br;q=0.5, gzip;q=0.6, gzip;q=0.1",
	    Q(1000, 600, 0, 500), false, GZ, GZ, ID, BR),
	ROW("twice_by_two_names_has_the_highest", "gzip;q=0, x-gzip;q=0.5",
	    Q(1000, 500, 0, 0), false, GZ, GZ, ID, ID),
	ROW("star_twice_has_the_highest", "*;q=0, *;q=0.1", Q(100, 100, 100, 100), true, ZS,
	    GZ, ID, ID),
	/* Blanks */
	ROW("blanks_and_empty_elements", " ,,gzip\t ; \tq=0.5 ,\t, br ,", Q(1000, 500, 0, 1000),
	    false, BR, GZ, ID, BR),
	/* What is passed over */
	ROW("bad_weight_is_passed_over", "gzip;q=2, br;q=0.5", Q(1000, 0, 0, 500), false, BR,
	    ID, ID, BR),
	ROW("bad_weight_of_identity_is_passed_over", "identity;q=-0, gzip;q=0.1",
	    Q(1000, 100, 0, 0), false, GZ, GZ, ID, ID),
	ROW("semicolon_alone_is_passed_over", "gzip;, br", Q(1000, 0, 0, 1000), false, BR, ID,
	    ID, BR),
	ROW("other_parameter_is_passed_over", "gzip;level=9, zstd;x=1;q=0.5, br;q=1;x",
	    Q(1000, 0, 0, 0), false, ID, ID, ID, ID),
	ROW("weight_without_a_name_is_passed_over", ";q=1, =, q=1, br;q=0.5",
	    Q(1000, 0, 0, 500), false, BR, ID, ID, BR),
	ROW("weight_without_equals_is_passed_over", "gzip;q, zstd;q0.5, br;q 0.5",
	    Q(1000, 0, 0, 0), false, ID, ID, ID, ID),
	ROW("blanks_around_equals_are_passed_over", "gzip;q =1, br;q= 1",
	    Q(1000, 0, 0, 0), false, ID, ID, ID, ID),
	ROW("two_weights_are_passed_over", "gzip;q=1;q=1", Q(1000, 0, 0, 0), false, ID, ID, ID,
	    ID),
	ROW("missing_comma_is_passed_over", "gzip br, zstd", Q(1000, 0, 1000, 0), false, ZS,
	    ID, ID, ID),
	ROW("missing_semicolon_is_passed_over", "gzip q=1, zstd/q=1", Q(1000, 0, 0, 0), false,
	    ID, ID, ID, ID),
	ROW("quoted_name_is_passed_over", "\"gzip\", br", Q(1000, 0, 0, 1000), false, BR, ID,
	    ID, BR),
	ROW("commas_in_quotes_are_no_separators", "\"a, gzip, b\", br", Q(1000, 0, 0, 1000),
	    false, BR, ID, ID, BR),
	ROW("quote_without_end_takes_the_rest", "br, \"gzip, zstd", Q(1000, 0, 0, 1000),
	    false, BR, ID, ID, BR),
	ROW("bytes_above_127_are_passed_over", "\xff, gzip\xff, br", Q(1000, 0, 0, 1000),
	    false, BR, ID, ID, BR),
	/* Lines */
	{ "coding_lines_are_one_list", { "gzip;q=0.5", "", "br", "*;q=0" },
	  { 0, 500, 0, 1000 }, true, { BR, GZ, NO, BR } },
	{ "coding_star_in_another_line_spares_what_is_named", { "*;q=0", "identity;q=0.5" },
	  { 500, 0, 0, 0 }, true, { ID, ID, ID, ID } },
	{ "coding_quote_without_end_ends_with_its_line", { "\"gzip", "br" },
	  { 1000, 0, 0, 1000 }, false, { BR, ID, ID, BR } },
#undef ROW
#undef Q
};
/* clang-format on */

static void
run_coding(void **state)
{
	const struct coding_case *c = *state;
	struct negotiate_codings want;
	struct request r;

	memset(&want, 0xa5, sizeof(want));
	request_init(&r, HTTP_FIELD_ACCEPT_ENCODING, c->lines);
	negotiate_codings(&r.head, &want);
	assert_int_equal(want.q[CODING_IDENTITY], c->q[0]);
	assert_int_equal(want.q[CODING_GZIP], c->q[1]);
	assert_int_equal(want.q[CODING_ZSTD], c->q[2]);
	assert_int_equal(want.q[CODING_BR], c->q[3]);
	assert_int_equal(want.identity_is_named, c->identity_is_named);
	for (size_t i = 0; i < COUNT(offers); i++) {
		assert_int_equal(
			negotiate_pick_coding(&want, offers[i].codings, offers[i].count),
			c->picks[i]);
	}
}

/* --- media types --- */

struct media_case {
	const char *name;
	const char *lines[LINES_MAX];
	const char *types[OFFERS_MAX];
	const char *best; /* or NULL */
};

#define HTML "text/html"
#define PLAIN "text/plain"
#define JSON "application/json"
#define SVG "image/svg+xml"

/* clang-format off */
static const struct media_case media_cases[] = {
#define T(...) { __VA_ARGS__ }
#define ROW(name, value, types, best) { "media_" name, { value }, types, best }
	ROW("no_accept_is_the_first", NULL, T(HTML, JSON), HTML),
	ROW("empty_accept_accepts_nothing", "", T(HTML, JSON), NULL),
	ROW("empty_elements_accept_nothing", ",, ,", T(HTML, JSON), NULL),
	ROW("specific", "application/json", T(HTML, JSON), JSON),
	ROW("specific_of_the_first", "text/html", T(HTML, JSON), HTML),
	ROW("nothing_acceptable", "image/png", T(HTML, JSON), NULL),
	ROW("any", "*/*", T(HTML, JSON), HTML),
	ROW("any_subtype", "application/*", T(HTML, JSON), JSON),
	ROW("any_subtype_of_another_type", "image/*", T(HTML, JSON), NULL),
	ROW("ties_follow_the_server", "application/json, text/html", T(HTML, JSON), HTML),
	ROW("ties_of_less_than_one_follow_the_server", "application/json;q=0.5, text/*;q=0.50",
	    T(HTML, JSON), HTML),
	ROW("the_highest_weight_wins", "text/html;q=0.8, application/json;q=0.9",
	    T(HTML, JSON), JSON),
	ROW("a_thousandth_decides", "text/html;q=0.998, application/json;q=0.999",
	    T(HTML, JSON), JSON),
	ROW("zero_refuses", "text/html;q=0", T(HTML), NULL),
	ROW("zero_refuses_what_any_allows", "text/html;q=0, */*;q=0.1", T(HTML, JSON), JSON),
	ROW("zero_for_any_leaves_what_is_named", "*/*;q=0, application/json;q=0.1",
	    T(HTML, JSON), JSON),
	ROW("zero_for_all_subtypes_refuses_what_any_allows", "text/*;q=0, */*;q=0.1",
	    T(HTML, JSON), JSON),
	ROW("zero_for_all_subtypes_leaves_one", "text/*;q=0, text/plain;q=0.1",
	    T(HTML, PLAIN), PLAIN),
	ROW("of_a_browser", "text/html,application/xhtml+xml,application/xml;q=0.9,"
	    "image/avif,image/webp,image/apng,*/*;q=0.8,"
	    "application/signed-exchange;v=b3;q=0.7", T(JSON, HTML), HTML),
	ROW("of_a_script", "application/json, text/javascript, */*; q=0.01", T(HTML, JSON),
	    JSON),
	/* The most specific gives the weight, whatever the order */
	ROW("specific_before_subtype", "text/html;q=0.1, text/*;q=0.9, application/json;q=0.5",
	    T(HTML, JSON), JSON),
	ROW("specific_after_subtype", "text/*;q=0.9, application/json;q=0.5, text/html;q=0.1",
	    T(HTML, JSON), JSON),
	ROW("specific_before_any", "text/html;q=0.1, */*;q=0.9", T(HTML, JSON), JSON),
	ROW("specific_after_any", "*/*;q=0.9, text/html;q=0.1", T(HTML, JSON), JSON),
	ROW("subtype_before_any", "text/*;q=0.1, */*;q=0.9", T(HTML, JSON), JSON),
	ROW("subtype_after_any", "*/*;q=0.9, text/*;q=0.1", T(HTML, JSON), JSON),
	ROW("three_levels", "*/*;q=0.5, text/*;q=0.3, text/plain;q=0.7",
	    T(HTML, SVG, PLAIN), PLAIN),
	ROW("three_levels_without_the_specific", "*/*;q=0.5, text/*;q=0.3, text/plain;q=0.7",
	    T(HTML, SVG), SVG),
	/* Section 12.5.1, the example with levels: text/html 0.7, text/plain 0.3, others 0.5 */
	ROW("example_of_the_rfc_html", "text/*;q=0.3, text/html;q=0.7, text/html;level=1, "
	    "text/html;level=2;q=0.4, */*;q=0.5", T(PLAIN, JSON, HTML), HTML),
	ROW("example_of_the_rfc_others", "text/*;q=0.3, text/html;q=0.7, text/html;level=1, "
	    "text/html;level=2;q=0.4, */*;q=0.5", T(PLAIN, JSON), JSON),
	ROW("example_of_the_rfc_text", "text/*;q=0.3, text/html;q=0.7, text/html;level=1, "
	    "text/html;level=2;q=0.4, */*;q=0.2", T(JSON, PLAIN), PLAIN),
	/* Parameters */
	ROW("parameter_between_type_and_weight", "text/html;level=1;q=0.2, "
	    "application/json;q=0.3", T(HTML, JSON), JSON),
	ROW("parameter_behind_the_weight", "text/html;q=0.2;level=1, application/json;q=0.3",
	    T(HTML, JSON), JSON),
	ROW("blanks_around_parameters", "text/html ;\tlevel=1 ; q=0.2 , application/json\t;"
	    "charset=utf-8; q=0.3", T(HTML, JSON), JSON),
	ROW("parameters_without_another_range_match", "application/json;charset=utf-8",
	    T(HTML, JSON), JSON),
	ROW("parameters_count_more_than_a_lower_wildcard",
	    "application/json;version=2, */*;q=0.5", T(HTML, JSON), JSON),
	ROW("parameters_count_less_than_a_higher_wildcard",
	    "text/html;level=1;q=0.1, text/*;q=0.9, */*;q=0.5", T(JSON, HTML), HTML),
	ROW("parameters_do_not_overrule_the_type_itself",
	    "text/html;level=1, text/html;q=0.1, */*;q=0.5", T(HTML, JSON), JSON),
	ROW("refused_variant_is_no_refusal", "text/html;level=1;q=0, text/*", T(HTML, JSON),
	    HTML),
	ROW("refused_type_refuses_its_variants", "text/html;q=0, text/html;level=1", T(HTML),
	    NULL),
	ROW("refused_variant_alone_accepts_nothing", "text/html;level=1;q=0", T(HTML), NULL),
	ROW("wildcards_with_parameters_match", "text/*;level=1;q=0.5, */*;v=1;q=0.4",
	    T(JSON, HTML), HTML),
	ROW("empty_parameters_pass", "text/html;;q=0.2; ;, application/json;",
	    T(HTML, JSON), JSON),
	ROW("empty_parameters_are_none", "text/html;;q=0.2;, text/html;level=1, "
	    "application/json;q=0.3", T(HTML, JSON), JSON),
	ROW("weight_in_capitals", "text/html;Q=0.2, application/json;Q=0.3", T(HTML, JSON),
	    JSON),
	ROW("parameter_that_begins_with_q", "text/html;qs=0, application/json;q=0.5",
	    T(JSON, HTML), HTML),
	/* Quoted strings */
	ROW("comma_in_quotes", "text/html;a=\"x, application/json, y\";q=0.2",
	    T(JSON, HTML), HTML),
	ROW("comma_in_quotes_and_weight_behind",
	    "text/html;a=\"x,y\";q=0.2, application/json;q=0.3", T(HTML, JSON), JSON),
	ROW("semicolon_in_quotes", "text/html;a=\";q=0\", application/json;q=0.9",
	    T(JSON, HTML), HTML),
	ROW("escaped_quote", "text/html;a=\"\\\",application/json,\";q=0.5", T(JSON, HTML),
	    HTML),
	ROW("escaped_backslash", "text/html;a=\"\\\\\",application/json;q=0.5", T(JSON, HTML),
	    HTML),
	ROW("empty_quotes", "text/html;a=\"\";q=0.5, application/json;q=0.6", T(HTML, JSON),
	    JSON),
	ROW("quote_without_end_is_passed_over", "application/json, text/html;a=\"x, text/html",
	    T(HTML, JSON), JSON),
	ROW("quote_that_ends_escaped_is_passed_over", "application/json, text/html;a=\"x\\\"",
	    T(HTML, JSON), JSON),
	ROW("quote_that_ends_in_a_backslash_is_passed_over",
	    "application/json, text/html;a=\"x\\", T(HTML, JSON), JSON),
	ROW("token_behind_quotes_is_passed_over", "text/html;a=\"x\"y, application/json;q=0.1",
	    T(HTML, JSON), JSON),
	/* Case */
	ROW("any_case", "TEXT/Html;q=0.2, Application/JSON;q=0.3", T(HTML, JSON), JSON),
	ROW("any_case_of_a_wildcard", "Application/*", T(HTML, JSON), JSON),
	ROW("suffixes_are_part_of_the_name", "image/svg+xml", T(HTML, SVG), SVG),
	/* What is another type */
	ROW("longer_subtype_is_another", "text/html5, text/htm, texts/html, tex/html",
	    T(HTML), NULL),
	ROW("suffix_is_no_wildcard", "application/ld+json, */json", T(JSON), NULL),
	ROW("star_within_is_no_wildcard", "text/h*, t*/html, **/*, text/**", T(HTML), NULL),
	/* Named twice */
	ROW("twice_has_the_highest", "text/html;q=0.2, application/json;q=0.5, "
	    "text/html;q=0.6, text/html;q=0.1", T(JSON, HTML), HTML),
	ROW("variants_have_the_highest", "text/html;a=1;q=0.2, application/json;q=0.5, "
	    "text/html;a=2;q=0.6, text/html;a=3;q=0", T(JSON, HTML), HTML),
	/* What is passed over */
	ROW("bad_weight_is_passed_over", "text/html;q=2, application/json;q=0.1",
	    T(HTML, JSON), JSON),
	ROW("bad_weight_refuses_nothing", "text/html;q=x, text/*", T(HTML), HTML),
	ROW("two_weights_are_passed_over", "text/html;q=1;q=1, application/json;q=0.1",
	    T(HTML, JSON), JSON),
	ROW("quoted_weight_is_passed_over", "text/html;q=\"1\", application/json;q=0.1",
	    T(HTML, JSON), JSON),
	ROW("star_alone_is_passed_over", "*, application/json;q=0.1", T(HTML, JSON), JSON),
	ROW("star_and_subtype_is_passed_over", "*/html, application/json;q=0.1",
	    T(HTML, JSON), JSON),
	ROW("type_alone_is_passed_over", "text, text/, /html, /, text//html, text=html",
	    T(HTML), NULL),
	ROW("blanks_around_the_slash_are_passed_over", "text /html, text/ html", T(HTML),
	    NULL),
	ROW("parameter_without_value_is_passed_over", "text/html;a, text/html;a=, "
	    "text/html;=1, text/html;a;q=1, text/html;q=, text/html;a/b", T(HTML), NULL),
	ROW("blanks_around_equals_are_passed_over", "text/html;q =1, text/html;q= 1, "
	    "text/html;a =1", T(HTML), NULL),
	ROW("missing_semicolon_is_passed_over", "text/html q=1, text/html/x, text/html=1",
	    T(HTML), NULL),
	ROW("missing_comma_is_passed_over", "text/html application/json", T(HTML, JSON), NULL),
	ROW("bytes_above_127_are_passed_over", "\xff/\xff, text/html\xff, application/json",
	    T(HTML, JSON), JSON),
	ROW("an_error_spoils_only_its_element", "text/html;q=0.2, ;;;, application/json;q=0.3",
	    T(HTML, JSON), JSON),
	/* Lines and offers */
	{ "media_lines_are_one_list", { "text/html;q=0.2", "", "application/json", "*/*;q=0" },
	  { HTML, PLAIN, JSON }, JSON },
	{ "media_quote_without_end_ends_with_its_line",
	  { "text/html;a=\"", "application/json" }, { HTML, JSON }, JSON },
	ROW("nothing_offered", "*/*", T(NULL), NULL),
	ROW("nothing_offered_and_no_accept", NULL, T(NULL), NULL),
	ROW("offers_in_capitals", "application/json", T("Text/HTML", "Application/JSON"),
	    "Application/JSON"),
#undef ROW
#undef T
};
/* clang-format on */

static void
run_media(void **state)
{
	const struct media_case *c = *state;
	struct slice types[OFFERS_MAX];
	struct request r;
	size_t count = 0, best;

	while (count < OFFERS_MAX && c->types[count] != NULL) {
		types[count] = slice_from_str(c->types[count]);
		count++;
	}
	request_init(&r, HTTP_FIELD_ACCEPT, c->lines);
	best = negotiate_media(&r.head, types, count);
	assert_in_range(best, 0, count);
	if (c->best == NULL)
		assert_int_equal(best, count);
	else
		assert_string_equal(best < count ? c->types[best] : "none", c->best);
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(weights_are_read_in_every_form),
	cmocka_unit_test(refused_weight_is_no_weight_of_zero),
};

int
main(void)
{
	static struct CMUnitTest
		tests[COUNT(coding_cases) + COUNT(media_cases) + COUNT(plain_tests)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(coding_cases); i++)
		tests[n++] = row_test(coding_cases[i].name, run_coding, &coding_cases[i]);
	for (size_t i = 0; i < COUNT(media_cases); i++)
		tests[n++] = row_test(media_cases[i].name, run_media, &media_cases[i]);
	for (size_t i = 0; i < COUNT(plain_tests); i++)
		tests[n++] = plain_tests[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
