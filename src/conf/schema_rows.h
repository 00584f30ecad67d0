/* SPDX-License-Identifier: BSD-2-Clause
 *
 * schema_rows: how rows of the table are written, and the sections that its files share:
 * schema.c has the top and the servers, schema_limits.c limits and timeouts, schema_route.c
 * what a route may say. For those files only.
 */
#ifndef WEBSRV_CONF_SCHEMA_ROWS_H
#define WEBSRV_CONF_SCHEMA_ROWS_H

#include "conf/check.h"
#include "conf/config.h"
#include "conf/loader.h"
#include "conf/schema.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define K ((uint64_t)1 << 10)
#define M ((uint64_t)1 << 20)
#define T ((uint64_t)1 << 40)
#define DAY ((uint64_t)86400000)

/* Where a value goes: .offset and .size of a member. */
#define INTO(type, member)                                                               \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define ITEMS(type, member, n)                                                           \
	.offset = offsetof(type, member), .count_offset = offsetof(type, n)
#define PLACE(type, member) .place = offsetof(type, member)
#define MARK(type, member, bit)                                                          \
	.mark = offsetof(type, member), .mark_size = sizeof(((type *)0)->member),        \
	.mark_bit = (bit)
#define RANGE(from, to) .min = (from), .max = (to)
#define KEYS(table) .keys = (table), .count = COUNT(table)

extern const struct conf_section conf_schema_global_limits, conf_schema_server_limits,
	conf_schema_route_limits;
extern const struct conf_section conf_schema_global_timeouts, conf_schema_server_timeouts;
extern const struct conf_section conf_schema_route;
extern const struct conf_choice conf_schema_redirect_codes[];

#endif
