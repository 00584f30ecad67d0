/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dump: the effective configuration as JSON: defaults filled in, inheritance flattened,
 * paths absolute, sizes and durations in their shortest exact form. Sections and keys in
 * the order of the table. What it writes loads into the same configuration again.
 */
#ifndef WEBSRV_CONF_DUMP_H
#define WEBSRV_CONF_DUMP_H

struct buf;
struct config;

/* Appends the dump. 0, -ENOMEM, or -EILSEQ: a path is not UTF-8, so JSON cannot hold it. */
int conf_dump(const struct config *c, struct buf *out)
	__attribute__((warn_unused_result));

#endif
