/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_name: which names a file that arrives may have; one answer for every way in. It
 * never mends a name: what is stored is what was asked for, or nothing is.
 */
#ifndef WEBSRV_HTTP_UPLOAD_NAME_H
#define WEBSRV_HTTP_UPLOAD_NAME_H

#include <stdbool.h>

#include "base/slice.h"

#define UPLOAD_NAME_MAX 255         /* NAME_MAX, bytes */
#define UPLOAD_NAME_RESERVE_MAX 128 /* what a caller may keep of that */

/* Sentences for the body of a 400. */
#define UPLOAD_NAME_ERRORS(X)                                                            \
	X(OK, "")                                                                        \
	X(EMPTY, "The file name is empty.")                                              \
	X(LENGTH, "The file name is too long.")                                          \
	X(UTF8, "The file name is not UTF-8.")                                           \
	X(SEPARATOR, "The file name has a slash, a backslash or a colon.")               \
	X(CONTROL, "The file name has a control character.")                             \
	X(INVISIBLE, "The file name has a character that cannot be seen or has no "      \
		     "meaning.")                                                         \
	X(START, "The file name begins with a dot or a space.")                          \
	X(FINISH, "The file name ends with a dot or a space.")                           \
	X(DEVICE, "The file name is that of a device on Windows.")                       \
	X(DEPTH, "The path has too many folders.")                                       \
	X(TYPE, "Files of this type are not taken.")

enum upload_name_error {
#define X(id, sentence) UPLOAD_NAME_##id,
	UPLOAD_NAME_ERRORS(X)
#undef X
		UPLOAD_NAME_ERROR_COUNT
};

/*
 * May a file of this name be stored? `name`: decoded, any bytes. `reserve`: bytes of
 * UPLOAD_NAME_MAX that it must leave, at most UPLOAD_NAME_RESERVE_MAX. Joiners (U+200C,
 * U+200D) pass: Persian and emoji are written with them. Neither _DEPTH nor _TYPE.
 */
enum upload_name_error upload_name_check(struct slice name, size_t reserve)
	__attribute__((warn_unused_result));

/* The same for each name of `a/b/c.txt`; more than `max` of them are UPLOAD_NAME_DEPTH. A
 * slash at either end, or two in a row, make an empty name. */
enum upload_name_error upload_name_check_path(struct slice path, size_t max,
					      size_t reserve)
	__attribute__((warn_unused_result));

/* Does the name end with one of `types` (".jpg", ".tar.gz"; in any case) behind a stem? */
bool upload_name_has_type(struct slice name, const struct slice *types, size_t count);

/* What is behind the last slash or backslash: clients send the path that the file has there. */
struct slice upload_name_last(struct slice path);

/*
 * The `n`th name to try when `name` is taken: "a.jpg", 2 gives "a (2).jpg". `name` is one
 * that upload_name_check() passes with this reserve, and so is the new one: its stem is cut
 * between characters when it must be. The ending stays, ".tar.gz" as a whole. Names of
 * different `n` differ; one of them may be `name` itself when that is of the greatest
 * length. Written to `out`, without a NUL; the slice points there.
 */
struct slice upload_name_number(struct slice name, unsigned n, size_t reserve,
				char out[UPLOAD_NAME_MAX]);

/* A sentence, static; "" for UPLOAD_NAME_OK. */
const char *upload_name_sentence(enum upload_name_error e);

#endif
