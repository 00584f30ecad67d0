/* SPDX-License-Identifier: BSD-2-Clause
 *
 * terminal: signals are blocked and waited for beside the terminal, so no handler has to know
 * what to restore.
 */
#include "app/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"

bool
terminal_is_there(void)
{
	return isatty(STDIN_FILENO) == 1;
}

/* A line byte by byte: what stands behind it is not ours. Waits for `signals`, too, unless it is
 * -1. */
static ssize_t
read_line(int fd, int signals, char *out, size_t size)
{
	struct pollfd polled[2] = { { .fd = fd, .events = POLLIN },
				    { .fd = signals, .events = POLLIN } };
	size_t len = 0;

	for (;;) {
		char c;
		ssize_t n;

		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (polled[1].revents != 0)
			return -EINTR;
		if (polled[0].revents == 0)
			continue;
		n = read(fd, &c, 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && len == 0)
			return -ENODATA;
		if (n == 0 || (n == 1 && c == '\n'))
			break;
		if (n == 1 && len + 1 >= size)
			return -ERANGE;
		if (n == 1)
			out[len++] = c;
	}
	out[len] = '\0';
	return (ssize_t)len;
}

static ssize_t
ask_without_echo(int tty, int signals, const char *prompt, char *out, size_t size)
{
	struct termios before, silent;
	ssize_t n;
	int rc;

	if (tcgetattr(tty, &before) < 0)
		return -errno;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	/* What was typed ahead was seen, and is not meant for this. */
	if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
		return -errno;
	n = fs_write_full(tty, prompt, strlen(prompt));
	if (n == 0)
		n = read_line(tty, signals, out, size);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	rc = fs_write_full(tty, "\n", 1);
	return n >= 0 && rc < 0 ? rc : n;
}

ssize_t
terminal_ask(const char *prompt, char *out, size_t size)
{
	static const int handled[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP };
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	sigset_t set, before;
	int signals;
	ssize_t n;

	if (tty < 0)
		return -errno;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaddset(&set, handled[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	n = signals >= 0 ? ask_without_echo(tty, signals, prompt, out, size) : -errno;
	if (signals >= 0)
		close(signals);
	close(tty);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return n;
}

ssize_t
terminal_read(char *out, size_t size)
{
	return read_line(STDIN_FILENO, -1, out, size);
}
