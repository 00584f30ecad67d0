/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_page: the page that a browser gets at a collection of uploads: a form that works
 * without script, and with it a queue of resumable uploads by tus 1.0. It is the same for every
 * collection, as it asks its own address only, and static: both slices live as long as the
 * program.
 */
#ifndef WEBSRV_HANDLER_UPLOAD_PAGE_H
#define WEBSRV_HANDLER_UPLOAD_PAGE_H

#include "base/slice.h"

/* The whole page, "text/html; charset=utf-8". What its script expects of the server:
 * POST to the address of the page creates (201, Location), HEAD and PATCH of that go on, DELETE
 * ends it; Content-Location or Location with the last PATCH, or Content-Location with the 201 of
 * an empty file, is where the file can be fetched, if HEAD of it is not refused. The form is posted
 * to the same address, as multipart/form-data with parts "file". */
struct slice upload_page_html(void);

/* The value of Content-Security-Policy that goes with it: nothing but the style and the script
 * of this very page, by their hashes, and requests to its own origin. */
struct slice upload_page_csp(void);

#endif
