/* SPDX-License-Identifier: BSD-2-Clause
 *
 * range: one pass over the set, and no arithmetic that could overflow: positions are clamped
 * to the size before anything is added to them. Ranges are merged as they come, each against
 * the at most `max` that are there.
 */
#include "http/range.h"

#include <errno.h>

#include "base/number.h"
#include "http/chars.h"
#include "http/date.h"

/* What has been read of one Range. */
struct range_set {
	uint64_t size;
	struct http_range *out; /* apart from each other by a byte at least */
	size_t count;
	bool satisfiable; /* section 14.1.2: the set as a whole */
};

/* The only field with this id, or NULL; *count says how many there are. */
static const struct http_field *
find_only(const struct http_head *head, enum http_field_id id, size_t *count)
{
	const struct http_field *found = NULL;

	*count = 0;
	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id == id) {
			found = &head->fields[i];
			++*count;
		}
	}
	return *count == 1 ? found : NULL;
}

/* Section 14.1.2: there is no limit to the digits; beyond 64 bits is beyond every size. */
static bool
read_number(struct slice s, uint64_t *out)
{
	int rc = number_dec(s, UINT64_MAX, out);

	if (rc == -ERANGE)
		*out = UINT64_MAX;
	return rc != -EINVAL;
}

static struct slice
skip_zeros(struct slice s)
{
	while (s.len > 1 && s.ptr[0] == '0')
		s = slice_from(s, 1);
	return s;
}

/* Of two runs of digits as long as they like: beyond 64 bits they still have an order. */
static bool
is_less(struct slice a, struct slice b)
{
	a = skip_zeros(a);
	b = skip_zeros(b);
	return a.len != b.len ? a.len < b.len : memcmp(a.ptr, b.ptr, a.len) < 0;
}

static bool
overlap_or_touch(const struct http_range *a, const struct http_range *b)
{
	return a->offset <= b->offset + b->length && b->offset <= a->offset + a->length;
}

static struct http_range
join(const struct http_range *a, const struct http_range *b)
{
	uint64_t begin = a->offset < b->offset ? a->offset : b->offset;
	uint64_t end_a = a->offset + a->length, end_b = b->offset + b->length;

	return (struct http_range){ begin, (end_a > end_b ? end_a : end_b) - begin };
}

/* One pass is enough: what is swallowed was apart from the others, so that the range grows
 * only to where no other begins. It takes the place of the first that it swallows. */
static void
add_range(struct range_set *set, uint64_t offset, uint64_t length)
{
	struct http_range r = { offset, length };
	size_t place = set->count, kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (!overlap_or_touch(&set->out[i], &r)) {
			set->out[kept++] = set->out[i];
			continue;
		}
		r = join(&set->out[i], &r);
		if (place == set->count)
			place = kept++;
	}
	if (place == set->count)
		place = kept++;
	set->out[place] = r;
	set->count = kept;
}

static bool
read_suffix(struct slice digits, struct range_set *set)
{
	uint64_t n;

	if (!read_number(digits, &n))
		return false;
	if (n == 0)
		return true;
	set->satisfiable = true;
	if (n > set->size)
		n = set->size;
	if (n != 0)
		add_range(set, set->size - n, n);
	return true;
}

static bool
read_int_range(struct slice first, struct slice last, struct range_set *set)
{
	uint64_t begin, end = UINT64_MAX; /* the last byte itself */

	if (!read_number(first, &begin))
		return false;
	if (last.len != 0 && (!read_number(last, &end) || is_less(last, first)))
		return false;
	if (begin >= set->size)
		return true;
	if (end > set->size - 1)
		end = set->size - 1;
	set->satisfiable = true;
	add_range(set, begin, end - begin + 1);
	return true;
}

/* False when it is no range-spec of bytes (section 14.1.2). */
static bool
read_spec(struct slice s, struct range_set *set)
{
	size_t dash = slice_find(s, '-');

	if (dash == s.len)
		return false;
	if (dash == 0)
		return read_suffix(slice_from(s, 1), set);
	return read_int_range(slice_make(s.ptr, dash), slice_from(s, dash + 1), set);
}

/* False when the set is to be ignored. Empty elements pass (section 5.6.1.2). */
static bool
read_set(struct slice s, size_t max, struct range_set *set)
{
	size_t seen = 0;

	while (s.len != 0) {
		size_t comma = slice_find(s, ',');
		struct slice spec = slice_trim(slice_make(s.ptr, comma));

		s = slice_from(s, comma + 1);
		if (spec.len == 0)
			continue;
		if (++seen > max || !read_spec(spec, set))
			return false;
	}
	return seen != 0;
}

enum range_verdict
range_find(const struct http_head *head, uint64_t size, struct http_range *out,
	   size_t max, size_t *count)
{
	struct range_set set = { .size = size, .out = out };
	const struct http_field *f;
	size_t lines, equals;

	*count = 0;
	/* Section 14.2: ranges are defined for GET only. */
	f = find_only(head, HTTP_FIELD_RANGE, &lines);
	if (f == NULL || head->method != HTTP_GET)
		return RANGE_WHOLE;
	equals = slice_find(f->value, '=');
	if (!slice_eq_nocase(slice_make(f->value.ptr, equals), SLICE("bytes")) ||
	    !read_set(slice_from(f->value, equals + 1), max, &set))
		return RANGE_WHOLE;
	if (!set.satisfiable)
		return RANGE_UNSATISFIABLE;
	*count = set.count;
	return set.count != 0 ? RANGE_PARTIAL : RANGE_WHOLE;
}

bool
range_if_range(const struct http_head *head, const struct cond_validators *v, int64_t now)
{
	const struct http_field *f;
	size_t lines;
	int64_t date;

	f = find_only(head, HTTP_FIELD_IF_RANGE, &lines);
	if (lines == 0)
		return true;
	if (f == NULL || !v->exists)
		return false;
	/* Our tag is well-formed, so a strong one that equals it is so too; W/ is never here. */
	if (slice_starts_with(f->value, SLICE("\"")))
		return slice_eq(f->value, v->etag);
	return v->has_modified && http_date_parse(f->value, now, &date) == 0 &&
	       date == v->modified && v->modified < now;
}

static size_t
put_text(char *out, size_t at, struct slice s)
{
	memcpy(out + at, s.ptr, s.len);
	return at + s.len;
}

struct slice
range_content(const struct http_range *r, uint64_t size, char out[RANGE_CONTENT_MAX])
{
	size_t n = put_text(out, 0, SLICE("bytes "));

	n += number_format(r->offset, out + n);
	n = put_text(out, n, SLICE("-"));
	n += number_format(r->offset + r->length - 1, out + n);
	n = put_text(out, n, SLICE("/"));
	n += number_format(size, out + n);
	return slice_make(out, n);
}

struct slice
range_content_unsatisfiable(uint64_t size, char out[RANGE_CONTENT_MAX])
{
	size_t n = put_text(out, 0, SLICE("bytes */"));

	n += number_format(size, out + n);
	return slice_make(out, n);
}
