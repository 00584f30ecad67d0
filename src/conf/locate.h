/* SPDX-License-Identifier: BSD-2-Clause
 *
 * locate: where everything stands. The JSON library knows positions only for syntax
 * errors, so a second, small scanner walks the same text and builds a tree in parallel
 * to the values: keys, positions, and which keys are said twice. Nodes and decoded keys
 * live in the caller's arena.
 */
#ifndef WEBSRV_CONF_LOCATE_H
#define WEBSRV_CONF_LOCATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

struct buf;

/* Both count from 1. A column is a byte, not a character: that is what stays true when
 * a comment is blanked, and what editors jump to. */
struct locate_pos {
	uint32_t line, column;
};

struct locate_node {
	struct slice key; /* decoded and NUL-terminated; members of objects only */
	struct locate_pos key_pos;
	struct locate_pos pos; /* first byte of the value */
	uint32_t index;        /* among its siblings */
	uint32_t own_index;    /* among those of its own file: what a pointer says */
	uint32_t file;         /* which one; 0 is the main one */
	uint32_t count;        /* children */
	bool is_object;
	struct locate_node *parent, *first, *last, *next;
	/* The first member of the object with the same key, when this is a later one. */
	const struct locate_node *earlier;
};

/* The tree of a text that is valid JSON (a text that is not gives a tree that is of no
 * use, never a crash). NULL when memory is exhausted or there is no value at all. */
struct locate_node *locate_build(struct slice text, struct arena *arena)
	__attribute__((warn_unused_result));

/* The last member of that name, as the JSON library also keeps it; NULL if none. */
const struct locate_node *locate_member(const struct locate_node *object,
					const char *key);

/* Line and column of an offset, by walking the text from its start. */
struct locate_pos locate_offset(struct slice text, size_t offset);

/* Appends the JSON pointer of the node, RFC 6901: "" for the root. */
void locate_pointer(const struct locate_node *node, struct buf *out);

#endif
