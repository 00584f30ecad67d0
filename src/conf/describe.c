/* SPDX-License-Identifier: BSD-2-Clause
 *
 * describe: a walk over the table that prints each type of key as what JSON Schema has
 * for it. Limits of numbers and patterns of strings stand side by side: each speaks only
 * of values of its type.
 */
#include "conf/describe.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/number.h"
#include "conf/jsonout.h"
#include "conf/schema.h"
#include "conf/value.h"

static void add_section(struct jsonout *j, const struct conf_section *section);

static void
add_string(struct jsonout *j, const char *key, const char *s)
{
	jsonout_string(j, key, slice_from_str(s));
}

/* An empty string is wrong for every check that has a say about it. */
static void
add_min_length(struct jsonout *j, conf_check_fn check)
{
	if (check != NULL && check(SLICE("")) != NULL)
		jsonout_number(j, "minLength", 1);
}

static void
add_words(struct jsonout *j, const struct conf_key *key)
{
	jsonout_line(j, "enum");
	for (const struct conf_choice *c = key->choices; c->word != NULL; c++) {
		if (c->refused != NULL)
			continue;
		if (key->type == CONF_CODE)
			jsonout_number(j, NULL, c->value);
		else
			add_string(j, NULL, c->word);
	}
	if (key->flags & CONF_NULL_VALUE)
		jsonout_word(j, NULL, "null");
	jsonout_array_end(j);
}

/* Seconds of a number of milliseconds. */
static void
add_seconds(struct jsonout *j, const char *name, uint64_t ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03u", ms / 1000,
		 (unsigned)(ms % 1000));
	jsonout_word(j, name, text);
}

static void
add_range(struct jsonout *j, const struct conf_key *key)
{
	if (key->type == CONF_DURATION && key->max != 0) {
		add_seconds(j, "minimum", key->min);
		add_seconds(j, "maximum", key->max);
		return;
	}
	jsonout_number(j, "minimum", key->min);
	if (key->max != 0)
		jsonout_number(j, "maximum", key->max);
}

static void
add_two_types(struct jsonout *j, const char *one, const char *other)
{
	jsonout_line(j, "type");
	add_string(j, NULL, one);
	add_string(j, NULL, other);
	jsonout_array_end(j);
}

static void
add_count(struct jsonout *j, const struct conf_key *key)
{
	if (key->choices != NULL) {
		jsonout_array(j, "anyOf");
		jsonout_object(j, NULL);
		add_words(j, key);
		jsonout_object_end(j);
		jsonout_object(j, NULL);
	}
	add_string(j, "type", "integer");
	add_range(j, key);
	if (key->choices != NULL) {
		jsonout_object_end(j);
		jsonout_array_end(j);
	}
}

/* A number, or a string with a unit. */
static void
add_quantity(struct jsonout *j, const struct conf_key *key)
{
	bool is_size = key->type == CONF_SIZE;

	add_two_types(j, is_size ? "integer" : "number", "string");
	add_range(j, key);
	add_string(j, "pattern", is_size ? "^[0-9]+[KMGT]?$" : "^[0-9]+(ms|s|m|h|d)?$");
}

static void
add_items(struct jsonout *j, const struct conf_key *key)
{
	add_string(j, "type", "array");
	if (key->min != 0)
		jsonout_number(j, "minItems", key->min);
	if (key->flags & CONF_UNIQUE || key->type == CONF_SET)
		jsonout_word(j, "uniqueItems", "true");
	jsonout_object(j, "items");
	if (key->choices != NULL) {
		add_words(j, key);
	} else {
		add_string(j, "type", "string");
		add_min_length(j, key->check);
	}
	jsonout_object_end(j);
}

static void
add_pairs(struct jsonout *j, const struct conf_key *key)
{
	add_string(j, "type", "object");
	if (key->check_name != NULL) {
		jsonout_object(j, "propertyNames");
		add_min_length(j, key->check_name);
		jsonout_object_end(j);
	}
	jsonout_object(j, "additionalProperties");
	if (key->flags & CONF_NULLABLE)
		add_two_types(j, "string", "null");
	else
		add_string(j, "type", "string");
	add_min_length(j, key->check);
	jsonout_object_end(j);
}

