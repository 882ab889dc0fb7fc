/* SPDX-License-Identifier: Apache-2.0 */
/* test_net - which grant a name or an address falls under, and the network drawn from the grants */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include "base/io.h"
#include "wire/net_layout.h"

#define W	.where = (char *)(uintptr_t) "t"
#define N(text) .name = (char *)(uintptr_t)(text)

static void names_in_our_form_are_told_from_others(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "api.github.com", true },
		{ "localhost", true },
		{ "_acme.example.com", true },
		{ "xn--bcher-kva.example", true },
		{ "a-b.c", true },
		{ "1password.com", true },
		{ "4.example", true },
		{ "", false },
		{ ".", false },
		{ "a..b", false },
		{ ".a", false },
		{ "a.", false },
		{ "A.b", false },
		{ "a b.c", false },
		{ "10.0.0.1", false },
		{ "127.1", false },
		{ "a.1", false },
		{ "b\xc3\xbc.example", false },
		{ "a/b", false },
		{ "*.a", false },
		{ "a123456789012345678901234567890123456789012345678901234567890123.x", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(net_name_valid(cases[i].name), cases[i].valid);
}

static void a_name_is_at_most_253_bytes(void **state)
{
	char name[260];

	for (size_t i = 0; i < 255; i++)
		name[i] = i % 2 ? '.' : 'a';
	name[253] = 0;
	assert_true(net_name_valid(name));
	name[253] = '.', name[254] = 'a', name[255] = 0;
	assert_false(net_name_valid(name));
}

static struct net_grant grants[] = {
	{ .kind = NET_ANY_NAME, .ports = { 443 }, .n_ports = 1, W },
	{ .kind = NET_WILDCARD, N("example.com"), .ports = { 80, 443 }, .n_ports = 2, W },
	{ .kind = NET_WILDCARD, N("deep.example.com"), .ports = { 443 }, .n_ports = 1, W },
	{ .kind = NET_NAME, N("api.example.com"), .ports = { 443 }, .n_ports = 1, W },
	{ .kind = NET_PREFIX, .address = { 4, { 10, 0, 0, 0 } }, .prefix = 8, .ports = { 5432 }, .n_ports = 1, W },
	{ .kind = NET_PREFIX, .address = { 4, { 10, 2, 3, 4 } }, .prefix = 32, .ports = { 5432 }, .n_ports = 1, W },
	{ .kind = NET_LOCALHOST, .ports = { 5432 }, .n_ports = 1, W },
};
static const struct net_config config = { .grants = grants, .n_grants = ARRAY_LEN(grants) };

