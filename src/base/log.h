/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log: the error log. One event is one line, written with one write(2), control bytes
 * escaped: "2026-01-31T12:00:00.123Z warning [4711] text". Never fails the caller.
 */
#ifndef WEBSRV_BASE_LOG_H
#define WEBSRV_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define LOG_TEXT_MAX 2048 /* bytes of one message; longer ones are cut */

struct log {
	int fd; /* where lines go; not owned; -1 = syslog */
	enum log_level level;
};

/* For events that can come a thousand times a second: one line in ten seconds, with the
 * count of those left out. Zero-initialise. */
struct log_limit {
	uint64_t next_ms;
	uint64_t skipped;
};

void log_error(const struct log *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_warning(const struct log *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_info(const struct log *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_debug(const struct log *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_limited(const struct log *l, struct log_limit *limit, enum log_level level,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static inline bool
log_wants(const struct log *l, enum log_level level)
{
	return level <= l->level;
}

/* "error", "warning", "info", "debug"; -1 for anything else. */
int log_level_from(const char *name);

#endif
