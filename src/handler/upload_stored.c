/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_stored: the validator of what was stored, so that who stored it can go on from it
 * without asking (RFC 9110 sections 9.3.4 and 15.3.2), and its digest.
 */
#include <sys/stat.h>

#include "base/clock.h"
#include "handler/etag.h"
#include "handler/upload.h"

static int
add_tag(struct exchange *ex, const struct store_file *f)
{
	char *text = arena_alloc(&ex->arena, ETAG_MAX);
	struct stat st;

	if (text == NULL)
		return 503;
	if (fstat(f->temp.fd, &st) < 0)
		return 0;
	return exchange_add_field(
		       ex, HTTP_FIELD_ETAG,
		       etag_format(&st, clock_unix(),
				   f->kept != STORE_KEPT_NOT ? &f->digest : NULL, text)) <
			       0
		       ? 500
		       : 0;
}

static int
add_digest(struct exchange *ex, const struct store_file *f)
{
	struct digest_weights want;
	enum digest_algorithm a;
	char *text;

	if (http_head_find(&ex->head, HTTP_FIELD_WANT_REPR_DIGEST) == NULL)
		return 0;
	digest_read_weights(&ex->head, &want);
	a = digest_pick(&want, f->digest.present);
	if (a == DIGEST_COUNT)
		return 0;
	text = arena_alloc(&ex->arena, DIGEST_TEXT_MAX);
	if (text == NULL)
		return 503;
	return exchange_add_field(ex, HTTP_FIELD_REPR_DIGEST,
				  digest_format(a, f->digest.value[a], text)) < 0
		       ? 500
		       : 0;
}

int
upload_tell_stored(struct exchange *ex, const struct store_file *f)
{
	int status;

	if (ex->dry) {
		exchange_note(ex, TRACE_UPLOAD,
			      "not known before: the ETag of the answer");
		return 0;
	}
	status = add_tag(ex, f);
	return status == 0 ? add_digest(ex, f) : status;
}
