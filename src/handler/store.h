/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store: files that arrive. Bytes are appended to a file without a name; it gets its name
 * in one atomic step when it is whole, and leaves nothing behind when it is not.
 */
#ifndef WEBSRV_HANDLER_STORE_H
#define WEBSRV_HANDLER_STORE_H

#include <stdbool.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/slice.h"
#include "conf/config.h"
#include "http/message.h"

struct store {
	int dirfd;
	const struct conf_upload *conf; /* borrowed */
	const struct log *log;          /* borrowed */
	struct log_limit limit;
	bool digests_told; /* that none can be kept */
};

/* 0 or -errno. */
int store_open(struct store *s, const struct conf_upload *conf, const struct log *log);
void store_close(struct store *s);

/* All return 0 or an HTTP status; what is the server's own trouble is logged. `name` is one
 * that upload_name_check() passes. */

/* To be asked before the body comes: 412 when the request's preconditions do not hold for
 * what has that name now, 409 when it may not be replaced. */
int store_check_name(struct store *s, const char *name, const struct http_head *head);
int store_begin(struct store *s, struct fs_temp *t);
/* In place of the two that write, where nothing may be written: what they would answer as far as
 * that can be seen from outside. */
int store_look(struct store *s);
int store_foresee(struct store *s, const char *name, const struct http_head *head,
		  bool *replaced);
int store_append(struct store *s, struct fs_temp *t, struct slice bytes);
/* Asks again what store_check_name() asked, as close to the moment as can be. */
int store_publish(struct store *s, struct fs_temp *t, const char *name,
		  const struct http_head *head, bool *replaced);

#endif
