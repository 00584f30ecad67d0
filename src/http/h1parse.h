/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1parse: an HTTP/1.1 request head, strictly by RFC 9112. The caller keeps the bytes:
 * it calls again with the same bytes and more behind them, at any address, and the
 * parser goes on where it stopped. Offenders are told as soon as they are seen, not at
 * the end of the head. No I/O, no allocation after init.
 */
#ifndef WEBSRV_HTTP_H1PARSE_H
#define WEBSRV_HTTP_H1PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/message.h"

struct h1_limits {
	size_t uri_size;    /* bytes of the request target: 414 */
	size_t header_size; /* bytes of the whole head, request line included: 431, or 414
			     * when the request line alone is larger; 16 MiB at most */
	size_t field_count; /* 431 */
};

enum h1_result {
	H1_OK,   /* the head is whole; `consumed` bytes belong to it */
	H1_MORE, /* so far right; wants more bytes */
	H1_BAD   /* `status` and `reason` say why; close after answering */
};

/* A name and a value as offsets into the head; of no use to callers. */
struct h1_line {
	uint32_t name_off, name_len;
	uint32_t value_off, value_len;
};

struct h1_parser {
	struct h1_limits limits;
	size_t line_start; /* where the line that is being read begins */
	size_t scanned;    /* bytes already judged */
	int state;         /* private */
	bool have_request_line;
	size_t field_count;
	size_t consumed;       /* out: with H1_OK */
	int status;            /* out: with H1_BAD: 400, 414, 417, 431, 501, 505 */
	const char *reason;    /* out: with H1_BAD: a static sentence for the log */
	struct h1_line *lines; /* fields as offsets, limits.field_count of them */
	struct h1_line method, target;
	int minor;
};

/* 0 or -ENOMEM. The limits are copied (header_size clamped) and must be at least 1 each. */
int h1_parser_init(struct h1_parser *p, const struct h1_limits *limits);
void h1_parser_fini(struct h1_parser *p);
/* Ready for the next head; keeps the memory. */
void h1_parser_reset(struct h1_parser *p);
/*
 * `in` begins with the first byte of the head and never shrinks between calls.
 * CRLFs before the request line are skipped (RFC 9112 section 2.2), two at most.
 * The verdict depends on the bytes only, not on how they were cut into calls. After OK
 * or BAD it must not be called again before h1_parser_reset().
 *
 * Versions: HTTP/1.0, and 1.1 to 1.9 as 1.1; another major version is 505. A method of
 * more than 32 bytes is 501.
 */
enum h1_result h1_parse(struct h1_parser *p, struct slice in);

/*
 * After H1_OK: the head with slices into `base` (p->consumed bytes that equal the ones
 * that were parsed), fields in `fields` (room for p->field_count). Checks what concerns
 * the head as a whole: Host, framing, target form, connection options.
 * 0, or the status to answer (400, 417, 501), set in p->status too with p->reason; the
 * connection closes then. The fields in `out` are all valid even so, unless it is 501 for
 * the method (then there are none).
 *
 * 400: no Host in HTTP/1.1, two in any version, or one that is no uri-host[:port];
 * Content-Length that is not 1*DIGIT, beyond 2^63-1 or said twice (equal or not);
 * Content-Length together with Transfer-Encoding; Transfer-Encoding in HTTP/1.0, twice,
 * malformed, or chunked not last; asterisk form for anything but OPTIONS; a target that
 * is neither origin, absolute http(s) nor asterisk form. 417: an expectation other than
 * 100-continue in HTTP/1.1. 501: a transfer coding other than chunked; a method that the
 * table does not know, CONNECT. Upgrade is not looked at.
 */
int h1_head(struct h1_parser *p, const char *base, struct http_field *fields,
	    struct http_head *out);

#endif
