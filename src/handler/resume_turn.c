/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resume_turn: the request that came last has the upload. "ID.yield" in the staging directory
 * holds when the newest one came, on the clock that all processes of the system share; who
 * has the lock looks at it now and then, and makes way for who came after him.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "handler/resume_file.h"

#define NAME_MAX_LEN (PARTIAL_ID_LEN + 8)

uint64_t
resume_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void
name_it(const char *id, char name[NAME_MAX_LEN])
{
	snprintf(name, NAME_MAX_LEN, "%.*s.yield", PARTIAL_ID_LEN, id);
}

/* 0: nobody. What lies ahead of the clock was written before the system started anew. */
static uint64_t
read_want(int fd)
{
	uint64_t when;

	if (fs_pread_full(fd, &when, sizeof(when), 0) != (ssize_t)sizeof(when))
		return 0;
	return when <= resume_now_ns() ? when : 0;
}

static int
open_want(int staging, const char *id, int flags)
{
	char name[NAME_MAX_LEN];

	name_it(id, name);
	return openat(staging, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

bool
resume_is_wanted(int staging, const char *id, uint64_t since_ns)
{
	int fd = open_want(staging, id, O_RDONLY);
	bool wanted;

	if (fd < 0)
		return false;
	wanted = read_want(fd) > since_ns;
	close(fd);
	return wanted;
}

/* Two at once may overwrite each other: who waits says it again with each try. */
bool
resume_want(int staging, const char *id, uint64_t since_ns)
{
	int fd = open_want(staging, id, O_RDWR | O_CREAT);
	uint64_t newest;

	if (fd < 0)
		return true; /* then it waits for the other to end by himself */
	newest = read_want(fd);
	if (newest < since_ns)
		(void)!pwrite(fd, &since_ns, sizeof(since_ns), 0);
	close(fd);
	return newest <= since_ns;
}

void
resume_forget_want(int staging, const char *id, uint64_t since_ns)
{
	char name[NAME_MAX_LEN];
	int fd = open_want(staging, id, O_RDONLY);

	if (fd < 0)
		return;
	name_it(id, name);
	if (read_want(fd) <= since_ns)
		unlinkat(staging, name, 0);
	close(fd);
}
