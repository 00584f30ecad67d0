/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_digest: what is in memory is hashed when somebody asks, what is not would take too
 * long: there only a digest that was stored with the file helps.
 */
#include "handler/file_digest.h"

#include "handler/store_kept.h"
#include "http/digest_hash.h"

/* Beyond it hashing takes too long for one turn of the loop. */
#define HASH_AT_ONCE_MAX ((uint64_t)256 * 1024)

static bool
compute(const struct file_version *v, enum digest_algorithm a, unsigned char *out)
{
	struct digest_hash *h = digest_hash_new(a);
	bool done;

	if (h == NULL)
		return false;
	digest_hash_add(h, v->bytes, (size_t)v->size);
	done = digest_hash_end(h, out);
	digest_hash_free(h);
	return done;
}

/* Also of a file that was moved from where it was uploaded, with its attributes. */
static bool
load(const struct file_version *v, struct digest_set *set)
{
	const struct stat st = { .st_dev = v->id.dev,
				 .st_ino = v->id.ino,
				 .st_size = v->id.size,
				 .st_mtim = v->id.mtime };

	if (v->digest == NULL)
		return v->bytes == NULL && store_kept_load(v->fd, &st, NULL, set);
	*set = *v->digest;
	return true;
}

/* The algorithm that is in the set then; DIGEST_COUNT: none that is wanted is to be had. */
static enum digest_algorithm
find(const struct file_version *v, const struct digest_weights *want,
     struct digest_set *set)
{
	enum digest_algorithm a = digest_pick(want, DIGEST_ALL), known = DIGEST_COUNT;

	if (a == DIGEST_COUNT)
		return a;
	if (load(v, set))
		known = digest_pick(want, set->present);
	if (known != DIGEST_COUNT || v->bytes == NULL)
		return known;
	return v->size <= HASH_AT_ONCE_MAX && compute(v, a, set->value[a]) ? a
									   : DIGEST_COUNT;
}

int
file_digest_add(struct exchange *ex, const struct file_choice *c)
{
	struct digest_weights want;
	enum digest_algorithm a;
	struct digest_set set;
	char *text;

	/* The bytes of what is encoded on the way are not known before they are sent. */
	if (c->encode || http_head_find(&ex->head, HTTP_FIELD_WANT_REPR_DIGEST) == NULL)
		return 0;
	digest_read_weights(&ex->head, &want);
	a = find(c->version, &want, &set);
	if (a == DIGEST_COUNT)
		return 0;
	text = arena_alloc(&ex->arena, DIGEST_TEXT_MAX);
	if (text == NULL)
		return -1;
	return exchange_add_field(ex, HTTP_FIELD_REPR_DIGEST,
				  digest_format(a, set.value[a], text));
}
