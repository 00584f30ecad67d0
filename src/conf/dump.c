/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dump: the loader's walk in reverse: the table says where in the struct each value is.
 * What the loader stores by a function of its own is read back by the row's `get`.
 */
#include "conf/dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "conf/jsonout.h"
#include "conf/loader.h"
#include "conf/value.h"

struct dump {
	struct jsonout json;
	const struct conf_server *server; /* the one that is being written */
};

static void dump_keys(struct dump *d, const struct conf_section *section,
		      const void *target);

static const void *
member(const struct conf_key *key, const void *target)
{
	return (const char *)target + key->offset;
}

static uint64_t
number_of(const void *from, size_t size)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (size) {
	case sizeof(v8):
		memcpy(&v8, from, sizeof(v8));
		return v8;
	case sizeof(v16):
		memcpy(&v16, from, sizeof(v16));
		return v16;
	case sizeof(v32):
		memcpy(&v32, from, sizeof(v32));
		return v32;
	default:
		memcpy(&v64, from, sizeof(v64));
		return v64;
	}
}

static size_t
count_of(const struct conf_key *key, const void *target)
{
	size_t n;

	memcpy(&n, (const char *)target + key->count_offset, sizeof(n));
	return n;
}

static const void *
pointer_of(const struct conf_key *key, const void *target)
{
	const void *p;

	memcpy(&p, member(key, target), sizeof(p));
	return p;
}

/* Is the key there at all? What has no mark always is. */
static bool
is_there(const struct conf_key *key, const void *target)
{
	const char *from = (const char *)target + key->mark;

	return key->mark_bit == 0 ||
	       (number_of(from, key->mark_size) & key->mark_bit) != 0;
}

/* Sizes and durations are strings when they have a unit. */
static void
dump_quantity(struct dump *d, const struct conf_key *key, uint64_t value)
{
	char text[VALUE_TEXT];
	struct slice s = slice_from_str(key->type == CONF_SIZE
						? value_format_size(value, text)
						: value_format_duration(value, text));
	char last = s.ptr[s.len - 1];

	if (last >= '0' && last <= '9')
		jsonout_number(&d->json, key->name, value);
	else
		jsonout_string(&d->json, key->name, s);
}

static void
dump_choice(struct dump *d, const struct conf_key *key, uint64_t value)
{
	for (const struct conf_choice *c = key->choices; c->word != NULL; c++) {
		if (c->refused == NULL && c->value == value) {
			jsonout_string(&d->json, key->name, slice_from_str(c->word));
			return;
		}
	}
	if (key->flags & CONF_NULL_VALUE)
		jsonout_word(&d->json, key->name, "null");
}

static void
dump_number(struct dump *d, const struct conf_key *key, const void *target)
{
	uint64_t value = number_of(member(key, target), key->size);
	char mode[8];

	switch (key->type) {
	case CONF_BOOL:
		jsonout_word(&d->json, key->name, value != 0 ? "true" : "false");
		break;
	case CONF_SIZE:
	case CONF_DURATION:
		dump_quantity(d, key, value);
		break;
	case CONF_CHOICE:
		dump_choice(d, key, value);
		break;
	case CONF_MODE:
		snprintf(mode, sizeof(mode), "%04o", (unsigned)value & 0777);
		jsonout_string(&d->json, key->name, slice_from_str(mode));
		break;
	default:
		jsonout_number(&d->json, key->name, value);
	}
}

/* The default of a set is to have none of its words. */
static void
dump_set(struct dump *d, const struct conf_key *key, const void *target)
{
	uint64_t set = number_of(member(key, target), key->size);

	if (set == 0 && key->min != 0)
		return;
	jsonout_line(&d->json, key->name);
	for (const struct conf_choice *c = key->choices; c->word != NULL; c++) {
		if ((set & c->value) != 0)
			jsonout_string(&d->json, NULL, slice_from_str(c->word));
	}
	jsonout_array_end(&d->json);
}

static void
dump_text(struct dump *d, const struct conf_key *key, const void *target)
{
	const char *text;
	struct buf b;

	if (key->get == NULL) {
		text = pointer_of(key, target);
		if (text != NULL)
			jsonout_string(&d->json, key->name, slice_from_str(text));
		return;
	}
	buf_init(&b);
	key->get(target, &b);
	jsonout_string(&d->json, key->name, buf_slice(&b));
	if (b.failed)
		d->json.out->failed = true;
	buf_fini(&b);
}

static void
dump_texts(struct dump *d, const struct conf_key *key, const void *target)
{
	const char *const *items = pointer_of(key, target);
	size_t count = count_of(key, target);

	if (count < key->min)
		return;
	jsonout_line(&d->json, key->name);
	for (size_t i = 0; i < count; i++)
		jsonout_string(&d->json, NULL, slice_from_str(items[i]));
	jsonout_array_end(&d->json);
}

