/* SPDX-License-Identifier: BSD-2-Clause
 *
 * buf: a growable run of bytes. Appending never fails half-way: when memory runs out
 * the buffer keeps what it had, `failed` is set, and every later append is a no-op,
 * so a writer checks once at the end.
 */
#ifndef WEBSRV_BASE_BUF_H
#define WEBSRV_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf {
	char *ptr;
	size_t len;
	size_t cap;
	bool failed;
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);
/* Room for `more` further bytes; 0 or -ENOMEM. */
int buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_slice(struct buf *b, struct slice s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* HTML text and attribute values, always UTF-8: & < > " ' become references; control
 * characters, bytes that are not UTF-8 and characters that reorder the text around them
 * (U+202A to U+202E, U+2066 to U+2069) become U+FFFD. */
void buf_add_html(struct buf *b, struct slice s);
/* Decimal digits. */
void buf_add_number(struct buf *b, uint64_t n);
/* HTML text for people: "999&nbsp;B", "1.4&nbsp;MB": decimal units, one digit behind the point. */
void buf_add_size(struct buf *b, uint64_t size);
/* One log-safe run: bytes below 0x20, above 0x7e, '"' and '\\' become \xHH. */
void buf_add_escaped(struct buf *b, struct slice s);
/* The inside of a JSON string, ASCII only: everything else as \uXXXX, also bytes that are
 * not UTF-8. */
void buf_add_json(struct buf *b, struct slice s);

static inline struct slice
buf_slice(const struct buf *b)
{
	return slice_make(b->ptr, b->len);
}

#endif
