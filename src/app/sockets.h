/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sockets: the listening sockets, one per address and worker slot (SO_REUSEPORT), owned by
 * the supervisor: what is queued on them outlives a worker. A unix socket is one for all slots.
 */
#ifndef WEBSRV_APP_SOCKETS_H
#define WEBSRV_APP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct log;
struct site;

struct sockets {
	const struct site *site;
	size_t slots;
	int *fds; /* [address * slots + slot]; -1 = none */
};

/* 0, or -1 with a positioned message for each address that cannot be listened on. Tells
 * the log what is listened on, with the port that the kernel chose for port 0. */
int sockets_open(struct sockets *s, const struct site *site, size_t slots,
		 const struct log *log, struct buf *errors);
/* In a worker: closes those of the other slots. */
void sockets_keep(struct sockets *s, size_t slot);
/* Closes what is open; may be called again. With `unlink_paths` unix sockets leave the file system. */
void sockets_close(struct sockets *s, bool unlink_paths);

static inline int
sockets_get(const struct sockets *s, size_t address, size_t slot)
{
	return s->fds[address * s->slots + slot];
}

#endif
