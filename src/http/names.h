/* SPDX-License-Identifier: BSD-2-Clause
 *
 * names: the closed sets of HTTP as X-macro tables: methods (RFC 9110 section 9,
 * RFC 5789), status codes (section 15) and the field names that the server reads.
 */
#ifndef WEBSRV_HTTP_NAMES_H
#define WEBSRV_HTTP_NAMES_H

#include "base/slice.h"

#define HTTP_METHODS(X)                                                                  \
	X(GET)                                                                           \
	X(HEAD)                                                                          \
	X(POST)                                                                          \
	X(PUT)                                                                           \
	X(DELETE)                                                                        \
	X(OPTIONS)                                                                       \
	X(PATCH)                                                                         \
	X(TRACE)                                                                         \
	X(CONNECT)

enum http_method {
#define X(name) HTTP_##name,
	HTTP_METHODS(X)
#undef X
		HTTP_METHOD_COUNT,
	HTTP_METHOD_UNKNOWN = HTTP_METHOD_COUNT
};

/* A set of methods: 1u << HTTP_GET and so on. */
#define HTTP_BIT(m) (1u << (m))

#define HTTP_STATUSES(X)                                                                 \
	X(100, "Continue")                                                               \
	X(103, "Early Hints")                                                            \
	X(104, "Upload Resumption Supported")                                            \
	X(200, "OK")                                                                     \
	X(201, "Created")                                                                \
	X(202, "Accepted")                                                               \
	X(204, "No Content")                                                             \
	X(205, "Reset Content")                                                          \
	X(206, "Partial Content")                                                        \
	X(300, "Multiple Choices")                                                       \
	X(301, "Moved Permanently")                                                      \
	X(302, "Found")                                                                  \
	X(303, "See Other")                                                              \
	X(304, "Not Modified")                                                           \
	X(307, "Temporary Redirect")                                                     \
	X(308, "Permanent Redirect")                                                     \
	X(400, "Bad Request")                                                            \
	X(401, "Unauthorized")                                                           \
	X(402, "Payment Required")                                                       \
	X(403, "Forbidden")                                                              \
	X(404, "Not Found")                                                              \
	X(405, "Method Not Allowed")                                                     \
	X(406, "Not Acceptable")                                                         \
	X(408, "Request Timeout")                                                        \
	X(409, "Conflict")                                                               \
	X(410, "Gone")                                                                   \
	X(411, "Length Required")                                                        \
	X(412, "Precondition Failed")                                                    \
	X(413, "Content Too Large")                                                      \
	X(414, "URI Too Long")                                                           \
	X(415, "Unsupported Media Type")                                                 \
	X(416, "Range Not Satisfiable")                                                  \
	X(417, "Expectation Failed")                                                     \
	X(418, "I'm a Teapot")                                                           \
	X(421, "Misdirected Request")                                                    \
	X(422, "Unprocessable Content")                                                  \
	X(423, "Locked")                                                                 \
	X(426, "Upgrade Required")                                                       \
	X(428, "Precondition Required")                                                  \
	X(429, "Too Many Requests")                                                      \
	X(431, "Request Header Fields Too Large")                                        \
	X(451, "Unavailable For Legal Reasons")                                          \
	X(460, "Checksum Mismatch")                                                      \
	X(500, "Internal Server Error")                                                  \
	X(501, "Not Implemented")                                                        \
	X(502, "Bad Gateway")                                                            \
	X(503, "Service Unavailable")                                                    \
	X(504, "Gateway Timeout")                                                        \
	X(505, "HTTP Version Not Supported")                                             \
	X(507, "Insufficient Storage")

