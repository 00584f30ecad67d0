/* SPDX-License-Identifier: BSD-2-Clause
 *
 * template: text is cut into parts, and parts are written one behind the other. How a
 * value is encoded depends on where in the URL it stands, which is known beforehand.
 */
#include "http/template.h"

#include <string.h>

#include "http/uri.h"

#define AUTHORITY_MAX 512

static const struct {
	const char *name;
	enum template_kind kind;
} names[] = {
	{ "host", TEMPLATE_HOST },
	{ "path", TEMPLATE_PATH },
	{ "query", TEMPLATE_QUERY },
};

/* --- compile --- */

/* Bytes of the part that begins the text; at least one. */
static size_t
part_len(struct slice s)
{
	size_t n = 0;

	if (s.ptr[0] == '*')
		return 1;
	if (slice_starts_with(s, SLICE("$$")))
		return 2;
	if (s.ptr[0] == '$') {
		n = slice_find(s, '}');
		return n < s.len ? n + 1 : s.len;
	}
	while (n < s.len && s.ptr[n] != '$' && s.ptr[n] != '*')
		n++;
	return n;
}

static const char *
name_part(const struct template_groups *groups, struct template_part *p)
{
	struct slice name = slice_make(p->text.ptr + 2, p->text.len - 3);
	int group = -1;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (slice_eq(name, slice_from_str(names[i].name))) {
			p->kind = names[i].kind;
			return NULL;
		}
	}
	if (groups == NULL)
		return "is not known here; write ${host}, ${path} or ${query}";
	group = groups->find(groups->arg, name);
	if (group < 0)
		return "is not known here; write ${host}, ${path}, ${query}, or the name "
		       "or number of a group of \"path_regex\"";
	p->kind = TEMPLATE_GROUP;
	p->group = (uint32_t)group;
	return NULL;
}

static const char *
set_part(const struct template_groups *groups, struct template_part *p)
{
	p->kind = TEMPLATE_TEXT;
	if (p->text.ptr[0] == '*') {
		p->kind = TEMPLATE_STAR;
		return NULL;
	}
	if (p->text.ptr[0] != '$')
		return NULL;
	if (slice_eq(p->text, SLICE("$$"))) {
		p->text.len = 1;
		return NULL;
	}
	if (!slice_starts_with(p->text, SLICE("${")))
		return "has a \"$\" that begins nothing; write \"$$\" for a dollar sign";
	if (!slice_ends_with(p->text, SLICE("}")))
		return "is never closed; end it with \"}\", or write \"$$\" for a dollar "
		       "sign";
	return name_part(groups, p);
}

static size_t
count_parts(struct slice text)
{
	size_t n = 0;

	for (; text.len != 0; n++)
		text = slice_from(text, part_len(text));
	return n;
}

const char *
template_compile(struct slice text, const struct template_groups *groups, struct arena *a,
		 struct template *out, struct slice *piece)
{
	size_t count = count_parts(text);
	struct template_part *parts = arena_zalloc(a, (count + 1) * sizeof(*parts));
	bool in_query = false;
	const char *wrong;

	*out = (struct template){ 0 };
	if (parts == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct template_part *p = &parts[i];

		p->text = slice_make(text.ptr, part_len(text));
		p->in_query = in_query;
		*piece = p->text;
		text = slice_from(text, p->text.len);
		wrong = set_part(groups, p);
		if (wrong != NULL)
			return wrong;
		if (p->kind == TEMPLATE_TEXT)
			in_query = in_query || slice_find(p->text, '?') != p->text.len ||
				   slice_find(p->text, '#') != p->text.len;
		out->has_query = out->has_query || p->kind == TEMPLATE_QUERY;
	}
	out->parts = parts;
	out->count = count;
	return NULL;
}

/* --- where it leads --- */

/* Of an absolute URL, or of its first part, the bytes up to the host. */
static size_t
scheme_len(struct slice s)
{
	if (slice_starts_with(s, SLICE("https://")))
		return 8;
	return slice_starts_with(s, SLICE("http://")) ? 7 : 0;
}

static size_t
authority_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] != '/' && s.ptr[n] != '?' && s.ptr[n] != '#')
		n++;
	return n;
}

static bool
starts_absolute(const struct template *t)
{
	return t->count != 0 && t->parts[0].kind == TEMPLATE_TEXT &&
	       scheme_len(t->parts[0].text) != 0;
}

