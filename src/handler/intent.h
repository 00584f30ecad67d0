/* SPDX-License-Identifier: BSD-2-Clause
 *
 * intent: what is about to be done with several names, written down before the first of them is
 * given, so that a process or a machine that dies in between leaves all of them or none. It is
 * a small file in the staging directory, locked by who is at it and removed when all is done;
 * one that nobody holds any more is what a crash left, and its names are taken back.
 *
 * Back, and never on: a file that had no name yet went with the process. What was replaced changed
 * places with what replaced it (fs_temp_exchange()), so it is there to change places again; where
 * the file system cannot do that it is gone, and the new file keeps the name.
 * Others may see some of the names until that is done.
 */
#ifndef WEBSRV_HANDLER_INTENT_H
#define WEBSRV_HANDLER_INTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"

#define INTENT_MAX ((size_t)256 * 1024) /* of the text, bytes */
#define INTENT_PATH_MAX 4096
#define INTENT_ENDING ".form"

/* Adds a file that is whole: `path` below the directory, and with `renames` the other names that
 * upload_name_number() makes of it, is where it will be; t->dirfd is the staging directory.
 * What it replaces, the inode `replaces` if that is not 0, gets the hidden name that is reserved
 * for it, if it gets one. 0 or -errno: -ENAMETOOLONG from INTENT_PATH_MAX on. */
int intent_add(struct buf *text, struct fs_temp *t, const char *path, bool renames,
	       uint64_t replaces) __attribute__((warn_unused_result));

/* One that is there. Referenced by the loop's thread only. */
struct intent;

/* `text` of intent_add() stands in the staging directory, whole and locked, and is not synced yet.
 * 0 with a reference, or -errno: -E2BIG beyond INTENT_MAX. */
int intent_new(struct intent **in, int staging, struct buf *text)
	__attribute__((warn_unused_result));
struct intent *intent_ref(struct intent *in);
/* NULL is fine. The last one lets go of the lock: if it was not removed, the names of it will be
 * taken back. */
void intent_unref(struct intent *in);

/* To be synced, with the staging directory and the one above, before the first name is given. A
 * descriptor of its own, or -errno. */
int intent_dup(const struct intent *in);

/* The names are given for good, or taken back: 0 or -errno. `durable`: waits until that is on
 * disk. Any thread. */
int intent_remove(const struct intent *in, bool durable)
	__attribute__((warn_unused_result));

struct intent_result {
	unsigned undone; /* requests */
	unsigned names;  /* taken from them: files of so many */
	uint64_t gone;   /* bytes; */
	uint64_t back;   /* and bytes of those that they had replaced */
	int error;       /* -errno: of one that is there still */
};

/* Takes the names back that nobody holds an intent for any more, in the directory above `staging`.
 * Of several processes one does it. Waits for the disk where there is something to do; any thread.
 * 0 or -errno: the staging directory cannot be read. */
int intent_recover(int staging, struct intent_result *out);

/* Logs what came of it, if anything did. */
void intent_tell(const struct log *log, const char *directory,
		 const struct intent_result *result);

/* --- the text --- */

struct intent_file {
	/* Is it still the file that was meant? */
	uint64_t inode, size;
	struct timespec mtime;
	uint64_t replaces; /* the inode that had its name, or 0 */
	bool renames;
	char temp[FS_TEMP_NAME_MAX];
	char path[INTENT_PATH_MAX];
};

/* The next file of a text that intent_new() wrote; `*rest` begins with all of it. 1; 0 behind the
 * last; -EINVAL. */
int intent_read(struct slice *rest, struct intent_file *f)
	__attribute__((warn_unused_result));

#endif
