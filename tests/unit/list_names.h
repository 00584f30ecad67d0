/* SPDX-License-Identifier: BSD-2-Clause
 *
 * list_names: what is in a packed list of entries, as one text.
 */
#ifndef WEBSRV_TESTS_LIST_NAMES_H
#define WEBSRV_TESTS_LIST_NAMES_H

#include "base/buf.h"
#include "handler/dirlist.h"

/* "a b/ c": directories with a slash. */
static inline void
join_names(const struct dirlist *l, struct buf *b)
{
	b->len = 0;
	for (size_t i = 0; i < l->count; i++) {
		const struct dirlist_entry *e = dirlist_at(l, i);

		if (i != 0)
			buf_add_char(b, ' ');
		buf_add_slice(b, dirlist_name(e));
		if (e->is_dir)
			buf_add_char(b, '/');
	}
	buf_add_char(b, '\0');
}

#endif
