/* SPDX-License-Identifier: BSD-2-Clause
 *
 * uploads: the upload directories of a whole configuration, as the kernel knows them, and what
 * keeps a file that anybody may have put there from acting as a part of the site when it is
 * served. The handlers and the checks of -t ask here, so that they cannot disagree.
 */
#ifndef WEBSRV_CORE_UPLOADS_H
#define WEBSRV_CORE_UPLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/slice.h"
#include "conf/config.h"

struct arena;

struct upload_dir {
	int fd;
	dev_t dev;
	ino_t ino;
};

struct upload_dirs {
	struct upload_dir *items; /* distinct ones */
	size_t count;
};

enum upload_part {
	UPLOADS_NONE, /* nothing beneath the root was uploaded */
	UPLOADS_SOME, /* an upload directory lies beneath it */
	UPLOADS_ALL   /* it is one, or lies in one */
};

/* Opens those of all servers; what cannot be opened is left out, since nobody can upload there.
 * 0 or -1: out of memory. The array is the arena's; close it in every case. */
int upload_dirs_open(struct upload_dirs *d, const struct config *conf, struct arena *a)
	__attribute__((warn_unused_result));
void upload_dirs_close(struct upload_dirs *d);

/* How they lie to a root, by device and inode of the directories on the way up. */
enum upload_part upload_dirs_relate(const struct upload_dirs *d, int dirfd);

/* Does a path of fs_path_of() lie in one of them now? True also where it cannot be told. */
bool upload_dirs_hold(const struct upload_dirs *d, const char *path);

/* The fields that an answer with an uploaded file gets. What the "headers" of the route itself
 * name, or remove from the server's, is not meddled with. */
struct upload_guard {
	bool nosniff;         /* X-Content-Type-Options */
	bool sandbox;         /* Content-Security-Policy: sandbox... */
	const char *policy;   /* ...beside this one, which is the server's; may be NULL */
	bool attachment;      /* Content-Disposition, unless the type is harmless */
	const char *own_type; /* Content-Type as "headers" have it; NULL: the file's */
};

/* Of a route of that configuration, whose strings are borrowed. */
struct upload_guard upload_guard_of(const struct config *conf,
				    const struct conf_route *route);

#endif
