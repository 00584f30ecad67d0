/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Content codings: what goes in comes out of the decoder of the library, however it was cut
 * into pieces. A coding that was not built in is skipped, and so is decoding br without
 * libbrotlidec.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rows.h"
#include "coding_pieces.h"
#include "config.h"

#ifdef HAVE_ZLIB
#include <zlib.h>
#define GZIP_BUILT_IN true
#else
#define GZIP_BUILT_IN false
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#define ZSTD_BUILT_IN true
#else
#define ZSTD_BUILT_IN false
#endif
#ifdef HAVE_BROTLI
#define BR_BUILT_IN true
#else
#define BR_BUILT_IN false
#endif
#ifdef HAVE_BROTLIDEC
#include <brotli/decode.h>
#endif

/* --- decoding, by the libraries --- */

#ifdef HAVE_ZLIB
static void
decode_gzip(struct slice in, struct slice want)
{
	size_t cap = want.len + 1;
	unsigned char *out = malloc(cap);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.ptr, .avail_in = (uInt)in.len };

	assert_non_null(out);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)cap;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(z.total_out, want.len);
	assert_memory_equal(out, want.ptr, want.len);
	inflateEnd(&z);
	free(out);
}
#endif

#ifdef HAVE_ZSTD
/* As a client does that gives no more than 1 MiB for the window. */
static void
decode_zstd(struct slice in, struct slice want)
{
	size_t cap = want.len + 1;
	char *out = malloc(cap);
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer from = { in.ptr, in.len, 0 };
	ZSTD_outBuffer to = { out, cap, 0 };

	assert_non_null(out);
	assert_non_null(z);
	assert_false(ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 20)));
	assert_int_equal(ZSTD_decompressStream(z, &to, &from), 0);
	assert_int_equal(from.pos, in.len);
	assert_int_equal(to.pos, want.len);
	assert_memory_equal(out, want.ptr, want.len);
	ZSTD_freeDCtx(z);
	free(out);
}
#endif

#ifdef HAVE_BROTLIDEC
static void
decode_br(struct slice in, struct slice want)
{
	size_t left = in.len, room = want.len + 1;
	unsigned char *out = malloc(room), *to = out;
	const uint8_t *from = (const uint8_t *)in.ptr;
	BrotliDecoderState *s = BrotliDecoderCreateInstance(NULL, NULL, NULL);

	assert_non_null(out);
	assert_non_null(s);
	assert_int_equal(BrotliDecoderDecompressStream(s, &left, &from, &room, &to, NULL),
			 BROTLI_DECODER_RESULT_SUCCESS);
	assert_int_equal(left, 0);
	assert_int_equal(to - out, want.len);
	assert_memory_equal(out, want.ptr, want.len);
	BrotliDecoderDestroyInstance(s);
	free(out);
}
#endif

static bool
is_decodable(enum coding c)
{
#ifndef HAVE_BROTLIDEC
	if (c == CODING_BR) {
		print_message("br is not decoded: libbrotlidec was not found\n");
		return false;
	}
#endif
	return c != CODING_COUNT;
}

/* Fails the test unless `in`, decoded whole, is `want`. */
static void
assert_decodes(enum coding c, struct slice in, struct slice want)
{
	(void)in;
	(void)want;
#ifdef HAVE_ZLIB
	if (c == CODING_GZIP)
		decode_gzip(in, want);
#endif
#ifdef HAVE_ZSTD
	if (c == CODING_ZSTD)
		decode_zstd(in, want);
#endif
#ifdef HAVE_BROTLIDEC
	if (c == CODING_BR)
		decode_br(in, want);
#endif
	if (c == CODING_IDENTITY)
		assert_true(slice_eq(in, want));
}

static void
encode_pieces(enum coding c, struct slice in, const struct cut *cut, struct buf *out)
{
	struct encoder *e = encoder_new(c);
	char *space = malloc(cut->out_max + 1);

	assert_non_null(e);
	assert_non_null(space);
	random_state = 88675123u;
	assert_int_equal(run_pieces(e, in, cut, space, out), 0);
	assert_false(out != NULL && out->failed);
	free(space);
	encoder_free(e);
}

static const struct input {
	const char *name;
	enum input_kind kind;
	size_t size;
} inputs[] = {
	{ "nothing", TEXT, 0 },
	{ "one_byte", TEXT, 1 },
	{ "text_of_64_KiB", TEXT, 64 * KIB },
	{ "random_bytes_of_1_MiB", RANDOM, 1024 * KIB },
	{ "text_of_1536_KiB", TEXT, 1536 * KIB },
};
/* Round trips: in pieces, and the last one by coding_encode. */
#define WAYS (COUNT(cuts) + 1)

struct trip {
	char name[96];
	enum coding coding;
	const struct input *input;
	const struct cut *cut; /* NULL: coding_encode */
};

