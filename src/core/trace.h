/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace: why a request is answered as it is: steps in words, in the order in which the code
 * that serves takes them. Only who asks for it has one (`websrv --explain`); while serving
 * there is none, and a note costs one branch that is not taken.
 */
#ifndef WEBSRV_CORE_TRACE_H
#define WEBSRV_CORE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "core/access.h"

struct conf_redirect_row;
struct handler;

#define TRACE_KINDS(X)                                                                   \
	X(NOTE, "note") /* what should be known about the explanation itself */          \
	X(LISTENER, "listener")                                                          \
	X(REQUEST, "request")                                                            \
	X(ROUTE, "route")                                                                \
	X(ACCESS, "access")                                                              \
	X(FILE, "file")                                                                  \
	X(UPLOAD, "upload")                                                              \
	X(REDIRECT, "redirect")                                                          \
	X(ANSWER, "answer")                                                              \
	X(ERROR, "error")

enum trace_kind {
#define X(id, word) TRACE_##id,
	TRACE_KINDS(X)
#undef X
		TRACE_KIND_COUNT
};

struct trace_step {
	enum trace_kind kind;
	const char *text; /* any bytes but NUL: parts of it are the request's */
	const struct trace_step *next;
};

struct trace {
	struct arena arena;
	const struct trace_step *first;
	const struct trace_step **link; /* where the next one goes */
	bool failed;                    /* memory was not enough for all of it */

	/* what is of use by itself; borrowed from the exchange and its site */
	struct slice
		name; /* of the server that matched: "a.b", ".b" of "*.b"; else empty */
	const struct conf_redirect_row *row; /* of "redirects" */
	struct slice rest;                   /* what '*' of the route matched */
	const struct handler *handler;       /* of the route, opened for the request */
	bool has_access;                     /* the route has rules, which said: */
	struct access_verdict access;
	const char *file; /* whose bytes answer, with its whole path; NULL: none */
	uint64_t file_size;
};

void trace_init(struct trace *t);
void trace_fini(struct trace *t);

/* Adds a step. What has been said is not said again: files are looked at more than once. */
void trace_note(struct trace *t, enum trace_kind kind, const char *fmt, ...)
	__attribute__((cold, format(printf, 3, 4)));

/* The file `path` beneath `root` answers. */
void trace_set_file(struct trace *t, const char *root, const char *path, uint64_t size)
	__attribute__((cold));

const char *trace_kind_word(enum trace_kind kind);

#endif
