/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notify: NOTIFY_SOCKET is a path, or the name of an abstract socket behind an '@'.
 */
#include "app/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define TEXT_MAX 512

static int
send_text(const char *path, const char *text)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int rc = 0;
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(a.sun_path))
		return -EINVAL;
	memcpy(a.sun_path, path, len);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	len += offsetof(struct sockaddr_un, sun_path);
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a,
		   (socklen_t)len) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

void
notify_send(const struct log *log, const char *fmt, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char text[TEXT_MAX];
	va_list ap;
	int n, rc;

	if (path == NULL)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rc = n >= 0 && (size_t)n < sizeof(text) ? send_text(path, text) : -EMSGSIZE;
	if (rc < 0)
		log_warning(log, "NOTIFY_SOCKET %s: %s", path, strerror(-rc));
}
