/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a configuration: there is a config, or at least one whole line that says
 * what is wrong, and never both.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "conf/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* A line break in a message would be a second, made-up error. */
static void
check_lines(struct slice s)
{
	while (s.len != 0) {
		size_t n = slice_find(s, '\n');

		must(n < s.len);
		must(slice_starts_with(s, SLICE("fuzz.json:")));
		for (size_t i = 0; i < n; i++)
			must((unsigned char)s.ptr[i] >= 0x20 && s.ptr[i] != 0x7f);
		s = slice_from(s, n + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf errors;
	struct config *c;

	buf_init(&errors);
	c = conf_load_text(slice_make((const char *)data, size), "fuzz.json", "/etc",
			   &errors);
	must(!errors.failed);
	must((c != NULL) == (errors.len == 0));
	check_lines(buf_slice(&errors));
	conf_free(c);
	buf_fini(&errors);
	return 0;
}
