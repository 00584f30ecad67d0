/* SPDX-License-Identifier: BSD-2-Clause
 *
 * secretfile: changes one line of a file of users or tokens (NAME:SECRET). Everything else in
 * it stays as it is, comments too; whoever reads it sees the old file or the whole new one.
 */
#ifndef WEBSRV_APP_SECRETFILE_H
#define WEBSRV_APP_SECRETFILE_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * Puts `NAME:SECRET` in the place of the line of `name`, or at the end; an empty secret takes the
 * line away. *existed tells whether there was one. A file that is not there is made, readable
 * by its owner only; one that is keeps its mode and owner. 0 or -errno: -ENODATA: there is no
 * line to take away; -ENOENT: nor a file, or no directory; -EMEDIUMTYPE: the file has lines of
 * tokens and the secret is a password, or the other way round, which a server would refuse;
 * -EFBIG: it is too large; -EINVAL: it is no regular file.
 */
int secretfile_set(const char *path, struct slice name, struct slice secret,
		   bool *existed) __attribute__((warn_unused_result));

#endif
