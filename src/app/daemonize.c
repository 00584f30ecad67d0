/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemonize: fork, setsid, and a pipe for the good news.
 */
#include "app/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

static int
wait_for_child(int fd, pid_t pid)
{
	char text[256];
	int status = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, text, sizeof(text));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || text[0] == DAEMONIZE_READY[0])
			break;
		if (fs_write_full(STDERR_FILENO, text, (size_t)n) < 0)
			break;
	}
	close(fd);
	if (n > 0 && text[0] == DAEMONIZE_READY[0])
		return 0;
	/* It closed the pipe without the good news. */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
}

int
daemonize(int *ready_fd, int *status)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int error = errno;

		close(fds[0]);
		close(fds[1]);
		return -error;
	}
	if (pid > 0) {
		close(fds[1]);
		*status = wait_for_child(fds[0], pid);
		return 1;
	}
	close(fds[0]);
	*ready_fd = fds[1];
	return setsid() < 0 || chdir("/") < 0 ? -errno : 0;
}

int
daemonize_detach(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
		if (dup2(fd, i) < 0)
			rc = -errno;
	}
	if (fd > STDERR_FILENO)
		close(fd);
	return rc;
}
