/* SPDX-License-Identifier: BSD-2-Clause
 *
 * staging: the directory in an upload directory where unfinished uploads lie. What is in it is
 * being written by somebody else and has no name yet: the store makes it, and nothing ever
 * serves or lists it, whatever the configuration says.
 */
#ifndef WEBSRV_HANDLER_STAGING_H
#define WEBSRV_HANDLER_STAGING_H

#include "base/slice.h"

/* In the directory itself, so that names move without copying; begins with a dot, as no upload
 * may. */
#define STORE_STAGING ".websrv-uploads"

/* The first segment of the path that has this name, in any case, since file systems differ in
 * what they tell apart; empty: none has. */
struct slice staging_find(struct slice path);

#endif
