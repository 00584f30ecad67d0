/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scalar: one JSON value (or the text of a default) becomes one member of a struct, by
 * the type of its key; and the sentences that say what would have been right.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "conf/loader.h"
#include "conf/suggest.h"
#include "conf/value.h"

#define CHOICES_MAX 32
#define MODE_MAX 0777
#define WHOLE_MAX 9007199254740992.0 /* 2^53: a double has all whole numbers up to it */

static struct slice
json_text(const json_t *json)
{
	return slice_make(json_string_value(json), json_string_length(json));
}

void
load_store(void *target, size_t offset, size_t size, uint64_t value)
{
	char *to = (char *)target + offset;
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	if (size == sizeof(v8))
		memcpy(to, &v8, sizeof(v8));
	else if (size == sizeof(v16))
		memcpy(to, &v16, sizeof(v16));
	else if (size == sizeof(v32))
		memcpy(to, &v32, sizeof(v32));
	else
		memcpy(to, &value, sizeof(value));
}

const char *
load_choices(struct load *l, const struct conf_key *key)
{
	const char *text = "", *quote = key->type == CONF_CODE ? "" : "\"";

	for (const struct conf_choice *c = key->choices; c->word != NULL; c++) {
		if (c->refused == NULL)
			text = load_text(l, "%s%s%s%s%s", text, *text != '\0' ? ", " : "",
					 quote, c->word, quote);
	}
	return key->flags & CONF_NULL_VALUE ? load_text(l, "%s, null", text) : text;
}

/* A number in the unit that its key is written in. */
static const char *
show(struct load *l, const struct conf_key *key, uint64_t v)
{
	char out[VALUE_TEXT];

	if (key->type == CONF_SIZE)
		return load_text(l, "%s", value_format_size(v, out));
	if (key->type == CONF_DURATION)
		return load_text(l, "%s", value_format_duration(v, out));
	return load_text(l, "%" PRIu64, v);
}

static const char *
range(struct load *l, const struct conf_key *key)
{
	if (key->max == 0)
		return "";
	return load_text(l, " from %s to %s", show(l, key, key->min),
			 show(l, key, key->max));
}

/* Of a section, and of a list with words of its own. */
static const char *
wanted_inner(struct load *l, const struct conf_key *key)
{
	const struct conf_key *lead = &key->section->keys[0];
	const char *first = lead->name;
	/* Who wrote the value that the object is about learns where it goes. */
	const char *with = (lead->flags & (CONF_REQUIRED | CONF_SHORT)) == CONF_REQUIRED
				   ? load_text(l, " with \"%s\" in it%s", first,
					       key->flags & CONF_NULLABLE ? "," : "")
				   : "";

	return load_text(l, "write %s%s%s%san object%s%s",
			 key->flags & CONF_SWITCH ? "true, false, " : "",
			 key->flags & CONF_SHORT ? "an array of " : "",
			 key->flags & CONF_SHORT ? first : "",
			 key->flags & CONF_SHORT ? " or " : "", with,
			 key->flags & CONF_NULLABLE ? " or null" : "");
}

