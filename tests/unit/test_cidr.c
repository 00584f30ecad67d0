/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocks of addresses: what is understood, and sets of them held against a model that looks
 * at every block bit by bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cidr.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct parse_case {
	const char *text;
	enum cidr_result result;
	const char *formatted; /* NULL: not looked at */
};

static const struct parse_case parse_cases[] = {
	{ "10.0.0.0/8", CIDR_OK, "10.0.0.0/8" },
	{ "192.0.2.7", CIDR_OK, "192.0.2.7" },
	{ "192.0.2.7/32", CIDR_OK, "192.0.2.7" },
	{ "0.0.0.0/0", CIDR_OK, "0.0.0.0/0" },
	{ "128.0.0.0/1", CIDR_OK, "128.0.0.0/1" },
	{ "255.255.255.254/31", CIDR_OK, "255.255.255.254/31" },
	{ "::1", CIDR_OK, "::1" },
	{ "::/0", CIDR_OK, "::/0" },
	{ "2001:db8::/32", CIDR_OK, "2001:db8::/32" },
	{ "2001:DB8:0::0/032", CIDR_OK, "2001:db8::/32" },
	{ "0:0:0:0:0:0:0:1/128", CIDR_OK, "::1" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", CIDR_OK,
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
	{ "10.0.0.1/8", CIDR_HOST_BITS, "10.0.0.0/8" },
	{ "10.0.0.1/31", CIDR_HOST_BITS, "10.0.0.0/31" },
	{ "1.2.3.4/0", CIDR_HOST_BITS, "0.0.0.0/0" },
	{ "2001:db8::1/32", CIDR_HOST_BITS, "2001:db8::/32" },
	{ "2001:db8:8000::/32", CIDR_HOST_BITS, "2001:db8::/32" },
	{ "::ffff:10.0.0.0/90", CIDR_HOST_BITS, "::ffc0:0:0/90" },
	{ "::ffff:10.0.0.1", CIDR_MAPPED, "10.0.0.1" },
	{ "::ffff:10.0.0.0/104", CIDR_MAPPED, "10.0.0.0/8" },
	{ "::ffff:10.0.0.1/104", CIDR_MAPPED, "10.0.0.0/8" },
	{ "::ffff:0:0/96", CIDR_MAPPED, "0.0.0.0/0" },
	{ "10.0.0.0/33", CIDR_BAD_LENGTH, NULL },
	{ "10.0.0.0/", CIDR_BAD_LENGTH, NULL },
	{ "10.0.0.0/x", CIDR_BAD_LENGTH, NULL },
	{ "10.0.0.0/-1", CIDR_BAD_LENGTH, NULL },
	{ "10.0.0.0/+8", CIDR_BAD_LENGTH, NULL },
	{ "10.0.0.0/8/8", CIDR_BAD_LENGTH, NULL },
	{ "10.0.0.0/255.0.0.0", CIDR_BAD_LENGTH, NULL },
	{ "10.0.0.0/99999999999999999999", CIDR_BAD_LENGTH, NULL },
	{ "::/129", CIDR_BAD_LENGTH, NULL },
	{ "", CIDR_NO_ADDRESS, NULL },
	{ "/8", CIDR_NO_ADDRESS, NULL },
	{ "10/8", CIDR_NO_ADDRESS, NULL },
	{ "10.0.0/24", CIDR_NO_ADDRESS, NULL },
	{ "10.0.0.256", CIDR_NO_ADDRESS, NULL },
	{ "010.0.0.1", CIDR_NO_ADDRESS, NULL },
	{ " 10.0.0.1", CIDR_NO_ADDRESS, NULL },
	{ "10.0.0.1 ", CIDR_NO_ADDRESS, NULL },
	{ "127.0.0.1:80", CIDR_NO_ADDRESS, NULL },
	{ "[::1]", CIDR_NO_ADDRESS, NULL },
	{ "fe80::1%eth0", CIDR_NO_ADDRESS, NULL },
	{ "localhost", CIDR_NO_ADDRESS, NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", CIDR_NO_ADDRESS,
	  NULL },
};

static void
blocks_are_read_and_written(void **state)
{
	char out[CIDR_TEXT_MAX];
	struct cidr c;

	(void)state;
	for (size_t i = 0; i < COUNT(parse_cases); i++) {
		const struct parse_case *p = &parse_cases[i];

		if (cidr_parse(slice_from_str(p->text), &c) != p->result)
			fail_msg("%s", p->text);
		if (p->formatted != NULL)
			assert_string_equal(cidr_format(&c, out), p->formatted);
	}
}

static void
a_nul_inside_is_no_address(void **state)
{
	struct cidr c;

	(void)state;
	assert_int_equal(cidr_parse(SLICE("10.0.0.1\0x"), &c), CIDR_NO_ADDRESS);
}

static void
what_is_written_is_read_again(void **state)
{
	char out[CIDR_TEXT_MAX];
	struct cidr a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(parse_cases); i++) {
		if (cidr_parse(slice_from_str(parse_cases[i].text), &a) != CIDR_OK)
			continue;
		cidr_format(&a, out);
		assert_int_equal(cidr_parse(slice_from_str(out), &b), CIDR_OK);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

/* --- sets --- */

struct fixture {
	struct arena arena;
	struct cidr blocks[64];
	size_t count;
	struct cidr_set set;
};

static void
make_set(struct fixture *f, const char *const *texts, size_t count)
{
	arena_init(&f->arena, SIZE_MAX);
	f->count = count;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(cidr_parse(slice_from_str(texts[i]), &f->blocks[i]),
				 CIDR_OK);
	assert_int_equal(cidr_set_init(&f->set, f->blocks, count, &f->arena), 0);
}

/* The text of the block that was found, or "". */
static const char *
find(const struct fixture *f, const char *text, char out[CIDR_TEXT_MAX])
{
	const struct cidr *found;
	struct cidr c;

	assert_int_equal(cidr_parse(slice_from_str(text), &c), CIDR_OK);
	found = cidr_set_find(&f->set, &c);
	return found != NULL ? cidr_format(found, out) : "";
}

static void
an_address_is_found_in_its_block(void **state)
{
	static const char *const texts[] = {
		"10.0.0.0/8",    "10.1.0.0/16", "192.0.2.7",  "192.0.2.8/29",
		"2001:db8::/32", "::1",         "10.0.0.0/8", "10.0.0.0/9",
	};
	static const char *const cases[][2] = {
		{ "10.0.0.0", "10.0.0.0/8" },
		{ "10.1.2.3", "10.0.0.0/8" },
		{ "10.255.255.255", "10.0.0.0/8" },
		{ "9.255.255.255", "" },
		{ "11.0.0.0", "" },
		{ "192.0.2.6", "" },
		{ "192.0.2.7", "192.0.2.7" },
		{ "192.0.2.8", "192.0.2.8/29" },
		{ "192.0.2.15", "192.0.2.8/29" },
		{ "192.0.2.16", "" },
		{ "0.0.0.1", "" },
		{ "::1", "::1" },
		{ "::", "" },
		{ "::2", "" },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32" },
		{ "2001:db9::", "" },
		{ "a00::", "" },
		{ "10.1.0.0/16", "10.0.0.0/8" },
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "10.0.0.0/7", "" },
		{ "0.0.0.0/0", "" },
	};
	char out[CIDR_TEXT_MAX];
	struct fixture f;

	(void)state;
	make_set(&f, texts, COUNT(texts));
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (strcmp(find(&f, cases[i][0], out), cases[i][1]) != 0)
			fail_msg("%s: %s", cases[i][0], out);
	}
	arena_fini(&f.arena);
}

