/* SPDX-License-Identifier: BSD-2-Clause
 *
 * authorization: the Authorization field (RFC 9110 section 11.6.2), and what the schemes
 * Basic (RFC 7617) and Bearer (RFC 6750) have in it. Pure functions.
 */
#ifndef WEBSRV_HTTP_AUTHORIZATION_H
#define WEBSRV_HTTP_AUTHORIZATION_H

#include "base/slice.h"

#define AUTHORIZATION_BASIC_MAX 1024 /* decoded bytes of Basic */

enum authorization {
	AUTHORIZATION_BASIC,
	AUTHORIZATION_BEARER,
	AUTHORIZATION_OTHER, /* another scheme, or none at all */
	AUTHORIZATION_BAD    /* one of the two, but its credentials are no token68 */
};

/* Which scheme, in any case; *credentials is what stands behind it, a token68. */
enum authorization authorization_parse(struct slice value, struct slice *credentials);

/*
 * User and password of Basic, separated by the first colon, decoded into `out`; both borrow
 * from it and are followed by a NUL. They are not said to be UTF-8. 0, or -EINVAL: no base64, no
 * colon, a control byte (and so a NUL), an empty user, more than fits.
 */
int authorization_basic(struct slice credentials, char out[AUTHORIZATION_BASIC_MAX + 1],
			struct slice *user, struct slice *password)
	__attribute__((warn_unused_result));

#endif
