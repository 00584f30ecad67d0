/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cidr: blocks of IPv4 and IPv6 addresses: from text, and sets of them that an address is
 * looked up in. The two families never match one another; what comes as IPv4-mapped IPv6
 * is for the caller to make IPv4 of (core/peer.c does). Pure; sets live in an arena.
 */
#ifndef WEBSRV_BASE_CIDR_H
#define WEBSRV_BASE_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

#define CIDR_TEXT_MAX 52 /* an IPv6 address, "/128" and a NUL */

/* All addresses whose first `bits` bits are those of `address`; the others are 0. */
struct cidr {
	uint16_t family;           /* AF_INET or AF_INET6 */
	uint8_t bits;              /* 0 to 32 or 128 */
	unsigned char address[16]; /* network order; IPv4 in the first four */
};

enum cidr_result {
	CIDR_OK,
	CIDR_NO_ADDRESS, /* what stands before the '/' is no numeric address */
	CIDR_BAD_LENGTH, /* what stands behind it is no number from 0 to 32 or 128 */
	CIDR_HOST_BITS,  /* bits behind the prefix are set; *out has them cleared */
	CIDR_MAPPED      /* "::ffff:10.0.0.0/104"; *out is the IPv4 block */
};

/* "10.0.0.0/8", "2001:db8::/32", or a single address. *out is set with CIDR_OK and where
 * it is said above; its family is right with CIDR_BAD_LENGTH, too. */
enum cidr_result cidr_parse(struct slice s, struct cidr *out);

/* "10.0.0.0/8"; a single address without its length. NUL-terminated. Returns out. */
const char *cidr_format(const struct cidr *c, char out[CIDR_TEXT_MAX]);

/* The block of a single address: `address` has 4 or 16 bytes. */
struct cidr cidr_host(uint16_t family, const unsigned char *address);

/* Of one family, sorted by address; no block lies in another one. */
struct cidr_table {
	const struct cidr *blocks;
	size_t count;
};

struct cidr_set {
	struct cidr_table inet, inet6;
};

/* A set of `count` blocks in any order, which may overlap; they are copied. 0 or -ENOMEM. */
int cidr_set_init(struct cidr_set *set, const struct cidr *blocks, size_t count,
		  struct arena *arena) __attribute__((warn_unused_result));

/* The block of the set that all of `c` lies in, or NULL. O(log n). Two neighbours of the
 * set that together cover `c` are not seen as one. */
const struct cidr *cidr_set_find(const struct cidr_set *set, const struct cidr *c);

#endif