/* Of a key that is no container of sections. */
static void
add_value(struct jsonout *j, const struct conf_key *key)
{
	switch (key->type) {
	case CONF_LATER:
		jsonout_word(j, "const", key->fallback);
		break;
	case CONF_BOOL:
		add_string(j, "type", "boolean");
		break;
	case CONF_COUNT:
		add_count(j, key);
		break;
	case CONF_SIZE:
	case CONF_DURATION:
		add_quantity(j, key);
		break;
	case CONF_CHOICE:
	case CONF_CODE:
		add_words(j, key);
		break;
	case CONF_SET:
	case CONF_TEXTS:
		add_items(j, key);
		break;
	case CONF_PAIRS:
		add_pairs(j, key);
		break;
	case CONF_INCLUDE:
		add_string(j, "type", "array");
		jsonout_object(j, "items");
		add_string(j, "type", "string");
		jsonout_number(j, "minLength", 1);
		jsonout_object_end(j);
		break;
	case CONF_MODE:
		add_string(j, "type", "string");
		add_string(j, "pattern", "^0{0,2}[0-7]{1,3}$");
		break;
	default:
		add_string(j, "type", "string");
		add_min_length(j, key->check);
	}
}

/* An object, or what may stand in its place. */
static void
add_object(struct jsonout *j, const struct conf_key *key, bool is_item)
{
	unsigned flags = key->flags & (CONF_SHORT | CONF_SWITCH | CONF_NULLABLE);

	if (is_item)
		flags &= CONF_SHORT;
	if (flags == 0) {
		add_section(j, key->section);
		return;
	}
	jsonout_array(j, "anyOf");
	if (flags & CONF_SHORT) {
		jsonout_object(j, NULL);
		add_value(j, &key->section->keys[0]);
		jsonout_object_end(j);
	}
	if (flags & CONF_SWITCH) {
		jsonout_object(j, NULL);
		add_string(j, "type", "boolean");
		jsonout_object_end(j);
	}
	if (flags & CONF_NULLABLE) {
		jsonout_object(j, NULL);
		add_string(j, "type", "null");
		jsonout_object_end(j);
	}
	jsonout_object(j, NULL);
	add_section(j, key->section);
	jsonout_object_end(j);
	jsonout_array_end(j);
}

static void
add_only_objects(struct jsonout *j, const struct conf_key *key)
{
	bool is_list = key->type == CONF_LIST;

	add_string(j, "type", is_list ? "array" : "object");
	if (key->min != 0)
		jsonout_number(j, is_list ? "minItems" : "minProperties", key->min);
	jsonout_object(j, is_list ? "items" : "additionalProperties");
	add_object(j, key, true);
	jsonout_object_end(j);
}

/* A string may stand in the place of a map: the name of a file. */
static void
add_objects(struct jsonout *j, const struct conf_key *key)
{
	if (key->set == NULL) {
		add_only_objects(j, key);
		return;
	}
	jsonout_array(j, "anyOf");
	jsonout_object(j, NULL);
	add_string(j, "type", "string");
	jsonout_object_end(j);
	jsonout_object(j, NULL);
	add_only_objects(j, key);
	jsonout_object_end(j);
	jsonout_array_end(j);
}

/* "NAME: VALUE" */
static void
add_default_pair(struct jsonout *j, struct slice s)
{
	size_t colon = slice_find(s, ':');
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)colon, s.ptr);
	jsonout_object(j, "default");
	jsonout_string(j, name, slice_trim(slice_from(s, colon + 1)));
	jsonout_object_end(j);
}

