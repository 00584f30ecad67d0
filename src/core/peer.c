/* SPDX-License-Identifier: BSD-2-Clause
 *
 * peer: from sockaddr and to text.
 */
#include "core/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct peer
peer_from_sockaddr(const struct sockaddr *sa, socklen_t len)
{
	struct peer p = { .family = AF_UNIX };

	if (len >= sizeof(struct sockaddr_in) && sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		p.family = AF_INET;
		p.port = ntohs(in->sin_port);
		memcpy(p.address, &in->sin_addr, 4);
	} else if (len >= sizeof(struct sockaddr_in6) && sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		p.family = AF_INET6;
		p.port = ntohs(in6->sin6_port);
		memcpy(p.address, &in6->sin6_addr, 16);
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			p.family = AF_INET;
			memmove(p.address, p.address + 12, 4);
		}
	}
	return p;
}

const char *
peer_format(const struct peer *p, char out[PEER_TEXT_MAX])
{
	if (p->family == AF_UNIX ||
	    inet_ntop(p->family, p->address, out, PEER_TEXT_MAX) == NULL)
		memcpy(out, "unix:", sizeof("unix:"));
	return out;
}
