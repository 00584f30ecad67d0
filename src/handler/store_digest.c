/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_digest: begin, add, check.
 */
#include "handler/store_digest.h"

#include <string.h>

#include "http/digest_hash.h"

unsigned
store_digest_wanted(const struct http_head *head, unsigned known)
{
	struct digest_weights want;
	enum digest_algorithm a;

	if (http_head_find(head, HTTP_FIELD_WANT_REPR_DIGEST) == NULL ||
	    digest_hash_library() == NULL)
		return 0;
	digest_read_weights(head, &want);
	a = digest_pick(&want, known);
	if (a == DIGEST_COUNT)
		a = digest_pick(&want, DIGEST_ALL);
	return a != DIGEST_COUNT ? DIGEST_BIT(a) : 0;
}

int
store_digest_expect(struct store_digest *d, const struct digest_set *expected,
		    unsigned more)
{
	*d = (struct store_digest){ 0 };
	if (expected != NULL)
		d->expected = *expected;
	more |= d->expected.present;
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((more & DIGEST_BIT(a)) == 0)
			continue;
		d->hashes[a] = digest_hash_new(a);
		if (d->hashes[a] == NULL) {
			store_digest_fini(d);
			return 503;
		}
	}
	return 0;
}

int
store_digest_begin(struct store_digest *d, const struct http_head *head, unsigned more)
{
	struct digest_set repr, content;

	*d = (struct store_digest){ 0 };
	/* What cannot be checked is not looked at: RFC 9530 section 3 lets a recipient ignore it. */
	if (digest_hash_library() == NULL)
		return 0;
	if (digest_read(head, HTTP_FIELD_REPR_DIGEST, &repr) != 0 ||
	    digest_read(head, HTTP_FIELD_CONTENT_DIGEST, &content) != 0 ||
	    digest_merge(&repr, &content) != 0)
		return 400;
	more |= repr.present;
	return store_digest_expect(d, &repr, more | store_digest_wanted(head, more));
}

void
store_digest_add(struct store_digest *d, struct slice bytes)
{
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if (d->hashes[a] != NULL)
			digest_hash_add(d->hashes[a], bytes.ptr, bytes.len);
	}
}

bool
store_digest_is_on(const struct store_digest *d)
{
	bool on = false;

	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++)
		on = on || d->hashes[a] != NULL;
	return on;
}

int
store_digest_check(struct store_digest *d)
{
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if (d->hashes[a] == NULL)
			continue;
		if (!digest_hash_end(d->hashes[a], d->found.value[a]))
			return 500;
		d->found.present |= DIGEST_BIT(a);
		if ((d->expected.present & DIGEST_BIT(a)) != 0 &&
		    memcmp(d->found.value[a], d->expected.value[a], digest_size(a)) != 0)
			return 400;
	}
	return 0;
}

void
store_digest_fini(struct store_digest *d)
{
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		digest_hash_free(d->hashes[a]);
		d->hashes[a] = NULL;
	}
}
