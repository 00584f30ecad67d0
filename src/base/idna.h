/* SPDX-License-Identifier: BSD-2-Clause
 *
 * idna: host names in Unicode, as people write them, and in ASCII, as they go over the wire
 * (IDNA 2008, RFC 5891, with the mapping of UTS #46, not transitional). By libidn2, when it is
 * built in. Pure functions.
 */
#ifndef WEBSRV_BASE_IDNA_H
#define WEBSRV_BASE_IDNA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define IDNA_NAME_SIZE 256 /* room for every name that there can be */

bool idna_is_built_in(void);
/* "libidn2 2.3.3", or "none" in a build without; for `websrv -V`. */
const char *idna_library(void);

/* The form for looking up of a name, labels between dots: "xn--bcher-kva.example" of
 * "bücher.example". NULL, or why there is none, as text that is never freed. */
const char *idna_to_ascii(struct slice name, char out[IDNA_NAME_SIZE])
	__attribute__((warn_unused_result));

#endif
