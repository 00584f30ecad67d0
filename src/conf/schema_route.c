/* SPDX-License-Identifier: BSD-2-Clause
 *
 * schema_route: the keys of a route, and of each of its actions.
 */
#include "conf/schema_rows.h"
#include "http/coding.h"
#include "http/digest.h"
#include "http/names.h"

static const struct conf_choice symlinks[] = {
	{ "inside", CONF_SYMLINKS_INSIDE, NULL },
	{ "refuse", CONF_SYMLINKS_REFUSE, NULL },
	{ "follow", CONF_SYMLINKS_FOLLOW, NULL },
	{ 0 },
};
static const struct conf_choice conflicts[] = {
	{ "refuse", CONF_CONFLICT_REFUSE, NULL },
	{ "replace", CONF_CONFLICT_REPLACE, NULL },
	{ "rename", CONF_CONFLICT_RENAME, NULL },
	{ 0 },
};
static const struct conf_choice codings[] = {
	{ "br", CODING_BR, NULL },
	{ "zstd", CODING_ZSTD, NULL },
	{ "gzip", CODING_GZIP, NULL },
	{ 0 },
};
static const struct conf_choice digests[] = {
	{ "sha-256", DIGEST_BIT(DIGEST_SHA_256), NULL },
	{ "sha-512", DIGEST_BIT(DIGEST_SHA_512), NULL },
	{ 0 },
};
static const struct conf_choice queries[] = {
	{ "keep", true, NULL },
	{ "drop", false, NULL },
	{ 0 },
};
static const struct conf_choice status_pages[] = {
	{ "health", CONF_STATUS_HEALTH, NULL },
	{ "metrics", CONF_STATUS_METRICS, NULL },
	{ "page", CONF_STATUS_PAGE, NULL },
	{ 0 },
};
#define METHOD(name, why) #name, HTTP_BIT(HTTP_##name), why
/* All that the parser knows; some action serves those that are not refused. */
static const struct conf_choice methods[] = {
	{ METHOD(GET, NULL) },
	{ METHOD(HEAD, NULL) },
	{ METHOD(POST, NULL) },
	{ METHOD(PUT, NULL) },
	{ METHOD(DELETE, NULL) },
	{ METHOD(PATCH, NULL) },
	{ METHOD(OPTIONS, "is answered by every route, and cannot be named") },
	{ METHOD(TRACE, "is never served") },
	{ METHOD(CONNECT, "is never served") },
	{ 0 },
};
static const struct conf_choice auth_methods[] = {
	{ METHOD(GET, NULL) },
	{ METHOD(HEAD, NULL) },
	{ METHOD(POST, NULL) },
	{ METHOD(PUT, NULL) },
	{ METHOD(DELETE, NULL) },
	{ METHOD(PATCH, NULL) },
	{ METHOD(OPTIONS, NULL) },
	{ METHOD(TRACE, "is never served") },
	{ METHOD(CONNECT, "is never served") },
	{ 0 },
};
const struct conf_choice conf_schema_redirect_codes[] = {
	{ "301", 301, NULL }, { "302", 302, NULL }, { "303", 303, NULL },
	{ "307", 307, NULL }, { "308", 308, NULL }, { 0 },
};

/* What shrinks; other types are compressed already. */
#define COMPRESS_TYPES                                                                   \
	"text/* application/json application/javascript application/xml "                \
	"application/xhtml+xml application/rss+xml application/atom+xml "                \
	"application/manifest+json application/ld+json application/geo+json "            \
	"application/wasm image/svg+xml image/bmp image/vnd.microsoft.icon font/ttf "    \
	"font/otf application/vnd.ms-fontobject"

static const struct conf_key compress_keys[] = {
	{ "encodings", CONF_TEXTS, "zstd br gzip",
	  "codings, the preferred one first; default: those that are built in; [] = off",
	  ITEMS(struct conf_compress, encodings.items, encodings.count),
	  .choices = codings, .check = check_coding, .flags = CONF_UNIQUE },
	{ "types", CONF_TEXTS, COMPRESS_TYPES,
	  "media types that are compressed; \"text/*\" is all texts",
	  ITEMS(struct conf_compress, types.items, types.count),
	  .check = check_type_pattern, .flags = CONF_LOWER | CONF_UNIQUE, .min = 1 },
	{ "min_size", CONF_SIZE, "1K", "smaller files are sent as they are",
	  INTO(struct conf_compress, min_size), RANGE(0, 1 * T) },
};
static const struct conf_section compress = {
	.name = "compress",
	.doc = "compress while serving",
	KEYS(compress_keys),
	.done = compress_done,
};

