/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tus: each field by a function of its own. A field that comes twice is refused whatever it
 * says: a proxy may have looked at the other one.
 */
#include "http/tus.h"

#include <errno.h>

#include "base/base64.h"
#include "base/number.h"

typedef enum tus_error (*read_fn)(struct slice value, struct tus_request *out);

bool
tus_is_spoken(const struct http_head *head)
{
	return http_head_find(head, HTTP_FIELD_TUS_RESUMABLE) != NULL;
}

static enum tus_error
read_length(struct slice value, struct tus_request *out)
{
	out->has_length = true;
	return number_dec(value, INT64_MAX, &out->length) == 0 ? TUS_OK : TUS_LENGTH;
}

static enum tus_error
read_offset(struct slice value, struct tus_request *out)
{
	out->has_offset = true;
	return number_dec(value, INT64_MAX, &out->offset) == 0 ? TUS_OK : TUS_OFFSET;
}

static enum tus_error
read_defer(struct slice value, struct tus_request *out)
{
	out->defers_length = true;
	return slice_eq(value, SLICE("1")) ? TUS_OK : TUS_DEFER;
}

static enum tus_error
read_concat(struct slice value, struct tus_request *out)
{
	(void)value;
	(void)out;
	return TUS_CONCAT;
}

/* --- Upload-Checksum --- */

static enum tus_error
read_checksum(struct slice value, struct tus_request *out)
{
	static const struct {
		struct slice name;
		enum digest_algorithm algorithm;
	} served[] = {
		{ SLICE_LIT("sha1"), DIGEST_SHA_1 },
		{ SLICE_LIT("sha256"), DIGEST_SHA_256 },
		{ SLICE_LIT("sha512"), DIGEST_SHA_512 },
	};
	size_t n = slice_find(value, ' '), i = 0, len;
	const size_t count = sizeof(served) / sizeof(served[0]);

	if (n == 0 || n == value.len)
		return TUS_CHECKSUM;
	while (i < count && !slice_eq(slice_make(value.ptr, n), served[i].name))
		i++;
	if (i == count)
		return TUS_ALGORITHM;
	out->has_checksum = true;
	out->algorithm = served[i].algorithm;
	if (base64_decode(slice_from(value, n + 1), out->checksum,
			  digest_size(out->algorithm), &len) != 0 ||
	    len != digest_size(out->algorithm))
		return TUS_CHECKSUM;
	return TUS_OK;
}

/* --- Upload-Metadata --- */

/* ASCII, neither space nor comma: and no control byte, which a field has none of. */
static bool
is_key(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f)
			return false;
	}
	return s.len > 0;
}

/* Clients put blanks behind the commas, though the protocol has none there. */
static bool
take_pair(struct slice *rest, struct tus_pair *p)
{
	size_t n = slice_find(*rest, ',');
	struct slice pair = slice_trim(slice_make(rest->ptr, n));

	*rest = slice_from(*rest, n + 1);
	n = slice_find(pair, ' ');
	*p = (struct tus_pair){ slice_make(pair.ptr, n), slice_from(pair, n + 1) };
	return is_key(p->key);
}

bool
tus_metadata_next(struct slice *rest, struct tus_pair *p)
{
	return rest->len != 0 && take_pair(rest, p);
}

static enum tus_error
read_metadata(struct slice value, struct tus_request *out)
{
	struct slice rest = value, keys[TUS_METADATA_KEYS];
	char decoded[TUS_METADATA_MAX / 4 * 3];
	struct tus_pair p;
	size_t count = 0, len;

	if (value.len > TUS_METADATA_MAX || slice_ends_with(value, SLICE(",")))
		return TUS_METADATA;
	while (rest.len != 0) {
		if (count == TUS_METADATA_KEYS || !take_pair(&rest, &p) ||
		    base64_decode(p.value, decoded, sizeof(decoded), &len) != 0)
			return TUS_METADATA;
		for (size_t i = 0; i < count; i++) {
			if (slice_eq(keys[i], p.key))
				return TUS_METADATA;
		}
		keys[count++] = p.key;
	}
	out->metadata = value;
	return TUS_OK;
}

int
tus_metadata_find(struct slice metadata, struct slice key, char *out, size_t max,
		  struct slice *found)
{
	struct tus_pair p;
	size_t len;
	int rc;

	while (tus_metadata_next(&metadata, &p)) {
		if (!slice_eq(p.key, key))
			continue;
		rc = base64_decode(p.value, out, max, &len);
		if (rc == 0)
			*found = slice_make(out, len);
		return rc;
	}
	return -ENOENT;
}

/* --- the request --- */

static enum tus_error
check_version(const struct http_head *head)
{
	const struct http_field *f = http_head_find(head, HTTP_FIELD_TUS_RESUMABLE);

	if (f == NULL)
		return TUS_NO_VERSION;
	return slice_eq(f->value, SLICE(TUS_VERSION)) ? TUS_OK : TUS_OTHER_VERSION;
}

static read_fn
reader_of(enum http_field_id id)
{
	switch ((int)id) {
	case HTTP_FIELD_UPLOAD_LENGTH:
		return read_length;
	case HTTP_FIELD_UPLOAD_OFFSET:
		return read_offset;
	case HTTP_FIELD_UPLOAD_DEFER_LENGTH:
		return read_defer;
	case HTTP_FIELD_UPLOAD_METADATA:
		return read_metadata;
	case HTTP_FIELD_UPLOAD_CHECKSUM:
		return read_checksum;
	case HTTP_FIELD_UPLOAD_CONCAT:
		return read_concat;
	default:
		return NULL;
	}
}

enum tus_error
tus_read(const struct http_head *head, struct tus_request *out)
{
	enum tus_error e = check_version(head);
	uint64_t seen = 0;

	*out = (struct tus_request){ 0 };
	for (size_t i = 0; e == TUS_OK && i < head->field_count; i++) {
		const struct http_field *f = &head->fields[i];
		read_fn read = reader_of(f->id);
		uint64_t bit = (uint64_t)1 << f->id;

		if (read == NULL && f->id != HTTP_FIELD_TUS_RESUMABLE)
			continue;
		if ((seen & bit) != 0)
			return TUS_REPEATED;
		seen |= bit;
		if (read != NULL)
			e = read(f->value, out);
	}
	if (e == TUS_OK && out->defers_length && out->has_length)
		return TUS_DEFER;
	return e;
}

enum http_method
tus_method(const struct http_head *head)
{
	enum http_method method = head->method;
	size_t count = 0;

	for (size_t i = 0; i < head->field_count; i++) {
		if (head->fields[i].id != HTTP_FIELD_X_HTTP_METHOD_OVERRIDE)
			continue;
		method = http_method_from(head->fields[i].value);
		count++;
	}
	return count > 1 ? HTTP_METHOD_UNKNOWN : method;
}

const char *
tus_sentence(enum tus_error e)
{
	static const char *const sentences[TUS_ERROR_COUNT] = {
#define X(id, sentence) [TUS_##id] = sentence,
		TUS_ERRORS(X)
#undef X
	};

	return e < TUS_ERROR_COUNT ? sentences[e] : "";
}