static void
the_families_do_not_match_one_another(void **state)
{
	static const char *const inet[] = { "0.0.0.0/0" }, *const inet6[] = { "::/0" };
	char out[CIDR_TEXT_MAX];
	struct fixture f;

	(void)state;
	make_set(&f, inet, 1);
	assert_string_equal(find(&f, "255.255.255.255", out), "0.0.0.0/0");
	assert_string_equal(find(&f, "::", out), "");
	arena_fini(&f.arena);
	make_set(&f, inet6, 1);
	assert_string_equal(find(&f, "0.0.0.0", out), "");
	assert_string_equal(find(&f, "ffff::", out), "::/0");
	arena_fini(&f.arena);
}

static void
an_empty_set_has_nobody(void **state)
{
	char out[CIDR_TEXT_MAX];
	struct fixture f;

	(void)state;
	make_set(&f, NULL, 0);
	assert_string_equal(find(&f, "0.0.0.0", out), "");
	assert_string_equal(find(&f, "::", out), "");
	arena_fini(&f.arena);
}

static void
without_memory_there_is_no_set(void **state)
{
	struct cidr block = cidr_host(AF_INET, (const unsigned char[]){ 1, 2, 3, 4 });
	struct arena arena;
	struct cidr_set set;

	(void)state;
	arena_init(&arena, 0);
	assert_int_equal(cidr_set_init(&set, &block, 1, &arena), -ENOMEM);
	assert_null(cidr_set_find(&set, &block));
	arena_fini(&arena);
}