static void
round_trip(void **state)
{
	const struct trip *t = *state;
	struct slice in;
	struct buf out;

	if (!coding_is_built_in(t->coding) || !is_decodable(t->coding))
		skip();
	in = input_make(t->input->kind, t->input->size);
	buf_init(&out);
	if (t->cut != NULL)
		encode_pieces(t->coding, in, t->cut, &out);
	else
		assert_int_equal(coding_encode(t->coding, in, &out), 0);
	assert_decodes(t->coding, buf_slice(&out), in);
	buf_fini(&out);
	input_free(in);
}

/* --- tests of one coding: the state is an element of `encoded` --- */

static void
same_pieces_give_the_same_bytes(void **state)
{
	enum coding c = *(const enum coding *)*state;
	struct slice in;

	if (!coding_is_built_in(c))
		skip();
	in = input_make(TEXT, 300 * KIB);
	for (size_t i = 0; i < COUNT(cuts); i++) {
		struct buf a, b;

		buf_init(&a);
		buf_init(&b);
		encode_pieces(c, in, &cuts[i], &a);
		encode_pieces(c, in, &cuts[i], &b);
		assert_true(slice_eq(buf_slice(&a), buf_slice(&b)));
		buf_fini(&a);
		buf_fini(&b);
	}
	input_free(in);
}

static void
text_shrinks_to_less_than_half(void **state)
{
	enum coding c = *(const enum coding *)*state;
	struct slice in;
	struct buf stream, whole;

	if (!coding_is_built_in(c))
		skip();
	in = input_make(TEXT, 64 * KIB);
	buf_init(&stream);
	buf_init(&whole);
	encode_pieces(c, in, &cuts[0], &stream);
	assert_int_equal(coding_encode(c, in, &whole), 0);
	assert_in_range(stream.len, 1, in.len / 2);
	assert_in_range(whole.len, 1, in.len / 2);
	buf_fini(&stream);
	buf_fini(&whole);
	input_free(in);
}

static void
after_the_end_nothing_comes(void **state)
{
	enum coding c = *(const enum coding *)*state;
	struct slice in = SLICE("");
	struct encoder *e;
	char space[65];
	bool done;

	if (!coding_is_built_in(c))
		skip();
	e = encoder_new(c);
	assert_non_null(e);
	assert_int_equal(run_once(e, &in, false, space, 64, &done), 0);
	assert_true(run_once(e, &in, true, space, 64, &done) > 0);
	assert_true(done);
	assert_int_equal(run_once(e, &in, true, space, 64, &done), 0);
	assert_true(done);
	encoder_free(e);
}

static void
encode_appends_to_what_is_there(void **state)
{
	enum coding c = *(const enum coding *)*state;
	struct slice in = SLICE("to be encoded");
	struct buf out;

	if (!coding_is_built_in(c) || !is_decodable(c))
		skip();
	buf_init(&out);
	buf_add_str(&out, "head");
	assert_int_equal(coding_encode(c, in, &out), 0);
	assert_true(slice_starts_with(buf_slice(&out), SLICE("head")));
	assert_decodes(c, slice_from(buf_slice(&out), 4), in);
	buf_fini(&out);
}

static void
what_is_not_built_in_has_no_encoder(void **state)
{
	enum coding c = *(const enum coding *)*state;
	struct buf out;

	if (coding_is_built_in(c))
		skip();
	buf_init(&out);
	assert_null(encoder_new(c));
	assert_int_equal(coding_encode(c, SLICE("x"), &out), -ENOTSUP);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

/* --- tests without a coding --- */

static void
codings_have_names_and_extensions(void **state)
{
	static const struct {
		enum coding coding;
		const char *name, *extension;
		bool is_built_in;
	} rows[] = {
		{ CODING_IDENTITY, "identity", "", true },
		{ CODING_GZIP, "gzip", ".gz", GZIP_BUILT_IN },
		{ CODING_ZSTD, "zstd", ".zst", ZSTD_BUILT_IN },
		{ CODING_BR, "br", ".br", BR_BUILT_IN },
	};

	(void)state;
	assert_int_equal(COUNT(rows), CODING_COUNT);
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum coding c = rows[i].coding;

		assert_true(slice_eq(coding_name(c), slice_from_str(rows[i].name)));
		assert_true(
			slice_eq(coding_extension(c), slice_from_str(rows[i].extension)));
		assert_int_equal(coding_is_built_in(c), rows[i].is_built_in);
	}
}

