/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fs_status: errno to status.
 */
#include "handler/fs_status.h"

#include <errno.h>

int
fs_status(int error)
{
	switch (error < 0 ? -error : error) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case EXDEV:
	case ENAMETOOLONG:
	case ENXIO:
		return 404;
	case EACCES:
	case EPERM:
	case EROFS:
		return 403;
	case EEXIST:
	case EISDIR:
	case ENOTEMPTY:
		return 409;
	case EFBIG:
		return 413;
	case ENOSPC:
	case EDQUOT:
		return 507;
	case EMFILE:
	case ENFILE:
	case EAGAIN:
	case ENOMEM:
		return 503;
	default:
		return 500;
	}
}
