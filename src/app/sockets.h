/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sockets: the listening sockets, one per address and worker slot (SO_REUSEPORT), owned by
 * the supervisor: what is queued on them outlives a worker and a configuration. A unix socket
 * is one for all slots.
 *
 * A socket is never closed while its address is listened on, since what is queued on it would
 * be lost: with fewer slots than before, a worker serves several sockets of an address, those
 * whose index modulo the slots is its own.
 */
#ifndef WEBSRV_APP_SOCKETS_H
#define WEBSRV_APP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct conf_listen;
struct log;
struct site;

/* The sockets of one address. */
struct listening {
	int *fds; /* owned; in a worker -1 for those of other slots */
	size_t count;
	bool owns_path; /* removes the file of the unix socket */
};

struct sockets {
	const struct site *site;
	size_t slots;
	struct listening *at; /* [address] */
};

/*
 * 0, or -1 with a positioned message for each address that cannot be listened on;
 * sockets_close() is right in both cases. Sockets of `old` (may be NULL) whose address is
 * wanted again are shared, not bound anew; `old` stays as it is. Tells the log what is newly
 * listened on, with the port that the kernel chose for port 0.
 */
int sockets_open(struct sockets *s, const struct site *site, size_t slots,
		 const struct sockets *old, const struct log *log, struct buf *errors);
/* `s` serves from now on: its backlog counts, further sockets on a port of `old` listen only now,
 * and the files of shared unix sockets are its own. Tells what is no longer listened on; `old` is
 * to be closed next. */
void sockets_take_over(struct sockets *s, struct sockets *old, const struct log *log);
/* For a test: could it be listened on? Nothing is listened on, so a server that runs loses no
 * connection; one of the same user, or a unix socket that is there, is not in the way. 0, or
 * -errno: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EEXIST (a file of that name is no socket). */
int sockets_try(const struct conf_listen *l);
/* In a worker: closes those of the other slots. */
void sockets_keep(struct sockets *s, size_t slot);
/* Closes what is open; may be called again. With `unlink_paths` the files of unix sockets go,
 * unless another configuration took them over. */
void sockets_close(struct sockets *s, bool unlink_paths);

#endif
