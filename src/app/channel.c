/* SPDX-License-Identifier: BSD-2-Clause
 *
 * channel: SOCK_SEQPACKET and SCM_RIGHTS.
 */
#include "app/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

int
channel_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) <
	    0)
		return -errno;
	return 0;
}

int
channel_send(int fd, const struct channel_message *m)
{
	struct iovec iov = { (void *)(uintptr_t)m, sizeof(*m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t size = (size_t)m->fd_count * sizeof(int);
	union fd_control control = { 0 };
	struct cmsghdr *c;

	if (m->fd_count > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(size);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(c), m->fds, size);
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* We have no room for all of them: those that did come are of no use. */
static int
lost_descriptors(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fds[CHANNEL_FDS_MAX];
	size_t count = c != NULL ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

	for (size_t i = 0; i < count && i < CHANNEL_FDS_MAX; i++) {
		memcpy(&fds[i], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		close(fds[i]);
	}
	return -EMFILE;
}

int
channel_receive(int fd, struct channel_message *m)
{
	struct iovec iov = { m, sizeof(*m) };
	union fd_control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*m))
		return -EBADMSG;
	if ((msg.msg_flags & MSG_CTRUNC) != 0)
		return lost_descriptors(&msg);
	c = CMSG_FIRSTHDR(&msg);
	m->fd_count = 0;
	if (c != NULL && c->cmsg_type == SCM_RIGHTS) {
		m->fd_count = (int32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(m->fds, CMSG_DATA(c), (size_t)m->fd_count * sizeof(int));
	}
	return 1;
}
