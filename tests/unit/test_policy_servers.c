/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_servers - which servers a policy lets a machine start (supervisor/policy/policy_servers.h) */
#include <errno.h>
#include "tests/unit/policy_unit.h"
#include "tests/unit/profile_unit.h"

/* A profile as it would have been loaded. */
struct told {
	const char *name;    /* NULL: without a profile */
	const char *members; /* of the profile besides name and command */
	bool user;	     /* a user's own */
	bool signed_by_rule; /* as the policy demands */
	const char *program; /* of the command; NULL: /usr/bin/true */
};

static int judge(const char *policy, const struct told *t, struct diag *d)
{
	_cleanup_policy_ struct policy p;
	_cleanup_profile_ struct profile f = { 0 };
	char text[512], program[256];
	struct resolved cmd = { .program = program, .subject = program };
	int r;

	snprintf(program, sizeof(program), "%s", t->program ? t->program : "/usr/bin/true");
	policy_ok(policy, &p);
	if (t->name) {
		snprintf(text, sizeof(text), "{\"stockade\": 1, \"name\": \"%s\", \"command\": [\"x\"]%s%s}", t->name,
			t->members ? ", " : "", t->members ? t->members : "");
		parse_ok(text, &f);
		f.file = strdup("/home/u/x.json");
		f.managed = !t->user;
		f.vouched.rule = t->signed_by_rule ? strdup("policy.json:2 (signatures)") : NULL;
	}
	r = policy_judge_profile(&p.servers, &f, d);
	return r < 0 ? r : policy_judge_command(&p.servers, &f, t->name ? t->name : "true", &cmd, d);
}

#define PACKAGE "\"package\": {\"npm\": \"@acme/x\"}"

static const struct {
	const char *policy;
	struct told server;
	const char *words; /* NULL: it starts */
} servers[] = {
	{ POLICY("\"description\": \"\""), { NULL } },
	{ POLICY("\"description\": \"\""), { "x", .user = true } },
	{ POLICY("\"profiles\": {\"unprofiled\": \"allow\", \"user\": \"allow\"}"), { NULL } },
	{ POLICY("\"profiles\": {\"unprofiled\": \"deny\"}"), { NULL }, "(profiles.unprofiled)" },
	{ POLICY("\"profiles\": {\"unprofiled\": \"deny\"}"), { "x", .user = true } },
	{ POLICY("\"profiles\": {\"user\": \"deny\"}"), { "x", .user = true }, ":2 (profiles.user)" },
	{ POLICY("\"profiles\": {\"user\": \"deny\"}"), { "x" } },
	{ POLICY("\"profiles\": {\"user\": \"deny\"}"), { NULL } },
	{ POLICY("\"servers\": {\"allow\": [\"github\", \"db-*\"]}"), { "github" } },
	{ POLICY("\"servers\": {\"allow\": [\"github\", \"db-*\"]}"), { "db-a" } },
	{ POLICY("\"servers\": {\"allow\": [\"github\"]}"), { "github2" }, "no server of this name" },
	{ POLICY("\"servers\": {\"allow\": []}"), { "x" }, ":2 (servers.allow)" },
	/* So is that of a profile of a user's own, and its package with it; unless somebody signed for them. */
	{ POLICY("\"servers\": {\"allow\": [\"github\"]}"), { "github", .user = true },
		"any name that its user likes" },
	{ POLICY("\"servers\": {\"allow\": [\"github\"]}"), { "github", .user = true, .signed_by_rule = true } },
	{ POLICY("\"servers\": {\"deny\": [\"github\"]}"), { "github", .user = true }, "policy denies this server" },
	{ POLICY("\"packages\": {\"allow\": [\"npm:@acme/*\"]}"), { "x", PACKAGE, .user = true },
		"what a user's own profile names proves nothing" },
	{ POLICY("\"packages\": {\"allow\": [\"npm:@acme/*\"]}"),
		{ "x", PACKAGE, .user = true, .signed_by_rule = true } },
	{ POLICY("\"packages\": {\"deny\": [\"npm:@acme/*\"]}"), { "x", PACKAGE, .user = true },
		"policy denies its package" },
	/* Its name is its user's to choose. */
	{ POLICY("\"servers\": {\"allow\": [\"*\"]}"), { NULL }, "this one has none" },
	{ POLICY("\"servers\": {\"deny\": [\"tr*\"]}"), { NULL }, "policy denies this server" },
	{ POLICY("\"servers\": {\"deny\": [{\"name\": \"true\", \"versions\": \"2..\"}]}"), { NULL },
		"policy denies this server" },
	{ POLICY("\"servers\": {\"allow\": [\"*\"],\n\"deny\": [\"x\"]}"), { "x" }, ":3 (servers.deny \"x\")" },
	{ POLICY("\"servers\": {\"allow\": [{\"name\": \"x\", \"versions\": \"3..9\"}]}"), { "x", "\"version\": 3" } },
	{ POLICY("\"servers\": {\"allow\": [{\"name\": \"x\", \"versions\": \"3..9\"}]}"), { "x", "\"version\": 10" },
		"its profile is version 10" },
	{ POLICY("\"servers\": {\"allow\": [{\"name\": \"x\", \"versions\": \"3..9\"}]}"), { "x" },
		"its profile names none" },
	{ POLICY("\"servers\": {\"allow\": [{\"name\": \"x\", \"versions\": \"..9\"}]}"), { "x" },
		"its profile names none" },
	{ POLICY("\"servers\": {\"allow\": [{\"name\": \"x\", \"versions\": \"4\"}, {\"name\": \"*\", "
		 "\"versions\": \"7..\"}]}"),
		{ "x", "\"version\": 8" } },
	{ POLICY("\"servers\": {\"deny\": [{\"name\": \"x\", \"versions\": \"..2\"}]}"), { "x", "\"version\": 2" },
		"policy denies this server" },
	{ POLICY("\"servers\": {\"deny\": [{\"name\": \"x\", \"versions\": \"..2\"}]}"), { "x", "\"version\": 3" } },
	/* What says no version may be any. */
	{ POLICY("\"servers\": {\"deny\": [{\"name\": \"x\", \"versions\": \"..2\"}]}"), { "x" },
		"policy denies this server" },
	{ POLICY("\"packages\": {\"allow\": [\"npm:@acme/*\"]}"), { "x", PACKAGE } },
	{ POLICY("\"packages\": {\"allow\": [\"npm:@other/*\"]}"), { "x", PACKAGE }, "does not allow its package" },
	{ POLICY("\"packages\": {\"allow\": [\"pypi:@acme/*\"]}"), { "x", PACKAGE }, "does not allow its package" },
	{ POLICY("\"packages\": {\"allow\": [\"npm:*\"]}"), { "x" }, "its profile names none" },
	{ POLICY("\"packages\": {\"allow\": [\"npm:*\"]}"), { NULL }, ":2 (packages.allow)" },
	{ POLICY("\"packages\": {\"deny\": [\"npm:@acme/x\"]}"), { "x", PACKAGE }, "(packages.deny \"npm:@acme/x\")" },
	{ POLICY("\"packages\": {\"deny\": [\"npm:@acme/x\"]}"), { .program = "/home/u/node_modules/@acme/x/index.js" },
		"the package that its code lies in" },
	{ POLICY("\"packages\": {\"deny\": [\"npm:b\"]}"),
		{ "x", .program = "/home/u/node_modules/a/node_modules/b/c.js" }, "the package that its code lies in" },
	{ POLICY("\"packages\": {\"deny\": [\"npm:@acme/x\"]}"),
		{ .program = "/home/u/node_modules/@acme/xy/index.js" } },
};

