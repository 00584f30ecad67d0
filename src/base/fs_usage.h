/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs_usage: how many bytes the files beneath a directory have. Waits for the disk, so it is not
 * for the loop; goes from file to file, so that who does it may do something else in between;
 * takes no more memory and descriptors for more files, only for deeper directories, up to a bound.
 */
#ifndef WEBSRV_BASE_FS_USAGE_H
#define WEBSRV_BASE_FS_USAGE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_USAGE_DEPTH 32 /* directories within each other; what is deeper is skipped */

struct fs_usage {
	uint64_t
		bytes; /* sizes as they appear; a file counts once for each of its names */
	uint64_t files;
	uint64_t skipped; /* directories that could not be gone through */
	DIR *open[FS_USAGE_DEPTH];
	size_t depth;
};

/* Regular files, hidden ones too; links are not followed. 0; -errno when the directory itself
 * cannot be read. fs_usage_fini() is right in both cases. */
int fs_usage_init(struct fs_usage *u, int dirfd) __attribute__((warn_unused_result));
/* Looks at one name more; false: that was all. What vanishes meanwhile is no error. */
bool fs_usage_step(struct fs_usage *u);
void fs_usage_fini(struct fs_usage *u);

#endif