/* Fields that some part of the server reads from a request, or writes. */
#define HTTP_FIELDS(X)                                                                   \
	X(ACCEPT, "Accept")                                                              \
	X(ACCEPT_ENCODING, "Accept-Encoding")                                            \
	X(ACCEPT_PATCH, "Accept-Patch")                                                  \
	X(ACCEPT_RANGES, "Accept-Ranges")                                                \
	X(ACCESS_CONTROL_REQUEST_HEADERS, "Access-Control-Request-Headers")              \
	X(ACCESS_CONTROL_REQUEST_METHOD, "Access-Control-Request-Method")                \
	X(ALLOW, "Allow")                                                                \
	X(AUTHORIZATION, "Authorization")                                                \
	X(CACHE_CONTROL, "Cache-Control")                                                \
	X(CONNECTION, "Connection")                                                      \
	X(CONTENT_DIGEST, "Content-Digest")                                              \
	X(CONTENT_DISPOSITION, "Content-Disposition")                                    \
	X(CONTENT_ENCODING, "Content-Encoding")                                          \
	X(CONTENT_LENGTH, "Content-Length")                                              \
	X(CONTENT_LOCATION, "Content-Location")                                          \
	X(CONTENT_RANGE, "Content-Range")                                                \
	X(CONTENT_SECURITY_POLICY, "Content-Security-Policy")                            \
	X(CONTENT_TYPE, "Content-Type")                                                  \
	X(DATE, "Date")                                                                  \
	X(ETAG, "ETag")                                                                  \
	X(EXPECT, "Expect")                                                              \
	X(HOST, "Host")                                                                  \
	X(IF_MATCH, "If-Match")                                                          \
	X(IF_MODIFIED_SINCE, "If-Modified-Since")                                        \
	X(IF_NONE_MATCH, "If-None-Match")                                                \
	X(IF_RANGE, "If-Range")                                                          \
	X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")                                    \
	X(LAST_MODIFIED, "Last-Modified")                                                \
	X(LOCATION, "Location")                                                          \
	X(ORIGIN, "Origin")                                                              \
	X(RANGE, "Range")                                                                \
	X(REFERER, "Referer")                                                            \
	X(REPR_DIGEST, "Repr-Digest")                                                    \
	X(RETRY_AFTER, "Retry-After")                                                    \
	X(SERVER, "Server")                                                              \
	X(TE, "TE")                                                                      \
	X(TRAILER, "Trailer")                                                            \
	X(TRANSFER_ENCODING, "Transfer-Encoding")                                        \
	X(TUS_CHECKSUM_ALGORITHM, "Tus-Checksum-Algorithm")                              \
	X(TUS_EXTENSION, "Tus-Extension")                                                \
	X(TUS_MAX_SIZE, "Tus-Max-Size")                                                  \
	X(TUS_RESUMABLE, "Tus-Resumable")                                                \
	X(TUS_VERSION, "Tus-Version")                                                    \
	X(UPGRADE, "Upgrade")                                                            \
	X(UPLOAD_CHECKSUM, "Upload-Checksum")                                            \
	X(UPLOAD_COMPLETE, "Upload-Complete")                                            \
	X(UPLOAD_CONCAT, "Upload-Concat")                                                \
	X(UPLOAD_DEFER_LENGTH, "Upload-Defer-Length")                                    \
	X(UPLOAD_DRAFT_INTEROP_VERSION, "Upload-Draft-Interop-Version")                  \
	X(UPLOAD_EXPIRES, "Upload-Expires")                                              \
	X(UPLOAD_LENGTH, "Upload-Length")                                                \
	X(UPLOAD_LIMIT, "Upload-Limit")                                                  \
	X(UPLOAD_METADATA, "Upload-Metadata")                                            \
	X(UPLOAD_OFFSET, "Upload-Offset")                                                \
	X(USER_AGENT, "User-Agent")                                                      \
	X(VARY, "Vary")                                                                  \
	X(WANT_REPR_DIGEST, "Want-Repr-Digest")                                          \
	X(WWW_AUTHENTICATE, "WWW-Authenticate")                                          \
	X(X_CONTENT_TYPE_OPTIONS, "X-Content-Type-Options")                              \
	X(X_HTTP_METHOD_OVERRIDE, "X-HTTP-Method-Override")

enum http_field_id {
	HTTP_FIELD_OTHER,
#define X(id, name) HTTP_FIELD_##id,
	HTTP_FIELDS(X)
#undef X
		HTTP_FIELD_COUNT
};

/* Methods are case-sensitive. HTTP_METHOD_UNKNOWN when it is none of ours. */
enum http_method http_method_from(struct slice s);
struct slice http_method_name(enum http_method m);

/* The reason phrase, or "" for a status that is not in the table. */
const char *http_status_reason(int status);
/* "HTTP/1.1 200 OK\r\n"; empty for a status that is not in the table. */
struct slice http_status_line(int status);

/* Case-insensitive. HTTP_FIELD_OTHER when it is none of ours. */
enum http_field_id http_field_from(struct slice name);
/* As it is usually spelt; empty for HTTP_FIELD_OTHER. */
struct slice http_field_name(enum http_field_id id);

#endif
