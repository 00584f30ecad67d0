/* SPDX-License-Identifier: BSD-2-Clause
 *
 * disposition: Content-Disposition, RFC 6266.
 */
#ifndef WEBSRV_HTTP_DISPOSITION_H
#define WEBSRV_HTTP_DISPOSITION_H

#include "base/arena.h"
#include "base/slice.h"

/*
 * `attachment; filename="..."`; a name that is not plain ASCII has also filename*, in UTF-8 and
 * percent-encoded (RFC 8187), and a plain name for old clients with '_' for what it cannot say.
 * An empty name gives just "attachment". NULL ptr: no memory.
 */
struct slice disposition_attachment(struct arena *a, struct slice name);

#endif
