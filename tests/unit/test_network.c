/* SPDX-License-Identifier: Apache-2.0 */
/* test_network - the written form of granted hosts: what it means, what is normalised, what is refused and in which
 * words */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "supervisor/effective_network.h"
#include "supervisor/network.h"
#include "supervisor/suffixes.h"

static void grants_mean_what_they_say(void **state)
{
	static const struct {
		const char *text, *normal;
		enum net_grant_kind kind;
	} cases[] = {
		{ "api.github.com:443", "api.github.com:443", NET_NAME },
		{ "api.github.com", "api.github.com:443", NET_NAME },
		{ "API.GitHub.COM.:443", "api.github.com:443", NET_NAME },
		{ "a.example:8443,443,80", "a.example:80,443,8443", NET_NAME },
		{ "xn--bcher-kva.example:443", "xn--bcher-kva.example:443", NET_NAME },
		{ "*.githubusercontent.com:443", "*.githubusercontent.com:443", NET_WILDCARD },
		{ "*.Example.com.", "*.example.com:443", NET_WILDCARD },
		{ "*:443", "*:443", NET_ANY_NAME },
		{ "localhost:5432", "localhost:5432", NET_LOCALHOST },
		{ "LOCALHOST:5432", "localhost:5432", NET_LOCALHOST },
		{ "10.2.0.0/16:5432", "10.2.0.0/16:5432", NET_PREFIX },
		{ "10.2.3.4:5432", "10.2.3.4:5432", NET_PREFIX },
		{ "10.2.3.4/32:5432", "10.2.3.4:5432", NET_PREFIX },
		{ "[2001:db8::/32]:443", "[2001:db8::/32]:443", NET_PREFIX },
		{ "[2001:DB8::1]:22", "[2001:db8::1]:22", NET_PREFIX },
		{ "[2001:db8::1]", "[2001:db8::1]:443", NET_PREFIX },
		{ "[::/0]:443", "[::/0]:443", NET_PREFIX },
		{ "0.0.0.0/0:443", "0.0.0.0/0:443", NET_PREFIX },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_grant g, again;
		struct diag d = { 0 };
		char text[NETWORK_TEXT_MAX];
		if (network_grant_parse(cases[i].text, "here", &g, &d) < 0)
			fail_msg("%s", d.text);
		assert_string_equal(network_grant_text(&g, text, sizeof(text)), cases[i].normal);
		assert_int_equal(g.kind, cases[i].kind);
		assert_int_equal(network_grant_parse(text, "here", &again, &d), 0);
		network_grant_done(&g);
		network_grant_done(&again);
	}
}

