/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain: `websrv --explain`: how a request would be answered, and why. The request goes
 * through the parser, the router and the handlers that serve, over a transport without a
 * socket; a trace takes down what they decide. Nothing is bound, logged, counted or changed.
 */
#ifndef WEBSRV_APP_EXPLAIN_H
#define WEBSRV_APP_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct config;

#define EXPLAIN_FIELDS_MAX 100

/* As it stands on the command line; the strings are argv's. */
struct explain_request {
	const char *method;
	const char *url;
	const char *fields[EXPLAIN_FIELDS_MAX]; /* "Name: value"; "@FILE": lines of it */
	size_t field_count;
	const char *from;   /* the client's address; NULL: one that suits the listener */
	const char *listen; /* the listener; NULL: the URL tells */
	bool json;
};

/* Writes to stdout. The exit status: 0; 1 when the answer is 400 or more, when nothing listens
 * there, or for want of memory; CLI_EXIT_USAGE; CLI_EXIT_CONFIG. */
int explain_run(const struct explain_request *r, const struct config *conf);

#endif
