/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check: every function answers with a sentence, so that whoever reads it knows what to
 * write instead. What would let a configuration lie, or a response be split, is refused.
 */
#include "conf/check.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/chars.h"
#include "http/coding.h"
#include "http/template.h"
#include "http/uri.h"

#define ACCOUNT_MAX 255 /* LOGIN_NAME_MAX of Linux, without its NUL */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
check_not_empty(struct slice s)
{
	return s.len == 0 ? "is empty; write a value or leave the key out" : NULL;
}

const char *
check_needed(struct slice s)
{
	return s.len == 0 ? "is empty; write a value, it is needed" : NULL;
}

const char *
check_account(struct slice s)
{
	/* Not every library that is asked for users bears long names. */
	if (s.len > ACCOUNT_MAX)
		return "has more than 255 bytes, which no name of a system has; write a "
		       "shorter one";
	if (slice_has_control(s))
		return "has a control character; remove it";
	return check_not_empty(s);
}

bool
path_is_prefix(struct slice path)
{
	return slice_ends_with(path, SLICE("/*"));
}

/* What stands behind the first '/'. */
static const char *
check_path_rest(struct slice rest)
{
	while (rest.len != 0) {
		struct slice part = slice_make(rest.ptr, slice_find(rest, '/'));

		if (part.len == 0)
			return "has an empty segment; write one \"/\" between segments";
		if (slice_eq(part, SLICE(".")) || slice_eq(part, SLICE("..")))
			return "has a \".\" or \"..\" segment; write the path that it "
			       "leads to";
		rest = slice_from(rest, part.len + 1);
	}
	return NULL;
}

/* What begins with '%': is it a byte, encoded? */
static bool
is_escape(struct slice s)
{
	return s.len > 2 && char_hex(s.ptr[1]) >= 0 && char_hex(s.ptr[2]) >= 0;
}

/* Requests are compared once they are decoded: what is written as in a URL would never match. */
static const char *
check_decoded(struct slice s)
{
	for (; s.len != 0; s = slice_from(s, 1)) {
		if (s.ptr[0] == '?' || s.ptr[0] == '#')
			return "has a query or fragment, which is not part of a path; "
			       "remove it";
		if (s.ptr[0] == '%' && is_escape(s))
			return "has a percent escape, but paths are compared once they "
			       "are decoded; write the character itself";
	}
	return NULL;
}

const char *
check_path(struct slice s)
{
	const char *wrong;

	if (s.len == 0 || s.ptr[0] != '/')
		return "is not a path of a URL; begin it with \"/\"";
	wrong = check_path_rest(slice_from(s, 1));
	return wrong != NULL ? wrong : check_decoded(s);
}

const char *
check_route_path(struct slice s)
{
	const char *wrong = check_path(s);

	if (wrong != NULL)
		return wrong;
	if (path_is_prefix(s))
		s.len--;
	if (slice_find(s, '*') != s.len)
		return "has a \"*\" that is not the whole last segment; write \"/*\" at "
		       "the end";
	return NULL;
}

/* The part of an absolute URL that names the host; empty when `to` is none. */
static struct slice
url_authority(struct slice to)
{
	size_t n = 0;

	if (slice_starts_with(to, SLICE("https://")))
		to = slice_from(to, 8);
	else if (slice_starts_with(to, SLICE("http://")))
		to = slice_from(to, 7);
	else
		to.len = 0;
	while (n < to.len && strchr("/?#", to.ptr[n]) == NULL)
		n++;
	return slice_make(to.ptr, n);
}

const char *
check_target_bytes(struct slice s)
{
	size_t stars = 0;

	if (s.len > TEMPLATE_OUT_MAX)
		return "has more than 64K, which is too long for a redirect; write a "
		       "shorter one";
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c == 0x7f)
			return "has a control character; remove it";
		if (c == ' ')
			return "has a space; write \"%20\"";
		if (c > 0x7f)
			return "is not ASCII; percent-encode it";
		if (c == '\\')
			return "has a backslash, which browsers take for \"/\"; write "
			       "\"/\" or \"%5C\"";
		if (c == '%' && !is_escape(slice_from(s, i)))
			return "has a \"%\" that begins no escape; write \"%25\"";
		stars += c == '*';
	}
	return stars > 1 ? "has more than one \"*\"; write one, or \"%2A\"" : NULL;
}

