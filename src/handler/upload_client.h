/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_client: "per_client" of an upload: how many bodies of one address a route takes at a
 * time, over all workers. They count in the table of base/clients.h, under a key made of both.
 */
#ifndef WEBSRV_HANDLER_UPLOAD_CLIENT_H
#define WEBSRV_HANDLER_UPLOAD_CLIENT_H

struct exchange;

/* For a request with a body: 0 and it counts, until upload_client_leave(); or 429, with
 * Retry-After and a reason. Peers of unix sockets are not counted. */
int upload_client_enter(struct exchange *ex);
/* Does nothing when it was not counted, or a second time. */
void upload_client_leave(struct exchange *ex);

#endif
