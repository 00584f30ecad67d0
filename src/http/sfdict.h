/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sfdict: dictionaries of structured fields, RFC 8941 section 3.2, one member after the other,
 * without a copy. Parameters and inner lists are checked and passed over.
 */
#ifndef WEBSRV_HTTP_SFDICT_H
#define WEBSRV_HTTP_SFDICT_H

#include <stdint.h>

#include "base/slice.h"

enum sf_kind {
	SF_INTEGER,
	SF_DECIMAL,
	SF_STRING,
	SF_TOKEN,
	SF_BYTES,
	SF_BOOLEAN,
	SF_LIST
};

struct sf_member {
	struct slice key;
	enum sf_kind kind;
	/* As it is written: of SF_STRING and SF_BYTES what the quotes and colons enclose, still
	 * escaped and in base64; empty for a key alone, which is true. */
	struct slice text;
	int64_t number; /* of SF_INTEGER; 0 or 1 of SF_BOOLEAN */
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

#endif
