/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_conditions: the preconditions of the request that began an upload (RFC 9110 section 13),
 * kept as text, for they are asked about the file when it gets its name, perhaps many requests
 * later: the draft, "Upload Creation", has the first request's fields decide.
 */
#ifndef WEBSRV_HANDLER_RESUME_CONDITIONS_H
#define WEBSRV_HANDLER_RESUME_CONDITIONS_H

#include "base/arena.h"
#include "http/message.h"

/* If-Match, If-None-Match and If-Unmodified-Since of `head`, a line each; of the arena, empty when
 * there are none. 0 or -ENOMEM. */
int resume_conditions_write(const struct http_head *head, struct arena *arena,
			    struct slice *out) __attribute__((warn_unused_result));

/* The head that stands for such text: `head` with no other fields. NULL without memory. Borrows
 * `text`; of the arena. */
const struct http_head *resume_conditions_read(struct slice text,
					       const struct http_head *head,
					       struct arena *arena)
	__attribute__((warn_unused_result));

#endif
