/* SPDX-License-Identifier: BSD-2-Clause
 *
 * auth: a user that is not there costs as much as one whose password is wrong; so nobody
 * learns who is.
 */
#include "core/auth.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "core/auth_verify.h"
#include "core/exchange.h"
#include "http/authorization.h"

/* --- at the start --- */

/* `SCHEME realm="..."REST`, RFC 9110 section 11.5. */
static struct slice
make_challenge(struct arena *arena, const char *scheme, const char *realm,
	       const char *rest)
{
	size_t room = strlen(scheme) + 2 * strlen(realm) + strlen(rest) + 16;
	char *out = arena_alloc(arena, room);
	size_t len = 0;

	if (out == NULL)
		return slice_make(NULL, 0);
	len = (size_t)snprintf(out, room, "%s realm=\"", scheme);
	for (const char *p = realm; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			out[len++] = '\\';
		out[len++] = *p;
	}
	len += (size_t)snprintf(out + len, room - len, "\"%s", rest);
	return slice_make(out, len);
}

static int
make_challenges(struct auth *a, const struct conf_auth *conf, struct arena *arena)
{
	if (conf->basic.enabled) {
		/* RFC 7617 section 2.1: the only charset there is. */
		a->basic = make_challenge(arena, "Basic", conf->basic.realm,
					  ", charset=\"UTF-8\"");
		if (a->basic.ptr == NULL)
			return -1;
	}
	if (conf->bearer.enabled) {
		a->bearer = make_challenge(arena, "Bearer", conf->bearer.realm, "");
		a->bearer_wrong = make_challenge(arena, "Bearer", conf->bearer.realm,
						 ", error=\"invalid_token\"");
		if (a->bearer.ptr == NULL || a->bearer_wrong.ptr == NULL)
			return -1;
	}
	return 0;
}

const struct auth *
auth_new(const struct conf_auth *conf, struct auth_files *files, struct arena *arena,
	 struct buf *errors)
{
	struct auth *a = arena_zalloc(arena, sizeof(*a));
	bool is_whole = true;

	if (a == NULL || make_challenges(a, conf, arena) < 0) {
		buf_add_str(errors, "out of memory\n");
		return NULL;
	}
	a->methods = conf->methods != 0 ? conf->methods : ~0u;
	/* RFC 9110 section 9.3.2: HEAD tells what GET does. */
	if ((a->methods & HTTP_BIT(HTTP_GET)) != 0)
		a->methods |= HTTP_BIT(HTTP_HEAD);
	if (conf->basic.enabled) {
		a->users = auth_files_get(files, AUTH_USERS, conf->basic.users,
					  &conf->basic.users_place, arena, errors);
		is_whole = a->users != NULL;
	}
	if (conf->bearer.enabled) {
		a->tokens = auth_files_get(files, AUTH_TOKENS, conf->bearer.tokens,
					   &conf->bearer.tokens_place, arena, errors);
		is_whole = is_whole && a->tokens != NULL;
	}
	return is_whole ? a : NULL;
}

bool
auth_needs(const struct auth *a, enum http_method m)
{
	return (a->methods & HTTP_BIT(m)) != 0;
}

/* --- for a request --- */

/* `user` lives as long as the site. */
static int
grant(const struct auth *a, struct exchange *ex, struct slice user)
{
	ex->user = user;
	ex->granted = a;
	return 0;
}

static int
refuse(const struct auth *a, struct exchange *ex, bool had_token)
{
	int rc = 0;

	if (a->users != NULL)
		rc |= exchange_keep_field(ex, HTTP_FIELD_WWW_AUTHENTICATE, a->basic);
	if (a->tokens != NULL)
		rc |= exchange_keep_field(ex, HTTP_FIELD_WWW_AUTHENTICATE,
					  had_token ? a->bearer_wrong : a->bearer);
	return rc == 0 ? 401 : 500;
}

static int
conclude(const struct auth *a, struct exchange *ex, enum auth_verdict verdict)
{
	switch (verdict) {
	case AUTH_RIGHT:
		return grant(a, ex, ex->user_asked);
	case AUTH_WRONG:
		return refuse(a, ex, false);
	case AUTH_WAITS:
		return AUTH_HOLD;
	case AUTH_CROWDED:
	case AUTH_BUSY:
		(void)exchange_keep_field(ex, HTTP_FIELD_RETRY_AFTER, SLICE("1"));
		return verdict == AUTH_BUSY ? 503 : 429;
	case AUTH_BROKEN:
		break;
	}
	return 500;
}

static int
ask_basic(const struct auth *a, struct exchange *ex, struct slice credentials)
{
	struct auth_shared *shared = ex->site->env.auth;
	const struct auth_entry *entry;
	char decoded[AUTHORIZATION_BASIC_MAX + 1];
	struct auth_question q;
	int status;

	/* Of a file without users there is no hash to stand in, and nothing to tell. */
	if (a->users == NULL || a->users->count == 0 ||
	    authorization_basic(credentials, decoded, &q.user, &q.password) < 0)
		return refuse(a, ex, false);
	entry = auth_file_user(a->users, q.user);
	q.known = entry != NULL;
	if (q.known)
		ex->user_asked = entry->name;
	else
		entry = auth_file_stand_in(a->users, q.user);
	q.hash = entry->secret;
	status = conclude(a, ex, auth_verify(shared, ex, &q));
	if (!q.known)
		exchange_note(ex, TRACE_ACCESS, "there is no user \"%.*s\"",
			      SLICE_ARG(q.user));
	else if (status == 401)
		exchange_note(ex, TRACE_ACCESS, "%.*s has another password",
			      SLICE_ARG(entry->name));
	explicit_bzero(decoded, sizeof(decoded));
	return status;
}

static int
ask_bearer(const struct auth *a, struct exchange *ex, struct slice token)
{
	const struct auth_entry *entry =
		a->tokens != NULL ? auth_file_token(a->tokens, token) : NULL;

	if (entry != NULL)
		return grant(a, ex, entry->name);
	exchange_note(ex, TRACE_ACCESS, "%s",
		      a->tokens != NULL ? "nobody has this token"
					: "\"auth\" has no \"bearer\"");
	return refuse(a, ex, true);
}

int
auth_ask(const struct auth *a, struct exchange *ex)
{
	const struct http_head *h = &ex->head;
	const struct http_field *given = NULL;
	struct slice credentials;

	for (size_t i = 0; i < h->field_count; i++) {
		if (h->fields[i].id != HTTP_FIELD_AUTHORIZATION)
			continue;
		/* RFC 9110 section 5.3: a proxy may have gone by the other one. */
		if (given != NULL)
			return 400;
		given = &h->fields[i];
	}
	if (given == NULL) {
		exchange_note(ex, TRACE_ACCESS, "there is no Authorization field");
		return refuse(a, ex, false);
	}
	switch (authorization_parse(given->value, &credentials)) {
	case AUTHORIZATION_BASIC:
		return ask_basic(a, ex, credentials);
	case AUTHORIZATION_BEARER:
		return ask_bearer(a, ex, credentials);
	case AUTHORIZATION_OTHER:
	case AUTHORIZATION_BAD:
		break;
	}
	return refuse(a, ex, false);
}

int
auth_resume(const struct auth *a, struct exchange *ex)
{
	return conclude(a, ex, auth_verdict(ex));
}