static const struct conf_key files_keys[] = {
	{ "root", CONF_PATH, NULL, "the directory that is served",
	  INTO(struct conf_files, root), PLACE(struct conf_files, root_place),
	  .check = check_needed, .flags = CONF_REQUIRED },
	{ "index", CONF_TEXTS, "index.html",
	  "names that are looked for when a directory is asked for",
	  ITEMS(struct conf_files, index.items, index.count), .check = check_file_name },
	{ "listing", CONF_BOOL, "false",
	  "list directories that have none of the index files",
	  INTO(struct conf_files, listing) },
	{ "fallback", CONF_TEXT, NULL,
	  "file beneath root that is served with 200 when nothing is there",
	  INTO(struct conf_files, fallback), .check = check_fallback,
	  .set = fallback_set },
	{ "precompressed", CONF_TEXTS, "br zstd gzip",
	  "siblings .br, .zst, .gz that are sent instead, the preferred one first; "
	  "[] = off",
	  ITEMS(struct conf_files, precompressed.items, precompressed.count),
	  .choices = codings, .flags = CONF_UNIQUE },
	{ "compress", CONF_SECTION, NULL,
	  "compress while serving: true, an array of codings, or an object",
	  INTO(struct conf_files, compress), .section = &compress,
	  MARK(struct conf_files, compress.enabled, 1),
	  .flags = CONF_SWITCH | CONF_SHORT },
	{ "symlinks", CONF_CHOICE, "inside",
	  "symbolic links: followed while they stay beneath root, refused, or followed",
	  INTO(struct conf_files, symlinks), .choices = symlinks },
	{ "hidden", CONF_BOOL, "false", "serve names that begin with a dot",
	  INTO(struct conf_files, hidden) },
	{ "charset", CONF_TEXT, "utf-8", "added to the type of text files; \"\" = none",
	  INTO(struct conf_files, charset), .check = check_charset },
	{ "default_type", CONF_TEXT, "application/octet-stream",
	  "media type of files whose extension is not known",
	  INTO(struct conf_files, default_type), .check = check_media_type },
};
static const struct conf_section files = {
	.name = "files",
	.doc = "serve files of a directory",
	KEYS(files_keys),
};

static const struct conf_key upload_keys[] = {
	{ "directory", CONF_PATH, NULL, "where uploaded files go",
	  INTO(struct conf_upload, directory), PLACE(struct conf_upload, directory_place),
	  .check = check_needed, .flags = CONF_REQUIRED },
	{ "max_size", CONF_SIZE, "1G", "bytes of one file; beyond it 413",
	  INTO(struct conf_upload, max_size), RANGE(0, 1024 * T) },
	{ "conflict", CONF_CHOICE, "refuse",
	  "a file of that name exists: refuse with 409, replace it, or find another name",
	  INTO(struct conf_upload, conflict), .choices = conflicts },
	{ "mode", CONF_MODE, "0640", "permission bits of new files",
	  INTO(struct conf_upload, mode) },
	{ "after", CONF_TEXT, NULL,
	  "a path or URL that browsers are sent to when their form was stored",
	  INTO(struct conf_upload, after), .check = check_after, .flags = CONF_URL },
	{ "resumable", CONF_BOOL, "true", "uploads that broke off can be gone on with",
	  INTO(struct conf_upload, resumable) },
	{ "expire", CONF_DURATION, "24h", "how long unfinished uploads are kept",
	  INTO(struct conf_upload, expire_ms), RANGE(1000, 24 * DAY) },
	{ "unfinished", CONF_COUNT, "1000",
	  "unfinished uploads at a time; beyond it 507 for new ones; 0 = no limit",
	  INTO(struct conf_upload, unfinished), RANGE(0, 100000000) },
	{ "quota", CONF_SIZE, "0", "bytes in the directory; beyond it 507; 0 = no limit",
	  INTO(struct conf_upload, quota), PLACE(struct conf_upload, quota_place),
	  RANGE(0, 1024 * T) },
	{ "reserve", CONF_SIZE, "0", "bytes that stay free on the file system; else 507",
	  INTO(struct conf_upload, reserve), RANGE(0, 1024 * T) },
	{ "durable", CONF_BOOL, "true", "files are on the disk before the answer",
	  INTO(struct conf_upload, durable) },
	{ "create_directories", CONF_BOOL, "false",
	  "names may have directories, which are made",
	  INTO(struct conf_upload, create_directories) },
	{ "types", CONF_TEXTS, NULL,
	  "endings of names that are taken, such as \".jpg\"; default: all; else 415",
	  ITEMS(struct conf_upload, types.items, types.count), .check = check_ending,
	  .flags = CONF_LOWER | CONF_UNIQUE, .min = 1 },
	{ "per_client", CONF_COUNT, "0",
	  "uploads of one client address at a time; beyond it 429; 0 = no limit",
	  INTO(struct conf_upload, per_client), RANGE(0, 1000000) },
	{ "page", CONF_BOOL, "true",
	  "a page to upload with, where files are not served and uploads are resumable",
	  INTO(struct conf_upload, page) },
	{ "digest", CONF_CHOICE, NULL,
	  "a digest that is computed of every file and kept with it; default: null, none",
	  INTO(struct conf_upload, digests), PLACE(struct conf_upload, digest_place),
	  .choices = digests, .flags = CONF_NULL_VALUE, .null_value = 0 },
};
static const struct conf_section upload = {
	.name = "upload",
	.doc = "take files",
	KEYS(upload_keys),
};

