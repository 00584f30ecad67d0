/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load: from the text of a configuration file to a struct config, or to a list of
 * everything that is wrong with it.
 */
#ifndef WEBSRV_CONF_LOAD_H
#define WEBSRV_CONF_LOAD_H

#include "conf/config.h"

struct buf;

/*
 * Reads and checks a file. Returns the config, to be freed with conf_free(), or NULL with
 * one line per error appended to `errors`, in the order of the file, each
 * "FILE:LINE:COLUMN: POINTER: what is wrong; what would be right\n". Errors are never only
 * the first: the whole file is checked unless its JSON syntax is broken.
 */
struct config *conf_load_file(const char *path, struct buf *errors)
	__attribute__((warn_unused_result));

/* The same for text in memory. `name` stands for the file in messages; relative paths are
 * resolved against `base_dir` (absolute). */
struct config *conf_load_text(struct slice text, const char *name, const char *base_dir,
			      struct buf *errors) __attribute__((warn_unused_result));

/* What `websrv -l ADDRESS DIR` runs with: DIR served read-only at ADDRESS. */
struct config *conf_for_directory(const char *address, const char *dir,
				  struct buf *errors) __attribute__((warn_unused_result));

void conf_free(struct config *c);

/* Of jansson, for `websrv -V`. */
const char *conf_library_version(void);

/* A message at a place, in the same form, for checks that are made later (a root that
 * cannot be opened). */
void conf_report(struct buf *errors, const struct conf_place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