/* --- against a model --- */

static bool
model_bit(const struct cidr *c, unsigned i)
{
	return (c->address[i / 8] >> (7 - i % 8) & 1) != 0;
}

static bool
model_covers(const struct fixture *f, const struct cidr *c)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct cidr *block = &f->blocks[i];
		unsigned bit = 0;

		if (block->family != c->family || block->bits > c->bits)
			continue;
		while (bit < block->bits && model_bit(block, bit) == model_bit(c, bit))
			bit++;
		if (bit == block->bits)
			return true;
	}
	return false;
}

/* Few bits of the address are free, so that blocks nest, touch and repeat. */
static struct cidr
random_block(bool is_host)
{
	bool is_inet = random() % 2 == 0;
	unsigned width = is_inet ? 32 : 128;
	unsigned bits = is_host ? width : (unsigned)random() % (width + 1);
	struct cidr c = { .family = is_inet ? AF_INET : AF_INET6, .bits = (uint8_t)bits };

	for (unsigned i = 0; i < bits; i++) {
		if ((i % 16 < 2 || i + 3 > width) && random() % 2 == 0)
			c.address[i / 8] |= (unsigned char)(0x80 >> i % 8);
	}
	return c;
}

static void
sets_agree_with_a_look_at_every_block(void **state)
{
	size_t covered = 0, asked = 0;
	struct fixture f;

	(void)state;
	srandom(20260101);
	for (int round = 0; round < 400; round++) {
		arena_init(&f.arena, SIZE_MAX);
		f.count = (size_t)random() % COUNT(f.blocks);
		for (size_t i = 0; i < f.count; i++) {
			f.blocks[i] = random_block(round % 2 == 0);
			if (f.blocks[i].bits < 3 && random() % 4 != 0)
				f.blocks[i] = random_block(true);
		}
		assert_int_equal(cidr_set_init(&f.set, f.blocks, f.count, &f.arena), 0);
		for (int i = 0; i < 200; i++, asked++) {
			struct cidr c = random_block(i % 4 != 0);
			const struct cidr *found = cidr_set_find(&f.set, &c);

			assert_int_equal(found != NULL, model_covers(&f, &c));
			covered += found != NULL;
		}
		arena_fini(&f.arena);
	}
	/* Else the rounds show nothing. */
	assert_in_range(covered, asked / 10, asked - asked / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_read_and_written),
		cmocka_unit_test(a_nul_inside_is_no_address),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(an_address_is_found_in_its_block),
		cmocka_unit_test(the_families_do_not_match_one_another),
		cmocka_unit_test(an_empty_set_has_nobody),
		cmocka_unit_test(without_memory_there_is_no_set),
		cmocka_unit_test(sets_agree_with_a_look_at_every_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
