/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Preloaded into websrv under valgrind, which (3.19, in Debian 12) does not know the system call
 * openat2: it becomes openat. What openat2 refuses is tested elsewhere, without valgrind.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>

long syscall(long number, ...);

long
syscall(long number, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2) {
		const struct open_how *how = (const struct open_how *)a[2];

		return openat((int)a[0], (const char *)a[1], (int)how->flags,
			      (mode_t)how->mode);
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
