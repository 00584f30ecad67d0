/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_name: each rule in a function of its own. They come from what a name can do on the
 * way: leave the directory, hide in it, look like another name, or mean something else to
 * the system that the file is copied to.
 */
#include "http/upload_name.h"

#include <assert.h>
#include <stdint.h>

#include "base/number.h"
#include "base/utf8.h"
#include "http/chars.h"
#include "http/mime.h"

#define ENDING_MAX 32 /* a longer one is no file type */

struct range {
	uint32_t first, last;
};

/* What is drawn as nothing, turns the text around it, or means nothing to anybody else. */
static const struct range invisible[] = {
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x200b, 0x200b },   /* zero width space; the joiners that follow it pass */
	{ 0x200e, 0x200f },   /* marks of direction */
	{ 0x2028, 0x202e },   /* separators of lines; embeddings, overrides */
	{ 0x2060, 0x206f },   /* word joiner, invisible operators, isolates */
	{ 0xe000, 0xf8ff },   /* private use */
	{ 0xfdd0, 0xfdef },   /* noncharacters */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xfff9, 0xfffb },   /* annotations */
	{ 0xe0000, 0xe007f }, /* tags */
	{ 0xf0000, 0x10ffff } /* private use */
};

/* Of a character that utf8_len() has measured. */
static uint32_t
decode(const char *p, size_t n)
{
	uint32_t c = (unsigned char)p[0];

	if (n > 1)
		c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	return c;
}

static bool
is_invisible(uint32_t c)
{
	for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++) {
		if (c >= invisible[i].first && c <= invisible[i].last)
			return true;
	}
	return (c & 0xfffe) == 0xfffe; /* a noncharacter ends every plane */
}

static enum upload_name_error
check_character(uint32_t c)
{
	if (c == '/' || c == '\\' || c == ':')
		return UPLOAD_NAME_SEPARATOR;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return UPLOAD_NAME_CONTROL;
	return is_invisible(c) ? UPLOAD_NAME_INVISIBLE : UPLOAD_NAME_OK;
}

static enum upload_name_error
check_characters(struct slice name)
{
	enum upload_name_error e = UPLOAD_NAME_OK;

	while (e == UPLOAD_NAME_OK && name.len > 0) {
		size_t n = utf8_len(name);

		e = n == 0 ? UPLOAD_NAME_UTF8 : check_character(decode(name.ptr, n));
		name = slice_from(name, n);
	}
	return e;
}

static bool
is_dot_or_space(char c)
{
	return c == '.' || c == ' ';
}

/* 1 to 9, or one of the superscripts of Latin-1, which Windows takes for digits here. */
static bool
is_port_number(struct slice s)
{
	return (s.len == 1 && s.ptr[0] >= '1' && s.ptr[0] <= '9') ||
	       slice_eq(s, SLICE("\xc2\xb9")) || slice_eq(s, SLICE("\xc2\xb2")) ||
	       slice_eq(s, SLICE("\xc2\xb3"));
}

/* CON, NUL, COM1 and the like, with any extension: files that some day are opened on
 * Windows must not be devices there. */
static bool
is_device(struct slice name)
{
	static const char *const devices[] = { "con", "prn",    "aux",
					       "nul", "conin$", "conout$" };
	struct slice stem = slice_make(name.ptr, slice_find(name, '.')), port;

	while (stem.len > 0 && stem.ptr[stem.len - 1] == ' ')
		stem.len--;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (slice_eq_nocase(stem, slice_from_str(devices[i])))
			return true;
	}
	port = slice_make(stem.ptr, stem.len < 3 ? stem.len : 3);
	return is_port_number(slice_from(stem, 3)) &&
	       (slice_eq_nocase(port, SLICE("com")) ||
		slice_eq_nocase(port, SLICE("lpt")));
}

enum upload_name_error
upload_name_check(struct slice name, size_t reserve)
{
	enum upload_name_error e;

	assert(reserve <= UPLOAD_NAME_RESERVE_MAX);
	if (name.len == 0)
		return UPLOAD_NAME_EMPTY;
	if (name.len > UPLOAD_NAME_MAX - reserve)
		return UPLOAD_NAME_LENGTH;
	e = check_characters(name);
	if (e != UPLOAD_NAME_OK)
		return e;
	if (is_dot_or_space(name.ptr[0]))
		return UPLOAD_NAME_START;
	if (is_dot_or_space(name.ptr[name.len - 1]))
		return UPLOAD_NAME_FINISH;
	return is_device(name) ? UPLOAD_NAME_DEVICE : UPLOAD_NAME_OK;
}

enum upload_name_error
upload_name_check_path(struct slice path, size_t max, size_t reserve)
{
	enum upload_name_error e = UPLOAD_NAME_OK;
	bool more = true;

	for (size_t count = 0; more && e == UPLOAD_NAME_OK; count++) {
		size_t n = slice_find(path, '/');

		if (count == max)
			return UPLOAD_NAME_DEPTH;
		e = upload_name_check(slice_make(path.ptr, n), reserve);
		more = n < path.len;
		path = slice_from(path, n + 1);
	}
	return e;
}

bool
upload_name_has_type(struct slice name, const struct slice *types, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (name.len > types[i].len &&
		    slice_eq_nocase(slice_from(name, name.len - types[i].len), types[i]))
			return true;
	}
	return false;
}

struct slice
upload_name_last(struct slice path)
{
	size_t at = path.len;

	while (at > 0 && path.ptr[at - 1] != '/' && path.ptr[at - 1] != '\\')
		at--;
	return slice_from(path, at);
}

/* --- another name --- */

/* ".jpg", ".tar.gz"; or nothing. */
static struct slice
ending(struct slice name)
{
	struct slice last = mime_extension(name);
	struct slice stem = slice_make(name.ptr, name.len - last.len);
	struct slice tar = mime_extension(stem);

	if (last.len > 0 && slice_eq_nocase(tar, SLICE(".tar")))
		last = slice_from(name, stem.len - tar.len);
	return last.len <= ENDING_MAX ? last : slice_make("", 0);
}

/* The first bytes of `s`, at most `max`, that do not end within a character. */
static size_t
cut(struct slice s, size_t max)
{
	if (s.len <= max)
		return s.len;
	while (max > 0 && ((unsigned char)s.ptr[max] & 0xc0) == 0x80)
		max--;
	return max;
}

struct slice
upload_name_number(struct slice name, unsigned n, size_t reserve,
		   char out[UPLOAD_NAME_MAX])
{
	struct slice end = ending(name);
	char digits[20];
	size_t count = number_format(n, digits), len;

	assert(reserve <= UPLOAD_NAME_RESERVE_MAX && name.len <= UPLOAD_NAME_MAX);
	len = cut(slice_make(name.ptr, name.len - end.len),
		  UPLOAD_NAME_MAX - reserve - end.len - count - strlen(" ()"));
	memcpy(out, name.ptr, len);
	memcpy(out + len, " (", 2);
	memcpy(out + len + 2, digits, count);
	len += 2 + count;
	out[len++] = ')';
	memcpy(out + len, end.ptr, end.len);
	return slice_make(out, len + end.len);
}

const char *
upload_name_sentence(enum upload_name_error e)
{
	static const char *const sentences[UPLOAD_NAME_ERROR_COUNT] = {
#define X(id, sentence) [UPLOAD_NAME_##id] = sentence,
		UPLOAD_NAME_ERRORS(X)
#undef X
	};

	return e < UPLOAD_NAME_ERROR_COUNT ? sentences[e] : "";
}