static void a_server_starts_where_every_list_of_the_policy_lets_it(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		struct diag d = { "" };
		int r = judge(servers[i].policy, &servers[i].server, &d);
		bool right = servers[i].words ? r == -EPERM && strstr(d.text, servers[i].words) &&
							strstr(d.text, "is not started") && strstr(d.text, "manages")
					      : r == 0;
		if (!right)
			fail_msg("row %zu: %d: %s", i, r, d.text);
	}
}

static void what_is_no_list_of_servers_denies_every_launch_in_words(void **state)
{
	static const char *const rows[][2] = {
		{ POLICY("\"profiles\": {\"user\": \"never\"}"), "profiles.user cannot be \"never\"" },
		{ POLICY("\"profiles\": {\"users\": \"deny\"}"), "did you mean 'user'?" },
		{ POLICY("\"servers\": [\"x\"]"), "servers must be an object" },
		{ POLICY("\"servers\": {\"allow\": \"x\"}"), "servers.allow must be a list" },
		{ POLICY("\"servers\": {\"allow\": [1]}"), "must hold names of servers" },
		{ POLICY("\"servers\": {\"allow\": [\"\"]}"), "empty name" },
		{ POLICY("\"servers\": {\"allow\": [\"a?\"]}"), "'*' is the only character" },
		{ POLICY("\"servers\": {\"allow\": [{\"versions\": \"1\"}]}"), "without \"name\"" },
		{ POLICY("\"servers\": {\"allow\": [{\"name\": \"a\", \"version\": \"1\"}]}"), "more than \"name\"" },
		{ POLICY("\"servers\": {\"allow\": [{\"name\": \"a\", \"versions\": 1}]}"), "not written as" },
		{ POLICY("\"servers\": {\"allow\": [{\"name\": \"a\", \"versions\": \"..\"}]}"), "not written as" },
		{ POLICY("\"servers\": {\"allow\": [{\"name\": \"a\", \"versions\": \"9..3\"}]}"), "not written as" },
		{ POLICY("\"servers\": {\"allow\": [{\"name\": \"a\", \"versions\": \"1-3\"}]}"), "not written as" },
		{ POLICY("\"servers\": {\"deny\": [{\"name\": \"a\", \"versions\": \"\"}]}"), "not written as" },
		{ POLICY("\"packages\": {\"deny\": [\"left-pad\"]}"), "where they come from" },
		{ POLICY("\"packages\": {\"deny\": [{}]}"), "where they come from" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		policy_refused(rows[i][0], rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_starts_where_every_list_of_the_policy_lets_it),
		cmocka_unit_test(what_is_no_list_of_servers_denies_every_launch_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
