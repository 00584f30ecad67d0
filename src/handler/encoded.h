/* SPDX-License-Identifier: BSD-2-Clause
 *
 * encoded: a body in a content coding, encoded while it is sent, in bounded memory.
 */
#ifndef WEBSRV_HANDLER_ENCODED_H
#define WEBSRV_HANDLER_ENCODED_H

#include "core/body.h"
#include "handler/file_shared.h"
#include "http/coding.h"

/* Is there memory for one more of them (FILE_STREAMS_MEMORY)? */
bool encoded_has_room(const struct file_shared *shared, enum coding c);

/* Takes over `inner`, whose kind is BODY_PULL. A body of kind BODY_NONE when memory is short: then
 * `inner` is still the caller's. */
struct body encoded_body(struct file_shared *shared, const struct body *inner,
			 enum coding c) __attribute__((warn_unused_result));

#endif
