/* SPDX-License-Identifier: BSD-2-Clause
 *
 * authorization: strict, since two readings of one field are two users.
 */
#include "http/authorization.h"

#include <errno.h>
#include <stdbool.h>

#include "base/base64.h"
#include "http/chars.h"

static bool
is_token68_byte(char c)
{
	char lower = char_lower(c);

	return char_is_digit(c) || (lower >= 'a' && lower <= 'z') ||
	       memchr("-._~+/", c, 6) != NULL;
}

/* RFC 9110 section 11.2: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool
is_token68(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_token68_byte(s.ptr[n]))
		n++;
	if (n == 0)
		return false;
	while (n < s.len && s.ptr[n] == '=')
		n++;
	return n == s.len;
}

enum authorization
authorization_parse(struct slice value, struct slice *credentials)
{
	size_t n = slice_find(value, ' ');
	struct slice scheme = slice_make(value.ptr, n);
	enum authorization which = AUTHORIZATION_OTHER;

	if (slice_eq_nocase(scheme, SLICE("Basic")))
		which = AUTHORIZATION_BASIC;
	else if (slice_eq_nocase(scheme, SLICE("Bearer")))
		which = AUTHORIZATION_BEARER;
	*credentials = slice_from(value, n);
	while (credentials->len > 0 && credentials->ptr[0] == ' ')
		*credentials = slice_from(*credentials, 1);
	if (which != AUTHORIZATION_OTHER && !is_token68(*credentials))
		return AUTHORIZATION_BAD;
	return which;
}

int
authorization_basic(struct slice credentials, char out[AUTHORIZATION_BASIC_MAX + 1],
		    struct slice *user, struct slice *password)
{
	size_t len = 0, colon;
	struct slice all;

	if (base64_decode(credentials, out, AUTHORIZATION_BASIC_MAX, &len) != 0)
		return -EINVAL;
	all = slice_make(out, len);
	colon = slice_find(all, ':');
	if (colon == 0 || colon == len || slice_has_control(all))
		return -EINVAL;
	out[colon] = out[len] = '\0';
	*user = slice_make(out, colon);
	*password = slice_from(all, colon + 1);
	return 0;
}
