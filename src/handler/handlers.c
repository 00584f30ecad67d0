/* SPDX-License-Identifier: BSD-2-Clause
 *
 * handlers: one line per kind.
 */
#include "handler/handlers.h"

const struct handler_ops *const handler_kinds[] = {
	&files_handler,   &upload_handler, &redirect_handler,
	&respond_handler, &status_handler, NULL,
};
