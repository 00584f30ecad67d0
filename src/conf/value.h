/* SPDX-License-Identifier: BSD-2-Clause
 *
 * value: sizes and durations as people write them, and back again for messages.
 */
#ifndef WEBSRV_CONF_VALUE_H
#define WEBSRV_CONF_VALUE_H

#include <stdint.h>

#include "base/slice.h"

#define VALUE_TEXT 24 /* room for any formatted value */

/* Bytes: digits, then nothing or one of K, M, G, T (powers of 1024).
 * 0, -EINVAL for anything else, -ERANGE beyond 64 bits. */
int value_size(struct slice s, uint64_t *out);

/* Milliseconds: digits, then nothing (seconds) or one of ms, s, m, h, d.
 * 0, -EINVAL for anything else, -ERANGE beyond 64 bits. */
int value_duration(struct slice s, uint64_t *out);

/* Seconds, perhaps with a fraction, as milliseconds, rounded to the nearest.
 * 0, or -ERANGE for what is negative or beyond 2^53 ms. */
int value_duration_seconds(double seconds, uint64_t *out);

/* The shortest exact way to write it: "16M", "1500", "90s", "500ms". Returns `out`. */
const char *value_format_size(uint64_t size, char out[VALUE_TEXT]);
const char *value_format_duration(uint64_t ms, char out[VALUE_TEXT]);

#endif
