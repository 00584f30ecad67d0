/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The error log and the log of many lines: what is written is whole lines, each in one
 * write, and no byte of them moves a cursor. The sink is a datagram socket, so that
 * every write can be told from the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/linelog.h"
#include "base/log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define READ_MAX ((size_t)128 * 1024)

struct sink {
	int in, out;
	char *text; /* of the last read, NUL-terminated */
	size_t len;
};

static int
setup(void **state)
{
	struct sink *s = calloc(1, sizeof(*s));
	int pair[2], size = 1 << 20;

	assert_non_null(s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	s->in = pair[0];
	s->out = pair[1];
	s->text = malloc(READ_MAX + 1);
	assert_non_null(s->text);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct sink *s = *state;

	close(s->in);
	close(s->out);
	free(s->text);
	free(s);
	return 0;
}

/* The next write, or "" when there was none. */
static const char *
take(struct sink *s)
{
	ssize_t n = recv(s->in, s->text, READ_MAX, MSG_DONTWAIT);

	s->len = n > 0 ? (size_t)n : 0;
	s->text[s->len] = '\0';
	return s->text;
}

/* What stands behind the prefix in the next write, which is one line. */
static const char *
take_text(struct sink *s)
{
	const char *line = take(s), *text = strstr(line, "] ");

	assert_non_null(text);
	assert_ptr_equal(strchr(line, '\n'), line + s->len - 1);
	s->text[s->len - 1] = '\0';
	return text + 2;
}

/* --- the error log --- */

static void
line_has_time_level_process_and_text(void **state)
{
	static const char form[] =
		"^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):"
		"([0-9]{2})\\.[0-9]{3}Z warning \\[([0-9]+)\\] "
		"worker 1: a b\n$";
	struct sink *s = *state;
	struct log l = { s->out, LOG_LEVEL_DEBUG };
	time_t before = time(NULL), then;
	struct tm tm = { 0 };
	regmatch_t at[8];
	regex_t re;

	log_warning(&l, "worker %d: %s", 1, "a b");
	take(s);
	assert_int_equal(regcomp(&re, form, REG_EXTENDED), 0);
	if (regexec(&re, s->text, COUNT(at), at, 0) != 0)
		fail_msg("%s", s->text);
	regfree(&re);
	assert_non_null(strptime(s->text, "%Y-%m-%dT%H:%M:%S", &tm));
	then = timegm(&tm);
	assert_in_range(then, before - 1, time(NULL) + 1);
	assert_int_equal(atol(s->text + at[7].rm_so), getpid());
	assert_string_equal(take(s), ""); /* one event, one write */
}

static void
levels_have_their_names(void **state)
{
	static void (*const calls[])(const struct log *, const char *,
				     ...) = { log_error, log_warning, log_info,
					      log_debug };
	static const char *const names[] = { " error [", " warning [", " info [",
					     " debug [" };
	struct sink *s = *state;

	for (size_t i = 0; i < COUNT(calls); i++) {
		for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
			struct log l = { s->out, (enum log_level)level };

			calls[i](&l, "x");
			if ((int)i <= level)
				assert_non_null(strstr(take(s), names[i]));
			assert_string_equal(take(s), "");
			assert_int_equal(log_wants(&l, (enum log_level)i),
					 (int)i <= level);
		}
	}
}