static void the_closest_grant_wins(void **state)
{
	static const struct {
		const char *name;
		uint16_t port;
		uint32_t grant;
	} cases[] = {
		{ "api.example.com", 443, 3 },
		{ "api.example.com", 80, 1 },
		{ "api.example.com", 22, NET_NO_GRANT },
		{ "example.com", 443, 0 },
		{ "example.com", 80, NET_NO_GRANT },
		{ "x.deep.example.com", 443, 2 },
		{ "x.deep.example.com", 80, 1 },
		{ "deep.example.com", 443, 1 },
		{ "notexample.com", 80, NET_NO_GRANT },
		{ "example.com.evil.test", 80, NET_NO_GRANT },
		{ "evil.test", 443, 0 },
		{ "a.example.com", 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(net_match_name(&config, cases[i].name, cases[i].port), cases[i].grant);
}

static void an_observed_grant_speaks_where_no_other_does_and_while_it_is_observed(void **state)
{
	static struct net_grant both[] = {
		{ .kind = NET_WILDCARD, N("example.com"), .ports = { 443 }, .n_ports = 1, W },
		{ .kind = NET_NAME, N("api.example.com"), .ports = { 80, 443 }, .n_ports = 2, .observed = true, W },
		{ .kind = NET_ANY_NAME, .ports = { 80 }, .n_ports = 1, .observed = true, W },
	};
	static const struct {
		const char *name;
		uint16_t port;
		uint32_t now, over;
	} cases[] = {
		{ "api.example.com", 443, 0, 0 },
		{ "api.example.com", 80, 1, NET_NO_GRANT },
		{ "evil.test", 80, 2, NET_NO_GRANT },
		{ "evil.test", 443, NET_NO_GRANT, NET_NO_GRANT },
		{ "evil.test", 0, 2, NET_NO_GRANT },
	};
	struct net_config c = { .grants = both, .n_grants = ARRAY_LEN(both) };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		c.observe_until_us = io_boot_us() + 3600 * UINT64_C(1000000);
		assert_int_equal(net_match_name(&c, cases[i].name, cases[i].port), cases[i].now);
		c.observe_until_us = io_boot_us();
		assert_int_equal(net_match_name(&c, cases[i].name, cases[i].port), cases[i].over);
		c.observe_until_us = 0;
		assert_int_equal(net_match_name(&c, cases[i].name, cases[i].port), cases[i].over);
	}
}

static void what_is_observed_and_leads_inside_is_no_configuration(void **state)
{
	static const struct {
		struct net_grant grant;
		bool good;
	} rows[] = {
		{ { .kind = NET_NAME, N("a.example"), .ports = { 80 }, .n_ports = 1, W }, true },
		{ { .kind = NET_PREFIX, .address = { 4, { 10 } }, .prefix = 8, .ports = { 80 }, .n_ports = 1, W },
			false },
		{ { .kind = NET_LOCALHOST, .ports = { 80 }, .n_ports = 1, W }, false },
		{ { .kind = NET_ANY_NAME, .ports = { 80 }, .n_ports = 1, .private_allowed = true, W }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (unsigned observed = 0; observed < 2; observed++) {
			struct net_grant g = rows[i].grant;
			struct net_config c = { .server = (char *)(uintptr_t) "s",
				.uid = 1,
				.gid = 1,
				.grants = &g,
				.n_grants = 1,
				.limits = net_limits_default(),
				.observe_until_us = 5 };
			_cleanup_net_config_ struct net_config got = { 0 };
			_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
			g.observed = observed;
			assert_int_equal(net_config_encode(&c, &w), 0);
			assert_int_equal(net_config_decode(w.buf.data, w.buf.len, &got),
				rows[i].good || !observed ? 0 : -EPROTO);
			if (rows[i].good)
				assert_true(got.grants[0].observed == g.observed && got.observe_until_us == 5);
		}
	}
}

static void a_literal_address_falls_under_the_longest_prefix(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
		uint32_t grant;
	} cases[] = { { "10.2.3.4", 5432, 5 }, { "10.2.3.5", 5432, 4 }, { "10.2.3.4", 80, NET_NO_GRANT },
		{ "11.0.0.1", 5432, NET_NO_GRANT }, { "::ffff:10.2.3.4", 5432, NET_NO_GRANT },
		{ "127.0.0.1", 5432, NET_NO_GRANT } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_address a;
		assert_int_equal(net_address_parse(cases[i].address, &a), 0);
		assert_int_equal(net_match_address(&config, &a, cases[i].port), cases[i].grant);
	}
}

static void addresses_in_other_bases_and_short_forms_are_no_addresses(void **state)
{
	static const char *const bad[] = { "0x7f.0.0.1", "0177.0.0.1", "127.1", "2130706433", "1.2.3.4.5", "1.2.3.256",
		"::g", "", "1.2.3.4 ", "fe80::1%eth0" };
	struct net_address a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_address_parse(bad[i], &a), -EINVAL);
}

static size_t count(const struct net_layout *l, enum net_socket_kind kind, const char *address, uint16_t port)
{
	char text[NET_ADDRESS_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < l->n_sockets; i++)
		n += l->sockets[i].kind == kind && (!port || l->sockets[i].port == port) &&
		     (!address || strcmp(net_address_text(&l->sockets[i].address, text, sizeof(text)), address) == 0);
	return n;
}

