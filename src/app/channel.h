/* SPDX-License-Identifier: BSD-2-Clause
 *
 * channel: the socketpair between the supervisor and one worker. Messages are small and
 * whole; log descriptors travel along.
 */
#ifndef WEBSRV_APP_CHANNEL_H
#define WEBSRV_APP_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

enum channel_type {
	CHANNEL_READY = 1, /* worker: it serves, or waits for CHANNEL_SERVE */
	CHANNEL_YIELDED,   /* worker: it drains and accepts no more */
	CHANNEL_SERVE,     /* supervisor: accept from now on */
	CHANNEL_DRAIN,     /* supervisor: finish within `arg` ms */
	CHANNEL_YIELD,     /* supervisor: the same, while others serve on */
	CHANNEL_STOP,      /* supervisor: end now */
	CHANNEL_LOGS       /* supervisor: logs were reopened; descriptors come along */
};

/* `arg` of CHANNEL_LOGS: which descriptors come, in this order. */
enum channel_logs { CHANNEL_ERROR_LOG = 1 << 0, CHANNEL_ACCESS_LOG = 1 << 1 };

#define CHANNEL_FDS_MAX 2

struct channel_message {
	uint32_t type;
	uint32_t arg;
	int32_t fd_count;
	int fds[CHANNEL_FDS_MAX]; /* the receiver's own after channel_receive() */
};

/* A connected pair, close-on-exec, non-blocking. 0 or -errno. */
int channel_pair(int fds[2]);
/* 0 or -errno. */
int channel_send(int fd, const struct channel_message *m);
/* 1 with a message; 0 at the end (the other side is gone); -errno: -EAGAIN when none is there,
 * -EMFILE when its descriptors could not be taken. */
int channel_receive(int fd, struct channel_message *m);

#endif
