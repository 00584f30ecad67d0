/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sockets: bind and listen, and tell the ways in which that can fail apart.
 */
#include "app/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
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

/* As many as there are slots, beside those that are there already. With `later` they only get
 * their place: sockets_take_over() listens. */
static int
listen_tcp(struct sockets *s, size_t address, bool later)
{
	const struct conf_listen *l = s->site->addresses[address].listen;
	struct listening *at = &s->at[address];

	while (at->count < s->slots) {
		uint16_t port = at->count > 0 ? bound_port(at->fds[0]) : l->port;
		union address a;
		socklen_t len = make_address(l, port, &a);
		int fd = bind_tcp(&a, len, true);

		if (fd < 0)
			return fd;
		at->fds[at->count++] = fd;
		if (!later && listen(fd, (int)l->backlog) < 0)
			return -errno;
	}
	return 0;
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
	struct listening *at = &s->at[address];
	union address a;
	socklen_t len = make_address(l, 0, &a);
	int rc = remove_stale(&a, len);
	int fd;

	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	at->fds[at->count++] = fd;
	if (bind(fd, &a.sa, len) < 0)
		return -errno;
	at->owns_path = true;
	/* Any local process may connect, as to a TCP port on the loopback; who wants less
	 * puts the socket into a directory of the right mode. */
	return chmod(l->host, 0666) < 0 || listen(fd, (int)l->backlog) < 0 ? -errno : 0;
}

