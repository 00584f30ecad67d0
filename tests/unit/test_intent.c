/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forms of several files whose process dies at any of the calls that change a directory: when what
 * it left is taken back there are all of its files or none, and what they replaced; also when who
 * takes it back dies at any call himself. The linker puts the calls that are counted in place
 * of those of the C library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "form_rig.h"
#include "handler/intent.h"

#define DIED 3
#define CALLS_MAX 200

/* --- calls --- */

static struct {
	bool on;
	int left;        /* until the process dies, */
	int good_syncs;  /* and one: then they fail; 0: never */
	bool afterwards; /* with that call done or not */
	char log[256];   /* a letter for each call */
	size_t log_len;
} calls;

static char
kind_of(const char *name)
{
	struct slice s = slice_from_str(name);

	if (slice_ends_with(s, SLICE(INTENT_ENDING)))
		return 'i';
	return slice_starts_with(s, SLICE(FS_TEMP_PREFIX)) ? 'h' : 'n';
}

static void
before(char kind)
{
	if (!calls.on)
		return;
	if (calls.log_len + 1 < sizeof(calls.log))
		calls.log[calls.log_len++] = kind;
	if (calls.left == 0 && !calls.afterwards)
		_exit(DIED);
}

static int
after(int rc)
{
	if (calls.on && calls.left-- == 0)
		_exit(DIED);
	return rc;
}

