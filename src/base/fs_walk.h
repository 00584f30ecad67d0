/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs_walk: fs_open_beneath() without openat2, for kernels, containers and tools that do not
 * know that call. Every component is opened by itself, relative to its parent and without
 * following links; links are read and walked here. Slower, and as strict.
 */
#ifndef WEBSRV_BASE_FS_WALK_H
#define WEBSRV_BASE_FS_WALK_H

#include "base/fs.h"

/* As fs_open_beneath(); `flags` are used as they are. */
int fs_walk_open(int dirfd, const char *path, int flags, enum fs_symlinks symlinks)
	__attribute__((warn_unused_result));

#endif
