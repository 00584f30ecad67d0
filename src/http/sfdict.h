/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sfdict: structured fields, RFC 9651: dictionaries (section 3.2), one member after the other,
 * and items (section 3.3), without a copy. Parameters and inner lists are checked and passed
 * over.
 */
#ifndef WEBSRV_HTTP_SFDICT_H
#define WEBSRV_HTTP_SFDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum sf_kind {
	SF_INTEGER,
	SF_DECIMAL,
	SF_STRING,
	SF_TOKEN,
	SF_BYTES,
	SF_BOOLEAN,
	SF_LIST,
	SF_DATE,
	SF_DISPLAY
};

struct sf_member {
	struct slice key; /* empty for an item */
	enum sf_kind kind;
	/* As it is written: of SF_STRING, SF_DISPLAY and SF_BYTES what the quotes and colons
	 * enclose, still escaped, percent-encoded, in base64; empty for a key alone, which is
	 * true. */
	struct slice text;
	int64_t number; /* of SF_INTEGER and SF_DATE; 0 or 1 of SF_BOOLEAN */
};

enum sf_result {
	SF_MEMBER,
	SF_END,
	SF_BAD /* the field as a whole says nothing, nor do the members before */
};

/*
 * Takes the next member off `rest`, at first the value of a field line; an empty one has no
 * members. Several lines of a field are one dictionary: call it for each. Of members with the
 * same key the last one counts (section 3.2), which is left to the caller.
 */
enum sf_result sf_dict_next(struct slice *rest, struct sf_member *m);

/* The whole of `value` as one item that is no inner list; false when it is not. Several lines
 * of a field are never one item. */
bool sf_item_parse(struct slice value, struct sf_member *m);

#endif
