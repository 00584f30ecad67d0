/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notify: the state of the server, told to whoever started it: sd_notify(3) without the
 * library. One datagram to the unix socket that the environment names.
 */
#ifndef WEBSRV_APP_NOTIFY_H
#define WEBSRV_APP_NOTIFY_H

struct log;

/* Lines "NAME=VALUE" as in sd_notify(3). Without NOTIFY_SOCKET nothing is sent; that it could
 * not be sent is a warning in the log. */
void notify_send(const struct log *log, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
