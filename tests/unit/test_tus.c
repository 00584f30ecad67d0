/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The fields of tus: one row is a head of up to four fields, and what is read of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/tus.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FIELDS_MAX 5

struct head_case {
	const char *fields[FIELDS_MAX]; /* "Name: value" */
	enum tus_error error;
};

/* Slices point into the row. */
static struct http_head
head_of(const char *const lines[FIELDS_MAX], struct http_field fields[FIELDS_MAX])
{
	struct http_head head = { .method = HTTP_POST, .fields = fields };

	for (size_t i = 0; i < FIELDS_MAX && lines[i] != NULL; i++) {
		struct slice line = slice_from_str(lines[i]);
		size_t n = slice_find(line, ':');

		fields[i] = (struct http_field){
			.name = slice_make(line.ptr, n),
			.value = slice_trim(slice_from(line, n + 1)),
			.id = http_field_from(slice_make(line.ptr, n)),
		};
		head.field_count++;
	}
	return head;
}

static enum tus_error
read_value(enum http_field_id id, const char *value, struct tus_request *out)
{
	struct http_field fields[] = {
		{ .value = SLICE_LIT("1.0.0"), .id = HTTP_FIELD_TUS_RESUMABLE },
		{ .value = slice_from_str(value), .id = id },
	};
	struct http_head head = { .fields = fields, .field_count = 2 };

	return tus_read(&head, out);
}

#define V "Tus-Resumable: 1.0.0"

static void
heads_are_taken_or_refused(void **state)
{
	/* clang-format off */
	static const struct head_case cases[] = {
		{ { V }, TUS_OK },
		{ { V, "Upload-Length: 5", "Upload-Metadata: filename YQ==" }, TUS_OK },
		{ { V, "Upload-Defer-Length: 1" }, TUS_OK },
		{ { V, "Upload-Offset: 0", "Content-Type: application/offset+octet-stream" }, TUS_OK },
		{ { V, "Upload-Offset: 5", "Upload-Length: 9" }, TUS_OK },
		{ { "Upload-Length: 5" }, TUS_NO_VERSION },
		{ { "Tus-Resumable: 0.2.2", "Upload-Length: x" }, TUS_OTHER_VERSION },
		{ { "Tus-Resumable: 1.0" }, TUS_OTHER_VERSION },
		{ { "Tus-Resumable: 1.0.0, 1.0.0" }, TUS_OTHER_VERSION },
		{ { "Tus-Resumable:" }, TUS_OTHER_VERSION },
		{ { V, V }, TUS_REPEATED },
		{ { V, "Upload-Offset: 5", "Upload-Offset: 5" }, TUS_REPEATED },
		{ { V, "Upload-Length: 5", "upload-length: 6" }, TUS_REPEATED },
		{ { V, "Upload-Metadata: a", "Upload-Metadata: b" }, TUS_REPEATED },
		{ { V, "Upload-Length: 5", "Upload-Defer-Length: 1" }, TUS_DEFER },
		{ { V, "Upload-Concat: partial" }, TUS_CONCAT },
		{ { V, "Upload-Concat: final;/a /b" }, TUS_CONCAT },
	};
	/* clang-format on */
	struct http_field fields[FIELDS_MAX];
	struct tus_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_head head = head_of(cases[i].fields, fields);
		enum tus_error e = tus_read(&head, &r);

		if (e != cases[i].error)
			fail_msg("row %zu: %s", i, tus_sentence(e));
	}
}

static void
numbers_are_digits_of_63_bits(void **state)
{
	static const struct {
		const char *value;
		bool good;
		uint64_t number;
	} cases[] = {
		{ "0", true, 0 },
		{ "007", true, 7 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "18446744073709551617", false, 0 },
		{ "99999999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ "1 ", false, 0 },
		{ "1, 1", false, 0 },
		{ "0x1", false, 0 },
		{ "1e3", false, 0 },
		{ "1.0", false, 0 },
	};
	struct tus_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum tus_error length =
			read_value(HTTP_FIELD_UPLOAD_LENGTH, cases[i].value, &r);

		assert_int_equal(length, cases[i].good ? TUS_OK : TUS_LENGTH);
		assert_true(!cases[i].good ||
			    (r.has_length && r.length == cases[i].number));
		assert_false(r.has_offset || r.defers_length || r.has_checksum);
		assert_int_equal(read_value(HTTP_FIELD_UPLOAD_OFFSET, cases[i].value, &r),
				 cases[i].good ? TUS_OK : TUS_OFFSET);
		assert_true(!cases[i].good ||
			    (r.has_offset && r.offset == cases[i].number));
	}
}

