/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_digest: Repr-Digest of a file, RFC 9530 section 3, for who asks by Want-Repr-Digest: from
 * the digest that was stored with an upload, or of the bytes of a small file.
 */
#ifndef WEBSRV_HANDLER_FILE_DIGEST_H
#define WEBSRV_HANDLER_FILE_DIGEST_H

#include "handler/files.h"

/* Adds the field to an answer with the choice, if it was asked for and the digest is to be had:
 * 0; -1 when the field does not fit. */
int file_digest_add(struct exchange *ex, const struct file_choice *c);

#endif
