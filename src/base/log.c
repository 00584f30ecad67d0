/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log: format, escape, write. A line that cannot be written is gone: there is nobody
 * left to tell.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LIMIT_MS 10000

static const char *const level_names[] = { "error", "warning", "info", "debug" };

int
log_level_from(const char *name)
{
	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(name, level_names[i]) == 0)
			return i;
	}
	return -1;
}

/* Whatever came over the wire may stand in a message: no byte of it may move the cursor of
 * a terminal or begin a second line. */
static size_t
escape(const char *in, size_t len, char *out, size_t cap)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < len && n + 4 <= cap; i++) {
		unsigned char c = (unsigned char)in[i];

		if (c >= 0x20 && c < 0x7f && c != '\\') {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return n;
}

static size_t
format_prefix(char *out, size_t cap, enum log_level level)
{
	struct timespec ts;
	struct tm tm;
	int n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = snprintf(out, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s [%ld] ",
		     tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		     tm.tm_sec, (int)(ts.tv_nsec / 1000000), level_names[level],
		     (long)getpid());
	return n < 0 ? 0 : (size_t)n;
}

static void __attribute__((format(printf, 3, 0)))
emit(const struct log *l, enum log_level level, const char *fmt, va_list ap)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
	char text[LOG_TEXT_MAX], safe[4 * LOG_TEXT_MAX], prefix[96];
	struct iovec iov[2];
	size_t len;
	int n;

	if (!log_wants(l, level))
		return;
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		return;
	len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	len = escape(text, len, safe, sizeof(safe) - 1);
	if (l->fd < 0) {
		syslog(priorities[level], "%.*s", (int)len, safe);
		return;
	}
	safe[len++] = '\n';
	iov[0] = (struct iovec){ prefix, format_prefix(prefix, sizeof(prefix), level) };
	iov[1] = (struct iovec){ safe, len };
	if (writev(l->fd, iov, 2) < 0)
		return;
}

static void __attribute__((format(printf, 3, 4)))
emitf(const struct log *l, enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(l, level, fmt, ap);
	va_end(ap);
}

void
log_error(const struct log *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(l, LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warning(const struct log *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(l, LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void
log_info(const struct log *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(l, LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const struct log *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(l, LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

void
log_limited(const struct log *l, struct log_limit *limit, enum log_level level,
	    const char *fmt, ...)
{
	uint64_t now = clock_mono_ms();
	va_list ap;

	if (now < limit->next_ms) {
		limit->skipped++;
		return;
	}
	va_start(ap, fmt);
	emit(l, level, fmt, ap);
	va_end(ap);
	if (limit->skipped != 0)
		emitf(l, level, "the same came %llu times more since it was last logged",
		      (unsigned long long)limit->skipped);
	limit->next_ms = now + LIMIT_MS;
	limit->skipped = 0;
}