static void
length_is_deferred_by_1_alone(void **state)
{
	static const char *const others[] = { "0", "2", "01", "1 ", "", "true", "-1" };
	struct tus_request r;

	(void)state;
	assert_int_equal(read_value(HTTP_FIELD_UPLOAD_DEFER_LENGTH, "1", &r), TUS_OK);
	assert_true(r.defers_length);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(
			read_value(HTTP_FIELD_UPLOAD_DEFER_LENGTH, others[i], &r),
			TUS_DEFER);
}

static void
metadata_is_pairs_with_keys_of_their_own(void **state)
{
	static const char *const good[] = {
		"filename d29ybGQucGRm,is_confidential",
		"a",
		"a ",
		"a YQ==, b YQ==",
		"a YQ== ,\tb",
		"A YQ==,a YQ==",
		"",
	};
	static const char *const bad[] = {
		"a YQ==,a Yg==",
		"a,a",
		",a",
		"a,",
		"a,,b",
		" YQ==,",
		"a YQ",
		"a YQ=",
		"a Y Q=",
		"a  YQ==",
		"a YR==",
		"a YQ==YQ==",
		"a YQ_-",
		"\xc3\xa4 YQ==",
		"a\x01 YQ==",
		"a\tYQ==",
		",",
		"a b c",
	};
	struct tus_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (read_value(HTTP_FIELD_UPLOAD_METADATA, good[i], &r) != TUS_OK)
			fail_msg("'%s' is refused", good[i]);
		assert_non_null(r.metadata.ptr);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (read_value(HTTP_FIELD_UPLOAD_METADATA, bad[i], &r) != TUS_METADATA)
			fail_msg("'%s' is taken", bad[i]);
		assert_null(r.metadata.ptr);
	}
}

static void
metadata_has_bounds(void **state)
{
	char text[TUS_METADATA_MAX + 5];
	struct tus_request r;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < TUS_METADATA_KEYS; i++) {
		text[n++] = (char)('0' + i);
		text[n++] = ',';
	}
	text[n - 1] = '\0';
	assert_int_equal(read_value(HTTP_FIELD_UPLOAD_METADATA, text, &r), TUS_OK);
	memcpy(text + n - 1, ",z", 3);
	assert_int_equal(read_value(HTTP_FIELD_UPLOAD_METADATA, text, &r), TUS_METADATA);

	memset(text, 'A', sizeof(text));
	memcpy(text, "kkk ", 4);
	text[TUS_METADATA_MAX] = '\0';
	assert_int_equal(read_value(HTTP_FIELD_UPLOAD_METADATA, text, &r), TUS_OK);
	text[TUS_METADATA_MAX] = 'A';
	text[TUS_METADATA_MAX + 4] = '\0';
	assert_int_equal(read_value(HTTP_FIELD_UPLOAD_METADATA, text, &r), TUS_METADATA);
}

static void
metadata_is_found_by_its_key(void **state)
{
	struct slice
		all = SLICE(
			"filename d29ybGQucGRm, empty,type dGV4dC9wbGFpbg==,nul AA=="),
		found;
	char out[16];

	(void)state;
	assert_int_equal(tus_metadata_find(all, SLICE("filename"), out, 16, &found), 0);
	assert_true(slice_eq(found, SLICE("world.pdf")));
	assert_int_equal(tus_metadata_find(all, SLICE("filename"), out, 9, &found), 0);
	assert_int_equal(tus_metadata_find(all, SLICE("filename"), out, 8, &found),
			 -ERANGE);
	assert_int_equal(tus_metadata_find(all, SLICE("type"), out, 16, &found), 0);
	assert_true(slice_eq(found, SLICE("text/plain")));
	assert_int_equal(tus_metadata_find(all, SLICE("empty"), out, 0, &found), 0);
	assert_int_equal(found.len, 0);
	assert_int_equal(tus_metadata_find(all, SLICE("nul"), out, 16, &found), 0);
	assert_true(slice_eq(found, SLICE("\0")));
	assert_int_equal(tus_metadata_find(all, SLICE("Type"), out, 16, &found), -ENOENT);
	assert_int_equal(tus_metadata_find(all, SLICE("file"), out, 16, &found), -ENOENT);
	assert_int_equal(tus_metadata_find(SLICE(""), SLICE(""), out, 16, &found),
			 -ENOENT);
}

