/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cond: conditional requests, RFC 9110 section 13. Pure: the validators of the
 * selected representation come in, the verdict goes out.
 */
#ifndef WEBSRV_HTTP_COND_H
#define WEBSRV_HTTP_COND_H

#include <stdbool.h>
#include <stdint.h>

#include "http/message.h"

struct cond_validators {
	bool exists;       /* a current representation exists */
	struct slice etag; /* entity-tag with quotes, W/ for a weak one; empty if none */
	int64_t modified;  /* Unix seconds; valid when has_modified */
	bool has_modified;
};

enum cond_verdict {
	COND_PROCEED,
	COND_NOT_MODIFIED,       /* 304, for GET and HEAD */
	COND_PRECONDITION_FAILED /* 412 */
};

/*
 * Precedence as in section 13.2.2. If-Match uses strong comparison, If-None-Match weak;
 * a field that is not well-formed is treated as a list that matches nothing, except that
 * invalid dates are ignored (sections 13.1.3, 13.1.4). Several field lines are one list.
 * `now` is Unix seconds, for two-digit years.
 */
enum cond_verdict cond_evaluate(const struct http_head *head,
				const struct cond_validators *v, int64_t now);

#endif
