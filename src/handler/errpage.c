/* SPDX-License-Identifier: BSD-2-Clause
 *
 * errpage: the built-in answer to an error. Nothing of the request is repeated in it, and
 * reasons are sentences of ours, so there is nothing to escape.
 */
#include "core/exchange.h"
#include "handler/handlers.h"

struct hint {
	int status;
	const char *text;
};

static const struct hint hints[] = {
	{ 400, "The server could not make sense of the request." },
	{ 401, "You have to say who you are." },
	{ 403, "You may not see this." },
	{ 404, "There is nothing at this address." },
	{ 405, "This address does not take requests of that kind." },
	{ 406, "What is here is in no form that was asked for." },
	{ 408, "The request took too long to arrive." },
	{ 409, "Something of that name is here already." },
	{ 410, "What was here is gone." },
	{ 411, "The request must say how long it is." },
	{ 412, "What is here has changed meanwhile." },
	{ 413, "What you sent is larger than this server takes." },
	{ 414, "The address is longer than this server takes." },
	{ 415, "Content of this type is not taken here." },
	{ 416, "The file ends before that." },
	{ 417, "The server cannot do what the Expect field asks for." },
	{ 429, "Too many requests; please wait a little." },
	{ 431, "The header of the request is larger than this server takes." },
	{ 500, "Something went wrong on the server." },
	{ 501, "The server does not know this kind of request." },
	{ 503, "The server is busy; please try again soon." },
	{ 505, "The server speaks HTTP/1.1." },
	{ 507, "There is no room left to store this." },
};

static const char *
hint_for(const struct exchange *ex)
{
	int status = ex->error_status;

	if (ex->reason != NULL)
		return ex->reason;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (hints[i].status == status)
			return hints[i].text;
	}
	return "The request could not be served.";
}

static bool
prefers_html(const struct http_head *h)
{
	struct slice accept = http_head_value(h, HTTP_FIELD_ACCEPT);

	return accept.len != 0 && memmem(accept.ptr, accept.len, "text/html", 9) != NULL;
}

static const char page[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>%d %s</title>\n<style>\n"
	":root{color-scheme:light dark}\n"
	"body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;min-height:90vh;display:grid;"
	"place-content:center;padding:1.5rem}\n"
	"h1{font-size:1.6rem;font-weight:600;margin:0}\n"
	"h1 "
	"b{font-size:4rem;font-weight:200;display:block;line-height:1.1;color:#0a7d6c}\n"
	"p{margin:.6rem 0 0;opacity:.8}\n</style>\n</head>\n<body>\n"
	"<main><h1><b>%d</b>%s</h1><p>%s</p></main>\n</body>\n</html>\n";

static int
errpage_open(struct exchange *ex)
{
	int status = ex->error_status;
	const char *reason = http_status_reason(status);
	bool html = prefers_html(&ex->head);
	const char *text = html ? arena_printf(&ex->arena, page, status, reason, status,
					       reason, hint_for(ex))
				: arena_printf(&ex->arena, "%d %s: %s\n", status, reason,
					       hint_for(ex));

	if (text == NULL)
		return 503;
	if (exchange_add_field(ex, HTTP_FIELD_CONTENT_TYPE,
			       html ? SLICE("text/html; charset=utf-8")
				    : SLICE("text/plain; charset=utf-8")) < 0)
		return 500;
	if (html) {
		ex->own_fields |= EXCHANGE_OWN(HTTP_FIELD_CONTENT_SECURITY_POLICY);
		(void)exchange_add_field(
			ex, HTTP_FIELD_CONTENT_SECURITY_POLICY,
			SLICE("default-src 'none'; style-src 'unsafe-inline'"));
	}
	ex->body = body_memory(slice_from_str(text));
	exchange_respond(ex, status);
	return 0;
}

const struct handler_ops errpage_handler = {
	.open = errpage_open,
};
