/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_version: one version of one file: what a single fstat saw, its fields, and its bytes
 * (small files) or a descriptor. Immutable but for what is remembered beside it; counted. An
 * answer holds a reference to one version and so never mixes two.
 */
#ifndef WEBSRV_HANDLER_FILE_VERSION_H
#define WEBSRV_HANDLER_FILE_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/slice.h"
#include "http/coding.h"
#include "http/message.h"

/* In the order in which an answer wants them: the first two go with a 304, all but the last
 * with an answer that is not encoded. */
enum file_field {
	FILE_FIELD_ETAG,
	FILE_FIELD_LAST_MODIFIED,
	FILE_FIELD_CONTENT_TYPE,
	FILE_FIELD_ACCEPT_RANGES,
	FILE_FIELD_COUNT
};

/* What tells one version of a file from another. */
struct file_id {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

#define FILE_SAMPLES 3
#define FILE_SAMPLE_SIZE 128

struct digest_set;
struct upload_dirs;

/* Where a lookup begins: one per files route. */
struct file_root {
	int dirfd;
	enum fs_symlinks symlinks;
	/* Media type with its parameters for a file name, on the heap; NULL: no memory. */
	char *(*type_of)(const struct file_root *root, struct slice name);
	const struct upload_dirs
		*uploads; /* what is opened may lie in one; NULL: it cannot */
	bool is_upload;   /* all of it lies in one */
};

/* Bytes of memory that a version takes beside the contents of the file, about. */
#define FILE_VERSION_COST 1024

struct file_version {
	uint64_t size;
	int64_t modified;                           /* Unix seconds */
	const char *bytes;                          /* the whole file, or NULL: use fd */
	int fd;                                     /* -1 when bytes are there */
	struct http_field fields[FILE_FIELD_COUNT]; /* ready to send */
	struct file_id id;
	bool is_young;  /* it may change once more and look the same */
	bool is_upload; /* it lies in an upload directory: anybody may have written it */
	struct digest_set *digest; /* that was kept with an upload; NULL: none */

	/* remembered by file_select.c: siblings as a set of 1 << enum coding, until when */
	unsigned siblings;
	uint64_t siblings_due_ms, siblings_uploads;
	/* forms encoded by us, and codings that do not make it smaller */
	struct file_version *coded[CODING_COUNT];
	unsigned not_worth;
	enum { FILE_UNKNOWN, FILE_ENCODABLE, FILE_NOT_ENCODABLE } encodable;

	uint64_t unsure_since_ms; /* of file_version_check(); 0 = never was */
	void *kept_by;            /* of filecache.c: its entry, or NULL */
	uint32_t refs;
};

/*
 * Opens `path` (relative to the root, NUL-terminated) and makes a version of it; files of up to
 * `bytes_max` are read. 0 with *out, one reference; -EISDIR; -ENOENT also for what is neither
 * file nor directory, which is not even opened, and what lies in a STORE_STAGING; -errno.
 */
int file_version_open(const struct file_root *root, const char *path, uint64_t bytes_max,
		      struct file_version **out) __attribute__((warn_unused_result));

/* What is there now, without opening it for reading: 0, -EISDIR, -errno. */
int file_version_look(const struct file_root *root, const char *path, struct file_id *id)
	__attribute__((warn_unused_result));

/* For what is open: -ENOENT when it lies in a STORE_STAGING, else 0; *is_upload (may be NULL)
 * tells whether it lies in an upload directory. */
int file_root_judge(const struct file_root *root, int fd, bool *is_upload)
	__attribute__((warn_unused_result));

bool file_id_is_same(const struct file_id *a, const struct file_id *b);

/* The same file encoded: takes over `bytes` (heap) in every case. NULL: no memory. */
struct file_version *file_version_encoded(const struct file_version *v, enum coding c,
					  char *bytes, size_t len)
	__attribute__((warn_unused_result));

/*
 * Are the bytes that the descriptor reads now still those of this version? 0: they are; so they are
 * when the file only grew, as logs do: its beginning is compared in samples. -EIO: it was written
 * into, truncated, or cannot be looked at. -EAGAIN: it cannot be told yet; ask again soon. For
 * versions with a descriptor.
 */
int file_version_check(struct file_version *v);

/* Has nobody written into the file since, not even at its end? Likewise. */
bool file_version_is_unchanged(const struct file_version *v);

void file_version_unref(struct file_version *v);

#endif
