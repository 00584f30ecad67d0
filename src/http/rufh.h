/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rufh: the fields of resumable uploads for HTTP, draft-ietf-httpbis-resumable-upload, and its
 * problem details. Text only: what an upload is and where it stands is not known here.
 */
#ifndef WEBSRV_HTTP_RUFH_H
#define WEBSRV_HTTP_RUFH_H

#include "base/buf.h"
#include "http/message.h"

#define RUFH_PARTIAL_TYPE "application/partial-upload"
#define RUFH_PROBLEM_TYPE "application/problem+json"
/* What a structured field can say: RFC 9651 section 3.3.1. */
#define RUFH_NUMBER_MAX ((uint64_t)999999999999999)

/* A field that is malformed, or comes twice, counts as none: section 4 of the draft, and
 * RFC 9651 section 4.2. */
struct rufh_request {
	bool has_offset, has_length, has_complete;
	bool complete;           /* Upload-Complete: ?1 */
	bool partial;            /* Content-Type is RUFH_PARTIAL_TYPE */
	uint64_t offset, length; /* at most RUFH_NUMBER_MAX */
	uint64_t interop;        /* Upload-Draft-Interop-Version; 0 when there is none */
};

void rufh_read(const struct http_head *head, struct rufh_request *out);

/* Is this version of the draft one that is spoken here? Then it is to be sent back. */
bool rufh_is_spoken(uint64_t interop);

enum rufh_limit {
	RUFH_MAX_SIZE,
	RUFH_MIN_SIZE,
	RUFH_MAX_APPEND_SIZE,
	RUFH_MIN_APPEND_SIZE,
	RUFH_MAX_AGE, /* seconds */
	RUFH_LIMIT_COUNT
};

#define RUFH_LIMIT_BIT(l) (1u << (l))
#define RUFH_LIMITS_TEXT_MAX 160 /* of rufh_format_limits() */

struct rufh_limits {
	unsigned present; /* set of RUFH_LIMIT_BIT() */
	uint64_t of[RUFH_LIMIT_COUNT];
};

/* The value of Upload-Limit, without a NUL. What is beyond RUFH_NUMBER_MAX is said as that.
 * An empty set gives `min-size=0`: there are no limits. */
struct slice rufh_format_limits(const struct rufh_limits *limits,
				char out[RUFH_LIMITS_TEXT_MAX]);

enum rufh_problem {
	RUFH_MISMATCHING_OFFSET, /* with both offsets */
	RUFH_COMPLETED,
	RUFH_INCONSISTENT_LENGTH,
	RUFH_PROBLEM_COUNT
};

struct rufh_offsets {
	uint64_t expected, provided;
};

/* Adds the problem as RFC 9457 has it: RUFH_PROBLEM_TYPE. `offsets` is read for
 * RUFH_MISMATCHING_OFFSET only and may be NULL otherwise. */
void rufh_add_problem(struct buf *out, enum rufh_problem p, int status,
		      const struct rufh_offsets *offsets);
/* Likewise a refusal for which the draft has no type: "about:blank". `detail` is a sentence
 * without quotes, or NULL. */
void rufh_add_refusal(struct buf *out, int status, const char *detail);

#endif
