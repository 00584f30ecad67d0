/* SPDX-License-Identifier: BSD-2-Clause
 *
 * jsonout: JSON for people, written in the order of the calls: objects with one member a
 * line, arrays likewise or in one line. Goes into the caller's buf, whose `failed` says
 * whether memory was enough. Keys are NULL in arrays and at the top.
 */
#ifndef WEBSRV_CONF_JSONOUT_H
#define WEBSRV_CONF_JSONOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;

struct jsonout {
	struct buf *out;
	unsigned depth;
	bool is_empty;    /* nothing stands yet in what is open */
	bool in_line;     /* an array in one line is open; it holds no containers */
	bool has_invalid; /* a string was not UTF-8: the output is not what was meant */
};

void jsonout_init(struct jsonout *j, struct buf *out);
/* Keys and strings may be any bytes. */
void jsonout_object(struct jsonout *j, const char *key);
void jsonout_object_end(struct jsonout *j);
void jsonout_array(struct jsonout *j, const char *key);
void jsonout_line(struct jsonout *j, const char *key);
void jsonout_array_end(struct jsonout *j);
void jsonout_string(struct jsonout *j, const char *key, struct slice s);
void jsonout_number(struct jsonout *j, const char *key, uint64_t n);
/* true, false, null, or a number as text. */
void jsonout_word(struct jsonout *j, const char *key, const char *word);

#endif
