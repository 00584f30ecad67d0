/* SPDX-License-Identifier: BSD-2-Clause
 *
 * disposition: Content-Disposition, RFC 6266.
 */
#ifndef WEBSRV_HTTP_DISPOSITION_H
#define WEBSRV_HTTP_DISPOSITION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/*
 * `attachment; filename="..."`; a name that is not plain ASCII has also filename*, in UTF-8 and
 * percent-encoded (RFC 8187), and a plain name for old clients with '_' for what it cannot say.
 * An empty name gives just "attachment". NULL ptr: no memory.
 */
struct slice disposition_attachment(struct arena *a, struct slice name);

struct disposition {
	struct slice type; /* as it is written: "form-data", in any case */
	struct slice name; /* decoded, any bytes; a NULL ptr when there is none */
	struct slice
		filename; /* the same: filename*, or else filename; with its folders */
};

/*
 * Reads a value of Content-Disposition and decodes it in place: `text` is overwritten, and the
 * slices point into it. Backslashes escape '"' and themselves only, so that paths with
 * backslashes come through. `form`: it is of a part of multipart/form-data, where %22, %0D and
 * %0A are encoded (HTML standard); filename* is read there too, although RFC 7578 section 4.2
 * wants none. 0; -EINVAL: malformed, a name that comes twice, or a charset that is neither
 * UTF-8 nor ISO-8859-1.
 */
int disposition_parse(char *text, size_t len, bool form, struct disposition *out)
	__attribute__((warn_unused_result));

#endif
