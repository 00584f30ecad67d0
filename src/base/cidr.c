/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cidr: two blocks either lie one in the other or apart, so a sorted table without nested
 * ones has at most one candidate for an address: the last block that begins not after it.
 */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define MAPPED_BITS 96 /* "::ffff:0:0/96" is IPv4, RFC 4291 section 2.5.5.2 */

static unsigned
width(uint16_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* Do the first `bits` bits agree? */
static bool
has_prefix(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

/* Clears what stands behind the prefix; was anything there? */
static bool
clear_host_bits(struct cidr *c)
{
	bool was_set = false;

	for (unsigned i = c->bits; i < width(c->family); i++) {
		unsigned char bit = (unsigned char)(0x80 >> i % 8);

		was_set = was_set || (c->address[i / 8] & bit) != 0;
		c->address[i / 8] &= (unsigned char)~bit;
	}
	return was_set;
}

static bool
is_mapped(const struct cidr *c)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	return c->family == AF_INET6 && c->bits >= MAPPED_BITS &&
	       has_prefix(c->address, mapped, MAPPED_BITS);
}

static int
parse_address(struct slice s, struct cidr *out)
{
	char text[INET6_ADDRSTRLEN];

	*out = (struct cidr){ .family = AF_INET };
	if (s.len == 0 || s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len) != NULL)
		return -EINVAL;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	if (inet_pton(AF_INET, text, out->address) == 1)
		return 0;
	*out = (struct cidr){ .family = AF_INET6 };
	return inet_pton(AF_INET6, text, out->address) == 1 ? 0 : -EINVAL;
}

enum cidr_result
cidr_parse(struct slice s, struct cidr *out)
{
	size_t slash = slice_find(s, '/');
	uint64_t bits;

	if (parse_address(slice_make(s.ptr, slash), out) < 0)
		return CIDR_NO_ADDRESS;
	bits = width(out->family);
	if (slash < s.len && number_dec(slice_from(s, slash + 1), bits, &bits) < 0)
		return CIDR_BAD_LENGTH;
	out->bits = (uint8_t)bits;
	if (is_mapped(out)) {
		*out = (struct cidr){ .family = AF_INET,
				      .bits = (uint8_t)(bits - MAPPED_BITS),
				      .address = { out->address[12], out->address[13],
						   out->address[14], out->address[15] } };
		(void)clear_host_bits(out);
		return CIDR_MAPPED;
	}
	return clear_host_bits(out) ? CIDR_HOST_BITS : CIDR_OK;
}

const char *
cidr_format(const struct cidr *c, char out[CIDR_TEXT_MAX])
{
	size_t len;

	if (inet_ntop(c->family, c->address, out, CIDR_TEXT_MAX) == NULL)
		*out = '\0';
	len = strlen(out);
	if (c->bits != width(c->family))
		snprintf(out + len, CIDR_TEXT_MAX - len, "/%u", c->bits);
	return out;
}

struct cidr
cidr_host(uint16_t family, const unsigned char *address)
{
	struct cidr c = { .family = family, .bits = (uint8_t)width(family) };

	memcpy(c.address, address, width(family) / 8);
	return c;
}

/* --- sets --- */

/* By family and address; of those that begin alike the largest is first. */
static int
compare(const void *a, const void *b)
{
	const struct cidr *x = a, *y = b;
	int order;

	if (x->family != y->family)
		return x->family == AF_INET ? -1 : 1;
	order = memcmp(x->address, y->address, sizeof(x->address));
	return order != 0 ? order : (int)x->bits - (int)y->bits;
}

static bool
contains(const struct cidr *outer, const struct cidr *inner)
{
	return outer->family == inner->family && outer->bits <= inner->bits &&
	       has_prefix(outer->address, inner->address, outer->bits);
}

int
cidr_set_init(struct cidr_set *set, const struct cidr *blocks, size_t count,
	      struct arena *arena)
{
	struct cidr *all = arena_alloc(arena, (count + 1) * sizeof(*all));
	size_t n = 0, inet = 0;

	*set = (struct cidr_set){ 0 };
	if (all == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		all[i] = blocks[i];
	qsort(all, count, sizeof(*all), compare);
	for (size_t i = 0; i < count; i++) {
		if (n == 0 || !contains(&all[n - 1], &all[i]))
			all[n++] = all[i];
	}
	while (inet < n && all[inet].family == AF_INET)
		inet++;
	set->inet = (struct cidr_table){ all, inet };
	set->inet6 = (struct cidr_table){ all + inet, n - inet };
	return 0;
}

const struct cidr *
cidr_set_find(const struct cidr_set *set, const struct cidr *c)
{
	const struct cidr_table *t = c->family == AF_INET ? &set->inet : &set->inet6;
	size_t from = 0, to = t->count;

	/* Before `from` all begin at c or earlier, from `to` on all begin behind it. */
	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (memcmp(t->blocks[mid].address, c->address, sizeof(c->address)) <= 0)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == 0 || !contains(&t->blocks[from - 1], c))
		return NULL;
	return &t->blocks[from - 1];
}
