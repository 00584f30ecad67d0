/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The built websrv, driven by the HTTP client of libevent: a second opinion on what it
 * sends. The binary is that of $WEBSRV, or ./websrv; it listens on a port of the kernel's
 * choice and works in a temporary directory. alarm() ends what hangs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#define SECONDS_MAX 300
#define START_MS 60000
#define BIG_SIZE ((size_t)3 * 1024 * 1024 + 7)
#define PATH_SIZE 512

struct answer {
	int status; /* 0: none came */
	struct evkeyvalq fields;
	char *body;
	size_t len;
};

struct client {
	char dir[PATH_SIZE / 2];
	pid_t pid;
	int log; /* the server's stderr */
	uint16_t port;
	struct event_base *base;
	struct evhttp_connection *conn;
	int closes; /* of conn, by the server */
	struct answer answer;
};

/* For kill_server(): an alarm must not leave a server behind. */
static volatile pid_t running;

static void
kill_server(int number)
{
	static const char message[] = "test_integration: too slow\n";

	(void)number;
	if (running > 0)
		kill(running, SIGKILL);
	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	_exit(1);
}

/* --- the server --- */

static void
write_file(const struct client *c, const char *name, const char *bytes, size_t len)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		assert_true(n > 0);
		bytes += n;
		len -= (size_t)n;
	}
	close(fd);
}

static char *
big_bytes(void)
{
	char *bytes = malloc(BIG_SIZE);

	assert_non_null(bytes);
	for (size_t i = 0; i < BIG_SIZE; i++)
		bytes[i] = (char)(i * 31 + i / 251);
	return bytes;
}

static void
make_site(const struct client *c)
{
	static const char config[] =
		"{\n"
		"\t\"workers\": 2,\n"
		"\t\"timeouts\": {\"shutdown\": \"5s\"},\n"
		"\t\"servers\": [{\n"
		"\t\t\"listen\": [\"127.0.0.1:0\"],\n"
		"\t\t\"redirects\": {\"/old\": {\"to\": \"/hello.txt\", \"status\": "
		"301}},\n"
		"\t\t\"routes\": [\n"
		"\t\t\t{\"path\": \"/*\", \"files\": {\"root\": \"site\"}},\n"
		"\t\t\t{\"path\": \"/drop/*\", \"files\": {\"root\": \"drop\"},\n"
		"\t\t\t \"upload\": {\"directory\": \"drop\", \"max_size\": \"8M\",\n"
		"\t\t\t            \"conflict\": \"replace\"}},\n"
		"\t\t\t{\"path\": \"/small/*\",\n"
		"\t\t\t \"upload\": {\"directory\": \"drop\", \"max_size\": 10}}\n"
		"\t\t]\n"
		"\t}]\n"
		"}\n";
	char path[PATH_SIZE];
	char *big = big_bytes();

	snprintf(path, sizeof(path), "%s/site", c->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/drop", c->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(c, "websrv.json", config, sizeof(config) - 1);
	write_file(c, "site/hello.txt", "hello, world\n", 13);
	write_file(c, "site/big.bin", big, BIG_SIZE);
	free(big);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Reads the log until it says that all workers serve; the port that it told before. */
static uint16_t
wait_until_ready(const struct client *c)
{
	static const char mark[] = "listening on 127.0.0.1:";
	int64_t end = now_ms() + START_MS;
	char text[8192] = "";
	size_t len = 0;
	char *found;

	while (strstr(text, "ready: ") == NULL) {
		struct pollfd p = { .fd = c->log, .events = POLLIN };
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0 || len == sizeof(text) - 1 || poll(&p, 1, (int)left) <= 0)
			fail_msg("the server does not get ready: %s", text);
		n = read(c->log, text + len, sizeof(text) - 1 - len);
		if (n <= 0)
			fail_msg("the server has ended: %s", text);
		len += (size_t)n;
		text[len] = '\0';
	}
	found = strstr(text, mark);
	assert_non_null(found);
	return (uint16_t)strtoul(found + sizeof(mark) - 1, NULL, 10);
}

static void
start_server(struct client *c)
{
	const char *binary = getenv("WEBSRV") != NULL ? getenv("WEBSRV") : "./websrv";
	char path[PATH_SIZE];
	int fds[2];

	snprintf(path, sizeof(path), "%s/websrv.json", c->dir);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		execl(binary, "websrv", "-c", path, (char *)NULL);
		dprintf(STDERR_FILENO, "%s: %s\n", binary, strerror(errno));
		_exit(127);
	}
	running = c->pid;
	close(fds[1]);
	c->log = fds[0];
	c->port = wait_until_ready(c);
}