/* What would be right, as a command: "write true or false". */
static const char *
wanted(struct load *l, const struct conf_key *key)
{
	const char *or_null = key->flags & CONF_NULLABLE ? " or null" : "";

	switch (key->type) {
	case CONF_BOOL:
		return "write true or false";
	case CONF_COUNT:
		return load_text(l, "write a whole number%s%s%s", range(l, key),
				 key->choices != NULL ? ", or " : "",
				 key->choices != NULL ? load_choices(l, key) : "");
	case CONF_SIZE:
		return load_text(l, "write a size%s: bytes, or a string such as \"10M\"",
				 range(l, key));
	case CONF_DURATION:
		return load_text(l,
				 "write a duration%s: seconds, or a string such as "
				 "\"500ms\" or \"2m\"",
				 range(l, key));
	case CONF_CHOICE:
	case CONF_CODE:
		return load_text(l, "write one of %s", load_choices(l, key));
	case CONF_SET:
		return load_text(l, "write an array with some of %s",
				 load_choices(l, key));
	case CONF_MODE:
		return "write permission bits as a string of octal digits, such as "
		       "\"0640\"";
	case CONF_INCLUDE:
		return "write an array of strings";
	case CONF_TEXTS:
		return key->choices == NULL
			       ? "write an array of strings"
			       : load_text(l, "write an array with some of %s",
					   load_choices(l, key));
	case CONF_PAIRS:
		return "write an object";
	case CONF_MAP:
		return key->set == NULL ? "write an object"
					: "write an object or the name of a file";
	case CONF_SECTION:
		return wanted_inner(l, key);
	case CONF_LIST:
		return key->flags & CONF_SHORT ? "write an array of strings or objects"
					       : "write an array of objects";
	case CONF_PATH:
		return "write a path as a string";
	default:
		return load_text(l, "write a string%s", or_null);
	}
}

/* JSON has one kind of numbers: 1.0 and 1e3 are whole (so has JSON Schema, section 6.1.1 of
 * its validation part). Those beyond 2^53 might be meant as another one. */
static bool
is_whole(const json_t *json, json_int_t *out)
{
	double v = json_is_real(json) ? json_real_value(json) : 0.5;

	if (json_is_integer(json)) {
		*out = json_integer_value(json);
		return true;
	}
	if (!(v >= -WHOLE_MAX && v <= WHOLE_MAX) || v != (double)(json_int_t)v)
		return false;
	*out = (json_int_t)v;
	return true;
}

static bool
is_huge(const json_t *json)
{
	double v = json_real_value(json);

	return v < -WHOLE_MAX || v > WHOLE_MAX;
}

const char *
load_type_name(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return is_huge(json) ? "a number beyond all ranges"
				     : "a number with a fraction";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return "null";
	}
}

void
load_wrong_type(struct load *l, const struct conf_key *key, const struct conf_at *at)
{
	bool may_go = json_is_null(at->json) &&
		      (key->flags & (CONF_REQUIRED | CONF_ONE_OF)) == 0;

	load_error(l, at, "this is %s; %s%s", load_type_name(at->json), wanted(l, key),
		   may_go ? ", or leave it out" : "");
}

