/* SPDX-License-Identifier: BSD-2-Clause
 *
 * partial: an unfinished upload on disk, which outlives its connection, the worker and the
 * power. Two files in the staging directory: "ID.part", the bytes, and "ID.info", the record
 * (partial_record.h), which is only ever replaced whole. The lock on "ID.part" says who
 * appends; the kernel lets go of it when that process dies.
 *
 * What is true of the offset: the system that wrote the record still runs: every byte that
 * was written is there, the size of the file is the offset. It was started anew since: only
 * what the record acknowledges is; what is beyond it is cut off, and a file that is shorter
 * is no upload any more.
 */
#ifndef WEBSRV_HANDLER_PARTIAL_H
#define WEBSRV_HANDLER_PARTIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"
#include "handler/partial_record.h"
#include "handler/store.h"

#define PARTIAL_ID_LEN 32 /* of base64url: 192 random bits; the URL is what guards it */

struct partial {
	int staging; /* directory, borrowed */
	int fd;      /* "ID.part", locked; -1: none */
	char id[PARTIAL_ID_LEN + 1];
	uint64_t size;         /* bytes in the file: the offset where the next ones go */
	uint64_t record_size;  /* of the record on disk, bytes; 0: there is none yet */
	uint64_t acknowledged; /* by that record: the file must not be cut below it */
	uint64_t cut;          /* bytes that partial_open() has cut off, or removed */
	bool other_boot; /* the record is of another start: until the next save no more counts */
	bool lost; /* partial_open() has removed what could not be believed */
	struct partial_record record;
	char *text; /* that slices of the record point into; of the heap */
};

/* Of the right length, and of the letters of base64url. */
bool partial_is_id(struct slice s);

/* A new one, empty and locked, with what the record says but offset, device, inode and boot.
 * Slices of the record are copied. 0 or -errno; partial_close() is right in both cases. */
int partial_create(struct partial *p, int staging, const struct partial_record *record,
		   mode_t mode) __attribute__((warn_unused_result));

/* 0 with the lock held. -EBUSY: someone has it, in this process or another; -ENOENT: there is
 * none of that id, or it could not be believed and is removed; another -errno. */
int partial_open(struct partial *p, int staging, struct slice id)
	__attribute__((warn_unused_result));

/* Lets go of the lock. What was written stays. */
void partial_close(struct partial *p);

/* At the end of the file. 0 or -errno: then nothing of `bytes` counts. */
int partial_append(struct partial *p, struct slice bytes)
	__attribute__((warn_unused_result));
/* Back to a size that it had: a piece whose checksum was wrong. 0 or -errno. */
int partial_cut(struct partial *p, uint64_t size) __attribute__((warn_unused_result));

/* How large its record is going to be. */
uint64_t partial_record_size(const struct partial *p);

/* Writes the record down with p->size as its offset. `durable`: that it will be true after a
 * loss of power, too; this waits for the disk. `p` may be a copy, in another thread, while bytes
 * are appended to the original; two saves of one upload at a time are not allowed. 0, -errno. */
int partial_save(struct partial *p, bool durable) __attribute__((warn_unused_result));

/* The file as the store publishes it: it is lent, and never to be discarded. The record stays for
 * partial_save() or partial_remove(). */
struct store_file partial_file(const struct partial *p);

/* Both files go. It stays locked until partial_close(). */
void partial_remove(struct partial *p);

struct partial_sweep {
	uint64_t removed; /* uploads */
	uint64_t kept;
	uint64_t bytes; /* that those kept have */
	uint64_t parts; /* files "ID.part" that were removed: of unfinished uploads */
	uint64_t freed; /* bytes that files of all kinds had that were removed */
};

/* Removes what has expired at `now` (seconds since 1970), and what has been half an
 * upload, as a crash leaves it, for `grace` seconds. What someone holds stays. Waits for the
 * disk, and goes through all of the directory: not for the loop. 0 or -errno. */
int partial_sweep(int staging, int64_t now, int64_t grace, struct partial_sweep *out);

/* How many unfinished uploads there are, whoever has them. Goes through all of the directory,
 * too. 0 or -errno. */
int partial_count(int staging, uint64_t *count);

#endif
