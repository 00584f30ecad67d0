/* SPDX-License-Identifier: BSD-2-Clause
 *
 * param: the `; name=value` behind a media type or a disposition, RFC 9110 section 5.6.6, one
 * after the other, without a copy. It owns nothing.
 */
#ifndef WEBSRV_HTTP_PARAM_H
#define WEBSRV_HTTP_PARAM_H

#include <stdbool.h>

#include "base/slice.h"

struct param {
	struct slice name;  /* a token, in any case */
	struct slice value; /* what the quotes enclose, still escaped */
	bool quoted;
};

enum param_result {
	PARAM_FOUND,
	PARAM_END,
	PARAM_BAD /* what is left makes no sense, so neither may what came before */
};

/*
 * Takes the next parameter off `rest`, at first what follows the type. Semicolons without a
 * parameter are passed over. More lenient than the RFC with a value without quotes: it ends
 * at ';', blank or '"', whatever else it holds but control bytes.
 */
enum param_result param_next(struct slice *rest, struct param *p)
	__attribute__((warn_unused_result));

/* What is before the parameters: a media type, say; *rest is what follows it. */
struct slice param_split(struct slice value, struct slice *rest);

#endif
