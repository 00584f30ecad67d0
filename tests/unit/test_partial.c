/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Unfinished uploads on disk: what is known of them after a close, a crash, and a new start of
 * the system; who may append; how they get their name; what is swept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "tree.h"
#include "handler/partial.h"

#define NOW 1000000
#define HOUR 3600

struct rig {
	char dir[TREE_PATH_MAX];
	int dirfd;
	int lowest;
};

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->dirfd = tree_open(r->dir);
	r->lowest = lowest_fd();
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	assert_int_equal(lowest_fd(), r->lowest);
	close(r->dirfd);
	assert_int_equal(remove_tree(r->dir), 0);
	free(r);
	return 0;
}

static struct partial_record
plain_record(void)
{
	return (struct partial_record){ .door = PARTIAL_TUS,
					.length = PARTIAL_LENGTH_UNKNOWN,
					.created = NOW,
					.expires = NOW + HOUR,
					.name = SLICE("a.txt") };
}

/* One with these bytes, saved and closed: its id. */
static void
make(struct rig *r, const struct partial_record *record, const char *bytes,
     char id[PARTIAL_ID_LEN + 1])
{
	struct partial p;

	assert_int_equal(partial_create(&p, r->dirfd, record, 0640), 0);
	assert_int_equal(partial_append(&p, slice_from_str(bytes)), 0);
	assert_int_equal(partial_save(&p, true), 0);
	memcpy(id, p.id, sizeof(p.id));
	partial_close(&p);
}

static struct slice
id_of(const char *id)
{
	return slice_from_str(id);
}

static void
path_of(const char *id, const char *ending, char out[64])
{
	snprintf(out, 64, "%s%s", id, ending);
}

