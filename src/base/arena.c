/* SPDX-License-Identifier: BSD-2-Clause
 *
 * arena: a list of blocks, bump allocation from the newest. A request that does not
 * fit the ordinary block gets one of its own size.
 */
#include "base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)4096)

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	_Alignas(16) char data[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

static void
use_block(struct arena *a, struct arena_block *b)
{
	a->head = b;
	a->next = b != NULL ? b->data : NULL;
	a->left = b != NULL ? b->size : 0;
}

static void
free_blocks(struct arena_block *b)
{
	while (b != NULL) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

void
arena_fini(struct arena *a)
{
	free_blocks(a->head);
	arena_init(a, a->max);
}

void
arena_reset(struct arena *a)
{
	struct arena_block *b = a->head;

	while (b != NULL && b->next != NULL) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
	if (b != NULL && b->size > BLOCK_SIZE) {
		free(b);
		b = NULL;
	}
	use_block(a, b);
	a->total = b != NULL ? b->size : 0;
}

static int
add_block(struct arena *a, size_t need)
{
	size_t size = need > BLOCK_SIZE ? need : BLOCK_SIZE;
	size_t left = a->max - a->total;
	struct arena_block *b;

	if (need > left)
		return -1;
	if (size > left) /* the last block takes what the cap leaves */
		size = left;
	b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return -1;
	b->size = size;
	b->next = a->head;
	use_block(a, b);
	a->total += size;
	return 0;
}

int
arena_reserve(struct arena *a, size_t size)
{
	if (a->head != NULL && size <= a->left)
		return 0;
	return add_block(a, size) < 0 ? -ENOMEM : 0;
}

void *
arena_alloc_more(struct arena *a, size_t size)
{
	if (size > SIZE_MAX - ARENA_ALIGN ||
	    add_block(a, (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1)) < 0)
		return NULL;
	return arena_alloc(a, size);
}

void *
arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	if (p != NULL)
		memset(p, 0, size);
	return p;
}

char *
arena_strdup(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.len + 1);

	if (p == NULL)
		return NULL;
	if (s.len != 0)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return p;
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p = NULL;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n >= 0)
		p = arena_alloc(a, (size_t)n + 1);
	if (p != NULL)
		vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}
