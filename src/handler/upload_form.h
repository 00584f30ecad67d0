/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_form: what the door of forms and its answers share.
 */
#ifndef WEBSRV_HANDLER_UPLOAD_FORM_H
#define WEBSRV_HANDLER_UPLOAD_FORM_H

#include "base/buf.h"
#include "handler/publish.h"

struct exchange;

#define FORM_FILES_MAX 100           /* of one form: each holds a descriptor */
#define FORM_OPEN_MAX 1000           /* of all forms of a route, in one worker */
#define FORM_PARTS_MAX 1000          /* files and fields */
#define FORM_FIELDS_MAX (64U * 1024) /* bytes of all fields that are no files */

/* An answer to come. Zeroed is valid for form_answer_fini(). */
struct form_answer {
	bool is_page;
	struct buf body; /* with room for all of it */
	char *room;      /* for a URL */
};

/* Before the items are published: all the memory that the answer takes. 0 or 503. */
int form_answer_init(struct form_answer *a, struct exchange *ex,
		     struct publish_item *items, size_t count)
	__attribute__((warn_unused_result));
void form_answer_fini(struct form_answer *a);

/* Answers 201 with what was stored, as JSON or as a page; or 303 to "after" for who prefers
 * pages. `items` are published; they are not needed afterwards. 0, or a status, though not for want
 * of memory. */
int form_answer(struct form_answer *a, struct exchange *ex,
		const struct publish_item *items, size_t count)
	__attribute__((warn_unused_result));

#endif
