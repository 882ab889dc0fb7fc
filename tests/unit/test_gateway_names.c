/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway_names - which address stands for which name, and what a connection to it means */
#include "tests/unit/unit.h"
#include <stdio.h>
#include "gateway/decide.h"
#include "gateway/watch.h"

#define W	.where = (char *)(uintptr_t) "demo.json:3 (network.allow)"
#define N(text) .name = (char *)(uintptr_t)(text)

static struct net_grant grants[] = {
	{ .kind = NET_NAME, N("api.example.com"), .ports = { 443 }, .n_ports = 1, .sni = true, W },
	{ .kind = NET_NAME, N("plain.example.com"), .ports = { 443, 5432 }, .n_ports = 2, W },
	{ .kind = NET_WILDCARD, N("w.example"), .ports = { 443 }, .n_ports = 1, .sni = true, W },
	{ .kind = NET_PREFIX,
		.address = { 4, { 10, 2, 0, 0 } },
		.prefix = 16,
		.ports = { 443, 5432 },
		.n_ports = 2,
		.sni = true,
		W },
	{ .kind = NET_LOCALHOST, .ports = { 5432 }, .n_ports = 1, W },
	{ .kind = NET_NAME, N("api.example.com"), .ports = { 22 }, .n_ports = 1, W },
};

struct world {
	struct net_config config;
	struct net_layout layout;
	struct names names;
};

static void begin(struct world *w, enum net_addresses addresses, uint32_t names)
{
	*w = (struct world){ .config = { .grants = grants,
				     .n_grants = ARRAY_LEN(grants),
				     .addresses = addresses,
				     .limits = net_limits_default() } };
	w->config.limits.names = names;
	assert_int_equal(net_layout_draw(&w->config, &w->layout), 0);
	assert_int_equal(names_init(&w->names, &w->config, &w->layout), 0);
}

static void end(struct world *w)
{
	names_done(&w->names);
	net_layout_done(&w->layout);
}

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_int_equal(net_address_parse(text, &a), 0);
	return a;
}

static void a_name_keeps_its_address_and_no_other_name_gets_it(void **state)
{
	struct net_address seen[3];
	const struct name *name;
	struct world w;
	char text[32];

	begin(&w, NET_BENCHMARK, 3);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 3; i++) {
			snprintf(text, sizeof(text), "n%u.w.example", i);
			assert_int_equal(names_map(&w.names, text, &name), 0);
			if (round)
				assert_memory_equal(&seen[i], &name->address, sizeof(seen[i]));
			seen[i] = name->address;
			assert_string_equal(names_at(&w.names, &seen[i])->names[0]->text, text);
		}
		assert_int_equal(names_map(&w.names, "more.w.example", &name), NAMES_FULL);
	}
	assert_int_equal(names_map(&w.names, "api.example.com", &name), 0);
	assert_int_equal(names_map(&w.names, "evil.test", &name), NAMES_DENIED);
	end(&w);
}

static void a_range_that_is_used_up_gives_no_more_addresses(void **state)
{
	const struct name *name;
	struct world w;
	char text[32];
	unsigned i;
	int r = 0;

	begin(&w, NET_BENCHMARK, 65536);
	w.layout.range_prefix = 24;
	for (i = 0; r == 0 && i < 1000; i++) {
		snprintf(text, sizeof(text), "n%u.w.example", i);
		r = names_map(&w.names, text, &name);
	}
	assert_int_equal(r, NAMES_FULL);
	assert_int_equal(i - 1, 255 - NET_FIXED_NAMES_FIRST - ARRAY_LEN(grants));
	assert_int_equal(names_map(&w.names, "n0.w.example", &name), 0);
	end(&w);
}

static void a_host_of_two_grants_has_one_address_with_the_ports_of_both(void **state)
{
	const struct name *name;
	struct world w;
	size_t listeners = 0;

	begin(&w, NET_BENCHMARK, 3);
	assert_int_equal(names_map(&w.names, "api.example.com", &name), 0);
	for (size_t i = 0; i < w.layout.n_sockets; i++)
		listeners += w.layout.sockets[i].kind == NET_SOCKET_LISTEN && w.layout.sockets[i].port == 22 &&
			     net_address_equal(&w.layout.sockets[i].address, &name->address);
	assert_int_equal(listeners, 1);
	end(&w);
}

