/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cli: the command line, read into what is wanted.
 */
#ifndef WEBSRV_APP_CLI_H
#define WEBSRV_APP_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "app/explain.h"

struct buf;
struct config;

#define CLI_EXIT_USAGE 2
#define CLI_EXIT_CONFIG 78 /* EX_CONFIG of sysexits.h */

enum cli_command {
	CLI_RUN,
	CLI_TEST,
	CLI_DUMP,
	CLI_EXPLAIN,
	CLI_SCHEMA,
	CLI_VERSION,
	CLI_HELP,
	CLI_USAGE_ERROR
};

struct cli {
	enum cli_command command;
	const char *config;    /* -c; NULL when a directory is served */
	const char *directory; /* DIR */
	const char *listen;    /* -l */
	int log_level;         /* -e: enum log_level; -1 = as configured */
	bool daemonize;        /* -d */
	bool strict;           /* --strict */
	struct explain_request explain;
};

/* Complains on stderr about what it does not understand (CLI_USAGE_ERROR). Strings are those
 * of argv. */
struct cli cli_parse(int argc, char **argv);
void cli_print_help(FILE *out);
void cli_print_version(FILE *out);
/* These two write to stdout; the exit status. */
int cli_print_schema(void);
int cli_dump(const struct config *conf);
/* Writes to stdout and frees. 0, or 1 with a complaint when not all of it could be written. */
int cli_print(struct buf *text);

#endif
