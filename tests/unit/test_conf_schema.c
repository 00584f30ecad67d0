/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The JSON Schema that the table of keys is printed as. Whether configurations pass it is
 * told in tests/e2e/test_config.py.
 */
#include <jansson.h>

#include "conf_errors.h"
#include "conf/describe.h"
#include "conf/schema.h"

static int
parse_schema(void **state)
{
	struct buf b;

	buf_init(&b);
	conf_describe(&b);
	assert_false(b.failed);
	*state = json_loadb(b.ptr, b.len, JSON_REJECT_DUPLICATES, NULL);
	buf_fini(&b);
	assert_non_null(*state);
	return 0;
}

static int
free_schema(void **state)
{
	json_decref(*state);
	return 0;
}

static const json_t *
property(const json_t *object, const char *name)
{
	const json_t *found =
		json_object_get(json_object_get(object, "properties"), name);

	if (found == NULL)
		fail_msg("no property %s", name);
	return found;
}

static void
assert_json(const json_t *json, const char *expected)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

/* The schema of the object, which may be one of several forms: the last. */
static const json_t *
object_form(const json_t *schema)
{
	const json_t *forms = json_object_get(schema, "anyOf");

	if (json_object_get(schema, "type") != NULL)
		return schema;
	return json_array_get(forms, json_array_size(forms) - 1);
}

static size_t
check_section(const struct conf_section *section, const json_t *schema)
{
	size_t count = 0, all = 0;

	assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	for (size_t i = 0; i < section->count; i++) {
		const struct conf_key *key = &section->keys[i];
		const json_t *p;

		if (!conf_key_is_in(key, section))
			continue;
		p = property(schema, key->name);
		count++;
		assert_string_equal(json_string_value(json_object_get(p, "description")),
				    key->doc);
		assert_int_equal(json_object_get(p, "default") != NULL,
				 key->fallback != NULL);
		if (key->type == CONF_SECTION)
			all += check_section(key->section, object_form(p));
		if (key->type == CONF_LIST)
			all += check_section(key->section,
					     object_form(json_object_get(p, "items")));
		if (key->type == CONF_MAP)
			all += check_section(
				key->section,
				object_form(json_object_get(object_form(p),
							    "additionalProperties")));
	}
	assert_int_equal(json_object_size(json_object_get(schema, "properties")), count);
	return all + count;
}

static void
every_key_is_there_with_its_documentation_and_no_other(void **state)
{
	assert_true(check_section(&conf_schema, *state) > 80);
}

static void
draft_is_named(void **state)
{
	assert_json(json_object_get(*state, "$schema"),
		    "\"https://json-schema.org/draft/2020-12/schema\"");
}

static void
quantities_are_numbers_or_strings_with_a_unit(void **state)
{
	const json_t *size = property(property(*state, "limits"), "header_size");
	const json_t *time = property(property(*state, "timeouts"), "header");

	assert_json(json_object_get(size, "type"), "[\"integer\",\"string\"]");
	assert_json(json_object_get(size, "pattern"), "\"^[0-9]+[KMGT]?$\"");
	assert_json(json_object_get(size, "minimum"), "128");
	assert_json(json_object_get(size, "maximum"), "16777216");
	assert_json(json_object_get(size, "default"), "\"32K\"");
	assert_json(json_object_get(time, "type"), "[\"number\",\"string\"]");
	assert_json(json_object_get(time, "pattern"), "\"^[0-9]+(ms|s|m|h|d)?$\"");
	assert_json(json_object_get(time, "minimum"), "0.001");
	assert_json(
		json_object_get(property(property(*state, "timeouts"), "body_min_rate"),
				"default"),
		"500");
}

static void
words_that_are_refused_are_left_out(void **state)
{
	assert_json(json_object_get(property(*state, "event_backend"), "enum"),
		    "[\"auto\",\"epoll\",\"poll\",\"select\"]");
	assert_json(json_object_get(property(*state, "server_header"), "enum"),
		    "[\"websrv\",\"full\",null]");
}

static void
short_forms_stand_beside_the_object(void **state)
{
	const json_t *server = json_object_get(property(*state, "servers"), "items");
	const json_t *listen = json_object_get(property(server, "listen"), "items");
	const json_t *route = json_object_get(property(server, "routes"), "items");
	const json_t *cors = json_object_get(property(route, "cors"), "anyOf");
	const json_t *access =
		json_object_get(property(property(*state, "logs"), "access"), "anyOf");

	assert_json(json_array_get(json_object_get(listen, "anyOf"), 0),
		    "{\"type\":\"string\"}");
	assert_int_equal(json_array_size(cors), 3);
	assert_json(json_object_get(json_array_get(cors, 0), "type"), "\"array\"");
	assert_json(json_array_get(cors, 1), "{\"type\":\"boolean\"}");
	assert_json(json_array_get(access, 0), "{\"type\":\"null\"}");
	assert_json(json_object_get(route, "oneOf"),
		    "[{\"required\":[\"path\"]},{\"required\":[\"path_regex\"]}]");
	assert_json(json_array_get(
			    json_object_get(property(server, "redirects"), "anyOf"), 0),
		    "{\"type\":\"string\"}");
}

static void
keys_of_other_levels_are_left_out(void **state)
{
	const json_t *server = json_object_get(property(*state, "servers"), "items");
	const json_t *limits = json_object_get(property(server, "limits"), "properties");

	assert_null(json_object_get(limits, "connections"));
	assert_non_null(json_object_get(limits, "body_size"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_there_with_its_documentation_and_no_other),
		cmocka_unit_test(draft_is_named),
		cmocka_unit_test(quantities_are_numbers_or_strings_with_a_unit),
		cmocka_unit_test(words_that_are_refused_are_left_out),
		cmocka_unit_test(short_forms_stand_beside_the_object),
		cmocka_unit_test(keys_of_other_levels_are_left_out),
	};

	return cmocka_run_group_tests(tests, parse_schema, free_schema);
}