static const struct conf_key redirect_keys[] = {
	{ "to", CONF_TEXT, NULL,
	  "a path or URL; \"*\" takes what the \"*\" of \"path\" matched",
	  INTO(struct conf_redirect, to), .check = check_target_bytes,
	  .flags = CONF_REQUIRED | CONF_URL },
	{ "status", CONF_CODE, "302", "status of the answer",
	  INTO(struct conf_redirect, status), .choices = conf_schema_redirect_codes },
	{ "query", CONF_CHOICE, "keep", "add the query of the request to the target",
	  INTO(struct conf_redirect, keep_query), .choices = queries },
};
static const struct conf_section redirect = {
	.name = "redirect",
	.doc = "send the client elsewhere",
	KEYS(redirect_keys),
};

static const struct conf_key respond_keys[] = {
	{ "status", CONF_COUNT, "200", "status of the answer",
	  INTO(struct conf_respond, status), RANGE(200, 599) },
	{ "body", CONF_TEXT, "", "text of the answer", INTO(struct conf_respond, body) },
	{ "content_type", CONF_TEXT, "text/plain; charset=utf-8",
	  "media type of the body", INTO(struct conf_respond, content_type),
	  .check = check_media_type },
};
static const struct conf_section respond = {
	.name = "respond",
	.doc = "a fixed answer",
	KEYS(respond_keys),
	.done = respond_done,
};

static const struct conf_key cors_keys[] = {
	{ "origins", CONF_TEXTS, "*",
	  "origins whose pages may ask, such as \"https://example.org\"; \"*\" = every "
	  "one",
	  ITEMS(struct conf_cors, origins.items, origins.count), .check = check_origin,
	  .flags = CONF_UNIQUE | CONF_URL, .min = 1 },
	{ "methods", CONF_TEXTS, NULL,
	  "methods that a page may use; default: all of the route",
	  ITEMS(struct conf_cors, methods.items, methods.count), .choices = methods,
	  .flags = CONF_UNIQUE, .min = 1 },
	{ "headers", CONF_TEXTS, NULL,
	  "request fields that a page may set; \"*\" = any, but Authorization",
	  ITEMS(struct conf_cors, headers.items, headers.count),
	  .check = check_field_name, .flags = CONF_UNIQUE },
	{ "expose", CONF_TEXTS, NULL, "response fields that a page may read; \"*\" = any",
	  ITEMS(struct conf_cors, expose.items, expose.count), .check = check_field_name,
	  .flags = CONF_UNIQUE },
	{ "credentials", CONF_BOOL, "false",
	  "let pages send cookies and what else tells who the user is",
	  INTO(struct conf_cors, credentials) },
	{ "max_age", CONF_DURATION, "10m", "how long browsers may remember a preflight",
	  INTO(struct conf_cors, max_age_ms), RANGE(0, 24 * DAY) },
};
static const struct conf_section cors = {
	.name = "cors",
	.doc = "which pages of other origins may ask (cross-origin resource sharing)",
	KEYS(cors_keys),
	.done = cors_done,
};

static const struct conf_key basic_keys[] = {
	{ "users", CONF_PATH, NULL,
	  "file of lines USER:HASH; \"websrvctl passwd\" writes it",
	  INTO(struct conf_auth, basic.users), PLACE(struct conf_auth, basic.users_place),
	  .check = check_needed, .flags = CONF_REQUIRED },
	{ "realm", CONF_TEXT, "websrv", "what browsers show beside the question",
	  INTO(struct conf_auth, basic.realm), .check = check_realm },
};
static const struct conf_section basic = {
	.name = "basic",
	.doc = "users with passwords (HTTP Basic)",
	KEYS(basic_keys),
};

static const struct conf_key bearer_keys[] = {
	{ "tokens", CONF_PATH, NULL,
	  "file of lines NAME:sha256:HASH; \"websrvctl token\" writes it",
	  INTO(struct conf_auth, bearer.tokens),
	  PLACE(struct conf_auth, bearer.tokens_place), .check = check_needed,
	  .flags = CONF_REQUIRED },
	{ "realm", CONF_TEXT, "websrv", "named to clients without a token",
	  INTO(struct conf_auth, bearer.realm), .check = check_realm },
};
static const struct conf_section bearer = {
	.name = "bearer",
	.doc = "tokens for programs (HTTP Bearer)",
	KEYS(bearer_keys),
};

