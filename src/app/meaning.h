/* SPDX-License-Identifier: BSD-2-Clause
 *
 * meaning: what is said about a configuration beyond its form: the findings of core/lint, and
 * of this machine whether addresses, files and directories are there to be used. Nothing is
 * created, and no connection of a server that runs is touched.
 */
#ifndef WEBSRV_APP_MEANING_H
#define WEBSRV_APP_MEANING_H

#include <stddef.h>

struct buf;
struct config;
struct log;
struct site;

/* For `websrv -t`: appends a line for each finding, warnings marked, and counts the warnings.
 * `site` is NULL when it could not be built. 0, or -1: there are errors. */
int meaning_test(const struct config *conf, const struct site *site, struct buf *out,
		 size_t *warnings);

/* For a start: what the start does not try by itself. 0 with the warnings logged, or -1 with
 * all findings appended to `errors`. */
int meaning_start(const struct config *conf, const struct site *site,
		  const struct log *log, struct buf *errors);

#endif
