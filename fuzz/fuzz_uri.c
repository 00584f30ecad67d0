/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a path and as an authority: what is accepted is canonical, stays so when
 * it is encoded and read again, and never leaves the root.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/uri.h"

#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *
take(size_t size)
{
	void *p = malloc(size != 0 ? size : 1);

	CHECK(p != NULL);
	return p;
}

static void
check_canonical(struct slice path)
{
	CHECK(path.len > 0 && path.ptr[0] == '/');
	CHECK(slice_find(path, '\0') == path.len);
	for (size_t i = 1; i < path.len;) {
		struct slice rest = slice_from(path, i);
		struct slice segment = slice_make(rest.ptr, slice_find(rest, '/'));

		CHECK(segment.len > 0);
		CHECK(!slice_eq(segment, SLICE(".")) && !slice_eq(segment, SLICE("..")));
		i += segment.len + 1;
	}
}

static void
check_encoded(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		CHECK(c > ' ' && c < 0x7f && strchr("\"\\<>?#[]^`{|}", c) == NULL);
	}
}

static void
fuzz_path(struct slice in)
{
	char *out = take(in.len), *encoded, *again;
	size_t len = 0, encoded_len, again_len = 0;
	int rc = uri_path_canonical(in, out, &len);

	CHECK(rc == 0 || rc == 400);
	if (rc == 0) {
		CHECK(len <= in.len);
		check_canonical(slice_make(out, len));
		encoded = take(3 * len);
		encoded_len = uri_path_encode(slice_make(out, len), encoded);
		check_encoded(slice_make(encoded, encoded_len));
		again = take(encoded_len);
		CHECK(uri_path_canonical(slice_make(encoded, encoded_len), again,
					 &again_len) == 0);
		CHECK(slice_eq(slice_make(again, again_len), slice_make(out, len)));
		free(encoded);
		free(again);
	}
	free(out);
}

static void
fuzz_authority(struct slice in)
{
	char *host = take(in.len), *again = take(in.len);
	size_t len = uri_host_normalise(in, host), again_len;

	CHECK(len <= in.len);
	if (uri_is_authority(in)) {
		struct slice s = { host, len };

		CHECK(len > 0);
		CHECK(slice_find(s, '@') == len && slice_find(s, '/') == len);
		for (size_t i = 0; i < len; i++)
			CHECK(host[i] > ' ' && !(host[i] >= 'A' && host[i] <= 'Z'));
		/* Only one final dot is dropped, so "a.." is not yet at rest. */
		if (host[len - 1] != '.') {
			CHECK(uri_is_authority(s));
			again_len = uri_host_normalise(s, again);
			CHECK(slice_eq(slice_make(again, again_len), s));
		}
	}
	free(host);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* No NUL and nothing else behind the bytes. */
	char *copy = take(size);

	if (size != 0)
		memcpy(copy, data, size);
	fuzz_path(slice_make(copy, size));
	fuzz_authority(slice_make(copy, size));
	free(copy);
	return 0;
}