static const struct conf_key auth_keys[] = {
	{ "basic", CONF_SECTION, NULL, "users with passwords", .section = &basic,
	  MARK(struct conf_auth, basic.enabled, 1) },
	{ "bearer", CONF_SECTION, NULL, "tokens for programs", .section = &bearer,
	  MARK(struct conf_auth, bearer.enabled, 1) },
	{ "for", CONF_SET, NULL,
	  "methods that need it; default: all; \"GET\" is HEAD, too",
	  INTO(struct conf_auth, methods), .choices = auth_methods, .min = 1 },
};
static const struct conf_section auth = {
	.name = "auth",
	.doc = "who may use the route, by password or token",
	KEYS(auth_keys),
	.done = auth_done,
};

static const struct conf_key route_keys[] = {
	{ "path", CONF_TEXT, NULL,
	  "the path that is matched; \"/a/*\" is everything beneath \"/a/\"",
	  INTO(struct conf_route, path), .check = check_route_path,
	  .flags = CONF_ONE_OF },
	{ "path_regex", CONF_TEXT, NULL,
	  "a regular expression for the decoded path, instead of \"path\"",
	  INTO(struct conf_route, path_regex), .check = check_not_empty,
	  .set = path_regex_set, .flags = CONF_ONE_OF },
	{ "files", CONF_SECTION, NULL, "serve files of a directory",
	  INTO(struct conf_route, files), .section = &files,
	  MARK(struct conf_route, actions, CONF_ACTION_FILES) },
	{ "upload", CONF_SECTION, NULL, "take files; may share a route with files",
	  INTO(struct conf_route, upload), .section = &upload,
	  MARK(struct conf_route, actions, CONF_ACTION_UPLOAD) },
	{ "redirect", CONF_SECTION, NULL, "send the client elsewhere",
	  INTO(struct conf_route, redirect), .section = &redirect,
	  MARK(struct conf_route, actions, CONF_ACTION_REDIRECT) },
	{ "respond", CONF_SECTION, NULL, "a fixed answer",
	  INTO(struct conf_route, respond), .section = &respond,
	  MARK(struct conf_route, actions, CONF_ACTION_RESPOND) },
	{ "status", CONF_CHOICE, NULL, "the state of the server itself",
	  INTO(struct conf_route, status), .choices = status_pages,
	  MARK(struct conf_route, actions, CONF_ACTION_STATUS) },
	{ "methods", CONF_SET, NULL, "methods that are taken; default: all of the action",
	  INTO(struct conf_route, methods), .choices = methods, .min = 1 },
	{ "headers", CONF_PAIRS, NULL,
	  "fields added to responses; null removes one of the server's",
	  ITEMS(struct conf_route, headers.items, headers.count),
	  .check = check_header_value, .check_name = check_header_name,
	  .flags = CONF_NULLABLE },
	{ "allow", CONF_TEXTS, NULL,
	  "addresses that may use the route, such as \"10.0.0.0/8\", \"::1\" or \"unix\"",
	  ITEMS(struct conf_route, allow.items, allow.count), .set = access_set,
	  .flags = CONF_UNIQUE, .min = 1 },
	{ "deny", CONF_TEXTS, NULL, "addresses that may not; looked at before \"allow\"",
	  ITEMS(struct conf_route, deny.items, deny.count), .set = access_set,
	  .flags = CONF_UNIQUE, .min = 1 },
	{ "auth", CONF_SECTION, NULL, "who may use the route, by password or token",
	  INTO(struct conf_route, auth), .section = &auth,
	  MARK(struct conf_route, auth.enabled, 1) },
	{ "cache_control", CONF_TEXT, NULL, "Cache-Control of responses",
	  INTO(struct conf_route, cache_control), .check = check_cache_control },
	{ "download", CONF_BOOL, "false",
	  "browsers save the files instead of showing them",
	  INTO(struct conf_route, download) },
	{ "cors", CONF_SECTION, NULL,
	  "let pages of other origins ask: true, an array of origins, or an object",
	  INTO(struct conf_route, cors), .section = &cors,
	  MARK(struct conf_route, cors.enabled, 1), .flags = CONF_SWITCH | CONF_SHORT },
	{ "limits", CONF_SECTION, NULL, "limits of this route",
	  INTO(struct conf_route, limits), .section = &conf_schema_route_limits,
	  .flags = CONF_INHERITED },
};
const struct conf_section conf_schema_route = {
	.name = "route",
	.doc = "a path and what answers there",
	KEYS(route_keys),
	.size = sizeof(struct conf_route),
	PLACE(struct conf_route, place),
	.begin = route_begin,
	.done = route_done,
};