static void an_address_and_port_mean_what_was_granted(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
		enum decide_verdict verdict;
		uint32_t grant;
		const char *name;
	} cases[] = {
		{ "198.18.0.16", 443, DECIDE_HELLO, 0, "api.example.com" },
		{ "198.18.0.16", 22, DECIDE_GO, 5, "api.example.com" },
		{ "198.18.0.16", 80, DECIDE_DENY, NET_NO_GRANT, NULL },
		{ "198.18.0.17", 443, DECIDE_GO, 1, "plain.example.com" },
		{ "198.18.0.17", 5432, DECIDE_GO, 1, "plain.example.com" },
		{ "198.18.0.99", 443, DECIDE_DENY, NET_NO_GRANT, NULL },
		{ "198.18.0.22", 443, DECIDE_HELLO, 2, "n0.w.example" },
		{ "198.18.0.22", 5432, DECIDE_DENY, NET_NO_GRANT, NULL },
		{ "10.2.3.4", 443, DECIDE_GO, 3, NULL },
		{ "10.3.0.1", 443, DECIDE_DENY, NET_NO_GRANT, NULL },
		{ "127.0.0.1", 5432, DECIDE_GO, 4, NULL },
		{ "::1", 5432, DECIDE_GO, 4, NULL },
		{ "127.0.0.1", 443, DECIDE_DENY, NET_NO_GRANT, NULL },
		{ "127.9.9.9", 22, DECIDE_DENY, NET_NO_GRANT, NULL },
		{ "::ffff:10.2.3.4", 443, DECIDE_DENY, NET_NO_GRANT, NULL },
		{ "169.254.169.254", 443, DECIDE_DENY, NET_NO_GRANT, NULL },
	};
	const struct name *name;
	struct world w;

	begin(&w, NET_BENCHMARK, 3);
	assert_int_equal(names_map(&w.names, "n0.w.example", &name), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_address a = address(cases[i].address);
		struct decision d;
		assert_int_equal(decide_address(&w.names, &a, cases[i].port, &d), cases[i].verdict);
		assert_int_equal(d.grant, cases[i].grant);
		assert_true(cases[i].name ? d.name && strcmp(d.name->text, cases[i].name) == 0 : !d.name);
	}
	end(&w);
}

static void the_hello_must_name_what_the_address_stands_for(void **state)
{
	static const struct {
		enum hello_found found;
		const char *sni;
		enum decide_verdict verdict;
	} cases[] = {
		{ HELLO_NAME, "api.example.com", DECIDE_GO },
		{ HELLO_NAME, "plain.example.com", DECIDE_DENY },
		{ HELLO_NAME, "evil.test", DECIDE_DENY },
		{ HELLO_NO_NAME, "", DECIDE_DENY },
		{ HELLO_NOT_TLS, "", DECIDE_DENY },
		{ HELLO_MORE, "", DECIDE_DENY },
		{ HELLO_BAD_NAME, "", DECIDE_DENY },
	};
	struct net_address a = address("198.18.0.16");
	struct denial denial;
	struct world w;

	begin(&w, NET_BENCHMARK, 3);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hello h = { .found = cases[i].found };
		struct decision d;
		strcpy(h.name, cases[i].sni);
		assert_int_equal(decide_hello(&w.names, &a, 443, &h, &d), cases[i].verdict);
		if (cases[i].verdict != DECIDE_DENY)
			continue;
		decide_denial(&w.names, &a, 443, "tcp", &d, &denial);
		assert_string_equal(denial.host, "api.example.com");
		assert_string_equal(denial.rule, "demo.json:3 (network.allow)");
		assert_string_equal(denial.reason, hello_words(cases[i].found));
	}
	end(&w);
}

static void an_address_of_many_names_is_told_apart_by_the_hello(void **state)
{
	struct net_address shared = address("203.0.113.7");
	const struct name *api, *wild;
	struct hello h = { .found = HELLO_NAME };
	struct decision d;
	struct world w;

	begin(&w, NET_REAL, 3);
	assert_int_equal(names_map(&w.names, "api.example.com", &api), 0);
	assert_int_equal(names_map(&w.names, "n.w.example", &wild), 0);
	assert_int_equal(decide_address(&w.names, &shared, 443, &d), DECIDE_DENY);
	assert_int_equal(names_add(&w.names, api, &shared), 0);
	assert_int_equal(names_add(&w.names, wild, &shared), 0);
	assert_int_equal(names_add(&w.names, api, &shared), 0);
	assert_int_equal(names_at(&w.names, &shared)->n, 2);
	assert_int_equal(decide_address(&w.names, &shared, 443, &d), DECIDE_HELLO);
	strcpy(h.name, "n.w.example");
	assert_int_equal(decide_hello(&w.names, &shared, 443, &h, &d), DECIDE_GO);
	assert_ptr_equal(d.name, wild);
	assert_int_equal(d.grant, 2);
	strcpy(h.name, "plain.example.com");
	assert_int_equal(decide_hello(&w.names, &shared, 443, &h, &d), DECIDE_DENY);
	assert_int_equal(decide_address(&w.names, &shared, 22, &d), DECIDE_GO);
	assert_ptr_equal(d.name, api);
	end(&w);
}

