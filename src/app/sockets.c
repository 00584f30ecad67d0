/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sockets: bind and listen, and tell the ways in which that can fail apart.
 */
#include "app/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "conf/load.h"
#include "core/site.h"

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static socklen_t
make_address(const struct conf_listen *l, uint16_t port, union address *a)
{
	memset(a, 0, sizeof(*a));
	switch (l->family) {
	case CONF_INET:
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		inet_pton(AF_INET, l->host, &a->in.sin_addr);
		return sizeof(a->in);
	case CONF_INET6:
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		inet_pton(AF_INET6, l->host, &a->in6.sin6_addr);
		return sizeof(a->in6);
	case CONF_UNIX:
		a->un.sun_family = AF_UNIX;
		memcpy(a->un.sun_path, l->host,
		       strnlen(l->host, sizeof(a->un.sun_path) - 1));
		return sizeof(a->un);
	}
	return 0;
}

static uint16_t
bound_port(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.sa, &len) < 0)
		return 0;
	return ntohs(a.sa.sa_family == AF_INET6 ? a.in6.sin6_port : a.in.sin_port);
}

/* A socket bound to the address; -errno. */
static int
bind_tcp(const union address *a, socklen_t len, bool share)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, rc = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
	    (a->sa.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    /* Inherited by every connection. */
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    /* A connection is handed over with its first bytes, or after a second without any:
	     * one wake-up for both costs a third less. */
	    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on)) < 0 ||
	    bind(fd, &a->sa, len) < 0)
		rc = -errno;
	if (rc < 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

/*
 * With SO_REUSEPORT a second server of the same user could share our port and take half of
 * the connections. A bind without it fails when anybody listens there.
 */
static int
refuse_shared_port(const union address *a, socklen_t len)
{
	int fd = bind_tcp(a, len, false);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int
check_port(const struct conf_listen *l)
{
	union address a;
	socklen_t len = make_address(l, l->port, &a);

	return l->family != CONF_UNIX && l->port != 0 ? refuse_shared_port(&a, len) : 0;
}

static int
listen_tcp(struct sockets *s, size_t address, uint16_t *port)
{
	const struct conf_listen *l = s->site->addresses[address].listen;
	union address a;
	socklen_t len = make_address(l, l->port, &a);
	int rc = 0;

	*port = l->port;
	for (size_t i = 0; rc == 0 && i < s->slots; i++) {
		int fd;

		len = make_address(l, *port, &a);
		fd = bind_tcp(&a, len, true);
		if (fd < 0)
			return fd;
		s->fds[address * s->slots + i] = fd;
		if (listen(fd, (int)l->backlog) < 0)
			return -errno;
		*port = bound_port(fd);
	}
	return rc;
}

/* A socket file that nobody listens on any more is removed; one in use is an error. */
static int
remove_stale(const union address *a, socklen_t len)
{
	struct stat st;
	int fd, rc;

	if (lstat(a->un.sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, &a->sa, len) == 0 ? -EADDRINUSE : -errno;
	close(fd);
	if (rc == -EAGAIN)
		rc = -EADDRINUSE; /* somebody listens, but is behind with accepting */
	if (rc != -ECONNREFUSED)
		return rc;
	return unlink(a->un.sun_path) < 0 ? -errno : 0;
}

static int
listen_unix(struct sockets *s, size_t address)
{
	const struct conf_listen *l = s->site->addresses[address].listen;
	union address a;
	socklen_t len = make_address(l, 0, &a);
	int rc = remove_stale(&a, len);
	int fd;

	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	s->fds[address * s->slots] = fd;
	/* Any local process may connect, as to a TCP port on the loopback; who wants less
	 * puts the socket into a directory of the right mode. */
	if (bind(fd, &a.sa, len) < 0 || chmod(l->host, 0666) < 0 ||
	    listen(fd, (int)l->backlog) < 0)
		return -errno;
	for (size_t i = 1; i < s->slots; i++)
		s->fds[address * s->slots + i] = fd;
	return 0;
}

static void
tell(const struct log *log, const struct conf_listen *l, uint16_t port)
{
	if (l->family == CONF_UNIX)
		log_info(log, "listening on unix:%s", l->host);
	else if (l->family == CONF_INET6)
		log_info(log, "listening on [%s]:%u", l->host, port);
	else
		log_info(log, "listening on %s:%u", l->host, port);
}

/* -1 with a message, or 0. */
static int
told(const struct site *site, size_t address, int rc, struct buf *errors)
{
	const struct conf_listen *l = site->addresses[address].listen;

	if (rc < 0)
		conf_report(errors, &l->place, "cannot listen on %s: %s", l->text,
			    strerror(-rc));
	return rc < 0 ? -1 : 0;
}

int
sockets_open(struct sockets *s, const struct site *site, size_t slots,
	     const struct log *log, struct buf *errors)
{
	size_t count = site->address_count * slots;
	int failed = 0;

	*s = (struct sockets){ .site = site, .slots = slots };
	s->fds = malloc((count + 1) * sizeof(int));
	if (s->fds == NULL) {
		buf_add_str(errors, "out of memory\n");
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		s->fds[i] = -1;
	/* All before the first is bound: 0.0.0.0 and 127.0.0.1 on one port are both ours. */
	for (size_t i = 0; i < site->address_count; i++)
		failed |= told(site, i, check_port(site->addresses[i].listen), errors);
	for (size_t i = 0; failed == 0 && i < site->address_count; i++) {
		const struct conf_listen *l = site->addresses[i].listen;
		uint16_t port = 0;
		int rc = l->family == CONF_UNIX ? listen_unix(s, i)
						: listen_tcp(s, i, &port);

		failed |= told(site, i, rc, errors);
		if (rc == 0)
			tell(log, l, port);
	}
	return failed;
}

/* Several slots share the descriptor of a unix socket. */
static void
close_fd(struct sockets *s, int fd)
{
	close(fd);
	for (size_t i = 0; i < s->site->address_count * s->slots; i++) {
		if (s->fds[i] == fd)
			s->fds[i] = -1;
	}
}

void
sockets_keep(struct sockets *s, size_t slot)
{
	for (size_t i = 0; i < s->site->address_count * s->slots; i++) {
		int own = s->fds[i / s->slots * s->slots + slot];

		if (s->fds[i] >= 0 && s->fds[i] != own)
			close_fd(s, s->fds[i]);
	}
}

void
sockets_close(struct sockets *s, bool unlink_paths)
{
	for (size_t i = 0; s->fds != NULL && i < s->site->address_count; i++) {
		const struct conf_listen *l = s->site->addresses[i].listen;

		if (unlink_paths && l->family == CONF_UNIX && sockets_get(s, i, 0) >= 0)
			unlink(l->host);
	}
	for (size_t i = 0; s->fds != NULL && i < s->site->address_count * s->slots; i++) {
		if (s->fds[i] >= 0)
			close_fd(s, s->fds[i]);
	}
	free(s->fds);
	*s = (struct sockets){ 0 };
}
