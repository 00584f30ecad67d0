/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_kept: the digests that are kept with a file, as the extended attribute
 * "user.websrv.digest": `SIZE SECONDS.NANOSECONDS sha-256=:...:`, where size and modification
 * time tell that the file is still the one that was digested. Where it cannot have that, the
 * same text is in a sidecar (store_sidecar.h).
 */
#ifndef WEBSRV_HANDLER_STORE_KEPT_H
#define WEBSRV_HANDLER_STORE_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "http/digest.h"

struct store;
struct store_file;
struct upload_dirs;

/* Keeps f->digest with a file that is whole, and is about to get, or has, the name `name`
 * in the directory of `path`, and says in f->kept how; its modification time is now, then.
 * A file that goes without is not worse than one of which no digest is known: that it
 * cannot be kept is logged, once. */
void store_kept_save(struct store *s, struct store_file *f, const char *path,
		     const char *name);

/* The file has no name, after all. */
void store_kept_forget(const struct store *s, struct store_file *f);
/* What had that device and inode is gone. */
void store_kept_gone(const struct store *s, const struct stat *st);

/* What is kept with an open file that is as *st says, as an attribute, or beside it in one of these
 * upload directories (NULL: in none): all of them are looked at, since which one it was stored
 * by is not written on a file. False: nothing that can be believed; *out is empty. */
bool store_kept_load(int fd, const struct stat *st, const struct upload_dirs *dirs,
		     struct digest_set *out);

/* Removes sidecars that nobody needs; for a helper. */
void store_kept_sweep(int staging, int64_t now);

#endif
