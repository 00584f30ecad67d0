/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The effective configuration as JSON: it has every key, it loads into the same struct, and
 * its own dump is the same text.
 */
#include <errno.h>
#include <jansson.h>

#include "conf_errors.h"
#include "conf/dump.h"
#include "conf/schema.h"
#include "http/coding.h"

/* Every build has the same answers here. */
bool __wrap_coding_is_built_in(enum coding c);
bool __wrap_password_is_built_in(void);

bool
__wrap_coding_is_built_in(enum coding c)
{
	(void)c;
	return true;
}

bool
__wrap_password_is_built_in(void)
{
	return true;
}

/* Each key of the table is in it, or has a default that is dumped. */
#define EVERY_KEY                                                                        \
	"{\"user\": \"u\", \"group\": \"g\", \"workers\": 3, \"event_backend\": "        \
	"\"poll\", \"pid_file\": \"run/p.pid\", \"logs\": {\"error\": {\"to\": "         \
	"\"log/e.log\", \"level\": \"debug\"}, \"access\": {\"to\": \"./a.log\", "       \
	"\"format\": \"json\"}}, \"limits\": {\"connections\": 7, \"header_size\": "     \
	"1000, \"header_count\": 9, \"uri_size\": \"2K\", \"body_size\": 3145728, "      \
	"\"ranges\": 0, \"requests_per_connection\": 5, "                                \
	"\"connections_per_address\": 4, \"requests_per_address\": {\"rate\": 20, "      \
	"\"per\": \"2s\", \"burst\": 40}}, \"timeouts\": {\"header\": "                  \
	"0.25, \"body_idle\": 120, \"body_min_rate\": 0, \"write_idle\": \"90s\", "      \
	"\"idle\": \"1h\", \"shutdown\": 0}, \"cache\": {\"entries\": 0, \"memory\": "   \
	"\"1G\", \"file_size\": 1025, \"revalidate\": \"1500ms\"}, "                     \
	"\"server_header\": null, \"mime_types\": {\".ABC\": \"text/x-abc\"}, "          \
	"\"servers\": [{\"listen\": [\"[::0:1]:81\", {\"address\": \"unix:s\", "         \
	"\"backlog\": 2}], \"names\": [\"A.example\", \"*.b.example\"], "                \
	"\"error_pages\": {\"404\": \"/e.html\"}, \"headers\": "                         \
	"{\"X-Content-Type-Options\": null, \"X-A\": \"1\", \"X-B\": \"\xc3\xbc\"}, "    \
	"\"server_header\": \"full\", \"redirects\": "                                   \
	"{\"/x/%2A/%3f%25%23%20%ff;\": \"/y\", \"/z\": {\"to\": \"/\", "                 \
	"\"status\": 301}}, \"limits\": {\"body_size\": 9, "                             \
	"\"requests_per_address\": null}, \"timeouts\": {\"idle\": "                     \
	"2}, "                                                                           \
	"\"routes\": [{\"path\": \"/*\", \"files\": {\"root\": \"www\", \"index\": [], " \
	"\"listing\": true, \"fallback\": \"/i.html\", \"precompressed\": [\"zstd\"], "  \
	"\"compress\": {\"encodings\": [\"gzip\"], \"types\": [\"text/plain\"], "        \
	"\"min_size\": 0}, \"symlinks\": \"follow\", \"hidden\": true, \"charset\": "    \
	"\"\", \"default_type\": \"a/b\"}, \"upload\": {\"directory\": \".\", "          \
	"\"max_size\": \"5T\", \"conflict\": \"rename\", \"mode\": \"7\", "              \
	"\"unfinished\": 8, "                                                            \
	"\"quota\": 7, \"per_client\": 3, \"reserve\": 5, \"durable\": false, "          \
	"\"create_directories\": true, \"types\": "                                      \
	"[\".a\"], \"after\": \"/z\", \"digest\": \"sha-256\"}, "                        \
	"\"methods\": [\"PUT\", \"GET\"], \"headers\": {\"x-a\": null, \"X-C\": "        \
	"\"\\\"\\\\\"}, \"cache_control\": \"no-store\", \"download\": true, \"cors\": " \
	"{\"origins\": [\"https://a.example\"], \"methods\": [\"PUT\"], \"headers\": "   \
	"[\"X-H\"], \"expose\": [\"X-E\"], \"credentials\": true, \"max_age\": "         \
	"\"2d\"}, "                                                                      \
	"\"allow\": [\"10.0.0.0/8\", \"unix\"], \"deny\": [\"10.1.0.0/16\"], "           \
	"\"limits\": {\"ranges\": 4}}, {\"path\": \"/r/*\", \"redirect\": {\"to\": "     \
	"\"/q*\", \"status\": 307, \"query\": \"drop\"}, \"cors\": true}, {\"path\": "   \
	"\"/t\", \"respond\": {\"status\": 599, \"body\": \"a\\nb\", "                   \
	"\"content_type\": \"x/y\"}}, {\"path\": \"/h\", \"status\": \"health\"}, "      \
	"{\"path\": \"/auth\", \"respond\": {}, \"auth\": {"                             \
	"\"basic\": {\"users\": \"/u\", \"realm\": \"r\"}, "                             \
	"\"bearer\": {\"tokens\": \"/t\"}, \"for\": [\"GET\", \"PUT\"]}}, "              \
	"{\"path_regex\": \"^/u/(?<id>[0-9]+)$\", \"respond\": {}}, "                    \
	"{\"path\": \"/n/*\", \"files\": {\"root\": \"/\", \"compress\": []}}]}, "       \
	"{\"listen\": [\"127.0.0.1:82\"]}]}"

