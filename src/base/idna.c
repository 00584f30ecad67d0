/* SPDX-License-Identifier: BSD-2-Clause
 *
 * idna: the only home of libidn2. Names come from the operator, and are short.
 */
#include "base/idna.h"

#include <idn2.h>
#include <string.h>

#define INPUT_MAX 1024 /* bytes of UTF-8; no name of so many fits into 255 of ASCII */

bool
idna_is_built_in(void)
{
	return true;
}

const char *
idna_library(void)
{
	return "libidn2 " IDN2_VERSION;
}

const char *
idna_to_ascii(struct slice name, char out[IDNA_NAME_SIZE])
{
	char text[INPUT_MAX];
	unsigned char *found = NULL;
	const char *wrong = NULL;
	int rc;

	if (name.len >= sizeof(text))
		return "it is too long";
	if (slice_find(name, '\0') != name.len)
		return "it has a NUL";
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	rc = idn2_lookup_u8((const unsigned char *)text, &found,
			    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
		return idn2_strerror(rc);
	if (strlen((const char *)found) >= IDNA_NAME_SIZE)
		wrong = "it is too long";
	else
		memcpy(out, found, strlen((const char *)found) + 1);
	idn2_free(found);
	return wrong;
}
