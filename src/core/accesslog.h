/* SPDX-License-Identifier: BSD-2-Clause
 *
 * accesslog: one line per exchange, in the combined form or as JSON. Lines are gathered
 * and written in batches; accesslog_flush() is called on every tick and at the end.
 */
#ifndef WEBSRV_CORE_ACCESSLOG_H
#define WEBSRV_CORE_ACCESSLOG_H

#include <stdint.h>

#include "base/linelog.h"
#include "base/log.h"
#include "conf/config.h"

struct exchange;

struct accesslog {
	struct linelog lines;
	const struct log *errors; /* borrowed */
	enum conf_access_format format;
	int64_t second; /* that `date` was made for */
	char date[32];
};

void accesslog_init(struct accesslog *a, int fd, enum conf_access_format format,
		    const struct log *errors);
/* Flushes. */
void accesslog_fini(struct accesslog *a);
void accesslog_write(struct accesslog *a, const struct exchange *ex);
void accesslog_flush(struct accesslog *a);

#endif