static void a_denied_port_is_told_with_what_would_grant_it(void **state)
{
	static const struct {
		const char *address, *protocol;
		uint16_t port;
		const char *host, *grant;
	} cases[] = {
		{ "198.18.0.17", "tcp", 22, "plain.example.com",
			"\"plain.example.com:22\" in network.allow would grant it" },
		{ "10.9.0.1", "tcp", 22, "", "\"10.9.0.1:22\" in network.allow would grant it" },
		{ "fd00::1", "tcp", 22, "", "\"[fd00::1]:22\" in network.allow would grant it" },
		{ "127.0.0.1", "tcp", 22, "localhost", "\"localhost:22\" in network.allow would grant it" },
		{ "198.18.0.200", "tcp", 443, "", NULL },
		{ "198.18.0.17", "udp", 443, "plain.example.com", NULL },
	};
	struct world w;

	begin(&w, NET_BENCHMARK, 3);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_address a = address(cases[i].address);
		struct decision d;
		struct denial denial;
		decide_address(&w.names, &a, cases[i].port, &d);
		d.grant = NET_NO_GRANT;
		d.name = NULL;
		d.reason = "no";
		decide_denial(&w.names, &a, cases[i].port, cases[i].protocol, &d, &denial);
		assert_string_equal(denial.host, cases[i].host);
		assert_string_equal(denial.address, cases[i].address);
		assert_true(cases[i].grant ? strstr(denial.reason, cases[i].grant) != NULL
					   : strcmp(denial.reason, "no") == 0);
	}
	end(&w);
}

static void first_packets_are_read_and_nothing_else(void **state)
{
	unsigned char tcp[40] = { 0x45, [9] = 6, [16] = 198, 18, 0, 16, [22] = 0x01, 0xbb, [33] = 2 },
		      udp[28] = { 0x45, [9] = 17, [16] = 1, 1, 1, 1, [23] = 53 };
	unsigned char six[60] = { 0x60, [6] = 6, [39] = 1, [43] = 22, [53] = 2 };
	struct net_address to;
	uint16_t port;
	bool is_udp;

	assert_true(watch_parse(tcp, sizeof(tcp), &to, &port, &is_udp));
	assert_true(port == 443 && !is_udp && to.family == 4 && to.bytes[3] == 16);
	assert_true(watch_parse(udp, sizeof(udp), &to, &port, &is_udp));
	assert_true(port == 53 && is_udp);
	assert_true(watch_parse(six, sizeof(six), &to, &port, &is_udp));
	assert_true(port == 22 && !is_udp && to.family == 6 && to.bytes[15] == 1);
	for (size_t n = 0; n < 34; n++)
		assert_false(watch_parse(tcp, n, &to, &port, &is_udp));
	tcp[33] = 0x12; /* SYN and ACK: an answer */
	assert_false(watch_parse(tcp, sizeof(tcp), &to, &port, &is_udp));
	tcp[33] = 2;
	tcp[7] = 1; /* a later fragment */
	assert_false(watch_parse(tcp, sizeof(tcp), &to, &port, &is_udp));
	tcp[7] = 0;
	tcp[0] = 0x4f; /* a header that is longer than the packet */
	assert_false(watch_parse(tcp, sizeof(tcp), &to, &port, &is_udp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_address_and_no_other_name_gets_it),
		cmocka_unit_test(a_range_that_is_used_up_gives_no_more_addresses),
		cmocka_unit_test(a_host_of_two_grants_has_one_address_with_the_ports_of_both),
		cmocka_unit_test(an_address_and_port_mean_what_was_granted),
		cmocka_unit_test(the_hello_must_name_what_the_address_stands_for),
		cmocka_unit_test(an_address_of_many_names_is_told_apart_by_the_hello),
		cmocka_unit_test(a_denied_port_is_told_with_what_would_grant_it),
		cmocka_unit_test(first_packets_are_read_and_nothing_else),
	};

	return cmocka_run_group_tests_name("gateway_names", tests, NULL, NULL);
}
