/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemonize: into the background, with the outcome of the start still told in front.
 */
#ifndef WEBSRV_APP_DAEMONIZE_H
#define WEBSRV_APP_DAEMONIZE_H

#define DAEMONIZE_READY "\n" /* what the child writes when it is up */

/*
 * Forks. In the child: a new session, *ready_fd set to where one byte tells that the server is
 * up; returns 0. In the parent: waits for that byte and returns 1 with *status set to the exit
 * status for the shell: 0, or that of the child when it ended first; anything else that the
 * child writes there is its complaint and goes to stderr. -errno on failure.
 */
int daemonize(int *ready_fd, int *status);

/* The child's, once it is up: stdin, stdout and stderr become /dev/null. 0 or -errno. */
int daemonize_detach(void);

#endif
