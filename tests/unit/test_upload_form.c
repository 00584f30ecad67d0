/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The door of forms: a form is fed whole, in two pieces for every place where it can be cut,
 * byte by byte, and broken off at every byte. Its files are there together or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "rows.h"
#include "form_rig.h"
#include "handler/upload_form.h"

/* --- pieces --- */

static void
form_is_the_same_wherever_it_is_cut(void **state)
{
	const size_t len = sizeof(form) - 1;

	(void)state;
	for (size_t i = 0; i <= len; i++) {
		prepare_form("/drop/");
		exchange_begin(&rig.t.ex);
		piece(form, i, false);
		piece(form + i, len - i, true);
		assert_int_equal(finish(), 201);
		assert_int_equal(rig.t.credited, len);
		assert_both();
	}
	prepare_form("/drop/");
	exchange_begin(&rig.t.ex);
	for (size_t i = 0; i < len; i++)
		piece(form + i, 1, i == len - 1);
	assert_int_equal(finish(), 201);
	assert_both();
}

static void
form_that_is_broken_off_at_any_byte_leaves_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(form); i++) {
		prepare_form("/drop/");
		exchange_begin(&rig.t.ex);
		piece(form, i, false);
		assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
		exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
		assert_int_equal(take_files(), 0);
	}
}

static void
form_that_ends_too_early_is_400_and_leaves_nothing(void **state)
{
	const size_t whole = sizeof(form) - 1 - 2; /* the last line end may lack */

	(void)state;
	for (size_t i = 0; i < whole; i++) {
		prepare_form("/drop/");
		assert_int_equal(send_prepared(form, i), 400);
		assert_string_equal(rig.t.body.ptr,
				    "400 Bad Request: The form is not complete.\n");
		assert_int_equal(take_files(), 0);
	}
	prepare_form("/drop/");
	assert_int_equal(send_prepared(form, whole), 201);
	assert_both();
}

/* --- what is refused --- */

struct refusal {
	const char *name, *target, *body;
	int status;
	const char *why;
};

/* clang-format off */
static const struct refusal refusals[] = {
	{ "form_without_a_file_is_400", "/drop/", FIELD(a) "x" END, 400, "The form has no file." },
	{ "form_of_no_parts_is_400", "/drop/", "--b--\r\n", 400, "The form has no file." },
	{ "input_without_a_file_is_no_file", "/drop/", FILE_OF("") END, 400, "The form has no file." },
	{ "what_is_no_form_is_400", "/drop/", "{}", 400, "The form is not complete." },
	{ "dot_first_is_400", "/drop/", FILE_OF("ok") "1\r\n" FILE_OF(".bad") "2" END, 400, "begins with a dot" },
	{ "dots_are_400", "/drop/", FILE_OF("ok") "1\r\n" FILE_OF("../..") "2" END, 400, "begins with a dot" },
	{ "folder_without_a_name_is_400", "/drop/", FILE_OF("a/") "2" END, 400, "The file name is empty." },
	{ "no_utf8_is_400", "/drop/", FILE_OF("\xe4.txt") "2" END, 400, "The file name is not UTF-8." },
	{ "another_charset_is_told", "/drop/",
	  FIELD(_charset_) "windows-1252\r\n" FILE_OF("\xe4.txt") "2" END, 400, "accept-charset" },
	{ "too_large_a_file_is_413", "/drop/", FILE_OF("ok") "1\r\n" FILE_OF("big") "012345678901234567890" END, 413, "at most 20 bytes" },
	{ "type_that_is_not_taken_is_415", "/jpg/", FILE_OF("a.jpg") "1\r\n" FILE_OF("a.txt") "2" END, 415, "type" },
	{ "two_of_one_name_are_409", "/drop/", FILE_OF("a") "1\r\n" FILE_OF("a") "2" END, 409, "same name" },
	{ "two_of_one_name_are_409_to_replace", "/over/", FILE_OF("x\\a") "1\r\n" FILE_OF("y/a") "2" END, 409, "same name" },
	{ "encoded_parts_are_400", "/drop/", "--b\r\n" CD "f; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==" END, 400, "Encoding" },
};
/* clang-format on */

static void
run_refusal(void **state)
{
	const struct refusal *r = *state;

	assert_int_equal(send_form(r->target, r->body), r->status);
	if (strstr(rig.t.body.ptr, r->why) == NULL)
		fail_msg("%s", rig.t.body.ptr);
	assert_int_equal(take_files(), 0);
}

static void
bad_boundaries_are_400_before_the_body(void **state)
{
	static const char *const types[] = { "multipart/form-data",
					     "multipart/form-data; boundary=",
					     "MULTIPART/Form-Data; boundary=\"a" };

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		prepare(HTTP_POST, "/drop/");
		with_field(HTTP_FIELD_CONTENT_TYPE, types[i]);
		exchange_begin(&rig.t.ex);
		assert_int_equal(rig.t.ex.state, EXCHANGE_RESPONDING);
		assert_int_equal(finish(), 400);
		assert_non_null(strstr(rig.t.body.ptr, "no usable boundary"));
	}
}