static void
level_names_are_read_back(void **state)
{
	(void)state;
	assert_int_equal(log_level_from("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_from("warning"), LOG_LEVEL_WARNING);
	assert_int_equal(log_level_from("info"), LOG_LEVEL_INFO);
	assert_int_equal(log_level_from("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_from("Debug"), -1);
	assert_int_equal(log_level_from("warn"), -1);
	assert_int_equal(log_level_from(""), -1);
}

static void
every_unsafe_byte_is_escaped(void **state)
{
	struct sink *s = *state;
	struct log l = { s->out, LOG_LEVEL_INFO };

	for (int c = 1; c < 256; c++) {
		char expected[8];

		log_info(&l, "%c", c);
		snprintf(expected, sizeof(expected),
			 c < 0x20 || c > 0x7e || c == '\\' ? "\\x%02x" : "%c",
			 (unsigned)c);
		assert_string_equal(take_text(s), expected);
	}
}

static void
wire_bytes_cannot_begin_a_line(void **state)
{
	struct sink *s = *state;
	struct log l = { s->out, LOG_LEVEL_INFO };

	log_error(&l, "GET %s",
		  "/\r\n2026-01-01T00:00:00.000Z error [1] \x1b[2J\xc3\xa4");
	assert_string_equal(take_text(s), "GET /\\x0d\\x0a2026-01-01T00:00:00.000Z error "
					  "[1] \\x1b[2J\\xc3\\xa4");
}

static void
long_message_is_cut_to_one_line(void **state)
{
	struct sink *s = *state;
	struct log l = { s->out, LOG_LEVEL_INFO };
	char text[3 * LOG_TEXT_MAX];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error(&l, "%s", text);
	assert_int_equal(strlen(take_text(s)), LOG_TEXT_MAX - 1);
	memset(text, '\n', sizeof(text) - 1);
	log_error(&l, "%s", text);
	assert_int_equal(strlen(take_text(s)), 4 * (LOG_TEXT_MAX - 1));
	assert_string_equal(take(s), "");
}

static void
message_that_just_fits_is_whole(void **state)
{
	struct sink *s = *state;
	struct log l = { s->out, LOG_LEVEL_INFO };
	char text[LOG_TEXT_MAX];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error(&l, "%s", text);
	assert_string_equal(take_text(s), text);
}

static void
limited_event_is_told_once_and_then_counted(void **state)
{
	struct sink *s = *state;
	struct log l = { s->out, LOG_LEVEL_INFO };
	struct log_limit limit = { 0 }, other = { 0 };
	uint64_t now = clock_mono_ms();

	log_limited(&l, &limit, LOG_LEVEL_ERROR, "no room for %d", 1);
	assert_string_equal(take_text(s), "no room for 1");
	assert_in_range(limit.next_ms, now + 9900, now + 11000);
	for (int i = 0; i < 5; i++)
		log_limited(&l, &limit, LOG_LEVEL_ERROR, "no room for %d", 2);
	assert_string_equal(take(s), "");
	assert_int_equal(limit.skipped, 5);
	log_limited(&l, &other, LOG_LEVEL_ERROR, "another event");
	assert_string_equal(take_text(s), "another event");

	limit.next_ms = clock_mono_ms(); /* ten seconds later */
	log_limited(&l, &limit, LOG_LEVEL_ERROR, "no room for %d", 3);
	assert_string_equal(take_text(s), "no room for 3");
	assert_string_equal(take_text(s), "the same came 5 times more since it was last "
					  "logged");
	assert_int_equal(limit.skipped, 0);
	log_limited(&l, &limit, LOG_LEVEL_ERROR, "no room for %d", 4);
	assert_string_equal(take(s), "");

	limit = (struct log_limit){ 0 }; /* none was left out: no second line */
	log_limited(&l, &limit, LOG_LEVEL_ERROR, "no room");
	assert_string_equal(take_text(s), "no room");
	assert_string_equal(take(s), "");
}

static void
limited_event_goes_by_the_level_too(void **state)
{
	struct sink *s = *state;
	struct log l = { s->out, LOG_LEVEL_WARNING };
	struct log_limit limit = { 0 };

	log_limited(&l, &limit, LOG_LEVEL_INFO, "x");
	assert_string_equal(take(s), "");
	limit = (struct log_limit){ 0 };
	log_limited(&l, &limit, LOG_LEVEL_WARNING, "y");
	assert_string_equal(take_text(s), "y");
}

/* --- the log of many lines --- */

static void
add_line(struct linelog *l, const struct log *errors, unsigned n)
{
	buf_printf(linelog_begin(l), "line %06u ........................\n", n);
	linelog_commit(l, errors);
}

#define LINE_LEN 37

static void
lines_wait_for_a_flush_and_leave_in_one_write(void **state)
{
	struct sink *s = *state;
	struct log errors = { -1, LOG_LEVEL_ERROR };
	struct linelog l;

	linelog_init(&l, s->out);
	linelog_flush(&l, &errors);
	assert_string_equal(take(s), "");
	buf_add_str(linelog_begin(&l), "one\n");
	linelog_commit(&l, &errors);
	buf_add_str(linelog_begin(&l), "two\n");
	linelog_commit(&l, &errors);
	assert_string_equal(take(s), "");
	linelog_flush(&l, &errors);
	assert_string_equal(take(s), "one\ntwo\n");
	linelog_flush(&l, &errors);
	assert_string_equal(take(s), "");
	buf_add_str(linelog_begin(&l), "three\n");
	linelog_commit(&l, &errors);
	linelog_fini(&l, &errors);
	assert_string_equal(take(s), "three\n");
	assert_int_equal(l.lost, 0);
}

/* Every write begins with the line after the last one and ends with a line's end. */
static void
batches_are_whole_lines_in_order(void **state)
{
	struct sink *s = *state;
	struct log errors = { -1, LOG_LEVEL_ERROR };
	struct linelog l;
	unsigned next = 0, writes = 0, lines = 10000;

	linelog_init(&l, s->out);
	for (unsigned n = 0; n < lines; n++) {
		add_line(&l, &errors, n);
		assert_true(l.buf.len < READ_MAX); /* what waits is bounded */
		if (n == lines - 1)
			linelog_flush(&l, &errors);
		while (*take(s) != '\0') {
			assert_int_equal(s->len % LINE_LEN, 0);
			for (size_t i = 0; i < s->len; i += LINE_LEN) {
				assert_int_equal(atoi(s->text + i + 5), next++);
				assert_int_equal(s->text[i + LINE_LEN - 1], '\n');
			}
			writes++;
		}
	}
	linelog_fini(&l, &errors);
	assert_int_equal(next, lines);
	/* To what is no file at most PIPE_BUF go together. */
	assert_in_range(writes, 10, lines / 10);
	assert_int_equal(l.lost, 0);
}

static void
lines_for_a_full_device_are_counted_and_told(void **state)
{
	struct sink *s = *state;
	struct log errors = { s->out, LOG_LEVEL_ERROR };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct linelog l;

	if (full < 0) {
		print_message("skipped: no /dev/full\n");
		skip();
	}
	linelog_init(&l, full);
	for (unsigned n = 0; n < 3; n++)
		add_line(&l, &errors, n);
	assert_int_equal(l.lost, 0);
	linelog_flush(&l, &errors);
	assert_int_equal(l.lost, 3);
	assert_string_equal(take_text(s),
			    "access log: No space left on device; 3 lines lost so far");
	add_line(&l, &errors, 4);
	linelog_flush(&l, &errors);
	assert_int_equal(l.lost, 4);
	assert_string_equal(take(s), ""); /* not for each of them */

	l.limit.next_ms = 0;
	l.fd = s->out; /* room again: what was lost does not come back */
	add_line(&l, &errors, 5);
	linelog_fini(&l, &errors);
	assert_int_equal(atoi(take(s) + 5), 5);
	assert_int_equal(s->len, LINE_LEN);
	assert_int_equal(l.lost, 4);
	close(full);
}

static void
without_descriptor_lines_are_dropped_and_not_lost(void **state)
{
	struct sink *s = *state;
	struct log errors = { s->out, LOG_LEVEL_ERROR };
	struct linelog l;

	linelog_init(&l, -1);
	for (unsigned n = 0; n < 10000; n++) {
		add_line(&l, &errors, n);
		assert_true(l.buf.len < READ_MAX);
	}
	linelog_fini(&l, &errors);
	assert_int_equal(l.lost, 0);
	assert_string_equal(take(s), "");
}

/* As it is when memory runs out in the middle of the second line. */
static void
line_without_memory_is_lost_and_not_written_in_part(void **state)
{
	struct sink *s = *state;
	struct log errors = { -1, LOG_LEVEL_ERROR };
	struct linelog l;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	errors.fd = null;
	linelog_init(&l, s->out);
	buf_add_str(linelog_begin(&l), "whole\n");
	linelog_commit(&l, &errors);
	buf_add_str(linelog_begin(&l), "par");
	linelog_begin(&l)->failed = true;
	buf_add_str(linelog_begin(&l), "tial\n");
	linelog_commit(&l, &errors);
	assert_true(l.lost > 0);
	take(s);
	assert_true(s->len == 0 || s->text[s->len - 1] == '\n');
	buf_add_str(linelog_begin(&l), "after\n"); /* and goes on */
	linelog_commit(&l, &errors);
	linelog_fini(&l, &errors);
	assert_string_equal(take(s), "after\n");
	close(null);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(line_has_time_level_process_and_text),
		TEST(levels_have_their_names),
		TEST(level_names_are_read_back),
		TEST(every_unsafe_byte_is_escaped),
		TEST(wire_bytes_cannot_begin_a_line),
		TEST(long_message_is_cut_to_one_line),
		TEST(message_that_just_fits_is_whole),
		TEST(limited_event_is_told_once_and_then_counted),
		TEST(limited_event_goes_by_the_level_too),
		TEST(lines_wait_for_a_flush_and_leave_in_one_write),
		TEST(batches_are_whole_lines_in_order),
		TEST(lines_for_a_full_device_are_counted_and_told),
		TEST(without_descriptor_lines_are_dropped_and_not_lost),
		TEST(line_without_memory_is_lost_and_not_written_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