static void enumerated_names_have_listeners_of_their_own(void **state)
{
	struct net_grant two[] = { { .kind = NET_NAME, N("a.example"), .ports = { 80, 443 }, .n_ports = 2, W },
		{ .kind = NET_NAME, N("b.example"), .ports = { 443 }, .n_ports = 1, W } };
	struct net_config c = { .grants = two, .n_grants = 2 };
	_cleanup_net_layout_ struct net_layout l;

	assert_int_equal(net_layout_draw(&c, &l), 0);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, NULL, 0), 3);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "198.18.0.16", 80), 1);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "198.18.0.16", 443), 1);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "198.18.0.17", 443), 1);
	assert_int_equal(count(&l, NET_SOCKET_DNS_UDP, "198.18.0.1", 53), 1);
	assert_int_equal(l.n_routes, 1);
}

static void a_port_of_many_addresses_has_one_listener(void **state)
{
	_cleanup_net_layout_ struct net_layout l;

	assert_int_equal(net_layout_draw(&config, &l), 0);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, NULL, 443), 1);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "0.0.0.0", 443), 1);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "0.0.0.0", 5432), 1);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "127.0.0.1", 5432), 0);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "::1", 5432), 1);
	assert_int_equal(l.n_routes, 3);
}

static void real_addresses_are_all_local(void **state)
{
	struct net_grant one[] = { { .kind = NET_NAME, N("a.example"), .ports = { 443 }, .n_ports = 1, W } };
	struct net_config c = { .grants = one, .n_grants = 1, .addresses = NET_REAL };
	_cleanup_net_layout_ struct net_layout l;

	assert_int_equal(net_layout_draw(&c, &l), 0);
	assert_int_equal(l.n_routes, 1);
	assert_int_equal(l.routes[0].prefix, 0);
	assert_int_equal(count(&l, NET_SOCKET_LISTEN, "0.0.0.0", 443), 1);
}

static void a_published_port_has_spare_sockets(void **state)
{
	struct net_config c = { .publish = { 8080, 9090 }, .n_publish = 2 };
	_cleanup_net_layout_ struct net_layout l;

	assert_int_equal(net_layout_draw(&c, &l), 0);
	assert_int_equal(count(&l, NET_SOCKET_SPARE, NULL, 8080), NET_SPARES);
	assert_int_equal(count(&l, NET_SOCKET_SPARE, NULL, 9090), NET_SPARES);
}

static void more_names_than_the_range_holds_get_no_address(void **state)
{
	struct net_config c = { 0 };
	_cleanup_net_layout_ struct net_layout l;
	struct net_address last, none;
	char text[NET_ADDRESS_TEXT];

	assert_int_equal(net_layout_draw(&c, &l), 0);
	last = net_layout_nth(&l, (1u << 17) - 2);
	none = net_layout_nth(&l, (1u << 17) - 1);
	assert_string_equal(net_address_text(&last, text, sizeof(text)), "198.19.255.254");
	assert_int_equal(none.family, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_our_form_are_told_from_others),
		cmocka_unit_test(a_name_is_at_most_253_bytes),
		cmocka_unit_test(the_closest_grant_wins),
		cmocka_unit_test(an_observed_grant_speaks_where_no_other_does_and_while_it_is_observed),
		cmocka_unit_test(what_is_observed_and_leads_inside_is_no_configuration),
		cmocka_unit_test(a_literal_address_falls_under_the_longest_prefix),
		cmocka_unit_test(addresses_in_other_bases_and_short_forms_are_no_addresses),
		cmocka_unit_test(enumerated_names_have_listeners_of_their_own),
		cmocka_unit_test(a_port_of_many_addresses_has_one_listener),
		cmocka_unit_test(real_addresses_are_all_local),
		cmocka_unit_test(a_published_port_has_spare_sockets),
		cmocka_unit_test(more_names_than_the_range_holds_get_no_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
