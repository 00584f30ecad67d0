/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a file name, as a path, and as a Content-Disposition that has one: what passes
 * can do no harm, and other names that are made of it pass too.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "http/disposition.h"
#include "http/upload_name.h"

#define DEPTH_MAX 4

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_harmless(struct slice name)
{
	CHECK(name.len > 0 && name.len <= UPLOAD_NAME_MAX && utf8_is_valid(name));
	for (size_t i = 0; i < name.len; i++)
		CHECK((unsigned char)name.ptr[i] >= 0x20 && name.ptr[i] != '/' &&
		      name.ptr[i] != '\\' && name.ptr[i] != ':' && name.ptr[i] != 0x7f);
	CHECK(name.ptr[0] != '.' && name.ptr[name.len - 1] != '.');
}

static void
check_others(struct slice name, size_t reserve)
{
	static const unsigned numbers[] = { 2, 10, UINT32_MAX };
	char out[UPLOAD_NAME_MAX], last[UPLOAD_NAME_MAX];
	struct slice before = name;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct slice other = upload_name_number(name, numbers[i], reserve, out);

		CHECK(other.ptr == out && other.len <= UPLOAD_NAME_MAX - reserve);
		CHECK(upload_name_check(other, reserve) == UPLOAD_NAME_OK);
		CHECK(!slice_eq(other, before) || i == 0);
		/* A name that had to be cut may have been one of these. */
		CHECK(!slice_eq(other, name) ||
		      other.len > UPLOAD_NAME_MAX - reserve - 4);
		memcpy(last, out, other.len);
		before = slice_make(last, other.len);
	}
}

static void
fuzz_name(struct slice name)
{
	static const size_t reserves[] = { 0, 17, UPLOAD_NAME_RESERVE_MAX };
	enum upload_name_error e = upload_name_check(name, 0);
	struct slice last = upload_name_last(name);

	CHECK(last.ptr + last.len == name.ptr + name.len);
	CHECK((e == UPLOAD_NAME_OK) == (upload_name_sentence(e)[0] == '\0'));
	CHECK(e != UPLOAD_NAME_OK ||
	      upload_name_check_path(name, 1, 0) == UPLOAD_NAME_OK);
	if (e == UPLOAD_NAME_OK)
		check_harmless(name);
	for (size_t i = 0; i < sizeof(reserves) / sizeof(reserves[0]); i++) {
		if (upload_name_check(name, reserves[i]) == UPLOAD_NAME_OK)
			check_others(name, reserves[i]);
	}
}

static void
fuzz_path(struct slice path)
{
	size_t count = 0;

	if (upload_name_check_path(path, DEPTH_MAX, 0) != UPLOAD_NAME_OK)
		return;
	do {
		size_t n = slice_find(path, '/');

		check_harmless(slice_make(path.ptr, n));
		path = slice_from(path, n + 1);
		count++;
	} while (path.len > 0);
	CHECK(count <= DEPTH_MAX);
}

static void
fuzz_disposition(struct slice value, bool form)
{
	char *text = malloc(value.len + (value.len == 0));
	struct disposition d;

	CHECK(text != NULL);
	memcpy(text, value.ptr, value.len);
	if (disposition_parse(text, value.len, form, &d) == 0) {
		const struct slice all[] = { d.type, d.name, d.filename };

		CHECK(d.type.len > 0);
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			CHECK(all[i].ptr == NULL ||
			      (all[i].ptr >= text &&
			       all[i].ptr + all[i].len <= text + value.len));
		if (d.filename.ptr != NULL)
			fuzz_name(d.filename);
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = { (const char *)data, size };

	if (size == 0)
		return 0;
	fuzz_name(all);
	fuzz_path(all);
	fuzz_disposition(all, true);
	fuzz_disposition(all, false);
	return 0;
}
