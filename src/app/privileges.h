/* SPDX-License-Identifier: BSD-2-Clause
 *
 * privileges: becoming "user" and "group" for good.
 */
#ifndef WEBSRV_APP_PRIVILEGES_H
#define WEBSRV_APP_PRIVILEGES_H

struct buf;
struct config;
struct log;

/* Do the user and the group exist? 0, or -1 with positioned messages. */
int privileges_check(const struct config *conf, struct buf *errors);

/* Started as root: drops to the configured user and group (its primary group, when only a
 * user is named) and verifies that there is no way back. Otherwise does nothing. 0 or -1. */
int privileges_drop(const struct config *conf, const struct log *log);

#endif
