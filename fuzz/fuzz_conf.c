/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a configuration, and as a table of redirects: there is a config, or at least
 * one whole line that says what is wrong, and never both. What is loaded has a dump that loads
 * into the same again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
check_lines(struct slice s, const char *file)
{
	while (s.len != 0) {
		size_t n = slice_find(s, '\n');

		must(n < s.len);
		must(slice_starts_with(s, slice_from_str(file)));
		must(n > strlen(file) && s.ptr[strlen(file)] == ':');
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

static void
load(struct slice text, const char *file)
{
	struct buf errors;
	struct config *c;

	buf_init(&errors);
	c = conf_load_text(text, "fuzz.json", "/etc", &errors);
	must(!errors.failed);
	must((c != NULL) == (errors.len == 0));
	check_lines(buf_slice(&errors), file);
	if (c != NULL)
		check_dump(c);
	conf_free(c);
	buf_fini(&errors);
}

/* A table is a file of its own; one in memory has a name, too. */
static void
load_table(struct slice table)
{
	char name[64], text[256];
	int fd = memfd_create("table", MFD_CLOEXEC);

	must(fd >= 0);
	must(write(fd, table.ptr, table.len) == (ssize_t)table.len);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	snprintf(
		text, sizeof(text),
		"{\"servers\": [{\"listen\": [\"127.0.0.1:0\"], \"redirects\": \"%s\"}]}",
		name);
	load(slice_from_str(text), name);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_make((const char *)data, size);

	load(s, "fuzz.json");
	load_table(s);
	return 0;
}
