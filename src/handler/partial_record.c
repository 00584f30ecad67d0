/* SPDX-License-Identifier: BSD-2-Clause
 *
 * partial_record: a table of keys, each with what writes and what reads it.
 */
#include "handler/partial_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/number.h"

#define FIRST "websrv upload 1"
#define LAST "end"

/* --- writing --- */

struct writer {
	char *out;
	size_t len;
};

static void
add(struct writer *w, struct slice s)
{
	memcpy(w->out + w->len, s.ptr, s.len);
	w->len += s.len;
}

static void
add_number(struct writer *w, const char *key, uint64_t value)
{
	w->len += (size_t)snprintf(w->out + w->len, PARTIAL_RECORD_MAX - w->len,
				   "%s %" PRIu64 "\n", key, value);
}

/* Any bytes, in base64: a line end in a name must not become one here. */
static void
add_bytes(struct writer *w, struct slice key, struct slice value)
{
	if (value.len == 0)
		return;
	add(w, key);
	add(w, SLICE(" "));
	w->len += base64_encode(value.ptr, value.len, w->out + w->len);
	add(w, SLICE("\n"));
}

static void
add_digests(struct writer *w, const struct digest_set *set)
{
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		char text[DIGEST_TEXT_MAX];

		if ((set->present & DIGEST_BIT(a)) == 0)
			continue;
		add(w, SLICE("digest "));
		add(w, digest_format(a, set->value[a], text));
		add(w, SLICE("\n"));
	}
}

static bool
fits(const struct partial_record *r)
{
	return r->name.len <= PARTIAL_NAME_MAX &&
	       r->metadata.len <= PARTIAL_METADATA_MAX &&
	       r->location.len <= PARTIAL_LOCATION_MAX &&
	       r->conditions.len <= PARTIAL_CONDITIONS_MAX;
}

size_t
partial_record_write(const struct partial_record *r, char out[PARTIAL_RECORD_MAX])
{
	struct writer w = { .out = out };

	if (!fits(r))
		return 0;
	add(&w, SLICE(FIRST "\n"));
	add(&w, r->door == PARTIAL_TUS ? SLICE("door tus\n") : SLICE("door rufh\n"));
	add_number(&w, "device", r->device);
	add_number(&w, "inode", r->inode);
	if (r->boot[0] != '\0') {
		add(&w, SLICE("boot "));
		add(&w, slice_from_str(r->boot));
		add(&w, SLICE("\n"));
	}
	add_number(&w, "offset", r->offset);
	if (r->length != PARTIAL_LENGTH_UNKNOWN)
		add_number(&w, "length", r->length);
	add_number(&w, "complete", r->complete);
	add_number(&w, "created", (uint64_t)r->created);
	add_number(&w, "expires", (uint64_t)r->expires);
	add_bytes(&w, SLICE("name"), r->name);
	add_bytes(&w, SLICE("metadata"), r->metadata);
	add_bytes(&w, SLICE("location"), r->location);
	add_bytes(&w, SLICE("conditions"), r->conditions);
	add_digests(&w, &r->digest);
	add(&w, SLICE(LAST "\n"));
	return w.len;
}

/* --- reading --- */

/* Each returns 0 or -EINVAL. `value` may be changed. */

static int
read_number(struct slice value, uint64_t max, uint64_t *out)
{
	return number_dec(value, max, out) == 0 ? 0 : -EINVAL;
}

static int
read_time(struct slice value, int64_t *out)
{
	uint64_t v = 0;
	int rc = read_number(value, INT64_MAX, &v);

	*out = (int64_t)v;
	return rc;
}

static int
read_flag(struct slice value, bool *out)
{
	uint64_t v = 0;
	int rc = read_number(value, 1, &v);

	*out = v != 0;
	return rc;
}

