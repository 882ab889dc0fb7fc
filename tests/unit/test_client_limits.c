/* SPDX-License-Identifier: Apache-2.0 */
/* test_client_limits - what a profile says of the client's side: shown, bound by the digest, and told to the shim */
#include "tests/unit/launch_world.h"
#include <errno.h>
#include "tests/unit/unprivileged.h"
#include "supervisor/effective_client.h"

#define CLIENT "\"sampling\": false, \"elicitation\": false"

static void digest_with(struct launch *l, const char **now, const char *members, char ret[65])
{
	launch_edit(l, *now, members);
	*now = members;
	launch_describe(l);
	memcpy(ret, l->e.digest, 65);
}

/* Plans of one row are one plan, those of different rows are not. */
static const struct {
	const char *members, *same;
} plans[] = {
	{ CLIENT, "\"logging\": true" },
	{ "\"sampling\": true", "\"sampling\": {\"tools\": false, \"context\": \"thisServer\", \"rate\": \"60/min\"}" },
	{ "\"sampling\": {\"rate\": \"1/s\"}", NULL },
	{ "\"sampling\": {\"rate\": \"3600/h\"}", NULL },
	{ "\"sampling\": {\"max_tokens\": 100}", NULL },
	{ "\"sampling\": {\"max_tokens\": 101}", NULL },
	{ "\"sampling\": {\"tools\": true}", NULL },
	{ "\"sampling\": {\"context\": \"none\"}", NULL },
	{ "\"sampling\": {\"context\": \"allServers\"}", NULL },
	{ "\"elicitation\": true", "\"elicitation\": {\"form\": true, \"url\": false, \"rate\": \"60/min\"}" },
	{ "\"elicitation\": {\"rate\": \"1/s\"}", NULL },
	{ "\"elicitation\": {\"url\": [\"a.example.com\"]}", "\"elicitation\": {\"url\": [\"A.example.com.:443\"]}" },
	{ "\"elicitation\": {\"url\": [\"a.example.com:8443\"]}", NULL },
	{ "\"elicitation\": {\"url\": [\"*.a.example.com\"]}", NULL },
	{ "\"elicitation\": {\"url\": [\"a.example.com\"], \"form\": false}", NULL },
	{ "\"logging\": false", NULL },
	{ "\"logging\": {\"level\": \"info\"}", NULL },
	{ "\"logging\": {\"level\": \"warning\"}", "\"logging\":\n{\"level\": \"warning\"}" },
	{ "\"logging\": {\"rate\": \"1/s\"}", NULL },
};

static void the_digest_binds_every_limit_and_no_spelling(void **state)
{
	static char digests[ARRAY_LEN(plans)][65];
	const char *now = CLIENT;

	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		char same[65];
		digest_with(*state, &now, plans[i].members, digests[i]);
		digest_with(*state, &now, plans[i].same ? plans[i].same : plans[i].members, same);
		if (strcmp(digests[i], same) != 0)
			fail_msg("%s is not %s", plans[i].members, plans[i].same);
		for (size_t k = 0; k < i; k++)
			if (strcmp(digests[i], digests[k]) == 0)
				fail_msg("%s is %s", plans[i].members, plans[k].members);
	}
}

#define LINES(l, ...)                                                                                                  \
	do {                                                                                                           \
		static const char *const lines_[] = { __VA_ARGS__ };                                                   \
		for (size_t i_ = 0; i_ < ARRAY_LEN(lines_); i_++)                                                      \
			if (!launch_line(l, LINE_CLIENT, lines_[i_]))                                                  \
				fail_msg("no line '%s'", lines_[i_]);                                                  \
	} while (0)

static void expect_where(struct launch *l, const char *text, const char *where)
{
	const struct effective_line *line = launch_line(l, LINE_CLIENT, text);

	if (!line || !line->where || !strstr(line->where, where))
		fail_msg("'%s' does not stand at %s", text, where);
}

static void what_a_server_may_ask_is_shown_with_its_limits(void **state)
{
	struct launch *l = *state;

	launch_edit(l, CLIENT,
		"\"sampling\": {\"rate\": \"10/min\", \"max_tokens\": 2000, \"context\": \"none\"}, "
		"\"elicitation\": {\"rate\": \"5/h\", \"url\": [\"login.example.com\", "
		"\"*.issues.example.com:8443\"]}, "
		"\"logging\": {\"level\": \"warning\", \"rate\": \"10/s\"}");
	launch_describe(l);
	LINES(l, "sampling allowed, elicitation allowed",
		"sampling: no tools for the model, without context of any server",
		"sampling: at most 2000 tokens an answer; what asks for more is lowered",
		"sampling: 10 a minute at most", "elicitation: forms",
		"elicitation: may send the user to https://login.example.com:443",
		"elicitation: may send the user to https://*.issues.example.com:8443", "elicitation: 5 an hour at most",
		"log messages below warning are dropped", "log messages: 10 a second at most",
		"(roots replace a server's own list)");
	expect_where(l, "2000 tokens", "(client.sampling.max_tokens)");
	expect_where(l, "below warning", "(client.logging.level \"warning\")");
}

static void a_plain_true_is_the_narrow_one(void **state)
{
	struct launch *l = *state;

	launch_edit(l, CLIENT, "\"sampling\": true, \"elicitation\": true, \"logging\": false");
	launch_describe(l);
	LINES(l, "sampling: no tools for the model, with context of this server alone",
		"elicitation: forms, no web addresses", "sampling: 60 a minute at most",
		"elicitation: 60 a minute at most", "log messages of the server are dropped");
}