int __real_linkat(int from, const char *old, int to, const char *name, int flags);
int __real_renameat(int from, const char *old, int to, const char *name);
int __real_renameat2(int from, const char *old, int to, const char *name, unsigned flags);
int __real_unlinkat(int dir, const char *name, int flags);
int __real_fsync(int fd);
int __wrap_linkat(int from, const char *old, int to, const char *name, int flags);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat2(int from, const char *old, int to, const char *name, unsigned flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_fsync(int fd);

int
__wrap_linkat(int from, const char *old, int to, const char *name, int flags)
{
	before(kind_of(name));
	return after(__real_linkat(from, old, to, name, flags));
}

int
__wrap_renameat(int from, const char *old, int to, const char *name)
{
	before(kind_of(name));
	return after(__real_renameat(from, old, to, name));
}

int
__wrap_renameat2(int from, const char *old, int to, const char *name, unsigned flags)
{
	before(kind_of(name));
	return after(__real_renameat2(from, old, to, name, flags));
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	before(kind_of(name) == 'i' ? 'u' : 'd');
	return after(__real_unlinkat(dir, name, flags));
}

int
__wrap_fsync(int fd)
{
	before('s');
	if (calls.on && calls.good_syncs != 0 && --calls.good_syncs == 0) {
		calls.good_syncs = 1; /* nor any after it */
		errno = EIO;
		return after(-1);
	}
	return after(__real_fsync(fd));
}

/* --- the directory --- */

static const char three_routes[] =
	"{\"servers\": [{\"listen\": [\"127.0.0.1:80\"], \"routes\": ["
	"  {\"path\": \"/new/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false}},"
	"  {\"path\": \"/over/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false, \"conflict\": \"replace\"}},"
	"  {\"path\": \"/other/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"false, \"conflict\": \"rename\"}},"
	"  {\"path\": \"/safe/*\", \"upload\": {\"directory\": \"drop\", \"durable\": "
	"true, \"conflict\": \"replace\"}}"
	"]}]}";

static int
setup_routes(void **state)
{
	(void)state;
	rig_open(three_routes, make_files);
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* "NAME=TEXT;" of each file in order. */
static void
describe(const char *path, char out[512])
{
	char all[16][64];
	size_t count = 0;
	int fd = openat(rig.dirfd, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	out[0] = '\0';
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char text[16] = "";
		int file;

		if (e->d_name[0] == '.' && strcmp(path, "drop") == 0)
			continue;
		file = openat(fd, e->d_name, O_RDONLY | O_CLOEXEC);
		if (strspn(e->d_name, ".") == strlen(e->d_name)) {
			close(file);
			continue;
		}
		assert_true(file >= 0 && count < 16);
		assert_true(read(file, text, sizeof(text) - 1) >= 0);
		close(file);
		snprintf(all[count++], 64, "%.40s=%.15s;", e->d_name, text);
	}
	if (d != NULL)
		closedir(d);
	qsort(all, count, sizeof(all[0]), by_text);
	for (size_t i = 0; i < count; i++)
		strncat(out, all[i], 511 - strlen(out));
}

static void
clear(const char *path)
{
	int fd = openat(rig.dirfd, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		(void)unlinkat(fd, e->d_name, 0);
	if (d != NULL)
		closedir(d);
}

static int
recover(struct intent_result *result)
{
	int staging = openat(rig.dirfd, "drop/" STORE_STAGING, O_RDONLY | O_DIRECTORY);
	int rc = 0;

	*result = (struct intent_result){ 0 };
	if (staging < 0)
		return 0;
	rc = intent_recover(staging, result);
	close(staging);
	return rc;
}

/* --- dying --- */

static const char three[] =
	FILE_OF("a") "A\r\n" FILE_OF("b") "B\r\n" FILE_OF("c") "C" END;

/* Does `act` die at its call number `at`? */
static bool
dies(void (*act)(const char *), const char *target, int at, bool afterwards)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		calls.on = true;
		calls.left = at;
		calls.afterwards = afterwards;
		act(target);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DIED);
	return WEXITSTATUS(status) == DIED;
}

static void
post(const char *target)
{
	(void)send_form(target, three);
}

static void
take_back(const char *target)
{
	struct intent_result result;

	(void)target;
	(void)recover(&result);
}

/* The directory cannot be synced, and the sender has gone when that is known. */
static void
post_and_leave(const char *target)
{
	calls.good_syncs = 7;
	prepare_form(target);
	exchange_begin(&rig.t.ex);
	piece(three, sizeof(three) - 1, true);
	exchange_work(&rig.t.ex);
	exchange_finish(&rig.t.ex, EXCHANGE_ABORTED);
}

struct death {
	const char *name, *target;
	const char *there; /* before: names of files with the text "old" */
	const char *none, *all;
	void (*act)(const char *target);
};

static const struct death deaths[] = {
	{ "three_new_files_at_any_call", "/new/", "z", "z=old;", "a=A;b=B;c=C;z=old;",
	  post },
	{ "replaced_and_new_files_at_any_call", "/over/", "ac", "a=old;c=old;",
	  "a=A;b=B;c=C;", post },
	{ "renamed_files_at_any_call", "/other/", "ab", "a=old;b=old;",
	  "a (2)=A;a=old;b (2)=B;b=old;c=C;", post },
	{ "durable_files_at_any_call", "/safe/", "ab", "a=old;b=old;", "a=A;b=B;c=C;",
	  post },
	{ "files_whose_sender_left_at_any_call", "/safe/", "ab", "a=old;b=old;",
	  "a=A;b=B;c=C;", post_and_leave },
};

static void
lay_out(const struct death *c)
{
	clear("drop/" STORE_STAGING);
	clear("drop");
	for (const char *n = c->there; *n != '\0'; n++) {
		char path[] = "drop/?";

		path[5] = *n;
		put_file(path, "old");
	}
}

/* What is there now; true for all. */
static bool
assert_all_or_none(const struct death *c, int at)
{
	char there[512], staged[512];

	describe("drop", there);
	if (strcmp(there, c->all) != 0 && strcmp(there, c->none) != 0)
		fail_msg("call %d: %s", at, there);
	describe("drop/" STORE_STAGING, staged);
	if (strstr(staged, INTENT_ENDING "=") != NULL)
		fail_msg("call %d: %s", at, staged);
	/* The old ones may wait to be swept. */
	if (strcmp(there, c->none) == 0 && staged[0] != '\0')
		fail_msg("call %d: %s", at, staged);
	return strcmp(there, c->all) == 0;
}

static void
run_death(void **state)
{
	const struct death *c = *state;
	int none = 0, all = 0, undone = 0;

	for (int at = 0; at < 2 * CALLS_MAX; at++) {
		struct intent_result result;
		bool died;

		lay_out(c);
		died = dies(c->act, c->target, at / 2, at % 2 != 0);
		assert_int_equal(recover(&result), 0);
		assert_int_equal(result.error, 0);
		undone += (int)result.names;
		if (assert_all_or_none(c, at / 2))
			all++;
		else
			none++;
		if (!died)
			break;
	}
	assert_true(none > 3);
	assert_true(all >= 1);
	assert_true(undone >= 3); /* it was worth it */
}

/* Who takes it back may die, too: the next one goes on. */
static void
run_second_death(void **state)
{
	const struct death *c = *state;
	bool died = true;

	for (int at = 0; died && at < CALLS_MAX; at++) {
		bool again = true;

		for (int second = 0; again && second < 2 * CALLS_MAX; second++) {
			struct intent_result result;

			lay_out(c);
			died = dies(c->act, c->target, at, true);
			again = dies(take_back, NULL, second / 2, second % 2 != 0);
			assert_int_equal(recover(&result), 0);
			assert_all_or_none(c, at);
		}
	}
	assert_false(died);
}

/* --- what stands in between --- */

static void
one_file_needs_no_intent(void **state)
{
	(void)state;
	calls.on = true;
	calls.left = INT32_MAX;
	assert_int_equal(send_form("/new/", FILE_OF("a") "A" END), 201);
	calls.on = false;
	assert_string_equal(calls.log, "n");
}

static void
intent_is_on_disk_before_the_first_name_and_gone_after_the_last(void **state)
{
	(void)state;
	put_file("drop/b", "old");
	memset(&calls, 0, sizeof(calls));
	calls.on = true;
	calls.left = INT32_MAX;
	assert_int_equal(send_form("/safe/", three), 201);
	calls.on = false;
	/* Named; three files, itself and two directories synced; "a", "b" which is there, with a
	 * hidden name for its old one, "c"; the directory synced, removed, and that synced;
	 * what may be kept beside the old one goes, and the old one. */
	assert_string_equal(calls.log, "i"
				       "ssssss"
				       "n"
				       "nhn"
				       "n"
				       "s"
				       "us"
				       "dd");
}

/* Crashes at the end, with all its names given and the intent there. */
static void
leave_intent_with(const char *target, const char *there)
{
	int at;

	clear("drop");
	if (there != NULL)
		put_file(there, "old");
	memset(&calls, 0, sizeof(calls));
	calls.on = true;
	calls.left = INT32_MAX;
	assert_int_equal(send_form(target, three), 201);
	calls.on = false;
	at = (int)(strchr(calls.log, 'u') - calls.log);
	clear("drop");
	if (there != NULL)
		put_file(there, "old");
	assert_true(dies(post, target, at, false));
}

static void
leave_intent(const char *target)
{
	leave_intent_with(target, NULL);
}

static void
who_is_at_it_is_left_alone(void **state)
{
	struct intent_result result;
	char there[512];
	int staging, fd = -1;
	DIR *d;

	(void)state;
	leave_intent("/new/");
	staging = openat(rig.dirfd, "drop/" STORE_STAGING, O_RDONLY | O_DIRECTORY);
	d = fdopendir(staging);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (kind_of(e->d_name) == 'i')
			fd = openat(staging, e->d_name, O_RDONLY | O_CLOEXEC);
	}
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(recover(&result), 0);
	assert_int_equal(result.undone, 0);
	describe("drop", there);
	assert_string_equal(there, "a=A;b=B;c=C;");
	close(fd);
	assert_int_equal(recover(&result), 0);
	assert_int_equal(result.undone, 1);
	assert_int_equal(result.names, 3);
	describe("drop", there);
	assert_string_equal(there, "");
	closedir(d);
}