/* Whether it was there or not. */
static bool
remove_file(const struct client *c, const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	return remove(path) == 0 || errno == ENOENT;
}

/* --- the client --- */

static void
on_close(struct evhttp_connection *conn, void *arg)
{
	struct client *c = arg;

	(void)conn;
	c->closes++;
}

static void
connect_again(struct client *c)
{
	if (c->conn != NULL)
		evhttp_connection_free(c->conn);
	c->conn = evhttp_connection_base_new(c->base, NULL, "127.0.0.1", c->port);
	assert_non_null(c->conn);
	evhttp_connection_set_timeout(c->conn, 20);
	c->closes = 0;
	evhttp_connection_set_closecb(c->conn, on_close, c);
}

static void
forget_answer(struct client *c)
{
	evhttp_clear_headers(&c->answer.fields);
	free(c->answer.body);
	c->answer.body = NULL;
	c->answer.len = 0;
	c->answer.status = 0;
}

static void
on_answer(struct evhttp_request *req, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in;
	struct evkeyval *field;

	event_base_loopbreak(c->base);
	if (req == NULL || evhttp_request_get_response_code(req) == 0)
		return;
	c->answer.status = evhttp_request_get_response_code(req);
	TAILQ_FOREACH(field, evhttp_request_get_input_headers(req), next)
	evhttp_add_header(&c->answer.fields, field->key, field->value);
	in = evhttp_request_get_input_buffer(req);
	c->answer.len = evbuffer_get_length(in);
	c->answer.body = malloc(c->answer.len + 1);
	assert_non_null(c->answer.body);
	evbuffer_remove(in, c->answer.body, c->answer.len);
	c->answer.body[c->answer.len] = '\0';
}

struct request {
	enum evhttp_cmd_type method;
	const char *target;
	const char *name, *value; /* a field, if any */
	const char *body;
	size_t len;
};

/* Sends it and waits for its answer; the status, 0 when there was none. */
static int
ask_for(struct client *c, const struct request *r)
{
	struct evhttp_request *req = evhttp_request_new(on_answer, c);
	struct evkeyvalq *fields;

	assert_non_null(req);
	forget_answer(c);
	fields = evhttp_request_get_output_headers(req);
	evhttp_add_header(fields, "Host", "localhost");
	if (r->name != NULL)
		evhttp_add_header(fields, r->name, r->value);
	if (r->len > 0)
		evbuffer_add(evhttp_request_get_output_buffer(req), r->body, r->len);
	assert_int_equal(evhttp_make_request(c->conn, req, r->method, r->target), 0);
	event_base_dispatch(c->base);
	return c->answer.status;
}

static int
ask(struct client *c, enum evhttp_cmd_type method, const char *target)
{
	struct request r = { .method = method, .target = target };

	return ask_for(c, &r);
}

static const char *
field(const struct client *c, const char *name)
{
	const char *value = evhttp_find_header(&c->answer.fields, name);

	return value != NULL ? value : "";
}

static void
body_is(const struct client *c, const char *bytes, size_t len)
{
	assert_int_equal(c->answer.len, len);
	assert_memory_equal(c->answer.body, bytes, len);
}