/* A default that is written without a unit is a number, if its type has numbers. */
static void
add_default(struct jsonout *j, const struct conf_key *key)
{
	struct slice s = slice_from_str(key->fallback);
	bool is_number = key->type == CONF_COUNT || key->type == CONF_SIZE ||
			 key->type == CONF_DURATION || key->type == CONF_CODE;
	uint64_t n;

	if (key->type == CONF_PAIRS) {
		add_default_pair(j, s);
	} else if (key->type == CONF_TEXTS) {
		jsonout_line(j, "default");
		while (s.len != 0) {
			struct slice word = slice_make(s.ptr, slice_find(s, ' '));

			jsonout_string(j, NULL, word);
			s = slice_from(s, word.len + 1);
		}
		jsonout_array_end(j);
	} else if (key->type == CONF_BOOL || key->type == CONF_LATER) {
		jsonout_word(j, "default", key->fallback);
	} else if (is_number && number_dec(s, UINT64_MAX, &n) == 0) {
		jsonout_number(j, "default", n);
	} else {
		jsonout_string(j, "default", s);
	}
}

static void
add_key(struct jsonout *j, const struct conf_key *key)
{
	jsonout_object(j, key->name);
	add_string(j, "description", key->doc);
	if (key->type == CONF_SECTION)
		add_object(j, key, false);
	else if (key->type == CONF_LIST || key->type == CONF_MAP)
		add_objects(j, key);
	else
		add_value(j, key);
	if (key->fallback != NULL)
		add_default(j, key);
	jsonout_object_end(j);
}

static void
add_required_names(struct jsonout *j, const struct conf_section *section)
{
	bool is_open = false;

	for (size_t i = 0; i < section->count; i++) {
		const struct conf_key *key = &section->keys[i];

		if ((key->flags & CONF_REQUIRED) == 0 || !conf_key_is_in(key, section))
			continue;
		if (!is_open)
			jsonout_line(j, "required");
		is_open = true;
		add_string(j, NULL, key->name);
	}
	if (is_open)
		jsonout_array_end(j);
}

static void
add_one_of(struct jsonout *j, const struct conf_section *section)
{
	bool is_open = false;

	for (size_t i = 0; i < section->count; i++) {
		if ((section->keys[i].flags & CONF_ONE_OF) == 0)
			continue;
		if (!is_open)
			jsonout_array(j, "oneOf");
		is_open = true;
		jsonout_object(j, NULL);
		jsonout_line(j, "required");
		add_string(j, NULL, section->keys[i].name);
		jsonout_array_end(j);
		jsonout_object_end(j);
	}
	if (is_open)
		jsonout_array_end(j);
}

/* What an included file has need not be in this one. */
static void
add_required(struct jsonout *j, const struct conf_section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		if (section->keys[i].type != CONF_INCLUDE)
			continue;
		jsonout_array(j, "anyOf");
		jsonout_object(j, NULL);
		jsonout_line(j, "required");
		add_string(j, NULL, section->keys[i].name);
		jsonout_array_end(j);
		jsonout_object_end(j);
		jsonout_object(j, NULL);
		add_required_names(j, section);
		jsonout_object_end(j);
		jsonout_array_end(j);
		return;
	}
	add_required_names(j, section);
	add_one_of(j, section);
}

/* The members of the schema of an object. */
static void
add_section(struct jsonout *j, const struct conf_section *section)
{
	add_string(j, "type", "object");
	jsonout_object(j, "properties");
	for (size_t i = 0; i < section->count; i++) {
		if (conf_key_is_in(&section->keys[i], section))
			add_key(j, &section->keys[i]);
	}
	jsonout_object_end(j);
	add_required(j, section);
	jsonout_word(j, "additionalProperties", "false");
}

void
conf_describe(struct buf *out)
{
	struct jsonout j;

	jsonout_init(&j, out);
	jsonout_object(&j, NULL);
	add_string(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	add_string(&j, "title", "websrv.json");
	add_string(&j, "description", conf_schema.doc);
	add_section(&j, &conf_schema);
	jsonout_object_end(&j);
}