static bool
exists(const struct rig *r, const char *id, const char *ending)
{
	char name[64];

	path_of(id, ending, name);
	return faccessat(r->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static size_t
read_file(const struct rig *r, const char *name, char *out, size_t size)
{
	int fd = openat(r->dirfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = fs_pread_full(fd, out, size - 1, 0);
	assert_true(n >= 0);
	out[n] = '\0';
	close(fd);
	return (size_t)n;
}

static void
write_file(const struct rig *r, const char *name, const char *text, size_t len)
{
	int fd = openat(r->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_full(fd, text, len), 0);
	close(fd);
}

/* As if another start of the system had written the record. */
static void
forge_boot(const struct rig *r, const char *id)
{
	char name[64], text[PARTIAL_RECORD_MAX];
	char *boot;

	path_of(id, ".info", name);
	read_file(r, name, text, sizeof(text));
	boot = strstr(text, "\nboot ");
	if (boot == NULL)
		return; /* this system does not tell: every record is of another start */
	boot[6] = boot[6] == '0' ? '1' : '0';
	write_file(r, name, text, strlen(text));
}

/* --- what is known --- */

static void
what_was_saved_is_read_again(void **state)
{
	struct rig *r = *state;
	struct partial_record want = plain_record();
	struct partial p;
	char id[PARTIAL_ID_LEN + 1];

	want.door = PARTIAL_RUFH;
	want.length = 11;
	want.name = SLICE("line\nend \xc3\xa4.txt");
	want.metadata = SLICE("filename YS50eHQ=,empty");
	want.conditions = SLICE("If-Match: \"a\"\nIf-None-Match: *\n");
	want.digest.present = DIGEST_BIT(DIGEST_SHA_512);
	memset(want.digest.value, 7, sizeof(want.digest.value));
	make(r, &want, "hello", id);

	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	assert_int_equal(p.size, 5);
	assert_int_equal(p.record.door, PARTIAL_RUFH);
	assert_int_equal(p.record.offset, 5);
	assert_int_equal(p.record.length, 11);
	assert_int_equal(p.record.created, NOW);
	assert_int_equal(p.record.expires, NOW + HOUR);
	assert_false(p.record.complete);
	assert_true(slice_eq(p.record.name, want.name));
	assert_true(slice_eq(p.record.metadata, want.metadata));
	assert_true(slice_eq(p.record.conditions, want.conditions));
	assert_int_equal(p.record.location.len, 0);
	assert_int_equal(p.record.digest.present, want.digest.present);
	assert_memory_equal(p.record.digest.value[DIGEST_SHA_512],
			    want.digest.value[DIGEST_SHA_512], 64);
	assert_int_equal(partial_append(&p, SLICE(" world")), 0);
	assert_int_equal(p.size, 11);
	partial_close(&p);
}

static void
ids_are_long_and_never_the_same(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	char a[PARTIAL_ID_LEN + 1], b[PARTIAL_ID_LEN + 1];

	make(r, &record, "", a);
	make(r, &record, "", b);
	assert_string_not_equal(a, b);
	assert_true(partial_is_id(id_of(a)));
	assert_false(partial_is_id(slice_make(a, PARTIAL_ID_LEN - 1)));
	assert_false(partial_is_id(SLICE("../aaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
	assert_false(partial_is_id(SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.")));
	assert_false(partial_is_id(SLICE("")));
}

static void
an_unknown_id_is_no_upload(void **state)
{
	struct rig *r = *state;
	struct partial p;

	assert_int_equal(
		partial_open(&p, r->dirfd, SLICE("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
		-ENOENT);
	partial_close(&p);
	assert_int_equal(partial_open(&p, r->dirfd, SLICE("../../etc/passwd")), -ENOENT);
	partial_close(&p);
}

static void
one_appends_at_a_time(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial first, second;
	char id[PARTIAL_ID_LEN + 1];

	make(r, &record, "x", id);
	assert_int_equal(partial_open(&first, r->dirfd, id_of(id)), 0);
	assert_int_equal(partial_open(&second, r->dirfd, id_of(id)), -EBUSY);
	partial_close(&second);
	partial_close(&first);
	assert_int_equal(partial_open(&second, r->dirfd, id_of(id)), 0);
	partial_close(&second);
}

/* --- crashes --- */

static void
bytes_behind_the_last_save_count_while_the_system_runs(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial p;
	char id[PARTIAL_ID_LEN + 1];

	make(r, &record, "saved", id);
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	assert_int_equal(partial_append(&p, SLICE(" more")), 0);
	partial_close(&p); /* what a kill -9 does */
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	if (p.record.boot[0] == '\0')
		print_message("this system does not tell its boot id\n");
	else
		assert_int_equal(p.size, 10);
	partial_close(&p);
}

static void
after_a_new_start_only_what_was_acknowledged_counts(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial p;
	struct stat st;
	char id[PARTIAL_ID_LEN + 1];

	make(r, &record, "saved", id);
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	assert_int_equal(partial_append(&p, SLICE(" torn")), 0);
	partial_close(&p);
	forge_boot(r, id);
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	assert_int_equal(p.size, 5);
	assert_int_equal(fstat(p.fd, &st), 0);
	assert_int_equal(st.st_size, 5);
	partial_close(&p);
}

static void
a_file_shorter_than_acknowledged_is_no_upload_any_more(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial p;
	char id[PARTIAL_ID_LEN + 1], name[64];

	make(r, &record, "saved", id);
	path_of(id, ".part", name);
	write_file(r, name, "sav", 3);
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), -ENOENT);
	partial_close(&p);
	assert_false(exists(r, id, ".part"));
	assert_false(exists(r, id, ".info"));
}

static void
another_file_of_that_name_is_not_believed(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial p;
	char id[PARTIAL_ID_LEN + 1], name[64];

	make(r, &record, "saved", id);
	path_of(id, ".part", name);
	write_file(r, "other", "restored from a backup", 22);
	assert_int_equal(renameat(r->dirfd, "other", r->dirfd, name), 0);
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), -ENOENT);
	partial_close(&p);
	assert_false(exists(r, id, ".part"));
}

static void
a_record_that_is_cut_anywhere_is_not_believed(void **state)
{
	struct partial_record want = plain_record(), got;
	char text[PARTIAL_RECORD_MAX], copy[PARTIAL_RECORD_MAX];
	size_t len;

	(void)state;
	want.length = 100;
	want.metadata = SLICE("a b,c d");
	want.location = SLICE("/drop/a.txt");
	want.complete = true;
	want.offset = 100;
	len = partial_record_write(&want, text);
	assert_true(len > 0);
	for (size_t n = 0; n < len; n++) {
		memcpy(copy, text, n);
		assert_int_equal(partial_record_read(copy, n, &got), -EINVAL);
	}
	memcpy(copy, text, len);
	assert_int_equal(partial_record_read(copy, len, &got), 0);
	assert_true(got.complete);
	assert_true(slice_eq(got.location, want.location));
	text[len] = '\n';
	assert_int_equal(partial_record_read(text, len + 1, &got), -EINVAL);
}

static void
what_no_record_says_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"end\n",
		"\nend\n",
		"websrv upload 2\nend\n",
		"websrv upload 1\nunknown 1\nend\n",
		"websrv upload 1\noffset\nend\n",
		"websrv upload 1\noffset -1\nend\n",
		"websrv upload 1\noffset 9223372036854775808\nend\n",
		"websrv upload 1\noffset 6\nlength 5\nend\n",
		"websrv upload 1\ncomplete 2\nend\n",
		"websrv upload 1\nname a b\nend\n",
		"websrv upload 1\nname YQ=\nend\n",
		"websrv upload 1\ndoor ftp\nend\n",
		"websrv upload 1\ndigest md5=:AAAA:\nend\n",
		"websrv upload 1\nboot 0123456789012345678901234567890123456789\nend\n",
		"websrv upload 1\nend\nend\n",
	};
	struct partial_record got;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%s", bad[i]);
		if (partial_record_read(text, strlen(text), &got) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	}
}

static void
a_member_beyond_its_limit_is_not_written(void **state)
{
	static char large[PARTIAL_METADATA_MAX + 1];
	struct partial_record record = plain_record();
	char text[PARTIAL_RECORD_MAX];

	(void)state;
	memset(large, 'a', sizeof(large));
	record.metadata = slice_make(large, PARTIAL_METADATA_MAX);
	record.location = slice_make(large, PARTIAL_LOCATION_MAX);
	record.name = slice_make(large, PARTIAL_NAME_MAX);
	record.conditions = slice_make(large, PARTIAL_CONDITIONS_MAX);
	record.digest.present = DIGEST_ALL;
	assert_in_range(partial_record_write(&record, text), 1, sizeof(text));
	record.metadata.len++;
	assert_int_equal(partial_record_write(&record, text), 0);
	record.metadata.len--;
	record.conditions.len++;
	assert_int_equal(partial_record_write(&record, text), 0);
}

static void
a_piece_can_be_taken_back(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial p;

	assert_int_equal(partial_create(&p, r->dirfd, &record, 0640), 0);
	assert_int_equal(partial_append(&p, SLICE("good")), 0);
	assert_int_equal(partial_append(&p, SLICE("bad")), 0);
	assert_int_equal(partial_cut(&p, 4), 0);
	assert_int_equal(partial_append(&p, SLICE("!")), 0);
	assert_int_equal(p.size, 5);
	partial_remove(&p);
	partial_close(&p);
}

/* --- the end --- */

static void
publish(struct rig *r, const char *id, bool replace, int want, bool want_replaced)
{
	struct partial p;
	struct store_file f;
	bool replaced = !want_replaced;

	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	f = partial_file(&p);
	assert_int_equal(fs_temp_publish(&f.temp, r->dirfd, "a.txt", replace, &replaced),
			 want);
	if (want == 0)
		assert_int_equal(replaced, want_replaced);
	partial_close(&p);
}

static void
publishing_keeps_or_replaces_what_is_there(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	char one[PARTIAL_ID_LEN + 1], two[PARTIAL_ID_LEN + 1], text[16];

	make(r, &record, "one", one);
	make(r, &record, "two", two);
	publish(r, one, false, 0, false);
	assert_false(exists(r, one, ".part"));
	publish(r, two, false, -EEXIST, false);
	assert_true(exists(r, two, ".part"));
	read_file(r, "a.txt", text, sizeof(text));
	assert_string_equal(text, "one");
	publish(r, two, true, 0, true);
	read_file(r, "a.txt", text, sizeof(text));
	assert_string_equal(text, "two");
	assert_false(exists(r, two, ".part"));
}

static void
a_crash_between_link_and_unlink_is_a_published_file(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	char id[PARTIAL_ID_LEN + 1], name[64], text[16];

	make(r, &record, "whole", id);
	path_of(id, ".part", name);
	assert_int_equal(linkat(r->dirfd, name, r->dirfd, "a.txt", 0), 0);
	publish(r, id, false, 0, false);
	assert_false(exists(r, id, ".part"));
	read_file(r, "a.txt", text, sizeof(text));
	assert_string_equal(text, "whole");
}

static void
a_published_upload_can_still_be_asked_about(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial p;
	struct store_file f;
	char id[PARTIAL_ID_LEN + 1];

	make(r, &record, "whole", id);
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	f = partial_file(&p);
	assert_int_equal(f.size, 5);
	assert_int_equal(fs_temp_publish(&f.temp, r->dirfd, "a.txt", false, NULL), 0);
	p.record.complete = true;
	assert_int_equal(partial_save(&p, true), 0);
	partial_close(&p);
	assert_int_equal(partial_open(&p, r->dirfd, id_of(id)), 0);
	assert_true(p.record.complete);
	assert_int_equal(p.size, 5);
	assert_int_equal(p.fd, -1);
	partial_close(&p);
}

/* --- sweeping --- */

static void
what_has_expired_is_swept_unless_someone_has_it(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial_sweep out;
	struct partial held;
	char old[PARTIAL_ID_LEN + 1], busy[PARTIAL_ID_LEN + 1], young[PARTIAL_ID_LEN + 1];

	make(r, &record, "old", old);
	make(r, &record, "busy!", busy);
	record.expires = NOW + 2 * HOUR + 1;
	make(r, &record, "young", young);
	write_file(r, "not-ours.part", "x", 1);
	assert_int_equal(partial_open(&held, r->dirfd, id_of(busy)), 0);
	assert_int_equal(partial_sweep(r->dirfd, NOW + 2 * HOUR, HOUR, &out), 0);
	assert_int_equal(out.removed, 1);
	assert_int_equal(out.kept, 2);
	assert_int_equal(out.bytes, 10);
	assert_false(exists(r, old, ".part"));
	assert_false(exists(r, old, ".info"));
	assert_true(exists(r, busy, ".part"));
	assert_true(exists(r, young, ".info"));
	assert_true(exists(r, "not-ours", ".part"));
	partial_close(&held);
	assert_int_equal(partial_sweep(r->dirfd, NOW + 9 * HOUR, HOUR, &out), 0);
	assert_int_equal(out.removed, 2);
	assert_int_equal(out.kept, 0);
}

/* Whoever looks when there are no descriptors left learns nothing about the upload. */
static void
nothing_is_swept_for_want_of_descriptors(void **state)
{
	struct rig *r = *state;
	struct partial_record record = plain_record();
	struct partial_sweep out;
	struct rlimit before, few;
	char id[PARTIAL_ID_LEN + 1];
	int64_t later = time(NULL) + 2 * HOUR;
	int next = dup(r->dirfd), rc;

	record.expires = later + HOUR;
	make(r, &record, "bytes", id);
	assert_int_equal(close(next), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + 1; /* for the directory alone */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	rc = partial_sweep(r->dirfd, later, HOUR, &out);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, 0);
	assert_int_equal(out.kept, 1);
	assert_true(exists(r, id, ".part"));
	assert_true(exists(r, id, ".info"));
}

/* The grace is counted from when the files were written, by the clock of the system. */
static void
halves_of_uploads_go_after_the_grace(void **state)
{
	struct rig *r = *state;
	struct partial_sweep out;
	static const char part[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.part";
	static const char new[] = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB.new";
	static const char info[] = "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC.info";
	static const char temp[] = ".websrv-0123456789abcdef";
	int64_t now = time(NULL);

	write_file(r, temp, "x", 1);
	write_file(r, part, "x", 1);
	write_file(r, new, "x", 1);
	write_file(r, info, "x", 1);
	assert_int_equal(partial_sweep(r->dirfd, now, HOUR, &out), 0);
	assert_int_equal(faccessat(r->dirfd, part, F_OK, 0), 0);
	assert_int_equal(faccessat(r->dirfd, new, F_OK, 0), 0);
	assert_int_equal(faccessat(r->dirfd, info, F_OK, 0), 0);
	assert_int_equal(partial_sweep(r->dirfd, now + 2 * HOUR, HOUR, &out), 0);
	assert_int_equal(faccessat(r->dirfd, temp, F_OK, 0), 0);
	assert_int_equal(faccessat(r->dirfd, part, F_OK, 0), -1);
	assert_int_equal(faccessat(r->dirfd, new, F_OK, 0), -1);
	assert_int_equal(faccessat(r->dirfd, info, F_OK, 0), -1);
	assert_int_equal(partial_sweep(r->dirfd, now + 49 * HOUR, HOUR, &out), 0);
	assert_int_equal(faccessat(r->dirfd, temp, F_OK, 0), -1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_saved_is_read_again),
		TEST(ids_are_long_and_never_the_same),
		TEST(an_unknown_id_is_no_upload),
		TEST(one_appends_at_a_time),
		TEST(bytes_behind_the_last_save_count_while_the_system_runs),
		TEST(after_a_new_start_only_what_was_acknowledged_counts),
		TEST(a_file_shorter_than_acknowledged_is_no_upload_any_more),
		TEST(another_file_of_that_name_is_not_believed),
		TEST(a_record_that_is_cut_anywhere_is_not_believed),
		TEST(what_no_record_says_is_refused),
		TEST(a_member_beyond_its_limit_is_not_written),
		TEST(a_piece_can_be_taken_back),
		TEST(publishing_keeps_or_replaces_what_is_there),
		TEST(a_crash_between_link_and_unlink_is_a_published_file),
		TEST(a_published_upload_can_still_be_asked_about),
		TEST(what_has_expired_is_swept_unless_someone_has_it),
		TEST(nothing_is_swept_for_want_of_descriptors),
		TEST(halves_of_uploads_go_after_the_grace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
