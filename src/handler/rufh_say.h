/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rufh_say: what the door of the draft (upload_rufh.c) tells its clients: where an upload stands,
 * the limits, problems of RFC 9457, and interim answers. Nothing is decided here.
 *
 * Functions that return int: 0 or an HTTP status.
 */
#ifndef WEBSRV_HANDLER_RUFH_SAY_H
#define WEBSRV_HANDLER_RUFH_SAY_H

#include "handler/resume.h"
#include "handler/store_digest.h"
#include "handler/upload.h"
#include "http/rufh.h"

enum rufh_step { RUFH_OPENING, RUFH_TAKING, RUFH_SAVING, RUFH_COMPLETING };

/* A request at an upload; it lives in the arena of its exchange. */
struct rufh_upload {
	const struct upload_door *door;
	struct resume resume;
	struct rufh_request req;
	struct store_digest content; /* of the body of this request */
	enum rufh_step step;
	const char *path; /* of a new one: where it goes */
	bool creating;
	bool is_known;        /* the client has the URL */
	bool said;            /* where the upload stands is among the fields already */
	uint64_t told_offset; /* by interim answers */
};

/* What is asked about the upload can be known. */
bool rufh_is_open(const struct rufh_upload *r);
bool rufh_is_complete(const struct rufh_upload *r);

/* Upload-Limit and Upload-Complete, and when it is open Upload-Offset: on every answer, also one
 * of refusal, so that the client need not ask again. A second time does nothing. */
int rufh_say_state(struct exchange *ex, struct rufh_upload *r);

/* Upload-Complete: ?0 alone: the upload was ended, or was not looked at. */
void rufh_say_gone(struct exchange *ex, struct rufh_upload *r);

/* Returns `status`, with the state of the upload: Upload-Complete: ?1 where the whole was refused
 * for good. `why` may be NULL. */
int rufh_refuse(struct exchange *ex, struct rufh_upload *r, int status, const char *why);

/* Returns `status`, which the target has for the file before there is an upload: Upload-Complete: ?1
 * says that it is no 409 to go on from, and not worth another attempt. */
int rufh_refuse_new(struct exchange *ex, struct rufh_upload *r, int status);

/* Answers with a problem of the protocol, for clients without a reader: Upload-Complete: ?0. */
int rufh_answer_problem(struct exchange *ex, struct rufh_upload *r, enum rufh_problem p,
			int status, const struct rufh_offsets *offsets);

/* Likewise, with the sentence of upload_refuse(), if there was one. */
int rufh_answer_refusal(struct exchange *ex, struct rufh_upload *r, int status);

/* 104 with the URL of the upload, if the client speaks our version of the draft: r->is_known then. */
void rufh_tell_url(struct exchange *ex, struct rufh_upload *r);
/* 104 with what was written down since the last one. */
void rufh_tell_progress(struct exchange *ex, struct rufh_upload *r);

#endif
