/* SPDX-License-Identifier: BSD-2-Clause
 *
 * arena: memory that is given back all at once. Allocations are 16-byte aligned and
 * live until arena_reset() or arena_fini(). The sum is capped by `max`, so one
 * request can never take more than that.
 */
#ifndef WEBSRV_BASE_ARENA_H
#define WEBSRV_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"

#define ARENA_ALIGN ((size_t)16)

struct arena_block;

struct arena {
	struct arena_block *head; /* newest first */
	char *next;               /* what is handed out next, from head... */
	size_t left;              /* ...where there are so many bytes */
	size_t total;             /* bytes of all blocks */
	size_t max;               /* cap on total */
};

/* No memory is taken before the first allocation. `max` is in bytes. */
void arena_init(struct arena *a, size_t max);
/* Frees all blocks. */
void arena_fini(struct arena *a);
/* Forgets every allocation; keeps one block of the ordinary size for the next user. */
void arena_reset(struct arena *a);

/* When head has not enough left. */
void *arena_alloc_more(struct arena *a, size_t size) __attribute__((warn_unused_result));

/* All return NULL when memory or the cap is exhausted. */
static inline void *__attribute__((warn_unused_result))
arena_alloc(struct arena *a, size_t size)
{
	size_t taken = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	char *p = a->next;

	if (p == NULL || size > a->left || taken > a->left)
		return arena_alloc_more(a, size);
	a->next += taken;
	a->left -= taken;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size) __attribute__((warn_unused_result));
/* NUL-terminated copy. */
char *arena_strdup(struct arena *a, struct slice s) __attribute__((warn_unused_result));
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((warn_unused_result, format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((warn_unused_result, format(printf, 2, 0)));

/* The next allocations cannot fail as long as their sum, each rounded up to ARENA_ALIGN, is not
 * above `size`. 0 or -ENOMEM. */
int arena_reserve(struct arena *a, size_t size) __attribute__((warn_unused_result));

#endif
