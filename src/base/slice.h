/* SPDX-License-Identifier: BSD-2-Clause
 *
 * slice: a borrowed run of bytes, pointer and length. It owns nothing, is not
 * NUL-terminated, and is valid only as long as what it points into.
 */
#ifndef WEBSRV_BASE_SLICE_H
#define WEBSRV_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* For string literals; usable in static initialisers. */
#define SLICE_LIT(s)                                                                     \
	{                                                                                \
		(s), sizeof(s) - 1                                                       \
	}
#define SLICE(s) ((struct slice)SLICE_LIT(s))
/* For printf: "%.*s", SLICE_ARG(s). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice
slice_make(const char *ptr, size_t len)
{
	return (struct slice){ ptr, len };
}

static inline struct slice
slice_from_str(const char *s)
{
	return (struct slice){ s, s != NULL ? strlen(s) : 0 };
}

/* The bytes from `from` to the end; an offset beyond the end gives an empty slice. */
static inline struct slice
slice_from(struct slice s, size_t from)
{
	if (from > s.len)
		from = s.len;
	return from == 0 ? s : slice_make(s.ptr + from, s.len - from);
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case-insensitive. */
static inline bool
slice_eq_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool
slice_ends_with(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 ||
		memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* How often `c` is in it. */
static inline size_t
slice_count(struct slice s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == c;
	return n;
}

/* Index of the first `c`, or s.len when there is none. */
static inline size_t
slice_find(struct slice s, char c)
{
	const char *p = s.len != 0 ? memchr(s.ptr, c, s.len) : NULL;

	return p != NULL ? (size_t)(p - s.ptr) : s.len;
}

/* ASCII control characters, NUL among them. */
static inline bool
slice_has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

/* Without the SP and HTAB at both ends: OWS of RFC 9110 section 5.6.3. */
static inline struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

#endif