const char *
check_redirect_to(struct slice s)
{
	const char *wrong = check_target_bytes(s);
	struct slice host = url_authority(s);

	if (wrong != NULL)
		return wrong;
	if (memmem(s.ptr, s.len, "${", 2) != NULL)
		return "has a \"${...}\", which a table does not fill in; write a route "
		       "with \"redirect\"";
	if (slice_starts_with(s, SLICE("//")))
		return "begins with \"//\", which is a host; write one \"/\" or "
		       "\"https://\"";
	if (slice_starts_with(s, SLICE("/")))
		return NULL;
	if (!slice_starts_with(s, SLICE("http://")) &&
	    !slice_starts_with(s, SLICE("https://")))
		return "is neither a path nor a URL; begin it with \"/\", \"http://\" or "
		       "\"https://\"";
	/* "https://example.org*" would let a request choose another host. */
	if (slice_find(host, '*') != host.len)
		return "has a \"*\" in its host; write \"/\" before it";
	if (!uri_is_authority(host))
		return "has no valid host; write https://HOST/PATH";
	return NULL;
}

const char *
check_after(struct slice s)
{
	if (memmem(s.ptr, s.len, "${", 2) != NULL)
		return "has a \"${...}\", which is not filled in here; write a path or "
		       "URL";
	return check_redirect_to(s);
}

const char *
check_fallback(struct slice s)
{
	char c = s.len != 0 ? s.ptr[0] : '\0';

	if (s.len == 0 || (s.len == 1 && c == '/'))
		return "names no file; write one beneath \"root\", such as "
		       "\"/index.html\"";
	if (slice_has_control(s))
		return "has a control character; write the path of a file";
	if (slice_find(s, '?') != s.len || slice_find(s, '#') != s.len)
		return "has a query or fragment, which no file has; write the path alone";
	if (s.ptr[s.len - 1] == '/')
		return "ends in \"/\"; write the path of a file";
	return check_path_rest(c == '/' ? slice_from(s, 1) : s);
}

const char *
check_file_name(struct slice s)
{
	if (s.len == 0 || slice_find(s, '/') != s.len || slice_eq(s, SLICE(".")) ||
	    slice_eq(s, SLICE("..")))
		return "is not a file name; write one without \"/\", such as "
		       "\"index.html\"";
	return NULL;
}

const char *
check_header_name(struct slice s)
{
	/* Those that frame a message, Date and Server: the server alone knows them. */
	static const char *const framing[] = {
		"content-length", "transfer-encoding", "connection", "date",  "trailer",
		"upgrade",        "keep-alive",        "te",         "server"
	};

	/* Those that are true of one representation only. */
	static const char *const content[] = {
		"content-encoding", "content-range", "content-location",
		"accept-ranges",    "repr-digest",   "etag",
		"last-modified",    "location",      "allow",
		"www-authenticate"
	};

	if (s.len == 0 || char_token_len(s) != s.len)
		return "is not a header name; write letters, digits and \"-\"";
	for (size_t i = 0; i < COUNT(content); i++) {
		if (slice_eq_nocase(s, slice_from_str(content[i])))
			return "depends on what is sent, and the server sets it; remove "
			       "it";
	}
	for (size_t i = 0; i < COUNT(framing); i++) {
		if (slice_eq_nocase(s, slice_from_str(framing[i])))
			return "is a header that the server sets itself; remove it";
	}
	return NULL;
}

const char *
check_field_name(struct slice s)
{
	if (s.len == 0 || char_token_len(s) != s.len)
		return "is not the name of a field; write letters, digits and \"-\", or "
		       "\"*\" alone for any";
	return NULL;
}

const char *
check_header_value(struct slice s)
{
	return slice_has_control(s) ? "has a control character; write it on one line"
				    : NULL;
}

const char *
check_cache_control(struct slice s)
{
	return s.len == 0 ? check_not_empty(s) : check_header_value(s);
}

const char *
check_realm(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] > 0x7e)
			return "is not ASCII, which clients read differently; write "
			       "ASCII";
	}
	return s.len == 0 ? check_not_empty(s) : check_header_value(s);
}

const char *
check_media_type(struct slice s)
{
	static const char wrong[] =
		"is not a media type; write type/subtype, such as \"text/html\"";
	size_t n = char_token_len(s);
	struct slice rest = slice_from(s, n + 1);

	if (n == 0 || n == s.len || s.ptr[n] != '/' || slice_has_control(s))
		return wrong;
	n = char_token_len(rest);
	if (n == 0)
		return wrong;
	rest = slice_trim(slice_from(rest, n));
	return rest.len == 0 || rest.ptr[0] == ';' ? NULL : wrong;
}

