/* SPDX-License-Identifier: BSD-2-Clause
 *
 * kept_digests: texts with their digests, and whether a file can have one as an attribute.
 */
#ifndef WEBSRV_TESTS_KEPT_DIGESTS_H
#define WEBSRV_TESTS_KEPT_DIGESTS_H

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fs.h"

#define ATTRIBUTE "user.websrv.digest"

#define HELLO "{\"hello\": \"world\"}\n"
#define HELLO_256 "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
#define HELLO_512                                                                        \
	"sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM"   \
	"7iw7yZ/WkppmM44T3qg==:"
#define EMPTY_256 "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
#define ABC_256 "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"

static inline bool
can_keep_attributes(int dirfd)
{
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	bool can = fd >= 0 && fs_set_attribute(fd, ATTRIBUTE, "x", 1) == 0;

	if (fd >= 0)
		close(fd);
	return can;
}

#endif