static void what_is_no_grant_is_refused_in_a_sentence(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "is no host name" },
		{ ":443", "is no host name" },
		{ "a.example:0", "0 is no port" },
		{ "[::ffff:10.0.0.1]:80", "write the IPv4 address" },
		{ "[::ffff:0:0/96]:80", "write the IPv4 address" },
		{ "a.example:65536", "65536 is no port" },
		{ "a.example:", "something else than port numbers" },
		{ "a.example:https", "something else than port numbers" },
		{ "a.example:80,", "something else than port numbers" },
		{ "a.example:80-90", "something else than port numbers" },
		{ "a.example:80,80", "port 80 is named twice" },
		{ "a.example:-1", "something else than port numbers" },
		{ "a..example:443", "is no host name" },
		{ "a b.example:443", "is no host name" },
		{ "a/b:443", "has a '/' but no address before it" },
		{ "https://a.example", "is a URL" },
		{ "${host}:443", "nothing is expanded" },
		{ "b\xc3\xbc"
		  "cher.example:443",
			"begins with xn--" },
		{ "*.com:443", "\"*.com\" stands for every name of a whole top-level domain" },
		{ "*.corp:443", "\"*.corp\" stands for every name of a whole top-level domain" },
		{ "*.:443", "'*' in another place" },
		{ "foo.localhost:80", "for the host's write localhost:PORT" },
		{ "a.b.LocalHost.:80", "for the host's write localhost:PORT" },
		{ "0.0.0.0:443", "nobody is ever connected there" },
		{ "0.0.0.0/8:443", "nobody is ever connected there" },
		{ "[::]:443", "nobody is ever connected there" },
		{ "224.0.0.0/4:443", "is a multicast address, and nobody is ever connected there" },
		{ "240.1.2.3:443", "is a reserved address, and nobody is ever connected there" },
		{ "[64:ff9b::/96]:443", "is an address of a NAT64, and nobody is ever connected there" },
		{ "[2002:a00::/24]:443", "is a 6to4 address, and nobody is ever connected there" },
		{ "a.example/path", "a host has no path" },
		{ "*.co.uk:443", "anybody can register" },
		{ "*.foo.ck:443", "anybody can register" },
		{ "a*.example.com:443", "'*' in another place" },
		{ "*.*.example.com:443", "'*' in another place" },
		{ "a.*.example.com:443", "'*' in another place" },
		{ "0x7f.0.0.1:80", "looks like an address" },
		{ "127.1:80", "looks like an address" },
		{ "2130706433:80", "looks like an address" },
		{ "0177.0.0.1:80", "looks like an address" },
		{ "127.0.0.1:80", "write localhost:PORT" },
		{ "127.0.0.0/8:80", "write localhost:PORT" },
		{ "[::1]:80", "write localhost:PORT" },
		{ "10.2.3.4/16:80", "has bits set behind its prefix" },
		{ "10.2.0.0/33:80", "has a prefix length" },
		{ "10.2.0.0/:80", "has a prefix length" },
		{ "2001:db8::1:443", "stands in brackets" },
		{ "[2001:db8::1:443", "is not closed" },
		{ "[2001:db8::1]443", "is not closed" },
		{ "[fe80::1%eth0]:80", "names an interface" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_grant g;
		struct diag d = { 0 };
		if (network_grant_parse(cases[i].text, "x.json:3 (network.allow)", &g, &d) == 0)
			fail_msg("\"%s\" was taken", cases[i].text);
		if (!strstr(d.text, cases[i].words) || strncmp(d.text, "x.json:3 (network.allow)", 24) != 0)
			fail_msg("\"%s\": %s", cases[i].text, d.text);
	}
}

static void the_same_host_and_port_twice_is_refused_and_overlaps_are_not(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{ "a.example.com:443", 0 },
		{ "*.example.com:443", 0 },
		{ "*:443", 0 },
		{ "a.example.com:80", 0 },
		{ "A.example.com.:443,22", -EEXIST },
		{ "10.0.0.0/8:80", 0 },
		{ "10.2.0.0/16:80", 0 },
		{ "10.0.0.0/8:80", -EEXIST },
		{ "localhost:80", 0 },
		{ "localhost:80", -EEXIST },
	};
	_cleanup_net_config_ struct net_config c = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_grant g;
		struct diag d = { 0 };
		assert_int_equal(network_grant_parse(cases[i].text, "x", &g, &d), 0);
		assert_int_equal(network_add(&c, &g, &d), cases[i].error);
		if (cases[i].error)
			assert_non_null(strstr(d.text, "is granted by x as well"));
	}
	assert_true(network_on(&c));
}

static int check_of(const char *text, enum net_addresses addresses, struct diag *d)
{
	_cleanup_net_config_ struct net_config c = { .addresses = addresses, .limits = net_limits_default() };
	struct net_grant g;

	assert_int_equal(network_grant_parse(text, "here", &g, d), 0);
	assert_int_equal(network_add(&c, &g, d), 0);
	return network_check(&c, d);
}

