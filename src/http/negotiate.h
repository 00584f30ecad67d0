/* SPDX-License-Identifier: BSD-2-Clause
 *
 * negotiate: proactive negotiation, RFC 9110 section 12.5. Pure: the head of a request and
 * what there is come in, the choice goes out.
 */
#ifndef WEBSRV_HTTP_NEGOTIATE_H
#define WEBSRV_HTTP_NEGOTIATE_H

#include <stdint.h>

#include "http/coding.h"
#include "http/message.h"

/* Weights in thousandths; 0 = not acceptable. */
struct negotiate_codings {
	uint16_t q[CODING_COUNT];
	bool identity_is_named; /* it was given this weight, by name, by "*", or because
				 * nothing was asked for; else 1000 is only "acceptable" */
};

/*
 * Section 12.5.3. All Accept-Encoding lines are one list. No field at all: every coding is
 * acceptable, but nothing was asked for: identity has 1000, the others 1. An empty one:
 * identity only. An element that is not well-formed is passed over; of a coding that is named
 * twice the highest weight counts.
 */
void negotiate_codings(const struct http_head *head, struct negotiate_codings *out);

/*
 * The best of `offered` codings, which are in the server's order of preference, or identity:
 * the highest weight, then the server's order, in which identity is the last unless it is
 * among `offered`; identity that was not named comes after all that is acceptable.
 * CODING_COUNT when nothing is acceptable, identity neither.
 */
enum coding negotiate_pick_coding(const struct negotiate_codings *want,
				  const enum coding *offered, size_t count);

/*
 * Section 12.5.1: the index of the best of `types` ("text/html", without parameters, any
 * case), which are in the server's order of preference; the most specific media range of Accept
 * gives a type its weight. 0 when there is no Accept; `count` when none is acceptable, as with
 * an Accept that lists nothing. All lines are one list; an element that is not well-formed is
 * passed over; of a range that is named twice the highest weight counts.
 * A range with parameters asks for a variant of its types. It is no refusal of the types
 * themselves, and no match when one is named without parameters; else its weight counts when it
 * is higher than that of the wildcards.
 */
size_t negotiate_media(const struct http_head *head, const struct slice *types,
		       size_t count);

#endif
