/* SPDX-License-Identifier: Apache-2.0 */
/* test_dial_filter - which addresses a granted name may lead to, and which a literal grant opens */
#include "tests/unit/unit.h"
#include <stdio.h>
#include "dial/filter.h"
#include "dial/known.h"
#include "dial/route.h"

#define W	.where = (char *)(uintptr_t) "t"
#define N(text) .name = (char *)(uintptr_t)(text)

static struct net_address own = { .family = 4, .bytes = { 203, 0, 113, 9 } };
static const struct filter_host host = { .v = &own, .n = 1 };

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_int_equal(net_address_parse(text, &a), 0);
	return a;
}

static void each_kind_of_address_has_its_level(void **state)
{
	static const struct {
		const char *address;
		enum net_block_level level;
	} cases[] = {
		{ "1.1.1.1", NET_BLOCK_PUBLIC },
		{ "203.0.113.10", NET_BLOCK_PUBLIC },
		{ "2606:4700::1111", NET_BLOCK_PUBLIC },
		{ "203.0.113.9", NET_BLOCK_EXACT },
		{ "169.254.169.254", NET_BLOCK_EXACT },
		{ "169.254.170.2", NET_BLOCK_EXACT },
		{ "100.100.100.200", NET_BLOCK_EXACT },
		{ "168.63.129.16", NET_BLOCK_EXACT },
		{ "192.0.0.192", NET_BLOCK_EXACT },
		{ "fd00:ec2::254", NET_BLOCK_EXACT },
		{ "10.0.0.1", NET_BLOCK_PRIVATE },
		{ "172.16.0.1", NET_BLOCK_PRIVATE },
		{ "172.31.255.255", NET_BLOCK_PRIVATE },
		{ "172.32.0.1", NET_BLOCK_PUBLIC },
		{ "192.168.1.1", NET_BLOCK_PRIVATE },
		{ "100.64.0.1", NET_BLOCK_PRIVATE },
		{ "fc00::1", NET_BLOCK_PRIVATE },
		{ "fdab::1", NET_BLOCK_PRIVATE },
		{ "169.254.1.1", NET_BLOCK_PREFIX },
		{ "fe80::1", NET_BLOCK_PREFIX },
		{ "198.18.0.1", NET_BLOCK_PREFIX },
		{ "198.19.255.255", NET_BLOCK_PREFIX },
		{ "4000::1", NET_BLOCK_PREFIX },
		{ "127.0.0.1", NET_BLOCK_NEVER },
		{ "127.255.255.255", NET_BLOCK_NEVER },
		{ "::1", NET_BLOCK_NEVER },
		{ "0.0.0.0", NET_BLOCK_NEVER },
		{ "0.1.2.3", NET_BLOCK_NEVER },
		{ "::", NET_BLOCK_NEVER },
		{ "::ffff:1.1.1.1", NET_BLOCK_NEVER },
		{ "::1.1.1.1", NET_BLOCK_NEVER },
		{ "64:ff9b::101:101", NET_BLOCK_NEVER },
		{ "64:ff9b:1::1", NET_BLOCK_NEVER },
		{ "2002:101:101::1", NET_BLOCK_NEVER },
		{ "2001:0:1::1", NET_BLOCK_NEVER },
		{ "ff02::1", NET_BLOCK_NEVER },
		{ "224.0.0.1", NET_BLOCK_NEVER },
		{ "239.255.255.255", NET_BLOCK_NEVER },
		{ "240.0.0.1", NET_BLOCK_NEVER },
		{ "255.255.255.255", NET_BLOCK_NEVER },
		{ "192.88.99.1", NET_BLOCK_NEVER },
	};
	const char *words;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_address a = address(cases[i].address);
		if (filter_level(&host, &a, &words) != cases[i].level)
			fail_msg("%s: %s", cases[i].address, words);
	}
}

