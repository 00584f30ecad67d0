/* SPDX-License-Identifier: BSD-2-Clause
 *
 * peer: the other end of a connection, kept small and made into text on demand.
 */
#ifndef WEBSRV_CORE_PEER_H
#define WEBSRV_CORE_PEER_H

#include <stdint.h>
#include <sys/socket.h>

#define PEER_TEXT_MAX 48

struct peer {
	uint16_t family;           /* AF_INET, AF_INET6, AF_UNIX */
	uint16_t port;             /* host order; 0 for AF_UNIX */
	unsigned char address[16]; /* network order; IPv4 in the first four */
};

/* IPv4-mapped IPv6 addresses become IPv4. */
struct peer peer_from_sockaddr(const struct sockaddr *sa, socklen_t len);

/* "192.0.2.7", "2001:db8::1" or "unix:"; NUL-terminated. Returns out. */
const char *peer_format(const struct peer *p, char out[PEER_TEXT_MAX]);

#endif
