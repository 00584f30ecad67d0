/* SPDX-License-Identifier: BSD-2-Clause
 *
 * packed_rows: rows of redirects as a router looks them up. Included after cmocka.h.
 */
#ifndef WEBSRV_TESTS_PACKED_ROWS_H
#define WEBSRV_TESTS_PACKED_ROWS_H

#include <string.h>

#include "base/packmap.h"
#include "conf/config.h"

static inline void
pack_rows(struct packmap *m, const struct conf_redirect_row *rows, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(rows[i].from) + strlen(rows[i].to);
	assert_int_equal(packmap_init(m, count, bytes), 0);
	for (size_t i = 0; i < count; i++) {
		struct packmap_entry e = { slice_from_str(rows[i].from),
					   slice_from_str(rows[i].to), (uint32_t)i,
					   (uint16_t)rows[i].status };

		packmap_add(m, &e);
	}
}

#endif
