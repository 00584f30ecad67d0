/* SPDX-License-Identifier: BSD-2-Clause
 *
 * partial_record: what is written down about an unfinished upload, as text: one key a line,
 * a first line with the version and a last one that says that nothing is missing. Text in,
 * struct out, and back; no file is touched here.
 */
#ifndef WEBSRV_HANDLER_PARTIAL_RECORD_H
#define WEBSRV_HANDLER_PARTIAL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/digest.h"

#define PARTIAL_NAME_MAX 2048 /* a path */
#define PARTIAL_METADATA_MAX 4096
#define PARTIAL_LOCATION_MAX 4096
#define PARTIAL_CONDITIONS_MAX 1024
#define PARTIAL_BOOT_MAX 40
#define PARTIAL_RECORD_MAX ((size_t)16 * 1024) /* of the text, bytes */
#define PARTIAL_LENGTH_UNKNOWN UINT64_MAX

/* By which protocol the upload was begun. */
enum partial_door { PARTIAL_TUS, PARTIAL_RUFH };

struct partial_record {
	enum partial_door door;
	uint64_t
		offset; /* bytes that were acknowledged; they are on disk if that was promised */
	uint64_t length; /* of the whole, or PARTIAL_LENGTH_UNKNOWN */
	bool complete; /* published; kept so that a lost answer can be asked for again */
	int64_t created, expires; /* seconds since 1970 */
	uint64_t device, inode;   /* of the file with the bytes */
	char boot
		[PARTIAL_BOOT_MAX]; /* of the system that wrote this; "" when not known */
	struct digest_set digest;   /* that the whole must have */
	/* Borrowed by write, and by read from its text buffer: */
	struct slice name;       /* under which it is to be published */
	struct slice metadata;   /* Upload-Metadata of tus, as it came */
	struct slice location;   /* of what was published: a path */
	struct slice conditions; /* of the request that began it: resume_conditions.h */
};

/* The text into `out`; its length, or 0 when a member is larger than its limit. */
size_t partial_record_write(const struct partial_record *r, char out[PARTIAL_RECORD_MAX])
	__attribute__((warn_unused_result));

/* 0; -EINVAL for what partial_record_write() does not write, or not all of it. Slices of *r
 * point into `text`, which is changed. */
int partial_record_read(char *text, size_t len, struct partial_record *r)
	__attribute__((warn_unused_result));

#endif
