/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a configuration: there is a config, or at least one whole line that says
 * what is wrong, and never both. What is loaded has a dump that loads into the same again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "conf/dump.h"
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

static void
check_dump(const struct config *c)
{
	struct config *again;
	struct buf first, second, errors;

	buf_init(&first);
	buf_init(&second);
	buf_init(&errors);
	must(conf_dump(c, &first) == 0);
	again = conf_load_text(buf_slice(&first), "fuzz.json", "/", &errors);
	must(again != NULL);
	must(conf_dump(again, &second) == 0);
	must(slice_eq(buf_slice(&first), buf_slice(&second)));
	conf_free(again);
	buf_fini(&errors);
	buf_fini(&second);
	buf_fini(&first);
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
	if (c != NULL)
		check_dump(c);
	conf_free(c);
	buf_fini(&errors);
	return 0;
}
