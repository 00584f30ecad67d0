/* SPDX-License-Identifier: BSD-2-Clause
 *
 * files: what the parts of the files handler share: the state of a route, and the steps of an
 * answer: files.c finds a version by name, file_select.c chooses its representation,
 * file_answer.c judges conditions and ranges, file_body.c makes bytes that cannot go straight
 * from the page cache to the socket. Private to them.
 */
#ifndef WEBSRV_HANDLER_FILES_H
#define WEBSRV_HANDLER_FILES_H

#include "base/log.h"
#include "core/exchange.h"
#include "core/uploads.h"
#include "handler/file_shared.h"
#include "handler/filecache.h"
#include "http/range.h"

struct files {
	struct file_root root; /* first: type_of() is called with its address */
	const struct conf_files *conf;
	const struct conf_route *route;
	const struct conf_pairs *mime_types;
	struct file_shared *shared;
	uint32_t revalidate_ms;
	const struct log *log;
	struct log_limit open_limit;
	/* in the order of preference */
	enum coding siblings[CODING_COUNT], encodings[CODING_COUNT];
	size_t sibling_count, encoding_count;
	struct upload_guard guard; /* of what lies in an upload directory */
	bool is_at_top; /* the route is the whole site: "/.well-known/" is in it */
	struct handler listing; /* takes over where a directory is listed */
};

/* The representation that is to be sent; both versions are references. */
struct file_choice {
	struct file_version *version;  /* its bytes and validators are sent... */
	struct file_version *original; /* whose media type it has; NULL = its own */
	enum coding coding;            /* ...and are in this coding when they leave */
	bool encoded;                  /* by us: made anew, it has no parts to ask for */
	bool encode;                   /* by us, on the way */
	bool varies;                   /* another Accept-Encoding could get another one */
	struct slice location;         /* of a more specific resource; empty = none */
	struct slice name;             /* of the file, for a download */
};

/* The status for a failed open of `path`; what is our own trouble is logged. */
int files_open_failed(struct files *f, const char *path, int error);

/* file_trace.c: for ex->trace, which is there. */

/* Why nothing could be opened at `path`; `error` is what files_open_failed() gets. */
void files_note_failed(struct exchange *ex, const struct files *f, const char *path,
		       int error) __attribute__((cold));
/* The version is what `path` names. */
void files_note_version(struct exchange *ex, const struct files *f, const char *path,
			const struct file_version *v) __attribute__((cold));
/* It is sent in choice->coding; `sibling` has the bytes, or NULL when they are made. */
void files_note_coding(struct exchange *ex, const struct files *f, const char *path,
		       const struct file_choice *choice,
		       const struct file_version *sibling) __attribute__((cold));

/* file_select.c */

/* Is the media type (parameters are passed over) one that is encoded while serving? */
bool files_encodes(const struct files *f, struct slice type);

/* Turns a reference to the file at `path` into a choice, whatever it returns: 0
 * or a status. */
int file_select(struct exchange *ex, struct files *f, const char *path,
		struct file_version *v, struct file_choice *choice)
	__attribute__((warn_unused_result));

/* file_answer.c: answers with the choice: 0 or a status. The references of the choice have to
 * live until the exchange's handler is closed. */
int file_answer(struct exchange *ex, const struct files *f,
		const struct file_choice *choice) __attribute__((warn_unused_result));

/* file_guard.c: adds what keeps a file that was uploaded from acting as a part of the site; for a
 * choice of which file_is_upload(). `type` is that of its contents. 0 or -1. */
int file_guard(struct exchange *ex, const struct files *f, const struct file_choice *c,
	       struct slice type) __attribute__((warn_unused_result));

static inline bool
file_is_upload(const struct file_choice *c)
{
	return c->version->is_upload || (c->original != NULL && c->original->is_upload);
}

/* file_body.c: the version is borrowed likewise. A body of kind BODY_NONE when memory is short
 *. */

/* One range, straight from the page cache where that is safe. Always a body. */
struct body file_body_range(struct file_version *v, const struct http_range *r);
#define FILE_BOUNDARY_LEN 20
/* Several ranges as multipart/byteranges, RFC 9110 section 14.6; makes up the boundary. */
struct body file_body_parts(struct exchange *ex, struct file_version *v,
			    struct slice type, const struct http_range *ranges,
			    size_t count, char boundary[FILE_BOUNDARY_LEN + 1]);
/* All of it, encoded on the way; of unknown length. */
struct body file_body_encoded(struct exchange *ex, struct file_shared *shared,
			      struct file_version *v, enum coding c);

#endif
