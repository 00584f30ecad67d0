/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watched_memory: a malloc of the program's own, which counts and fails when asked, also for the
 * libraries; with AddressSanitizer, or another libc than glibc, there is none. Included once by a
 * test program.
 */
#ifndef WEBSRV_TESTS_WATCHED_MEMORY_H
#define WEBSRV_TESTS_WATCHED_MEMORY_H

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define MEMORY_IS_WATCHED 0
#elif defined(__GLIBC__)
#define MEMORY_IS_WATCHED 1
#else
#define MEMORY_IS_WATCHED 0
#endif

static struct {
	bool on;
	size_t live, peak;
	size_t left; /* allocations until one fails, when `scarce` */
	bool scarce;
} memory;

static inline void
watch_memory(bool scarce, size_t left)
{
	memory.live = memory.peak = 0;
	memory.scarce = scarce;
	memory.left = left;
	memory.on = true;
}

#if MEMORY_IS_WATCHED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

static bool
is_refused(void)
{
	if (!memory.on || !memory.scarce)
		return false;
	if (memory.left == 0)
		return true;
	memory.left--;
	return false;
}

static void *
count(void *p)
{
	if (memory.on && p != NULL) {
		memory.live += malloc_usable_size(p);
		if (memory.live > memory.peak)
			memory.peak = memory.live;
	}
	return p;
}

void *
malloc(size_t size)
{
	return is_refused() ? NULL : count(__libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : count(__libc_calloc(n, size));
}

void *
realloc(void *p, size_t size)
{
	size_t before = p != NULL ? malloc_usable_size(p) : 0;
	void *q = is_refused() ? NULL : __libc_realloc(p, size);

	if (q != NULL && memory.on)
		memory.live -= before;
	return count(q);
}

void
free(void *p)
{
	if (p != NULL && memory.on)
		memory.live -= malloc_usable_size(p);
	__libc_free(p);
}
#endif

#endif
