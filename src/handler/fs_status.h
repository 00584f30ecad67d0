/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs_status: the one table from errno to an HTTP status.
 */
#ifndef WEBSRV_HANDLER_FS_STATUS_H
#define WEBSRV_HANDLER_FS_STATUS_H

/* `error` is an errno value, positive or negative. Errors of the path are 404: that a name
 * is a FIFO, a link out of the root or a file used as a directory is nobody's business. */
int fs_status(int error);

#endif