const char *
check_type_pattern(struct slice s)
{
	size_t slash = slice_find(s, '/');
	struct slice subtype = slice_from(s, slash + 1);

	if (slice_find(s, ';') != s.len)
		return "has a parameter; write the type alone, such as \"text/html\"";
	if (slice_starts_with(s, SLICE("*")))
		return "would take what is compressed already; name types, such as "
		       "\"text/*\"";
	if (slice_find(subtype, '*') != subtype.len && !slice_eq(subtype, SLICE("*")))
		return "has a \"*\" that is not the whole subtype; write \"text/*\"";
	return check_media_type(s);
}

const char *
check_coding(struct slice s)
{
	enum coding c = coding_from(s);

	if (coding_is_built_in(c))
		return NULL;
	switch (c) {
	case CODING_BR:
		return "is not built in; run configure with --with-brotli, or remove it";
	case CODING_ZSTD:
		return "is not built in; run configure with --with-zstd, or remove it";
	default:
		return "is not built in; run configure with --with-zlib, or remove it";
	}
}

const char *
check_charset(struct slice s)
{
	if (char_token_len(s) != s.len)
		return "is not the name of a charset; write \"utf-8\", or \"\" for none";
	return NULL;
}

const char *
check_extension(struct slice s)
{
	struct slice rest = slice_from(s, 1);

	if (rest.len == 0 || s.ptr[0] != '.' || slice_find(rest, '/') != rest.len)
		return "is not a file extension; begin it with \".\", such as \".html\"";
	if (slice_find(rest, '.') != rest.len)
		return "has two dots; the last extension of a name decides, write that";
	return NULL;
}

const char *
check_ending(struct slice s)
{
	if (s.len < 2 || s.ptr[0] != '.' || slice_find(s, '/') != s.len)
		return "is not the ending of a name; begin it with \".\", such as "
		       "\".jpg\"";
	return NULL;
}

const char *
check_error_status(struct slice s)
{
	if (s.len == 3 && (s.ptr[0] == '4' || s.ptr[0] == '5')) {
		if (s.ptr[1] == 'x' && s.ptr[2] == 'x')
			return NULL;
		if (char_is_digit(s.ptr[1]) && char_is_digit(s.ptr[2]))
			return NULL;
	}
	return "is not an error status; write \"400\" to \"599\", \"4xx\" or \"5xx\"";
}

static const char *
check_label(struct slice s)
{
	if (s.len == 0)
		return "has an empty label; write a name such as \"example.org\"";
	for (size_t i = 0; i < s.len; i++) {
		char c = char_lower(s.ptr[i]);

		if (c == '*')
			return "has a \"*\" that is not the whole first label; write "
			       "\"*.example.org\"";
		if ((unsigned char)c > 0x7f)
			return "is not ASCII; write its punycode form (\"xn--...\")";
		if (!char_is_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_')
			return "is not a host name; write letters, digits, \"-\" and "
			       "\".\"";
	}
	if (s.len > 63)
		return "has a label of more than 63 characters; write a shorter one";
	return NULL;
}

static bool
is_address6(struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool
is_bracketed_address(struct slice s)
{
	return s.len >= 4 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']' &&
	       is_address6(slice_make(s.ptr + 1, s.len - 2));
}

const char *
check_server_name(struct slice s)
{
	if (is_bracketed_address(s))
		return NULL;
	if (s.len == 0)
		return "is empty; write a name such as \"example.org\"";
	if (memmem(s.ptr, s.len, "//", 2) != NULL)
		return "is a URL; write the name alone, such as \"example.org\"";
	if (is_address6(s))
		return "is an IPv6 address; write it in brackets, such as \"[::1]\"";
	if (slice_find(s, ':') != s.len)
		return "has a port; write the name alone, ports stand in \"listen\"";
	if (slice_eq(s, SLICE("*")))
		return "is no name; the first server of an address takes every name that "
		       "no other has, leave it out";
	if (s.len > 1 && s.ptr[s.len - 1] == '.')
		return "ends in a dot, which is dropped from Host, too; write it without";
	if (s.len > 253)
		return "has more than 253 characters; write a shorter name";
	if (slice_starts_with(s, SLICE("*.")))
		s = slice_from(s, 2);
	for (;;) {
		size_t n = slice_find(s, '.');
		const char *wrong = check_label(slice_make(s.ptr, n));

		if (wrong != NULL || n == s.len)
			return wrong;
		s = slice_from(s, n + 1);
	}
}