/* NUL-terminated, on the heap. */
static char *
dump_of(const struct config *c)
{
	struct buf b;

	buf_init(&b);
	assert_int_equal(conf_dump(c, &b), 0);
	buf_add_char(&b, '\0');
	assert_false(b.failed);
	return b.ptr;
}

/* Takes away every key that is in the JSON; what remains has been dumped nowhere. */
static void
mark_keys(const struct conf_section *section, json_t *json, json_t *seen)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct conf_key *key = &section->keys[i];
		json_t *value = json_object_get(json, key->name), *item;
		const char *name;
		size_t n;

		if (value == NULL)
			continue;
		json_object_set_new(seen, key->doc, json_true());
		if (key->type == CONF_SECTION)
			mark_keys(key->section, value, seen);
		if (key->type == CONF_LIST)
			json_array_foreach(value, n, item)
				mark_keys(key->section, item, seen);
		if (key->type == CONF_MAP)
			json_object_foreach(value, name, item)
				mark_keys(key->section, item, seen);
	}
}

static void
assert_all_seen(const struct conf_section *section, const json_t *seen)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct conf_key *key = &section->keys[i];

		if (key->type == CONF_IGNORED || key->type == CONF_INCLUDE)
			continue;
		if (json_object_get(seen, key->doc) == NULL)
			fail_msg("%s of %s is not dumped", key->name, section->name);
		if (key->section != NULL)
			assert_all_seen(key->section, seen);
	}
}

static void
every_key_is_dumped(void **state)
{
	struct config *c = good(EVERY_KEY);
	char *text = dump_of(c);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *seen = json_object();

	(void)state;
	assert_non_null(json);
	mark_keys(&conf_schema, json, seen);
	assert_all_seen(&conf_schema, seen);
	json_decref(seen);
	json_decref(json);
	free(text);
	conf_free(c);
}

static void
dump_of_a_dump_is_the_same(void **state)
{
	struct config *c = good(EVERY_KEY), *again;
	char *text = dump_of(c), *second;

	(void)state;
	again = good(text);
	second = dump_of(again);
	assert_string_equal(second, text);
	free(second);
	free(text);
	conf_free(again);
	conf_free(c);
}

static void
same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL)
		assert_string_equal(a, b);
}

