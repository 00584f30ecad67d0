/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor of the benchmark: what an answer costs when nothing is done for it.
 * In: bytes on 127.0.0.1:PORT; the port is printed, PORT 0 lets the kernel choose.
 * Out: one prebuilt 1 KiB response for each "\r\n\r\n" seen, a batch in one send.
 * It has no limits and drops a peer that does not read: never serve with it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n"
enum { FDS_MAX = 65536, EVENTS = 64, BATCH = 512, ANSWER = sizeof(HEAD) - 1 + 1024 };

static unsigned char matched[FDS_MAX]; /* how much of "\r\n\r\n" each fd has seen */
static char answers[BATCH * ANSWER];

static int
open_listener(const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr *sa = (struct sockaddr *)&sin;
	socklen_t len = sizeof(sin);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_port = htons((in_port_t)strtoul(port, NULL, 10));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, sa, len) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, sa, &len) != 0)
		err(1, "listen on port %s", port);
	printf("listening on 127.0.0.1:%d\n", ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

static size_t
count_heads(unsigned char *state, const char *p, size_t n)
{
	size_t heads = 0;

	for (; n > 0; p++, n--) {
		if (*p == "\r\n\r\n"[*state])
			(*state)++;
		else
			*state = *p == '\r';
		if (*state == 4) {
			*state = 0;
			heads++;
		}
	}
	return heads;
}

static void
answer(int fd)
{
	static char in[16384]; /* fewer than BATCH requests of 32 bytes or more */
	ssize_t got = recv(fd, in, sizeof(in), 0);
	size_t heads = got > 0 ? count_heads(&matched[fd], in, (size_t)got) : 0;
	size_t len = heads * ANSWER;

	if (got <= 0 || heads > BATCH ||
	    (len > 0 && send(fd, answers, len, MSG_NOSIGNAL) != (ssize_t)len))
		close(fd);
}

static void
watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0 || fd >= FDS_MAX || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		err(1, "watch descriptor %d", fd);
	matched[fd] = 0;
}

int
main(int argc, char **argv)
{
	struct epoll_event ready[EVENTS];
	int listener, ep = epoll_create1(0);

	if (argc != 2)
		errx(2, "usage: floor PORT");
	memset(answers, 'x', sizeof(answers));
	for (size_t i = 0; i < BATCH; i++)
		memcpy(answers + i * ANSWER, HEAD, sizeof(HEAD) - 1);
	watch(ep, listener = open_listener(argv[1]));
	for (;;) {
		int n = epoll_wait(ep, ready, EVENTS, -1);

		for (int i = 0; i < n; i++)
			if (ready[i].data.fd == listener)
				watch(ep, accept4(listener, NULL, NULL, SOCK_NONBLOCK));
			else
				answer(ready[i].data.fd);
	}
}