static void
tell(const struct log *log, const char *what, const struct conf_listen *l, int fd)
{
	if (l->family == CONF_UNIX)
		log_info(log, "%s unix:%s", what, l->host);
	else if (l->family == CONF_INET6)
		log_info(log, "%s [%s]:%u", what, l->host, bound_port(fd));
	else
		log_info(log, "%s %s:%u", what, l->host, bound_port(fd));
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

/* --- what an earlier configuration listens on already --- */

static struct listening *
find_listening(const struct sockets *s, const struct conf_listen *l)
{
	const struct site_address *a =
		s != NULL && s->at != NULL ? site_find_address(s->site, l) : NULL;

	return a != NULL ? &s->at[a - s->site->addresses] : NULL;
}

/* The file of a unix socket may have been removed meanwhile: then it is made anew. */
static bool
is_in_place(const struct conf_listen *l)
{
	struct stat st;

	return l->family != CONF_UNIX ||
	       (lstat(l->host, &st) == 0 && S_ISSOCK(st.st_mode));
}

/* Descriptors of our own for the same sockets. Room for `slots` of them in any case. */
static int
inherit(struct listening *at, const struct listening *old, size_t slots)
{
	size_t count = old != NULL ? old->count : 0;

	at->fds = malloc((count > slots ? count : slots) * sizeof(int));
	if (at->fds == NULL)
		return -ENOMEM;
	while (at->count < count) {
		int fd = fcntl(old->fds[at->count], F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		at->fds[at->count++] = fd;
	}
	return 0;
}

/* Does an address of the earlier configuration have this port? Then nobody can tell our own
 * listener from another's. */
static bool
is_our_port(const struct sockets *s, const struct conf_listen *l)
{
	for (size_t i = 0; s != NULL && s->at != NULL && i < s->site->address_count;
	     i++) {
		const struct conf_listen *other = s->site->addresses[i].listen;

		if (other->family == l->family && other->port == l->port)
			return true;
	}
	return false;
}

/* --- all of them --- */

static int
inherit_all(struct sockets *s, const struct sockets *old, struct buf *errors)
{
	int failed = 0;

	for (size_t i = 0; i < s->site->address_count; i++) {
		const struct conf_listen *l = s->site->addresses[i].listen;
		const struct listening *was =
			is_in_place(l) ? find_listening(old, l) : NULL;

		failed |= told(s->site, i, inherit(&s->at[i], was, s->slots), errors);
	}
	/* All before the first is bound: 0.0.0.0 and 127.0.0.1 on one port are both ours. */
	for (size_t i = 0; i < s->site->address_count; i++) {
		const struct conf_listen *l = s->site->addresses[i].listen;

		if (s->at[i].count == 0 && !is_our_port(old, l))
			failed |= told(s->site, i, check_port(l), errors);
	}
	return failed;
}

int
sockets_open(struct sockets *s, const struct site *site, size_t slots,
	     const struct sockets *old, const struct log *log, struct buf *errors)
{
	int failed;

	*s = (struct sockets){ .site = site, .slots = slots };
	s->at = calloc(site->address_count + 1, sizeof(*s->at));
	if (s->at == NULL) {
		buf_add_str(errors, "out of memory\n");
		return -1;
	}
	failed = inherit_all(s, old, errors);
	for (size_t i = 0; failed == 0 && i < site->address_count; i++) {
		const struct conf_listen *l = site->addresses[i].listen;
		struct listening *at = &s->at[i];
		bool is_new = at->count == 0;
		int rc = 0;

		/* What comes to a port of ours meanwhile is for those who serve there. */
		if (l->family != CONF_UNIX)
			rc = listen_tcp(s, i, is_our_port(old, l));
		else if (is_new)
			rc = listen_unix(s, i);
		failed |= told(site, i, rc, errors);
		if (rc == 0 && is_new)
			tell(log, "listening on", l, at->fds[0]);
	}
	return failed;
}

void
sockets_take_over(struct sockets *s, struct sockets *old, const struct log *log)
{
	for (size_t i = 0; i < s->site->address_count; i++) {
		const struct conf_listen *l = s->site->addresses[i].listen;
		struct listening *was = find_listening(old, l);

		for (size_t k = 0; k < s->at[i].count; k++) {
			if (listen(s->at[i].fds[k], (int)l->backlog) < 0)
				log_error(log, "cannot listen on %s: %s", l->text,
					  strerror(errno));
		}
		if (was != NULL && was->owns_path) {
			s->at[i].owns_path = true;
			was->owns_path = false;
		}
	}
	for (size_t i = 0; old->at != NULL && i < old->site->address_count; i++) {
		const struct conf_listen *l = old->site->addresses[i].listen;

		if (find_listening(s, l) == NULL)
			tell(log, "no longer listening on", l, old->at[i].fds[0]);
	}
}

void
sockets_keep(struct sockets *s, size_t slot)
{
	for (size_t i = 0; i < s->site->address_count; i++) {
		struct listening *at = &s->at[i];

		if (s->site->addresses[i].listen->family == CONF_UNIX)
			continue;
		for (size_t k = 0; k < at->count; k++) {
			if (k % s->slots == slot)
				continue;
			close(at->fds[k]);
			at->fds[k] = -1;
		}
	}
}

void
sockets_close(struct sockets *s, bool unlink_paths)
{
	for (size_t i = 0; s->at != NULL && i < s->site->address_count; i++) {
		struct listening *at = &s->at[i];

		if (unlink_paths && at->owns_path)
			unlink(s->site->addresses[i].listen->host);
		for (size_t k = 0; k < at->count; k++) {
			if (at->fds[k] >= 0)
				close(at->fds[k]);
		}
		free(at->fds);
	}
	free(s->at);
	*s = (struct sockets){ 0 };
}

/* --- a test --- */

static int
try_unix(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (lstat(path, &st) == 0)
		return S_ISSOCK(st.st_mode) ? 0 : -EEXIST;
	if (errno != ENOENT || slash == NULL)
		return -errno;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	return faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int
sockets_try(const struct conf_listen *l)
{
	union address a;
	socklen_t len = make_address(l, l->port, &a);
	int fd;

	if (l->family == CONF_UNIX)
		return try_unix(l->host);
	/* Shared, and not listening: the kernel sends no connection to such a socket. */
	fd = bind_tcp(&a, len, true);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}
