/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_reach - what `check --reach` says of a host is what gateway and dial would, with the rule behind it */
#include "tests/unit/unit.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "supervisor/check_reach.h"
#include "supervisor/exit.h"
#include "supervisor/network.h"

static void grant(struct net_config *c, const char *text, const char *where, bool private)
{
	struct net_grant g = { 0 };
	struct diag d = { "" };
	int r = network_grant_parse(text, where, &g, &d);

	g.private_allowed = private;
	r = r < 0 ? r : network_add(c, &g, &d);
	if (r < 0)
		fail_msg("%s: %s", text, d.text);
}

/* A name, a wildcard, a network, an address, this machine's loopback. */
static int up(void **state)
{
	static struct net_config c;

	c = (struct net_config){ .limits = net_limits_default() };
	grant(&c, "api.example.com:443,8443", "x.json:1", false);
	grant(&c, "*.example.org:443", "x.json:2", false);
	grant(&c, "inside.example.net:443", "x.json:3", true);
	grant(&c, "10.2.0.0/16:5432", "x.json:4", false);
	grant(&c, "[2001:db8::1]:22", "x.json:5", false);
	grant(&c, "localhost:5432", "x.json:6", false);
	*state = &c;
	return 0;
}

static int down(void **state)
{
	net_config_done(*state);
	return 0;
}

/* Heap; the status must be that. */
static char *told(const struct net_config *c, const char *host, bool json, int status)
{
	struct diag d = { "" };
	char *said = NULL;
	size_t n;
	FILE *f = open_memstream(&said, &n);
	int r = check_reach(f, c, host, json, &d);

	fclose(f);
	if (r != status)
		fail_msg("%s: %d %s %s", host, r, said, d.text);
	return said;
}

#define LOOKED_AT                                                                                                      \
	"What it leads to is looked at for each connection: loopback, private and metadata addresses are refused.\n"
#define OTHER_PORT "network.allow names the host, but not this port\n"
#define UNNAMED	   "network.allow does not name it\n"

static const struct {
	const char *host;
	int status;
	const char *said;
} hosts[] = {
	{ "api.example.com:443", EXIT_OK, "allowed: host 'api.example.com:443' by x.json:1\n" LOOKED_AT },
	{ "API.Example.com.", EXIT_OK, "allowed: host 'api.example.com:443' by x.json:1\n" LOOKED_AT },
	{ "api.example.com:8443", EXIT_OK, "allowed: host 'api.example.com:8443' by x.json:1\n" LOOKED_AT },
	{ "api.example.com:80", EXIT_FINDINGS, "denied: host 'api.example.com:80' since " OTHER_PORT },
	{ "example.com:443", EXIT_FINDINGS, "denied: host 'example.com:443' since " UNNAMED },
	{ "a.b.example.org:443", EXIT_OK, "allowed: host 'a.b.example.org:443' by x.json:2\n" LOOKED_AT },
	{ "example.org:443", EXIT_FINDINGS, "denied: host 'example.org:443' since " UNNAMED },
	/* Whoever allows private addresses for a name is not told that they are refused. */
	{ "inside.example.net:443", EXIT_OK, "allowed: host 'inside.example.net:443' by x.json:3\n" },
	{ "10.2.3.4:5432", EXIT_OK, "allowed: host '10.2.3.4:5432' by x.json:4\n" },
	{ "10.2.3.4:5433", EXIT_FINDINGS, "denied: host '10.2.3.4:5433' since " OTHER_PORT },
	{ "10.3.0.1:5432", EXIT_FINDINGS, "denied: host '10.3.0.1:5432' since " UNNAMED },
	{ "[2001:db8::1]:22", EXIT_OK, "allowed: host '[2001:db8::1]:22' by x.json:5\n" },
	{ "[2001:db8::2]:22", EXIT_FINDINGS, "denied: host '[2001:db8::2]:22' since " UNNAMED },
	{ "localhost:5432", EXIT_OK, "allowed: host 'localhost:5432' by x.json:6\n" },
	{ "localhost:5433", EXIT_FINDINGS, "denied: host 'localhost:5433' since " OTHER_PORT },
};