static void
same_strings(const struct conf_strings *a, const struct conf_strings *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_string_equal(a->items[i], b->items[i]);
}

/* In the same order, too: that is the one of the fields in answers. */
static void
same_pairs(const struct conf_pairs *a, const struct conf_pairs *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_string_equal(a->items[i].name, b->items[i].name);
		assert_string_equal(a->items[i].value, b->items[i].value);
	}
}

static void
same_files(const struct conf_files *a, const struct conf_files *b)
{
	same_text(a->root, b->root);
	same_text(a->fallback, b->fallback);
	same_text(a->charset, b->charset);
	same_text(a->default_type, b->default_type);
	same_strings(&a->index, &b->index);
	same_strings(&a->precompressed, &b->precompressed);
	assert_int_equal(a->listing, b->listing);
	assert_int_equal(a->symlinks, b->symlinks);
	assert_int_equal(a->hidden, b->hidden);
	assert_int_equal(a->compress.enabled, b->compress.enabled);
	if (!a->compress.enabled)
		return;
	same_strings(&a->compress.encodings, &b->compress.encodings);
	same_strings(&a->compress.types, &b->compress.types);
	assert_int_equal(a->compress.min_size, b->compress.min_size);
}

static void
same_cors(const struct conf_cors *a, const struct conf_cors *b)
{
	assert_int_equal(a->enabled, b->enabled);
	same_strings(&a->origins, &b->origins);
	same_strings(&a->methods, &b->methods);
	same_strings(&a->headers, &b->headers);
	same_strings(&a->expose, &b->expose);
	assert_int_equal(a->credentials, b->credentials);
	assert_int_equal(a->max_age_ms, b->max_age_ms);
}

static void
same_route(const struct conf_route *a, const struct conf_route *b)
{
	same_text(a->path, b->path);
	same_text(a->path_regex, b->path_regex);
	assert_int_equal(a->is_prefix, b->is_prefix);
	assert_int_equal(a->actions, b->actions);
	same_files(&a->files, &b->files);
	same_text(a->upload.directory, b->upload.directory);
	assert_int_equal(a->upload.max_size, b->upload.max_size);
	assert_int_equal(a->upload.conflict, b->upload.conflict);
	assert_int_equal(a->upload.mode, b->upload.mode);
	same_text(a->upload.after, b->upload.after);
	assert_int_equal(a->upload.digests, b->upload.digests);
	assert_int_equal(a->upload.quota, b->upload.quota);
	assert_int_equal(a->upload.per_client, b->upload.per_client);
	assert_int_equal(a->upload.unfinished, b->upload.unfinished);
	same_text(a->redirect.to, b->redirect.to);
	assert_int_equal(a->redirect.status, b->redirect.status);
	assert_int_equal(a->redirect.keep_query, b->redirect.keep_query);
	assert_int_equal(a->respond.status, b->respond.status);
	same_text(a->respond.body, b->respond.body);
	same_text(a->respond.content_type, b->respond.content_type);
	assert_int_equal(a->methods, b->methods);
	same_pairs(&a->headers, &b->headers);
	same_text(a->cache_control, b->cache_control);
	assert_int_equal(a->download, b->download);
	same_cors(&a->cors, &b->cors);
	same_strings(&a->allow, &b->allow);
	same_strings(&a->deny, &b->deny);
	assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
}