static void what_the_name_server_inside_needs_is_not_granted(void **state)
{
	static const struct {
		const char *text;
		enum net_addresses addresses;
		const char *words; /* NULL: granted */
	} cases[] = {
		{ "a.example:53", NET_BENCHMARK, NULL },
		{ "[2001:db8::/32]:53", NET_BENCHMARK, NULL },
		{ "*.a.example:53", NET_BENCHMARK, "name server's inside" },
		{ "*:53", NET_RESERVED, "name server's inside" },
		{ "10.0.0.0/8:53", NET_BENCHMARK, "name server's inside" },
		{ "a.example:53", NET_REAL, "name server's inside" },
		{ "198.18.0.1:80", NET_BENCHMARK, "\"addresses\": \"240.0.0.0/4\" in a profile's network" },
		{ "198.18.0.1:80", NET_RESERVED, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = { 0 };
		int r = check_of(cases[i].text, cases[i].addresses, &d);
		if ((r == 0) != !cases[i].words || (r < 0 && !strstr(d.text, cases[i].words)))
			fail_msg("%s: %d %s", cases[i].text, r, d.text);
	}
}

static void more_than_there_may_be_is_refused_with_what_to_do(void **state)
{
	_cleanup_net_config_ struct net_config c = { 0 };
	char text[8 * (NET_PORTS_MAX + 4)] = "a.example:1";
	struct net_grant g;
	struct diag d = { 0 };

	for (unsigned i = 2; i <= NET_PORTS_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%u", i);
	assert_int_equal(network_grant_parse(text, "x", &g, &d), 0);
	network_grant_done(&g);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", NET_PORTS_MAX + 1);
	assert_int_equal(network_grant_parse(text, "x", &g, &d), -E2BIG);
	assert_string_equal(d.text, "x: more than 64 ports for one host: name it once more for the others");
	for (unsigned i = 0; i <= NET_GRANTS_MAX; i++) {
		snprintf(text, sizeof(text), "n%u.example:443", i);
		assert_int_equal(network_grant_parse(text, "x", &g, &d), 0);
		assert_int_equal(network_add(&c, &g, &d), i < NET_GRANTS_MAX ? 0 : -E2BIG);
	}
	assert_string_equal(d.text, "x: more than 1024 hosts are granted: a wildcard or a network stands for many");
}

static char *canonical_of(const char *text, bool sni)
{
	struct effective *e = calloc(1, sizeof(*e));
	struct diag d = { 0 };
	struct net_grant g;

	assert_int_equal(network_grant_parse(text, "here", &g, &d), 0);
	g.sni = sni;
	assert_int_equal(network_add(&e->profile.network, &g, &d), 0);
	json_t *j = effective_network_canonical(e);
	char *s = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(j);
	net_config_done(&e->profile.network);
	free(e);
	return s;
}

/* Else what was approved with the comparison would run without it. */
static void the_digest_tells_whether_names_in_tls_are_compared(void **state)
{
	static const char *const named[] = { "a.example:443", "*.a.example:443", "*:443" };

	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		_cleanup_free_ char *with = canonical_of(named[i], true), *without = canonical_of(named[i], false);
		if (strcmp(with, without) == 0)
			fail_msg("%s: %s", named[i], with);
	}
}

static void a_port_is_not_published_and_granted_of_the_hosts_loopback(void **state)
{
	_cleanup_net_config_ struct net_config c = { .publish = { 8080 }, .n_publish = 1 };
	struct net_grant g;
	struct diag d = { 0 };

	assert_int_equal(network_grant_parse("localhost:8080", "x", &g, &d), 0);
	assert_int_equal(network_add(&c, &g, &d), 0);
	assert_int_equal(network_check(&c, &d), -EINVAL);
	assert_non_null(strstr(d.text, "port 8080 is published as well"));
	c.publish[0] = 8081;
	assert_int_equal(network_check(&c, &d), 0);
}

/* What somebody reads who does not count in prefixes, and whether it is marked. */
static void a_question_says_how_wide_a_grant_is(void **state)
{
	static const struct {
		const char *text, *line;
		unsigned danger;
	} cases[] = {
		{ "a.example:443", "a.example:443", 0 },
		{ "*:443", "*:443 (every name there is)", DANGER_NETWORK },
		{ "*.github.io:443",
			"*.github.io:443 (every name below it; what it asks for there reaches that domain's name "
			"servers)",
			DANGER_NETWORK },
		{ "localhost:5432", "localhost:5432 (this machine's own loopback)", DANGER_LOCALHOST },
		{ "203.0.113.9:80", "203.0.113.9:80", 0 },
		{ "203.0.113.0/24:80", "203.0.113.0/24:80 (203.0.113.0 to 203.0.113.255)", 0 },
		{ "10.2.3.4:80", "10.2.3.4:80 (a private address)", 0 },
		{ "10.2.0.0/16:80", "10.2.0.0/16:80 (10.2.0.0 to 10.2.255.255, each a private address)", 0 },
		{ "10.0.0.0/8:80", "10.0.0.0/8:80 (10.0.0.0 to 10.255.255.255, each a private address)",
			DANGER_NETWORK },
		{ "0.0.0.0/0:80", "0.0.0.0/0:80 (0.0.0.0 to 255.255.255.255, private networks among them)",
			DANGER_NETWORK },
		{ "8.0.0.0/6:80", "8.0.0.0/6:80 (8.0.0.0 to 11.255.255.255, private networks among them)",
			DANGER_NETWORK },
		{ "[::/0]:80", "[::/0]:80 (:: to ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, private networks among them)",
			DANGER_NETWORK },
		{ "[fd00:1::1]:80", "[fd00:1::1]:80 (a private address)", 0 },
		{ "169.254.0.0/16:80", "169.254.0.0/16:80 (169.254.0.0 to 169.254.255.255, each a link-local address)",
			0 },
		{ "169.254.169.254:80", "169.254.169.254:80 (a metadata service)", DANGER_METADATA },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_effective_ struct effective e = { 0 };
		struct diag d = { 0 };
		struct net_grant g;
		assert_int_equal(network_grant_parse(cases[i].text, "here", &g, &d), 0);
		assert_int_equal(network_add(&e.profile.network, &g, &d), 0);
		assert_int_equal(effective_network_lines(&e), 0);
		assert_string_equal(e.lines[0].text, cases[i].line);
		assert_int_equal(e.lines[0].danger, cases[i].danger);
	}
}

static void the_list_of_public_suffixes_is_the_real_one(void **state)
{
	static const struct {
		const char *domain;
		enum suffix_kind kind;
	} cases[] = {
		{ "com", SUFFIX_REGISTRY },
		{ "co.uk", SUFFIX_REGISTRY },
		{ "foo.ck", SUFFIX_REGISTRY },
		{ "www.ck", SUFFIX_NONE },
		{ "nosuchtld", SUFFIX_REGISTRY },
		{ "xn--p1ai", SUFFIX_REGISTRY },
		{ "github.io", SUFFIX_SHARED },
		{ "githubusercontent.com", SUFFIX_SHARED },
		{ "example.com", SUFFIX_NONE },
		{ "example.co.uk", SUFFIX_NONE },
		{ "me.github.io", SUFFIX_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (suffix_kind(cases[i].domain) != cases[i].kind)
			fail_msg("%s", cases[i].domain);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(grants_mean_what_they_say),
		cmocka_unit_test(what_is_no_grant_is_refused_in_a_sentence),
		cmocka_unit_test(the_same_host_and_port_twice_is_refused_and_overlaps_are_not),
		cmocka_unit_test(what_the_name_server_inside_needs_is_not_granted),
		cmocka_unit_test(more_than_there_may_be_is_refused_with_what_to_do),
		cmocka_unit_test(the_digest_tells_whether_names_in_tls_are_compared),
		cmocka_unit_test(a_port_is_not_published_and_granted_of_the_hosts_loopback),
		cmocka_unit_test(a_question_says_how_wide_a_grant_is),
		cmocka_unit_test(the_list_of_public_suffixes_is_the_real_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
