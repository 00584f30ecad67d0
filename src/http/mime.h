/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mime: media type from a file name's extension, by a built-in sorted table.
 */
#ifndef WEBSRV_HTTP_MIME_H
#define WEBSRV_HTTP_MIME_H

#include <stdbool.h>

#include "base/slice.h"

/* The last extension of the name, with its dot; empty when it has none. A dot at the
 * start of the name begins no extension. */
struct slice mime_extension(struct slice name);

/* `ext` with its dot, any case: ".html" gives "text/html". Empty when unknown. */
struct slice mime_lookup(struct slice ext);

/* True for types whose text has a charset parameter: text/..., JavaScript, JSON excepted
 * by its own registration, XML and SVG included. */
bool mime_is_text(struct slice type);

/* Is what has this type, parameters aside, only ever shown or played: a picture of pixels, sound,
 * film, plain text? True for none that can hold a script, nor for one that is not known. */
bool mime_is_harmless(struct slice type);

#endif