static void
what_has_the_name_since_is_not_taken(void **state)
{
	struct intent_result result;
	char there[512];

	(void)state;
	leave_intent("/new/");
	assert_int_equal(unlinkat(rig.dirfd, "drop/a", 0), 0);
	put_file("drop/a", "mine");
	assert_int_equal(renameat(rig.dirfd, "drop/b", rig.dirfd, "drop/elsewhere"), 0);
	assert_int_equal(recover(&result), 0);
	assert_int_equal(result.names, 1);
	describe("drop", there);
	assert_string_equal(there, "a=mine;elsewhere=B;");
}

static void
other_name_is_found_when_the_first_one_went_away(void **state)
{
	struct intent_result result;
	char there[512];

	(void)state;
	leave_intent_with("/other/", "drop/a");
	describe("drop", there);
	assert_string_equal(there, "a (2)=A;a=old;b=B;c=C;");
	assert_int_equal(unlinkat(rig.dirfd, "drop/a", 0), 0);
	assert_int_equal(recover(&result), 0);
	describe("drop", there);
	assert_string_equal(there, "");
}

/* What it replaced waits in the staging directory; who took away what he saw did not mean that. */
static void
what_was_replaced_comes_back_when_its_name_is_free(void **state)
{
	struct intent_result result;
	char there[512];

	(void)state;
	leave_intent_with("/over/", "drop/b");
	assert_int_equal(unlinkat(rig.dirfd, "drop/b", 0), 0);
	assert_int_equal(recover(&result), 0);
	describe("drop", there);
	assert_string_equal(there, "b=old;");
}

