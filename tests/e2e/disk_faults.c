/* SPDX-License-Identifier: BSD-2-Clause
 *
 * disk_faults: preloaded into a server under test, it lets calls that touch the disk fail. The
 * file named by DISK_FAULTS holds "CALL ERRNO SKIP" (as "write 5 3": from the fourth write on
 * EIO), or nothing; an ERRNO below 0 lets each call wait for so many milliseconds instead. Only regular files and directories below the directory DISK_FAULTS_BELOW
 * count: sockets, pipes and logs work on. SKIP is counted anew when the file changes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int
is_below(int fd)
{
	const char *below = getenv("DISK_FAULTS_BELOW");
	char proc[48], path[PATH_MAX];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, path, sizeof(path) - 1);
	if (n < 0 || below == NULL)
		return 0;
	path[n] = '\0';
	return strncmp(path, below, strlen(below)) == 0;
}

/* The error that the file orders for this call, or 0. */
static int
ordered(const char *call)
{
	static char seen[64];
	static int left;
	const char *control = getenv("DISK_FAULTS");
	char text[64] = "", name[16] = "";
	int error = 0, skip = 0;
	FILE *f = control != NULL ? fopen(control, "re") : NULL;

	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	if (sscanf(text, "%15s %d %d", name, &error, &skip) != 3 ||
	    strcmp(name, call) != 0)
		return 0;
	pthread_mutex_lock(&lock);
	if (strcmp(seen, text) != 0) {
		strcpy(seen, text);
		left = skip;
	}
	if (left > 0) {
		left--;
		error = 0;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static int
fails(const char *call, int fd)
{
	int before = errno, error = is_below(fd) ? ordered(call) : 0;

	if (error < 0) {
		usleep((useconds_t)-error * 1000);
		error = 0;
	}
	errno = error != 0 ? error : before;
	return error != 0;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t
write(int fd, const void *data, size_t len)
{
	return fails("write", fd)
		       ? -1
		       : REAL(ssize_t, write, int, const void *, size_t)(fd, data, len);
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	return fails("write", fd) ? -1
				  : REAL(ssize_t, pwrite64, int, const void *, size_t,
					 off64_t)(fd, data, len, at);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	return fails("write", fd) ? -1
				  : REAL(ssize_t, pwrite, int, const void *, size_t,
					 off_t)(fd, data, len, at);
}

int
fsync(int fd)
{
	return fails("fsync", fd) ? -1 : REAL(int, fsync, int)(fd);
}

int
fdatasync(int fd)
{
	return fails("fsync", fd) ? -1 : REAL(int, fdatasync, int)(fd);
}

int
fsetxattr(int fd, const char *name, const void *value, size_t len, int flags)
{
	return fails("setxattr", fd)
		       ? -1
		       : REAL(int, fsetxattr, int, const char *, const void *, size_t,
			      int)(fd, name, value, len, flags);
}

int
renameat(int from, const char *old, int to, const char *new)
{
	return fails("rename", to) ? -1
				   : REAL(int, renameat, int, const char *, int,
					  const char *)(from, old, to, new);
}

int
renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return fails("rename", to)
		       ? -1
		       : REAL(int, renameat2, int, const char *, int, const char *,
			      unsigned)(from, old, to, new, flags);
}

int
linkat(int from, const char *old, int to, const char *new, int flags)
{
	return fails("rename", to) ? -1
				   : REAL(int, linkat, int, const char *, int,
					  const char *, int)(from, old, to, new, flags);
}

/* "tmpfile": files without a name. */
int
openat(int dirfd, const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = va_arg(more, mode_t);
	va_end(more);
	if ((flags & O_TMPFILE) == O_TMPFILE && fails("tmpfile", dirfd))
		return -1;
	return REAL(int, openat, int, const char *, int, mode_t)(dirfd, path, flags, mode);
}
