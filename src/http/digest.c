/* SPDX-License-Identifier: BSD-2-Clause
 *
 * digest: fields to bytes and back. Nothing is believed of a field before all of it was read.
 */
#include "http/digest.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "http/sfdict.h"

#define WEIGHT_MAX 10

static const struct {
	struct slice name;
	size_t size;
} algorithms[DIGEST_SHA_1 + 1] = {
	[DIGEST_SHA_256] = { SLICE_LIT("sha-256"), 32 },
	[DIGEST_SHA_512] = { SLICE_LIT("sha-512"), 64 },
	[DIGEST_SHA_1] = { SLICE_LIT("sha1"), 20 },
};

struct slice
digest_name(enum digest_algorithm a)
{
	return algorithms[a].name;
}

size_t
digest_size(enum digest_algorithm a)
{
	return algorithms[a].size;
}

/* Keys are lower-case, so no other spelling of a name is one. */
static enum digest_algorithm
algorithm_from(struct slice name)
{
	enum digest_algorithm a = 0;

	while (a < DIGEST_COUNT && !slice_eq(name, algorithms[a].name))
		a++;
	return a;
}

/* --- Repr-Digest, Content-Digest --- */

static int
read_digest(const struct sf_member *m, struct digest_set *set)
{
	enum digest_algorithm a = algorithm_from(m->key);
	size_t len;

	if (m->kind != SF_BYTES)
		return -EINVAL;
	if (a == DIGEST_COUNT)
		return 0;
	if (base64_decode(m->text, set->value[a], algorithms[a].size, &len) != 0 ||
	    len != algorithms[a].size)
		return -EINVAL;
	set->present |= DIGEST_BIT(a);
	return 0;
}

static int
read_line(struct slice line, struct digest_set *set)
{
	enum sf_result result;
	struct sf_member m;

	while ((result = sf_dict_next(&line, &m)) == SF_MEMBER) {
		if (read_digest(&m, set) != 0)
			return -EINVAL;
	}
	return result == SF_END ? 0 : -EINVAL;
}

int
digest_parse(struct slice line, struct digest_set *out)
{
	*out = (struct digest_set){ 0 };
	return read_line(line, out);
}

int
digest_read(const struct http_head *head, enum http_field_id field,
	    struct digest_set *out)
{
	*out = (struct digest_set){ 0 };
	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id == field &&
		    read_line(head->fields[i].value, out) != 0)
			return -EINVAL;
	}
	return 0;
}

int
digest_merge(struct digest_set *set, const struct digest_set *more)
{
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((more->present & DIGEST_BIT(a)) == 0)
			continue;
		if ((set->present & DIGEST_BIT(a)) != 0 &&
		    memcmp(set->value[a], more->value[a], algorithms[a].size) != 0)
			return -EINVAL;
		memcpy(set->value[a], more->value[a], algorithms[a].size);
		set->present |= DIGEST_BIT(a);
	}
	return 0;
}

/* --- Want-Repr-Digest --- */

static bool
read_weights(struct slice line, struct digest_weights *want)
{
	enum sf_result result;
	struct sf_member m;

	while ((result = sf_dict_next(&line, &m)) == SF_MEMBER) {
		enum digest_algorithm a = algorithm_from(m.key);

		if (m.kind != SF_INTEGER || m.number < 0 || m.number > WEIGHT_MAX)
			return false;
		if (a < DIGEST_COUNT)
			want->of[a] = (unsigned char)m.number;
	}
	return result == SF_END;
}

void
digest_read_weights(const struct http_head *head, struct digest_weights *out)
{
	*out = (struct digest_weights){ 0 };
	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id == HTTP_FIELD_WANT_REPR_DIGEST &&
		    !read_weights(head->fields[i].value, out)) {
			*out = (struct digest_weights){ 0 };
			return;
		}
	}
}

enum digest_algorithm
digest_pick(const struct digest_weights *want, unsigned available)
{
	enum digest_algorithm best = DIGEST_COUNT;

	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((available & DIGEST_BIT(a)) != 0 && want->of[a] != 0 &&
		    (best == DIGEST_COUNT || want->of[a] > want->of[best]))
			best = a;
	}
	return best;
}

/* --- both --- */

struct slice
digest_format(enum digest_algorithm a, const unsigned char *value,
	      char out[DIGEST_TEXT_MAX])
{
	struct slice name = algorithms[a].name;
	size_t n = name.len;

	memcpy(out, name.ptr, n);
	out[n++] = '=';
	out[n++] = ':';
	n += base64_encode(value, algorithms[a].size, out + n);
	out[n++] = ':';
	return slice_make(out, n);
}
