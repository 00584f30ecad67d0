/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clock: the times the server needs. Monotonic milliseconds for deadlines (coarse:
 * good to a few ms and almost free), Unix time for logs and Date.
 */
#ifndef WEBSRV_BASE_CLOCK_H
#define WEBSRV_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The same clock, exactly: for measuring how long a piece of work takes. */
static inline uint64_t
clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static inline int64_t
clock_unix(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts.tv_sec;
}

#endif
