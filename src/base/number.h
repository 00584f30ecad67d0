/* SPDX-License-Identifier: BSD-2-Clause
 *
 * number: unsigned numbers from (ptr, len), digits only: no sign, no space, no prefix.
 */
#ifndef WEBSRV_BASE_NUMBER_H
#define WEBSRV_BASE_NUMBER_H

#include <stdint.h>

#include "base/slice.h"

/* 0; -EINVAL when `s` is empty or has anything but digits; -ERANGE beyond `max`
 * (however many digits there are). *out is set on 0 only. */
int number_dec(struct slice s, uint64_t max, uint64_t *out);
int number_hex(struct slice s, uint64_t max, uint64_t *out);

/* Decimal digits into `out`; returns the count, 1 to 20. No NUL. */
size_t number_format(uint64_t v, char out[20]);

#endif