/* --- setup and teardown --- */

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
	struct client *c = calloc(1, sizeof(*c));

	signal(SIGALRM, kill_server);
	signal(SIGPIPE, SIG_IGN);
	alarm(SECONDS_MAX);
	assert_non_null(c);
	snprintf(c->dir, sizeof(c->dir), "%s/websrv-integration-XXXXXX", tmp);
	assert_non_null(mkdtemp(c->dir));
	TAILQ_INIT(&c->answer.fields);
	*state = c;
	make_site(c);
	start_server(c);
	c->base = event_base_new();
	assert_non_null(c->base);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {
		"websrv.json", "site/hello.txt", "site/big.bin",
		"drop/a.txt",  "drop/big.bin",   "drop/.websrv-uploads",
		"site",        "drop",           ""
	};
	struct client *c = *state;
	bool removed = true;
	int status = -1;

	if (c->conn != NULL)
		evhttp_connection_free(c->conn);
	forget_answer(c);
	if (c->base != NULL)
		event_base_free(c->base);
	libevent_global_shutdown();
	kill(c->pid, SIGTERM);
	waitpid(c->pid, &status, 0);
	running = 0;
	close(c->log);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		removed = remove_file(c, names[i]) && removed;
	free(c);
	alarm(0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		print_error("the server ended with wait status %#x\n", (unsigned)status);
	if (!removed)
		print_error("files of the test are left\n");
	return removed && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int
new_connection(void **state)
{
	connect_again(*state);
	return 0;
}

/* --- what is expected --- */

static void
get_gives_the_file_with_its_fields(void **state)
{
	struct client *c = *state;

	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/hello.txt"), 200);
	body_is(c, "hello, world\n", 13);
	assert_string_equal(field(c, "Content-Length"), "13");
	assert_string_equal(field(c, "Content-Type"), "text/plain; charset=utf-8");
	assert_string_equal(field(c, "Transfer-Encoding"), "");
	assert_string_not_equal(field(c, "ETag"), "");
	assert_string_not_equal(field(c, "Last-Modified"), "");
	assert_int_equal(strlen(field(c, "Date")), 29);
}

static void
get_gives_a_big_file_whole(void **state)
{
	struct client *c = *state;
	char *big = big_bytes();

	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/big.bin"), 200);
	assert_string_equal(field(c, "Transfer-Encoding"), "");
	body_is(c, big, BIG_SIZE);
	free(big);
}

static void
head_has_the_length_but_no_body(void **state)
{
	struct client *c = *state;

	assert_int_equal(ask(c, EVHTTP_REQ_HEAD, "/big.bin"), 200);
	assert_int_equal(strtoul(field(c, "Content-Length"), NULL, 10), BIG_SIZE);
	assert_int_equal(c->answer.len, 0);
	/* What followed a body here would be taken for the next answer. */
	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/hello.txt"), 200);
	body_is(c, "hello, world\n", 13);
	assert_int_equal(c->closes, 0);
}

static void
absent_file_is_404_with_a_page(void **state)
{
	struct client *c = *state;

	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/nowhere.txt"), 404);
	assert_true(c->answer.len > 0);
	assert_int_equal(strtoul(field(c, "Content-Length"), NULL, 10), c->answer.len);
}

static void
redirect_names_its_target(void **state)
{
	struct client *c = *state;

	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/old?x=1"), 301);
	assert_string_equal(field(c, "Location"), "/hello.txt?x=1");
}

static void
one_connection_serves_many_requests(void **state)
{
	static const struct {
		enum evhttp_cmd_type method;
		const char *target;
		int status;
	} rows[] = {
		{ EVHTTP_REQ_GET, "/hello.txt", 200 },
		{ EVHTTP_REQ_GET, "/nowhere", 404 },
		{ EVHTTP_REQ_HEAD, "/hello.txt", 200 },
		{ EVHTTP_REQ_HEAD, "/nowhere", 404 },
		{ EVHTTP_REQ_GET, "/big.bin", 200 },
		{ EVHTTP_REQ_DELETE, "/hello.txt", 405 },
		{ EVHTTP_REQ_OPTIONS, "/", 204 },
		{ EVHTTP_REQ_GET, "/old", 301 },
	};
	struct client *c = *state;

	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			assert_int_equal(ask(c, rows[i].method, rows[i].target),
					 rows[i].status);
			assert_string_equal(field(c, "Connection"), "");
		}
	}
	assert_int_equal(c->closes, 0);
}

static void
connection_close_is_honoured(void **state)
{
	struct client *c = *state;
	struct request r = { .method = EVHTTP_REQ_GET,
			     .target = "/hello.txt",
			     .name = "Connection",
			     .value = "close" };

	assert_int_equal(ask_for(c, &r), 200);
	assert_string_equal(field(c, "Connection"), "close");
	body_is(c, "hello, world\n", 13);
}

static void
what_was_put_can_be_read_back(void **state)
{
	struct client *c = *state;
	struct request r = { .method = EVHTTP_REQ_PUT,
			     .target = "/drop/a.txt",
			     .body = "first",
			     .len = 5 };

	assert_int_equal(ask_for(c, &r), 201);
	assert_string_equal(field(c, "Location"), "/drop/a.txt");
	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/drop/a.txt"), 200);
	body_is(c, "first", 5);
	assert_int_equal(c->closes, 0);
}