static void
one_refused_of_three_leaves_none(void **state)
{
	(void)state;
	put_file("drop/two", "old");
	assert_int_equal(
		send_form("/drop/", FILE_OF("one") "1\r\n" FILE_OF("two") "2\r\n" FILE_OF(
					    "three") "3" END),
		409);
	assert_non_null(strstr(rig.t.body.ptr, "nothing of the form"));
	tree_assert_file(rig.dirfd, "drop/two", "old");
	assert_int_equal(take_files(), 1);
}

static void
name_that_is_taken_meanwhile_takes_the_others_back(void **state)
{
	(void)state;
	prepare_form("/drop/");
	exchange_begin(&rig.t.ex);
	piece(form, sizeof(form) - 2, false);
	put_file("drop/two", "old");
	piece(form + sizeof(form) - 2, 1, true);
	assert_int_equal(finish(), 409);
	tree_assert_file(rig.dirfd, "drop/two", "old");
	assert_int_equal(take_files(), 1);
}

/* --- how much --- */

static void
add_parts(struct buf *b, size_t count, const char *fmt)
{
	char part[128];

	for (size_t i = 0; i < count; i++) {
		/* A format of this file, with one number in it. */
		int n = snprintf(part, sizeof(part), fmt, i);

		buf_add(b, part, (size_t)n);
	}
}

#define NUMBERED FILE_OF("%zu") "\r\n"
#define NUMBERED_FIELD "--b\r\n" CD "a%zu\r\n\r\n\r\n"

static int
send_parts(size_t count, const char *fmt, const char *more)
{
	struct buf b;
	int status;

	buf_init(&b);
	add_parts(&b, count, fmt);
	buf_add_str(&b, more);
	buf_add_str(&b, "--b--\r\n");
	prepare_form("/drop/");
	status = send_prepared(b.ptr, b.len);
	buf_fini(&b);
	return status;
}

static void
files_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(send_parts(FORM_FILES_MAX, NUMBERED, ""), 201);
	assert_int_equal(take_files(), FORM_FILES_MAX);
	assert_int_equal(send_parts(FORM_FILES_MAX + 1, NUMBERED, ""), 413);
	assert_non_null(strstr(rig.t.body.ptr, "too many files"));
	assert_int_equal(take_files(), 0);
}

static void
parts_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(
		send_parts(FORM_PARTS_MAX - 1, NUMBERED_FIELD, FILE_OF("a") "\r\n"), 201);
	assert_int_equal(take_files(), 1);
	assert_int_equal(send_parts(10000, NUMBERED_FIELD, FILE_OF("a") "\r\n"), 400);
	assert_non_null(strstr(rig.t.body.ptr, "too many parts"));
	assert_int_equal(take_files(), 0);
}

static void
fields_are_bounded_together(void **state)
{
	static char half[FORM_FIELDS_MAX / 2];
	static const char begin[] = FILE_OF("a") "1\r\n" FIELD(a);

	(void)state;
	memset(half, 'x', sizeof(half));
	for (int more = 0; more < 2; more++) {
		prepare_form("/drop/");
		exchange_begin(&rig.t.ex);
		piece(begin, sizeof(begin) - 1, false);
		piece(half, sizeof(half), false);
		piece("\r\n" FIELD(b), sizeof("\r\n" FIELD(b)) - 1, false);
		piece(half, sizeof(half), false);
		piece(more ? "x" END : END, sizeof(END) - 1 + (size_t)more, true);
		assert_int_equal(finish(), more ? 413 : 201);
		assert_int_equal(take_files(), more ? 0 : 1);
	}
}

/* Of a worker: each has a descriptor. */
static void
files_of_all_forms_are_bounded(void **state)
{
	struct transport t[FORM_OPEN_MAX / FORM_FILES_MAX];
	struct rlimit limit;
	struct buf b;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < FORM_OPEN_MAX + 100)
		skip();
	buf_init(&b);
	add_parts(&b, FORM_FILES_MAX, NUMBERED);
	for (size_t i = 0; i < COUNT(t); i++) {
		transport_init(&t[i], 65536);
		transport_prepare(&t[i], rig.site, HTTP_POST, "/drop/");
		transport_with_field(&t[i], HTTP_FIELD_CONTENT_TYPE, TYPE);
		exchange_begin(&t[i].ex);
		exchange_body(&t[i].ex, buf_slice(&b), false);
		assert_int_equal(t[i].ex.state, EXCHANGE_RECEIVING);
	}
	buf_fini(&b);
	assert_int_equal(send_form("/drop/", form), 503);
	for (size_t i = 0; i < COUNT(t); i++) {
		exchange_finish(&t[i].ex, EXCHANGE_ABORTED);
		transport_fini(&t[i]);
	}
	assert_int_equal(send_form("/drop/", form), 201);
	assert_both();
}

