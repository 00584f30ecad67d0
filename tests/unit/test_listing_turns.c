/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Listings over time: turns of the loop, bodies in pieces, requests that are broken off, memory
 * that is used up and directories that cannot be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "listing_rig.h"

static void
large_directory_is_answered_by_turns(void **state)
{
	size_t rows = 0;

	(void)state;
	assert_int_equal(request("/many/"), 200);
	assert_true(rig.t.turns >= MANY / 500);
	for (const char *p = rig.t.body.ptr; (p = strstr(p, "<tr><td><a href")) != NULL;
	     p++)
		rows++;
	assert_int_equal(rows, MANY);
	has(&rig.t.body, "<p class=\"sum\">3000 files, 0&nbsp;B</p>\n</main>");
	assert_int_equal(request("/few/"), 200);
	assert_int_equal(rig.t.turns, 0);
}

static void
pieces_of_any_size_make_the_same_body(void **state)
{
	static const size_t rooms[] = { 1, 7, 1000, 16384, 1000000 };
	struct buf whole;

	(void)state;
	buf_init(&whole);
	assert_int_equal(request("/many/"), 200);
	buf_add(&whole, rig.t.body.ptr, rig.t.body.len);
	for (size_t i = 0; i < COUNT(rooms); i++) {
		prepare(HTTP_GET, "/many/");
		assert_int_equal(run(rooms[i]), 200);
		assert_int_equal(rig.t.body.len, whole.len);
		assert_memory_equal(rig.t.body.ptr, whole.ptr, whole.len);
	}
	buf_fini(&whole);
}

static void
one_pull_renders_a_bounded_number_of_rows(void **state)
{
	static char bytes[1000000];
	ssize_t n;

	(void)state;
	prepare(HTTP_GET, "/many/");
	with_field(HTTP_FIELD_ACCEPT, "application/json");
	exchange_begin(&rig.t.ex);
	while (rig.t.ex.state == EXCHANGE_RECEIVING)
		exchange_work(&rig.t.ex);
	n = rig.t.ex.body.pull(rig.t.ex.body.owner, bytes, sizeof(bytes));
	assert_true(n > 0);
	assert_null(memmem(bytes, (size_t)n, "file-0500", 9));
	assert_non_null(memmem(bytes, (size_t)n, "file-0400", 9));
}

static void
request_that_is_broken_off_leaves_nothing(void **state)
{
	(void)state;
	prepare(HTTP_GET, "/many/");
	exchange_begin(&rig.t.ex);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RECEIVING);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	prepare(HTTP_GET, "/few/");
	exchange_begin(&rig.t.ex);
	assert_int_equal(rig.t.ex.state, EXCHANGE_RESPONDING);
	assert_true(rig.t.ex.body.pull(rig.t.ex.body.owner, (char[100]){ 0 }, 100) ==
		    100);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
	prepare(HTTP_GET, "/many/");
	exchange_begin(&rig.t.ex);
	exchange_refuse(&rig.t.ex, 408); /* the transport lost its patience */
	exchange_finish(&rig.t.ex, EXCHANGE_COMPLETE);
	assert_int_equal(rig.t.ex.status, 408);
}

static void
fresh_snapshot_serves_both_formats(void **state)
{
	end(state);
	use(MEMORY, 60000);
	assert_int_equal(request("/few/sub/"), 200);
	write_file("root/few/sub/f", 1);
	prepare(HTTP_GET, "/few/sub/");
	with_field(HTTP_FIELD_ACCEPT, "application/json");
	assert_int_equal(run(65536), 200);
	assert_string_equal(rig.t.body.ptr, "[\n]\n");
	listings_forget_root(rig.source.all, &rig.root);
	assert_int_equal(request("/few/sub/"), 200);
	has(&rig.t.body, "./f\"");
	assert_int_equal(unlinkat(rig.dirfd, "root/few/sub/f", 0), 0);
}

#define LOG_SIZE 1024

static void
clear_log(void)
{
	assert_int_equal(ftruncate(rig.log.fd, 0), 0);
	assert_int_equal(lseek(rig.log.fd, 0, SEEK_SET), 0);
}

static void
read_log(char text[LOG_SIZE])
{
	ssize_t n = fs_pread_full(rig.log.fd, text, LOG_SIZE - 1, 0);

	assert_true(n > 0);
	text[n] = '\0';
}

static void
memory_that_is_used_up_is_503_and_logged_once(void **state)
{
	char line[LOG_SIZE];

	end(state);
	use(100000, 0);
	clear_log();
	assert_int_equal(request("/few/"), 200);
	assert_int_equal(request("/many/"), 503);
	lacks(&rig.t.fields, "ETag");
	assert_int_equal(request("/many/"), 503);
	assert_int_equal(request("/few/"), 200);
	read_log(line);
	assert_non_null(strstr(line, "warning"));
	assert_non_null(strstr(line, "listing /many/: all listings together would take "
				     "more than 100000 bytes"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
directory_that_may_not_be_read_is_403_and_logged(void **state)
{
	char line[LOG_SIZE];

	(void)state;
	assert_int_equal(chmod(rig.dir, 0755), 0);
	assert_int_equal(mkdirat(rig.dirfd, "root/closed", 0), 0);
	clear_log();
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(request("/closed/"), 403);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	read_log(line);
	assert_non_null(strstr(line, "listing /closed/: Permission denied"));
	assert_int_equal(unlinkat(rig.dirfd, "root/closed", AT_REMOVEDIR), 0);
}

static void
error_of_reading_is_500_and_logged(void **state)
{
	int fd = dup(rig.dirfd), other;
	char line[LOG_SIZE];

	(void)state;
	close(fd); /* the next one to be opened: the scan's */
	clear_log();
	prepare(HTTP_GET, "/many/");
	exchange_begin(&rig.t.ex);
	other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(other, fd), fd);
	close(other);
	while (rig.t.ex.state == EXCHANGE_RECEIVING)
		exchange_work(&rig.t.ex);
	assert_int_equal(rig.t.ex.status, 500);
	read_log(line);
	assert_non_null(strstr(line, "listing /many/: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		list_test(large_directory_is_answered_by_turns),
		list_test(pieces_of_any_size_make_the_same_body),
		list_test(one_pull_renders_a_bounded_number_of_rows),
		list_test(request_that_is_broken_off_leaves_nothing),
		list_test(fresh_snapshot_serves_both_formats),
		list_test(memory_that_is_used_up_is_503_and_logged_once),
		list_test(directory_that_may_not_be_read_is_403_and_logged),
		list_test(error_of_reading_is_500_and_logged),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, setup, teardown);
}