static void
same_server(const struct conf_server *a, const struct conf_server *b)
{
	assert_int_equal(a->listen_count, b->listen_count);
	for (size_t i = 0; i < a->listen_count; i++) {
		assert_int_equal(a->listens[i].family, b->listens[i].family);
		assert_string_equal(a->listens[i].host, b->listens[i].host);
		assert_int_equal(a->listens[i].port, b->listens[i].port);
		assert_int_equal(a->listens[i].backlog, b->listens[i].backlog);
		assert_int_equal(a->listens[i].interim_104, b->listens[i].interim_104);
	}
	same_strings(&a->names, &b->names);
	same_pairs(&a->error_pages, &b->error_pages);
	same_pairs(&a->headers, &b->headers);
	assert_int_equal(a->server_header, b->server_header);
	assert_int_equal(a->redirect_count, b->redirect_count);
	for (size_t i = 0; i < a->redirect_count; i++) {
		assert_string_equal(a->redirects[i].from, b->redirects[i].from);
		assert_string_equal(a->redirects[i].to, b->redirects[i].to);
		assert_int_equal(a->redirects[i].status, b->redirects[i].status);
	}
	assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
	assert_memory_equal(&a->timeouts, &b->timeouts, sizeof(a->timeouts));
	assert_int_equal(a->route_count, b->route_count);
	for (size_t i = 0; i < a->route_count; i++)
		same_route(&a->routes[i], &b->routes[i]);
}

static void
same_config(const struct config *a, const struct config *b)
{
	same_text(a->user, b->user);
	same_text(a->group, b->group);
	assert_int_equal(a->workers, b->workers);
	assert_int_equal(a->backend, b->backend);
	same_text(a->pid_file, b->pid_file);
	assert_int_equal(a->logs.error.target, b->logs.error.target);
	same_text(a->logs.error.path, b->logs.error.path);
	assert_int_equal(a->logs.error.level, b->logs.error.level);
	assert_int_equal(a->logs.access.enabled, b->logs.access.enabled);
	assert_int_equal(a->logs.access.target, b->logs.access.target);
	same_text(a->logs.access.path, b->logs.access.path);
	assert_int_equal(a->logs.access.format, b->logs.access.format);
	assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
	assert_memory_equal(&a->timeouts, &b->timeouts, sizeof(a->timeouts));
	assert_memory_equal(&a->cache, &b->cache, sizeof(a->cache));
	assert_int_equal(a->server_header, b->server_header);
	same_pairs(&a->mime_types, &b->mime_types);
	assert_int_equal(a->server_count, b->server_count);
	for (size_t i = 0; i < a->server_count; i++)
		same_server(&a->servers[i], &b->servers[i]);
}

static void
dump_loads_into_the_same_struct(void **state)
{
	static const char *const texts[] = { EVERY_KEY, TOP("\"workers\": \"auto\"") };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct config *c = good(texts[i]), *again;
		char *text = dump_of(c);

		again = good(text);
		same_config(c, again);
		free(text);
		conf_free(again);
		conf_free(c);
	}
}

static void
values_are_written_in_their_shortest_form(void **state)
{
	static const char *const expected[] = {
		"\"header_size\": 1000,",
		"\"body_size\": \"3M\",",
		"\"header\": \"250ms\",",
		"\"body_idle\": \"2m\",",
		"\"shutdown\": 0\n",
		"\"mode\": \"0007\"",
		"\"pid_file\": \"/etc/run/p.pid\"",
		"\"address\": \"[::1]:81\"",
		"\"address\": \"unix:/etc/s\"",
		"\"/x/%2A/%3F%25%23%20%FF;\": {",
		"\"X-Content-Type-Options\": null",
		"\"X-A\": null",
		"\"compress\": false",
	};
	struct config *c = good(EVERY_KEY);
	char *text = dump_of(c);

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (strstr(text, expected[i]) == NULL)
			fail_msg("no %s in %s", expected[i], text);
	}
	free(text);
	conf_free(c);
}

static void
path_that_is_not_utf8_cannot_be_dumped(void **state)
{
	struct buf b;
	struct config *c;

	(void)state;
	buf_init(&b);
	c = conf_load_text(SLICE(TOP("\"pid_file\": \"p\"")), "t.json", "/\xff", &b);
	assert_non_null(c);
	assert_int_equal(conf_dump(c, &b), -EILSEQ);
	buf_fini(&b);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_dumped),
		cmocka_unit_test(dump_of_a_dump_is_the_same),
		cmocka_unit_test(dump_loads_into_the_same_struct),
		cmocka_unit_test(values_are_written_in_their_shortest_form),
		cmocka_unit_test(path_that_is_not_utf8_cannot_be_dumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