/* What stands where the base64 stood is the value. */
static int
read_bytes(char *value, size_t len, size_t max, struct slice *out)
{
	size_t n = 0;

	if (base64_decode(slice_make(value, len), value, len, &n) != 0 || n > max)
		return -EINVAL;
	*out = slice_make(value, n);
	return 0;
}

static int
read_digest(struct slice value, struct digest_set *out)
{
	struct digest_set one;

	if (digest_parse(value, &one) != 0 || one.present == 0)
		return -EINVAL;
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		if ((one.present & DIGEST_BIT(a)) != 0)
			memcpy(out->value[a], one.value[a], digest_size(a));
	}
	out->present |= one.present;
	return 0;
}

static int
read_door(struct slice value, enum partial_door *out)
{
	*out = slice_eq(value, SLICE("tus")) ? PARTIAL_TUS : PARTIAL_RUFH;
	return *out == PARTIAL_TUS || slice_eq(value, SLICE("rufh")) ? 0 : -EINVAL;
}

static int
read_boot(struct slice value, char out[PARTIAL_BOOT_MAX])
{
	if (value.len >= PARTIAL_BOOT_MAX)
		return -EINVAL;
	memcpy(out, value.ptr, value.len);
	out[value.len] = '\0';
	return 0;
}

static int
read_pair(struct partial_record *r, struct slice key, char *text, size_t len)
{
	struct slice value = slice_make(text, len);

	if (slice_eq(key, SLICE("door")))
		return read_door(value, &r->door);
	if (slice_eq(key, SLICE("device")))
		return read_number(value, UINT64_MAX, &r->device);
	if (slice_eq(key, SLICE("inode")))
		return read_number(value, UINT64_MAX, &r->inode);
	if (slice_eq(key, SLICE("boot")))
		return read_boot(value, r->boot);
	if (slice_eq(key, SLICE("offset")))
		return read_number(value, INT64_MAX, &r->offset);
	if (slice_eq(key, SLICE("length")))
		return read_number(value, INT64_MAX, &r->length);
	if (slice_eq(key, SLICE("complete")))
		return read_flag(value, &r->complete);
	if (slice_eq(key, SLICE("created")))
		return read_time(value, &r->created);
	if (slice_eq(key, SLICE("expires")))
		return read_time(value, &r->expires);
	if (slice_eq(key, SLICE("name")))
		return read_bytes(text, len, PARTIAL_NAME_MAX, &r->name);
	if (slice_eq(key, SLICE("metadata")))
		return read_bytes(text, len, PARTIAL_METADATA_MAX, &r->metadata);
	if (slice_eq(key, SLICE("location")))
		return read_bytes(text, len, PARTIAL_LOCATION_MAX, &r->location);
	if (slice_eq(key, SLICE("conditions")))
		return read_bytes(text, len, PARTIAL_CONDITIONS_MAX, &r->conditions);
	if (slice_eq(key, SLICE("digest")))
		return read_digest(value, &r->digest);
	return -EINVAL;
}

int
partial_record_read(char *text, size_t len, struct partial_record *r)
{
	struct slice rest = slice_make(text, len);
	struct slice line;
	bool first = true;

	*r = (struct partial_record){ .length = PARTIAL_LENGTH_UNKNOWN };
	for (;;) {
		size_t end = slice_find(rest, '\n'), space;

		if (end == rest.len)
			return -EINVAL; /* cut short: the last line ends, too */
		line = slice_make(rest.ptr, end);
		rest = slice_from(rest, end + 1);
		if (slice_eq(line, SLICE(LAST)))
			break;
		if (first && !slice_eq(line, SLICE(FIRST)))
			return -EINVAL;
		space = slice_find(line, ' ');
		if (!first &&
		    (space == line.len || read_pair(r, slice_make(line.ptr, space),
						    text + (line.ptr - text) + space + 1,
						    line.len - space - 1) != 0))
			return -EINVAL;
		first = false;
	}
	return !first && rest.len == 0 && r->offset <= r->length ? 0 : -EINVAL;
}