static void
body_may_be_longer_than_one_file(void **state)
{
	(void)state;
	prepare_form("/drop/");
	rig.t.ex.head.body = HTTP_BODY_LENGTH;
	rig.t.ex.head.content_length = sizeof(form) - 1;
	assert_int_equal(send_prepared(form, sizeof(form) - 1), 201);
	assert_both();
	prepare_form("/drop/");
	rig.t.ex.head.body = HTTP_BODY_LENGTH;
	rig.t.ex.head.content_length = 100 << 20;
	exchange_begin(&rig.t.ex);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RESPONDING);
	assert_int_equal(finish(), 413);
}

/* --- names --- */

static void
names_lose_their_folders(void **state)
{
	(void)state;
	assert_int_equal(send_form("/jpg/", FILE_OF("C:\\x\\a.jpg") "1\r\n" FILE_OF(
						    "dir/%22b%22.jpg") "2" END),
			 201);
	tree_assert_file(rig.dirfd, "drop/a.jpg", "1");
	tree_assert_file(rig.dirfd, "drop/\"b\".jpg", "2");
	assert_int_equal(take_files(), 2);
}

static void
rename_makes_names_differ(void **state)
{
	(void)state;
	assert_int_equal(send_form("/other/", FILE_OF("a") "1\r\n" FILE_OF("a") "2" END),
			 201);
	assert_string_equal(
		rig.t.body.ptr,
		"{\"files\": [\n"
		"{\"name\": \"a\", \"location\": \"/other/a\", \"size\": 1},\n"
		"{\"name\": \"a (2)\", \"location\": \"/other/a%20(2)\", "
		"\"size\": 1}\n]}\n");
	assert_field("Location", NULL);
	tree_assert_file(rig.dirfd, "drop/a (2)", "2");
	assert_int_equal(take_files(), 2);
}

static void
replaced_files_are_new(void **state)
{
	(void)state;
	put_file("drop/two", "old");
	assert_int_equal(send_form("/over/", form), 201);
	assert_both();
	assert_int_equal(count_staged(), 0);
}

static void
replaced_files_are_put_back(void **state)
{
	struct stat st;

	(void)state;
	put_file("drop/one", "old");
	prepare_form("/over/");
	exchange_begin(&rig.t.ex);
	piece(form, sizeof(form) - 2, false);
	assert_int_equal(mkdirat(rig.dirfd, "drop/two", 0755), 0);
	piece(form + sizeof(form) - 2, 1, true);
	assert_int_equal(finish(), 409);
	tree_assert_file(rig.dirfd, "drop/one", "old");
	assert_int_equal(fstatat(rig.dirfd, "drop/one", &st, 0), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(unlinkat(rig.dirfd, "drop/two", AT_REMOVEDIR), 0);
	assert_int_equal(take_files(), 1);
	assert_int_equal(count_staged(), 0);
}

static void
explained_form_is_not_stored(void **state)
{
	(void)state;
	prepare_form("/drop/");
	rig.t.ex.dry = true;
	assert_int_equal(send_prepared(form, sizeof(form) - 1), 201);
	rig.t.ex.dry = false;
	assert_int_equal(take_files(), 0);
}

#define TESTS 16

int
main(void)
{
	static struct CMUnitTest tests[COUNT(refusals) + TESTS] = {
		cmocka_unit_test(form_is_the_same_wherever_it_is_cut),
		cmocka_unit_test(form_that_is_broken_off_at_any_byte_leaves_nothing),
		cmocka_unit_test(form_that_ends_too_early_is_400_and_leaves_nothing),
		cmocka_unit_test(bad_boundaries_are_400_before_the_body),
		cmocka_unit_test(one_refused_of_three_leaves_none),
		cmocka_unit_test(name_that_is_taken_meanwhile_takes_the_others_back),
		cmocka_unit_test(files_are_bounded),
		cmocka_unit_test(parts_are_bounded),
		cmocka_unit_test(fields_are_bounded_together),
		cmocka_unit_test(files_of_all_forms_are_bounded),
		cmocka_unit_test(body_may_be_longer_than_one_file),
		cmocka_unit_test(names_lose_their_folders),
		cmocka_unit_test(rename_makes_names_differ),
		cmocka_unit_test(replaced_files_are_new),
		cmocka_unit_test(replaced_files_are_put_back),
		cmocka_unit_test(explained_form_is_not_stored),
	};

	for (size_t i = 0; i < COUNT(refusals); i++)
		tests[TESTS + i] = row_test(refusals[i].name, run_refusal, &refusals[i]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
