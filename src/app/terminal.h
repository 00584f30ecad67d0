/* SPDX-License-Identifier: BSD-2-Clause
 *
 * terminal: a line that nobody else may see. From a terminal it is asked for without echo, and
 * the terminal is left as it was found, whatever signal comes; from anything else it is read.
 */
#ifndef WEBSRV_APP_TERMINAL_H
#define WEBSRV_APP_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Is standard input a terminal? Then terminal_ask() will do, else terminal_read(). */
bool terminal_is_there(void);

/* Prints `prompt` on /dev/tty and reads a line from it, without its end, into `out` with a NUL:
 * its length, or -errno: -EINTR (a signal came; it is pending, and takes effect when this
 * returns, unless it only stops), -ENODATA (there was no line), -ERANGE (it is too long). */
ssize_t terminal_ask(const char *prompt, char *out, size_t size)
	__attribute__((warn_unused_result));

/* The same of standard input, without a prompt. */
ssize_t terminal_read(char *out, size_t size) __attribute__((warn_unused_result));

#endif