static void
same_number_with_another_time_is_another_file(void **state)
{
	const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	struct intent_result result;
	char there[512];

	(void)state;
	leave_intent("/new/");
	assert_int_equal(utimensat(rig.dirfd, "drop/a", times, 0), 0);
	assert_int_equal(recover(&result), 0);
	describe("drop", there);
	assert_string_equal(there, "a=A;");
}

static void
intent_of_which_nothing_can_be_known_goes(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"websrv form 1\n",
		"websrv form 1\nfile\nend\n",
		"websrv form 1\nfile 0 0 1 2 3 4 .websrv-1 !\nend\n",
		"websrv form 1\nfile 0 0 1 2 3 4 ../../drop/z eg==\nend\n",
		"websrv form 1\nfile 0 0 1 2 3 4 .websrv-1 Li4vLi4vZXRj\nend\n",
		"websrv form 1\nfile 1 0 1 2 3 4 .websrv-1 Lg==\nend\n",
		"websrv form 1\nfile 0 0 99999999999999999999 2 3 4 .websrv-1 "
		"eg==\nend\n",
	};

	(void)state;
	leave_intent("/new/");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct intent_result result;
		char there[512];

		clear("drop/" STORE_STAGING);
		clear("drop");
		put_file("drop/z", "kept");
		put_file("drop/" STORE_STAGING "/1" INTENT_ENDING, texts[i]);
		assert_int_equal(recover(&result), 0);
		assert_int_equal(result.error, 0);
		describe("drop", there);
		assert_string_equal(there, "z=kept;");
		describe("drop/" STORE_STAGING, there);
		assert_string_equal(there, "");
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_routes, teardown)

int
main(void)
{
	enum { N = sizeof(deaths) / sizeof(deaths[0]), FAST = N - 2 };
	static const struct CMUnitTest others[] = {
		TEST(one_file_needs_no_intent),
		TEST(intent_is_on_disk_before_the_first_name_and_gone_after_the_last),
		TEST(who_is_at_it_is_left_alone),
		TEST(what_has_the_name_since_is_not_taken),
		TEST(other_name_is_found_when_the_first_one_went_away),
		TEST(what_was_replaced_comes_back_when_its_name_is_free),
		TEST(same_number_with_another_time_is_another_file),
		TEST(intent_of_which_nothing_can_be_known_goes),
	};
	struct CMUnitTest tests[COUNT(others) + N + FAST];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < N; i++) {
		tests[COUNT(others) + i] = (struct CMUnitTest)TEST(run_death);
		tests[COUNT(others) + i].name = deaths[i].name;
		tests[COUNT(others) + i].initial_state = (void *)(uintptr_t)&deaths[i];
	}
	for (size_t i = 0; i < FAST; i++) {
		tests[COUNT(others) + N + i] = (struct CMUnitTest)TEST(run_second_death);
		tests[COUNT(others) + N + i].name = deaths[i].name;
		tests[COUNT(others) + N + i].initial_state =
			(void *)(uintptr_t)&deaths[i];
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
