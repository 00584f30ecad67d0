/* SPDX-License-Identifier: BSD-2-Clause
 *
 * etag: a digest, or three numbers, delimited, so that no two different triples make the same
 * tag.
 */
#include "handler/etag.h"

#include <stdio.h>

#include "base/base64.h"

#define DIGEST_BYTES 32 /* of the digest; more would say no more */

bool
etag_is_young(const struct stat *st, int64_t now)
{
	return st->st_mtim.tv_sec >= now - 1;
}

static struct slice
format_digest(const struct digest_set *kept, char out[ETAG_MAX])
{
	enum digest_algorithm a = 0;
	char text[BASE64_LEN(DIGEST_BYTES)];
	size_t len;
	int n;

	while ((kept->present & DIGEST_BIT(a)) == 0)
		a++;
	len = base64_encode(kept->value[a], DIGEST_BYTES, text);
	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
	}
	n = snprintf(out, ETAG_MAX, "\"%.*s:%.*s\"", SLICE_ARG(digest_name(a)), (int)len,
		     text);
	return slice_make(out, (size_t)n);
}

struct slice
etag_format(const struct stat *st, int64_t now, const struct digest_set *kept,
	    char out[ETAG_MAX])
{
	bool says_nothing = st->st_mtim.tv_sec == 0 || st->st_mtim.tv_sec == 1;
	bool weak = says_nothing || etag_is_young(st, now);
	int n;

	if (kept != NULL && (kept->present & DIGEST_ALL) != 0)
		return format_digest(kept, out);
	n = snprintf(out, ETAG_MAX, "%s\"%llx-%llx.%lx-%llx\"", weak ? "W/" : "",
		     (unsigned long long)st->st_size,
		     (unsigned long long)st->st_mtim.tv_sec,
		     (unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ino);
	return slice_make(out, (size_t)n);
}

struct slice
etag_format_coded(struct slice tag, struct slice coding, char out[ETAG_MAX])
{
	bool weak = slice_starts_with(tag, SLICE("W/"));
	struct slice inside = slice_from(tag, weak ? 3 : 1);
	int n = snprintf(out, ETAG_MAX, "W/\"%.*s-%.*s\"", (int)inside.len - 1,
			 inside.ptr, SLICE_ARG(coding));

	return slice_make(out, (size_t)n);
}
