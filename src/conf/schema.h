/* SPDX-License-Identifier: BSD-2-Clause
 *
 * schema: the one table of configuration keys. The loader, and whatever prints a JSON
 * Schema, the effective configuration or the reference of the man page, walk this table;
 * a key that is not in it does not exist. Const data, no state.
 */
#ifndef WEBSRV_CONF_SCHEMA_H
#define WEBSRV_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;
struct conf_at;
struct conf_key;
struct load;

/* The type of a key: what JSON is taken, and what is stored at `offset` of the target. */
enum conf_type {
	CONF_IGNORED,  /* any string; nothing is stored */
	CONF_LATER,    /* what a later version has: only `fallback` is taken, the word of
			* JSON that says "not used"; nothing is stored */
	CONF_INCLUDE,  /* array of patterns of files; nothing is stored */
	CONF_BOOL,     /* true, false */
	CONF_COUNT,    /* a whole number, or a word of `choices` */
	CONF_SIZE,     /* bytes: a whole number or "10M" */
	CONF_DURATION, /* stored as ms: seconds, or "500ms" */
	CONF_CHOICE,   /* a word of `choices`; its value is stored */
	CONF_CODE,     /* a number that is a value of `choices` */
	CONF_SET,      /* array of words of `choices`; their values are or-ed */
	CONF_MODE,     /* "0640" */
	CONF_TEXT,     /* string; const char * */
	CONF_PATH,     /* string; const char *, absolute */
	CONF_TEXTS,    /* array of strings; const char *const *, and a count; with
			* `choices` of those words only */
	CONF_PAIRS,    /* object of strings; const struct conf_pair *, and a count; laid
			* over what is there by default or from the enclosing level */
	CONF_SECTION,  /* object with the keys of `section`; an embedded struct */
	CONF_LIST,     /* array of such objects; an array of structs, and a count */
	CONF_MAP       /* object of such objects; likewise, sections read their own key */
};

enum conf_flag {
	CONF_REQUIRED = 1 << 0,
	/* null is the same as leaving it out; as the value of a pair it takes away the one of
	 * that name that is there already */
	CONF_NULLABLE = 1 << 1,
	/* SECTION, LIST, MAP: what is no object stands for the section's first key: a string,
	 * or an array where that key takes one */
	CONF_SHORT = 1 << 2,
	CONF_INHERITED =
		1 << 3,      /* begins as a copy of the enclosing level, not as default */
	CONF_LOWER = 1 << 4, /* names of PAIRS, items of TEXTS are stored in lower case */
	CONF_UNIQUE = 1 << 5, /* TEXTS: no item stands there twice */
	/* SECTION: true is the section with nothing but defaults, false leaves it out */
	CONF_SWITCH = 1 << 6,
	CONF_NULL_VALUE = 1 << 7, /* CHOICE: null is a value of its own: null_value */
	/* exactly one of the keys with this flag is required; the section's done() sees to it */
	CONF_ONE_OF = 1 << 8,
	/* TEXT, TEXTS: a host name, or a string that may be a URL; a host in Unicode is
	 * converted before it is checked and stored */
	CONF_HOST = 1 << 12,
	CONF_URL = 1 << 13
};

/* Where a key may stand; a section names one, a key of a shared table several. */
enum conf_scope { CONF_GLOBAL = 1, CONF_SERVER = 2, CONF_ROUTE = 4, CONF_ANYWHERE = 7 };

struct conf_choice {
	const char *word;
	uint64_t value;
	const char *refused; /* why it is known but not taken here; NULL = it is taken */
};

/* NULL, or what is wrong with a string and what would be right: it is printed behind the
 * quoted string: "... has a space; write %20". */
typedef const char *(*conf_check_fn)(struct slice s);
/* Stores a string itself; reports what is wrong with it. `target` is the struct, for items
 * of CONF_TEXTS the const char * of the item. */
typedef void (*conf_set_fn)(struct load *l, const struct conf_key *key, void *target,
			    const struct conf_at *at, struct slice s);
/* The way back: appends text that `set` stores as what `target` has. */
typedef void (*conf_get_fn)(const void *target, struct buf *out);

struct conf_key {
	const char *name;
	enum conf_type type;
	const char *fallback; /* default, written as in the file without quotes; words of
			       * an array are split at spaces, those that `check` refuses
			       * are left out; PAIRS have one; NULL = none (zero) */
	const char *doc;      /* one line, for the reference */

	size_t offset, size;    /* of the member that is written */
	size_t count_offset;    /* of the size_t with the number of items */
	size_t place;           /* of a struct conf_place for the value; 0 = none */
	size_t mark, mark_size; /* of a number that gets `mark_bit` or-ed into it */
	unsigned mark_bit;      /* when the key is present */
	unsigned flags;         /* set of enum conf_flag */
	unsigned scope;         /* set of enum conf_scope; 0 = anywhere */
	uint64_t min, max;      /* value, or number of items; max 0 = no limit */
	uint64_t null_value;    /* with CONF_NULL_VALUE */
	const struct conf_choice *choices; /* ends with a word that is NULL */
	conf_check_fn check;               /* of a string, or the value of a pair */
	conf_check_fn check_name;          /* of the name of a pair */
	conf_set_fn set;                   /* instead of storing at `offset`; of a MAP
					    * what a string does instead of an object */
	conf_get_fn get;                   /* of what no member at `offset` tells */
	const struct conf_section *section;
};

struct conf_section {
	const char *name; /* for documentation: "listen", "files" */
	const char *doc;
	const struct conf_key *keys; /* loaded in this order, whatever that of the file */
	size_t count;
	size_t size;          /* of the struct, for LIST and MAP */
	size_t place;         /* of a struct conf_place for the whole object; 0 = none */
	unsigned scope;       /* one of enum conf_scope; 0 = all keys are taken */
	bool begins_server;   /* LIST: it is that of the servers */
	conf_get_fn get_name; /* MAP: the key of an item */
	/* Before the keys: inherit from the enclosing level. */
	void (*begin)(struct load *l, void *target);
	/* After them: checks between keys. `clean`: no error was found inside. */
	void (*done)(struct load *l, void *target, const struct conf_at *at, bool clean);
};

/* The top of the file; everything else hangs from it. */
extern const struct conf_section conf_schema;

/* Is the key taken by this section (scope)? */
bool conf_key_is_in(const struct conf_key *key, const struct conf_section *section);
/* The key of that name, whatever its scope, or NULL. */
const struct conf_key *conf_key_find(const struct conf_section *section,
				     struct slice name);

#endif
