/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reach: may the user that serves enter the roots and write to the upload directories?
 */
#ifndef WEBSRV_APP_REACH_H
#define WEBSRV_APP_REACH_H

struct config;
struct lint;

/* Started as root, a child becomes that user as a worker does, and looks. Another user than
 * the configured one cannot tell, and nothing is said. Directories that are not there are left
 * to who opens them. */
void reach_check(struct lint *l, const struct config *conf);

#endif
