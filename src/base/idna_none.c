/* SPDX-License-Identifier: BSD-2-Clause
 *
 * idna_none: in a build without libidn2 no name is converted, and idna_to_ascii() says so.
 */
#include "base/idna.h"

bool
idna_is_built_in(void)
{
	return false;
}

const char *
idna_library(void)
{
	return "none";
}

const char *
idna_to_ascii(struct slice name, char out[IDNA_NAME_SIZE])
{
	(void)name;
	out[0] = '\0';
	return "libidn2 is not built in";
}
