/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_files: what the table cannot say about "files": how a fallback is stored, and
 * that compression has something to compress with.
 */
#include <string.h>

#include "conf/loader.h"

void
fallback_set(struct load *l, const struct conf_key *key, void *target,
	     const struct conf_at *at, struct slice s)
{
	const char *path = load_strdup(l, slice_from(s, s.ptr[0] == '/' ? 1 : 0));

	(void)at;
	memcpy((char *)target + key->offset, &path, sizeof(path));
}

/* An empty list of the file turns it off; an empty list by default is a build that has
 * no coding at all. */
void
compress_done(struct load *l, void *target, const struct conf_at *at, bool clean)
{
	struct conf_compress *c = target;
	struct conf_at encodings;

	if (!clean || c->encodings.count != 0)
		return;
	c->enabled = false;
	if (!json_is_array(at->json) && !load_member(at, "encodings", &encodings))
		load_error(l, at,
			   "no coding is built in; run configure with --with-zlib, "
			   "--with-brotli or --with-zstd, or write false");
}
