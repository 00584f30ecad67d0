/* SPDX-License-Identifier: BSD-2-Clause
 *
 * remove_tree: what a test leaves of its temporary directory: nothing. Links are removed, never
 * followed. Included once by a test program.
 */
#ifndef WEBSRV_TESTS_REMOVE_TREE_H
#define WEBSRV_TESTS_REMOVE_TREE_H

#include <ftw.h>
#include <stdio.h>

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* 0, or -1 with errno. */
static inline int
remove_tree(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