static struct net_grant grants[] = {
	{ .kind = NET_NAME, N("a.example"), .ports = { 443 }, .n_ports = 1, W },
	{ .kind = NET_NAME, N("intranet.example"), .ports = { 443 }, .n_ports = 1, .private_allowed = true, W },
	{ .kind = NET_PREFIX, .address = { 4, { 10, 2 } }, .prefix = 16, .ports = { 5432 }, .n_ports = 1, W },
	{ .kind = NET_PREFIX, .address = { 4, { 169, 254 } }, .prefix = 16, .ports = { 80 }, .n_ports = 1, W },
	{ .kind = NET_PREFIX, .address = { 4, { 203, 0, 113, 9 } }, .prefix = 32, .ports = { 80 }, .n_ports = 1, W },
};
static const struct net_config config = { .grants = grants, .n_grants = ARRAY_LEN(grants) };

static void an_address_is_dialled_only_as_far_as_the_profile_names_it(void **state)
{
	static const struct {
		uint32_t grant;
		const char *address;
		uint16_t port;
		bool allowed;
	} cases[] = {
		{ 0, "1.1.1.1", 443, true },
		{ 0, "10.2.0.1", 443, false },
		{ 0, "10.2.0.1", 5432, true },
		{ 0, "127.0.0.1", 443, false },
		{ 1, "10.9.9.9", 443, true },
		{ 1, "192.168.0.1", 443, true },
		{ 1, "127.0.0.1", 443, false },
		{ 1, "169.254.169.254", 443, false },
		{ 1, "169.254.1.1", 443, false },
		{ 1, "203.0.113.9", 443, false },
		{ 2, "10.2.7.7", 5432, true },
		{ 2, "10.3.7.7", 5432, false },
		{ 3, "169.254.1.1", 80, true },
		{ 3, "169.254.169.254", 80, false },
		{ 4, "203.0.113.9", 80, true },
		{ 99, "1.1.1.1", 443, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_address a = address(cases[i].address);
		const char *words = filter_forbids(&config, cases[i].grant, &host, &a, cases[i].port);
		if ((words == NULL) != cases[i].allowed)
			fail_msg("grant %u, %s port %u: %s", cases[i].grant, cases[i].address, cases[i].port,
				words ? words : "allowed");
	}
}

static void the_hosts_own_addresses_are_found(void **state)
{
	struct filter_host h = { 0 };
	struct net_address loopback = address("127.0.0.1");
	bool found = false;

	assert_int_equal(filter_host_refresh(&h), 0);
	for (size_t i = 0; i < h.n; i++)
		found |= net_address_equal(&h.v[i], &loopback);
	assert_true(found);
	filter_host_done(&h);
}

/* 127.0.0.2 is on no interface; the host's by its routes all the same. */
static void an_address_that_a_local_route_makes_the_hosts_is_its_own(void **state)
{
	struct net_address routed = address("127.0.0.2"), six = address("::1"), public = address("203.0.113.1");
	int fd;

	assert_int_equal(route_open(&fd), 0);
	assert_int_equal(route_is_own(fd, &routed), 1);
	assert_int_equal(route_is_own(fd, &six), 1);
	assert_int_equal(route_is_own(fd, &public), 0);
	close(fd);
}

static void what_cannot_be_told_counts_as_the_hosts(void **state)
{
	struct filter_host broken = { .routed = true, .route = -1 };
	struct net_address public = address("203.0.113.1");

	assert_non_null(filter_forbids(&config, 0, &broken, &public, 443));
}

static void only_addresses_that_a_name_led_to_are_known(void **state)
{
	struct known *k;
	struct net_address a = address("203.0.113.1"), b = address("203.0.113.2");

	assert_int_equal(known_new(&k), 0);
	assert_int_equal(known_add(k, "a.example", &a), 0);
	assert_int_equal(known_add(k, "a.example", &a), 0);
	assert_true(known_has(k, "a.example", &a));
	assert_false(known_has(k, "a.example", &b));
	assert_false(known_has(k, "b.example", &a));
	known_free(k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_address_has_its_level),
		cmocka_unit_test(an_address_is_dialled_only_as_far_as_the_profile_names_it),
		cmocka_unit_test(the_hosts_own_addresses_are_found),
		cmocka_unit_test(an_address_that_a_local_route_makes_the_hosts_is_its_own),
		cmocka_unit_test(what_cannot_be_told_counts_as_the_hosts),
		cmocka_unit_test(only_addresses_that_a_name_led_to_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
