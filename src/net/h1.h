/* SPDX-License-Identifier: BSD-2-Clause
 *
 * h1: HTTP/1.1 on a connection: requests in, framed answers out, in order. Nothing is kept
 * for a connection that is between two requests.
 */
#ifndef WEBSRV_NET_H1_H
#define WEBSRV_NET_H1_H

struct conn;
struct net;

/* The connection speaks HTTP/1.1 from its first byte. */
void h1_start(struct conn *c);

/* Answers 503 without waiting for a request, and ends the connection. */
void h1_refuse_busy(struct conn *c);

/* The free list of net_new(). */
void h1_free_spares(struct net *n);

#endif