static void
names_are_found_in_any_case(void **state)
{
	static const struct {
		const char *name;
		enum coding coding;
	} rows[] = {
		{ "identity", CODING_IDENTITY },
		{ "Identity", CODING_IDENTITY },
		{ "gzip", CODING_GZIP },
		{ "GZip", CODING_GZIP },
		{ "x-gzip", CODING_GZIP },
		{ "X-GZIP", CODING_GZIP },
		{ "zstd", CODING_ZSTD },
		{ "ZSTD", CODING_ZSTD },
		{ "br", CODING_BR },
		{ "bR", CODING_BR },
		{ "", CODING_COUNT },
		{ "b", CODING_COUNT },
		{ "brr", CODING_COUNT },
		{ "gzip ", CODING_COUNT },
		{ "x-zstd", CODING_COUNT },
		{ "x-br", CODING_COUNT },
		{ "deflate", CODING_COUNT },
		{ "compress", CODING_COUNT },
		{ "*", CODING_COUNT },
		{ ".gz", CODING_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(coding_from(slice_from_str(rows[i].name)),
				 rows[i].coding);
}

static void
identity_is_copied_and_has_no_encoder(void **state)
{
	struct buf out;

	(void)state;
	assert_null(encoder_new(CODING_IDENTITY));
	encoder_free(NULL);
	buf_init(&out);
	assert_int_equal(coding_encode(CODING_IDENTITY, SLICE(""), &out), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(coding_encode(CODING_IDENTITY, SLICE("as it is"), &out), 0);
	assert_decodes(CODING_IDENTITY, buf_slice(&out), SLICE("as it is"));
	buf_fini(&out);
}

static void
libraries_are_named_with_their_coding(void **state)
{
	bool any = false;
	struct buf out;

	(void)state;
	buf_init(&out);
	coding_add_libraries(&out);
	buf_add_char(&out, '\0');
	for (size_t i = 0; i < COUNT(encoded); i++) {
		char name[16];

		snprintf(name, sizeof(name), "%.*s (",
			 SLICE_ARG(coding_name(encoded[i])));
		assert_int_equal(strstr(out.ptr, name) != NULL,
				 coding_is_built_in(encoded[i]));
		any = any || coding_is_built_in(encoded[i]);
	}
	assert_int_equal(strcmp(out.ptr, "none") == 0, !any);
	buf_fini(&out);
}

static void
gzip_header_has_no_name_no_time_no_system(void **state)
{
	struct buf out;

	(void)state;
	if (!coding_is_built_in(CODING_GZIP))
		skip();
	buf_init(&out);
	assert_int_equal(coding_encode(CODING_GZIP, SLICE("x"), &out), 0);
	assert_true(out.len > 18);
	assert_memory_equal(out.ptr, "\x1f\x8b\x08\0\0\0\0\0", 8);
	assert_int_equal((unsigned char)out.ptr[9], 255);
	buf_fini(&out);
}

/* RFC 8878 section 3.1.1.1.1: bit 2 of the descriptor behind the magic number. */
static void
zstd_frame_has_no_checksum(void **state)
{
	struct buf out;

	(void)state;
	if (!coding_is_built_in(CODING_ZSTD))
		skip();
	buf_init(&out);
	encode_pieces(CODING_ZSTD, SLICE("some text"), &cuts[2], &out);
	assert_true(out.len > 5);
	assert_memory_equal(out.ptr, "\x28\xb5\x2f\xfd", 4);
	assert_int_equal(out.ptr[4] & 4, 0);
	buf_fini(&out);
}

static struct trip trips[COUNT(encoded) * COUNT(inputs) * WAYS];

static size_t
add_trips(struct CMUnitTest *tests)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(trips); i++) {
		struct trip *t = &trips[i];
		size_t way = i % WAYS;

		t->coding = encoded[i / WAYS % COUNT(encoded)];
		t->input = &inputs[i / WAYS / COUNT(encoded)];
		t->cut = way < COUNT(cuts) ? &cuts[way] : NULL;
		snprintf(t->name, sizeof(t->name), "%.*s_of_%s_%s",
			 SLICE_ARG(coding_name(t->coding)), t->input->name,
			 t->cut != NULL ? t->cut->name : "by_encode");
		tests[n++] = row_test(t->name, round_trip, t);
	}
	return n;
}

int
main(void)
{
	static const struct coding_test rows[] = {
		CODING_TEST(same_pieces_give_the_same_bytes),
		CODING_TEST(text_shrinks_to_less_than_half),
		CODING_TEST(after_the_end_nothing_comes),
		CODING_TEST(encode_appends_to_what_is_there),
		CODING_TEST(what_is_not_built_in_has_no_encoder),
	};
	static const struct CMUnitTest plain[] = {
		cmocka_unit_test(codings_have_names_and_extensions),
		cmocka_unit_test(names_are_found_in_any_case),
		cmocka_unit_test(identity_is_copied_and_has_no_encoder),
		cmocka_unit_test(libraries_are_named_with_their_coding),
		cmocka_unit_test(gzip_header_has_no_name_no_time_no_system),
		cmocka_unit_test(zstd_frame_has_no_checksum),
	};
	static char names[COUNT(rows) * COUNT(encoded)][64];
	static struct CMUnitTest tests[COUNT(trips) + COUNT(names) + COUNT(plain)];
	size_t n = add_trips(tests);

	n += add_for_each_coding(&tests[n], names, rows, COUNT(rows));
	memcpy(&tests[n], plain, sizeof(plain));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