/* The value as it stands in the file, for messages. */
static const char *
as_written(struct load *l, const json_t *json)
{
	if (json_is_string(json))
		return load_quote(l, json_text(json));
	if (json_is_real(json))
		return load_text(l, "%g", json_real_value(json));
	return load_text(l, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
}

static void
store_ranged(struct load *l, const struct conf_key *key, void *target,
	     const struct conf_at *at, uint64_t value)
{
	if (key->max != 0 && value > key->max)
		load_error(l, at, "%s is too big; %s", as_written(l, at->json),
			   wanted(l, key));
	else if (value < key->min)
		load_error(l, at, "%s is too small; %s", as_written(l, at->json),
			   wanted(l, key));
	else
		load_store(target, key->offset, key->size, value);
}

/* Text of a number with its unit, or of a word that stands for one. */
static int
number_from_text(const struct conf_key *key, struct slice s, uint64_t *out)
{
	if (key->type == CONF_SIZE)
		return value_size(s, out);
	if (key->type == CONF_DURATION)
		return value_duration(s, out);
	for (const struct conf_choice *c = key->choices; c != NULL && c->word != NULL;
	     c++) {
		if (slice_eq(s, slice_from_str(c->word))) {
			*out = c->value;
			return 0;
		}
	}
	return -EINVAL;
}

/* In quotes, where only words are. */
static bool
is_number(struct slice s)
{
	uint64_t value;

	return number_dec(s, UINT64_MAX, &value) == 0;
}

static void
load_number(struct load *l, const struct conf_key *key, void *target,
	    const struct conf_at *at)
{
	uint64_t value = 0;
	json_int_t number = 0;
	bool whole = is_whole(at->json, &number);
	int rc = 0;

	if (whole && number < 0) {
		load_error(l, at, "%s is too small; %s", as_written(l, at->json),
			   wanted(l, key));
		return;
	}
	if (whole) {
		value = (uint64_t)number;
		if (key->type == CONF_DURATION &&
		    __builtin_mul_overflow(value, 1000, &value))
			rc = -ERANGE;
	} else if (json_is_real(at->json) && key->type == CONF_DURATION) {
		rc = value_duration_seconds(json_real_value(at->json), &value);
	} else if (json_is_string(at->json) &&
		   (key->type != CONF_COUNT || key->choices != NULL)) {
		rc = number_from_text(key, json_text(at->json), &value);
		/* "auto" is not to be held against the range of the number. */
		if (rc == 0 && key->type == CONF_COUNT) {
			load_store(target, key->offset, key->size, value);
			return;
		}
	} else {
		load_wrong_type(l, key, at);
		return;
	}
	if (rc == -EINVAL && key->type == CONF_COUNT && is_number(json_text(at->json)))
		load_wrong_type(l, key, at);
	else if (rc == -EINVAL)
		load_error(l, at, "%s is not understood; %s", as_written(l, at->json),
			   wanted(l, key));
	else if (rc < 0)
		load_error(l, at, "%s is out of range; %s", as_written(l, at->json),
			   wanted(l, key));
	else
		store_ranged(l, key, target, at, value);
}

const struct conf_choice *
load_choice(struct load *l, const struct conf_key *key, const struct conf_at *at,
	    struct slice word)
{
	const char *words[CHOICES_MAX];
	const char *near;
	size_t n = 0;

	for (const struct conf_choice *c = key->choices; c->word != NULL; c++) {
		if (!slice_eq(word, slice_from_str(c->word))) {
			if (n < CHOICES_MAX && c->refused == NULL)
				words[n++] = c->word;
			continue;
		}
		if (c->refused == NULL)
			return c;
		load_error(l, at, "\"%s\" %s; write one of %s", c->word, c->refused,
			   load_choices(l, key));
		return NULL;
	}
	if (key->flags & CONF_NULL_VALUE && slice_eq(word, SLICE("null"))) {
		load_error(l, at, "\"null\" is a string; write null without quotes");
		return NULL;
	}
	near = suggest_nearest(word, words, n);
	if (near != NULL)
		load_error(l, at, "%s is not known here; did you mean \"%s\"?",
			   load_quote(l, word), near);
	else
		load_error(l, at, "%s is not known here; write one of %s",
			   load_quote(l, word), load_choices(l, key));
	return NULL;
}

static void
load_code(struct load *l, const struct conf_key *key, void *target,
	  const struct conf_at *at)
{
	json_int_t number = 0;

	if (!is_whole(at->json, &number)) {
		load_wrong_type(l, key, at);
		return;
	}
	for (const struct conf_choice *c = key->choices; c->word != NULL; c++) {
		if (number == (json_int_t)c->value) {
			load_store(target, key->offset, key->size, c->value);
			return;
		}
	}
	load_error(l, at, "%s is not possible here; %s", as_written(l, at->json),
		   wanted(l, key));
}

/* Octal digits, with or without a leading 0. */
static int
mode_from_text(struct slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0 || s.len > 5)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '7')
			return -EINVAL;
		v = v * 8 + (uint64_t)(s.ptr[i] - '0');
	}
	*out = v;
	return v > MODE_MAX ? -ERANGE : 0;
}

static void
load_mode(struct load *l, const struct conf_key *key, void *target,
	  const struct conf_at *at)
{
	uint64_t mode = 0;
	int rc;

	if (!json_is_string(at->json)) {
		load_wrong_type(l, key, at);
		return;
	}
	rc = mode_from_text(json_text(at->json), &mode);
	if (rc == 0)
		load_store(target, key->offset, key->size, mode);
	else
		load_error(l, at, "%s is not %s; %s", as_written(l, at->json),
			   rc == -ERANGE ? "at most \"0777\"" : "an octal number",
			   wanted(l, key));
}

