/* SPDX-License-Identifier: BSD-2-Clause
 *
 * base64: RFC 4648 section 4, strictly: its own alphabet, padded, not a byte beside it.
 */
#ifndef WEBSRV_BASE_BASE64_H
#define WEBSRV_BASE_BASE64_H

#include "base/slice.h"

/* Characters for `n` bytes. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_LEN(len) characters, no NUL; returns their count. */
size_t base64_encode(const void *data, size_t len, char *out);

/*
 * At most `max` bytes into `out`, which may be where the text is, their count into *len: 0.
 * -EINVAL: a byte that is not of the alphabet, padding that is missing, misplaced or hides
 * bits; -ERANGE: more than `max` bytes.
 */
int base64_decode(struct slice s, void *out, size_t max, size_t *len)
	__attribute__((warn_unused_result));

#endif
