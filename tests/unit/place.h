/* SPDX-License-Identifier: BSD-2-Clause
 *
 * place: a temporary directory as the root of versions, with files of one letter each. Included
 * once by a test program.
 */
#ifndef WEBSRV_TESTS_PLACE_H
#define WEBSRV_TESTS_PLACE_H

#include "tree.h"
#include "handler/file_version.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct place {
	char dir[TREE_PATH_MAX];
	struct file_root root; /* its type_of() answers the name it is asked about */
	int lowest;            /* the first free descriptor: tells a leak */
};

static inline char *
name_as_type(const struct file_root *root, struct slice name)
{
	(void)root;
	return strndup(name.ptr, name.len);
}

static inline char *
no_type(const struct file_root *root, struct slice name)
{
	(void)root;
	(void)name;
	return NULL;
}

/* An old file of `len` times `c`, under a new inode. */
static inline void
put(const struct place *p, const char *name, char c, size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, c, len);
	tree_put(p->root.dirfd, name, text, len);
	free(text);
}

static inline int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	alarm(300); /* a FIFO that hangs must not stand still */
	p->root.dirfd = tree_open(p->dir);
	p->root.symlinks = FS_SYMLINKS_INSIDE;
	p->root.type_of = name_as_type;
	p->lowest = lowest_fd();
	*state = p;
	return 0;
}

static inline int
teardown(void **state)
{
	struct place *p = *state;

	assert_int_equal(lowest_fd(), p->lowest);
	close(p->root.dirfd);
	assert_int_equal(remove_tree(p->dir), 0);
	free(p);
	return 0;
}

static inline void
assert_bytes(const struct file_version *v, char c, size_t len)
{
	assert_int_equal(v->size, len);
	assert_non_null(v->bytes);
	assert_int_equal(v->fd, -1);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(v->bytes[i], c);
}

static inline struct slice
etag_of(const struct file_version *v)
{
	return v->fields[FILE_FIELD_ETAG].value;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
