/* SPDX-License-Identifier: Apache-2.0 */
/* net_block - see net_block.h */
#include "wire/net_block.h"

/* The first row that covers an address speaks: single addresses stand before the blocks they lie in. */
static const struct net_block blocks[] = {
	/* where clouds give out credentials */
	{ { 4, { 169, 254, 169, 254 } }, 32, NET_BLOCK_EXACT, "a metadata service" },
	{ { 4, { 169, 254, 170, 2 } }, 32, NET_BLOCK_EXACT, "a metadata service" },
	{ { 4, { 100, 100, 100, 200 } }, 32, NET_BLOCK_EXACT, "a metadata service" },
	{ { 4, { 168, 63, 129, 16 } }, 32, NET_BLOCK_EXACT, "a metadata service" },
	{ { 4, { 192, 0, 0, 192 } }, 32, NET_BLOCK_EXACT, "a metadata service" },
	{ { 6, { 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x00 } }, 32, NET_BLOCK_EXACT, "a metadata service" },
	/* IPv4, RFC 6890 and its registry */
	{ { 4, { 0 } }, 8, NET_BLOCK_NEVER, "an address of \"this network\"" },
	{ { 4, { 10 } }, 8, NET_BLOCK_PRIVATE, "a private address" },
	{ { 4, { 100, 64 } }, 10, NET_BLOCK_PRIVATE, "a carrier's private address" },
	{ { 4, { 127 } }, 8, NET_BLOCK_NEVER, "a loopback address" },
	{ { 4, { 169, 254 } }, 16, NET_BLOCK_PREFIX, "a link-local address" },
	{ { 4, { 172, 16 } }, 12, NET_BLOCK_PRIVATE, "a private address" },
	{ { 4, { 192, 0, 0 } }, 24, NET_BLOCK_PREFIX, "an address of protocol assignments" },
	{ { 4, { 192, 88, 99 } }, 24, NET_BLOCK_NEVER, "a 6to4 relay" },
	{ { 4, { 192, 168 } }, 16, NET_BLOCK_PRIVATE, "a private address" },
	{ { 4, { 198, 18 } }, 15, NET_BLOCK_PREFIX, "an address for benchmarks" },
	{ { 4, { 224 } }, 4, NET_BLOCK_NEVER, "a multicast address" },
	{ { 4, { 240 } }, 4, NET_BLOCK_NEVER, "a reserved address" },
	{ { 4, { 0 } }, 0, NET_BLOCK_PUBLIC, "a public address" },
	/* IPv6, RFC 6890 and its registry */
	{ { 6, { [15] = 1 } }, 128, NET_BLOCK_NEVER, "a loopback address" },
	{ { 6, { 0 } }, 96, NET_BLOCK_NEVER, "an IPv4 address in compatible form" },
	{ { 6, { [10] = 0xff, [11] = 0xff } }, 96, NET_BLOCK_NEVER, "an IPv4 address in mapped form" },
	{ { 6, { 0x00, 0x64, 0xff, 0x9b } }, 32, NET_BLOCK_NEVER, "an address of a NAT64" },
	{ { 6, { 0x20, 0x01, 0x00, 0x00 } }, 32, NET_BLOCK_NEVER, "a Teredo address" },
	{ { 6, { 0x20, 0x01, 0x00, 0x10 } }, 28, NET_BLOCK_NEVER, "an identifier, not an address" },
	{ { 6, { 0x20, 0x01, 0x00, 0x20 } }, 28, NET_BLOCK_NEVER, "an identifier, not an address" },
	{ { 6, { 0x20, 0x02 } }, 16, NET_BLOCK_NEVER, "a 6to4 address" },
	{ { 6, { 0x20 } }, 3, NET_BLOCK_PUBLIC, "a public address" },
	{ { 6, { 0xfc } }, 7, NET_BLOCK_PRIVATE, "a private address" },
	{ { 6, { 0xfe, 0x80 } }, 10, NET_BLOCK_PREFIX, "a link-local address" },
	{ { 6, { 0xff } }, 8, NET_BLOCK_NEVER, "a multicast address" },
	{ { 6, { 0 } }, 0, NET_BLOCK_PREFIX, "no global address" },
};

const struct net_block *net_block_of(const struct net_address *a)
{
	static const struct net_block none = { .level = NET_BLOCK_NEVER, .words = "no address" };

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (net_prefix_covers(&blocks[i].net, blocks[i].prefix, a))
			return &blocks[i];
	return &none;
}

bool net_block_is_mixed(const struct net_address *net, uint8_t prefix)
{
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (blocks[i].prefix > prefix && blocks[i].level != NET_BLOCK_NEVER &&
			blocks[i].level != NET_BLOCK_EXACT && net_prefix_covers(net, prefix, &blocks[i].net))
			return true;
	return false;
}
