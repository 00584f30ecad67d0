/* SPDX-License-Identifier: BSD-2-Clause
 *
 * describe: the table of keys as JSON Schema, draft 2020-12, for editors and other
 * programs. It says what every build takes: types, ranges, words, required keys. What only
 * a check of the loader can tell (two routes of one path, a redirect to nowhere) passes it;
 * what it refuses the loader refuses too.
 */
#ifndef WEBSRV_CONF_DESCRIBE_H
#define WEBSRV_CONF_DESCRIBE_H

struct buf;

/* Appends the schema; out->failed says whether memory was enough. */
void conf_describe(struct buf *out);

#endif
