/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rows: a row of a table as a test of its own. Included after cmocka.h.
 */
#ifndef WEBSRV_TESTS_ROWS_H
#define WEBSRV_TESTS_ROWS_H

/* A test of that name: `test` finds the row in *state. */
static inline struct CMUnitTest
row_test(const char *name, CMUnitTestFunction test, const void *row)
{
	return (struct CMUnitTest){ .name = name,
				    .test_func = test,
				    .initial_state = (void *)(uintptr_t)row };
}

#endif