static void each_host_has_its_decision_and_the_rule_behind_it(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		char *said = told(*state, hosts[i].host, false, hosts[i].status);
		assert_string_equal(said, hosts[i].said);
		free(said);
	}
}

static void the_object_has_the_same_decision(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		char *said = told(*state, hosts[i].host, true, hosts[i].status);
		json_t *o = json_loads(said, JSON_REJECT_DUPLICATES, NULL);
		const char *rule = json_string_value(json_object_get(o, "rule")),
			   *note = json_string_value(json_object_get(o, "note"));
		assert_string_equal(json_string_value(json_object_get(o, "decision")),
			hosts[i].status == EXIT_OK ? "allow" : "deny");
		assert_non_null(strstr(hosts[i].said, json_string_value(json_object_get(o, "reach"))));
		assert_non_null(strstr(hosts[i].said, rule));
		assert_int_equal(note != NULL, strstr(hosts[i].said, "What it leads to") != NULL);
		json_decref(o);
		free(said);
	}
}

/* The proxy resolves the names, so that nobody here sees what they lead to. */
static void behind_a_proxy_nothing_is_promised_of_addresses(void **state)
{
	struct net_config *c = *state;
	char *said;

	c->proxy_host = strdup("proxy.example.com");
	said = told(c, "api.example.com", false, EXIT_OK);
	assert_string_equal(said, "allowed: host 'api.example.com:443' by x.json:1\n");
	free(said);
}

static void without_a_network_that_is_the_reason(void **state)
{
	struct net_config none = { .limits = net_limits_default() }, inward = none;
	char *said = told(&none, "api.example.com", false, EXIT_FINDINGS);

	(void)state;
	assert_string_equal(said, "denied: host 'api.example.com:443' since it is granted no network\n");
	free(said);
	inward.publish[inward.n_publish++] = 20123;
	said = told(&inward, "api.example.com", false, EXIT_FINDINGS);
	assert_string_equal(said, "denied: host 'api.example.com:443' since " UNNAMED);
	free(said);
}

static void a_rule_cannot_drive_the_terminal(void **state)
{
	struct net_config c = { .limits = net_limits_default() };
	char *said;

	(void)state;
	grant(&c, "10.0.0.1:443", "/tmp/\033[2J:1", false);
	said = told(&c, "10.0.0.1", false, EXIT_OK);
	assert_string_equal(said, "allowed: host '10.0.0.1:443' by /tmp/\\x1b[2J:1\n");
	free(said);
	net_config_done(&c);
}

static const char *const many[] = { "api.example.com:443,8443", "*.example.org:443", "*:443", "10.2.0.0/16:5432",
	"[2001:db8::/127]:22" };

static void only_one_host_and_one_port_can_be_asked_for(void **state)
{
	struct diag d;

	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		assert_int_equal(check_reach(stdout, *state, many[i], false, &d), -EINVAL);
		assert_string_equal(d.text, "--reach takes one host and one port, as in --reach api.example.com:443");
	}
	assert_true(check_reach(stdout, *state, "no host", false, &d) < 0);
	assert_non_null(strstr(d.text, "--reach"));
	assert_non_null(strstr(d.text, "no host"));
}

static void a_stream_that_takes_no_json_is_a_refusal(void **state)
{
	FILE *full = fopen("/dev/full", "we");
	struct diag d = { "" };

	setbuf(full, NULL);
	assert_int_equal(check_reach(full, *state, "api.example.com", true, &d), EXIT_REFUSED);
	assert_int_equal(check_reach(full, *state, "example.com", true, &d), EXIT_REFUSED);
	fclose(full);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		T(each_host_has_its_decision_and_the_rule_behind_it),
		T(the_object_has_the_same_decision),
		T(behind_a_proxy_nothing_is_promised_of_addresses),
		cmocka_unit_test(without_a_network_that_is_the_reason),
		cmocka_unit_test(a_rule_cannot_drive_the_terminal),
		T(only_one_host_and_one_port_can_be_asked_for),
		T(a_stream_that_takes_no_json_is_a_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
