/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_form: what the door of forms and its answers share.
 */
#ifndef WEBSRV_HANDLER_UPLOAD_FORM_H
#define WEBSRV_HANDLER_UPLOAD_FORM_H

#include "handler/publish.h"

struct exchange;

#define FORM_FILES_MAX 100           /* of one form: each holds a descriptor */
#define FORM_OPEN_MAX 1000           /* of all forms of a route, in one worker */
#define FORM_PARTS_MAX 1000          /* files and fields */
#define FORM_FIELDS_MAX (64U * 1024) /* bytes of all fields that are no files */

/* Answers 201 with what was stored, as JSON or as a page; or 303 to "after" for who prefers
 * pages. `items` are published; they are not needed afterwards. 0, or a status. */
int form_answer(struct exchange *ex, const struct publish_item *items, size_t count)
	__attribute__((warn_unused_result));

#endif