/* What was there by default or in the enclosing level and is not any more was taken away
 * by null, and would come back without it. */
static void
dump_removed(struct dump *d, const struct conf_key *key, const struct conf_pairs *have)
{
	const struct conf_pairs *outer = &d->server->headers;
	char name[64];

	if (key->fallback != NULL) {
		snprintf(name, sizeof(name), "%.*s",
			 (int)slice_find(slice_from_str(key->fallback), ':'),
			 key->fallback);
		if (pair_find(have, name) == NULL)
			jsonout_word(&d->json, name, "null");
		return;
	}
	for (size_t i = 0; i < outer->count; i++) {
		if (pair_find(have, outer->items[i].name) == NULL)
			jsonout_word(&d->json, outer->items[i].name, "null");
	}
}

static void
dump_pairs(struct dump *d, const struct conf_key *key, const void *target)
{
	struct conf_pairs pairs = { pointer_of(key, target), count_of(key, target) };

	jsonout_object(&d->json, key->name);
	for (size_t i = 0; i < pairs.count; i++)
		jsonout_string(&d->json, pairs.items[i].name,
			       slice_from_str(pairs.items[i].value));
	if (key->flags & CONF_NULLABLE)
		dump_removed(d, key, &pairs);
	jsonout_object_end(&d->json);
}

static void
dump_section(struct dump *d, const struct conf_key *key, const void *target)
{
	if (is_there(key, target)) {
		jsonout_object(&d->json, key->name);
		dump_keys(d, key->section, member(key, target));
		jsonout_object_end(&d->json);
	} else if (key->flags & (CONF_SWITCH | CONF_NULLABLE)) {
		jsonout_word(&d->json, key->name,
			     key->flags & CONF_SWITCH ? "false" : "null");
	}
}

static void
dump_list(struct dump *d, const struct conf_key *key, const void *target)
{
	const struct conf_section *section = key->section;
	const char *items = pointer_of(key, target);
	size_t count = count_of(key, target);

	jsonout_array(&d->json, key->name);
	for (size_t i = 0; i < count; i++) {
		if (section->begins_server)
			d->server = (const void *)(items + i * section->size);
		jsonout_object(&d->json, NULL);
		dump_keys(d, section, items + i * section->size);
		jsonout_object_end(&d->json);
	}
	jsonout_array_end(&d->json);
}

static void
dump_map(struct dump *d, const struct conf_key *key, const void *target)
{
	const char *items = pointer_of(key, target);
	size_t count = count_of(key, target);
	struct buf name;

	buf_init(&name);
	jsonout_object(&d->json, key->name);
	for (size_t i = 0; i < count && !name.failed; i++) {
		const void *item = items + i * key->section->size;

		name.len = 0;
		key->section->get_name(item, &name);
		buf_add_char(&name, '\0');
		jsonout_object(&d->json, name.failed ? "" : name.ptr);
		dump_keys(d, key->section, item);
		jsonout_object_end(&d->json);
	}
	jsonout_object_end(&d->json);
	if (name.failed)
		d->json.out->failed = true;
	buf_fini(&name);
}

static void
dump_key(struct dump *d, const struct conf_key *key, const void *target)
{
	switch (key->type) {
	case CONF_IGNORED:
	case CONF_INCLUDE:
		break;
	case CONF_LATER:
		jsonout_word(&d->json, key->name, key->fallback);
		break;
	case CONF_SECTION:
		dump_section(d, key, target);
		break;
	case CONF_LIST:
		dump_list(d, key, target);
		break;
	case CONF_MAP:
		dump_map(d, key, target);
		break;
	case CONF_PAIRS:
		dump_pairs(d, key, target);
		break;
	case CONF_TEXTS:
		dump_texts(d, key, target);
		break;
	case CONF_SET:
		dump_set(d, key, target);
		break;
	case CONF_TEXT:
	case CONF_PATH:
		dump_text(d, key, target);
		break;
	default:
		if (is_there(key, target))
			dump_number(d, key, target);
	}
}

static void
dump_keys(struct dump *d, const struct conf_section *section, const void *target)
{
	for (size_t i = 0; i < section->count; i++) {
		if (conf_key_is_in(&section->keys[i], section))
			dump_key(d, &section->keys[i], target);
	}
}

int
conf_dump(const struct config *c, struct buf *out)
{
	struct dump d = { .server = NULL };

	jsonout_init(&d.json, out);
	jsonout_object(&d.json, NULL);
	dump_keys(&d, &conf_schema, c);
	jsonout_object_end(&d.json);
	if (out->failed)
		return -ENOMEM;
	return d.json.has_invalid ? -EILSEQ : 0;
}
