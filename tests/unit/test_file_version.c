/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One version of one file: what is opened and what is only looked at, the bytes or a descriptor,
 * and whether the descriptor still reads what it read then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "rows.h"
#include "place.h"
#include "core/uploads.h"
#include "handler/staging.h"

#define BIG ((size_t)3000) /* more than the samples */

static struct file_version *
get(const struct place *p, const char *path, uint64_t bytes_max)
{
	struct file_version *v = NULL;

	assert_int_equal(file_version_open(&p->root, path, bytes_max, &v), 0);
	assert_non_null(v);
	assert_int_equal(v->refs, 1);
	return v;
}

/* Once it can be told. */
static bool
is_intact(struct file_version *v)
{
	int rc = file_version_check(v);

	for (int i = 0; rc == -EAGAIN && i < 1000; i++) {
		usleep(1000);
		rc = file_version_check(v);
	}
	assert_true(rc == 0 || rc == -EIO);
	return rc == 0;
}

/* --- what is opened --- */

static void
make_strange_files(const struct place *p)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkdirat(p->root.dirfd, "dir", 0755), 0);
	assert_int_equal(mkfifoat(p->root.dirfd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("/etc", p->root.dirfd, "etc"), 0);
	assert_int_equal(symlinkat("loop", p->root.dirfd, "loop"), 0);
	assert_int_equal(symlinkat("a", p->root.dirfd, "link"), 0);
	assert_int_equal(symlinkat("fifo", p->root.dirfd, "to-fifo"), 0);
	assert_true(fd >= 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.80s/socket", p->dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
}

static void
only_regular_files_beneath_the_root_are_opened(void **state)
{
	static const struct {
		const char *path;
		int rc;
	} expected[] = {
		{ "", -EISDIR },       { "dir", -EISDIR },       { "dir/", -EISDIR },
		{ "none", -ENOENT },   { "fifo", -ENOENT },      { "to-fifo", -ENOENT },
		{ "socket", -ENOENT }, { "a/b", -ENOTDIR },      { "a/", -ENOTDIR },
		{ "../x", -EXDEV },    { "etc/passwd", -EXDEV }, { "loop", -ELOOP },
	};
	struct place *p = *state;
	struct file_version *none = NULL;
	struct file_id id;

	put(p, "a", 'a', 10);
	make_strange_files(p);
	for (size_t i = 0; i < COUNT(expected); i++) {
		const char *path = expected[i].path;
		int opened = file_version_open(&p->root, path, 100, &none);
		int looked = file_version_look(&p->root, path, &id);

		if (opened != expected[i].rc || looked != expected[i].rc)
			fail_msg("'%s': %d, %d", path, opened, looked);
	}
	assert_null(none);
	file_version_unref(get(p, "link", 100));
	p->root.symlinks = FS_SYMLINKS_REFUSE;
	assert_int_equal(file_version_open(&p->root, "link", 100, &none), -ELOOP);
}

static bool
was_opened(int inotify)
{
	char events[4096];

	return read(inotify, events, sizeof(events)) > 0;
}

static int
watch(const struct place *p, const char *name)
{
	char path[2 * TREE_PATH_MAX];
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	assert_true(fd >= 0);
	assert_true(inotify_add_watch(fd, path, IN_OPEN) >= 0);
	return fd;
}

static void
what_is_no_file_is_not_even_opened(void **state)
{
	struct place *p = *state;
	struct file_version *none;
	int fifo, device;

	assert_int_equal(mkfifoat(p->root.dirfd, "fifo", 0644), 0);
	fifo = watch(p, "fifo");
	assert_int_equal(file_version_open(&p->root, "fifo", 100, &none), -ENOENT);
	assert_false(was_opened(fifo));
	close(fifo);
	/* Who may not make a device cannot be shown one. */
	if (mknodat(p->root.dirfd, "device", S_IFCHR | 0644, makedev(1, 5)) == 0) {
		device = watch(p, "device");
		assert_int_equal(file_version_open(&p->root, "device", 100, &none),
				 -ENOENT);
		assert_false(was_opened(device));
		close(device);
	}
}

static void
looking_does_not_open_the_file(void **state)
{
	struct place *p = *state;
	struct file_id id;
	int file;

	put(p, "a", 'a', 10);
	file = watch(p, "a");
	assert_int_equal(file_version_look(&p->root, "a", &id), 0);
	assert_false(was_opened(file));
	file_version_unref(get(p, "a", 100)); /* and that is how it would be noticed */
	assert_true(was_opened(file));
	close(file);
}

static void
without_memory_for_the_type_nothing_is_left(void **state)
{
	struct place *p = *state;
	struct file_version *none;

	put(p, "a", 'a', 10);
	p->root.type_of = no_type;
	assert_int_equal(file_version_open(&p->root, "a", 100, &none), -ENOMEM);
	assert_int_equal(file_version_open(&p->root, "a", 0, &none), -ENOMEM);
}

/* --- what it holds --- */

static void
small_file_is_bytes_and_a_big_one_a_descriptor(void **state)
{
	struct place *p = *state;
	struct file_version *v;
	char buf[8] = "";

	put(p, "a", 'a', 10);
	put(p, "empty", 'e', 0);
	v = get(p, "a", 10);
	assert_bytes(v, 'a', 10);
	file_version_unref(v);
	v = get(p, "empty", 0);
	assert_bytes(v, 'e', 0);
	file_version_unref(v);
	v = get(p, "a", 9);
	assert_null(v->bytes);
	assert_int_equal(v->size, 10);
	assert_int_equal(fs_pread_full(v->fd, buf, 4, 8), 2);
	assert_string_equal(buf, "aa");
	file_version_unref(v);
}

static void
file_is_young_for_a_moment(void **state)
{
	static const struct {
		int64_t age;
		bool young;
	} rows[] = { { -1000, true }, { 0, true }, { 3, false }, { 1000, false } };
	struct place *p = *state;

	put(p, "a", 'a', 10);
	for (size_t i = 0; i < COUNT(rows); i++) {
		time_t now = time(NULL);
		struct file_version *v;

		tree_set_mtime(p->root.dirfd, "a", now - rows[i].age, 0);
		v = get(p, "a", 100);
		if (time(NULL) != now) { /* too late to tell */
			file_version_unref(v);
			i--;
			continue;
		}
		assert_int_equal(v->is_young, rows[i].young);
		assert_int_equal(slice_starts_with(etag_of(v), SLICE("W/")),
				 rows[i].young);
		file_version_unref(v);
	}
	tree_set_mtime(p->root.dirfd, "a", 1, 0); /* weak for ever, but not young */
	file_version_unref(get(p, "a", 100));
}

static void
identity_tells_every_change(void **state)
{
	struct place *p = *state;
	struct file_version *v;
	struct file_id id;
	int dirfd = p->root.dirfd;

	put(p, "a", 'a', 10);
	v = get(p, "a", 100);
	for (int change = 0; change < 5; change++) {
		assert_int_equal(file_version_look(&p->root, "a", &id), 0);
		assert_int_equal(file_id_is_same(&id, &v->id), true);
		usleep(20000); /* a clock that ticks slowly */
		if (change == 0)
			put(p, "a", 'b', 10);
		else if (change == 1)
			tree_write(dirfd, "a", TREE_AT_END, 'c', 1);
		else if (change == 2)
			tree_set_mtime(dirfd, "a", OLD, 1);
		else if (change == 3)
			tree_set_mtime(dirfd, "a", OLD + 1, 1);
		else /* its change time alone */
			assert_int_equal(fchmodat(dirfd, "a", 0600, 0), 0);
		assert_int_equal(file_version_look(&p->root, "a", &id), 0);
		assert_int_equal(file_id_is_same(&id, &v->id), false);
		file_version_unref(v);
		v = get(p, "a", 100);
	}
	file_version_unref(v);
}

static void
encoded_form_stands_for_itself(void **state)
{
	struct place *p = *state;
	struct file_version *v, *coded;
	char *bytes = strdup("encoded");
	struct slice tag;

	assert_non_null(bytes);
	put(p, "a.txt", 'a', 100);
	v = get(p, "a.txt", 100);
	coded = file_version_encoded(v, CODING_GZIP, bytes, 7);
	assert_non_null(coded);
	file_version_unref(v);
	assert_ptr_equal(coded->bytes, bytes);
	assert_int_equal(coded->size, 7);
	assert_int_equal(coded->fd, -1);
	assert_int_equal(coded->modified, OLD);
	assert_true(
		slice_eq(coded->fields[FILE_FIELD_LAST_MODIFIED].value, SLICE(OLD_DATE)));
	assert_true(
		slice_eq(coded->fields[FILE_FIELD_CONTENT_TYPE].value, SLICE("a.txt")));
	tag = etag_of(coded);
	assert_true(slice_starts_with(tag, SLICE("W/\"64-")));
	assert_true(slice_ends_with(tag, SLICE("-gzip\"")));
	file_version_unref(coded);
}

/* --- files that change while they are opened --- */

/* A root whose files change between the stat and the reading. */
struct restless {
	struct file_root root; /* first */
	int changes;           /* that are still to come */
	void (*change)(int dirfd);
};

static char *
type_with_a_change(const struct file_root *root, struct slice name)
{
	struct restless *r = (struct restless *)(uintptr_t)root;

	if (r->changes > 0) {
		r->changes--;
		r->change(root->dirfd);
	}
	return strndup(name.ptr, name.len);
}

static void
append_one(int dirfd)
{
	tree_write(dirfd, "a", TREE_AT_END, 'a', 1);
}

static void
rewrite_longer(int dirfd)
{
	tree_truncate(dirfd, "a", 0);
	tree_write(dirfd, "a", 0, 'b', 2 * BIG);
}

static void
file_that_changes_once_is_read_again(void **state)
{
	struct place *p = *state;
	struct restless r = { p->root, 1, append_one };
	struct file_version *v = NULL;

	r.root.type_of = type_with_a_change;
	put(p, "a", 'a', 10);
	assert_int_equal(file_version_open(&r.root, "a", 100, &v), 0);
	assert_bytes(v, 'a', 11);
	file_version_unref(v);
}

static void
file_that_always_changes_is_a_descriptor(void **state)
{
	struct place *p = *state;
	struct restless r = { p->root, 1000, append_one };
	struct file_version *v = NULL;
	char buf[100];

	r.root.type_of = type_with_a_change;
	put(p, "a", 'a', 10);
	assert_int_equal(file_version_open(&r.root, "a", 100, &v), 0);
	assert_null(v->bytes);
	assert_true(r.changes > 990); /* it gave up soon */
	assert_in_range(v->size, 10, 20);
	assert_true(is_intact(v)); /* it only grew */
	assert_int_equal(fs_pread_full(v->fd, buf, (size_t)v->size, 0), v->size);
	file_version_unref(v);
}

static void
big_file_that_is_replaced_while_it_is_opened_is_not_mixed(void **state)
{
	struct place *p = *state;
	struct restless r = { p->root, 1, rewrite_longer };
	struct file_version *v = NULL;

	r.root.type_of = type_with_a_change;
	put(p, "a", 'a', BIG);
	assert_int_equal(file_version_open(&r.root, "a", 0, &v), 0);
	/* Either what was there first, which is gone, or what is there now. */
	if (v->size != 2 * BIG)
		assert_false(is_intact(v));
	file_version_unref(v);
}

/* As an upload that replaces does it, which may yet be taken back. */
static void
replace_by_exchange(int dirfd)
{
	tree_put(dirfd, STORE_STAGING "/new", "bb", 2);
	assert_int_equal(
		renameat2(dirfd, STORE_STAGING "/new", dirfd, "a", RENAME_EXCHANGE), 0);
}

static void
file_that_is_exchanged_while_it_is_opened_is_there_all_the_time(void **state)
{
	struct place *p = *state;
	const struct upload_dirs none = { 0 };
	struct restless r = { p->root, 1, replace_by_exchange };
	struct file_version *v = NULL;

	r.root.type_of = type_with_a_change;
	r.root.uploads = &none;
	assert_int_equal(mkdirat(p->root.dirfd, STORE_STAGING, 0700), 0);
	put(p, "a", 'a', 10);
	assert_int_equal(file_version_open(&r.root, "a", 100, &v), 0);
	assert_bytes(v, 'b', 2);
	file_version_unref(v);
	/* What lies there for good is not there for anybody. */
	assert_int_equal(symlinkat(STORE_STAGING "/new", p->root.dirfd, "door"), 0);
	assert_int_equal(file_version_open(&r.root, "door", 100, &v), -ENOENT);
}

/* --- is it still the same? --- */

static void
change_nothing(const struct place *p, off_t size)
{
	(void)p;
	(void)size;
}

static void
append(const struct place *p, off_t size)
{
	(void)size;
	tree_write(p->root.dirfd, "a", TREE_AT_END, 'b', 1);
	tree_write(p->root.dirfd, "a", TREE_AT_END, 'b', 5000);
}

static void
append_and_age(const struct place *p, off_t size)
{
	append(p, size);
	tree_set_mtime(p->root.dirfd, "a", OLD, 0);
}

static void
change_mode(const struct place *p, off_t size)
{
	(void)size;
	assert_int_equal(fchmodat(p->root.dirfd, "a", 0600, 0), 0);
}

static void delete (const struct place *p, off_t size)
{
	(void)size;
	assert_int_equal(unlinkat(p->root.dirfd, "a", 0), 0);
}

static void
rename_away(const struct place *p, off_t size)
{
	(void)size;
	assert_int_equal(renameat(p->root.dirfd, "a", p->root.dirfd, "b"), 0);
}

static void
replace_by_rename(const struct place *p, off_t size)
{
	put(p, "a", 'b', (size_t)size);
}

static void
cut_one_byte(const struct place *p, off_t size)
{
	tree_truncate(p->root.dirfd, "a", size - 1);
}

static void
cut_all(const struct place *p, off_t size)
{
	(void)size;
	tree_truncate(p->root.dirfd, "a", 0);
}

static void
cut_and_age(const struct place *p, off_t size)
{
	cut_one_byte(p, size);
	tree_set_mtime(p->root.dirfd, "a", OLD, 0);
}

static void
overwrite(const struct place *p, off_t size)
{
	tree_write(p->root.dirfd, "a", 0, 'b', (size_t)size);
}

static void
overwrite_by_the_same(const struct place *p, off_t size)
{
	tree_write(p->root.dirfd, "a", 0, 'a', (size_t)size);
}

static void
cut_and_write_longer(const struct place *p, off_t size)
{
	tree_truncate(p->root.dirfd, "a", 0);
	tree_write(p->root.dirfd, "a", 0, 'b', (size_t)size + 1);
}

static void
cut_and_grow(const struct place *p, off_t size)
{
	tree_truncate(p->root.dirfd, "a", size - 1);
	tree_truncate(p->root.dirfd, "a", size + 1);
}

static void
overwrite_one_and_append(const struct place *p, off_t offset)
{
	tree_write(p->root.dirfd, "a", offset, 'b', 1);
	append(p, 0);
}

static void
change_the_first_and_append(const struct place *p, off_t size)
{
	(void)size;
	overwrite_one_and_append(p, 0);
}

static void
change_the_middle_and_append(const struct place *p, off_t size)
{
	overwrite_one_and_append(p, size / 2);
}

static void
change_the_last_and_append(const struct place *p, off_t size)
{
	overwrite_one_and_append(p, size - 1);
}

static const struct change_case {
	const char *name;
	void (*change)(const struct place *p, off_t size);
	bool intact, unchanged;
} changes[] = {
	{ "unchanged_file_is_intact", change_nothing, true, true },
	{ "file_that_grew_is_intact", append, true, false },
	{ "file_that_grew_and_was_dated_back_is_intact", append_and_age, true, false },
	{ "file_with_another_mode_is_intact", change_mode, true, true },
	{ "deleted_file_is_intact", delete, true, true },
	{ "renamed_file_is_intact", rename_away, true, true },
	{ "file_replaced_by_rename_is_intact", replace_by_rename, true, true },
	{ "shorter_file_is_not_intact", cut_one_byte, false, false },
	{ "emptied_file_is_not_intact", cut_all, false, false },
	{ "shorter_file_that_was_dated_back_is_not_intact", cut_and_age, false, false },
	{ "overwritten_file_is_not_intact", overwrite, false, false },
	{ "file_written_again_is_not_intact", overwrite_by_the_same, false, false },
	{ "file_rewritten_longer_is_not_intact", cut_and_write_longer, false, false },
	{ "file_cut_and_grown_is_not_intact", cut_and_grow, false, false },
	{ "changed_first_byte_is_seen_in_a_grown_file", change_the_first_and_append,
	  false, false },
	{ "changed_middle_is_seen_in_a_grown_file", change_the_middle_and_append, false,
	  false },
	{ "changed_last_byte_is_seen_in_a_grown_file", change_the_last_and_append, false,
	  false },
};

static void
run_change(const struct place *p, const struct change_case *c)
{
	static const size_t sizes[] = { 1,
					2,
					FILE_SAMPLE_SIZE - 1,
					FILE_SAMPLE_SIZE,
					FILE_SAMPLE_SIZE + 1,
					(size_t)FILE_SAMPLE_SIZE * FILE_SAMPLES,
					BIG };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct file_version *v;
		bool intact, unchanged;

		put(p, "a", 'a', sizes[i]);
		v = get(p, "a", 0);
		c->change(p, (off_t)sizes[i]);
		intact = is_intact(v);
		unchanged = file_version_is_unchanged(v);
		file_version_unref(v);
		if (intact != c->intact || unchanged != c->unchanged)
			fail_msg("%zu bytes", sizes[i]);
	}
}

static void
run_change_case(void **state)
{
	const struct change_case *c = *state;
	void *place;

	setup(&place);
	run_change(place, c);
	teardown(&place);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		TEST(only_regular_files_beneath_the_root_are_opened),
		TEST(what_is_no_file_is_not_even_opened),
		TEST(looking_does_not_open_the_file),
		TEST(without_memory_for_the_type_nothing_is_left),
		TEST(small_file_is_bytes_and_a_big_one_a_descriptor),
		TEST(file_is_young_for_a_moment),
		TEST(identity_tells_every_change),
		TEST(encoded_form_stands_for_itself),
		TEST(file_that_changes_once_is_read_again),
		TEST(file_that_always_changes_is_a_descriptor),
		TEST(big_file_that_is_replaced_while_it_is_opened_is_not_mixed),
		TEST(file_that_is_exchanged_while_it_is_opened_is_there_all_the_time),
	};
	static struct CMUnitTest tests[COUNT(others) + COUNT(changes)];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < COUNT(changes); i++)
		tests[COUNT(others) + i] =
			row_test(changes[i].name, run_change_case, &changes[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