void
load_string(struct load *l, const struct conf_key *key, void *target,
	    const struct conf_at *at, struct slice s)
{
	struct slice written = s;
	const char *wrong = NULL;
	const char *text;

	if (key->flags & (CONF_HOST | CONF_URL))
		wrong = load_host_to_ascii(l, &s, (key->flags & CONF_URL) != 0);
	if (wrong == NULL && key->check != NULL)
		wrong = key->check(s);
	if (wrong != NULL) {
		load_error(l, at, "%s %s", load_quote(l, written), wrong);
		return;
	}
	if (key->set != NULL) {
		key->set(l, key, target, at, s);
		return;
	}
	if (key->type == CONF_PATH)
		text = load_path(l, at, s);
	else if (key->flags & CONF_LOWER)
		text = load_strdup_lower(l, s);
	else
		text = load_strdup(l, s);
	memcpy((char *)target + key->offset, &text, sizeof(text));
}

void
load_scalar(struct load *l, const struct conf_key *key, void *target,
	    const struct conf_at *at)
{
	const struct conf_choice *choice;

	switch (key->type) {
	case CONF_BOOL:
		if (json_is_boolean(at->json))
			load_store(target, key->offset, key->size,
				   json_is_true(at->json));
		else
			load_wrong_type(l, key, at);
		return;
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		load_number(l, key, target, at);
		return;
	case CONF_CODE:
		load_code(l, key, target, at);
		return;
	case CONF_MODE:
		load_mode(l, key, target, at);
		return;
	default:
		break;
	}
	if (json_is_null(at->json) && key->flags & CONF_NULL_VALUE) {
		load_store(target, key->offset, key->size, key->null_value);
	} else if (!json_is_string(at->json)) {
		load_wrong_type(l, key, at);
	} else if (key->type == CONF_CHOICE) {
		choice = load_choice(l, key, at, json_text(at->json));
		if (choice != NULL)
			load_store(target, key->offset, key->size, choice->value);
	} else if (key->type != CONF_IGNORED) {
		load_string(l, key, target, at, json_text(at->json));
	}
}

/* The words of a default, split at spaces. What this build has not is no error here. */
static void
default_texts(struct load *l, const struct conf_key *key, void *target)
{
	struct slice rest = slice_from_str(key->fallback);
	const char **items = load_alloc(l, rest.len, sizeof(const char *));
	size_t n = 0;

	while (rest.len != 0 && items != NULL) {
		struct slice word = slice_make(rest.ptr, slice_find(rest, ' '));

		if (key->check == NULL || key->check(word) == NULL)
			items[n++] = load_strdup(l, word);
		rest = slice_from(rest, word.len + 1);
	}
	memcpy((char *)target + key->offset, &items, sizeof(items));
	memcpy((char *)target + key->count_offset, &n, sizeof(n));
}

void
load_default(struct load *l, const struct conf_key *key, void *target)
{
	struct slice s = slice_from_str(key->fallback);
	uint64_t value = 0;

	switch (key->type) {
	case CONF_TEXTS:
		default_texts(l, key, target);
		return;
	case CONF_PAIRS:
		load_default_pairs(l, key, target);
		return;
	case CONF_TEXT:
	case CONF_PATH:
		load_string(l, key, target, NULL, s);
		return;
	case CONF_BOOL:
		value = slice_eq(s, SLICE("true"));
		break;
	case CONF_MODE:
		(void)mode_from_text(s, &value);
		break;
	default:
		if (number_from_text(key, s, &value) < 0)
			(void)number_dec(s, UINT64_MAX, &value);
	}
	load_store(target, key->offset, key->size, value);
}
