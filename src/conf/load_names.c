/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_names: host names as they are compared and sent: ASCII, lower case, addresses in their
 * shortest form. What was written in Unicode is converted once, while the file is read.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/idna.h"
#include "conf/loader.h"
#include "http/chars.h"

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] > 0x7f)
			return false;
	}
	return true;
}

/* libidn2 has no good word for these. */
static bool
has_odd_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = char_lower(s.ptr[i]);

		if ((unsigned char)c <= 0x7f && !char_is_digit(c) &&
		    (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.')
			return true;
	}
	return false;
}

/* Where in `s` the name is that may have to be converted. */
static struct slice
find_host(struct slice s, bool is_url)
{
	size_t n = 0;

	if (!is_url)
		return slice_starts_with(s, SLICE("*.")) ? slice_from(s, 2) : s;
	if (slice_starts_with(s, SLICE("https://")))
		s = slice_from(s, 8);
	else if (slice_starts_with(s, SLICE("http://")))
		s = slice_from(s, 7);
	else
		return slice_make(s.ptr, 0);
	while (n < s.len && strchr("/?#:", s.ptr[n]) == NULL)
		n++;
	return slice_make(s.ptr, n);
}

const char *
load_host_to_ascii(struct load *l, struct slice *s, bool is_url)
{
	const char *subject = is_url ? "has a host that " : "";
	struct slice host = find_host(*s, is_url), rest;
	char name[IDNA_NAME_SIZE];
	const char *wrong;

	/* A port in a name has a message of its own. */
	if (is_ascii(host) || slice_find(host, ':') != host.len)
		return NULL;
	if (!idna_is_built_in())
		return load_text(l,
				 "%sis not ASCII, and without libidn2 it is not "
				 "converted; write its punycode form (\"xn--...\")",
				 subject);
	wrong = has_odd_ascii(host) ? "it has other than letters, digits, \"-\" and \".\""
				    : idna_to_ascii(host, name);
	if (wrong != NULL)
		return load_text(l,
				 "%scannot be a name on the network: %s; write another, "
				 "or its punycode form (\"xn--...\")",
				 subject, wrong);
	rest = slice_from(*s, (size_t)(host.ptr - s->ptr) + host.len);
	*s = slice_from_str(load_text(l, "%.*s%s%.*s", (int)(host.ptr - s->ptr), s->ptr,
				      name, SLICE_ARG(rest)));
	return NULL;
}

/* "[0:0::1]" is "[::1]", which is what browsers send. */
static const char *
shortest_address(struct load *l, struct slice s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (s.len < 2 || s.ptr[0] != '[' || s.len - 2 >= sizeof(text))
		return NULL;
	memcpy(text, s.ptr + 1, s.len - 2);
	text[s.len - 2] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1 ||
	    inet_ntop(AF_INET6, &address, text, sizeof(text)) == NULL)
		return NULL;
	return load_text(l, "[%s]", text);
}

void
name_set(struct load *l, const struct conf_key *key, void *target,
	 const struct conf_at *at, struct slice s)
{
	struct conf_name *entry = arena_zalloc(&l->scratch, sizeof(*entry));
	const char *address = shortest_address(l, s);
	const char *name =
		load_strdup_lower(l, address != NULL ? slice_from_str(address) : s);

	(void)key;
	if (entry == NULL || name == NULL) {
		l->failed = true;
		return;
	}
	memcpy(target, &name, sizeof(name));
	entry->server = l->server;
	entry->name = name;
	entry->place = load_place(l, at->node);
	*l->names_tail = entry;
	l->names_tail = &entry->next;
}
