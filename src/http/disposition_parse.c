/* SPDX-License-Identifier: BSD-2-Clause
 *
 * disposition_parse: the file name that a client proposes, in any of the spellings that
 * clients have. It decodes and judges nothing: what it gives may be any bytes at all.
 */
#include <errno.h>
#include <stdint.h>

#include "http/chars.h"
#include "http/disposition.h"
#include "http/param.h"

enum name_kind { NAME_FIELD, NAME_FILE, NAME_FILE_CODED, NAME_KINDS, NAME_NONE };

static const struct slice names[NAME_KINDS] = {
	[NAME_FIELD] = SLICE_LIT("name"),
	[NAME_FILE] = SLICE_LIT("filename"),
	[NAME_FILE_CODED] = SLICE_LIT("filename*"),
};

/* Decoded text is never longer than what it is written as, so it stays where it stood. */
struct writer {
	char *ptr;
	size_t len;
};

/* The byte that "%XX" stands for, or -1. */
static int
percent(struct slice s, size_t i)
{
	int high, low;

	if (i + 2 >= s.len || s.ptr[i] != '%')
		return -1;
	high = char_hex(s.ptr[i + 1]);
	low = char_hex(s.ptr[i + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* The three bytes that HTML has browsers encode in a form, "multipart/form-data encoding
 * algorithm"; a '%' before anything else is just itself there. */
static bool
is_form_escape(int byte)
{
	return byte == '"' || byte == '\r' || byte == '\n';
}

/* A backslash escapes quotes and itself only: Internet Explorer sends whole paths, and
 * browsers send it as it is. */
static struct slice
decode_plain(struct writer w, struct slice s, bool form)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (form && is_form_escape(percent(s, i))) {
			c = (char)percent(s, i);
			i += 2;
		} else if (c == '\\' && i + 1 < s.len &&
			   (s.ptr[i + 1] == '"' || s.ptr[i + 1] == '\\')) {
			c = s.ptr[++i];
		}
		w.ptr[w.len++] = c;
	}
	return slice_make(w.ptr, w.len);
}

static void
write_latin1(struct writer *w, unsigned c)
{
	if (c >= 0x80)
		w->ptr[w->len++] = (char)(0xc0 | c >> 6);
	w->ptr[w->len++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
}

/* ext-value of RFC 8187 section 3.2.1. */
static int
decode_coded(struct writer w, struct slice s, struct slice *out)
{
	size_t n = slice_find(s, '\'');
	struct slice charset = slice_make(s.ptr, n);
	bool latin1 = slice_eq_nocase(charset, SLICE("iso-8859-1"));

	if (!latin1 && !slice_eq_nocase(charset, SLICE("utf-8")))
		return -EINVAL;
	s = slice_from(s, n + 1);
	n = slice_find(s, '\'');
	if (n == s.len)
		return -EINVAL;
	s = slice_from(s, n + 1);
	for (size_t i = 0; i < s.len; i++) {
		int c = (unsigned char)s.ptr[i];

		if (c == '%') {
			c = percent(s, i);
			i += 2;
		} else if (c >= 0x80) {
			c = -1;
		}
		if (c < 0)
			return -EINVAL;
		if (latin1)
			write_latin1(&w, (unsigned)c);
		else
			w.ptr[w.len++] = (char)c;
	}
	*out = slice_make(w.ptr, w.len);
	return 0;
}

static enum name_kind
kind_of(struct slice name)
{
	enum name_kind kind = 0;

	while (kind < NAME_KINDS && !slice_eq_nocase(name, names[kind]))
		kind++;
	return kind < NAME_KINDS ? kind : NAME_NONE;
}

int
disposition_parse(char *text, size_t len, bool form, struct disposition *out)
{
	struct slice found[NAME_KINDS] = { { NULL, 0 } }, rest;
	enum param_result result;
	struct param p;
	int rc = 0;

	*out = (struct disposition){ .type = param_split(slice_make(text, len), &rest) };
	if (out->type.len == 0 || char_token_len(out->type) != out->type.len)
		return -EINVAL;
	while (rc == 0 && (result = param_next(&rest, &p)) != PARAM_END) {
		enum name_kind kind = kind_of(p.name);
		struct writer w;

		if (result == PARAM_BAD)
			return -EINVAL;
		if (kind == NAME_NONE)
			continue;
		/* Two names: one for who looks on, one for who stores. */
		if (found[kind].ptr != NULL)
			return -EINVAL;
		w = (struct writer){ text + (p.value.ptr - text), 0 };
		if (kind != NAME_FILE_CODED)
			found[kind] = decode_plain(w, p.value, form);
		else if (p.quoted)
			rc = -EINVAL;
		else
			rc = decode_coded(w, p.value, &found[kind]);
	}
	out->name = found[NAME_FIELD];
	/* RFC 6266 section 4.3. */
	out->filename = found[NAME_FILE_CODED].ptr != NULL ? found[NAME_FILE_CODED]
							   : found[NAME_FILE];
	return rc;
}