#define SHA_1 "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="
#define SHA_256 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void
checksum_has_the_length_of_its_algorithm(void **state)
{
	static const struct {
		const char *value;
		enum tus_error error;
		enum digest_algorithm algorithm;
	} cases[] = {
		{ "sha1 " SHA_1, TUS_OK, DIGEST_SHA_1 },
		{ "sha256 " SHA_256, TUS_OK, DIGEST_SHA_256 },
		{ "sha512 " SHA_256, TUS_CHECKSUM, 0 },
		{ "sha1 " SHA_256, TUS_CHECKSUM, 0 },
		{ "sha256 " SHA_1, TUS_CHECKSUM, 0 },
		{ "sha1 ", TUS_CHECKSUM, 0 },
		{ "sha1", TUS_CHECKSUM, 0 },
		{ "sha1  " SHA_1, TUS_CHECKSUM, 0 },
		{ "sha1 " SHA_1 " ", TUS_CHECKSUM, 0 },
		{ "sha1 qZk-NkcGgWq6PiVxeFDCbJzQ2J0=", TUS_CHECKSUM, 0 },
		{ " " SHA_1, TUS_CHECKSUM, 0 },
		{ "", TUS_CHECKSUM, 0 },
		{ "md5 1B2M2Y8AsgTpgAmY7PhCfg==", TUS_ALGORITHM, 0 },
		{ "SHA1 " SHA_1, TUS_ALGORITHM, 0 },
		{ "sha-256 " SHA_256, TUS_ALGORITHM, 0 },
	};
	struct tus_request r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum tus_error e =
			read_value(HTTP_FIELD_UPLOAD_CHECKSUM, cases[i].value, &r);

		if (e != cases[i].error)
			fail_msg("'%s': %s", cases[i].value, tus_sentence(e));
		if (e == TUS_OK)
			assert_true(r.has_checksum && r.algorithm == cases[i].algorithm);
	}
	assert_int_equal(read_value(HTTP_FIELD_UPLOAD_CHECKSUM, "sha1 " SHA_1, &r),
			 TUS_OK);
	assert_memory_equal(r.checksum, "\xa9\x99\x3e\x36\x47\x06\x81\x6a", 8);
}

static void
override_takes_the_place_of_the_method(void **state)
{
	static const struct {
		const char *fields[FIELDS_MAX];
		enum http_method method;
	} cases[] = {
		{ { V }, HTTP_POST },
		{ { V, "X-HTTP-Method-Override: PATCH" }, HTTP_PATCH },
		{ { "x-http-method-override: DELETE" }, HTTP_DELETE },
		{ { V, "X-HTTP-Method-Override: patch" }, HTTP_METHOD_UNKNOWN },
		{ { V, "X-HTTP-Method-Override: MOVE" }, HTTP_METHOD_UNKNOWN },
		{ { V, "X-HTTP-Method-Override:" }, HTTP_METHOD_UNKNOWN },
		{ { "X-HTTP-Method-Override: PATCH", "X-HTTP-Method-Override: PATCH" },
		  HTTP_METHOD_UNKNOWN },
	};
	struct http_field fields[FIELDS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_head head = head_of(cases[i].fields, fields);

		assert_int_equal(tus_method(&head), cases[i].method);
		assert_int_equal(tus_is_spoken(&head), cases[i].fields[0][0] == 'T');
	}
}

static void
every_error_is_a_sentence(void **state)
{
	(void)state;
	assert_string_equal(tus_sentence(TUS_OK), "");
	for (unsigned e = 1; e < TUS_ERROR_COUNT; e++) {
		struct slice s = slice_from_str(tus_sentence((enum tus_error)e));

		assert_true(s.len > 10 && s.ptr[s.len - 1] == '.');
	}
	assert_string_equal(tus_sentence(TUS_ERROR_COUNT), "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_taken_or_refused),
		cmocka_unit_test(numbers_are_digits_of_63_bits),
		cmocka_unit_test(length_is_deferred_by_1_alone),
		cmocka_unit_test(metadata_is_pairs_with_keys_of_their_own),
		cmocka_unit_test(metadata_has_bounds),
		cmocka_unit_test(metadata_is_found_by_its_key),
		cmocka_unit_test(checksum_has_the_length_of_its_algorithm),
		cmocka_unit_test(override_takes_the_place_of_the_method),
		cmocka_unit_test(every_error_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