static void the_shim_is_told_every_limit(void **state)
{
	struct launch *l = *state;
	const struct shim_client *c = &l->e.shim.client;

	launch_edit(l, CLIENT,
		"\"sampling\": {\"rate\": \"10/min\", \"max_tokens\": 2000, \"tools\": true, \"context\": \"none\"}, "
		"\"elicitation\": {\"rate\": \"5/h\", \"form\": false, \"url\": [\"a.example.com\", "
		"\"*.b.example.com:443,8443\"]}, "
		"\"logging\": {\"level\": \"error\", \"rate\": \"7/s\"}");
	launch_describe(l);
	assert_true(c->sampling.on && c->sampling.tools && c->elicitation.on && c->elicitation.no_form);
	assert_int_equal(c->sampling.context, SHIM_CONTEXT_NONE);
	assert_int_equal(c->sampling.max_tokens.value, 2000);
	assert_int_equal(c->sampling.rate.calls, 10);
	assert_int_equal(c->elicitation.rate.period_s, 3600);
	assert_int_equal(c->elicitation.n, 3);
	assert_string_equal(c->elicitation.hosts[1].name, "b.example.com");
	assert_true(c->elicitation.hosts[1].below && !c->elicitation.hosts[0].below);
	assert_int_equal(c->elicitation.hosts[2].port, 8443);
	assert_int_equal(c->logging.level, SHIM_LEVEL_ERROR);
	assert_int_equal(c->logging.rate.calls, 7);
	assert_false(c->logging.off);
}

static void of_hosts_a_wildcard_has_those_below_it_and_none_that_look_like_others(void **state)
{
	static const struct {
		const char *name;
		uint16_t port;
		bool allowed;
	} cases[] = {
		{ "a.example.com", 443, true },
		{ "a.example.com", 444, false },
		{ "b.a.example.com", 443, false },
		{ "b.example.com", 443, false },
		{ "x.b.example.com", 8443, true },
		{ "y.x.b.example.com", 8443, true },
		{ "xb.example.com", 8443, false },
		{ "xn--80ak6aa92e.b.example.com", 8443, false },
		{ "x.xn--80ak6aa92e.b.example.com", 8443, false },
		{ "axn--.b.example.com", 8443, true },
		{ "xn--bcher-kva.example.com", 443, true },
		{ ".b.example.com", 8443, false },
	};
	struct shim_client c = { 0 };

	(void)state;
	assert_int_equal(shim_client_add_host(&c, "a.example.com", false, 443), 0);
	assert_int_equal(shim_client_add_host(&c, "b.example.com", true, 8443), 0);
	assert_int_equal(shim_client_add_host(&c, "xn--bcher-kva.example.com", false, 443), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if ((shim_client_host(&c, cases[i].name, cases[i].port) != NULL) != cases[i].allowed)
			fail_msg("%s:%u", cases[i].name, cases[i].port);
	shim_client_done(&c);
}

static void a_root_that_nothing_grants_is_refused(void **state)
{
	static const char *const wide[] = { "/", "~/other", "~", "~/code" };
	struct launch *l = *state;
	char before[LAUNCH_TEXT_MAX], root[64];

	memcpy(before, l->profile, sizeof(before));
	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		memcpy(l->profile, before, sizeof(before));
		snprintf(root, sizeof(root), "\"roots\": [\"~/docs\", \"%s\"]", wide[i]);
		launch_edit(l, "\"roots\": [\"~/work\"]", root);
		if (launch_build(l) != -EINVAL || !strstr(l->d.text, "(client.roots)) is not granted") ||
			strstr(l->d.text, "/docs ("))
			fail_msg("'%s': %s", wide[i], l->d.text);
	}
}

static void a_root_is_known_by_both_of_its_names_as_far_as_they_are_granted(void **state)
{
	struct launch *l = *state;
	const struct strv *roots = &l->e.shim.roots;

	launch_link(l, "alias", "docs");
	launch_link(l, "docs/out", "../other");
	launch_edit(l, "\"roots\": [\"~/work\"]", "\"roots\": [\"~/alias\", \"~/docs/out\", \"?~/other\"]");
	launch_describe(l);
	assert_int_equal(roots->n, 2);
	assert_true(strv_contains(roots, LAUNCH_AT(l, "docs")));
	assert_true(strv_contains(roots, LAUNCH_AT(l, "docs/out")));
	launch_edit(l, "\"read\": [\"~/docs\"]", "\"read\": [\"~/alias\"]");
	launch_describe(l);
	assert_true(strv_contains(roots, LAUNCH_AT(l, "docs")) && strv_contains(roots, LAUNCH_AT(l, "alias")));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		T(the_digest_binds_every_limit_and_no_spelling),
		T(what_a_server_may_ask_is_shown_with_its_limits),
		T(a_plain_true_is_the_narrow_one),
		T(the_shim_is_told_every_limit),
		T(a_root_that_nothing_grants_is_refused),
		T(a_root_is_known_by_both_of_its_names_as_far_as_they_are_granted),
		cmocka_unit_test(of_hosts_a_wildcard_has_those_below_it_and_none_that_look_like_others),
	};

	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests_name("client_limits", tests, NULL, NULL);
}