static void
a_big_put_can_be_read_back(void **state)
{
	struct client *c = *state;
	char *big = big_bytes();
	struct request r = { .method = EVHTTP_REQ_PUT,
			     .target = "/drop/big.bin",
			     .body = big,
			     .len = BIG_SIZE };

	assert_int_equal(ask_for(c, &r), 201);
	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/drop/big.bin"), 200);
	body_is(c, big, BIG_SIZE);
	/* A second time it is replaced. */
	assert_int_equal(ask_for(c, &r), 204);
	assert_int_equal(c->answer.len, 0);
	free(big);
}

static void
put_beyond_max_size_is_413(void **state)
{
	struct client *c = *state;
	struct request r = { .method = EVHTTP_REQ_PUT,
			     .target = "/small/b.txt",
			     .body = "eleven byte",
			     .len = 11 };

	assert_int_equal(ask_for(c, &r), 413);
	connect_again(c);
	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/drop/b.txt"), 404);
}

static void
put_where_only_files_are_is_405_with_allow(void **state)
{
	struct client *c = *state;
	struct request r = {
		.method = EVHTTP_REQ_PUT, .target = "/hello.txt", .body = "x", .len = 1
	};

	assert_int_equal(ask_for(c, &r), 405);
	assert_non_null(strstr(field(c, "Allow"), "GET"));
	assert_null(strstr(field(c, "Allow"), "PUT"));
}

static void
etag_that_holds_is_304_without_body(void **state)
{
	struct client *c = *state;
	struct request r = { .method = EVHTTP_REQ_GET,
			     .target = "/hello.txt",
			     .name = "If-None-Match" };
	char etag[128];

	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/hello.txt"), 200);
	snprintf(etag, sizeof(etag), "%s", field(c, "ETag"));
	r.value = etag;
	assert_int_equal(ask_for(c, &r), 304);
	assert_int_equal(c->answer.len, 0);
	assert_string_equal(field(c, "ETag"), etag);
	r.value = "\"other\"";
	assert_int_equal(ask_for(c, &r), 200);
	assert_int_equal(c->closes, 0);
}

static void
date_that_holds_is_304(void **state)
{
	struct client *c = *state;
	struct request r = { .method = EVHTTP_REQ_GET,
			     .target = "/hello.txt",
			     .name = "If-Modified-Since" };
	char date[64];

	assert_int_equal(ask(c, EVHTTP_REQ_GET, "/hello.txt"), 200);
	snprintf(date, sizeof(date), "%s", field(c, "Last-Modified"));
	r.value = date;
	assert_int_equal(ask_for(c, &r), 304);
	r.value = "Thu, 01 Jan 1970 00:00:00 GMT";
	assert_int_equal(ask_for(c, &r), 200);
}

static void
options_tells_what_a_route_takes(void **state)
{
	struct client *c = *state;

	assert_int_equal(ask(c, EVHTTP_REQ_OPTIONS, "/hello.txt"), 204);
	assert_non_null(strstr(field(c, "Allow"), "GET"));
	assert_non_null(strstr(field(c, "Allow"), "HEAD"));
	assert_null(strstr(field(c, "Allow"), "PUT"));
	assert_int_equal(ask(c, EVHTTP_REQ_OPTIONS, "/drop/a.txt"), 204);
	assert_non_null(strstr(field(c, "Allow"), "PUT"));
	assert_string_equal(field(c, "Content-Length"), "");
}

#define CASE(f) cmocka_unit_test_setup(f, new_connection)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(get_gives_the_file_with_its_fields),
		CASE(get_gives_a_big_file_whole),
		CASE(head_has_the_length_but_no_body),
		CASE(absent_file_is_404_with_a_page),
		CASE(redirect_names_its_target),
		CASE(one_connection_serves_many_requests),
		CASE(connection_close_is_honoured),
		CASE(what_was_put_can_be_read_back),
		CASE(a_big_put_can_be_read_back),
		CASE(put_beyond_max_size_is_413),
		CASE(put_where_only_files_are_is_405_with_allow),
		CASE(etag_that_holds_is_304_without_body),
		CASE(date_that_holds_is_304),
		CASE(options_tells_what_a_route_takes),
	};

	return cmocka_run_group_tests_name("integration", tests, set_up, tear_down);
}