/* The authority with "h" for a host; what may not stand in it ends the walk. */
static const char *
check_authority(const struct template *t, struct slice *piece)
{
	char text[AUTHORITY_MAX];
	size_t len = 0;

	for (size_t i = 0; i < t->count && t->parts[i].kind != TEMPLATE_PATH; i++) {
		const struct template_part *p = &t->parts[i];
		struct slice s = slice_from(p->text, i == 0 ? scheme_len(p->text) : 0);
		size_t n = p->kind == TEMPLATE_TEXT ? authority_len(s) : 1;

		if (p->kind == TEMPLATE_HOST)
			s = SLICE("h");
		else if (p->kind != TEMPLATE_TEXT) {
			if (p->kind == TEMPLATE_STAR)
				return "has a \"*\" in its host; write \"/\" before it";
			*piece = p->text;
			return "stands in the host, which a request must not choose; "
			       "write \"/\" before it";
		}
		if (n > sizeof(text) - len)
			return "has a host that is too long; write https://HOST/PATH";
		memcpy(text + len, s.ptr, n);
		len += n;
		if (n < s.len)
			break;
	}
	return uri_is_authority(slice_make(text, len))
		       ? NULL
		       : "has no valid host; write https://HOST/PATH";
}

const char *
template_check_target(const struct template *t, struct slice *piece)
{
	struct slice first = t->count != 0 ? t->parts[0].text : slice_make(NULL, 0);

	if (t->count != 0 && t->parts[0].kind == TEMPLATE_PATH)
		return NULL;
	if (slice_starts_with(first, SLICE("//")))
		return "begins with \"//\", which is a host; write one \"/\" or "
		       "\"https://\"";
	if (slice_starts_with(first, SLICE("/")))
		return NULL;
	if (!starts_absolute(t))
		return "is neither a path nor a URL; begin it with \"/\", \"http://\" or "
		       "\"https://\"";
	return check_authority(t, piece);
}

/* --- expand --- */

static struct slice
part_value(const struct template_part *p, const struct template_values *v)
{
	switch (p->kind) {
	case TEMPLATE_TEXT:
		return p->text;
	case TEMPLATE_STAR:
		return v->star;
	case TEMPLATE_HOST:
		return v->host;
	case TEMPLATE_PATH:
		return v->path;
	case TEMPLATE_QUERY:
		return v->query;
	case TEMPLATE_GROUP:
		break;
	}
	return p->group < v->group_count ? v->groups[p->group] : slice_make(NULL, 0);
}

/* At most 3 * value.len bytes; `out` has that much room. */
static size_t
write_part(const struct template_part *p, struct slice value, bool in_host, char *out)
{
	if (value.len == 0)
		return 0;
	if (p->kind == TEMPLATE_TEXT || in_host) {
		memcpy(out, value.ptr, value.len);
		return value.len;
	}
	if (p->kind == TEMPLATE_QUERY)
		return uri_query_encode(value, out);
	return p->in_query ? uri_query_value_encode(value, out)
			   : uri_path_encode(value, out);
}

/* Is the end of `s`, which begins with a scheme, still in the authority? */
static bool
ends_in_host(struct slice s)
{
	size_t scheme = scheme_len(s);

	return scheme != 0 && authority_len(slice_from(s, scheme)) == s.len - scheme;
}

/* A browser takes "//x" and "/\x" for a host; a backslash never comes out of a value. */
static struct slice
with_one_slash(struct slice s)
{
	while (s.len > 1 && s.ptr[0] == '/' && (s.ptr[1] == '/' || s.ptr[1] == '\\'))
		s = slice_from(s, 1);
	return s;
}

/* The room that is needed at most; SIZE_MAX when it is beyond all reason. */
static size_t
room_for(const struct template *t, const struct template_values *v)
{
	size_t room = 1;

	for (size_t i = 0; i < t->count; i++) {
		size_t len = part_value(&t->parts[i], v).len;

		/* What is longer than this is too long however it is encoded. */
		if (len > TEMPLATE_OUT_MAX)
			return SIZE_MAX;
		room += t->parts[i].kind == TEMPLATE_TEXT ? len : 3 * len;
		if (room > 4 * TEMPLATE_OUT_MAX)
			return SIZE_MAX;
	}
	return room;
}

static bool
has_valid_host(struct slice to)
{
	size_t scheme = scheme_len(to);
	struct slice rest = slice_from(to, scheme);

	return scheme == 0 || uri_is_authority(slice_make(rest.ptr, authority_len(rest)));
}

int
template_expand(const struct template *t, const struct template_values *v,
		struct arena *a, struct slice *out)
{
	size_t room = room_for(t, v);
	size_t len = 0;
	char *to;

	if (room == SIZE_MAX)
		return 414;
	to = arena_alloc(a, room);
	if (to == NULL)
		return 503;
	for (size_t i = 0; i < t->count; i++) {
		const struct template_part *p = &t->parts[i];
		bool in_host =
			p->kind == TEMPLATE_HOST && ends_in_host(slice_make(to, len));

		if (in_host && !uri_is_authority(v->host))
			return 400;
		len += write_part(p, part_value(p, v), in_host, to + len);
	}
	if (len > TEMPLATE_OUT_MAX)
		return 414;
	*out = with_one_slash(slice_make(to, len));
	return has_valid_host(*out) ? 0 : 400;
}
