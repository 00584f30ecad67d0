/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_io: the output half of conn.c: the gathered buffer, the socket, and the
 * bufferevent for what the socket did not take. For conn.c only.
 */
#ifndef WEBSRV_NET_CONN_IO_H
#define WEBSRV_NET_CONN_IO_H

#include <errno.h>

#include "net/conn.h"

/* The reason that an errno of the socket stands for. */
static inline enum conn_end
conn_end_from(int error)
{
	return error == EPIPE || error == ECONNRESET ? CONN_END_PEER : CONN_END_IO;
}

/* The connection's bufferevent, made when there is none; NULL (and the connection closed)
 * when memory is short. */
struct bufferevent *conn_take_bev(struct conn *c);
void conn_drop_bev(struct conn *c);

void conn_drop_write_event(struct conn *c);

/* There is room for more output. */
void conn_on_writable(struct conn *c);

/* For conn_take_bev(): its callbacks live in conn.c. */
void conn_on_bev_read(struct bufferevent *bev, void *arg);
void conn_on_bev_write(struct bufferevent *bev, void *arg);
void conn_on_bev_event(struct bufferevent *bev, short what, void *arg);

#endif
